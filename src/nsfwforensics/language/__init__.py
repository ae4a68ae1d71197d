"""Languages of reports and notices: one catalogue file for each, ``<code>.po`` beside this one."""

from nsfwforensics.language.catalogue import Language, available, language

__all__ = ["Language", "available", "language"]

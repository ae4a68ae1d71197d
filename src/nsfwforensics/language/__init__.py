"""Languages of reports and notices: one catalogue file for each, ``<code>.po`` beside this one."""

from nsfwforensics.language.catalogue import Language, available, brought, language

__all__ = ["Language", "available", "brought", "language"]

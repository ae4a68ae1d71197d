"""Text out of a file for use in sentences and tables: cut to a length, on one line, in quotation marks."""

from __future__ import annotations

from nsfwforensics.core.messages import Message, say


def cut(text: str, limit: int) -> str:
    """The text, or its beginning with its full length named."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters in all)"


def quote(text: str, limit: int = 80) -> Message:
    """Text of the file for use inside a sentence: on one line, short, in the language's quotation marks."""
    line = " ".join(text.split())
    return say("“{text}”", text=line if len(line) <= limit else f"{line[:limit]}…")

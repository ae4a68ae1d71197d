r"""Making text out of evidence harmless before anybody looks at it.

A file name, a comment or a camera model is written by whoever made the file. It may hold terminal commands, characters
that turn the reading direction round, or line breaks that fake a second line. None of these is dropped in silence:
they are shown as escapes such as ``\u202e``, so that two different names never look alike.
"""

from __future__ import annotations

import re

from nsfwforensics.core.messages import Message, say, say_count

UNSAFE = re.compile(
    "["
    "\u0000-\u001f\u007f-\u009f"  # C0, DEL and C1 controls
    "\u00ad\u061c\u180e\u200b\u200e\u200f"  # soft hyphen, Arabic letter mark, zero-width space, LRM, RLM
    "\u2028-\u202e\u2060-\u206f"  # line and paragraph separators, bidirectional embeddings and isolates
    "\ufeff\ufff9-\ufffb"  # byte order mark, interlinear annotation
    "\ud800-\udfff"  # lone surrogates
    "\U000e0000-\U000e007f"  # tags, which hide ASCII text
    "]"
)
"""Characters that act instead of being seen (Unicode categories Cc, Cs and the format controls of UAX #9)."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def visible(text: object) -> str:
    r"""Shows every character that would act on a terminal or a reader as an escape: ``\n``, ``\u001b``.

    Args:
        text: Any value; anything but text is turned into text first.

    Returns:
        One line of text without control, bidirectional, separator or surrogate characters.
    """
    return UNSAFE.sub(_escape, text if isinstance(text, str) else str(text))


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


def shorten(text: str, limit: int) -> str:
    """Cuts text at its end to ``limit`` characters, the last of them an ellipsis."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def shorten_middle(text: str, limit: int) -> str:
    """Cuts text in its middle to ``limit`` characters: of a path, the end says more than the start."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) * 2 // 3
    return text[: limit - 1 - tail] + "…" + text[len(text) - tail :]


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: ``1 file``, ``12,000 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(number: int | None) -> str:
    """A size in bytes as a person reads it, in decimal units: ``1.3 MB``."""
    if number is None:
        return say("unknown")
    if number < 1000:
        return say_count("{count:,} byte", "{count:,} bytes", number)
    value, unit = float(number) / 1000, "kB"
    for larger in ("MB", "GB"):
        if value >= 1000:
            value, unit = value / 1000, larger
    return Message("{value:,.1f} {unit}", {"value": value, "unit": unit})


def duration(seconds: float) -> str:
    """Seconds as a person reads them: ``0.4 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 60:
        return say("{seconds:.1f} s", seconds=seconds)
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return say("{hours} h {minutes} min", hours=hours, minutes=minutes)
    return say("{minutes} min {seconds} s", minutes=minutes, seconds=rest)

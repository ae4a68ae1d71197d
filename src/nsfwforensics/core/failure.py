"""What went wrong, said safely: whatever an error or a stranger's code makes of itself, this does not fail in turn."""

from __future__ import annotations

from nsfwforensics.core.messages import say
from nsfwforensics.errors import ForensicsError

LONGEST_REASON = 1000
"""Most characters of an error's own words: some quote the data that they stumbled over."""


def reason_of(error: BaseException) -> str:
    """Why something failed, in one line.

    Args:
        error: Anything that was raised. One of ours keeps its message; of any other the kind of error is named too.
    """
    if isinstance(error, MemoryError):
        return say("ran out of memory")
    try:
        if isinstance(error, ForensicsError):
            return error.message
        words = " ".join(str(error).split())
    except BaseException:  # noqa: BLE001 - an error may be made so that asking it raises anything
        words = ""
    name = type(error).__name__
    if len(words) > LONGEST_REASON:
        words = words[: LONGEST_REASON - 1] + "…"
    return f"{name}: {words}" if words else name

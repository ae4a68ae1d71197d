"""The last handler: whatever ends a command becomes one line on standard error and a documented exit code."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Sequence

from nsfwforensics.cli.streams import silence
from nsfwforensics.core.failure import reason_of
from nsfwforensics.errors import ExitCode, ForensicsError
from nsfwforensics.report.words.text import shorten, visible

LONGEST_LINE = 1000
"""Most characters of one line: a path may be longer than any console is wide."""

_OUTPUT = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EBADF") if hasattr(errno, name)}
"""What writing fails with where the disk is full or a stream was closed."""

_log = logging.getLogger(__name__)


def complain(message: str) -> None:
    """Prints an error on stderr, free of control characters."""
    _say("error:", message)


def note(message: str, lines: Sequence[str] = ()) -> None:
    """Prints a remark on stderr, and further lines under it, free of control characters."""
    _say("note:", message, lines)


def ended(error: BaseException) -> ExitCode:
    """Says in one line what ended a command; what it raises here is dropped.

    Args:
        error: What the command raised.

    Returns:
        The exit code that it leads to.
    """
    _log.debug("the command ended", exc_info=error)
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(error, OSError):
        silence(sys.stdout)
    if not isinstance(error, BrokenPipeError):
        complain(_line(error))
    return error.exit_code if isinstance(error, ForensicsError) else ExitCode.ERROR


def _line(error: BaseException) -> str:
    if isinstance(error, ForensicsError):
        return reason_of(error)
    if isinstance(error, OSError) and error.strerror:
        if error.errno in _OUTPUT:
            return f"the output cannot be written: {error.strerror}"
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"not foreseen, a fault of this program (--debug shows where): {reason_of(error)}"


def _say(head: str, message: str, lines: Sequence[str] = ()) -> None:
    # A line break inside a message is the evidence's own, in a name: it is shown, not followed.
    text = "\n".join(shorten(visible(line), LONGEST_LINE) for line in (message, *lines))
    try:
        print(head, text, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # nobody reads it
        silence(sys.stderr)

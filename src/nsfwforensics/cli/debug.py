"""``--debug``: tracebacks and a log on standard error; without it libraries have nothing to say there.

What is logged may hold text out of evidence, so every line is made harmless first.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Sequence

from nsfwforensics.report.words.text import visible

FLAG = "--debug"
HELP = "Show tracebacks and a log on standard error; they may quote what files say."
VARIABLE = "NSFWFORENSICS_DEBUG"
PACKAGE = __name__.partition(".")[0]
_OFF = ("", "0", "false", "no", "off")

_log = logging.getLogger(__name__)


def wanted(arguments: Sequence[str]) -> bool:
    """Whether the command line or the environment asks for it.

    Args:
        arguments: The command line without the program's name.
    """
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return FLAG in options or os.environ.get(VARIABLE, "").lower() not in _OFF


def set_up(on: bool) -> None:
    """Decides for this process what is logged and where, and that no library prints an error of its own.

    Args:
        on: Whether this package's log is shown, and warnings of libraries; otherwise nothing is.
    """
    handler: logging.Handler = logging.NullHandler()
    if on:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Harmless("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.getLogger(PACKAGE).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)
    logging.raiseExceptions = on
    sys.unraisablehook = lambda found: _log.debug("not raised: %r", found.object, exc_info=found.exc_value)
    threading.excepthook = lambda found: _log.debug("a thread ended", exc_info=found.exc_value)


class _Harmless(logging.Formatter):
    """Shows what would act on a terminal as an escape, line by line."""

    def format(self, record: logging.LogRecord) -> str:
        """Formats a record."""
        return "\n".join(map(visible, super().format(record).split("\n")))

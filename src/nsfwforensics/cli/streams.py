"""The three standard streams, whatever they are given as: closed, full, or unable to hold every character."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TextIO

_MISSING = {0: os.O_RDONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}
"""How a stream that was closed is opened on nothing. Writing to standard output then fails, as it should; what goes to
standard error is dropped."""


def ready() -> None:
    """Sees to it that all three are open, and that a character that one cannot hold is written as an escape.

    Without this the next file to be opened would become standard output, and what is printed would go into it.
    """
    for number, flags in _MISSING.items():
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest number that is free, which is this one
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8")
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Has what is held back for a stream go nowhere; it would fail again at the end.

    Args:
        stream: Standard output or standard error.
    """
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

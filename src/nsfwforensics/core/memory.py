"""Memory that is freed and not yet given back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import sys


def give_back() -> None:
    """Gives the system what this process has freed: the GNU C library keeps what lies below anything still in use.

    A worker was measured to grow by a tenth over 300 small files, and to shrink to where it began. Elsewhere nothing is
    done.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


__all__ = ["give_back"]

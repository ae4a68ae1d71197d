"""The copy of the custody log beside a case: JSON Lines that only grow, one writer at a time."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nsfwforensics.errors import CaseError
from nsfwforensics.store.connection import LOG_COPY

MOST_BYTES = 256 * 1024 * 1024
"""Longer is no log of this tool."""

BUSY_SECONDS = 600.0
"""How long to wait for another process, which may be taking the digest of a large case."""

_POLL_SECONDS = 0.02


class LogCopy:
    """The copy, locked. Use :meth:`locked`.

    Attributes:
        path: Where it is.
        missing: Whether there is none.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self.missing = descriptor is None
        self._descriptor = descriptor
        self._data = b"" if descriptor is None else _read(descriptor, path)

    @staticmethod
    def place(case: Path) -> Path:
        """Where the copy of a case's log stands."""
        return case.with_name(case.name + LOG_COPY)

    @classmethod
    @contextmanager
    def locked(cls, case: Path, *, make: bool = True) -> Iterator[LogCopy]:
        """Opens the copy and keeps other processes from it.

        Args:
            case: Path of the case.
            make: Whether to make it where there is none, and open it for writing.

        Raises:
            CaseError: It cannot be opened or is no regular file, or another process holds it too long.
        """
        path = cls.place(case)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND if make else os.O_RDONLY
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            if make:
                raise CaseError(f"the custody log {path} cannot be made: its folder is missing") from None
            yield cls(path, None)
            return
        except OSError as error:
            why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
            raise CaseError(f"the custody log {path} cannot be used: {why}") from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise CaseError(f"the custody log {path} is not a regular file")
            _lock(descriptor, path)
            yield cls(path, descriptor)
        finally:
            os.close(descriptor)  # gives the lock up too

    @property
    def last(self) -> str | None:
        """The last line, whole or not; None where there is none."""
        found = self.lines()
        return found[-1] if found else None

    def lines(self) -> list[str]:
        """All lines, undecodable bytes escaped."""
        found = self._data.decode("utf-8", "backslashreplace").split("\n")
        return found if found[-1] else found[:-1]

    def extend(self, known: list[str]) -> None:
        """Adds what the database holds and this copy lacks at its end; where they differ before that, the last only.

        Raises:
            CaseError: It cannot be written.
        """
        if self._descriptor is None:
            raise CaseError(f"the custody log {self.path} is missing")
        there = self.lines()
        new = known[len(there) :] if known[: len(there)] == there else known[-1:]
        torn = b"\n" if self._data and not self._data.endswith(b"\n") else b""
        try:
            view = memoryview(torn + "".join(f"{line}\n" for line in new).encode())
            while view:
                view = view[os.write(self._descriptor, view) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise CaseError(
                f"the custody log {self.path} cannot be written ({error.strerror}); the case holds the entry"
            ) from error


def _read(descriptor: int, path: Path) -> bytes:
    if os.fstat(descriptor).st_size > MOST_BYTES:
        raise CaseError(f"the custody log {path} is longer than {MOST_BYTES:,} bytes: that is no log of this tool")
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        stream.seek(0)
        return stream.read(MOST_BYTES)


def _lock(descriptor: int, path: Path) -> None:
    until = time.monotonic() + BUSY_SECONDS
    while not _taken(descriptor):
        if time.monotonic() > until:
            raise CaseError(f"the custody log {path} is in use by another process. Try again when it is done")
        time.sleep(_POLL_SECONDS)


if sys.platform == "win32":
    import msvcrt

    def _taken(descriptor: int) -> bool:
        try:
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _taken(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Other errors mean a file system without locks: there the database alone orders the entries.
            return error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
        return True

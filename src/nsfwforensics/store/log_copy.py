"""The copy of the custody log beside a case: JSON Lines that only grow, one writer at a time."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nsfwforensics.errors import CaseError
from nsfwforensics.store.connection import LOG_COPY

MOST_BYTES = 256 * 1024 * 1024
"""Longer is no log of this tool."""

BUSY_SECONDS = 600.0
"""How long to wait for another process, which may be taking the digest of a large case."""

_POLL_SECONDS = 0.02

_STEP = 4096
"""So many bytes are read at first for the last line."""


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
        self._end = b"" if descriptor is None else _end(descriptor, path)

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
        if not self._end:
            return None
        return _text(self._end.removesuffix(b"\n").rpartition(b"\n")[2])

    def lines(self) -> list[str]:
        """All lines, undecodable bytes escaped."""
        if self._descriptor is None:
            return []
        found = _text(_read(self._descriptor, self.path)).split("\n")
        return found if found[-1] else found[:-1]

    def extend(self, line: str, before: str | None, known: Callable[[], list[str]]) -> None:
        """Adds a line, and before it what the database holds and this copy lacks at its end.

        Where this copy ends as the log did, nothing else of either is read, however long they are. Where they differ
        before the end of this copy, the line alone is added.

        Args:
            line: The newest entry.
            before: The entry before it in the database; None where there is none.
            known: Reads all entries of the database, the newest one too.

        Raises:
            CaseError: It cannot be written.
        """
        if self._descriptor is None:
            raise CaseError(f"the custody log {self.path} is missing")
        new = [line]
        if self.last != before:
            there, entries = self.lines(), known()
            new = entries[len(there) :] if entries[: len(there)] == there else new
        torn = b"\n" if self._end and not self._end.endswith(b"\n") else b""
        try:
            view = memoryview(torn + "".join(f"{line}\n" for line in new).encode())
            while view:
                view = view[os.write(self._descriptor, view) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise CaseError(
                f"the custody log {self.path} cannot be written ({error.strerror}); the case holds the entry"
            ) from error


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _end(descriptor: int, path: Path) -> bytes:
    """The last line with its line break, where it has one, and what stands before it; empty for an empty file."""
    size, step = _size(descriptor, path), _STEP
    while True:
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            stream.seek(max(0, size - step))
            found = stream.read(step)
        if step >= size or b"\n" in found[:-1]:
            return found
        step *= 4


def _size(descriptor: int, path: Path) -> int:
    size = os.fstat(descriptor).st_size
    if size > MOST_BYTES:
        raise CaseError(f"the custody log {path} is longer than {MOST_BYTES:,} bytes: that is no log of this tool")
    return size


def _read(descriptor: int, path: Path) -> bytes:
    _size(descriptor, path)
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

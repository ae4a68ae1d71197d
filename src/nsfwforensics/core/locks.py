"""Locks of the operating system: it drops them when their process ends, however it ends, so none is ever stale."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

from nsfwforensics.errors import BusyError

TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
"""Errors which say that another process holds a lock; others mean a file system without locks."""

LOCK_NAME = ".nsfwforensics-lock"
"""An empty file in a folder that is written to, for as long as it is."""

_ATTEMPTS = 20

if sys.platform == "win32":
    import msvcrt

    def lock(descriptor: int, offset: int = 0) -> None:
        """Locks one byte of an open file for this process, which must not open the file a second time.

        Raises:
            OSError: Another process has it (see :data:`TAKEN`), or the file system has no locks.
        """
        os.lseek(descriptor, offset, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def unlock(descriptor: int, offset: int = 0) -> None:
        """Unlocks the byte."""
        os.lseek(descriptor, offset, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def lock(descriptor: int, offset: int = 0) -> None:
        """Locks one byte of an open file for this process, which must not open the file a second time.

        Raises:
            OSError: Another process has it (see :data:`TAKEN`), or the file system has no locks.
        """
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)

    def unlock(descriptor: int, offset: int = 0) -> None:
        """Unlocks the byte."""
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, offset)


class FolderLock:
    """Keeps every other run, and every other part of this one, from writing to a folder. A context manager.

    Worker processes do not inherit it. On a file system without locks it keeps nobody out.

    Args:
        folder: It is there.

    Raises:
        BusyError: Somebody writes to it.
        OSError: The folder cannot be written.
    """

    _held: set[tuple[int, int]] = set()  # noqa: RUF012 - all of this process, which no lock keeps from itself

    def __init__(self, folder: Path) -> None:
        info = folder.stat()
        self._folder = (info.st_dev, info.st_ino)
        if self._folder in self._held:
            raise BusyError(_busy(folder))
        self._held.add(self._folder)
        self._path = folder / LOCK_NAME
        try:
            self._descriptor = self._locked(folder)
        except BaseException:
            self._held.discard(self._folder)
            raise

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Gives the folder up and removes the file. May be called again."""
        if self._folder not in self._held or self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(OSError):  # Windows removes no open file; an empty one may stay
            if self._is_there(descriptor):  # and not another one's, in a folder that was made again meanwhile
                self._path.unlink()
        os.close(descriptor)
        self._held.discard(self._folder)

    def _locked(self, folder: Path) -> int | None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        for _ in range(_ATTEMPTS):
            descriptor = os.open(self._path, flags, 0o600)
            try:
                lock(descriptor)
            except OSError as error:
                if error.errno in TAKEN:
                    os.close(descriptor)
                    raise BusyError(_busy(folder)) from error
                return descriptor
            with contextlib.suppress(OSError):
                if self._is_there(descriptor):
                    return descriptor
            os.close(descriptor)  # who had it before has just removed it
        raise BusyError(_busy(folder))

    def _is_there(self, descriptor: int) -> bool:
        return os.path.samestat(os.fstat(descriptor), self._path.lstat())


def _busy(folder: Path) -> str:
    return f"another run is writing to {folder}; wait until it is done, or choose another folder"

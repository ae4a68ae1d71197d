"""Who is examining which file just now, so that several processes can share one case.

A claim is a lock on one byte of a file beside the case, at an offset that the path's digest gives. The operating system
drops it when its process ends, however it ends, so a killed scan leaves nothing to clear up.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from nsfwforensics.core.locks import TAKEN, lock, unlock
from nsfwforensics.errors import CaseError


def claim_key(path: bytes) -> int:
    """A number for a path, 0 to 2**62 - 1. Two paths that share one merely wait for each other."""
    return int.from_bytes(hashlib.blake2b(path, digest_size=8).digest(), "big") >> 2


class Claims:
    """The claims of this process on one case. Closing it gives all of them up.

    POSIX drops the locks of a process on a file as soon as it closes any descriptor of that file: one process must
    have one of these for a case at a time.

    Args:
        case: Path of the case.

    Raises:
        CaseError: The file beside the case cannot be made.
    """

    def __init__(self, case: Path) -> None:
        self.path = case.with_name(case.name + "-lock")
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            self._descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise CaseError(f"cannot use {self.path} beside the case: {error.strerror}") from error

    def close(self) -> None:
        """Gives up every claim."""
        os.close(self._descriptor)

    def take(self, key: int) -> bool:
        """Claims a file unless another process has it.

        Returns:
            Whether it is now, or was already, this process's.

        Raises:
            CaseError: The file system has no locks.
        """
        try:
            lock(self._descriptor, key)
        except OSError as error:
            if error.errno in TAKEN:
                return False
            raise CaseError(
                f"files cannot be locked beside {self.path} ({error.strerror}); keep the case on a local disk"
            ) from error
        return True

    def release(self, key: int) -> None:
        """Gives a claim up."""
        unlock(self._descriptor, key)

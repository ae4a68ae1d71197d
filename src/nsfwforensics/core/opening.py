"""The one way in which files of evidence are opened: read-only, regular files, their time of last access kept.

The system writes the time of last access when a file is read or a folder is listed. On Linux a file's owner, or who may
act as one, can have it left as it is; elsewhere, and for files of somebody else, it moves. It is never set back: that
would be writing to evidence, and would change the time of the last change of its properties.
"""

from __future__ import annotations

import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path

from nsfwforensics.core.messages import say

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_KEEP_ACCESS_TIME = getattr(os, "O_NOATIME", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def open_evidence(path: Path, *, follow: bool = False) -> BufferedReader:
    """Opens a regular file to read it.

    A pipe or a device is not opened; one that takes the file's place at that very moment is not waited for.

    Args:
        path: The file.
        follow: Whether it may be a symbolic link.

    Raises:
        OSError: It cannot be opened, is a link that is not to be followed, or is no regular file.
    """
    try:
        mode = path.stat(follow_symlinks=follow).st_mode
    except ValueError as error:  # no file system has such a name
        raise OSError(0, str(error)) from error
    _refuse_irregular(mode)
    descriptor = _open(path, _READ if follow else _READ | _NO_LINK)
    try:
        _refuse_irregular(os.stat(descriptor).st_mode)  # noqa: PTH116 - a descriptor has no path
        return open(descriptor, "rb")  # noqa: PTH123 - whoever asked closes it
    except BaseException:
        os.close(descriptor)
        raise


def file_sha256(path: Path, *, follow: bool = True) -> str:
    """SHA-256 of a regular file, lowercase hexadecimal, read in pieces.

    Args:
        path: The file.
        follow: Whether it may be a symbolic link.

    Raises:
        OSError: It is missing, cannot be read or is no regular file.
    """
    with open_evidence(path, follow=follow) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def list_folder(folder: Path, *, follow: bool = False) -> list[Path]:
    """What lies in a folder, by name.

    Args:
        folder: The folder.
        follow: Whether it may be a symbolic link.

    Raises:
        OSError: It cannot be read.
    """
    if os.listdir not in os.supports_fd:
        return sorted(folder.iterdir())
    descriptor = _open(folder, _READ | os.O_DIRECTORY | (0 if follow else _NO_LINK))
    try:
        names = os.listdir(descriptor)  # noqa: PTH208 - a descriptor has no path
    finally:
        os.close(descriptor)
    return [folder / name for name in sorted(names)]


def _refuse_irregular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(0, say("a symbolic link") if stat.S_ISLNK(mode) else say("not a regular file"))


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | _KEEP_ACCESS_TIME)
    except PermissionError:
        if not _KEEP_ACCESS_TIME:
            raise
        return os.open(path, flags)

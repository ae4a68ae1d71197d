"""Finding the files to examine: a streaming walk that never follows a link unasked.

Nothing is opened here. What is not a regular file is still reported, with the reason, so that the
report accounts for everything that was pointed at.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nsfwforensics.core.messages import say
from nsfwforensics.core.opening import list_folder
from nsfwforensics.errors import UsageError


@dataclass(frozen=True, slots=True)
class Target:
    """One file to examine, or to account for.

    Attributes:
        path: The file.
        named: True where the user named this very file, False where a folder was walked.
        skip: Why the file must not be opened (a special file, a link), or None.
        follow: Whether it may be a symbolic link.
    """

    path: Path
    named: bool
    skip: str | None = None
    follow: bool = False


def discover(paths: Iterable[Path], *, follow_symlinks: bool = False) -> Iterator[Target]:
    """Streams the files under the given paths, each once, folders in name order.

    Args:
        paths: Files and folders. Each must exist.
        follow_symlinks: Whether symbolic links are followed; loops are cut.

    Yields:
        A :class:`Target` for every file, special files, links and unreadable folders included (with ``skip`` set).

    Raises:
        UsageError: A path does not exist.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        try:
            info = path.lstat()
        except FileNotFoundError:
            raise UsageError(f"no such file or folder: {path}") from None
        except OSError as error:
            yield Target(path, named=True, skip=say("cannot be reached: {error}", error=error.strerror))
            continue
        if stat.S_ISLNK(info.st_mode) and not follow_symlinks:
            yield Target(path, named=True, skip=_LINK)
            continue
        yield from _visit(path, named=True, follow=follow_symlinks, seen=seen)


_LINK = say("a symbolic link; links are followed only with --follow-symlinks")


IN_OUTPUT = say("in the folder that is being written to, where a link leads")


def outside(targets: Iterable[Target], folder: Path | None) -> Iterator[Target]:
    """The same targets, where those that a link leads to in a folder that is written to are not to be opened."""
    for target in targets:
        into = folder is not None and target.follow and _lies_in(target.path, folder)
        yield replace(target, skip=IN_OUTPUT) if into else target


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a path leads into a folder, links followed; a loop of links leads nowhere."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _visit(path: Path, *, named: bool, follow: bool, seen: set[tuple[int, int]]) -> Iterator[Target]:
    try:
        info = path.stat() if follow else path.lstat()
    except OSError as error:
        yield Target(path, named, skip=say("cannot be reached: {error}", error=error.strerror))
        return
    mode = info.st_mode
    if stat.S_ISLNK(mode):
        yield Target(path, named, skip=_LINK)
    elif stat.S_ISDIR(mode):
        identity = (info.st_dev, info.st_ino)
        if identity in seen:
            return
        seen.add(identity)
        try:
            entries = list_folder(path, follow=follow)
        except OSError as error:
            yield Target(path, named, skip=say("folder cannot be read: {error}", error=error.strerror))
            return
        for entry in entries:
            yield from _visit(entry, named=False, follow=follow, seen=seen)
    elif stat.S_ISREG(mode):
        yield Target(path, named, follow=follow)
    else:
        yield Target(path, named, skip=say("{kind}; only regular files are opened", kind=_kind(mode)))


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISFIFO, say("a named pipe")),
        (stat.S_ISSOCK, say("a socket")),
        (stat.S_ISCHR, say("a character device")),
        (stat.S_ISBLK, say("a block device")),
    ):
        if test(mode):
            return name
    return say("a special file")

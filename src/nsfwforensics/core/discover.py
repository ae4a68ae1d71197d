"""Finding the files to examine: a streaming walk that never follows a link unasked.

Nothing is opened here. What is not a regular file is still reported, with the reason, so that the
report accounts for everything that was pointed at.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from nsfwforensics.core.messages import say
from nsfwforensics.core.opening import list_folder
from nsfwforensics.core.types import FileReport
from nsfwforensics.errors import UsageError


class Look(StrEnum):
    """Which analyzers look at a file."""

    WHOLE = "whole"
    FIRST = "first"
    """Those that are quick: what they find in every file is known before the others begin."""
    REST = "rest"
    """The others."""


@dataclass(frozen=True, slots=True)
class Target:
    """One file to examine, or to account for.

    Attributes:
        path: The file.
        named: True where the user named this very file, False where a folder was walked.
        skip: Why the file must not be opened (a special file, a link) or cannot be reached, or None.
        lost: True where something may be there that was to be examined, and cannot be reached.
        follow: Whether it may be a symbolic link.
        look: Which analyzers look at it.
        first: Gives the report of a first look at it, which this one is to complete; None where there was none.
    """

    path: Path
    named: bool
    skip: str | None = None
    lost: bool = False
    follow: bool = False
    look: Look = Look.WHOLE
    first: Callable[[], FileReport] | None = None

    def __reduce__(self) -> tuple[Callable[..., Target], tuple[object, ...]]:
        place = str(self.path)
        return _sent, (place, self.named, self.skip, self.lost, self.follow, self.look.value, self.first)

    def looked(self, look: Look, first: Callable[[], FileReport] | None = None) -> Target:
        """The same file, to be looked at otherwise.

        Args:
            look: By which analyzers.
            first: As the field.
        """
        return Target(self.path, self.named, self.skip, self.lost, self.follow, look, first)

    @property
    def failed(self) -> bool:
        """Whether not opening it leaves something out that was asked for."""
        return self.named or self.lost


def _sent(path: str, named: bool, skip: str | None, lost: bool, follow: bool, look: str, first: Any) -> Target:
    """A target on the other side of a pipe: as plain values they get there sooner."""
    return Target(Path(path), named, skip, lost, follow, Look(look), first)


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
        except (OSError, ValueError) as error:
            yield _unreachable(path, error, named=True)
            continue
        if stat.S_ISLNK(info.st_mode) and not follow_symlinks:
            yield Target(path, named=True, skip=_LINK)
            continue
        yield from _walk(path, follow=follow_symlinks, seen=seen)


_LINK = say("a symbolic link; links are followed only with --follow-symlinks")


IN_OUTPUT = say("in the folder that is being written to, where a link leads")


def outside(targets: Iterable[Target], folder: Path | None) -> Iterator[Target]:
    """The same targets, where those that a link leads to in a folder that is written to are not to be opened."""
    for target in targets:
        into = folder is not None and target.follow and _lies_in(target.path, folder)
        yield replace(target, skip=IN_OUTPUT) if into else target


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a path leads into a folder, links followed; a loop of links leads nowhere, and so do too many."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, RecursionError):  # before Python 3.13 it calls itself for every link of a chain
        return False


def _walk(start: Path, *, follow: bool, seen: set[tuple[int, int]]) -> Iterator[Target]:
    """Visits a path and all below it; folders wait on a list of their own, because anybody can nest them deeply."""
    folders: list[Iterator[Path]] = [iter([start])]
    while folders:
        path = next(folders[-1], None)
        if path is None:
            folders.pop()
            continue
        named = len(folders) == 1
        try:
            info = path.stat() if follow else path.lstat()
        except OSError as error:
            yield _unreachable(path, error, named=named)
            continue
        if not stat.S_ISDIR(info.st_mode):
            yield Target(path, named, skip=_refusal(info.st_mode), follow=follow)
            continue
        identity = (info.st_dev, info.st_ino)
        if identity in seen:
            continue
        seen.add(identity)
        try:
            folders.append(iter(list_folder(path, follow=follow)))
        except OSError as error:
            problem = say("folder cannot be read: {error}", error=error.strerror)
            yield Target(path, named, skip=problem, lost=True)


def _unreachable(path: Path, error: OSError | ValueError, *, named: bool) -> Target:
    if isinstance(error, ValueError):  # a name that no file can have
        return Target(path, named, skip=say("cannot be reached: {error}", error=str(error)))
    gone = error.errno in (errno.ENOENT, errno.ELOOP)  # removed meanwhile, or a link that leads nowhere
    return Target(path, named, skip=say("cannot be reached: {error}", error=error.strerror), lost=not gone)


def _refusal(mode: int) -> str | None:
    """Why a file of this kind must not be opened; None for a regular one."""
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISLNK(mode):
        return _LINK
    kind = next((name for test, name in _KINDS if test(mode)), say("a special file"))
    return say("{kind}; only regular files are opened", kind=kind)


_KINDS = (
    (stat.S_ISFIFO, say("a named pipe")),
    (stat.S_ISSOCK, say("a socket")),
    (stat.S_ISCHR, say("a character device")),
    (stat.S_ISBLK, say("a block device")),
)

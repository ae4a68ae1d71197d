"""Whether what is written and what is examined lie apart, whatever names lead to either.

Folders are compared by what the system knows them as, not by their names: links, ``..``, letters that a file system
does not tell apart, and on Linux a part of a folder that is mounted elsewhere, lead to the same place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from nsfwforensics.errors import UsageError

_MOUNTS = Path("/proc/self/mountinfo")

Identity = tuple[int, int]
Mount = tuple[Path, str, PurePosixPath]
"""Where it is mounted, the number of its device, and which folder of the file system it is."""


def keep_apart(outputs: Iterable[Path | None], evidence: Iterable[Path]) -> None:
    """Makes sure, before anything is opened, that nothing is written into evidence or around it.

    Args:
        outputs: What is to be written: files and folders, there already or not. None is passed over.
        evidence: Files and folders that are only to be read. What is not there is passed over.

    Raises:
        UsageError: An output lies in a folder of evidence or is one, or evidence lies in an output folder.
    """
    written = [path for path in outputs if path is not None]
    if not written:
        return
    places = _Places()
    read = list(evidence)
    folders = {path for path in read if os.path.isdir(path)}  # noqa: PTH112 - a name that cannot be is no folder
    for output in written:
        for folder in sorted(folders):
            if places.leads_into(output, folder):
                raise UsageError(f"{output} would lie inside {folder}, which is only to be read: choose another place")
    for output in filter(os.path.isdir, written):
        for path in read:
            if places.leads_into(path if path in folders else path.parent, output):
                raise UsageError(f"{path} lies inside {output}, which would be written to: choose another place")


class _Places:
    """Compares places, and remembers what was looked up: thousands of files lie in few folders."""

    def __init__(self) -> None:
        self._answers: dict[tuple[Path, Path], bool] = {}
        self._mounts = _mounts()

    def leads_into(self, path: Path, folder: Path) -> bool:
        """Whether a path is a folder or lies in it."""
        if (path, folder) not in self._answers:
            self._answers[path, folder] = self._leads_into(Path(os.path.realpath(path)), Path(os.path.realpath(folder)))
        return self._answers[path, folder]

    def _leads_into(self, path: Path, folder: Path) -> bool:
        wanted = _identity(folder)
        if wanted is not None and any(_identity(place) == wanted for place in (path, *path.parents)):
            return True
        inner, outer = self._on_device(path), self._on_device(folder)
        return inner is not None and outer is not None and inner[0] == outer[0] and inner[1].is_relative_to(outer[1])

    def _on_device(self, path: Path) -> tuple[str, PurePosixPath] | None:
        """The file system that a path is on, and its place in that; None where this cannot be told."""
        for point, device, root in self._mounts:
            if path.is_relative_to(point):
                return device, root / path.relative_to(point)
        return None


def _identity(path: Path) -> Identity | None:
    try:
        info = path.stat()
    except (OSError, ValueError):
        return None
    return info.st_dev, info.st_ino


def _mounts() -> list[Mount]:
    """Where file systems, or parts of them, are mounted: the innermost and latest first; nothing outside Linux."""
    try:
        lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    return sorted(_parsed(lines), key=lambda mount: len(mount[0].parts), reverse=True)


def _parsed(lines: Iterable[str]) -> Iterator[Mount]:
    for line in reversed(list(lines)):
        fields = line.split(" ")
        if len(fields) > 5:
            device, root, point = fields[2], _unescaped(fields[3]), _unescaped(fields[4])
            yield Path(point), device, PurePosixPath(root)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)

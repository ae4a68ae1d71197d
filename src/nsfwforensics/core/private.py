"""Files and folders for their owner alone, whatever the umask: all that is written here may hold personal data.

Every module that writes does it with these. A file system that knows no owners (FAT, some network shares) keeps nothing
from anybody; what is written there is as open as the medium.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

FILE = 0o600
FOLDER = 0o700

_PART = ".part"
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it that are missing; one that is there is left as it is.

    Raises:
        FileExistsError: Something else has its name.
        OSError: It cannot be made.
    """
    missing = list(takewhile(lambda place: not place.is_dir(), (folder, *folder.parents)))
    for place in reversed(missing):
        try:
            place.mkdir(FOLDER)
        except FileExistsError:  # another process was faster, or it is no folder
            if not place.is_dir():
                raise
        else:
            close_to_others(place)


def create(path: Path) -> int:
    """Makes a file that is not there yet and opens it for reading and writing.

    Returns:
        Its descriptor.

    Raises:
        FileExistsError: Something has its name, be it a link to nowhere.
        OSError: It cannot be made.
    """
    descriptor = os.open(path, _CREATE, FILE)
    _own(descriptor)
    return descriptor


def write_new(path: Path, data: bytes) -> None:
    """Writes a file that is not there yet, through to the disk; nothing of it stays where that breaks off.

    Raises:
        FileExistsError: Something has its name.
        OSError: It cannot be written.
    """
    descriptor = create(path)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def replacing(path: Path, *, over: bool = True) -> Iterator[int]:
    """Opens a temporary file in the same folder and renames it into place if all goes well.

    Args:
        path: Its name.
        over: Whether what has that name is replaced.

    Yields:
        Its descriptor, which the caller closes.

    Raises:
        FileExistsError: Something has that name and is to stay.
        OSError: It cannot be written.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=_PART)
    made = Path(name)
    try:
        _own(descriptor)
        yield descriptor
        made.replace(path) if over else put_in_place(made, path)
    finally:
        made.unlink(missing_ok=True)


def clear_parts(folder: Path) -> None:
    """Removes temporary files that :func:`replacing` left where its process was killed; for who alone writes there."""
    for path in folder.glob(f".????????{_PART}"):
        with contextlib.suppress(OSError):
            path.unlink()


def put_in_place(made: Path, path: Path) -> None:
    """Gives a finished file its name, unless that is taken; the name it had may stay as a second one.

    Raises:
        FileExistsError: Something has that name.
        OSError: It cannot be given that name.
    """
    try:
        os.link(made, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: reserve the name, then replace what was reserved
        os.close(create(path))
        made.replace(path)


def _own(descriptor: int) -> None:
    if hasattr(os, "fchmod"):  # the umask may have taken something from the owner too
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, FILE)


def close_to_others(path: Path) -> None:
    """Takes from everybody but its owner what they may do with a file or a folder."""
    with contextlib.suppress(OSError):  # it belongs to somebody else, or the file system knows no owners
        path.chmod(FOLDER if path.is_dir() else FILE)


def close_all_to_others(folder: Path) -> None:
    """The same for a folder and everything in it; links are not followed."""
    close_to_others(folder)
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if not (found := Path(place, name)).is_symlink():
                close_to_others(found)

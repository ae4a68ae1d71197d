"""Keeping libraries to themselves: what they store of their own accord lies in a private folder that goes.

Some libraries have a life of their own: a cache in the home folder, an identifier of the machine, a report of how they
are used, threads that call their maker. Our own processes therefore get a home of their own before any of them is
loaded, and what can be switched off is switched off. A program that uses this package keeps its home: there only the
switches are set, and the processes that are started for it live elsewhere.
"""

from __future__ import annotations

import atexit
import os
import shutil
import site
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

if sys.platform != "win32":
    import fcntl

SWITCHES = {"ORT_DISABLE_TELEMETRY": "1", "RAY_USAGE_STATS_ENABLED": "0"}
"""What turns reports of usage off; read when a library is loaded, and of no consequence to anybody else."""

_OWN_SWITCHES = {"PYDANTIC_DISABLE_PLUGINS": "__all__", "PYTHONDONTWRITEBYTECODE": "1"}
"""What a program of somebody else's may want otherwise."""

_HOMES = (
    "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
    "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
    "CUDA_CACHE_PATH", "HF_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "PYTORCH_KERNEL_CACHE_PATH", "TORCH_HOME",
    "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "TRITON_HOME",
)  # fmt: skip
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")

_NAMES = ("nsfwforensics-work-", "nsf-")
"""How the names of private folders begin: the usual one, and one for where names have to be short."""

_HOME = "home"
"""In each of them; what has none was made by somebody else."""

USERS_HOME = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
"""The home of the person who runs this, whatever is told to libraries later."""


_before: dict[str, str] = {}


def silence() -> None:
    """Sets the switches, to be called before a library that has one is loaded."""
    os.environ.update(SWITCHES)


def seclude() -> None:
    """Gives this process, and those that it starts, a home and a place for temporary files that go when it ends.

    For processes that are ours alone, before anything but the standard library is loaded.

    Raises:
        OSError: No such folder can be made.
    """
    _before.update(os.environ)
    os.environ.update(environment(scratch()))
    tempfile.tempdir = str(scratch())
    sys.dont_write_bytecode = True


def users_environment() -> dict[str, str]:
    """The variables as they were before :func:`seclude`, for a program that the user is to work with: a browser."""
    return dict(_before or os.environ)


@contextmanager
def elsewhere() -> Iterator[Path]:
    """Has processes that are started meanwhile live as :func:`seclude` says, while this one stays as it was.

    Yields:
        Their home.
    """
    before = dict(os.environ)
    os.environ.update(environment(scratch()))
    try:
        yield scratch() / _HOME
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def environment(folder: Path) -> dict[str, str]:
    """The variables that make a folder the home and the place for temporary files of whoever starts with them.

    Args:
        folder: A private folder.
    """
    found = dict.fromkeys(_HOMES, str(folder / _HOME)) | dict.fromkeys(_TEMPORARY, str(folder))
    if site.ENABLE_USER_SITE:  # packages below the home folder shall still be found
        found["PYTHONUSERBASE"] = os.environ.get("PYTHONUSERBASE") or site.getuserbase()
    token = USERS_HOME / ".ray" / "auth_token"  # a cluster of the user's asks for it
    if not {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys() and token.is_file():
        found["RAY_AUTH_TOKEN_PATH"] = str(token)
    return found | SWITCHES | _OWN_SWITCHES


@cache
def scratch() -> Path:
    """The private folder of this process; what is in it goes when the process ends.

    A worker that is stopped cannot clean up behind itself, and what it leaves may be part of a picture. Of a process
    that was killed the next one clears the folder away.
    """
    return private_folder(Path(tempfile.gettempdir()))


def private_folder(place: Path, *, short: bool = False) -> Path:
    """Makes a folder for the owner only that goes when this process ends, or a later one finds it left behind.

    Args:
        place: Where. Such folders in it that no living process holds are removed.
        short: Whether its name is to be short.
    """
    _clear_away(place)
    folder = Path(tempfile.mkdtemp(prefix=_NAMES[short], dir=place))
    _hold(folder)
    (folder / _HOME).mkdir(0o700)
    atexit.register(_remove, folder)
    return folder


def _hold(folder: Path) -> None:
    """Marks a folder as in use until this process ends."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # stays open, and with it the lock
        with suppress(OSError):  # a file system without locks: nobody will think it deserted
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _clear_away(place: Path) -> None:
    """Removes what processes left that were killed, told by nobody's holding it. Not on Windows."""
    if sys.platform == "win32":
        return
    for folder in (found for name in _NAMES for found in place.glob(f"{name}*")):
        with suppress(OSError):
            if folder.lstat().st_uid != os.getuid() or not (folder / _HOME).is_dir():
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder)
            finally:
                os.close(descriptor)


def _remove(folder: Path) -> None:
    with suppress(RecursionError):  # somebody nested more folders in it than can be walked through
        shutil.rmtree(folder, ignore_errors=True)

"""Evidence is opened read-only, as a regular file and nothing else, and its time of last access stays."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from nsfwforensics.core import opening
from nsfwforensics.core.opening import list_folder, open_evidence

LONG_AGO = 1_500_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file whose time of last access moves when it is read in any other way."""
    path = tmp_path / "folder" / "a.jpg"
    path.parent.mkdir()
    path.write_bytes(b"bytes")
    age(path)
    path.read_bytes()
    if path.stat().st_atime == LONG_AGO or not hasattr(os, "O_NOATIME"):
        pytest.skip("no time of last access moves here, or none can be kept")
    age(path)
    return path


def age(path: Path) -> None:
    os.utime(path, (LONG_AGO, path.stat().st_mtime), follow_symlinks=False)


def test_reading_a_file_moves_no_time(file: Path) -> None:
    before = file.stat()
    with open_evidence(file) as stream:
        assert stream.read() == b"bytes"
    assert file.stat() == before


def test_listing_a_folder_moves_no_time(file: Path) -> None:
    age(file.parent)
    list(file.parent.iterdir())
    assert file.parent.stat().st_atime != LONG_AGO
    age(file.parent)
    before = file.parent.stat()
    assert list_folder(file.parent) == [file]
    assert file.parent.stat() == before


def test_a_file_of_somebody_else_is_read_all_the_same(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system refuses to keep the time of last access for any but the owner; it is never set back afterwards."""
    real, asked = os.open, []

    def refuse(path: object, flags: int, *more: object, **named: object) -> int:
        asked.append(flags)
        if flags & os.O_NOATIME:
            raise PermissionError(1, "Operation not permitted")
        return real(path, flags, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "utime", lambda *_, **__: pytest.fail("evidence was written to"))
    with open_evidence(file) as stream:
        assert stream.read() == b"bytes"
    assert list_folder(file.parent) == [file]
    assert all(flags & os.O_ACCMODE == os.O_RDONLY for flags in asked)


def test_an_unreadable_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a").write_bytes(b"")
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError):
        open_evidence(tmp_path / "a")


IRREGULAR: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a socket": lambda path: socket.socket(socket.AF_UNIX).bind(str(path)),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", IRREGULAR)
@pytest.mark.parametrize("follow", [False, True])
def test_what_is_no_regular_file_is_not_even_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, follow: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    path = Path("x")
    IRREGULAR[kind](path)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(OSError, match=r"not a regular file|a symbolic link"):
        open_evidence(path, follow=follow)


def test_a_link_is_followed_only_when_that_is_asked_for(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file.name)
    with open_evidence(link, follow=True) as stream:
        assert stream.read() == b"bytes"
    with pytest.raises(OSError, match="a symbolic link"):
        open_evidence(link)
    (file.parent.parent / "way").symlink_to(file.parent)
    assert list_folder(file.parent.parent / "way", follow=True)
    with pytest.raises(OSError):
        list_folder(file.parent.parent / "way")


@pytest.mark.parametrize("kind", ["a link", "a pipe"])
def test_what_takes_its_place_at_that_moment_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    real = os.open

    def swapped(path: Path, flags: int) -> int:
        path.unlink()
        if kind == "a link":
            path.symlink_to("/etc/passwd")
        else:
            os.mkfifo(path)
        return real(path, flags)

    monkeypatch.setattr(opening.os, "open", swapped)
    with pytest.raises(OSError):
        open_evidence(file)


def test_a_name_that_cannot_be_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="null"):
        open_evidence(tmp_path / "a\0b")

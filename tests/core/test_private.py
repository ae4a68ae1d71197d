"""What is written is for its owner alone, whatever the umask, and nothing is written over that is to stay."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from nsfwforensics.core.private import (
    clear_parts,
    close_all_to_others,
    create,
    make_folder,
    put_in_place,
    replacing,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_folders_are_closed_with_all_that_were_missing_above_them(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b" / "c")
    assert [mode(tmp_path / name) for name in ("a", "a/b", "a/b/c")] == [0o700] * 3
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(0o755)
    make_folder(tmp_path / "theirs")
    assert mode(tmp_path / "theirs") == 0o755


@pytest.mark.usefixtures("umask")
def test_files_are_closed(tmp_path: Path) -> None:
    with os.fdopen(create(tmp_path / "new"), "wb") as stream:
        stream.write(b"x")
    with replacing(tmp_path / "replaced") as descriptor, os.fdopen(descriptor, "wb") as stream:
        stream.write(b"x")
    assert [mode(tmp_path / name) for name in ("new", "replaced")] == [0o600] * 2


def test_a_folder_cannot_take_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    for place in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(OSError):
            make_folder(place)


def test_nothing_is_made_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(FileExistsError):
        create(tmp_path / "link")
    with replacing(tmp_path / "link") as descriptor:
        os.close(descriptor)
    assert not (tmp_path / "link").is_symlink()
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_what_is_there_stays_where_it_is_to_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no hard links here")))
    with replacing(tmp_path / "a", over=False) as descriptor:
        os.write(descriptor, b"first")
        os.close(descriptor)
    with pytest.raises(FileExistsError), replacing(tmp_path / "a", over=False) as descriptor:
        os.write(descriptor, b"second")
        os.close(descriptor)
    (tmp_path / "made").write_bytes(b"third")
    with pytest.raises(FileExistsError):
        put_in_place(tmp_path / "made", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "made"]


def test_what_a_killed_process_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as descriptor:
        os.close(descriptor)
        (left,) = tmp_path.iterdir()
        left.with_name("film.part").write_text("somebody's")
        left.with_name("." + "x" * 9 + ".part").write_text("somebody's")
        clear_parts(tmp_path)
        assert not left.exists()
        left.write_text("")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".xxxxxxxxx.part", "a", "film.part"]


def test_what_a_library_wrote_is_closed_without_following_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("")
    outside.chmod(0o644)
    inside = tmp_path / "bag" / "data"
    inside.mkdir(parents=True)
    (inside / "a").write_text("")
    (inside / "a").chmod(0o666)
    (inside / "link").symlink_to(outside)
    close_all_to_others(tmp_path / "bag")
    assert [mode(path) for path in (tmp_path / "bag", inside, inside / "a", outside)] == [0o700, 0o700, 0o600, 0o644]

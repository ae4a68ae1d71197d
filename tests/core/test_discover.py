"""The walk accounts for everything and opens nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nsfwforensics.core.discover import discover
from nsfwforensics.core.media import sniff
from nsfwforensics.errors import UsageError
from nsfwforensics.testing import PICTURES, contract_file

EXPECTED = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
    ".gif": "image/gif",
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_bytes_tell_the_format(name: str) -> None:
    assert sniff(contract_file(name)[:64]) == EXPECTED[Path(name).suffix]


@pytest.mark.parametrize(
    "head", [b"", b"\xff\xd8", b"BM", b"hello", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypM4A \0\0\0\0"]
)
def test_what_is_no_picture_has_no_type(head: bytes) -> None:
    assert sniff(head) is None


def test_the_walk_is_ordered_and_accounts_for_special_files(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.jpg").write_bytes(b"2")
    (tmp_path / "a.jpg").write_bytes(b"1")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    targets = list(discover([tmp_path]))
    assert [target.path.name for target in targets] == ["a.jpg", "two.jpg", "link.jpg", "pipe"]
    assert [bool(target.skip) for target in targets] == [False, False, True, True]
    assert "named pipe" in str(targets[3].skip)
    assert "--follow-symlinks" in str(targets[2].skip)


def test_links_are_followed_when_asked_and_loops_are_cut(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"1")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    followed = [target for target in discover([tmp_path], follow_symlinks=True) if not target.skip]
    assert [target.path.name for target in followed] == ["a.jpg", "link.jpg"]


def test_a_named_file_is_marked_and_a_missing_one_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"1")
    assert next(discover([tmp_path / "a.jpg"])).named
    assert not next(discover([tmp_path])).named
    with pytest.raises(UsageError, match=r"nowhere\.jpg"):
        list(discover([tmp_path / "nowhere.jpg"]))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_folder_is_reported(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0)
    (target,) = discover([tmp_path])
    assert "cannot be read" in str(target.skip)
    closed.chmod(0o700)

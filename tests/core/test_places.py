"""What is written lies neither in evidence nor around it, whichever way leads there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nsfwforensics.core.places import keep_apart
from nsfwforensics.errors import UsageError


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "Photos"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"x")
    (tmp_path / "way").symlink_to(folder)
    (tmp_path / "inner").symlink_to(folder / "deep")
    (tmp_path / "dangling").symlink_to(folder / "new")
    return folder


INSIDE = [
    "Photos", "Photos/", "Photos/new", "Photos/deep", "Photos/deep/er/new/and/more", "Photos/a.jpg", "Photos/../Photos",
    "elsewhere/../Photos/new", "Photos/deep/../new", "way", "way/new", "inner", "inner/er/new", "inner/..", "dangling",
    "dangling/more",
]  # fmt: skip


@pytest.mark.parametrize("place", INSIDE)
def test_output_inside_evidence_is_refused(evidence: Path, tmp_path: Path, place: str) -> None:
    for folder in (evidence, tmp_path / "way"):
        with pytest.raises(UsageError, match="would lie inside"):
            keep_apart([None, Path(f"{tmp_path}/{place}")], [folder])


@pytest.mark.parametrize("place", INSIDE)
def test_that_is_so_for_a_place_that_is_named_from_where_one_is(
    evidence: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(evidence.parent)
    with pytest.raises(UsageError):
        keep_apart([Path(place)], [Path("Photos")])
    monkeypatch.chdir(evidence)
    with pytest.raises(UsageError):
        keep_apart([Path("..", place)], [Path()])


@pytest.mark.parametrize("place", ["out", "Photos2", "Photo", "out/Photos", "Photos/../out", "way/../out", "new/out"])
def test_output_beside_evidence_is_not(evidence: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "out").mkdir()
    keep_apart([tmp_path / place], [evidence, evidence / "a.jpg", tmp_path / "nowhere"])


@pytest.mark.parametrize("inside", ["Photos", "Photos/a.jpg", "Photos/deep", "way/a.jpg", "way/deep"])
def test_evidence_inside_output_is_refused(evidence: Path, tmp_path: Path, inside: str) -> None:
    with pytest.raises(UsageError, match="which would be written to"):
        keep_apart([tmp_path], [tmp_path / inside])
    with pytest.raises(UsageError):
        keep_apart([evidence], [evidence / "a.jpg"])


def test_a_file_that_is_evidence_is_no_place_to_write_to_only_where_it_is_a_folder(evidence: Path) -> None:
    keep_apart([evidence / "new"], [evidence / "a.jpg"])  # beside a file that was named alone


def test_what_cannot_be_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    keep_apart([tmp_path / "out"], [tmp_path / "loop", Path("a\0b"), Path("x" * 5000), tmp_path / "nothing"])
    keep_apart([tmp_path / "loop" / "out"], [tmp_path / "nothing"])
    keep_apart([], [tmp_path])


MOUNTED = """
import subprocess, sys
from pathlib import Path
from nsfwforensics.core.places import keep_apart
from nsfwforensics.errors import UsageError
root, source, place = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
subprocess.run(["mount", "--bind", root / source, root / "mount"], check=True)
try:
    keep_apart([root / place], [root / sys.argv[4]])
except UsageError as error:
    print("refused")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mounts of parts of a file system")
@pytest.mark.parametrize(
    ("source", "place", "folder", "refused"),
    [
        ("Photos", "mount", "Photos", True),
        ("Photos", "mount/new", "Photos", True),
        ("Photos/deep", "mount", "Photos", True),
        ("Photos/deep", "mount/er/new", "Photos", True),
        ("Photos", "Photos/new", "mount", True),
        ("Photos", "Photos/deep/new", "mount", True),
        ("Photos/deep", "Photos/deep/new", "mount", True),
        ("Photos/deep", "Photos/new", "mount", False),
        ("other", "mount/new", "Photos", False),
        (".", "mount/Photos/deep/new", "Photos", True),
        (".", "mount/other/new", "Photos", False),
    ],
)
def test_a_part_of_it_that_is_mounted_elsewhere_is_the_same_place(
    evidence: Path, tmp_path: Path, source: str, place: str, folder: str, refused: bool
) -> None:
    for name in ("mount", "other"):
        (tmp_path / name).mkdir()
    ran = subprocess.run(
        ["unshare", "--mount", "--map-root-user", sys.executable, "-c", MOUNTED, tmp_path, source, place, folder],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": ":".join(sys.path)}, check=False,
    )  # fmt: skip
    if "unshare" in ran.stderr or "mount:" in ran.stderr:
        pytest.skip("nothing can be mounted here")
    assert ran.returncode == 0, ran.stderr
    assert (ran.stdout == "refused\n") is refused

"""Lists of known hashes from the command line: made, indexed, searched, exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import Runner


@pytest.fixture
def index(run: Runner, samples: Path, tmp_path: Path) -> Path:
    """An index of one sample's hashes, from two lists that the tool itself printed."""
    made = tmp_path / "made.csv", tmp_path / "made.hashdeep"
    for path, form in zip(made, ("csv", "hashdeep"), strict=True):
        path.write_text(run("hash", samples / "camera-original.jpg", "--format", form).out)
    done = run("hashlist", "import", *made, "-o", tmp_path / "index")
    assert done.code == 0, done.err
    assert "1 PDQ, 1 MD5, 1 SHA256" in " ".join(done.out.split())
    return tmp_path / "index"


@pytest.fixture
def mirrored(samples: Path, tmp_path: Path) -> Path:
    path = tmp_path / "mirrored.jpg"
    with Image.open(samples / "camera-original.jpg") as image:
        half = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((image.width // 2, image.height // 2))
        half.save(path, quality=50)
    return path


def test_search_finds_a_mirrored_copy_and_the_file_itself(
    run: Runner, samples: Path, index: Path, mirrored: Path
) -> None:
    found = run(
        "search", mirrored, samples / "camera-original.jpg", samples / "other-person.jpg", "--known", index, "--json"
    )
    assert found.code == 0, found.err
    codes = {name: [f["code"] for f in found.file(name)["results"][0]["findings"]] for name in (
        "mirrored.jpg", "camera-original.jpg", "other-person.jpg"
    )}  # fmt: skip
    assert codes == {
        "mirrored.jpg": ["KNOWN-002"],
        "camera-original.jpg": ["KNOWN-001", "KNOWN-002"],
        "other-person.jpg": [],
    }
    (match,) = found.file("mirrored.jpg")["results"][0]["findings"][0]["data"]["matches"]
    assert (match["transform"], match["list"]) == ("mirror", "made.csv")
    (answer,) = [a for a in found.file("other-person.jpg")["answers"] if a["question"] == "known"]
    assert answer["statement"].startswith("No known image matched. A crop")
    assert found.report["header"]["references"][0]["known"] == "index"
    shown = run("search", mirrored, "--known", index)
    assert "mirrored left to right" in " ".join(shown.out.split()) and "PDQ" in shown.out


def test_scan_with_known_images_in_two_processes(run: Runner, index: Path, mirrored: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    for number in range(4):
        (copies / f"{number}.jpg").write_bytes(mirrored.read_bytes())
    arguments = ("scan", copies, "--only", "known", "--only", "phash", "--known", index, "--json")
    two, one = run(*arguments, "--jobs", "2"), run(*arguments, "--jobs", "1")
    assert two.code == one.code == 0, two.err
    findings = [
        [f["code"] for file in done.report["files"] for result in file["results"] for f in result["findings"]]
        for done in (two, one)
    ]
    assert findings == [["KNOWN-002"] * 4] * 2
    assert two.report["header"]["fingerprint"] == one.report["header"]["fingerprint"]


@pytest.mark.parametrize("form", ["threatexchange", "pdq-csv", "stopncii", "json", "hashdeep", "checksums", "nsrl"])
def test_what_is_exported_is_imported_again(run: Runner, index: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"out.{form}"
    assert run("hashlist", "export", index, "--format", form, "-o", path).code == 0
    told = json.loads(run("hashlist", "info", path, "--json").out)
    assert told["format"] == form and told["entries"] >= 1 and told["bad_lines"] == 0
    assert run("hashlist", "import", path, "-o", tmp_path / "again").code == 0
    refused = run("hashlist", "export", index, "--format", form, "-o", path)
    assert refused.code == 2 and "nothing is written over" in refused.err


def test_bad_lines_are_told_by_number_and_end_it_only_if_asked(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"pdq {'3d' * 32}\npdq nonsense\n\x1b[31mred\npdq {'3e' * 32}\n")
    done = run("hashlist", "import", path, "-o", tmp_path / "index")
    assert done.code == 0 and "2: not 64 hexadecimal digits" in done.err and "2 lines could not" in done.err
    assert "\x1b" not in done.out + done.err
    strict = run("hashlist", "import", path, "-o", tmp_path / "strict", "--strict")
    assert strict.code == 1 and "line 2" in strict.err
    assert not (tmp_path / "strict" / "index.json").exists()


def test_a_damaged_index_is_said_to_be_damaged(run: Runner, index: Path, mirrored: Path) -> None:
    (segment,) = index.glob("*.segment")
    segment.write_bytes(segment.read_bytes()[:-8] + b"????????")
    for arguments, code in ((("search", mirrored, "--known", index), 2), (("hashlist", "info", index), 1)):
        done = run(*arguments)
        assert (done.code, "does not match its checksum" in " ".join(done.err.split())) == (code, True)


def test_search_needs_to_know_where(run: Runner, mirrored: Path) -> None:
    done = run("search", mirrored)
    assert done.code == 2 and "--known LIST" in done.err

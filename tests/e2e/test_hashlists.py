"""Lists of known hashes from the command line: made, indexed, searched, exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from nsfwforensics.cli.app import build
from tests.e2e.conftest import Runner

RUNNER = CliRunner()


def here(*arguments: object) -> tuple[int, str, str]:
    """Runs a command in this process, for what needs no process of its own: exit code, output, messages."""
    words = [str(argument) for argument in arguments]
    done = RUNNER.invoke(build(words[0]), words)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def index(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of one sample's hashes, from two lists that the tool itself printed."""
    folder = tmp_path_factory.mktemp("lists")
    made = folder / "made.csv", folder / "made.hashdeep"
    for path, form in zip(made, ("csv", "hashdeep"), strict=True):
        path.write_text(here("hash", samples / "camera-original.jpg", "--format", form)[1])
    code, out, err = here("hashlist", "import", *made, "-o", folder / "index")
    assert code == 0, err
    assert "1 PDQ, 1 MD5, 1 SHA256" in " ".join(out.split())
    return folder / "index"


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
def test_what_is_exported_is_imported_again(index: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"out.{form}"
    assert here("hashlist", "export", index, "--format", form, "-o", path)[0] == 0
    told = json.loads(here("hashlist", "info", path, "--json")[1])
    assert told["format"] == form and told["entries"] >= 1 and told["bad_lines"] == 0
    assert here("hashlist", "import", path, "-o", tmp_path / "again")[0] == 0
    code, _, err = here("hashlist", "export", index, "--format", form, "-o", path)
    assert code == 2 and "nothing is written over" in " ".join(err.split())


def test_bad_lines_are_told_by_number_and_end_it_only_if_asked(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"pdq {'3d' * 32}\npdq nonsense\n\x1b[31mred\npdq {'3e' * 32}\n")
    done = run("hashlist", "import", path, "-o", tmp_path / "index")
    assert done.code == 0 and "2: not 64 hexadecimal digits" in done.err and "2 lines could not" in done.err
    assert "\x1b" not in done.out + done.err
    code, _, err = here("hashlist", "import", path, "-o", tmp_path / "strict", "--strict")
    assert code == 1 and "line 2" in " ".join(err.split())
    assert not (tmp_path / "strict" / "index.json").exists()


def test_a_damaged_index_is_said_to_be_damaged(index: Path, mirrored: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(index, damaged)
    (segment,) = damaged.glob("*.segment")
    segment.write_bytes(segment.read_bytes()[:-8] + b"????????")
    for arguments, code in ((("search", mirrored, "--known", damaged), 2), (("hashlist", "info", damaged), 1)):
        ended, _, err = here(*arguments)
        assert (ended, "does not match its checksum" in " ".join(err.split())) == (code, True)


def test_search_needs_to_know_where(mirrored: Path) -> None:
    code, _, err = here("search", mirrored)
    assert code == 2 and "--known LIST" in err

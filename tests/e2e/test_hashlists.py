"""Lists of known hashes from the command line: made, indexed, searched, exported."""

from __future__ import annotations

import hashlib
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


@pytest.fixture
def pictures(samples: Path, tmp_path: Path) -> Path:
    """A folder with two pictures, a text, and a file that only claims to be a picture."""
    folder = tmp_path / "pictures"
    (folder / "inner").mkdir(parents=True)
    shutil.copy(samples / "camera-original.jpg", folder / "inner" / "one.jpg")
    shutil.copy(samples / "other-person.jpg", folder / "two.jpg")
    (folder / "notes.txt").write_text("no picture")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    return folder


def test_pictures_are_imported_and_found_again_in_parts(pictures: Path, samples: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    code, out, err = here("hashlist", "import", pictures, "-o", made, "--signatures", "--opinion", "POSITIVE")
    said = " ".join(err.split())
    assert code == 0, err
    assert "2 PDQ, 2 MD5, 2 SHA1, 2 SHA256, 2 signatures" in " ".join(out.split())
    assert "2 pictures, 2 signatures" in said and "1 file passed over, not pictures" in said
    assert "1 file could not be used: broken.jpg:" in said
    told = json.loads(here("hashlist", "info", made, "--json")[1])
    assert (told["signatures"], told["lists"][0]["format"], told["lists"][0]["entries"]) == (2, "pictures", 2)
    cut = tmp_path / "cut.jpg"
    with Image.open(samples / "camera-original.jpg") as image:
        width, height = image.size
        image.crop((0, height // 6, width - width // 6, height)).save(cut, quality=60)
    code, out, err = here("search", cut, "--known", made, "--json")
    (finding,) = json.loads(out)["files"][0]["results"][0]["findings"]
    assert (finding["code"], finding["data"]["matches"][0]["name"]) == ("KNOWN-003", "inner/one.jpg")
    shown = " ".join(here("search", cut, "--known", made)[1].split())
    assert "part" in shown and "points" in shown and "POSITIVE" in shown


def test_exports_know_nothing_of_signatures(pictures: Path, tmp_path: Path) -> None:
    lists = []
    for name, more in (("plain", ()), ("signed", ("--signatures",))):
        assert here("hashlist", "import", pictures, "-o", tmp_path / name, *more)[0] == 0
        lists.append(here("hashlist", "export", tmp_path / name, "--format", "json")[1])
    assert lists[0] == lists[1] and "one.jpg" in lists[0]


def test_a_single_picture_beside_a_list_and_bad_files_if_strict(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"pdq {'3d' * 32}\n")
    code, out, _ = here("hashlist", "import", pictures / "two.jpg", tmp_path / "list.txt", "-o", tmp_path / "both")
    assert code == 0 and "2 PDQ, 1 MD5" in " ".join(out.split())
    code, _, err = here("hashlist", "import", pictures, "-o", tmp_path / "strict", "--strict")
    assert code == 1 and "broken.jpg" in err
    assert not (tmp_path / "strict" / "index.json").exists()


def test_what_cannot_be_signed_or_imported_is_said(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"pdq {'3d' * 32}\n")
    code, _, err = here("hashlist", "import", tmp_path / "list.txt", "-o", tmp_path / "a", "--signatures")
    assert code == 2 and "none of these is a picture" in " ".join(err.split())
    (tmp_path / "empty").mkdir()
    code, _, err = here("hashlist", "import", tmp_path / "empty", "-o", tmp_path / "b")
    assert code == 1 and "no picture that can be used" in " ".join(err.split())
    code, _, err = here("scan", pictures / "two.jpg", "--only", "phash", "--signatures")
    assert code == 2 and "--case" in err


def test_any_file_is_looked_up_by_its_digests(run: Runner, samples: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    clip, notes = folder / "clip.mp4", folder / "notes.txt"
    clip.write_bytes(b"\0\0\0\x18ftypisom" + bytes(range(256)) * 8)
    notes.write_text("a note\n")
    (folder / "other.txt").write_text("another\n")
    (folder / "picture.jpg").write_bytes((samples / "camera-original.jpg").read_bytes())
    known = tmp_path / "vid.md5"
    known.write_text(hashlib.md5(clip.read_bytes(), usedforsecurity=False).hexdigest() + "\n")
    found = run("search", clip, "--known", known, "--json")
    assert found.code == 0, found.err
    assert found.file("clip.mp4")["results"][0]["findings"][0]["code"] == "KNOWN-001"
    assert found.file("clip.mp4")["priority"] == "high"
    assert run("search", clip, "--known", known, "--fail-on", "high").code == 5
    texts = tmp_path / "texts.csv"
    texts.write_text(f"hash\n{hashlib.sha256(notes.read_bytes()).hexdigest()}\n")
    scan = run("scan", folder, "--only", "known", "--only", "phash", "--known", known, "--known", texts, "--json")
    status = {name: scan.file(name)["status"] for name in ("clip.mp4", "notes.txt", "other.txt", "picture.jpg")}
    assert status == {"clip.mp4": "partial", "notes.txt": "ok", "other.txt": "skipped", "picture.jpg": "ok"}
    for name in status:
        hashes = next(r for r in scan.file(name)["results"] if r["analyzer"] == "phash")["measurements"]
        data = (folder / name).read_bytes()
        assert hashes["md5"] == hashlib.md5(data, usedforsecurity=False).hexdigest()
        assert hashes["sha1"] == hashlib.sha1(data, usedforsecurity=False).hexdigest()
        assert hashes["sha256"] == hashlib.sha256(data).hexdigest()
    missed = run("search", folder / "other.txt", "--known", known)
    assert missed.code == 4 and "on none of the lists" in " ".join(missed.out.split())


def test_64_digits_that_may_be_either_are_asked_about(samples: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.csv"
    known.write_text(f"filename,hash\na.jpg,{'00ff' * 16}\n")
    code, _, err = here("search", samples / "camera-original.jpg", "--known", known, "--no-isolate")
    assert code == 2 and "--long-hash sha256" in " ".join(err.split())
    asked = (
        "search",
        samples / "camera-original.jpg",
        "--known",
        known,
        "--long-hash",
        "pdq",
        "--no-isolate",
        "--json",
    )
    code, out, err = here(*asked)
    assert code == 0, err
    assert json.loads(out)["header"]["references"][0]["hashes_of_64_digits_taken_for"] == "pdq"
    code, _, err = here("hashlist", "import", known, "--long-hash", "sha256", "-o", tmp_path / "index")
    assert code == 0 and "64 digits taken for SHA256" in " ".join(err.split())


def test_an_index_is_exported_to_vics(index: Path, tmp_path: Path) -> None:
    code, _, err = here("hashlist", "export", index, "--format", "vics", "-o", tmp_path / "vics.json")
    assert code == 0, err
    (first, *_) = json.loads((tmp_path / "vics.json").read_text())["value"]
    assert first["MediaID"] == 1
    code, out, _ = here("hashlist", "info", tmp_path / "vics.json", "--json")
    assert (code, json.loads(out)["format"]) == (0, "vics")
    code, _, err = here("hashlist", "export", index, "--format", "encase")
    assert code == 2 and "only read" in err

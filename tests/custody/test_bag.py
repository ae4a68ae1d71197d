"""What is packed is what was there: complete, under safe names, with the originals untouched."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.core.discover import Target, discover
from nsfwforensics.custody import bag as bag_module
from nsfwforensics.custody import originals
from nsfwforensics.custody.bag import Order, pack
from nsfwforensics.custody.describe import CaseCopy
from nsfwforensics.custody.operator_file import Operator
from nsfwforensics.custody.originals import BaggedFile
from nsfwforensics.custody.verify import verify
from nsfwforensics.errors import CustodyError, UsageError
from tests.custody.conftest import HOSTILE_NAMES, Pack, picture, report_source


def table(bag: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((bag / "data" / "files.json").read_text("utf-8"))["files"]
    return found


def state(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Name, size, times and bytes of every file, and every folder's own times."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        info = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (info.st_mode, info.st_mtime_ns, info.st_ctime_ns, data)
    return found


def test_a_bag_is_valid_for_the_librarys_own_command_and_for_ours(
    evidence: Path, tmp_path: Path, packed: Pack, key: Any
) -> None:
    found = packed(evidence, source=report_source(evidence, tmp_path / "report"), key=key)
    assert found.complete
    bag = tmp_path / "bag"
    done = subprocess.run(
        [sys.executable, "-m", "bagit", "--validate", bag], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "is valid" in done.stderr
    checked = verify(bag, trusted=key.public_key())
    assert checked.problems == []
    assert checked.accepted
    assert (bag / "bagit.txt").read_bytes() == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    assert {"manifest-sha256.txt", "manifest-sha512.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt"} <= {
        path.name for path in bag.iterdir()
    }
    assert bag.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_every_copy_is_its_original_under_a_name_of_our_own(evidence: Path, tmp_path: Path, packed: Pack) -> None:
    packed(evidence)
    rows = table(tmp_path / "bag")
    assert len(rows) == 5 + len(HOSTILE_NAMES)
    for row in rows:
        raw = (
            bytes.fromhex(row["original_path_bytes"])
            if "original_path_bytes" in row
            else os.fsencode(row["original_path"])
        )
        data = Path(os.fsdecode(raw)).read_bytes()
        copy = tmp_path / "bag" / "data" / row["copy"]
        assert copy.read_bytes() == data
        assert re.fullmatch(r"evidence/[0-9]{6}-[0-9a-f]{16}\.(jpg|png|bin)", row["copy"])
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["md5"] == hashlib.md5(data).hexdigest()
        assert row["size_bytes"] == len(data)
    names = [path.name for path in (tmp_path / "bag").rglob("*")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)
    assert sum("original_path_bytes" in row for row in rows) == 1


def test_the_originals_are_as_they_were(evidence: Path, tmp_path: Path, packed: Pack, key: Any) -> None:
    before = state(evidence)
    packed(evidence, source=report_source(evidence, tmp_path / "report"), key=key)
    assert state(evidence) == before


def test_tables_are_harmless(evidence: Path, tmp_path: Path, packed: Pack) -> None:
    packed(evidence)
    data = tmp_path / "bag" / "data"
    rows = list(csv.DictReader((data / "files.csv").open(encoding="utf-8-sig", newline="")))
    assert len(rows) == 5 + len(HOSTILE_NAMES)
    assert all(not re.match(r"[=+@-]", cell) for row in rows for cell in row.values())
    for name in ("files.json", "files.csv", "hashdeep.txt", "command.log", "case.jsonld", "info.json"):
        text = (data / name).read_bytes().decode("utf-8-sig")
        assert not {"\x1b", "\u202e"} & set(text), name
    assert (data / "hashdeep.txt").read_text("utf-8").startswith("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n")
    lines = [
        line for line in (data / "hashdeep.txt").read_text("utf-8").splitlines() if not line.startswith(("%", "#"))
    ]
    assert len(lines) == 5 + len(HOSTILE_NAMES)
    expected = f"{hashlib.sha256((evidence / 'b.png').read_bytes()).hexdigest()},{evidence / 'b.png'}"
    assert any(line.endswith(expected) for line in lines)


def test_info_says_who_with_what_and_when(evidence: Path, tmp_path: Path, packed: Pack) -> None:
    source = report_source(evidence, tmp_path / "report")
    packed(evidence, source=source, operator=Operator(name="Ann\nEvil: x", case_number="H-7"))
    data = tmp_path / "bag" / "data"
    info = json.loads((data / "info.json").read_text("utf-8"))
    assert info["packing"]["operator"]["name"] == "Ann\nEvil: x"
    assert info["packing"]["operator"]["contact"] == "not supplied"
    assert info["models"][0]["sha256"] == "ab" * 32
    assert info["report"]["plan"] == source.header.fingerprint
    assert info["report"]["sha256"] == hashlib.sha256((data / "report" / "report.json").read_bytes()).hexdigest()
    assert {"bagit", "cryptography", "pillow"} <= info["libraries"].keys()
    assert info["files"] == {"pointed_at": 14, "copied": 14}
    assert info["sensitive"] is False
    log = (data / "command.log").read_text("utf-8").splitlines()
    assert log[0].endswith(f"scan: {source.header.command}")
    assert log[1].endswith("evidence packed: nsfwforensics evidence pack")
    bag_info = (tmp_path / "bag" / "bag-info.txt").read_text("utf-8")
    assert "Contact-Name: Ann\\nEvil: x\n" in bag_info
    assert "External-Identifier: H-7\n" in bag_info
    assert all(row["in_report"] for row in table(tmp_path / "bag"))
    assert (data / "report" / "report.json").read_bytes() == (tmp_path / "report" / "report.json").read_bytes()
    sums = (data / "report" / "SHA256SUMS").read_text("utf-8")
    assert "report.json" in sums
    assert "files.jsonl" not in sums
    assert sorted(path.name for path in (data / "report").iterdir()) == [
        "SHA256SUMS",
        "artifacts",
        "report.html",
        "report.json",
        "summary.csv",
    ]


def every_byte(bag: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in sorted(bag.rglob("*")) if path.is_file())


@pytest.mark.parametrize("how", ["hash only", "sensitive run", "sensitive files"])
def test_no_pixels_leave_where_none_may(how: str, evidence: Path, tmp_path: Path, packed: Pack) -> None:
    names = tuple(path.name for path in evidence.rglob("*")) if how == "sensitive files" else ()
    source = report_source(evidence, tmp_path / "report", sensitive=names, sensitive_run=how == "sensitive run")
    found = packed(evidence, source=source, hash_only=how == "hash only")
    assert found.complete
    everything = every_byte(tmp_path / "bag")
    for original in evidence.rglob("*"):
        data = original.read_bytes() if original.is_file() else b""
        if data:
            assert data not in everything
            assert data[:64].hex().encode() not in everything
    for beginning in (
        b"\xff\xd8\xff",
        b"\x89PNG\r\n",
        b"/9j/4AAQ",
        b"iVBORw0KGgo",
        *base64.encodebytes(picture(1)).splitlines()[:-1],
        b"data:image/jpeg",
        b"data:image/png",
    ):
        assert beginning not in everything, beginning
    assert not (tmp_path / "bag" / "data" / "evidence").exists()
    assert not (tmp_path / "bag" / "data" / "report" / "artifacts").exists()
    assert all(row["copy"] is None and row["sha256"] for row in table(tmp_path / "bag"))
    info = json.loads((tmp_path / "bag" / "data" / "info.json").read_text("utf-8"))
    assert info["sensitive"] is (how != "hash only")
    assert verify(tmp_path / "bag").intact


def test_only_sensitive_files_are_left_out_where_some_are(evidence: Path, tmp_path: Path, packed: Pack) -> None:
    source = report_source(evidence, tmp_path / "report", sensitive=("b.png",))
    packed(evidence, source=source)
    rows = {Path(row["original_path"]).name: row for row in table(tmp_path / "bag")}
    assert rows["b.png"]["copy"] is None
    assert "handled with care" in rows["b.png"]["no_copy_because"]
    assert rows["notes.txt"]["copy"]
    assert (evidence / "b.png").read_bytes() not in every_byte(tmp_path / "bag")
    info = json.loads((tmp_path / "bag" / "data" / "info.json").read_text("utf-8"))
    assert info["sensitive"] is True
    assert info["files"]["left out, to be handled with care"] == 1


def test_what_is_no_file_is_named_and_not_opened(evidence: Path, tmp_path: Path, packed: Pack) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not evidence")
    (evidence / "link").symlink_to(secret)
    os.mkfifo(evidence / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(evidence / "sock"))
        found = packed(evidence)
    assert not found.complete
    problems = {Path(row["original_path"]).name: row["problem"] for row in table(tmp_path / "bag") if row["problem"]}
    assert set(problems) == {"link", "pipe", "sock"}
    assert problems["link"] == "a symbolic link: links are not followed into a bag"
    assert b"not evidence" not in every_byte(tmp_path / "bag")
    assert json.loads((tmp_path / "bag/data/info.json").read_text())["files"] == {
        "pointed_at": 17,
        "copied": 14,
        "not packed": 3,
    }


def test_an_unreadable_file_is_named_and_the_others_are_packed(
    evidence: Path, tmp_path: Path, packed: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refusing(path: Any, *rest: Any) -> int:
        if str(path) == str(evidence / "b.png"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest)

    monkeypatch.setattr(os, "open", refusing)  # root, whom tests may run as, reads whatever its permissions
    found = packed(evidence)
    assert [str(one.problem) for one in found.files if one.problem] == ["cannot be read: Permission denied"]
    assert not found.complete
    assert sum(one.stored is not None for one in found.files) == len(found.files) - 1
    assert verify(tmp_path / "bag").intact


def test_a_disk_that_fails_while_a_file_is_read_costs_that_file(
    evidence: Path, tmp_path: Path, packed: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(stream: Any, target: Path) -> str:
        target.write_bytes(b"half")
        return originals_write(stream, target) if "000001" not in target.name else broken()

    def broken() -> str:
        raise originals._ReadFailed("Input/output error")

    def originals_write(stream: Any, target: Path) -> str:
        target.unlink()
        return real(stream, target)

    real = originals._write
    monkeypatch.setattr(originals, "_write", failing)
    found = packed(evidence)
    assert [one.number for one in found.files if one.problem] == [1]
    assert not list((tmp_path / "bag" / "data" / "evidence").glob("000001*"))


def test_a_pipe_or_link_that_takes_a_files_place_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/hostname")
    targets = [Target(tmp_path / name, named=True) for name in ("pipe", "link", "gone")]
    packed = pack(Order(targets=targets, bag=tmp_path / "bag", command="x"))
    assert [bool(found.problem) for found in packed.files] == [True, True, True]


def test_a_file_that_changes_while_it_is_copied_is_not_packed(
    evidence: Path, tmp_path: Path, packed: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = originals._write

    def meddling(stream: Any, target: Path) -> str:
        done = real(stream, target)
        if (evidence / "b.png").read_bytes() == target.read_bytes():
            (evidence / "b.png").write_bytes(picture(55))
        return done

    monkeypatch.setattr(originals, "_write", meddling)
    found = packed(evidence)
    (bad,) = [one for one in found.files if one.problem]
    assert bad.path.name == "b.png"
    assert "changed while it was read" in str(bad.problem)
    assert len(list((tmp_path / "bag" / "data" / "evidence").iterdir())) == len(found.files) - 1
    assert verify(tmp_path / "bag").intact


def test_a_copy_that_reads_back_wrong_stops_everything(
    evidence: Path, tmp_path: Path, packed: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = originals._write

    def broken(stream: Any, target: Path) -> str:
        done = real(stream, target)
        target.write_bytes(b"x")
        return done

    monkeypatch.setattr(originals, "_write", broken)
    with pytest.raises(CustodyError, match="does not read back"):
        packed(evidence)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence"]


def test_files_that_a_case_knows_otherwise_are_not_packed(evidence: Path, tmp_path: Path, packed: Pack) -> None:
    known = {evidence / "b.png": "0" * 64}
    case = CaseCopy("One", "uuid", tmp_path / "one.case", ())
    found = packed(evidence, known=known, case=case)
    (bad,) = [one for one in found.files if one.problem]
    assert bad.path == evidence / "b.png"
    assert "not the bytes that were examined" in str(bad.problem)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device"), ValueError("x")])
@pytest.mark.parametrize("moment", [2, 14])
def test_what_breaks_off_leaves_nothing(error: BaseException, moment: int, evidence: Path, tmp_path: Path) -> None:
    def stop(found: BaggedFile) -> None:
        if found.number == moment:
            raise error

    order = Order(targets=list(discover([evidence])), bag=tmp_path / "bag", command="x")
    with pytest.raises((KeyboardInterrupt, CustodyError, ValueError)):
        pack(order, stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence"]


def test_nothing_is_written_over(evidence: Path, tmp_path: Path, packed: Pack) -> None:
    for make in (Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")):
        make(tmp_path / "bag")
        with pytest.raises(CustodyError, match="is there already"):
            packed(evidence)
        (tmp_path / "bag").rmdir() if (tmp_path / "bag").is_dir() else (tmp_path / "bag").unlink()
    with pytest.raises(CustodyError, match="there is no folder"):
        packed(evidence, bag=tmp_path / "none" / "bag")
    with pytest.raises(UsageError, match="inside"):
        bag_module.check_place(evidence / "two" / "bag", [evidence])
    (tmp_path / "way").symlink_to(evidence)
    with pytest.raises(UsageError, match="inside"):
        bag_module.check_place(tmp_path / "way" / "bag", [evidence])


def test_nothing_at_all_makes_a_bag_that_says_so(tmp_path: Path) -> None:
    packed = pack(Order(targets=[], bag=tmp_path / "bag", command="x"))
    assert packed.complete
    assert table(tmp_path / "bag") == []
    assert verify(tmp_path / "bag").intact

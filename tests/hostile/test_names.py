"""Names that mean something to a shell, a terminal, a spreadsheet or a browser, and things that are no files."""

from __future__ import annotations

import csv
import json
import os
import socket
import stat
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.report.words.text import is_hidden, shown_name
from nsfwforensics.testing import contract_file
from tests.e2e.test_inert import Elements
from tests.formats.make import jpeg, png
from tests.hostile.watch import Watched, snapshot, watched

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names that other systems refuse")

NAMES: tuple[bytes, ...] = (
    b"-rf",
    b"--output=pwned",
    b"-o",
    b"--help",
    b"new\nline.jpg",
    b"carriage\rreturn.jpg",
    b"tab\there.jpg",
    b"\x1b[2J\x1b[31merase.jpg",
    b"\x1b]0;title\x07.jpg",
    b"\xc2\x9b31mc1.jpg",
    "gpj.\u202egpj.exe".encode(),
    "a\u2066b\u2069c\u200f.jpg".encode(),
    "zero\u200bwidth\ufeff.jpg".encode(),
    b"=cmd|'calc'!A0.jpg",
    b"+1+1.jpg",
    b"@SUM(A1).jpg",
    b"\t=1+1.jpg",
    b"<svg onload=alert(1)>.jpg",
    b"\"><script>alert(1)<script>.jpg",
    b"javascript:alert(1).jpg",
    b"http:evil.example.jpg",
    b"[red]bold[blink].jpg",
    b"{{7*7}}{% raw %}.jpg",
    b"%s%n%x.jpg",
    b"..%2f..%2fetc%2fpasswd.jpg",
    b"$(touch pwned).jpg",
    b"`touch pwned`.jpg",
    b"; touch pwned;.jpg",
    b"\\\\host\\share.jpg",
    b"latin-\xe9\xff\xfe.jpg",
    b" leading and trailing .jpg ",
    b"x" * 251 + b".jpg",
    "ｎａｍｅ\u0301\u0301\u0301.jpg".encode(),
    b"report.html",
    b"files.jsonl",
)  # fmt: skip


@dataclass(frozen=True)
class Scanned:
    ran: Watched
    document: dict[str, Any]
    place: Path
    before: dict[bytes, tuple[Any, ...]]
    after: dict[bytes, tuple[Any, ...]]
    expected: int


def special(folder: Path) -> int:
    """Makes what is no regular file; returns how many entries it made."""
    (folder / "loop-a.jpg").symlink_to(folder / "loop-b.jpg")
    (folder / "loop-b.jpg").symlink_to(folder / "loop-a.jpg")
    (folder / "up").symlink_to(folder)
    (folder / "zero.jpg").symlink_to("/dev/zero")
    (folder / "dangling.jpg").symlink_to("/nowhere/at/all.jpg")
    os.mkfifo(folder / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket may have some 100 bytes
        listener.bind("socket.jpg")
        os.chdir(here)
    (folder / "folder.jpg").mkdir()
    (folder / "folder.jpg" / "inside.jpg").write_bytes(jpeg())
    (folder / "secret.jpg").write_bytes(jpeg())
    (folder / "secret.jpg").chmod(0)
    (folder / "empty.jpg").touch()
    with (folder / "sparse.jpg").open("wb") as stream:
        stream.write(b"\xff\xd8\xff")
        stream.truncate(1 << 40)
    made = 11
    try:
        os.mknod(folder / "device.jpg", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except OSError:
        return made
    return made + 1


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    place = tmp_path_factory.mktemp("names")
    folder = place / "evidence"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(png() if number % 3 else jpeg())
    count = len(NAMES) + special(folder)
    before = snapshot(folder)
    # a file too large to look into is read for its digests for half of that time
    limits = ("--max-seconds", "20")
    ran = watched(
        place, "scan", "--only", "metadata", "--only", "phash", folder, "-o", place / "out", "-v", "--no-group", *limits
    )
    assert (place / "out" / "report.json").exists(), ran.err.decode()
    document = json.loads((place / "out" / "report.json").read_bytes())
    return Scanned(ran, document, place, before, snapshot(folder), count)


def test_every_entry_is_accounted_for(scanned: Scanned) -> None:
    assert scanned.ran.code == 4, scanned.ran.err
    assert len(scanned.document["files"]) == scanned.expected
    status = {Path(file["info"]["path"]).name: file["status"] for file in scanned.document["files"]}
    for name in ("loop-a.jpg", "loop-b.jpg", "up", "zero.jpg", "dangling.jpg", "pipe.jpg", "socket.jpg"):
        assert status[name] == "skipped", name
    assert status["inside.jpg"] == "ok"
    assert status["sparse.jpg"] == status["empty.jpg"] == "failed"
    assert status["secret.jpg"] in ("failed", "ok"), "root may read it"
    assert status.get("device.jpg", "skipped") == "skipped"
    assert all(status[name] == "ok" for name in ("-rf", "--output=pwned", "new\nline.jpg", "x" * 251 + ".jpg"))
    assert scanned.ran.seconds < 120


def test_nothing_is_changed_and_nothing_is_written_elsewhere(scanned: Scanned) -> None:
    assert scanned.after == scanned.before
    for name in ("home", "tmp", "cwd"):
        assert not list((scanned.place / name).iterdir()), name
    assert not list(scanned.place.rglob("pwned"))


def test_the_console_gets_no_control_characters(scanned: Scanned) -> None:
    for stream in (scanned.ran.out, scanned.ran.err):
        assert inert(stream.decode("utf-8", "strict")) == []
    assert b"erase.jpg" in scanned.ran.out


def test_the_page_stays_a_page(scanned: Scanned) -> None:
    html = (scanned.place / "out" / "report.html").read_text("utf-8", "strict")
    page = Elements()
    page.feed(html)
    assert "<svg onload" not in html
    assert "<script>alert" not in html
    assert not [link for link in page.links if not link.startswith(("#", "data:", "https://"))]
    assert not [link for link in page.links if "evil" in link or "alert" in link]
    assert inert(html) == []


def test_no_cell_is_a_formula(scanned: Scanned) -> None:
    text = (scanned.place / "out" / "summary.csv").read_text("utf-8-sig", "strict")
    assert inert(text) == []
    with (scanned.place / "out" / "summary.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_json_is_valid_and_has_no_raw_control_characters(scanned: Scanned) -> None:
    for name in ("report.json", "files.jsonl"):
        text = (scanned.place / "out" / name).read_bytes().decode("utf-8", "strict")
        assert inert(text, allowed="\n") == [], name


@pytest.mark.parametrize("name", ["-rf", "--output=pwned", "-o"])
def test_a_name_like_an_option_is_a_file_after_two_dashes(tmp_path: Path, name: str) -> None:
    (tmp_path / "cwd").mkdir()
    (tmp_path / "cwd" / name).write_bytes(contract_file("plain.jpg"))
    ran = watched(tmp_path, "metadata", "--json", "--no-isolate", "--", name)
    assert ran.code == 0, ran.err
    assert [file["info"]["path"] for file in json.loads(ran.out)["files"]] == [name]
    assert [entry.name for entry in (tmp_path / "cwd").iterdir()] == [name]


def test_names_from_standard_input_are_never_options(tmp_path: Path) -> None:
    (tmp_path / "cwd").mkdir()
    (tmp_path / "cwd" / "--help").write_bytes(contract_file("plain.jpg"))
    ran = watched(tmp_path, "metadata", "--json", "--no-isolate", "-", stdin=b"--help\0")
    assert ran.code == 0, ran.err
    assert len(json.loads(ran.out)["files"]) == 1


ALIKE = (
    "face.jpg", "fa\u200dce.jpg", "fa\u200cce.jpg", "fa\u034fce.jpg", "fa\ufe0fce.jpg", "fa\u3164ce.jpg",
    "fa\u2800ce.jpg", "fa\U000e0061ce.jpg", "fa\u00adce.jpg", "fa\u2063ce.jpg", "fa\ue000ce.jpg", "fa ce.jpg",
    "fa  ce.jpg", "fa\u00a0ce.jpg", "fa\u2009ce.jpg", " face.jpg", "face.jpg ", "fa\\u200dce.jpg",
    "fa\\\\u200dce.jpg", "f\u00e9.jpg", "fe\u0301.jpg", "fa\\nce.jpg", "fa\nce.jpg",
)  # fmt: skip
"""Names that would look alike if they were shown as they are."""


@pytest.mark.slow
def test_no_two_names_look_alike(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name in ALIKE:
        (folder / name).write_bytes(jpeg())
    ran = watched(
        tmp_path, "scan", "--only", "metadata", folder, "-o", tmp_path / "out", "-v", "--no-group", COLUMNS="120"
    )
    assert ran.code == 0, ran.err
    page = Elements()
    page.feed((tmp_path / "out" / "report.html").read_text("utf-8"))
    with (tmp_path / "out" / "summary.csv").open(encoding="utf-8-sig", newline="") as stream:
        table = [row["path"] for row in csv.DictReader(stream)]
    lines = ran.out.decode().split("\n")
    heading = next(line for line in lines if line.strip().startswith("File") and "Priority" in line)
    console = [line[: heading.index("Priority")] for line in lines[lines.index(heading) :]]
    for where, before, shown in (("page", "", page.shown), ("table", f"{folder}/", table), ("console", "", console)):
        expected = {looks(shown_name(f"{before}{name}")) for name in ALIKE}
        assert len(expected) == len(ALIKE)
        assert expected <= {looks(text) for text in shown}, where


def looks(text: str) -> str:
    """Text as somebody sees it: blanks as one, nothing where there is nothing to see, letters composed."""
    seen = "".join(one for one in unicodedata.normalize("NFC", text) if not is_hidden(one) or one == "\n")
    return " ".join(seen.split())


def inert(text: str, allowed: str = "\n\r\t") -> list[str]:
    """Characters that a terminal or a reader would obey rather than show."""
    marks = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}
    found = {
        f"{ord(one):#x}" for one in text
        if (unicodedata.category(one) == "Cc" and one not in allowed) or ord(one) in marks
    }  # fmt: skip
    return sorted(found)

"""``notice`` and ``helplines`` on the command line, in this process."""

from __future__ import annotations

import json
import os
import socket
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from nsfwforensics.cli.app import build
from nsfwforensics.core.types import FileReport, Question
from nsfwforensics.report.writer import ReportWriter
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import Decision, Stat
from nsfwforensics.testing import contract_file
from tests.report.factory import file, finding, header, result, thumbnail

URL = "https://example.org/post/1"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(build(str(words[0])), [str(word) for word in words])


def as_json(*words: str | Path) -> Any:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(contract_file("plain.jpg"))
    return path


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a draft must not look anything up")

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse()
        connect(self, address)  # worker processes are spoken to this way

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", local_only)


@pytest.mark.parametrize("law", ["us", "eu", "jp", "uk", "generic"])
def test_a_picture_is_hashed_and_not_examined(picture: Path, law: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nsfwforensics.core.evidence.Evidence.open", lambda *_: pytest.fail("it was opened"))
    made = as_json("notice", picture, "--law", law, "--url", URL)
    digest = sha256(picture.read_bytes()).hexdigest()
    assert made["pictures"] == [{"name": "picture.jpg", "sha256": digest, "pdq": None}]
    assert digest in made["letter"] and URL in made["letter"]
    assert made["language"] == ("ja" if law == "jp" else "en")
    assert "signature" in {one["field"] for one in made["missing"]} or law in ("eu", "jp", "uk")


def test_perceptual_hashes_are_a_choice(picture: Path) -> None:
    made = as_json("notice", picture, "--law", "us", "--pdq")
    (one,) = made["pictures"]
    assert len(one["pdq"]) == 64 and one["pdq"] in made["letter"]


def report_of(folder: Path, *files: FileReport) -> None:
    with ReportWriter(folder) as writer:
        writer.begin(header())
        for one in files:
            writer.add(one)
        writer.finish(header())


def test_a_saved_report_gives_hashes_and_nothing_that_was_found(tmp_path: Path) -> None:
    loud = finding("SYN-001", title="Pixels look generated", explanation="The classifier says generated.")
    hashes = {"pdq": "ab" * 32, "pdq_quality": 90}
    shown = file(
        "holiday/a.jpg",
        result("deepfake", Question.SYNTHESIS, findings=(loud,)),
        result("phash", Question.KNOWN, measurements=hashes),
        info={"thumbnail": thumbnail()},
    )
    report_of(tmp_path / "report", shown, file("holiday/b.jpg", info={"sha256": "ef" * 32}))
    made = as_json("notice", tmp_path / "report", "--law", "us", "--file", "a.jpg", "--pdq")
    assert [one["name"] for one in made["pictures"]] == ["a.jpg"]
    text = json.dumps(made)
    assert "ab" * 32 in text
    for word in ("generated", "SYN-001", "classifier", "holiday", thumbnail()[:40]):
        assert word not in text
    both = as_json("notice", tmp_path / "report", "--law", "us")
    assert len(both["pictures"]) == 2 and both["pictures"][0]["pdq"] is None
    by_digest = as_json("notice", tmp_path / "report", "--law", "us", "--file", "ef" * 32)
    assert [one["name"] for one in by_digest["pictures"]] == ["b.jpg"]


def test_a_case_gives_what_was_marked_as_relevant(tmp_path: Path) -> None:
    place = tmp_path / "case.db"
    with CaseDatabase.create(place) as case:
        for number in range(3):
            path = tmp_path / f"{number}.jpg"
            path.write_bytes(bytes([number]) * 9)
            stat = Stat.of(path)
            assert stat is not None
            case.register(path, sha256(path.read_bytes()).hexdigest(), stat)
        case.mark(sha256(bytes([1]) * 9).hexdigest(), decision=Decision.RELEVANT)
    assert [one["name"] for one in as_json("notice", place, "--law", "eu")["pictures"]] == ["1.jpg"]
    chosen = as_json(
        "notice", place, "--law", "eu", "--file", "0.jpg", "--file", sha256(bytes([2]) * 9).hexdigest()[:12]
    )
    assert [one["name"] for one in chosen["pictures"]] == ["0.jpg", "2.jpg"]


@pytest.mark.parametrize("suffix", ["md", "txt", "html"])
def test_letter_and_cover_are_two_files_for_their_owner_alone(tmp_path: Path, picture: Path, suffix: str) -> None:
    place = tmp_path / f"request.{suffix}"
    words = ("notice", picture, "--law", "uk", "--url", URL, "-o", place)
    done = run(*words)
    assert done.exit_code == 0 and "nothing was sent" in done.output
    beside = tmp_path / f"request.cover.{suffix}"
    letter, cover = place.read_text("utf-8"), beside.read_text("utf-8")
    assert URL in letter and "legal advice" not in letter
    assert "legal advice" in cover and "under 18" in cover
    if os.name == "posix":
        assert place.stat().st_mode & 0o77 == beside.stat().st_mode & 0o77 == 0
    again = run(*words)
    assert again.exit_code == 1 and "there already" in again.output
    assert place.read_text("utf-8") == letter


def test_without_a_file_both_are_printed_with_a_line_between(picture: Path) -> None:
    done = run("notice", picture, "--law", "us")
    cover, letter = done.stdout.split("the letter begins below this line")
    assert "not legal advice" in cover and "not legal advice" not in letter
    assert "[PLEASE FILL IN: your name]" in letter


def test_a_draft_can_be_made_from_nothing() -> None:
    made = as_json("notice", "--law", "us")
    assert made["pictures"] == [] and {"urls", "files", "name"} <= {one["field"] for one in made["missing"]}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--law", "us", "nowhere.jpg"), 2, "no such file"),
        (("--law", "us", "--url", "example.org"), 2, "no web address"),
        (("--law", "us", "--person", "nowhere.toml"), 2, "cannot be read"),
        (("--law", "us", "-o", "request.pdf"), 2, ".md, .txt or .html"),
        (("--law", "us", "--country", "japan"), 2, "two-letter"),
        (
            (
                "--law",
                "mars",
            ),
            2,
            "mars",
        ),
        ((), 2, "--law"),
        (("--law", "us", "."), 2, "no saved report"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    done = run("notice", *words)
    assert done.exit_code == code and said in done.output


def test_a_draft_from_a_case_stands_in_its_custody_log(tmp_path: Path, picture: Path) -> None:
    place = tmp_path / "case.db"
    with CaseDatabase.create(place) as case:
        stat = Stat.of(picture)
        assert stat is not None
        case.register(picture, sha256(picture.read_bytes()).hexdigest(), stat)
    assert run("notice", place, "--law", "uk").exit_code == 0
    entries = (tmp_path / "case.db.custody.jsonl").read_text("utf-8").splitlines()
    assert json.loads(entries[-1])["kind"] == "notice drafted"
    assert json.loads(entries[-1])["subject"] == "uk"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes here")
    os.mkfifo(tmp_path / "pipe")
    done = run("notice", tmp_path / "pipe", "--law", "us")
    assert done.exit_code == 2 and "not a regular file" in done.output


def test_a_name_that_fits_nothing_is_said(tmp_path: Path) -> None:
    report_of(tmp_path / "report", file("a.jpg"))
    done = run("notice", tmp_path / "report", "--law", "us", "--file", "b.jpg")
    assert done.exit_code == 2 and "no picture fits b.jpg" in done.output


def test_more_pictures_than_a_request_can_hold_have_to_be_chosen(tmp_path: Path) -> None:
    many = [file(f"{number}.jpg", info={"sha256": f"{number:064x}"}) for number in range(51)]
    report_of(tmp_path / "report", *many)
    done = run("notice", tmp_path / "report", "--law", "us")
    assert done.exit_code == 2 and "--file" in done.output


def test_help_lines_of_a_country(tmp_path: Path) -> None:
    done = run("helplines", "--country", "jp", "--lang", "ja")
    assert done.exit_code == 0
    for shown in ("セーフライン", "#8103", "takeitdown.ncmec.org", "checked on 2026-11"):
        assert shown in done.stdout
    assert "cybercivilrights" not in done.stdout
    listed = json.loads(run("helplines", "--json").stdout)
    assert {"id", "url", "phone", "checked_on", "audience"} <= set(listed[0])
    own = tmp_path / "own.toml"
    own.write_text('[[line]]\nid = "stopncii"\nclosed = true\n', encoding="utf-8")
    assert "StopNCII" not in run("helplines", "--helplines", str(own)).stdout
    assert run("helplines", "--country", "japan").exit_code == 2


def test_the_country_of_the_person_can_differ_from_that_of_the_law() -> None:
    made = as_json("notice", "--law", "us", "--country", "jp", "--lang", "ja")
    assert "セーフライン" in made["cover"] and "cybercivilrights" not in made["cover"]
    assert "Request to remove" in made["letter"]

from __future__ import annotations

import io
import json
import os
import stat
from pathlib import Path

import pytest

from nsfwforensics.core.types import AnalyzerStatus, FileStatus, Priority, Question, Severity, Support
from nsfwforensics.errors import ReportError
from nsfwforensics.report.saved import digests
from nsfwforensics.report.saved.reading import NO_HEADER, TORN, UNFINISHED
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter, write_views
from tests.report.factory import every_outcome, file, finding, header, result

VIEWS = ("report.json", "summary.csv", "report.html")


def three() -> list:
    high = result(findings=(finding(severity=Severity.HIGH),))
    return [file("b/ok.jpg", result()), file("z/broken.jpg", error="cannot be decoded"), file("c/high.jpg", high)]


def write(folder: Path, files: list | None = None) -> SavedReport:
    with ReportWriter(folder) as writer:
        writer.begin(header())
        for made in three() if files is None else files:
            writer.add(made)
        return writer.finish(header())


def test_everything_is_written_and_read_again(tmp_path: Path) -> None:
    saved = write(tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted([*VIEWS, "files.jsonl", "SHA256SUMS"])
    again = SavedReport.open(tmp_path / "out")
    assert list(again.files()) == list(saved.files()) == three()
    assert again.header == header()
    assert again.summary == saved.summary
    assert not again.unfinished


def test_order_of_triage_is_priority_then_failed_then_path(tmp_path: Path) -> None:
    low = result(findings=(finding(severity=Severity.LOW),))
    files = [
        file("b.jpg", low),
        file("z.jpg", error="broken"),
        file("a.jpg", low),
        file("s.txt", error="x", skipped=True),
    ]
    saved = write(tmp_path, [*files, file("n.jpg", result()), *three()[2:]])
    expected = ["c/high.jpg", "z.jpg", "a.jpg", "b.jpg", "n.jpg", "s.txt"]
    assert [f.info.path for f in saved.by_priority()] == expected
    assert [f.info.path for f in SavedReport.open(tmp_path).by_priority()] == expected


def test_the_summary_counts_every_kind(tmp_path: Path) -> None:
    summary = write(tmp_path, [*three(), every_outcome()]).summary
    assert summary.files == 4
    assert summary.bytes == 4 * 2_345_678
    assert summary.by_status == {
        FileStatus.OK: 2, FileStatus.PARTIAL: 0, FileStatus.FAILED: 2, FileStatus.SKIPPED: 0
    }  # fmt: skip
    assert summary.by_priority[Priority.HIGH] == 1
    assert summary.by_question[Question.SYNTHESIS][Support.INCONCLUSIVE] == 1
    assert summary.by_question[Question.SYNTHESIS][Support.NOT_CHECKED] == 3
    assert summary.seconds == pytest.approx(0.25 * 9)


def test_views_are_made_again_byte_for_byte(tmp_path: Path) -> None:
    write(tmp_path, [*three(), every_outcome()])
    before = {name: (tmp_path / name).read_bytes() for name in VIEWS}
    (tmp_path / "report.html").unlink()
    (tmp_path / "summary.csv").unlink()
    write_views(SavedReport.open(tmp_path))
    assert {name: (tmp_path / name).read_bytes() for name in VIEWS} == before


def test_the_document_alone_is_enough(tmp_path: Path) -> None:
    write(tmp_path)
    html = (tmp_path / "report.html").read_bytes()
    for name in ("files.jsonl", "report.html", "summary.csv"):
        (tmp_path / name).unlink()
    write_views(SavedReport.open(tmp_path))
    assert (tmp_path / "report.html").read_bytes() == html


def test_a_document_formatted_by_another_program_is_read(tmp_path: Path) -> None:
    saved = write(tmp_path)
    path = tmp_path / "report.json"
    for indent in (None, 4):
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=indent), encoding="utf-8")
        with pytest.raises(ReportError, match=r"report\.json is not what SHA256SUMS says"):
            SavedReport.open(tmp_path)
        digests.write(tmp_path)
        again = SavedReport.open(tmp_path)
        assert list(again.files()) == list(saved.files())
        assert again.lengths() == saved.lengths()


def test_json_on_a_stream_is_the_document(tmp_path: Path) -> None:
    saved = write(tmp_path, [file("naïve.jpg", result())])
    stream = io.StringIO()
    saved.write_json(stream)
    assert stream.getvalue() == (tmp_path / "report.json").read_text(encoding="utf-8")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    saved.write_json(narrow)
    narrow.seek(0)
    assert json.load(narrow)["files"][0]["info"]["name"] == "naïve.jpg"


def test_without_a_folder_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ReportWriter(None) as writer:
        writer.begin(header())
        for made in three():
            writer.add(made)
        spool = next(tmp_path.iterdir())
        assert stat.S_IMODE(spool.stat().st_mode) == 0o700
        saved = writer.finish(header())
        assert saved.folder is None
        assert list(saved.files()) == three()
        with pytest.raises(ReportError, match="not saved to a folder"):
            write_views(saved)
    assert list(tmp_path.iterdir()) == []


def killed(folder: Path, tail: bytes = b"") -> None:
    """Leaves a folder as a run leaves it that is killed after three files."""
    writer = ReportWriter(folder)
    writer.begin(header(finished=None))
    for made in three():
        writer.add(made)
    writer.__exit__(None, None, None)
    with (folder / "files.jsonl").open("ab") as stream:
        stream.write(tail)


def test_every_file_is_on_disk_as_soon_as_it_is_added(tmp_path: Path) -> None:
    writer = ReportWriter(tmp_path)
    writer.begin(header())
    for number, made in enumerate(three(), 1):
        writer.add(made)
        assert (tmp_path / "files.jsonl").read_bytes().count(b"\n") == number
    writer.__exit__(None, None, None)


@pytest.mark.parametrize("tail", [b"", b'{"info": {"path": "half', b"\xff\xfe"])
def test_a_killed_run_is_recovered(tmp_path: Path, tail: bytes) -> None:
    killed(tmp_path, tail)
    saved = SavedReport.open(tmp_path)
    assert saved.unfinished
    assert saved.header.interrupted
    assert UNFINISHED in saved.header.notes
    assert (TORN in saved.header.notes) == bool(tail)
    assert list(saved.files()) == three()
    write_views(saved)
    assert "not finished" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "files.jsonl").read_bytes().endswith(b"}\n")
    assert not (tmp_path / "run.json").exists()
    finished = SavedReport.open(tmp_path)
    assert not finished.unfinished
    assert finished.header == saved.header


def test_an_interrupt_in_the_middle_of_an_entry_leaves_no_torn_line(
    tmp_path: Path,
) -> None:
    with ReportWriter(tmp_path) as writer:
        writer.begin(header())
        writer.add(three()[0])
        stream = writer._stream
        assert stream is not None
        stream.write(b'{"info": {"path": "half')
        stream.flush()
        writer.finish(header(interrupted=True))
    assert (tmp_path / "files.jsonl").read_bytes().count(b"\n") == 1
    assert [f.info.name for f in SavedReport.open(tmp_path).files()] == ["ok.jpg"]


def test_a_killed_run_leaves_the_earlier_report_whole_until_it_is_shown(tmp_path: Path) -> None:
    write(tmp_path, [file("earlier.jpg", result())])
    before = {name: (tmp_path / name).read_bytes() for name in VIEWS}
    killed(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in VIEWS} == before
    assert [f.info.name for f in SavedReport.open(tmp_path).files()] == ["ok.jpg", "broken.jpg", "high.jpg"]


def test_a_stream_alone_is_read_and_says_what_is_missing(tmp_path: Path) -> None:
    killed(tmp_path)
    (tmp_path / "run.json").unlink()
    saved = SavedReport.open(tmp_path)
    assert NO_HEADER in saved.header.notes
    assert saved.summary.files == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[1]", "is not a report"),
        (b"{}", "names no schema version"),
        (b'{"schema_version": "9.9", "header": {}}', "schema version '9.9'"),
        (b'{"schema_version": "1.0", "header": {"tool": 1}, "files": []}', "header of report.json"),
        (b"[" * 100_000, "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
    ],
)
def test_a_broken_document_is_named_clearly(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "report.json").write_bytes(content)
    digests.write(tmp_path)
    with pytest.raises(ReportError, match=words):
        SavedReport.open(tmp_path)


def test_a_document_cut_off_or_changed_inside_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "report.json"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b'],\n"summary"')])
    digests.write(tmp_path)
    with pytest.raises(ReportError, match="cut off"):
        SavedReport.open(tmp_path)
    path.write_bytes(whole.replace(b'"priority":"high"', b'"priority":"fake"', 1))
    digests.write(tmp_path)
    with pytest.raises(ReportError, match=r"file 3 of report\.json is not a file report: priority"):
        SavedReport.open(tmp_path)


def test_a_broken_line_in_the_middle_of_a_stream_is_refused(tmp_path: Path) -> None:
    killed(tmp_path, b"garbage\n")
    with pytest.raises(ReportError, match=r"line 4 of files\.jsonl"):
        SavedReport.open(tmp_path)


def test_a_saved_status_cannot_claim_another_one(tmp_path: Path) -> None:
    failed = file("a.jpg", result(status=AnalyzerStatus.FAILED, error="broken"))
    write(tmp_path, [failed])
    for name in ("report.json", "files.jsonl"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes().replace(b'"status":"failed"}', b'"status":"ok"}'))
    digests.write(tmp_path)
    with pytest.raises(ReportError, match="the status is not what its results say"):
        SavedReport.open(tmp_path)
    shown = SavedReport.open(tmp_path, changed=True)
    assert next(shown.files()).status is FileStatus.FAILED


def test_no_report_is_said_so(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ReportError, match="no report in"):
            SavedReport.open(folder)


def test_foreign_files_are_never_overwritten(tmp_path: Path) -> None:
    for name in (*VIEWS, "files.jsonl", "run.json"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text('{"mine": 1}', encoding="utf-8")
        with pytest.raises(ReportError, match="is no report of this tool"):
            ReportWriter(folder)
        assert (folder / name).read_text(encoding="utf-8") == '{"mine": 1}'


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    write(tmp_path)
    write(tmp_path)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x", encoding="utf-8")
    with pytest.raises(ReportError, match="is not a folder"):
        ReportWriter(tmp_path / "out")


@pytest.mark.skipif(os.name != "posix", reason="symbolic links and modes of POSIX")
def test_links_are_replaced_never_written_through_and_modes_are_private(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.jpg"
    evidence.write_bytes(b"evidence")
    out = tmp_path / "out"
    write(out)
    for name in (*VIEWS, "files.jsonl"):
        if name != "report.json":
            (out / name).unlink()
            (out / name).symlink_to(evidence)
    write(out)
    assert evidence.read_bytes() == b"evidence"
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.lstat().st_mode) for path in out.iterdir()} == {0o600}


def test_an_empty_run_is_a_report_too(tmp_path: Path) -> None:
    with ReportWriter(tmp_path) as writer:
        assert writer.finish(header()).summary.files == 0
    assert list(SavedReport.open(tmp_path).by_priority()) == []
    assert "No files were examined" in (tmp_path / "report.html").read_text(encoding="utf-8")

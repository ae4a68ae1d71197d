"""A report that was changed after it was written is refused, and the change is named, whoever wrote the list anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.core.assess import NOW_SAID, answers
from nsfwforensics.core.types import AnalyzerStatus, Artifact, FileReport, Question, Severity, Support
from nsfwforensics.errors import ReportError
from nsfwforensics.report.saved import digests
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter, write_views
from nsfwforensics.store.marks import apply
from nsfwforensics.store.rows import Decision, DecisionEntry, Dismissal
from tests.report.factory import every_outcome, file, finding, header, result
from tests.report.test_artifacts import picture

MAP = "artifacts/0123456789abcdef-compare-difference-map.png"


def files() -> list[FileReport]:
    strong = result(findings=(finding(severity=Severity.HIGH),))
    shown = result("compare", Question.KNOWN, AnalyzerStatus.NOTHING_FOUND).model_copy(
        update={"artifacts": (Artifact(name="Difference map", media_type="image/png", data=picture()),)}
    )
    return [
        file("high.jpg", strong),
        file("none.jpg", result(status=AnalyzerStatus.NOTHING_FOUND), shown, info={"sha256": f"{MAP[10:26]:0<64}"}),
        every_outcome(),
    ]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    folder = tmp_path / "report"
    with ReportWriter(folder) as writer:
        writer.begin(header())
        for made in files():
            writer.add(made)
        writer.finish(header())
    assert SavedReport.open(folder).differences == ()
    return folder


def edited(path: Path, old: str, new: str, count: int = 1) -> None:
    text = path.read_text("utf-8")
    assert old in text, f"{path.name} does not hold {old}"
    path.write_text(text.replace(old, new, count), "utf-8")


def edited_everywhere(folder: Path, old: str, new: str, count: int = 1) -> None:
    for name in ("report.json", "files.jsonl"):
        edited(folder / name, old, new, count)


@pytest.mark.parametrize("name", ["report.json", "files.jsonl", "report.html", "summary.csv", MAP])
@pytest.mark.parametrize("how", ["one byte", "more", "less", "a link"])
def test_a_file_that_is_not_what_the_list_says_is_named(report: Path, tmp_path: Path, name: str, how: str) -> None:
    path = report / name
    data = bytearray(path.read_bytes())
    if how == "one byte":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif how == "a link":
        (tmp_path / "elsewhere").write_bytes(data)
        path.unlink()
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.write_bytes(data + b"\n" if how == "more" else data[:-1])
    with pytest.raises(ReportError, match=f"was changed after it was written, and is not used: {name}") as error:
        SavedReport.open(report)
    assert "\n" not in str(error.value)


def test_what_is_missing_or_unknown_to_the_list_is_named_and_views_may_be_missing(report: Path) -> None:
    for name in ("report.html", "summary.csv"):
        (report / name).unlink()
    write_views(SavedReport.open(report))
    (report / "files.jsonl").unlink()
    write_views(SavedReport.open(report))
    data = (report / MAP).read_bytes()
    (report / MAP).unlink()
    with pytest.raises(ReportError, match=f"{MAP} is missing"):
        SavedReport.open(report)
    (report / MAP).write_bytes(data)
    edited(report / "SHA256SUMS", f"  {MAP}", "  artifacts/another.png")
    with pytest.raises(ReportError, match=f"{MAP} is not in SHA256SUMS"):
        SavedReport.open(report)
    (report / "SHA256SUMS").unlink()
    with pytest.raises(ReportError, match="SHA256SUMS is missing"):
        SavedReport.open(report)


def test_a_list_of_another_program_is_read_and_nothing_outside_is_opened(report: Path, tmp_path: Path) -> None:
    lines = (report / "SHA256SUMS").read_text("utf-8").splitlines()
    outside = f"{'0' * 64}  ../outside\n{'0' * 64}  /etc/passwd\n{'0' * 64}  artifacts/../../outside\nnonsense\n"
    (tmp_path / "outside").write_text("secret")
    (report / "SHA256SUMS").write_text(outside + "".join(f"{line.replace('  ', ' *')}\r\n" for line in lines))
    assert SavedReport.open(report).differences == ()


Change = Callable[[Path], None]

STATEMENT = '"statement":"No statement of origin was found.'
CONSISTENCY: dict[str, tuple[Change, str]] = {
    "a sentence of an answer": (
        lambda folder: edited_everywhere(folder, STATEMENT, '"statement":"Proven authentic.'),
        "the answer to 'origin' is not what its findings say",
    ),
    "the sentence of a finding": (
        lambda folder: edited_everywhere(
            folder, '"explanation":"The file says', '"explanation":"It is proven, it says'
        ),
        "the answer to 'origin' is not what its findings say",
    ),
    "the support of an answer": (
        lambda folder: edited_everywhere(folder, '"support":"no_indication"', '"support":"supports"'),
        "the answer to 'origin'",
    ),
    "the support of a finding": (
        lambda folder: edited_everywhere(
            folder, '"severity":"high","support":"supports"', '"severity":"high","support":"inconclusive"'
        ),
        "the priority is not what its findings say",
    ),
    "the severity of a finding": (
        lambda folder: edited_everywhere(folder, '"severity":"high"', '"severity":"low"'),
        "the priority is not what its findings say",
    ),
    "the findings of an answer": (
        lambda folder: edited_everywhere(folder, '"findings":["META-001"]', '"findings":[]'),
        "the answer to 'origin'",
    ),
    "what was not checked": (
        lambda folder: edited_everywhere(
            folder, '"not_checked":["provenance: needs the extra that is not here"]', '"not_checked":[]'
        ),
        "the answer to 'origin'",
    ),
    "the priority": (
        lambda folder: edited_everywhere(folder, '"priority":"high"', '"priority":"none"'),
        "file 1 of report.json: the priority",
    ),
    "the counts": (
        lambda folder: edited(folder / "report.json", '"high": 1', '"high": 0'),
        "the summary of report.json is not what its files say",
    ),
    "a count by question": (
        lambda folder: edited(folder / "report.json", '"supports": 2', '"supports": 1'),
        "the summary of report.json is not what its files say",
    ),
    "no counts": (
        lambda folder: edited(folder / "report.json", '"summary"', '"epilogue"'),
        "has other parts than a report",
    ),
    "the document alone": (
        lambda folder: edited(folder / "report.json", "high.jpg", "cats.jpg", 2),
        "files.jsonl says something else of file 1",
    ),
    "one file less in the document": (
        lambda folder: drop_last(folder),
        "files.jsonl holds more files; the summary of report.json",
    ),
    "a picture": (
        lambda folder: (folder / MAP).write_bytes(picture("blue")) and None,
        f"{MAP} is not the picture that was made",
    ),
    "a picture of another file": (
        lambda folder: edited_everywhere(folder, MAP, "artifacts/../report.html"),
        "it names a picture that is no part of a report",
    ),
}


def drop_last(folder: Path) -> None:
    lines = (folder / "report.json").read_text("utf-8").splitlines(keepends=True)
    end = next(at for at, line in enumerate(lines) if line.startswith("]"))
    lines[end - 2] = lines[end - 2].rstrip(",\n") + "\n"
    del lines[end - 1]
    (folder / "report.json").write_text("".join(lines), "utf-8")


@pytest.mark.parametrize("what", CONSISTENCY)
@pytest.mark.parametrize("layout", ["own", "another"])
def test_a_change_is_found_though_the_list_was_written_anew(report: Path, what: str, layout: str) -> None:
    change, words = CONSISTENCY[what]
    if layout == "another":
        if "files.jsonl says" in words or "holds more" in words:
            pytest.skip("another program's layout is not compared line by line")
        (report / "files.jsonl").write_text((report / "files.jsonl").read_text("utf-8"), "utf-8")
    change(report)
    if layout == "another":
        path = report / "report.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")), indent=3), "utf-8")
    digests.write(report)
    with pytest.raises(ReportError) as error:
        SavedReport.open(report)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_changed_report_is_shown_on_request_and_nothing_is_made_of_it(report: Path) -> None:
    edited_everywhere(report, STATEMENT, '"statement":"Proven authentic.')
    shown = SavedReport.open(report, changed=True)
    assert any("changed after it was written: report.json is not" in note for note in shown.header.notes)
    before = {path: path.read_bytes() for path in report.iterdir() if path.is_file()}
    with pytest.raises(ReportError, match="nothing is made of it"):
        write_views(shown)
    assert {path: path.read_bytes() for path in report.iterdir() if path.is_file()} == before


def test_a_change_between_opening_and_writing_is_not_sealed(report: Path) -> None:
    saved = SavedReport.open(report)
    (report / MAP).write_bytes(picture("blue"))
    write_views(saved)
    with pytest.raises(ReportError, match=MAP):
        SavedReport.open(report)


def test_an_unfinished_run_has_no_list_and_is_held_to_its_findings(report: Path, tmp_path: Path) -> None:
    writer = ReportWriter(tmp_path / "killed")
    writer.begin(header(finished=None))
    for made in files():
        writer.add(made)
    writer.__exit__(None, None, None)
    stopped = tmp_path / "killed"
    assert SavedReport.open(stopped).unfinished
    edited(stopped / "files.jsonl", '"priority":"high"', '"priority":"none"')
    with pytest.raises(ReportError, match=r"line 1 of files\.jsonl: the priority"):
        SavedReport.open(stopped)


def test_a_view_that_was_being_made_when_it_stopped_spoils_nothing(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(saved: Any, stream: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nsfwforensics.report.writer.csv.write", stop)
    with pytest.raises(KeyboardInterrupt):
        write_views(SavedReport.open(report))
    monkeypatch.undo()
    write_views(SavedReport.open(report))
    assert SavedReport.open(report).differences == ()


def test_a_report_of_version_0_1_is_read(report: Path) -> None:
    for name in ("report.json", "files.jsonl"):
        text = (report / name).read_text("utf-8").replace('"schema_version": "1.2"', '"schema_version": "1.0"')
        data = "\n".join(without_digests(line) for line in text.split("\n"))
        (report / name).write_text(data, "utf-8")
    digests.write(report)
    saved = SavedReport.open(report)
    assert len(list(saved.files())) == 3
    before = (report / "report.json").read_bytes()
    write_views(saved)
    assert (report / "report.json").read_bytes() == before
    assert b"data:image/png;base64," in (report / "report.html").read_bytes()


def without_digests(line: str) -> str:
    head, mark, rest = line.partition(f'"path":"{MAP}","sha256":"')
    return head + f'"path":"{MAP}"' + rest[65:] if mark else line


SENTENCES_0_1 = (
    "No statement of origin was found. Most platforms strip such statements, so this proves nothing.",
    "No sign of generation or face swap was found. That does not make the picture authentic.",
    "No sign of editing was found. That does not make the picture unedited.",
    "No face in the picture was similar enough to the reference photo to be reported.",
    "No known image matched. A crop, a border or a screenshot can hide a match.",
    "No sign of intimate content was found. That is not an assurance that there is none.",
    "Not checked: this version has no check for it.",
    "Not checked: not part of this run.",
    "Not checked: not applicable.",
    "Not checked: not available.",
)


def test_what_version_0_1_said_is_still_understood() -> None:
    """Whoever words a sentence anew adds the earlier one to ``NOW_SAID``, so that saved reports stay readable."""
    statuses = (AnalyzerStatus.NOT_APPLICABLE, AnalyzerStatus.NOT_AVAILABLE)
    nothing = [result("x", question, AnalyzerStatus.NOTHING_FOUND) for question in Question]
    ended = [(result("x", Question.ORIGIN, status),) for status in statuses]
    ways = [answers(nothing, complete=True), answers((), complete=True), answers((), complete=False)]
    ways += [answers(results, complete=True) for results in ended]
    said = {answer.statement for way in ways for answer in way}
    assert {NOW_SAID.get(sentence, sentence) for sentence in SENTENCES_0_1} == said


def test_reports_of_a_case_are_consistent_whatever_was_decided(tmp_path: Path) -> None:
    mark = DecisionEntry(Decision.RELEVANT, "seen", "Ann", "2026-11-01T10:00:00+00:00")
    unseen = FileReport(info=files()[0].info, skipped=True, error="not examined yet")
    marked = [apply(made, mark, {"META-001": Dismissal("META-001", "", "Ann", mark.at)}) for made in files()]
    with ReportWriter(tmp_path / "case") as writer:
        writer.begin(header())
        for made in [*marked, unseen, apply(unseen, mark, {})]:
            writer.add(made)
        writer.finish(header())
    found = list(SavedReport.open(tmp_path / "case").files())
    assert found[0].findings[0].support is Support.NO_INDICATION

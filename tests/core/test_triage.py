"""The order of triage: what was asked for and was altered, what was asked for, the rest (docs/triage.md)."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.core.discover import Target
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.types import AnalyzerResult, FileReport, Priority, Question, Severity, Support
from nsfwforensics.report.documents.csv import COLUMNS, row
from nsfwforensics.report.saved.tally import Tally
from nsfwforensics.report.words.wording import reason
from tests.report.factory import declared, file, finding, header, result

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
RUN = header(analyzers=declared("metadata", "provenance", "jpeg", "compare", "faces", "phash", "intimate"))
ORIGINALS = frozenset({"compare"})


def said(analyzer: str, question: Question, *found: tuple[str, Severity], **changes: Any) -> AnalyzerResult:
    findings = tuple(finding(f"TEST-{n:03}", title=title, severity=s, **changes) for n, (title, s) in enumerate(found))
    return result(analyzer, question, findings=findings)


FACE = said("faces", Question.IDENTITY, ("Face similar", Severity.HIGH))
MADE = said("compare", Question.KNOWN, ("Matches an original", Severity.MEDIUM))
CHANGED = result(
    "compare",
    Question.KNOWN,
    findings=(
        finding("CMP-002", title="Changed region", severity=Severity.HIGH, question=Question.ALTERATION),
        finding("CMP-001", title="Matches an original", severity=Severity.MEDIUM),
    ),
)
INTIMATE = said("intimate", Question.CONTENT, ("Intimate", Severity.HIGH))
AI_EDIT = said("provenance", Question.ORIGIN, ("Claims a change with AI", Severity.HIGH))
AI_MARKS = said("provenance", Question.ORIGIN, *[("Claims to be made with AI", Severity.MEDIUM)] * 10)
CAMERA = said("metadata", Question.ORIGIN, ("Camera", Severity.LOW))
TIMES = said("metadata", Question.ORIGIN, ("Times that do not fit together", Severity.MEDIUM))


def ordered(*files: FileReport) -> list[str]:
    tally = Tally(RUN)
    for one in files:
        tally.add(one, 0, 0)
    return [entry.path for entry in sorted(tally.entries)]


def test_in_a_folder_of_200_she_comes_first_where_the_picture_was_altered() -> None:
    folder: dict[str, tuple[AnalyzerResult, ...]] = {}
    folder |= {f"zz/altered-{n}.jpg": (FACE, CHANGED, *((INTIMATE,) if n % 2 else ())) for n in range(6)}
    folder |= {f"zz/marked-{n}.jpg": (FACE, AI_MARKS) for n in range(4)}
    folder |= {f"zz/her-{n}.jpg": (FACE, CAMERA) for n in range(10)}
    folder |= {f"aa/edit-{n}.png": (AI_EDIT, CAMERA) for n in range(30)}
    folder |= {f"aa/marks-{n}.png": (AI_MARKS, TIMES) for n in range(70)}
    folder |= {f"aa/photo-{n}.jpg": (CAMERA,) for n in range(80)}
    files = [file(path, *results) for path, results in folder.items()]
    random.Random(7).shuffle(files)
    assert len(files) == 200
    order = [path.partition("-")[0] for path in ordered(*files)]
    assert order[:6] == ["zz/altered"] * 6  # her face, in a picture that was changed
    assert order[6:10] == ["zz/marked"] * 4  # her face, in a picture that says it was made by a machine
    assert order[10:20] == ["zz/her"] * 10  # her face and nothing else, before the loudest of the rest
    assert set(order[20:]) == {"aa/edit", "aa/marks", "aa/photo"}
    intimate = [path for path in ordered(*files)[:3] if int(path[-5]) % 2]
    assert len(intimate) == 3  # face + changed + made from + intimate before face + changed + made from


def test_ten_marks_of_one_metadata_count_as_one_and_independent_checks_add_up() -> None:
    traces = said("traces", Question.ALTERATION, ("Copied part", Severity.MEDIUM))
    assert ordered(file("a.jpg", AI_MARKS), file("b.jpg", AI_MARKS, traces)) == ["b.jpg", "a.jpg"]


def test_what_is_inconclusive_counts_half_and_is_never_something_found() -> None:
    unsure = said("faces", Question.IDENTITY, ("Face, perhaps", Severity.HIGH), support=Support.INCONCLUSIVE)
    files = file("unsure.jpg", unsure), file("mark.jpg", AI_MARKS), file("made.jpg", MADE)
    assert ordered(*files) == ["made.jpg", "mark.jpg", "unsure.jpg"]


def test_the_reasons_stand_in_a_column_the_weightiest_first() -> None:
    one = file("a.jpg", CAMERA, AI_MARKS, INTIMATE, FACE, CHANGED)
    told = "Matches an original; Changed region; Face similar; Intimate; Claims to be made with AI"
    assert reason(one, ORIGINALS) == told
    assert row(one, 3, ORIGINALS)[COLUMNS.index("why")] == told
    assert row(one, 3, ORIGINALS)[COLUMNS.index("group")] == "3"


@pytest.mark.parametrize("there", [True, False])
def test_an_original_is_an_input_where_it_lies_and_a_find_elsewhere(tmp_path: Path, there: bool) -> None:
    original = tmp_path / "original.jpg"
    original.write_bytes((SAMPLES / "camera-original.jpg").read_bytes())
    suspect = original if there else tmp_path / "copy.jpg"
    suspect.write_bytes(original.read_bytes())
    plan = Plan.prepared(PlanSpec(("compare",), options={"compare": {"original": (str(original),)}}))
    (report,) = plan.infer([plan.examine_file(Target(suspect, named=True))])
    assert report.supplied_as == ("original" if there else "")
    assert report.priority is (Priority.NONE if there else Priority.MEDIUM)
    assert (reason(report) == "An original that you supplied") is there
    tally = Tally(header(analyzers=plan.analyzer_records()))
    tally.add(report, 0, 0)
    assert sum(tally.found.values()) == (0 if there else 1)

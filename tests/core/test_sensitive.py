"""A file to be handled with care: nothing that shows it is made, travels, is saved or is read back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from nsfwforensics.api import scan
from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Code, Outcome, Resources
from nsfwforensics.core.discover import Target
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.sensitive import LEFT_OUT, handled, needs_care
from nsfwforensics.core.types import AnalyzerStatus, Artifact, FileReport, Question, Severity, Support
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter
from nsfwforensics.settings import Settings
from nsfwforensics.store.signatures import as_artifact
from nsfwforensics.testing import contract_file
from tests.report.factory import file, finding, header, result, thumbnail

PICTURE = Artifact(name="map of noise", media_type="image/png", data=b"\x89PNG pixels")


def content(severity: Severity, support: Support) -> FileReport:
    """A file with a thumbnail and a map, and one finding about its content."""
    found = finding("CONT-001", severity=severity, support=support)
    return file(
        "a.jpg",
        result("intimate", Question.CONTENT, findings=(found,)),
        result("traces", Question.ALTERATION, AnalyzerStatus.NOTHING_FOUND, artifacts=(PICTURE,)),
        info={"thumbnail": thumbnail()},
    )


@pytest.mark.parametrize(
    ("severity", "support", "care"),
    [
        (Severity.HIGH, Support.SUPPORTS, True),
        (Severity.MEDIUM, Support.INCONCLUSIVE, True),
        (Severity.INFO, Support.NO_INDICATION, False),
        (Severity.INFO, Support.SUPPORTS, False),
        (Severity.HIGH, Support.NO_INDICATION, False),
    ],
)
def test_what_is_found_decides(severity: Severity, support: Support, care: bool) -> None:
    made = content(severity, support)
    assert needs_care(made.results) is care
    kept = handled(made)
    assert kept.sensitive is care
    assert (kept.info.thumbnail is None) is care
    assert any(one.artifacts for one in kept.results) is not care
    assert (LEFT_OUT in kept.notes) is care
    assert kept.info.sha256 == made.info.sha256 and kept.info.path == "a.jpg"
    assert [one.findings for one in kept.results] == [one.findings for one in made.results]
    assert handled(kept) == kept


def test_a_finding_of_another_question_does_not_count() -> None:
    loud = file("a.jpg", result(findings=(finding(severity=Severity.HIGH),)), info={"thumbnail": thumbnail()})
    assert handled(loud) is loud
    assert handled(loud, asked=True).info.thumbnail is None


def test_a_signature_for_a_case_is_no_picture() -> None:
    made = file("a.jpg", result("phash", Question.KNOWN, artifacts=(as_artifact("m1", b"12"), PICTURE)))
    (kept,) = handled(made, asked=True).results
    assert [artifact.name for artifact in kept.artifacts] == ["m1"]


class Drawing(Analyzer):
    """Draws a map of every picture, and finds intimate content where the option says so."""

    name = "drawing"
    version = "1"
    title = "Draws"
    question = Question.CONTENT
    codes: ClassVar[Mapping[str, Code]] = {"CONT-009": Code("Exposed", Severity.HIGH, "It may be wrong.")}

    class Options(AnalyzerOptions):
        exposed: bool = False

    def examine(self, evidence: Evidence) -> Outcome:
        assert evidence.image
        findings = [self.finding("CONT-009", "It may show intimate content.")] if self.options.exposed else []
        return Outcome.of(findings, {}, [PICTURE])


def plan(monkeypatch: pytest.MonkeyPatch, resources: Resources, *, exposed: bool = False) -> Plan:
    made = Plan(PlanSpec((), resources=resources))
    made.analyzers["drawing"] = Drawing(Drawing.Options(exposed=exposed), resources)
    made.origins["drawing"] = "test"
    return made


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(contract_file("plain.jpg"))
    return path


@pytest.mark.parametrize(("asked", "exposed"), [(True, False), (False, True), (False, False)])
def test_not_even_the_draft_holds_pixels(
    monkeypatch: pytest.MonkeyPatch, picture: Path, asked: bool, exposed: bool
) -> None:
    made = plan(monkeypatch, Resources(thumbnails=True, sensitive=asked), exposed=exposed)
    draft = made.examine_file(Target(picture, named=True))
    held = draft.info.thumbnail is not None, bool(draft.results["drawing"].artifacts)
    (report,) = made.infer([draft])
    careful = asked or exposed
    assert held == (not careful, not careful)
    assert report.sensitive is careful
    assert (report.info.thumbnail is None) is careful
    assert (LEFT_OUT in report.notes) is careful
    assert report.info.sha256


def test_a_run_that_asks_for_care_makes_no_pictures_and_says_so_in_its_header(picture: Path) -> None:
    run = scan([picture], only=("metadata", "traces"), thumbnails=True, sensitive=True,
               options={"traces": {"maps": True}})  # fmt: skip
    (made,) = run
    assert run.header().sensitive and made.sensitive
    assert made.info.thumbnail is None
    assert not any(one.artifacts for one in made.results)
    same = scan([picture], only=("metadata", "traces"), thumbnails=True, options={"traces": {"maps": True}})
    (shown,) = same
    assert shown.info.thumbnail and any(one.artifacts for one in shown.results)
    assert same.header().fingerprint != run.header().fingerprint, "a case must not mix the two"
    assert scan([picture], only=("metadata",), settings=Settings(sensitive=True)).header().sensitive


def test_the_writer_and_the_reader_drop_what_slipped_through(tmp_path: Path) -> None:
    with ReportWriter(tmp_path / "out") as writer:
        writer.begin(header(sensitive=True))
        writer.add(file("b.jpg", result(artifacts=(PICTURE,)), info={"thumbnail": thumbnail()}))
        writer.add(content(Severity.MEDIUM, Support.INCONCLUSIVE))
        writer.finish(header(sensitive=True))
    assert not (tmp_path / "out" / "artifacts").exists()
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert thumbnail().encode() not in everything
    saved = SavedReport.open(tmp_path / "out")
    assert all(one.sensitive and one.info.thumbnail is None for one in saved.files())

    planted = next(saved.files()).model_copy(
        update={"info": next(saved.files()).info.model_copy(update={"thumbnail": thumbnail()})}
    )
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "files.jsonl").write_text(planted.model_dump_json() + "\n", encoding="utf-8")
    assert [one.info.thumbnail for one in SavedReport.open(tmp_path / "bad").files()] == [None]

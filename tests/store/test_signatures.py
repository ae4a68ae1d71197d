"""Signatures travel with a result into a case, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from nsfwforensics.core.types import AnalyzerResult, AnalyzerStatus, Artifact, Question
from nsfwforensics.report.writer import ReportWriter
from nsfwforensics.store.signatures import MEDIA_TYPE, as_artifact, taken_out
from tests.report.factory import file as report_of
from tests.report.factory import header, result


def with_signature() -> AnalyzerResult:
    picture = Artifact(name="Map", media_type="image/png", data=b"\x89PNG")
    made = result("phash", Question.KNOWN, AnalyzerStatus.NOTHING_FOUND)
    return made.model_copy(update={"artifacts": (as_artifact("m-1", b"abc"), picture)})


def test_signatures_are_taken_out_and_other_artifacts_stay() -> None:
    left, signatures = taken_out(with_signature())
    assert signatures == {"m-1": b"abc"}
    assert [artifact.name for artifact in left.artifacts] == ["Map"]
    assert taken_out(left) == (left, {})


def test_reports_leave_signatures_out(tmp_path: Path) -> None:
    with ReportWriter(tmp_path / "report") as writer:
        writer.begin(header())
        writer.add(report_of("a.jpg", with_signature(), info={"sha256": "ab" * 32}))
        (saved,) = writer.finish(header()).files()
    assert [artifact.name for artifact in saved.results[0].artifacts] == ["Map"]
    written = b"".join(path.read_bytes() for path in (tmp_path / "report").rglob("*") if path.is_file())
    assert b"m-1" not in written and MEDIA_TYPE.encode() not in written

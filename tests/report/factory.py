"""Reports made up for the tests of the views: every outcome, hostile text, no evidence."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from nsfwforensics.core import assess
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.types import (
    AnalyzerRecord,
    AnalyzerResult,
    AnalyzerStatus,
    FileInfo,
    FileReport,
    Finding,
    Header,
    ModelRecord,
    Question,
    Region,
    Severity,
    Support,
)
from tests.pictures import saved

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "template": "{{ 7*7 }}{% raw %}",
    "markup": "[red]x[/red][link=file:///etc/passwd]y[/link]",
    "terminal": "\x1b[2J\x1b]0;title\x07\x9b31m",
    "formula": "=cmd()",
    "bidi": "photo\u202egpj.exe\u2066x\u2069",
    "nul": "a\x00b",
    "lines": "one\r\ntwo\u2028three\u2029four\x85five",
    "surrogate": "bad\udc80name",
}
"""Text that would act somewhere: in HTML, a template, Rich markup, a terminal, a spreadsheet, the reading direction."""


def declared(*names: str) -> tuple[AnalyzerRecord, ...]:
    """What a header says of built-in analyzers."""
    return Plan(PlanSpec(names)).analyzer_records()


def header(**changes: Any) -> Header:
    values: dict[str, Any] = {
        "version": "0.1.0",
        "command": "nsfwforensics scan holiday --reference her.jpg -o report",
        "started": "2026-11-21T09:14:05.120+00:00",
        "finished": "2026-11-21T09:14:31.400+00:00",
        "python": "3.12.3",
        "platform": "Linux x86_64",
        "libraries": {"pillow": "12.0.0", "torch": "2.9.0"},
        "device": "cpu",
        "engine": "inline",
        "fingerprint": "4f" * 32,
        "analyzers": tuple(
            record.model_copy(
                update={
                    "version": "1.0.0",
                    "options": {"reference": ["her.jpg"], "threshold": 0.6} if record.name == "faces" else {},
                }
            )
            for record in declared("metadata", "faces", "phash")
        ),
        "models": (
            ModelRecord(name="face-embedder", version="1", file="face.safetensors", sha256="ab" * 32, used_by="faces"),
        ),
        "references": ({"file": "her.jpg", "sha256": "cd" * 32, "faces": 1},),
        "limits": {"max_bytes": 536870912, "max_pixels": 120000000},
    }
    return Header(**(values | changes))


def finding(code: str = "META-001", **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "title": "Capture device named",
        "severity": Severity.INFO,
        "support": Support.SUPPORTS,
        "explanation": "The file says that it was taken with a Nikon D70.",
        "caveat": "Anyone can write these values into a file.",
    }
    return Finding(code=code, **(values | changes))


def result(
    analyzer: str = "metadata",
    question: Question = Question.ORIGIN,
    status: AnalyzerStatus = AnalyzerStatus.OK,
    **changes: Any,
) -> AnalyzerResult:
    values: dict[str, Any] = {"version": "1.0.0", "origin": "built-in", "seconds": 0.25}
    return AnalyzerResult(analyzer=analyzer, question=question, status=status, **(values | changes))


def file(path: str = "holiday/IMG_0001.jpg", *results: AnalyzerResult, **changes: Any) -> FileReport:
    """A file with its answers and priority as the rules of the package make them."""
    info: dict[str, Any] = {
        "path": path,
        "name": path.rsplit("/", 1)[-1],
        "size": 2_345_678,
        "modified": "2026-11-20T18:00:00.000+00:00",
        "sha256": _digest(path),
        "media_type": "image/jpeg",
        "width": 1600,
        "height": 1200,
        "frames": 1,
        "decoded_share": 1.0,
    } | changes.pop("info", {})
    made = FileReport(info=FileInfo(**info), results=results, **changes)
    return made.model_copy(
        update={
            "answers": assess.answers(results, complete=True, reason=made.error),
            "priority": assess.priority(results, made.status),
        }
    )


def _digest(path: str) -> str:
    """One of its own for every path, so that no file is taken for a copy of another."""
    usual = path in ("holiday/IMG_0001.jpg", "holiday/everything.jpg")
    return "0123456789abcdef" * 4 if usual else hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()


def every_outcome(path: str = "holiday/everything.jpg") -> FileReport:
    """One file in which each of the five analyzer outcomes occurs, and each kind of support."""
    return file(
        path,
        result("metadata", Question.ORIGIN, AnalyzerStatus.OK, findings=(finding(),)),
        result("provenance", Question.ORIGIN, AnalyzerStatus.NOT_AVAILABLE, error="needs the extra that is not here"),
        result(
            "deepfake",
            Question.SYNTHESIS,
            AnalyzerStatus.OK,
            findings=(
                finding(
                    "DEEP-002",
                    title="Undecided",
                    severity=Severity.MEDIUM,
                    support=Support.INCONCLUSIVE,
                    likelihood=0.52,
                    explanation="The classifier's answer turns when the picture is made a little smaller.",
                    caveat="Small and recompressed pictures often end here.",
                    region=Region(x=400, y=200, width=300, height=360),
                ),
            ),
        ),
        result("jpeg", Question.ALTERATION, AnalyzerStatus.FAILED, error="ValueError: broken table"),
        result("faces", Question.IDENTITY, AnalyzerStatus.NOT_APPLICABLE, error="no reference photo was given"),
        result("phash", Question.KNOWN, AnalyzerStatus.NOTHING_FOUND, measurements={"md5": "00" * 16}),
        result("intimate", Question.CONTENT, AnalyzerStatus.NOT_AVAILABLE, error="the extra 'intimate' is missing"),
    )


def hostile_file(text: str) -> FileReport:
    """One file that carries the text everywhere that text out of a file can get to."""
    return file(
        f"holiday/{text}.jpg",
        result(
            "metadata",
            Question.ORIGIN,
            AnalyzerStatus.OK,
            findings=(
                finding(title=text, explanation=text, caveat=text, data={text: [text], "nested": {"deep": {text: 1}}}),
                finding("META-009", title="Second", severity=Severity.HIGH, explanation=f"It says {text}."),
            ),
            measurements={
                "fields": [{"source": text, "group": text, "tag": text, "name": text, "text": text}],
                text: 1,
            },
        ),
        result("faces", Question.IDENTITY, AnalyzerStatus.FAILED, error=text),
        result(
            "other",
            Question.KNOWN,
            AnalyzerStatus.NOTHING_FOUND,
            origin="plugin 1.0",
            measurements={"rows": [{text: text, "b": 1.0}], "list": [[text], {"x": {"y": text}}]},
        ),
        result("phash", Question.KNOWN, AnalyzerStatus.OK, measurements={"md5": text, "pdq": text, "pdq_quality": 1}),
    )


def thumbnail(width: int = 160, height: int = 120) -> str:
    """A small drawn picture as base64 JPEG."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), (90, 140, 190))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((width // 4, height // 4, width // 2, height * 3 // 4), fill=(240, 200, 90))
    pen.rectangle((width * 5 // 8, height // 3, width * 7 // 8, height * 7 // 8), fill=(60, 80, 60))
    return base64.b64encode(saved(picture, "JPEG")).decode("ascii")

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from nsfwforensics.core.types import report_schema
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import HOSTILE, every_outcome, file, header, hostile_file, result, thumbnail

EXPORTED = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"


def schema_text() -> str:
    return json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n"


def test_the_exported_schema_is_current() -> None:
    assert EXPORTED.read_text(encoding="utf-8") == schema_text(), "docs/report.schema.json must be exported again"
    jsonschema.Draft202012Validator.check_schema(report_schema())


def test_what_is_written_is_valid(tmp_path: Path) -> None:
    with ReportWriter(tmp_path) as writer:
        writer.begin(header())
        for made in (
            every_outcome(),
            file("gone.jpg", error="cannot be read"),
            file("c.txt", error="no image", skipped=True),
            file("thumb.jpg", result(), info={"thumbnail": thumbnail()}),
            *(hostile_file(text) for text in HOSTILE.values()),
        ):
            writer.add(made)
        writer.finish(header())
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(json.loads(EXPORTED.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(document)] == []
    document["files"][0]["verdict"] = "fake"
    with pytest.raises(jsonschema.ValidationError, match="verdict"):
        validator.validate(document)


def test_each_line_of_the_stream_is_a_file_of_the_document(tmp_path: Path) -> None:
    with ReportWriter(tmp_path) as writer:
        writer.add(every_outcome())
        writer.add(file("b.jpg", result()))
        writer.finish(header())
    lines = (tmp_path / "files.jsonl").read_text(encoding="utf-8").splitlines()
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [json.loads(line) for line in lines] == document["files"]

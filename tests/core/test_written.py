"""JSON that travels with a report says what the report says, and never what another one said."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from nsfwforensics.core.types import FileReport
from nsfwforensics.core.written import line, write, written
from nsfwforensics.report.saved.json import file_line
from tests.report.factory import HOSTILE, every_outcome, file, hostile_file, result

REPORTS = [every_outcome(), *map(hostile_file, HOSTILE.values()), file("gone.jpg", error="cannot be read"), file()]


@pytest.mark.parametrize("report", REPORTS)
def test_it_is_the_same_json_wherever_it_was_made(report: FileReport) -> None:
    plain, shown = report.model_dump_json(), file_line(report)
    assert written(report) is None
    made = report.model_copy()
    write(made)
    arrived = pickle.loads(pickle.dumps(made))
    for each in (made, arrived):
        assert written(each) is not None
        assert line(each) == shown.encode()
        assert file_line(each) == shown
        assert json.loads(line(each)) == json.loads(plain)
        assert each == report
        assert each.model_dump() == report.model_dump()
        assert each.model_dump_json() == plain


def test_a_copy_with_other_values_brings_none() -> None:
    report = file("a.jpg", result())
    write(report)
    for each in (
        report.model_copy(update={"error": "broken"}),
        report.model_copy(deep=True),
        copy.copy(report),
        copy.deepcopy(report),
        FileReport.model_validate({**dict(report), "error": "broken"}),
    ):
        assert written(each) is None
    assert b'"broken"' in line(report.model_copy(update={"error": "broken"}))

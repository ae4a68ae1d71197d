"""What a worker answers travels as text and bytes: no error of a stranger's is made again here."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from nsfwforensics import errors
from nsfwforensics.execution.answers import LONGEST_RECORD, MOST_RECORDS, Reply, answered, taken
from nsfwforensics.execution.base import OUT_OF_MEMORY, Lost


class OddError(Exception):
    """Cannot be made again from what it was made of."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(one)


class Sticky:
    """Can be sent, and not be read again."""

    def __reduce__(self) -> Any:
        return (int, ("no number",))


class ClosedError(errors.WeightsError):
    """A stranger's own kind of one of ours."""


def raising(error: BaseException) -> Any:
    logging.getLogger("nsfwforensics.somewhere").debug("before it %s", "failed")
    raise error


@pytest.mark.parametrize(
    ("error", "problem", "kind"),
    [
        (OddError(1, 2), "OddError: 1", ""),
        (SystemExit(0), "SystemExit: 0", ""),
        (KeyboardInterrupt(), "KeyboardInterrupt", ""),
        (MemoryError(), OUT_OF_MEMORY, ""),
        (errors.UsageError("no such"), "no such", "UsageError"),
        (ClosedError("no such"), "no such", "WeightsError"),
    ],
)
def test_whatever_is_raised_is_a_reason(error: BaseException, problem: str, kind: str) -> None:
    answer = answered(False, raising, error)
    assert (answer.value, answer.problem, answer.kind, answer.records) == (None, problem, kind, ())
    assert taken(answer) == Lost(problem)


def test_a_value_comes_back_and_one_that_cannot_travel_is_a_reason() -> None:
    assert taken(answered(False, divmod, 7, 2)) == (3, 1)
    assert isinstance(taken(answered(False, lambda: lambda: None)), Lost)
    assert isinstance(taken(answered(False, Sticky)), Lost)
    assert isinstance(taken(Reply(b"no pickle")), Lost)


def test_what_was_logged_travels_along_where_somebody_listens(caplog: pytest.LogCaptureFixture) -> None:
    answer = answered(True, raising, OddError(1, 2))
    assert answer.records[0].name == "nsfwforensics.somewhere"
    assert "Traceback (most recent call last)" in answer.records[-1].text
    caplog.set_level(logging.DEBUG, logger="nsfwforensics")
    caplog.clear()
    taken(answer)
    assert [record.name for record in caplog.records] == [record.name for record in answer.records]
    assert "before it failed" in caplog.text


def chatty() -> None:
    for _ in range(10 * MOST_RECORDS):
        logging.getLogger("nsfwforensics.somewhere").debug("x" * 10 * LONGEST_RECORD)


def test_a_worker_cannot_say_more_than_is_listened_to() -> None:
    records = answered(True, chatty).records
    assert len(records) == MOST_RECORDS
    assert max(len(record.text) for record in records) == LONGEST_RECORD

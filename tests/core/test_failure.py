"""What is said of an error is one line, whatever the error makes of being asked."""

from __future__ import annotations

import pytest

from nsfwforensics.core.assess import failed_report
from nsfwforensics.core.failure import LONGEST_REASON, reason_of
from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.types import FileInfo, FileStatus, Priority, Support
from nsfwforensics.errors import EvidenceError


class MuteError(Exception):
    """Raises whatever it was made with when it is asked what it is."""

    def __str__(self) -> str:
        raise self.args[0]


class SilentError(EvidenceError):
    """One of ours, by its class."""

    def __str__(self) -> str:
        raise SystemExit(0)


class NoTextError(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("two\n words"), "ValueError: two words"),
        (ValueError(), "ValueError"),
        (EvidenceError(say("it is {what}", what="broken")), "it is broken"),
        (MemoryError(), "ran out of memory"),
        (SystemExit(3), "SystemExit: 3"),
        (MuteError(ValueError("never")), "MuteError"),
        (MuteError(SystemExit(0)), "MuteError"),
        (MuteError(KeyboardInterrupt()), "MuteError"),
        (NoTextError(), "NoTextError"),
        (SilentError(7), "SilentError"),
        (ValueError(b"\xff", "\udcff"), r"ValueError: (b'\xff', '\udcff')"),
    ],
)
def test_one_line(error: BaseException, said: str) -> None:
    assert reason_of(error) == said


def test_a_message_stays_one_and_long_words_are_cut() -> None:
    assert isinstance(reason_of(EvidenceError(say("it is {what}", what="broken"))), Message)
    assert len(reason_of(ValueError("x" * 10**6))) < LONGEST_REASON + 20


def test_a_failed_report_answers_nothing() -> None:
    failed = failed_report(FileInfo(path="a.jpg", name="a.jpg"), "the reason")
    assert failed.status is FileStatus.FAILED
    assert failed.priority is Priority.LOW
    assert {answer.support for answer in failed.answers} == {Support.NOT_CHECKED}
    assert all("the reason" in answer.statement for answer in failed.answers)

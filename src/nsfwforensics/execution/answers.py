"""What a worker process answers: a value, or why there is none, and what was logged meanwhile.

Errors do not travel as objects: reading one back runs code of whoever wrote its class, and where that fails the pool
waits for an answer that never comes. Text goes instead, a traceback too where somebody listens.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from nsfwforensics import errors
from nsfwforensics.core.failure import reason_of
from nsfwforensics.execution.base import OUT_OF_MEMORY, Lost

PACKAGE = errors.__name__.partition(".")[0]

MOST_RECORDS = 200
"""Most records that one answer brings along."""

LONGEST_RECORD = 20_000
"""Most characters of one record, its traceback included."""

_log = logging.getLogger(__name__)


class Record(NamedTuple):
    """What was logged in a worker."""

    name: str
    level: int
    text: str


class Reply(NamedTuple):
    """What comes back from a worker.

    Attributes:
        value: What the function returned, pickled; None where it returned nothing.
        problem: Why it returned nothing, else None.
        kind: Which of this package's errors that was; empty for any other.
        records: What was logged meanwhile.
    """

    value: bytes | None
    problem: str | None = None
    kind: str = ""
    records: tuple[Record, ...] = ()


def listening() -> bool:
    """Whether this process wants to know what workers log."""
    return logging.getLogger(PACKAGE).isEnabledFor(logging.DEBUG)


@contextmanager
def collected(wanted: bool) -> Iterator[list[Record]]:
    """Collects what is logged in a worker.

    Args:
        wanted: Whether anybody listens; otherwise nothing is collected.

    Yields:
        The records so far.
    """
    records: list[Record] = []
    if not wanted:
        yield records
        return
    handler, ours = _Collector(records), logging.getLogger(PACKAGE)
    logging.getLogger().addHandler(handler)
    ours.setLevel(logging.DEBUG)
    try:
        yield records
    finally:
        ours.setLevel(logging.NOTSET)
        logging.getLogger().removeHandler(handler)


def answered(wanted: bool, call: Callable[..., Any], *arguments: Any) -> Reply:
    """Calls a function in a worker; whatever it raises becomes the reason why there is no value.

    Args:
        wanted: Whether anybody wants to know what is logged.
        call: A module's function.
        arguments: Its arguments.
    """
    value, problem, kind = None, None, ""
    with collected(wanted) as records:
        try:
            value = pickle.dumps(call(*arguments))
        except BaseException as error:  # noqa: BLE001 - the boundary of the worker
            _log.debug("%s failed", call.__qualname__, exc_info=True)
            problem = OUT_OF_MEMORY if isinstance(error, MemoryError) else reason_of(error)
            kind = next((one.__name__ for one in type(error).__mro__ if one.__module__ == errors.__name__), "")
    return Reply(value, problem, kind, tuple(records))


def taken(answer: Reply) -> Any | Lost:
    """The value of an answer, or why there is none; what the worker logged is logged here.

    Args:
        answer: As a worker gave it.
    """
    log_again(answer.records)
    if answer.value is None:
        return Lost(answer.problem or "")
    try:
        return pickle.loads(answer.value)  # noqa: S301 # nosec B301 - from a worker of ours
    except Exception as error:  # noqa: BLE001 - making objects runs what their classes bring, a stranger's too
        _log.debug("an answer cannot be read", exc_info=True)
        return Lost(reason_of(error))


def log_again(records: tuple[Record, ...] | list[Record]) -> None:
    """Logs here what was logged in a worker."""
    for record in records[:MOST_RECORDS]:
        fields = {"name": record.name, "levelno": record.level, "levelname": logging.getLevelName(record.level)}
        _log.handle(logging.makeLogRecord({**fields, "msg": "%s", "args": (record.text,)}))


class _Collector(logging.Handler):
    """Keeps records as text."""

    def __init__(self, records: list[Record]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._records) < MOST_RECORDS:
            try:
                text = self.format(record)
            except Exception as error:  # noqa: BLE001 - an argument that cannot be shown
                text = reason_of(error)
            self._records.append(Record(record.name, record.levelno, text[:LONGEST_RECORD]))

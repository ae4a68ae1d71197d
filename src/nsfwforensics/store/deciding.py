"""Decisions as they are made by people at work: with the entry in the custody log that names them, or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nsfwforensics.errors import CaseError
from nsfwforensics.store import custody_log
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.custody_log import DECISIONS, Happening
from nsfwforensics.store.rows import NewMark


class DecidedMeanwhileError(CaseError):
    """Somebody decided about one of the files after the one who decides now was shown them."""


def decide(
    case: CaseDatabase,
    given: Sequence[NewMark],
    what: Happening,
    shown: Mapping[str, int] | None = None,
    by: str | None = None,
) -> None:
    """Records decisions about contents, and in the same transaction what the custody log says of them.

    Args:
        case: Open and writable.
        given: What is decided.
        what: What the log is to say; that decisions changed is added.
        shown: How many decisions the person who decides knew of, by SHA-256: where there are others now, nothing is
            written. None to write whatever was decided meanwhile.
        by: Whose decisions those are; None for everybody's.

    Raises:
        DecidedMeanwhileError: Another decision was made meanwhile; nothing was written.
        CaseError: It could not be written.
    """

    def write(connection: sqlite3.Connection) -> None:
        for sha256, number in (shown or {}).items():
            if sum(by in (None, mark.by) for mark in case.history(sha256)) != number:
                raise DecidedMeanwhileError("somebody decided about this meanwhile; nothing was written")
        for mark in given:
            case.add_mark(connection, mark)

    custody_log.append(case, replace(what, states=tuple({*what.states, DECISIONS})), write)

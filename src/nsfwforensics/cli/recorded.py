"""What a command did to a case, written to the case's custody log."""

from __future__ import annotations

from collections.abc import Mapping

from nsfwforensics.cli.commands import command_line
from nsfwforensics.cli.failures import note
from nsfwforensics.errors import CaseError
from nsfwforensics.store import custody_log
from nsfwforensics.store.casedb import CaseDatabase


def record(
    case: CaseDatabase,
    kind: str,
    *,
    operator: str = "",
    subject: str = "",
    counts: Mapping[str, int] | None = None,
    digests: Mapping[str, str] | None = None,
    changed: tuple[str, ...] = (),
) -> None:
    """Adds an entry to the custody log of a case.

    Args:
        case: Open.
        kind: What was done, in a few words.
        operator: Who; the case's operator if empty.
        subject: What it was done to.
        counts: How many of what.
        digests: SHA-256 by what it is of.
        changed: What it changed in the case: names of states of :mod:`nsfwforensics.store.custody_log`.

    Raises:
        CaseError: The log cannot be written, and the case was changed. Where it was only read, that is a remark.
    """
    about = custody_log.Happening(kind, command_line(), operator, subject, counts or {}, digests or {}, changed)
    try:
        custody_log.append(case, about)
    except CaseError as error:
        if changed:
            raise
        note(f"this run is not in the custody log of the case: {error}")

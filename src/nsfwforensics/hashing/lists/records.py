"""Hash lists in JSON: records of StopNCII, of ThreatExchange, and of this tool's own ``hash --format json``.

A file may hold one array, an answer of an exchange with the array inside (``hashRecords``, ``data``), or one record
after the other. It is read in pieces, so its size does not matter; one record may have 64 KiB.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from nsfwforensics.hashing.lists.items import HashKind, KnownItem, Opinion, opinion_of
from nsfwforensics.hashing.lists.rows import (
    BadLineError,
    LongHash,
    column,
    from_fields,
    hash_bytes,
    opinion,
    shown,
    signal_kind,
)

LONGEST_RECORD = 1 << 16
WITHDRAWN = frozenset({"Withdrawn", "Deleted"})
"""States of a StopNCII record that ask whoever has it to delete it."""

_STATES = frozenset({"Unknown", "Received", "Active", *WITHDRAWN})
_INSIDE = re.compile(r'"(?:hashRecords|data)"\s*:\s*\[')
_END = re.compile(r"\s*\]")
_OPINIONS = {"MALICIOUS": Opinion.POSITIVE, "NON_MALICIOUS": Opinion.NEGATIVE, "SUSPICIOUS": Opinion.INVESTIGATION_SEED}


class WithdrawnError(BadLineError):
    """A record that is to be purged.

    Attributes:
        hash: Its kind and value.
    """

    def __init__(self, kind: HashKind, value: bytes) -> None:
        super().__init__("withdrawn")
        self.hash = (kind, value)


def records(stream: TextIO) -> Iterator[tuple[int, Any]]:
    """The records of a file with their numbers from 1 on; a :class:`BadLineError` stands for one that is broken."""
    decoder = json.JSONDecoder()
    buffer = stream.read(2 * LONGEST_RECORD)
    inside = _INSIDE.search(buffer, 0, LONGEST_RECORD)
    if inside:
        buffer = buffer[inside.end() :]
    place = number = 0
    ended = False
    while True:
        if not ended and len(buffer) - place < LONGEST_RECORD:
            more = stream.read(LONGEST_RECORD)
            buffer, place, ended = buffer[place:] + more, 0, not more
            continue
        place = buffer.find("{", place)
        if place < 0:
            if ended:
                return
            buffer, place = "", 0
            continue
        if not ended and len(buffer) - place < LONGEST_RECORD:
            continue
        number += 1
        try:
            record, place = decoder.raw_decode(buffer, place)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "numbers or nesting beyond measure"
            yield number, BadLineError(f"no JSON record: {reason}")
            following = buffer.find("\n", place)  # a broken record costs its line, or all that is in memory
            place = len(buffer) if following < 0 else following
        else:
            yield number, record
            if inside and _END.match(buffer, place):
                return


def from_record(record: Any, long_hash: LongHash) -> KnownItem:
    """One record as an item.

    Raises:
        WithdrawnError: It was withdrawn or deleted.
        OtherSignalError: It is a signal of another kind.
        BadLineError: It is nothing that is known here, or a value does not fit.
    """
    if not isinstance(record, dict):
        raise BadLineError("no record")
    if "signalType" in record and "hashValue" in record:
        return _stopncii(record)
    if "indicator" in record and "type" in record:
        return _threatexchange(record)
    if any(record.get(kind.value) for kind in HashKind):
        return _ours(record)
    return from_fields(
        {column(name): str(value) for name, value in record.items() if isinstance(value, str | int)}, long_hash
    )


def _stopncii(record: Mapping[str, Any]) -> KnownItem:
    kind = signal_kind(text_of(record, "signalType"))
    value = hash_bytes(text_of(record, "hashValue"), kind)
    status = text_of(record, "hashStatus")
    if status in WITHDRAWN:
        raise WithdrawnError(kind, value)
    if status and status not in _STATES:
        raise BadLineError(f"unknown hashStatus: {shown(status)}")
    given = record.get("caseNumbers") or {}
    if not isinstance(given, dict):
        raise BadLineError("caseNumbers is no object")
    # A case that was withdrawn asks for nothing any more; its number is deleted like the hash would be.
    cases = tuple((str(case), str(state)) for case, state in given.items() if str(state) not in WITHDRAWN)
    if given and not cases:
        raise WithdrawnError(kind, value)
    feedback = tuple(feedback_of(entry) for entry in record.get("CSPFeedbacks") or ())
    named = opinion(text_of(record, "opinion")) if "opinion" in record else opinion_of(status, feedback)
    return KnownItem.single(
        kind,
        value,
        opinion=named,
        status=status,
        cases=cases,
        feedback=feedback,
        modified=whole_of(record, "lastModtimestamp"),
    )


def feedback_of(entry: Any) -> tuple[str, str, tuple[str, ...]]:
    """What one platform said of a record: source, value, tags.

    Raises:
        BadLineError: It is of another shape.
    """
    if not isinstance(entry, dict):
        raise BadLineError("an entry of CSPFeedbacks is no object")
    tags = entry.get("tags") or ()
    if not isinstance(tags, (list, tuple)):
        raise BadLineError("tags is no array")
    return text_of(entry, "source"), text_of(entry, "feedbackValue"), tuple(str(tag) for tag in tags)


def _threatexchange(record: Mapping[str, Any]) -> KnownItem:
    kind = signal_kind(text_of(record, "type"))
    value = hash_bytes(text_of(record, "indicator"), kind)
    named = opinion(text_of(record, "opinion")) if "opinion" in record else _OPINIONS.get(text_of(record, "status"))
    return KnownItem.single(kind, value, opinion=named)


def _ours(record: Mapping[str, Any]) -> KnownItem:
    hashes: dict[str, Any] = {
        kind.value: hash_bytes(text_of(record, kind.value), kind) for kind in HashKind if record.get(kind.value)
    }
    quality = whole_of(record, "pdq_quality")
    if quality is not None and quality > 100:
        raise BadLineError("pdq_quality above 100")
    name = text_of(record, "path")
    named = opinion(text_of(record, "opinion"))
    return KnownItem(**hashes, quality=quality, name=name, size=whole_of(record, "size"), opinion=named)


def text_of(record: Mapping[str, Any], field: str) -> str:
    """A member that is text; empty where it is missing.

    Raises:
        BadLineError: It is something else.
    """
    value = record.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadLineError(f"{field} is no text")
    return value


def whole_of(record: Mapping[str, Any], field: str) -> int | None:
    """A member that is a whole number from 0 on; None where it is missing.

    Raises:
        BadLineError: It is something else.
    """
    value = record.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise BadLineError(f"{field} is no whole number")
    return value

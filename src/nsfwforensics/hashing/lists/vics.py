"""Project VIC's and CAID's lists (VICS 1.3 and 2.0): JSON in OData's envelope, read in pieces however large it is.

``value`` holds media, or cases that hold them in ``Media``. A medium has its digests, the copies of its file in
``MediaFiles`` and further hashes in ``AlternativeHashes``. Hashes of PhotoDNA are passed over: nothing here computes
them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from nsfwforensics.hashing.lists.items import HashKind, KnownItem, Opinion
from nsfwforensics.hashing.lists.records import feedback_of, text_of, whole_of
from nsfwforensics.hashing.lists.rows import (
    PHOTODNA,
    BadLineError,
    ListLimitError,
    OtherSignalError,
    PhotoDnaError,
    column,
    hash_bytes,
    opinion,
    signal_kind,
)

LONGEST_MEDIUM = 1 << 20
"""So many characters may describe one medium."""

OWN = "nsfwforensics"
"""The member of a medium that holds what VICS has no place for, where this tool wrote it."""

_CHUNK = 1 << 20
_LEAST = 1 << 16
_DEEPEST = 8
_WASTED = 1 << 26
_HOLDERS = ("value", "Media")
_HOLDER = re.compile(r'"(?:value|Media)"\s*:\s*\[')
_SPACE = re.compile(r"[\s,}]*")
_SCALAR = re.compile(r"[^\s,:\]}\[{\"]+")
_COLON = re.compile(r"\s*:\s*")

CONFIRMED = frozenset({1, 2, 3})
"""Categories that are taken for the material itself."""


def media(stream: TextIO) -> Iterator[tuple[int, Any]]:
    """The media of a file with their numbers from 1 on; a :class:`BadLineError` stands for one that is broken.

    Raises:
        ListLimitError: So much of it is broken, or so deep, that it is no such list.
    """
    window = _Window(stream)
    number, depth, key = 0, 0, ""
    while (char := window.next()) is not None:
        if char == "{" and not key:
            found, inside = window.record()
            if inside:
                depth += 1
                if depth > _DEEPEST:
                    raise ListLimitError("media nested deeper than in any list")
                continue
            for one in _within(found, 0) if isinstance(found, dict) else (found,):
                number += 1
                yield number, one
        elif char == '"':
            name = window.value()
            key = name if isinstance(name, str) and window.skip(_COLON) else ""
        elif char == "[" and (not key or key in _HOLDERS):
            window.place += 1
            key = ""
        elif char in "{[":
            key = ""
            if isinstance(error := window.value(), BadLineError):
                number += 1
                yield number, error
        else:
            key = ""
            if not window.skip(_SCALAR):
                window.place += 1


def _within(record: dict[str, Any], depth: int) -> Iterator[Any]:
    """The media in an envelope or a case that was small enough to be read at once."""
    held = [record[name] for name in _HOLDERS if name in record and isinstance(record[name], list)]
    if not held or depth > _DEEPEST:
        yield record
    for entries in held:
        for one in entries:
            if isinstance(one, dict):
                yield from _within(one, depth + 1)
            else:
                yield BadLineError("no record")


class _Window:
    """The part of a file that is being looked at."""

    def __init__(self, stream: TextIO) -> None:
        self.place = 0
        self._stream = stream
        self._buffer = ""
        self._ended = False
        self._wasted = 0
        self._decode = json.JSONDecoder().raw_decode

    def next(self) -> str | None:
        """The next character that means something, or None at the end."""
        while True:
            self._have(_LEAST)
            space = _SPACE.match(self._buffer, self.place)
            self.place = space.end() if space else self.place
            if self.place < len(self._buffer):
                return self._buffer[self.place]
            if self._ended:
                return None

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Goes beyond what a pattern matches here, and says whether it does."""
        self._have(_LEAST)
        match = pattern.match(self._buffer, self.place)
        self.place = match.end() if match else self.place
        return match is not None

    def value(self) -> Any:
        """The value that begins here; a :class:`BadLineError` where there is none, and what follows is passed over."""
        for wanted in (_LEAST, LONGEST_MEDIUM):
            self._have(wanted)
            try:
                found, self.place = self._decode(self._buffer, self.place)
                return found
            except (ValueError, RecursionError) as failure:
                error = failure
                self._waste()
        return self._broken(error)

    def record(self) -> tuple[Any, bool]:
        """The record that begins here, or whether it is one that holds others, into which the place is moved."""
        error: Exception = ValueError()
        for wanted in (_LEAST, LONGEST_MEDIUM):
            self._have(wanted)
            try:
                found, self.place = self._decode(self._buffer, self.place)
                return found, False
            except (ValueError, RecursionError) as failure:
                error = failure
                self._waste()
        if held := _HOLDER.search(self._buffer, self.place, self.place + LONGEST_MEDIUM):
            self.place = held.end()
            return None, True
        return self._broken(error), False

    def _broken(self, error: Exception) -> BadLineError:
        following = self._buffer.find("\n", self.place)
        self.place = len(self._buffer) if following < 0 else following + 1
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "numbers or nesting beyond measure"
        return BadLineError(f"no JSON record: {reason}")

    def _waste(self) -> None:
        self._wasted += len(self._buffer) - self.place
        if self._wasted > _WASTED:
            raise ListLimitError("too much of it is broken JSON")

    def _have(self, wanted: int) -> None:
        if self._ended or len(self._buffer) - self.place >= wanted:
            return
        parts = [self._buffer[self.place :]]
        size = len(parts[0])
        while size < wanted + _CHUNK and not self._ended:
            parts.append(self._stream.read(_CHUNK))
            size += len(parts[-1])
            self._ended = not parts[-1]
        self._buffer, self.place = "".join(parts), 0


def from_medium(record: Any) -> Iterator[KnownItem | BadLineError]:
    """The entries of one medium: itself, and copies of its file with other digests; what is passed over in between."""
    try:
        if not isinstance(record, dict):
            raise BadLineError("no record")
        hashes, passed = _hashes(record)
        files = record.get("MediaFiles")
        copies = [one for one in files if isinstance(one, dict)] if isinstance(files, list) else []
        if not hashes and copies:  # the digests stand with the file alone
            hashes, _ = _hashes(copies[0])
        yield from passed
        if not hashes:
            if passed:
                return
            raise BadLineError("no hash in it")
        details = _details(record)
        name = text_of(copies[0], "FileName") if copies else text_of(record, "FileName")
        yield KnownItem(**hashes, name=name, **details)
        for copy in copies:
            if all(copy.get(member) in (None, "", record.get(member)) for member in _MEMBERS.values()):
                continue
            others, _ = _hashes(copy)
            if any(hashes.get(kind, value) != value for kind, value in others.items()):
                fields: dict[str, Any] = {**others, **details, "name": text_of(copy, "FileName"), "quality": None}
                yield KnownItem(**fields)
    except BadLineError as error:
        yield error


def _hashes(record: Mapping[str, Any]) -> tuple[dict[str, Any], list[BadLineError]]:
    """The hashes of a medium or a file by their kinds, and those of other kinds."""
    hashes: dict[str, Any] = {}
    for kind, member in _MEMBERS.items():
        if member in record and (text := text_of(record, member)):
            hashes[kind.value] = hash_bytes(text, kind)
    passed: list[BadLineError] = [_PHOTODNA for name in _PHOTODNA_MEMBERS if record.get(name)]
    further = record.get("AlternativeHashes")
    for one in further if isinstance(further, list) else ():
        if isinstance(one, dict) and one.get("HashValue"):
            name = text_of(one, "HashName")
            if column(name) in PHOTODNA:
                passed.append(_PHOTODNA)
                continue
            try:
                kind = signal_kind(name)
                hashes.setdefault(kind.value, hash_bytes(text_of(one, "HashValue"), kind))
            except OtherSignalError as error:
                passed.append(error)
            except BadLineError as error:
                passed.append(error if column(name) in _KNOWN else OtherSignalError(str(error)))
    return hashes, passed


_MEMBERS = {HashKind.MD5: "MD5", HashKind.SHA1: "SHA1", HashKind.SHA256: "SHA256", HashKind.PDQ: "PDQ"}
_PHOTODNA = PhotoDnaError()
_PHOTODNA_MEMBERS = ("PhotoDNA", "PhotoDna", "PDNA")
_KNOWN = {kind.value for kind in HashKind}


def _details(record: Mapping[str, Any]) -> dict[str, Any]:
    category = _number(record, "Category")
    details: dict[str, Any] = {"size": _number(record, "MediaSize"), "category": category}
    own = record.get(OWN)
    if not isinstance(own, dict):
        return details | {"opinion": opinion_of_category(category)}
    quality = whole_of(own, "quality")
    if quality is not None and quality > 100:
        raise BadLineError("quality above 100")
    cases, feedback = own.get("cases") or [], own.get("feedback") or []
    if not isinstance(cases, list) or not all(isinstance(case, list) and len(case) == 2 for case in cases):
        raise BadLineError("cases is no array of pairs")
    if not isinstance(feedback, list):
        raise BadLineError("feedback is no array")
    return details | {
        "category": None if own.get("uncategorised") is True else category,
        "quality": quality,
        "opinion": opinion(text_of(own, "opinion")),
        "status": text_of(own, "status"),
        "cases": tuple((str(number), str(state)) for number, state in cases),
        "feedback": tuple(map(feedback_of, feedback)),
        "modified": whole_of(own, "modified"),
    }


def _number(record: Mapping[str, Any], field: str) -> int | None:
    """A whole number that may be written as text."""
    value = record.get(field)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return None if value == "" else whole_of(record, field)


def opinion_of_category(category: int | None) -> Opinion | None:
    """What a category says where the list says nothing else.

    The first three are taken for the material itself; the others may be not categorised yet, comparison or not
    pertinent, which differs between countries: such an entry is reported, and not confirmed.
    """
    return None if category is None or category in CONFIRMED else Opinion.INVESTIGATION_SEED


def medium(item: KnownItem, number: int) -> dict[str, Any]:
    """An entry as a medium of VICS 2.0, with all that is known of it."""
    record: dict[str, Any] = {"MediaID": number, "Category": item.category or 0}
    record |= {
        member: value.hex().upper()
        for member, value in (("MD5", item.md5), ("SHA1", item.sha1))
        if value is not None
    }  # fmt: skip
    further = [
        {"HashName": name, "HashValue": value.hex()}
        for name, value in (("SHA256", item.sha256), ("PDQ", item.pdq))
        if value is not None
    ]
    record |= {"AlternativeHashes": further} if further else {}
    record |= {"MediaSize": item.size} if item.size is not None else {}
    if item.name:
        record["MediaFiles"] = [{"FileName": item.name} | ({"MD5": record["MD5"]} if item.md5 is not None else {})]
    own = {
        "opinion": item.opinion.value if item.opinion else None,
        "quality": item.quality,
        "status": item.status or None,
        "cases": [list(case) for case in item.cases] or None,
        "feedback": [
            {"source": source, "feedbackValue": said, "tags": list(tags)} for source, said, tags in item.feedback
        ] or None,
        "modified": item.modified,
        "uncategorised": True if item.category is None else None,
    }  # fmt: skip
    if item.opinion is opinion_of_category(item.category):
        plain = {name for name, value in own.items() if value is not None} <= {"opinion"}
        if plain and item.category is not None:
            return record
    return record | {OWN: {name: value for name, value in own.items() if value is not None}}

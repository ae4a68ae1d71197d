"""What many files of a large report have in common, written once: sentences, caveats, rates, tables, whole answers.

A value that several files hold stands in the document's ``common`` list, and in a file's line the text ``"=7"`` stands
for the seventh of them. An object that begins with the fields of the eighth has ``"=+8":0`` in their place: so begin
the fields of metadata, which differ in their value alone. Text that begins with ``=`` itself, a key too, begins with
one more. Values of the list hold no such references, so nothing grows by being read. Fields that have their default are
left out. A file without them is read as the same :class:`FileReport`; ``report DIR --json`` prints every file in full.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice, takewhile
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json, to_json, to_jsonable_python

from nsfwforensics.core.types import AnalyzerResult, Answer, Artifact, FileInfo, FileReport, FileState, Finding
from nsfwforensics.errors import ReportError

LEAST = 24
"""Shorter text is written where it stands."""

MOST = 4096
"""The longest value that is shared, in bytes of JSON."""

MOST_EXPANDED = 256_000_000
"""The longest line that is put together again, in bytes: far beyond what one file may say."""

LONGEST_HEAD = 6
"""So many fields at the beginning of an object are shared at most without the rest of it."""

_REFERENCE = re.compile(rb'(?<=[\[{,:])"=(?:([1-9][0-9]{0,8})"(?=[,\]}])|\+([1-9][0-9]{0,8})":0(?=[,}])|=)')
"""In JSON without blanks an unescaped quotation mark after one of these begins a text, and nothing else does."""

Head = tuple[tuple[str, str], ...]
"""The first fields of an object."""

_DATA = ("data", "measurements")

_PARTS: Mapping[type[BaseModel], Mapping[str, type[BaseModel]]] = {
    FileReport: {"info": FileInfo, "results": AnalyzerResult, "answers": Answer},
    FileInfo: {"after": FileState},
    AnalyzerResult: {"findings": Finding, "artifacts": Artifact},
}


class Sharing:
    """The values that files of a report have in common.

    Attributes:
        common: Each as JSON.

    Args:
        lines: Files of the report, as JSON; enough of them to tell.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.common: list[bytes] = []
        self._places: dict[bytes, bytes] = {}
        self._heads: dict[Head, bytes] = {}
        seen: dict[Hashable, int] = {}
        for number, line in enumerate(lines):
            self._learn(_bare(from_json(line), FileReport), number, seen)

    def _learn(self, value: Any, number: int, seen: dict[Hashable, int], *, data: bool = False) -> None:
        """Takes from a file what others hold too; ``data`` says that it is no part of ours, but what one measured."""
        text = to_json(value)
        if len(text) < LEAST or text in self._places or self._shared(text, number, seen) or b'"' not in text:
            return
        for head in _heads(value, MOST if data else LEAST):  # sentences of ours are shared by themselves
            if head in self._heads or (seen.setdefault(head, number) != number and self._begins(head)):
                break
        for key, part in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            self._learn(part, number, seen, data=data or key in _DATA)

    def _shared(self, text: bytes, number: int, seen: dict[Hashable, int]) -> bool:
        """Shares what another file had too."""
        if len(text) > MOST or seen.setdefault(text, number) == number:
            return False
        self.common.append(text)
        self._places[text] = b'"=%d"' % len(self.common)
        return True

    def _begins(self, head: Head) -> bool:
        """Shares what an object of another file began with too."""
        text = to_json(dict(head))
        if LEAST <= len(text) <= MOST:
            self.common.append(text)
            self._heads[head] = b'"=+%d":0' % len(self.common)
        return head in self._heads

    def packed(self, line: str) -> str:
        """A file's line with references."""
        return self._parts(_bare(from_json(line), FileReport), levels=2).decode()

    def _packed(self, value: Any) -> bytes:
        text = to_json(value)
        if (place := self._places.get(text)) is not None:
            return place
        if b'"' not in text or (len(text) < LEAST and b'"=' not in text):
            return text
        return self._parts(value) if isinstance(value, (dict, list)) else _marked(text)

    def _parts(self, value: Any, levels: int = 0) -> bytes:
        """A value whose parts are packed one by one; so many levels of it are too large to be shared themselves."""
        if isinstance(value, dict):
            head = next((each for each in _heads(value) if each in self._heads), ())
            parts = [self._heads[head]] if head else []
            rest = list(value.items())[len(head) :]
            parts += [b"%b:%b" % (_marked(to_json(key)), self._part(part, levels)) for key, part in rest]
            return b"{%b}" % b",".join(parts)
        return b"[%b]" % b",".join([self._part(part, levels) for part in value])

    def _part(self, value: Any, levels: int) -> bytes:
        deeper = levels > 1 and isinstance(value, (dict, list))
        return self._parts(value, levels - 1) if deeper else self._packed(value)


def expanded(line: bytes, common: Sequence[bytes]) -> bytes:
    """A line with the values that its references stand for.

    Args:
        line: JSON without blanks between its parts.
        common: The values, as JSON.

    Raises:
        ReportError: It refers to what is not there, or is too long with all of it.
    """
    if len(line) + line.count(b'"=') * MOST > MOST_EXPANDED:
        raise ReportError("a file of the report refers too often to what files have in common")

    def meant(found: re.Match[bytes]) -> bytes:
        if found[1]:
            return common[int(found[1]) - 1]
        if not found[2]:
            return b'"='
        whole = common[int(found[2]) - 1]
        if not whole.startswith(b'{"'):
            raise ReportError("a file of the report refers to fields where there are none")
        return whole[1:-1]

    try:
        return _REFERENCE.sub(meant, line)
    except IndexError:
        raise ReportError("a file of the report refers to something that is not there") from None


def read_common(values: object) -> tuple[bytes, ...]:
    """The values of a document's ``common`` list, as JSON.

    Raises:
        ReportError: It is no list, or something in it is longer than what this tool shares.
    """
    if not isinstance(values, list):
        raise ReportError("what files have in common is no list")
    texts = tuple(map(to_json, values))
    if any(len(text) > MOST for text in texts):
        raise ReportError("what files have in common is too long")
    return texts


def compact(value: Any) -> bytes:
    """A JSON value without blanks between its parts, as :func:`expanded` takes it."""
    return to_json(value)


def _heads(value: Any, longest: int = MOST) -> Iterator[Head]:
    """The beginnings of an object that may be shared without the rest, the longest first: fields of plain text."""
    if not isinstance(value, dict):
        return
    plain = takewhile(lambda field: isinstance(field[1], str) and len(field[1]) < longest, value.items())
    fields = tuple(islice(plain, max(0, min(LONGEST_HEAD, len(value) - 1))))
    for length in range(len(fields), 1, -1):
        yield fields[:length]


def _marked(text: bytes) -> bytes:
    return b'"=' + text[1:] if text.startswith(b'"=') else text


def _bare(value: Any, model: type[BaseModel]) -> Any:
    """A model's JSON without fields that have their default."""
    defaults, parts = _defaults(model), _PARTS.get(model, {})
    kept = {key: each for key, each in value.items() if key not in defaults or each != defaults[key]}
    for key in parts.keys() & kept.keys():
        each = kept[key]
        kept[key] = [_bare(one, parts[key]) for one in each] if isinstance(each, list) else _bare(each, parts[key])
    return kept


@cache
def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    fields = ((name, field) for name, field in model.model_fields.items() if not field.is_required())
    return {name: to_jsonable_python(field.get_default(call_default_factory=True)) for name, field in fields}

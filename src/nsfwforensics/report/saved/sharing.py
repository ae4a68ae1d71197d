"""What many files of a large report have in common, written once: sentences, caveats, rates, tables, whole answers.

A value that several files hold stands in the document's ``common`` list, and in a file's line the text ``"=7"`` stands
for the seventh of them. Text that begins with ``=`` itself, a key too, begins with one more. Values of the list hold no
such references, so nothing grows by being read. Fields that have their default are left out. A file without them is
read as the same :class:`FileReport`; ``report DIR --json`` prints every file in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
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

_REFERENCE = re.compile(rb'(?<=[\[{,:])"=(?:([1-9][0-9]{0,8})"(?=[,\]}])|=)')
"""In JSON without blanks an unescaped quotation mark after one of these begins a text, and nothing else does."""

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
        seen: dict[bytes, int] = {}
        for number, line in enumerate(lines):
            self._learn(_bare(from_json(line), FileReport), number, seen)

    def _learn(self, value: Any, number: int, seen: dict[bytes, int]) -> None:
        text = to_json(value)
        if len(text) < LEAST or text in self._places:
            return
        if len(text) <= MOST and seen.setdefault(text, number) != number:
            self.common.append(text)
            self._places[text] = b'"=%d"' % len(self.common)
            return
        if b'"' not in text:
            return
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self._learn(part, number, seen)

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
            parts = [b"%b:%b" % (_marked(to_json(key)), self._part(part, levels)) for key, part in value.items()]
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
    try:
        return _REFERENCE.sub(lambda found: common[int(found[1]) - 1] if found[1] else b'"=', line)
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

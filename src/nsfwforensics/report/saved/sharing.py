"""What many files of a large report have in common, written once: sentences, caveats, rates, tables, whole answers.

A value that several files hold stands in the document's ``common`` list, and in a file's line the text ``"=7"`` stands
for the seventh of them. Text that begins with ``=`` itself, a key too, begins with one more. Values of the list hold no
such references, so nothing grows by being read. Fields that have their default are left out. A file without them is
read as the same :class:`FileReport`; ``report DIR --json`` prints every file in full.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from nsfwforensics.core.types import AnalyzerResult, Answer, Artifact, FileInfo, FileReport, FileState, Finding
from nsfwforensics.errors import ReportError

LEAST = 24
"""Shorter text is written where it stands."""

MOST = 4096
"""The longest value that is shared, in characters of JSON."""

MOST_EXPANDED = 256_000_000
"""The longest line that is put together again, in bytes: far beyond what one file may say."""

_REFERENCE = re.compile(rb'(?<=[\[{,:])"=(?:([1-9][0-9]{0,8})"(?=[,\]}])|=)')
"""In JSON without blanks an unescaped quotation mark after one of these begins a text, and nothing else does."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

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
        self.common: list[str] = []
        self._places: dict[str, str] = {}
        seen: dict[str, int] = {}
        for number, line in enumerate(lines):
            self._learn(_bare(json.loads(line), FileReport), number, seen)

    def _learn(self, value: Any, number: int, seen: dict[str, int]) -> None:
        text = _encode(value)
        if len(text) < LEAST or text in self._places:
            return
        if len(text) <= MOST and seen.setdefault(text, number) != number:
            self.common.append(text)
            self._places[text] = f'"={len(self.common)}"'
            return
        if '"' not in text:
            return
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self._learn(part, number, seen)

    def packed(self, line: str) -> str:
        """A file's line with references."""
        return self._packed(_bare(json.loads(line), FileReport))

    def _packed(self, value: Any) -> str:
        text = _encode(value)
        if (place := self._places.get(text)) is not None:
            return place
        if '"' not in text or (len(text) < LEAST and '"=' not in text):
            return text
        if isinstance(value, dict):
            return f"{{{','.join([f'{_marked(_encode(key))}:{self._packed(part)}' for key, part in value.items()])}}}"
        if isinstance(value, list):
            return f"[{','.join([self._packed(part) for part in value])}]"
        return _marked(text)


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
    texts = tuple(_encode(value).encode() for value in values)
    if any(len(text) > 4 * MOST for text in texts):
        raise ReportError("what files have in common is too long")
    return texts


def compact(value: Any) -> bytes:
    """A JSON value without blanks between its parts, as :func:`expanded` takes it."""
    return _encode(value).encode()


def _marked(text: str) -> str:
    return f'"={text[1:]}' if text.startswith('"=') else text


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

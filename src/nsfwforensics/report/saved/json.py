r"""Writing the report as JSON that is readable, valid UTF-8, and inert when printed on a terminal.

Characters outside ASCII stay as they are, except those that act or cannot be seen: controls, format characters,
blanks, separators and surrogates are written as ``\uXXXX``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TextIO

from pydantic import BaseModel

from nsfwforensics.core.types import SCHEMA_VERSION, FileReport, Header, Summary
from nsfwforensics.core.written import line
from nsfwforensics.report.words.text import is_hidden

_NOT_ASCII = re.compile("[^\u0000-\u007f]")
_NOT_PLAIN = re.compile("[^\u0000-\u007e]")  # json.dumps has escaped C0 already


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Serialises plain JSON values.

    Args:
        value: Dictionaries with text keys, lists, text, numbers, booleans, None.
        indent: Spaces per level, or None for one line.

    Returns:
        JSON text whose only control characters are the line breaks that ``indent`` asks for.

    Raises:
        ValueError: A number is NaN or infinite, which JSON lacks.
    """
    return inert(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent))


def for_stream(text: str, stream: TextIO) -> str:
    """JSON text as a stream can take it: where that is not UTF-8, everything outside ASCII is escaped."""
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "")
    return text if encoding in ("utf8", "utf8sig") else _NOT_ASCII.sub(_escape, text)


def file_line(file: FileReport) -> str:
    """One file's report as one line of JSON, without its line break."""
    return inert(line(file))


def inert(text: str) -> str:
    """JSON text with every character that acts or cannot be seen as an escape."""
    return _NOT_PLAIN.sub(_inside, text)


def block(model: BaseModel) -> str:
    """A model as indented JSON."""
    return dumps(model.model_dump(mode="json"), indent=2)


def document(header: Header, files: Iterable[str], summary: Summary, common: Sequence[str] = ()) -> Iterator[str]:
    """Yields the whole report document in pieces, one line for each file, so that it is never in memory at once.

    Args:
        header: The run.
        files: The files' reports, as :func:`file_line` makes them.
        summary: The counts over them.
        common: The values that files refer to, as JSON.
    """
    yield f'{{\n"schema_version": {dumps(SCHEMA_VERSION)},\n"header": {block(header)},\n"common": ['
    for number, value in enumerate(common):
        yield f"{',' if number else ''}\n{inert(value)}"
    yield '],\n"files": [\n'
    between = ""
    for each in files:
        yield between + each
        between = ",\n"
    yield ("\n" if between else "") + f'],\n"summary": {block(summary)}\n}}\n'


def _inside(match: re.Match[str]) -> str:
    return _shown(match[0])


@lru_cache(maxsize=4096)
def _shown(character: str) -> str:
    return _escaped(character) if is_hidden(character) else character


def _escape(match: re.Match[str]) -> str:
    return _escaped(match[0])


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000  # beyond the basic plane JSON writes a surrogate pair (RFC 8259, section 7)
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"

r"""Writing the report as JSON that is readable, valid UTF-8, and inert when printed on a terminal.

Characters outside ASCII stay as they are, except those that act or cannot be seen: controls, format characters,
blanks, separators and surrogates are written as ``\uXXXX``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from pydantic import BaseModel

from nsfwforensics.core.hidden import escaped, inert
from nsfwforensics.core.types import SCHEMA_VERSION, FileReport, Header, Summary
from nsfwforensics.core.written import line

_NOT_ASCII = re.compile("[^\u0000-\u007f]")


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
    return line(file).decode()


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


def _escape(match: re.Match[str]) -> str:
    return escaped(match[0])

"""Documents from outside in JSON and TOML, read within bounds of length, depth and number.

The parsers of the standard library recurse on depth, take time that grows with the square of a dotted key, and read
whole numbers of any size, which then break whatever formats or stores them. What comes out of here is nested no deeper
than :data:`MOST_LEVELS` and holds no whole number beyond 64 bits.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

MOST_LEVELS = 64
"""How deep a document may be nested: far deeper than any of this tool's own."""

MOST_BYTES = 1_000_000
"""Longest TOML file read, in bytes."""

LEAST_NUMBER, MOST_NUMBER = -(1 << 63), (1 << 64) - 1

_NAME = r"""(?>[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_DOTTED = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_NAME}[ \t]*+\.[ \t]*+){{{MOST_LEVELS}}}")
"""A dotted key of too many parts; the parser needs time with the square of their number."""


class DocumentError(ValueError):
    """A text is no JSON or TOML, or goes beyond the bounds."""


def read_json(text: str | bytes) -> Any:
    """Parses JSON.

    Args:
        text: As text, or in UTF-8, UTF-16 or UTF-32.

    Raises:
        DocumentError: It is no JSON, or goes beyond the bounds.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise DocumentError(_TOO_DEEP) from None
    except ValueError as error:
        raise DocumentError(str(error)) from error
    return within_bounds(value)


def read_toml(text: str | bytes) -> dict[str, Any]:
    """Parses TOML.

    Args:
        text: As text, or in UTF-8.

    Raises:
        DocumentError: It is no TOML, or goes beyond the bounds.
    """
    try:
        words = text.decode("utf-8") if isinstance(text, bytes) else text
        if _DOTTED.search(words):
            raise DocumentError(_TOO_DEEP)
        value = tomllib.loads(words)
    except RecursionError:
        raise DocumentError(_TOO_DEEP) from None
    except ValueError as error:
        raise DocumentError(str(error)) from error
    within_bounds(value)
    return value


def load_toml(path: Path, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """Reads a TOML file.

    Args:
        path: The file.
        most_bytes: How long it may be.

    Raises:
        OSError: It cannot be read.
        DocumentError: It is too long, no TOML, or goes beyond the bounds.
    """
    with path.open("rb") as stream:
        data = stream.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise DocumentError(f"it is longer than {most_bytes:,} bytes")
    return read_toml(data)


def within_bounds(value: Any) -> Any:
    """The same value, if it is nested no deeper than allowed and all its whole numbers fit into 64 bits.

    Args:
        value: As a parser returns it.

    Raises:
        DocumentError: It goes beyond the bounds.
    """
    layer: list[Any] = [[value]]
    for _ in range(MOST_LEVELS + 1):
        below: list[Any] = []
        for container in layer:
            for item in container.values() if isinstance(container, dict) else container:
                if isinstance(item, (dict, list)):
                    below.append(item)
                elif isinstance(item, int) and not LEAST_NUMBER <= item <= MOST_NUMBER:
                    raise DocumentError("it holds a number beyond 64 bits")
        if not below:
            return value
        layer = below
    raise DocumentError(_TOO_DEEP)


_TOO_DEEP = f"it is nested more than {MOST_LEVELS} levels deep"

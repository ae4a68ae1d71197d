"""Arranging any measured values for reading: a table, pairs, a list or plain text, within limits.

Analyzers measure what they like, a third party's too. The page shows all of it without knowing it, but no value may
make the page unreadable: what is left out is counted, and stands in ``report.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nsfwforensics.core.messages import Speaker, say
from nsfwforensics.report.words.figure_names import figure_name
from nsfwforensics.report.words.figure_values import figure_value
from nsfwforensics.report.words.text import shorten

MAX_ROWS = 300
MAX_COLUMNS = 10
MAX_DEPTH = 4
MAX_TEXT = 600

Kind = Literal["text", "pairs", "list", "table"]


@dataclass(frozen=True, slots=True)
class Node:
    """One value, arranged.

    Attributes:
        kind: Which of the other fields hold it.
        text: The value as text (``text``), or nothing.
        pairs: Names with their values (``pairs``).
        items: Values one after the other (``list``).
        columns: Headings (``table``).
        rows: Cells as text (``table``).
        left_out: How many entries or rows are not shown.
    """

    kind: Kind
    text: str = ""
    pairs: tuple[tuple[str, Node], ...] = ()
    items: tuple[Node, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    left_out: int = 0


def shape(value: object, language: Speaker, depth: int = 0, key: str = "") -> Node:
    """Arranges a JSON value; deeper than :data:`MAX_DEPTH` it becomes text.

    Args:
        value: What was measured.
        language: Of the words that stand for true, false and nothing, and of sentences of our own in it.
        depth: How deep it lies in what is arranged.
        key: The name of the figure that it is.
    """
    if isinstance(value, Mapping) and value and depth < MAX_DEPTH:
        pairs = tuple(
            (_key(name), shape(item, language, depth + 1, str(name))) for name, item in list(value.items())[:MAX_ROWS]
        )
        return Node("pairs", pairs=pairs, left_out=max(0, len(value) - MAX_ROWS))
    if isinstance(value, Sequence) and not isinstance(value, str) and value and depth < MAX_DEPTH:
        if all(_is_flat(item) for item in value):
            return Node("text", text=_inline(value, language, key))
        columns = _columns(value)
        if columns:
            rows = tuple(
                tuple(_inline(row.get(column), language, column) for column in columns) for row in value[:MAX_ROWS]
            )
            left_out = max(0, len(value) - MAX_ROWS)
            return Node("table", columns=tuple(_key(column) for column in columns), rows=rows, left_out=left_out)
        items = tuple(shape(item, language, depth + 1, key) for item in value[:MAX_ROWS])
        return Node("list", items=items, left_out=max(0, len(value) - MAX_ROWS))
    return Node("text", text=_inline(value, language, key))


def _key(key: object) -> str:
    return shorten(str(key), 80)


def _columns(value: Sequence[object]) -> tuple[str, ...]:
    """The headings of a list of alike mappings, in the order of first use; empty where it is none."""
    names: dict[str, None] = {}
    for row in value:
        if not isinstance(row, Mapping) or any(isinstance(item, Mapping) and item for item in row.values()):
            return ()
        names.update(dict.fromkeys(row))
    return tuple(names) if len(names) <= MAX_COLUMNS else ()


def _is_flat(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= 80)


def _inline(value: object, language: Speaker, key: str) -> str:
    """A value in one line."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return language.says(say("yes") if value else say("no"))
    if isinstance(value, float):
        return f"{value:.8g}"
    if isinstance(value, Mapping):
        pairs = list(value.items())[:MAX_ROWS]
        return _cut(
            "; ".join(f"{_label(name, language)}: {_inline(item, language, str(name))}" for name, item in pairs),
            language,
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = ", ".join(_inline(item, language, key) for item in value[:MAX_ROWS])
        return _cut(items, language) if value else language.says(say("none"))
    text = str(value)
    if words := figure_value(key, text):
        return language.says(words)
    return _cut(language.says(text) if " " in text else text, language)


def _label(key: object, language: Speaker) -> str:
    name = figure_name(str(key))
    return language.says(name) if name else _key(key)


def _cut(text: str, language: Speaker) -> str:
    if len(text) <= MAX_TEXT:
        return text
    long = language.says(say("({count:,} characters in all) The whole text is in report.json.", count=len(text)))
    return f"{shorten(text, MAX_TEXT)} {long}"

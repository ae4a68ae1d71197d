"""Arranging any measured values for reading: a table, pairs, a list or plain text, within limits.

Analyzers measure what they like, a third party's too. The page shows all of it without knowing it, but no value may
make the page unreadable: what is left out is counted, and stands in ``report.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from nsfwforensics.core.messages import Speaker, say
from nsfwforensics.core.types import Worded
from nsfwforensics.report.words.declared import DeclaredFigures, Label
from nsfwforensics.report.words.text import shorten

MAX_ROWS = 300
MAX_COLUMNS = 10
MAX_DEPTH = 4
MAX_TEXT = 600
MAX_LABEL = 80
MAX_NUMBERS = 12
"""Longer rows of numbers are for programs."""

Kind = Literal["text", "pairs", "list", "table"]


@dataclass(frozen=True, slots=True)
class Node:
    """One JSON value as the page shows it.

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
    pairs: tuple[tuple[Label, Node], ...] = ()
    items: tuple[Node, ...] = ()
    columns: tuple[Label, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    left_out: int = 0


class Arranger:
    """Arranges what one analyzer measured.

    Args:
        figures: What its figures are called.
        language: Of the words.
        model: What the values were saved in, which knows the sentences among them; None where there are none.
    """

    def __init__(self, figures: DeclaredFigures, language: Speaker, model: Worded | None = None) -> None:
        self._figures = figures
        self._language = language
        self._model = model

    def shape(self, value: object, place: str = "") -> Node:
        """Arranges a JSON value; deeper than :data:`MAX_DEPTH` it becomes text.

        Args:
            value: What was measured.
            place: Where it stands in the model (``data``).
        """
        return self._shape(value, place, "", 0)

    def _shape(self, value: object, place: str, key: str, depth: int) -> Node:
        if isinstance(value, Mapping) and value and depth < MAX_DEPTH:
            pairs = tuple(
                (self._label(name, key), self._shape(item, f"{place}.{name}", self._inner(key, name), depth + 1))
                for name, item in islice(value.items(), MAX_ROWS)
            )
            return Node("pairs", pairs=pairs, left_out=max(0, len(value) - MAX_ROWS))
        if isinstance(value, Sequence) and not isinstance(value, str) and value and depth < MAX_DEPTH:
            left_out = max(0, len(value) - MAX_ROWS)
            if all(_is_flat(item) for item in value):
                return Node("text", text=self._inline(value, place, key))
            columns = _columns(value)
            if columns:
                rows = tuple(
                    tuple(self._inline(row.get(c), f"{place}.{at}.{c}", self._inner(key, c)) for c in columns)
                    for at, row in enumerate(value[:MAX_ROWS])
                )
                return Node("table", columns=tuple(self._label(c, key) for c in columns), rows=rows, left_out=left_out)
            items = (self._shape(item, f"{place}.{at}", key, depth + 1) for at, item in enumerate(value[:MAX_ROWS]))
            return Node("list", items=tuple(items), left_out=left_out)
        return Node("text", text=self._inline(value, place, key))

    def _label(self, key: object, parent: str) -> Label:
        label = self._figures.label(str(key), parent, self._language)
        return Label(shorten(label.text, MAX_LABEL), label.as_written)

    def _inner(self, parent: str, key: object) -> str:
        """The key of what lies inside: all the way down, what the file names is named by the file."""
        return parent if parent in self._figures.verbatim else str(key)

    def _inline(self, value: object, place: str, key: str) -> str:
        """A value in one line."""
        says = self._language.says
        if value is None:
            return "—"
        if isinstance(value, bool):
            return says(say("yes") if value else say("no"))
        if isinstance(value, float):
            return f"{value:.8g}"
        if isinstance(value, Mapping):
            pairs = (
                f"{self._label(name, key).text}: {self._inline(item, f'{place}.{name}', self._inner(key, name))}"
                for name, item in islice(value.items(), MAX_ROWS)
            )
            return self._cut("; ".join(pairs))
        if isinstance(value, Sequence) and not isinstance(value, str):
            if len(value) > MAX_NUMBERS and all(isinstance(item, (int, float)) for item in value):
                many = say("{count:,} numbers, which stand in {document}", count=len(value), document="report.json")
                return says(many)
            items = (self._inline(item, f"{place}.{at}", key) for at, item in enumerate(value[:MAX_ROWS]))
            return self._cut(", ".join(items)) if value else says(say("none"))
        return self._cut(self._figures.value(key, str(value), place, self._model, self._language))

    def _cut(self, text: str) -> str:
        if len(text) <= MAX_TEXT:
            return text
        long = say("({count:,} characters in all) The whole text is in report.json.", count=len(text))
        return f"{shorten(text, MAX_TEXT)} {self._language.says(long)}"


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

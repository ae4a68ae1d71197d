"""Figures and tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable


def number(value: float | None) -> str:
    """Two decimals, or a dash where there is none."""
    return "–" if value is None else f"{value:.2f}"


def percent(value: float | None, digits: int = 0) -> str:
    """A share in per cent, or a dash where there is none."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    lines = [list(map(str, head)), *(list(map(str, row)) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"

"""``summary.csv``: one row for each file, safe to open in a spreadsheet.

RFC 4180 (commas, CRLF, doubled quotes), UTF-8. A byte order mark stands before it only where it was asked for: without
it Excel guesses a local character set and garbles names, with it many programs take it for a part of the first heading.
Text that a spreadsheet would run as a formula gets
a leading apostrophe.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, TextIO

from nsfwforensics.core.types import FileReport, Question
from nsfwforensics.report.words.text import shorten, shown_name, visible
from nsfwforensics.report.words.wording import failures, reason

if TYPE_CHECKING:
    from nsfwforensics.report.saved.report import SavedReport

BYTE_ORDER_MARK = "\ufeff"
LONGEST_CELL = 4000
"""Longer text is cut; Excel itself takes 32,767 characters to a cell, and the whole text is in ``report.json``."""

_FORMULA = re.compile("^[ \u00a0\u3000'\"]*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_AFTER_SEPARATOR = re.compile("(;[ '\"]*)(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])")

COLUMNS: tuple[str, ...] = (
    "path",
    "status",
    "priority",
    "why",
    "group",
    "sha256",
    "media_type",
    "size_bytes",
    "width",
    "height",
    *(f"{question.value}_{part}" for question in Question for part in ("support", "statement")),
    "findings",
    "checks",
    "error",
)


def neutral(value: object) -> str:
    """Makes a value harmless in a spreadsheet cell.

    Numbers of ours are written as they are. In text, characters that act are shown as escapes, and an apostrophe is put
    before whatever would start a formula (``= + - @``, their full-width forms, TAB, CR): at the start of the cell, and
    after a semicolon, at which spreadsheets of many countries split.
    """
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return str(value)
    text = value if isinstance(value, str) else str(value)
    starts_formula = _FORMULA.match(text) is not None
    text = _AFTER_SEPARATOR.sub(r"\1'", shorten(visible(text), LONGEST_CELL))
    return f"'{text}" if starts_formula else text


def row(file: FileReport, group: int | None = None, originals: Container[str] = ()) -> list[str]:
    """One file as the cells of :data:`COLUMNS`.

    Args:
        file: Its report.
        group: The number of the group of copies that it is in, or None.
        originals: The names of the analyzers that compare with originals.
    """
    answers = {answer.question: answer for answer in file.answers}
    cells: list[object] = [
        shown_name(file.info.path),
        file.status.value,
        file.priority.value,
        str(reason(file, originals)),
        group,
        file.info.sha256,
        file.info.media_type,
        file.info.size,
        file.info.width,
        file.info.height,
    ]
    for question in Question:
        answer = answers.get(question)
        cells += [answer.support.value, answer.statement] if answer else ["not_checked", None]
    cells.append(" ".join(dict.fromkeys(finding.code for finding in file.findings)))
    cells.append(", ".join(f"{result.analyzer} {result.status.value}" for result in file.results))
    cells.append(file.error or ", ".join(failures(file)))
    return [neutral(cell) for cell in cells]


def write(saved: SavedReport, stream: TextIO) -> None:
    """Writes the table, most pressing files first.

    Args:
        saved: The report.
        stream: A text stream in UTF-8 that does not translate line ends (``newline=""``).
    """
    if saved.csv_mark:
        stream.write(BYTE_ORDER_MARK)
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(saved))


def _rows(saved: SavedReport) -> Iterator[list[str]]:
    return (row(file, group, saved.originals) for file, group in saved.members())

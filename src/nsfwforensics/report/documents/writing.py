"""Documents of other commands than ``scan``: a few files in a folder, among them a page without scripts."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from markupsafe import Markup

from nsfwforensics.core.private import make_folder
from nsfwforensics.core.report_files import is_ours
from nsfwforensics.errors import ReportError
from nsfwforensics.language import language as language_of
from nsfwforensics.report.documents.csv import neutral
from nsfwforensics.report.page import html
from nsfwforensics.report.page.templating import environment
from nsfwforensics.report.saved.folder import replace_file


def write_documents(
    folder: Path,
    name: str,
    document: str,
    rows: Iterable[Sequence[object]],
    shown: Mapping[str, Any],
    sheets: Iterable[str] = ("report.css",),
) -> None:
    """Writes one result as three files into a folder, which is made if it is missing; each is whole or not there.

    Args:
        folder: Where they go.
        name: Of the files, and of the page's template, without an ending.
        document: What the JSON document holds. It is written last, and files of ours are known by it.
        rows: Of the table, its head first; each cell is made harmless.
        shown: What the page's template shows.
        sheets: Our style sheets that the page carries.

    Raises:
        ReportError: They cannot be written, or files of these names are there that are not ours.
    """
    files: dict[str, Callable[[TextIO], object]] = {
        f"{name}.csv": lambda stream: _write_table(stream, rows),
        f"{name}.html": lambda stream: _write_page(stream, name, shown, sheets),
        (last := f"{name}.json"): lambda stream: stream.write(document),
    }
    try:
        make_folder(folder)
        taken = [file for file in files if os.path.lexists(folder / file)]
        if taken and not is_ours(folder / last):
            raise ReportError(f"{folder / taken[0]} is there and is not of this tool; choose another folder")
        for file, write_to in files.items():
            replace_file(folder / file, write_to)
    except FileExistsError:
        raise ReportError(f"{folder} is not a folder") from None
    except OSError as error:
        raise ReportError(f"cannot write to {folder}: {error.strerror}") from error


def _write_table(stream: TextIO, rows: Iterable[Sequence[object]]) -> None:
    csv.writer(stream, lineterminator="\r\n").writerows([neutral(cell) for cell in row] for row in rows)


def _write_page(stream: TextIO, name: str, shown: Mapping[str, Any], sheets: Iterable[str]) -> None:
    """Writes a self-contained page that runs nothing and loads nothing."""
    style = "".join(map(html.asset, sheets))
    safe = Markup(style)  # noqa: S704 - our own files, never evidence
    page = environment(language_of("en")).get_template(f"{name}.html.j2")
    pieces = page.stream(style=safe, style_hash=html.policy_hash(style), **shown)
    pieces.enable_buffering(200)
    stream.writelines(pieces)

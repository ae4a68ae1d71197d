"""Documents of other commands than ``scan``: a few files in a folder, among them a page without scripts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from markupsafe import Markup

from nsfwforensics.core.private import make_folder
from nsfwforensics.core.report_files import is_ours
from nsfwforensics.errors import ReportError
from nsfwforensics.language import language as language_of
from nsfwforensics.report.page import html
from nsfwforensics.report.page.templating import environment
from nsfwforensics.report.saved.folder import replace_file


def write_files(folder: Path, files: Mapping[str, Callable[[TextIO], object]], document: str) -> None:
    """Writes files into a folder, which is made if it is missing; each is written whole or not at all.

    Args:
        folder: Where they go.
        files: What writes each, by file name, in this order.
        document: The name of the JSON document among them, by which files of ours are known.

    Raises:
        ReportError: They cannot be written, or files of these names are there that are not ours.
    """
    try:
        make_folder(folder)
        taken = [name for name in files if os.path.lexists(folder / name)]
        if taken and not is_ours(folder / document):
            raise ReportError(f"{folder / taken[0]} is there and is not of this tool; choose another folder")
        for name, write_to in files.items():
            replace_file(folder / name, write_to)
    except FileExistsError:
        raise ReportError(f"{folder} is not a folder") from None
    except OSError as error:
        raise ReportError(f"cannot write to {folder}: {error.strerror}") from error


def write_page(stream: TextIO, template: str, sheets: tuple[str, ...], **context: Any) -> None:
    """Writes a self-contained page that runs nothing and loads nothing.

    Args:
        stream: A text stream in UTF-8.
        template: Its template.
        sheets: Our style sheets that it carries.
        **context: What the template shows.
    """
    style = "".join(map(html.asset, sheets))
    safe = Markup(style)  # noqa: S704 - our own files, never evidence
    page = environment(language_of("en")).get_template(template)
    pieces = page.stream(style=safe, style_hash=html.policy_hash(style), **context)
    pieces.enable_buffering(200)
    stream.writelines(pieces)

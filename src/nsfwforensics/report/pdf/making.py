"""``report.pdf``: the page of the report on paper, made by WeasyPrint in a process with limits.

WeasyPrint (extra ``pdf``) is a layout engine without a script engine, and what it may fetch is decided here: nothing
but ``data:`` addresses. A browser would run scripts, and could not number pages or name the report on each of them. The
PDF is tagged (PDF/UA-1, ISO 14289-1), so that a screen reader can use it.

Paper cannot be searched or folded: of a large folder it shows the most pressing files in full and a list that ends, and
says so. The complete report is the page and ``report.json``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from enum import StrEnum
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

from nsfwforensics.core.messages import say
from nsfwforensics.core.opening import file_sha256
from nsfwforensics.core.private import replacing
from nsfwforensics.errors import MissingDependencyError, ReportError
from nsfwforensics.report.page import html
from nsfwforensics.report.pdf.rendering import PdfSettings, Rendered
from nsfwforensics.report.saved import digests
from nsfwforensics.report.saved.folder import PDF_NAME, REPORT_NAME
from nsfwforensics.seclusion import USERS_HOME, environment, scratch

if TYPE_CHECKING:
    from nsfwforensics.language import Language
    from nsfwforensics.report.saved.report import SavedReport

MAX_SECONDS = 300
"""Most computing time for one PDF."""
MAX_WAIT = 1800.0
"""Longest wait for it, in seconds: a busy machine computes little in a minute."""
MAX_MEMORY = 3 << 30
MAX_FILE = 500_000_000
EXTENT = html.Extent(files=40, bytes=2_000_000, rows=500, paper=True)
"""How much of a report is put on paper."""
LEAST = html.Extent(files=0, bytes=0, rows=100, paper=True)
"""What is put on paper where the layout of more did not end within the limits."""

_PROBE_SECONDS = 120.0
_OUT_OF_TIME = -getattr(signal, "SIGXCPU", 0) or None
"""How a process ends whose computing time is over; None on systems without such a limit."""
_PROBES = {
    "es": "¿Cuándo? ñ ó",
    "fr": "« établi, ç, œ »",
    "ja": "画像の検査報告書、判断できません。ひらがなカタカナ",
    "ko": "이미지 검사 보고서, 판단 불가",
    "pt": "não é õ ç",
}
"""By language, text with characters that a font of the machine must have."""
_WINDOWS_FONTS = "AppData/Local/Microsoft/Windows/Fonts"
_HINT = (
    "install it with: pip install 'nsfwforensics[pdf]' (it needs Pango, which most Linux systems have; see docs/pdf.md)"
)


class Paper(StrEnum):
    """Sizes of paper, by the names that CSS gives them."""

    A4 = "a4"
    LETTER = "letter"


def check(language: Language) -> None:
    """Sees to it that a PDF can be made here, before a long run begins.

    Args:
        language: Of the report; a font of this machine must have its characters.

    Raises:
        MissingDependencyError: WeasyPrint, a library that it needs, or a font is not there.
    """
    if find_spec("weasyprint") is None:
        raise MissingDependencyError(f"--pdf needs the package weasyprint; {_HINT}")
    settings = PdfSettings(probe=_PROBES.get(language.code, "Report"), max_memory=MAX_MEMORY)
    with tempfile.TemporaryFile() as nothing:
        found = _run(settings, nothing, nothing.fileno(), _PROBE_SECONDS)
    if found.problem:
        raise MissingDependencyError(f"--pdf cannot be made here: {found.problem}; {_HINT}")
    if found.missing:
        raise MissingDependencyError(
            f"--pdf: no font on this machine has the characters of the language {language.code!r} "
            f"({found.missing[:5]} …); install one, such as Noto Sans CJK (Debian and Ubuntu: fonts-noto-cjk)"
        )


def write(saved: SavedReport, paper: Paper = Paper.A4) -> list[str]:
    """Makes ``report.pdf`` in the report's folder, after its other views.

    Args:
        saved: A report whose ``report.json`` is written.
        paper: Its size.

    Returns:
        What the person who asked for it should know.

    Raises:
        MissingDependencyError: What it needs is not there.
        ReportError: It could not be made within the limits, or not be written.
    """
    if saved.folder is None:
        raise ReportError("this report was not saved to a folder")
    settings = PdfSettings(_style(saved, paper, saved.folder), MAX_MEMORY, MAX_FILE, MAX_SECONDS)
    notes = []
    found = _attempt(saved, saved.folder, EXTENT, settings)
    if found.problem and found.kind != "package":
        notes.append(f"{PDF_NAME} has no pages about single files: {found.problem}")
        found = _attempt(saved, saved.folder, LEAST, settings)
    if found.problem:
        error = MissingDependencyError if found.kind == "package" else ReportError
        raise error(f"{PDF_NAME} could not be made: {found.problem}; the rest of the report is complete")
    if found.missing:
        names = ", ".join(f"U+{ord(character):04X}" for character in found.missing)
        notes.append(f"no font on this machine has some characters ({names}): {PDF_NAME} shows boxes in their place")
    digests.write(saved.folder, digests.listed(saved.folder))
    return notes


def _attempt(saved: SavedReport, folder: Path, extent: html.Extent, settings: PdfSettings) -> Rendered:
    try:
        with tempfile.TemporaryFile("w+", encoding="utf-8") as page:
            html.write(saved, page, extent)
            page.seek(0)
            with replacing(folder / PDF_NAME) as descriptor:
                try:
                    found = _run(settings, page, descriptor, MAX_WAIT)
                finally:
                    os.close(descriptor)
                if found.problem:
                    raise _NotMadeError(found)
    except _NotMadeError as error:
        return error.found
    except OSError as error:
        raise ReportError(f"cannot write {PDF_NAME} to {folder}: {error.strerror}") from error
    return found


class _NotMadeError(Exception):
    """Keeps an unfinished file from being put into place."""

    def __init__(self, found: Rendered) -> None:
        super().__init__(found.problem)
        self.found = found


def _run(settings: PdfSettings, page: IO[str] | IO[bytes], target: int, seconds: float) -> Rendered:
    """Starts :mod:`nsfwforensics.report.pdf.rendering` and reads its answer."""
    # -P: the folder that the user stands in may hold evidence, and a module must never be loaded from there.
    command = [sys.executable, "-P", "-m", "nsfwforensics.report.pdf.rendering", json.dumps(asdict(settings))]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            stdin=page,
            stdout=target,
            stderr=subprocess.PIPE,
            timeout=seconds,
            check=False,
            env=os.environ | environment(scratch()) | {"FONTCONFIG_FILE": str(_fonts())},
        )
    except subprocess.TimeoutExpired:
        return Rendered(problem=f"its layout took longer than {seconds:.0f} seconds", kind="limit")
    if done.returncode == _OUT_OF_TIME:
        return Rendered(problem=f"its layout took more than {settings.max_seconds} seconds of computing", kind="limit")
    lines = done.stderr.decode(errors="replace").strip().split("\n")
    try:
        found = Rendered(**json.loads(lines[-1]))
    except (ValueError, TypeError):  # it was ended by a signal, or died while it was being loaded
        return Rendered(problem="its layout needs more memory than allowed, or broke down", kind="limit")
    if found.kind == "limit":
        return Rendered(problem="its layout needs more memory than allowed", kind="limit")
    return found


def _fonts() -> Path:
    """Settings that add a folder which goes to those of this machine, so that the caches of fonts are kept there.

    The user's own fonts are named: they lie in the home folder, which the process has another of.
    """
    path = scratch() / "fonts.conf"
    own = [USERS_HOME / below for below in (".fonts", ".local/share/fonts", "Library/Fonts", _WINDOWS_FONTS)]
    folders = "".join(f"<dir>{escape(str(folder))}</dir>" for folder in own if folder.is_dir())
    usual = escape(os.environ.get("FONTCONFIG_FILE", "fonts.conf"))
    caches = f"<cachedir>{escape(str(scratch() / 'home'))}</cachedir>"  # the first that can be written is written to
    usually = f'<include ignore_missing="yes">{usual}</include>'
    head = '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">'
    path.write_text(f"{head}<fontconfig>{caches}{folders}{usually}</fontconfig>\n", "utf-8")
    return path


def _style(saved: SavedReport, paper: Paper, folder: Path) -> str:
    """The size of the paper, and what runs along its edges: title, time, digest of ``report.json``, number of pages."""
    says = saved.language.says
    digest = file_sha256(folder / REPORT_NAME)
    number = says(say("Page {page} of {pages}", page="\0page\0", pages="\0pages\0")).split("\0")
    counters = [f"counter({part})" if index % 2 else _string(part) for index, part in enumerate(number)]
    begun = says(say("{started:moment}", started=saved.header.started))
    return f"""
@page {{
  size: {paper.value};
  @top-left {{ content: {_string(says(say("Image examination report")))}; }}
  @top-right {{ content: {_string(begun)}; }}
  @bottom-left {{ content: {_string(f"{REPORT_NAME} SHA-256 {digest}")}; }}
  @bottom-right {{ content: {" ".join(counters)}; }}
}}
"""


def _string(text: str) -> str:
    """A string of CSS that ends where it should, whatever is in it."""
    return '"' + "".join(c if c.isalnum() or c in " .:,-" else f"\\{ord(c):x} " for c in text) + '"'

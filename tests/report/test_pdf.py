from __future__ import annotations

import http.server
import os
import re
import tempfile
import threading
import zlib
from importlib.util import find_spec
from pathlib import Path

import pytest

from nsfwforensics.errors import ExitCode, MissingDependencyError, ReportError
from nsfwforensics.language import language
from nsfwforensics.report.page.html import Extent
from nsfwforensics.report.pdf import making as pdf
from nsfwforensics.report.pdf.rendering import PdfSettings, Rendered
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import HOSTILE, every_outcome, file, header, hostile_file, thumbnail

pytestmark = pytest.mark.skipif(find_spec("weasyprint") is None, reason="the extra `pdf` is not installed")

ACTS = (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile", b"/Filespec", b"/OpenAction", b"/AA", b"/AcroForm",
        b"/SubmitForm", b"/ImportData", b"/GoToR", b"/RichMedia", b"/XFA")  # fmt: skip


def saved_report(folder: Path, *files: object) -> SavedReport:
    with ReportWriter(folder) as writer:
        writer.begin(header())
        for made in files:
            writer.add(made)  # type: ignore[arg-type]
        return writer.finish(header())


def objects(content: bytes) -> bytes:
    """All objects of a PDF, those in compressed streams unpacked."""
    unpacked = [content]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            unpacked.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(unpacked)


def rendered(page: str, **settings: object) -> tuple[Rendered, bytes]:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as source, tempfile.TemporaryFile() as target:
        source.write(page)
        source.flush()
        source.seek(0)
        os.lseek(source.fileno(), 0, os.SEEK_SET)
        found = pdf._run(PdfSettings(**settings), source, target.fileno(), 120.0)  # type: ignore[arg-type]
        target.seek(0)
        return found, target.read()


def test_hostile_text_becomes_nothing_that_acts(tmp_path: Path) -> None:
    files = [hostile_file(text) for text in HOSTILE.values()]
    files.append(file("a.jpg", info={"thumbnail": thumbnail()}))
    saved = saved_report(tmp_path, *files, every_outcome())
    pdf.write(saved, pdf.Paper.LETTER)
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    inside = objects(content)
    assert not [name for name in ACTS if re.search(re.escape(name) + rb"(?![A-Za-z])", inside)]
    assert not re.search(rb"/Subtype\s*/Image", inside), "no pixels on paper, which could not be blurred"
    addresses = set(re.findall(rb"/URI\s*\(([^)]*)\)", inside))
    assert all(address.startswith((b"https://", b"tel:")) for address in addresses)
    assert b"passwd" not in b"".join(addresses)
    assert b"/StructTreeRoot" in inside
    assert re.search(rb"/Lang\s*\(en", inside)
    assert re.search(rb"/MediaBox\s*\[\s*0\s+0\s+612\s+792", inside)
    assert "report.pdf" in (tmp_path / "SHA256SUMS").read_text("utf-8")


def test_nothing_is_loaded_from_the_network_or_this_machine(tmp_path: Path) -> None:
    asked: list[str] = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    (tmp_path / "secret.css").write_text("body::before { content: 'SECRET-TEXT' }")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        away = f"http://127.0.0.1:{server.server_port}"
        here = (tmp_path / "secret.css").as_uri()
        found, content = rendered(
            f'<!doctype html><html lang="en"><head><title>t</title><base href="{tmp_path.as_uri()}/">'
            f'<link rel="stylesheet" href="{away}/a.css"><link rel="stylesheet" href="{here}">'
            f'<link rel="attachment" href="{here}"><style>@import url("{away}/b.css");</style></head>'
            f'<body><img src="{away}/c.png" alt="c"><img src="secret.css" alt="d">'
            f'<a rel="attachment" href="{here}">e</a><svg><image href="{away}/f.png"/></svg><p>fine</p></body></html>'
        )
        server.shutdown()
    assert not found.problem
    assert found.pages == 1
    assert asked == []
    inside = objects(content)
    assert b"SECRET-TEXT" not in inside
    assert b"/EmbeddedFile" not in inside


def test_a_layout_over_the_limit_ends_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = rendered("<p>" + "word " * 1_000, max_memory=30_000_000)
    assert found.kind == "limit"
    late, _ = rendered("<p>" + "word " * 100_000, max_seconds=1)
    assert late.kind == "limit"
    assert "of computing" in late.problem
    saved = saved_report(tmp_path, every_outcome())
    monkeypatch.setattr(pdf, "MAX_WAIT", 0.01)
    with pytest.raises(ReportError, match="took longer than"):
        pdf.write(saved)
    assert not (tmp_path / "report.pdf").exists()
    assert not list(tmp_path.glob(".*")), "nothing unfinished is left"


def test_a_smaller_report_is_made_where_the_full_one_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = saved_report(tmp_path, every_outcome(), file("b.jpg"))
    attempts: list[Extent] = []

    def attempt(_saved: SavedReport, _folder: Path, extent: Extent, _settings: PdfSettings) -> Rendered:
        attempts.append(extent)
        return Rendered(pages=3) if extent is pdf.LEAST else Rendered(problem="it took too long", kind="limit")

    monkeypatch.setattr(pdf, "_attempt", attempt)
    assert pdf.write(saved) == ["report.pdf has no pages about single files: it took too long"]
    assert attempts == [pdf.EXTENT, pdf.LEAST]


def test_a_missing_package_is_said_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "find_spec", lambda _name: None)
    with pytest.raises(MissingDependencyError, match="pip install") as caught:
        pdf.check(language("en"))
    assert caught.value.exit_code is ExitCode.MISSING


def test_a_missing_library_is_said_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_run", lambda *_: Rendered(problem="cannot load library 'pango'", kind="package"))
    with pytest.raises(MissingDependencyError, match=r"pango.*Pango"):
        pdf.check(language("en"))


def test_a_language_without_a_font_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_PROBES", {"en": "\U0010fffd"})  # a private character, in no font
    with pytest.raises(MissingDependencyError, match="no font on this machine"):
        pdf.check(language("en"))


def test_modules_beside_the_evidence_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("weasyprint", "json", "nsfwforensics"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('planted')")
    monkeypatch.chdir(tmp_path)
    found, _ = rendered('<!doctype html><html lang="en"><head><title>t</title></head><body><p>text</p></body></html>')
    assert not found.problem
    assert found.pages == 1


def test_what_runs_along_the_edge_ends_where_it_should() -> None:
    assert pdf._string('a"b\\c\n}') == '"a\\22 b\\5c c\\a \\7d "'


def test_paper_shows_the_first_files_and_says_what_is_left_out(tmp_path: Path) -> None:
    saved = saved_report(tmp_path, *(file(f"{index:04}.jpg") for index in range(6)))
    with (tmp_path / "page.html").open("w+", encoding="utf-8") as page:
        from nsfwforensics.report.page import html

        html.write(saved, page, Extent(files=2, bytes=10**6, rows=4, paper=True))
        page.seek(0)
        text = page.read()
    assert "This is the report on paper." in text
    assert "2 more files are not listed here" in text
    assert text.count('class="file print-open"') == 2

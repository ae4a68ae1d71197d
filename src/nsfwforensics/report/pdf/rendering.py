"""Turns a page into a PDF; a process of its own, started by :mod:`nsfwforensics.report.pdf.making` and by nobody else.

    python -m nsfwforensics.report.pdf.rendering SETTINGS < page.html > page.pdf

``SETTINGS`` is a JSON object (:class:`PdfSettings`). What happened is written to standard error as one line of JSON
(:class:`Rendered`). The layout of a page made of hostile text may need any amount of time and memory, so both have
limits here, and the process can be ended without harm. WeasyPrint knows no script; its fetcher hands out nothing but
``data:`` addresses, so nothing is loaded, neither from the network nor from this machine.
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nsfwforensics.execution.confine import confine

if TYPE_CHECKING:
    from weasyprint import HTML  # type: ignore[import-untyped]

MOST_MISSING = 20
"""Most characters that are named as missing."""


@dataclass(frozen=True, slots=True)
class PdfSettings:
    """What the process is told.

    Attributes:
        style: A further style sheet of ours, for the size of the paper and what runs along its edges.
        max_memory: Most memory for data, in bytes; 0 for no limit.
        max_file: Longest PDF, in bytes.
        max_seconds: Most computing time; 0 for no limit.
        probe: Text that must be drawable; then nothing else is done.
    """

    style: str = ""
    max_memory: int = 0
    max_file: int | None = None
    max_seconds: int = 0
    probe: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the rendering process reports back.

    Attributes:
        pages: How many pages were made.
        missing: Characters that no font on this machine has.
        problem: What kept it from working; empty if nothing did.
        kind: ``package`` where WeasyPrint or its libraries are missing, ``limit`` where memory ran out, else empty.
    """

    pages: int = 0
    missing: str = ""
    problem: str = ""
    kind: str = ""


class _Missing(logging.Handler):
    """Collects the characters that WeasyPrint warns about because no font has them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.characters: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the character of one warning."""
        if ".notdef" in str(record.msg) and isinstance(record.args, tuple) and len(self.characters) < MOST_MISSING:
            self.characters[str(record.args[0])] = None


def main(arguments: list[str]) -> int:
    """Runs in the process: reads the page, renders it, writes what came of it."""
    settings = PdfSettings(**json.loads(arguments[0]))
    confine(settings.max_memory, settings.max_file)
    _limit_time(settings.max_seconds)
    try:
        answer = _render(settings)
    except ImportError as error:
        answer = Rendered(problem=str(error), kind="package")
    except OSError as error:  # what cffi raises where Pango or one of its companions is not installed
        kind = "package" if "cannot load library" in str(error) else ""
        answer = Rendered(problem=str(error).split("\n")[0], kind=kind)
    except (MemoryError, RecursionError) as error:
        answer = Rendered(problem=type(error).__name__, kind="limit")
    sys.stderr.write("\n" + json.dumps(asdict(answer)) + "\n")
    return 1 if answer.problem else 0


def _limit_time(most: int) -> None:
    """Has the kernel end this process after so much computing time, where the system can (not on Windows)."""
    if most and sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))


def _render(settings: PdfSettings) -> Rendered:
    from weasyprint import CSS, HTML
    from weasyprint.logger import LOGGER  # type: ignore[import-untyped]
    from weasyprint.urls import URLFetcher  # type: ignore[import-untyped]

    missing = _Missing()
    LOGGER.handlers[:] = [missing]
    LOGGER.propagate = False
    fetcher = URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    if settings.probe:
        _written(HTML(string=_probe(settings.probe), url_fetcher=fetcher), [])
        return Rendered(missing="".join(missing.characters))
    page = HTML(string=sys.stdin.buffer.read().decode(), url_fetcher=fetcher, base_url="about:blank")
    style = CSS(string=settings.style, url_fetcher=fetcher, base_url="about:blank")
    pages, content = _written(page, [style])
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    return Rendered(pages, "".join(missing.characters))


def _written(page: HTML, styles: list[Any]) -> tuple[int, bytes]:
    options: dict[str, Any] = {"pdf_variant": "pdf/ua-1", "pdf_tags": True}
    document = page.render(stylesheets=styles, **options)
    return len(document.pages), document.write_pdf(**options)


def _probe(text: str) -> str:
    from markupsafe import escape

    return f"<!doctype html><html><head><title>probe</title></head><body><p>{escape(text)}</p></body></html>"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

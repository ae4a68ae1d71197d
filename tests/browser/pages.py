"""Reports as a browser meets them: every outcome, rates, dates, help, and text that would act if it could."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nsfwforensics.core.error_rates import ERROR_RATES, error_rate
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import (
    AnalyzerRecord,
    AnalyzerStatus,
    FileReport,
    FileState,
    Header,
    Question,
    Severity,
)
from nsfwforensics.language import language
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import every_outcome, file, finding, header, result, thumbnail

PLANTED = (
    "<img src=x onerror=window.planted=1>",
    "</script><script>window.planted=1</script>",
    "</style></title><script>window.planted=1</script>",
    '"><svg onload=window.planted=1>',
    "javascript:window.planted=1",
    "' onmouseover=window.planted=1 autofocus onfocus=window.planted=1 x='",
    "<a href=javascript:window.planted=1>x</a>",
    "<iframe srcdoc='<script>parent.planted=1</script>'></iframe>",
    "<link rel=stylesheet href=https://example.org/a.css><style>@import 'https://example.org/b.css'</style>",
    "<meta http-equiv=refresh content='0;url=https://example.org/'>",
    "{{ 7*7 }}{software}{% raw %}",
    "a\u202egnp.exe",
)
"""Each would run, load or lead somewhere in a page that did not escape it."""


def described() -> Header:
    """A header that says what the checks do."""
    records = [
        AnalyzerRecord(
            name=name,
            version="1",
            question=question,
            origin="built-in",
            method=say("Reads how the metadata and the thumbnail of a file fit together."),
            source="docs/architecture.md",
            options={"reference": ["her.jpg"]},
        )
        for name, question in (("metadata", Question.ORIGIN), ("deepfake", Question.SYNTHESIS))
    ]
    return header(analyzers=tuple(records))


def rich(path: str = "holiday/rich.jpg") -> FileReport:
    """A file with everything that a page can show."""
    state = {"size": 2_345_678, "modified": "2026-11-20T18:00:00.000+00:00", "sha256": "0123456789abcdef" * 4}
    rated = finding(
        "META-004",
        title="Times that do not fit together",
        severity=Severity.MEDIUM,
        explanation="The perceptual hash and the quantisation table of this file were compared.",
        data={
            ERROR_RATES: [error_rate(say("pictures taken for others"), 2, 221)],
            "earlier_quality": 84,
            "odd_one": [1],
        },
    )
    minor = [finding(f"META-1{number:02}", title=f"Note {number}") for number in range(6)]
    read = result("metadata", findings=(rated, *minor), measurements={"fields": [FIELD] * 3, "odd": {"a": [1, None]}})
    base = every_outcome(path)
    hashes = result("phash", Question.KNOWN, AnalyzerStatus.OK, measurements={"md5": "0" * 32, "pdq": "f" * 64})
    return file(
        path,
        read,
        *(each for each in base.results if each.analyzer not in ("metadata", "phash")),
        hashes,
        info={"sha256": state["sha256"], "after": FileState(**state), "thumbnail": thumbnail()},
    )


FIELD = {"source": "JPEG APP1", "group": "EXIF IFD0", "tag": "0x010F", "name": "Make", "value": "NIKON"}


def planted(text: str, number: int) -> FileReport:
    """A file that carries hostile text wherever text out of a file can get to."""
    bad = finding(
        f"META-0{number + 10}", title=text, explanation=text, caveat=text, data={text: text, "rows": [{text: text}]}
    )
    rates = finding(
        "META-099", title="Rates", data={"error_rates": [{"what": text, "errors": 1, "trials": 9, "upper": 0.5}]}
    )
    fields = [dict.fromkeys(("source", "group", "tag", "name", "text"), text)]
    return file(
        f"holiday/{text}.jpg",
        result(findings=(bad, rates), measurements={"fields": fields, text: text}),
        result("faces", Question.IDENTITY, AnalyzerStatus.FAILED, error=text, origin=text),
        result("phash", Question.KNOWN, AnalyzerStatus.OK, measurements={"md5": text}),
        notes=(text,),
        info={"media_type": text, "thumbnail": text},
    )


def planted_header(text: str) -> Header:
    """A header with hostile text in it."""
    return header(
        command=text,
        operator=text,
        platform=text,
        notes=(text,),
        references=({"file": text, text: text},),
        analyzers=(AnalyzerRecord(name="metadata", version=text, question=Question.ORIGIN, origin=text, method=text),),
    )


def write(folder: Path, code: str, *files: FileReport, head: Header | None = None) -> Path:
    """Writes a report and returns its page."""
    with ReportWriter(folder, language(code)) as writer:
        writer.begin(head or described())
        for made in files:
            writer.add(made)
        writer.finish(head or described())
    return folder / "report.html"


@contextmanager
def opened(browser: Any, page: Path, **options: Any) -> Iterator[Any]:
    """A page as it is opened from disk, with every request that it makes in ``requests``."""
    context = browser.new_context(**options)
    try:
        tab = context.new_page()
        tab.requests = []
        tab.dialogs = []
        context.on("request", lambda request: tab.requests.append(request.url))
        tab.on("dialog", lambda dialog: (tab.dialogs.append(dialog.message), dialog.dismiss()))
        tab.goto(page.as_uri())
        yield tab
    finally:
        context.close()

"""How the files of a report are called, by which the folder of one is known, and what in it is no evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from nsfwforensics.core.discover import Target
from nsfwforensics.core.messages import say
from nsfwforensics.core.opening import open_evidence

REPORT_NAME = "report.json"
STREAM_NAME = "files.jsonl"
FIRST_NAME = "first.jsonl"
"""What a first look found, as long as the run goes on."""

RUN_NAME = "run.json"
CSV_NAME = "summary.csv"
HTML_NAME = "report.html"
PDF_NAME = "report.pdf"
SUMS_NAME = "SHA256SUMS"
OUR_NAMES = (REPORT_NAME, STREAM_NAME, FIRST_NAME, RUN_NAME, CSV_NAME, HTML_NAME, PDF_NAME, SUMS_NAME)

PAGE_NAME = re.compile(r"report-([1-9][0-9]{0,4})\.html")
"""Further pages of a report of many files."""

ARTIFACTS = "artifacts"
"""The folder of pictures that were made with a report."""

ARTIFACT_NAME = re.compile(r"[0-9a-f]{16}-[a-z0-9]{1,24}-[a-z0-9-]{1,40}\.(?:png|jpg)")

_HEAD = 4096
_MADE_BY_US = say(
    "a file of an earlier report, by its name and place; it is no evidence, and is examined where it is named itself"
)


def page_name(number: int) -> str:
    """How a page of a report is called, from 1."""
    return HTML_NAME if number == 1 else f"report-{number}.html"


def is_ours(path: Path) -> bool:
    """Whether a file is a JSON document of this tool."""
    try:
        with open_evidence(path) as stream:
            head = stream.read(_HEAD)
    except OSError:
        return False
    return b'"schema_version"' in head and b'"nsfwforensics"' in head


def without_reports(targets: Iterable[Target]) -> Iterator[Target]:
    """The same targets, where those that earlier reports left in a folder of evidence are not to be opened.

    Only files of our own names are passed over, in a folder that holds a document of ours: whatever else lies there is
    examined. A file that was named itself is too.
    """
    known: dict[Path, bool] = {}

    def holds_report(folder: Path) -> bool:
        if folder not in known:
            known[folder] = any(is_ours(folder / name) for name in (REPORT_NAME, RUN_NAME))
        return known[folder]

    for target in targets:
        path = target.path
        made = (path.name in OUR_NAMES or PAGE_NAME.fullmatch(path.name) is not None) and holds_report(path.parent)
        made |= (
            ARTIFACT_NAME.fullmatch(path.name) is not None
            and path.parent.name == ARTIFACTS
            and holds_report(path.parent.parent)
        )
        ours = made and target.skip is None and not target.named
        yield replace(target, skip=_MADE_BY_US) if ours else target

"""How large the page of a report of many files is, how long it takes to write, and how soon a browser shows it."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import corpus
from nsfwforensics.api import scan
from nsfwforensics.core.types import FileReport
from nsfwforensics.report.page import html
from nsfwforensics.report.writer import ReportWriter

WORK = corpus.ROOT / ".work" / "bench" / "page"
SAMPLES = corpus.ROOT / "samples"
SIZES = (1_000, 50_000)
NAMES = ("chromium", "chromium-browser", "google-chrome")
_LOADS = 5


def page(_: argparse.Namespace) -> str:
    """Reports of 1,000 and 50,000 files, made of the findings in the samples under other names and digests."""
    shutil.rmtree(WORK, ignore_errors=True)
    patterns, head = _patterns()
    rows = []
    for files in SIZES:
        folder = WORK / str(files)
        with ReportWriter(folder) as writer:
            writer.begin(head)
            for file in _files(patterns, files):
                writer.add(file)
            saved = writer.finish(head)
        begun = time.process_time()
        with (WORK / "again.html").open("w", encoding="utf-8") as stream:
            html.write(saved, stream)
        wrote = time.process_time() - begun
        pages = sorted(folder.glob("report*.html"), key=lambda path: (len(path.name), path.name))
        first, others = pages[0].stat().st_size / 1e6, [path.stat().st_size / 1e6 for path in pages[1:]]
        for name, path in (("first", pages[0]), ("last", pages[-1]))[: len(pages)]:
            shown, loaded = _opened(path)
            size = path.stat().st_size / 1e6
            rows.append(f"| {files:,} | {len(pages)} | {name} | {size:.1f} | {shown:.2f} | {loaded:.2f} |")
        written = f"first page written in {wrote:.1f} s of processor time"
        rows.append(f"| {files:,} | {len(pages)} | all; {written} | {first + sum(others):.1f} | | |")
    return "\n".join(
        (
            "## The page of a large report",
            "",
            "The samples' findings under other names and digests, so that no file is a copy of another. Seconds until",
            f"headless Chromium painted the first content, and until all was loaded (median of {_LOADS}), from disk.",
            "",
            "| files | pages | page | MB | painted, s | loaded, s |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            "Target: the first page of 1,000 files is open in less than 2 seconds.",
        )
    )


def _patterns() -> tuple[list[FileReport], Any]:
    options = {
        "faces": {"reference": (SAMPLES / "reference.jpg",)},
        "compare": {"original": (SAMPLES / "camera-original.jpg",)},
    }
    run = scan([SAMPLES], options=options)
    return [file for file in run if not file.skipped], run.header(finished=True)


def _files(patterns: list[FileReport], number: int) -> Iterator[FileReport]:
    for n in range(number):
        pattern = patterns[n % len(patterns)]
        digest = hashlib.sha256(str(n).encode()).hexdigest()
        path = f"/evidence/folder-{n // 500:03}/{n:05}-{pattern.info.name}"
        info = pattern.info.model_copy(
            update={"path": path, "name": Path(path).name, "sha256": digest, "after": None, "size": 10_000 + n}
        )
        results = tuple(
            result.model_copy(update={"measurements": _unlike(result.measurements, digest)})
            for result in pattern.results
        )
        yield pattern.model_copy(update={"info": info, "results": results, "supplied_as": ""})


def _unlike(measurements: dict[str, Any], digest: str) -> dict[str, Any]:
    """The same with another perceptual hash."""
    return measurements | ({"pdq": digest} if "pdq" in measurements else {})


def _opened(path: Path) -> tuple[float, float]:
    """Seconds until the first paint and until a page is loaded, the medians."""
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, NAMES)))
    painted, loaded = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(_LOADS):
            tab = browser.new_page()
            tab.goto(path.as_uri())
            tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
            painted.append(tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            loaded.append(tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
            tab.close()
        browser.close()
    return sorted(painted)[_LOADS // 2] / 1000, sorted(loaded)[_LOADS // 2] / 1000

"""What the provenance pass adds to a file whose bytes are read anyway."""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

from nsfwforensics.analyzers.provenance.analyzer import ProvenanceAnalyzer, ProvenanceOptions
from nsfwforensics.core.analyzer import Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats.read import read_metadata

ROOT = Path(__file__).resolve().parent.parent
TARGET_MS = 25


def provenance(_: argparse.Namespace) -> str:
    """Milliseconds per file over the camera files of the development data, one core, without the watermark stage."""
    shared = Path(os.environ.get("NSFWFORENSICS_SHARED_DATA", ROOT.parent / "shared" / "data"))
    folders = [folder for folder in (shared / "exif", shared / "provenance", shared / "c2pa") if folder.is_dir()]
    rows = [row for folder in folders if (row := _row(folder))]
    return f"""## Provenance

Milliseconds per file in one process on one core, median of three passes over each file.
*Added* is what the pass costs on top of reading the metadata, which the metadata analyzer needs anyway; *alone*
includes that reading. The watermark stage is not part of it. Target: at most {TARGET_MS} ms (median) over the camera
files.

| files | number | added, median | added, 95 % | alone, median |
|---|---|---|---|---|
""" + ("\n".join(rows) or "| the development data is absent | | | | |")


def _row(folder: Path) -> str:
    analyzer = ProvenanceAnalyzer(ProvenanceOptions(), Resources())
    added: list[float] = []
    alone: list[float] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            data = Evidence.open(path)
        except EvidenceError:
            continue
        if data.media_type is None:
            continue
        passes = [_once(analyzer, path) for _ in range(3)]
        added.append(statistics.median(each[0] for each in passes))
        alone.append(statistics.median(each[1] for each in passes))
    if not added:
        return ""
    high = statistics.quantiles(added, n=20)[-1] if len(added) > 1 else added[0]
    middle = statistics.median(added)
    return f"| `{folder.name}/` | {len(added)} | {middle:.2f} | {high:.2f} | {statistics.median(alone):.2f} |"


def _once(analyzer: ProvenanceAnalyzer, path: Path) -> tuple[float, float]:
    evidence = Evidence.open(path)
    started = time.perf_counter()
    evidence.derive("metadata.table", lambda: read_metadata(evidence.data, evidence.media_type))
    read = time.perf_counter()
    analyzer.examine(evidence)
    ended = time.perf_counter()
    return 1000 * (ended - read), 1000 * (ended - started)

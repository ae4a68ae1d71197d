from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest

from nsfwforensics.core.types import FileReport
from nsfwforensics.report.saved import ReportWriter, SavedReport
from tests.report.factory import file, finding, header, result

BYTES_PER_FILE = 600
"""What may stay in memory of each file: its index entry. Its JSON here is several times that."""


def heavy(number: int) -> FileReport:
    fields = [{"source": "JPEG APP1", "name": f"Tag{n}", "text": f"value {n} of {number}"} for n in range(30)]
    return file(f"folder/IMG_{number:06}.jpg", result(findings=(finding(),), measurements={"fields": fields}))


def peak(folder: Path, files: int) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        with ReportWriter(folder) as writer:
            writer.begin(header())
            for number in range(files):
                writer.add(heavy(number))
            writer.finish(header())
        SavedReport.open(folder).write_views()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("files", [20_000])
def test_memory_stays_flat_over_a_large_folder(tmp_path: Path, files: int) -> None:
    few = 1_000
    peak(tmp_path / "warm", 10)
    base, many = peak(tmp_path / "few", few), peak(tmp_path / "many", files)
    written = (tmp_path / "many" / "files.jsonl").stat().st_size
    assert written > 5 * BYTES_PER_FILE * files
    assert many - base < BYTES_PER_FILE * (files - few)

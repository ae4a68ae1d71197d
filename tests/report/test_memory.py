"""Memory of a whole run of the report's code, measured as the peak of a fresh process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nsfwforensics.core.types import FileReport
from nsfwforensics.report.saved.json import file_line
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter, write_views
from tests.report.factory import file, finding, header, result

ROOT = Path(__file__).resolve().parents[2]
BYTES_PER_FILE = 800
"""What may stay in memory of each file: its index entry. Its JSON here is several times that."""


def heavy(number: int) -> FileReport:
    fields = [{"source": "JPEG APP1", "name": f"Tag{n}", "text": f"value {n} of {number}"} for n in range(30)]
    return file(f"folder/IMG_{number:06}.jpg", result(findings=(finding(),), measurements={"fields": fields}))


def whole_run(folder: Path, files: int) -> int:
    """Writes a report of so many files, makes its views again, and returns the peak memory of this process in bytes."""
    import resource

    with ReportWriter(folder) as writer:
        writer.begin(header())
        for number in range(files):
            writer.add(heavy(number))
        writer.finish(header())
    write_views(SavedReport.open(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_of_a_process(folder: Path, files: int) -> int:
    code = f"from tests.report.test_memory import *; print(whole_run(Path({str(folder)!r}), {files}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, check=True)
    return int(done.stdout)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read in the way of POSIX")
def test_memory_stays_flat_over_20_000_files(tmp_path: Path) -> None:
    few, files = 1_500, 20_000
    base, many = peak_of_a_process(tmp_path / "few", few), peak_of_a_process(tmp_path / "many", files)
    assert len(file_line(heavy(0))) > 4 * BYTES_PER_FILE
    assert many - base < BYTES_PER_FILE * (files - few), f"{base:,} bytes for {few} files, {many:,} for {files}"

"""Files that crashed or hung the parsers of others, all in one run of the installed command."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.hostile.test_content import LIGHT, MEMORY
from tests.hostile.watch import watched

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads what Linux says of processes"),
]


def as_pictures(folder: Path, into: Path) -> int:
    """Most of the files are films; under the brand of a picture format their bytes reach the parsers of pictures."""
    made = 0
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        brands = (b"avif", b"heic") if data[4:8] == b"ftyp" else (b"WEBP",) if data[:4] == b"RIFF" else ()
        for brand in brands:
            (into / f"{path.stem[:40]}.{brand.decode().lower()}").write_bytes(data[:8] + brand + data[12:])
            made += 1
    return made


def test_every_file_has_one_result(tmp_path: Path, shared_data: Path) -> None:
    fuzzed = shared_data / "hostile" / "fuzzed"
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    made = as_pictures(fuzzed, pictures)
    limits = ("--max-memory", MEMORY, "--max-seconds", "60", "--jobs", "2")
    ran = watched(tmp_path, "scan", fuzzed, pictures, "-o", tmp_path / "out", "--quiet", *LIGHT, *limits)
    assert ran.code == 4, ran.err
    files = json.loads((tmp_path / "out" / "report.json").read_bytes())["files"]
    assert len(files) == len({file["info"]["path"] for file in files}) == len(list(fuzzed.iterdir())) + made
    reasons = Counter("died" in str(file["error"]) or "longer than" in str(file["error"]) for file in files)
    assert not reasons[True]
    assert max(data for pid, data in ran.data.items() if pid != ran.main) <= MEMORY

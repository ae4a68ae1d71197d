"""Figures in reports come from a file that measuring tools write."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
from tools.measured import FILE, record

from nsfwforensics.core.error_rates import counted
from nsfwforensics.core.registry import built_in


def test_what_a_tool_counted_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "measured.toml"
    shutil.copy(FILE, file)
    record("tools/measure_jpeg.py", {"originals_saved_twice": (1, 300), "new": (2, 5)}, file)
    before, after = (tomllib.loads(path.read_text("utf-8")) for path in (FILE, file))
    assert after.pop("new") == {"errors": 2, "trials": 5, "by": "tools/measure_jpeg.py"}
    assert after.pop("originals_saved_twice")["trials"] == 300
    assert after.items() <= before.items()
    assert file.read_text("utf-8").startswith("# How often a check was wrong")


def test_every_figure_stands_in_what_an_analyzer_says_of_itself() -> None:
    said = [rate for each in built_in() for code in each.load().codes.values() for rate in code.rates]
    stated = {(rate["errors"], rate["trials"]) for rate in said}
    assert {counted(name) for name in tomllib.loads(FILE.read_text("utf-8"))} <= stated
    with pytest.raises(KeyError):
        counted("nothing of that name")

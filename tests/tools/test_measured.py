"""Figures in reports come from a file that measuring tools write."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from benchmarks.traces.summary import counts
from tools.measured import FILE, record

from nsfwforensics.analyzers.jpeg.analyzer import JpegAnalyzer
from nsfwforensics.analyzers.traces.analyzer import TracesAnalyzer
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


def test_the_false_alarms_of_traces_are_those_of_its_results() -> None:
    result = json.loads((FILE.parents[3] / "benchmarks" / "traces.json").read_text("utf-8"))
    for method in result["methods"].values():
        for group in ("untouched", "resaved"):
            method[group] = {"whole": 0, **method[group]}
    written = counts(result)
    offset = {name: written.pop(name) for name in list(written) if "offset" in name}
    assert written == {name: counted(name) for name in written} and len(written) == 6
    assert all(counted(name).errors == 0 for name in offset) and len(offset) == 2


def test_figures_within_sentences_are_those_of_the_data() -> None:
    """They are written out, because a sentence with a figure in it is one message of the catalogues."""
    assert f"of {counted('jpeg_grid_missing').trials} such files" in TracesAnalyzer.codes["TRACE-003"].caveat
    makers = tomllib.loads((FILE.parent / "jpeg_tables.toml").read_text("utf-8"))["maker"].values()
    assert (
        f"none of {sum(maker['originals'] for maker in makers)} camera originals"
        in JpegAnalyzer.codes["JPEG-002"].caveat
    )

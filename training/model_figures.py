"""Draws the card's figures from a training run: ``python -m training.model_figures OUT/result.json docs/figures``.

Stand-alone SVG files with fixed names, without fonts, scripts or outside references, on white so that they can be read
on any page.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nsfwforensics.language import Language, language
from nsfwforensics.report.charts import quality
from training.plots import STATES

_SVG = re.compile(r'<svg viewBox="0 0 ([\d.]+) ([\d.]+)"(.*?)>(.*)</svg>', re.S)


def standing_alone(chart: str) -> str:
    """The drawing of a chart as a file of its own.

    Args:
        chart: A figure as :mod:`nsfwforensics.report.charts.quality` makes it.

    Raises:
        ValueError: It holds no drawing.
    """
    found = _SVG.search(chart)
    if found is None:
        raise ValueError("no drawing")
    width, height, attributes, inside = found.groups()
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    paper = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return f"{head}{attributes}>{paper}{inside}</svg>\n"


def drawings(plots: Mapping[str, Any], spoken: Language) -> dict[str, str]:
    """Every figure by its file name.

    Args:
        plots: As :func:`training.plots.points` makes them.
        spoken: Of the charts' frame.
    """

    def named(states: Mapping[str, Any]) -> dict[str, list[Any]]:
        return {words: [tuple(point) for point in states[t]] for t, words in STATES.items() if states.get(t)}

    def rows(groups: Sequence[Mapping[str, Any]]) -> list[quality.Row]:
        return [quality.Row(group["name"], group["scores"], bool(group["generated"])) for group in groups]

    charts = {
        "roc": quality.roc(named(plots["generators"]), spoken),
        "det": quality.det(named(plots["generators"]), spoken),
        "matched": quality.roc(named(plots["matched"]), spoken),
        "reliability": quality.reliability(named(plots["reliability"]), spoken),
        "sources": quality.spread("Scores by source, as the files are", rows(plots["sources"]), None, spoken),
        "states": quality.spread("Scores by state", rows(plots["states"]), None, spoken),
    }
    return {f"synthesis-{name}.svg": standing_alone(str(chart)) for name, chart in charts.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path, help="result.json of a training run")
    parser.add_argument("folder", type=Path, help="where the figures go")
    options = parser.parse_args(arguments)
    plots = json.loads(options.result.read_text("utf-8"))["plots"]
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, drawing in drawings(plots, language("en")).items():
        (options.folder / name).write_text(drawing, "utf-8")
        print(f"{options.folder / name}: {len(drawing.encode()) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

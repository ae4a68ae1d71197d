"""Plain bars along the edges of a picture, as screenshots and letterboxed copies have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nsfwforensics import (
    Analyzer,
    AnalyzerOptions,
    Code,
    Evidence,
    Mark,
    Outcome,
    Question,
    Region,
    Scale,
    Severity,
    Support,
    say,
)

TOLERANCE = 6
"""Most grey levels by which the colour varies within a bar: saving as JPEG leaves so much."""

EDGES = {"top": say("top"), "bottom": say("bottom"), "left": say("left"), "right": say("right")}


class BarsOptions(AnalyzerOptions):
    """What counts as a bar."""

    least: int = Field(default=4, ge=1, description="Fewest pixels of a bar that counts")


class BarsAnalyzer(Analyzer):
    """Measures how many rows and columns at each edge are of one colour."""

    name = "bars"
    version = "1"
    title = "Plain bars along the edges"
    question = Question.ALTERATION
    method = say("Counts the rows and columns at each edge of the picture that are of one colour.")
    source = "README.md of nsfwforensics-bars"
    help = "plain bars along the edges"
    Options = BarsOptions
    codes: ClassVar[dict[str, Code]] = {
        "BARS-001": Code(
            say("Plain bars along the edges"),
            Severity.LOW,
            say("A dark sky or a studio wall can look the same. How often that happens was not measured."),
        )
    }
    figures: ClassVar[dict[str, Any]] = {
        "least": say("fewest pixels of a bar"),
        "edges": say("edges with a bar"),
        "share": say("share that is bars"),
        **EDGES,
    }
    charts = (
        Scale(
            codes=("BARS-001",),
            title=say("How much of the picture is bars"),
            unit=say("Share of the picture"),
            marks=(Mark(value="data.share", name=say("this picture")),),
            ends=(0.0, 1.0),
        ),
    )

    def examine(self, evidence: Evidence) -> Outcome:
        """Measurements are the width of the bar at each edge in pixels: ``top``, ``bottom``, ``left``, ``right``."""
        height, width = evidence.rgb.shape[:2]
        bars = dict(zip(EDGES, _bars(evidence.rgb), strict=True))
        inner = Region(
            x=bars["left"],
            y=bars["top"],
            width=max(0, width - bars["left"] - bars["right"]),
            height=max(0, height - bars["top"] - bars["bottom"]),
        )
        edges = [EDGES[edge] for edge, size in bars.items() if size >= self.options.least]
        if not inner.width or not inner.height:
            return Outcome.not_applicable(say("the whole picture is of one colour"), bars)
        if not edges:
            return Outcome.of((), bars)
        share = 1 - inner.width * inner.height / (width * height)
        finding = self.finding(
            "BARS-001",
            say(
                "Plain bars lie along the edges ({edges:and}) and take {share:.0%} of the picture, which is consistent "
                "with a screenshot or a copy that was fitted into another shape.",
                edges=edges,
                share=share,
            ),
            support=Support.INCONCLUSIVE,
            data={"edges": edges, "share": round(share, 4)},
            region=inner,
        )
        return Outcome.of([finding], bars)


def _bars(rgb: NDArray[np.uint8]) -> Iterator[int]:
    """The bars at the top, bottom, left and right, in pixels."""
    for turned in (rgb, rgb.swapaxes(0, 1)):
        for lines in (turned, turned[::-1]):
            off = np.abs(lines.astype(np.int16) - lines[0, 0].astype(np.int16)).max(axis=(1, 2)) > TOLERANCE
            yield int(off.argmax()) if off.any() else len(lines)

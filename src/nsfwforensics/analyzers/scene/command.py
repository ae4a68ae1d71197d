"""``search --like``: files by how much they look like pictures that the user has."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.command import Command, Listing
from nsfwforensics.core.messages import say

if TYPE_CHECKING:
    from nsfwforensics.core.types import FileReport

SHOWN = 50
"""So many files are listed."""


def _ranked(files: Iterable[FileReport]) -> Iterator[Listing]:
    compared = 0

    def measured() -> Iterator[tuple[float, str, Any]]:
        nonlocal compared
        for file in files:
            for result in file.results:
                if result.analyzer == "scene" and "similarity" in result.measurements:
                    compared += 1
                    found = result.measurements
                    yield float(str(found["similarity"])), file.info.path, found

    best = heapq.nlargest(SHOWN, measured(), key=lambda each: each[0])
    rows = [
        (
            f"{similarity:.2f}",
            "yes" if similarity >= found["alike_from"] else "",
            path,
            found["nearest"],
        )
        for similarity, path, found in best
    ]
    yield Listing(
        title=say("The most alike of {count:,} pictures", count=compared),
        text=say(
            "How alike they look to a network: a lead for people to compare, no proof, and not about who is shown."
        ),
        head=("similarity", "same scene (likely)", "file", "most like"),
        rows=tuple(tuple(map(str, row)) for row in rows),
    )


COMMAND = Command(
    "search",
    "Rank pictures by how much they look like one that you have.",
    needs={"like": "a picture whose scene to look for: --like PICTURE"},
    table=_ranked,
    place="instead",
)

"""``search --like``: files by how much they look like pictures that the user has."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.command import Command, Listing
from nsfwforensics.core.messages import say, say_count, sentences

if TYPE_CHECKING:
    from nsfwforensics.core.types import FileReport

SHOWN = 50
"""So many files are listed."""


def _ranked(files: Iterable[FileReport]) -> Iterator[Listing]:
    counts = {True: 0, False: 0}

    def measured() -> Iterator[tuple[float, str, Mapping[str, Any]]]:
        for file in files:
            found = _most_alike(file)
            counts[found is not None] += 1
            if found is not None:
                yield float(found["similarity"]), file.info.path, found

    best = heapq.nlargest(SHOWN, measured(), key=lambda each: each[0])
    left = say_count(
        "{count:,} file could not be compared; a report says why.",
        "{count:,} files could not be compared; a report says why.",
        counts[False],
    )
    lead = say("How alike they look to a network: a lead for people to compare, no proof, and not about who is shown.")
    yield Listing(
        title=say("The most alike of {count:,} pictures", count=counts[True]),
        text=sentences(lead, left) if counts[False] else lead,
        head=("similarity", "same scene (likely)", "file", "most like"),
        rows=tuple(
            (f"{similarity:.2f}", "yes" if similarity >= found["alike_from"] else "", path, str(found["nearest"]))
            for similarity, path, found in best
        ),
    )


def _most_alike(file: FileReport) -> Mapping[str, Any] | None:
    """What was measured of a file's main picture, or of a further one that came nearer and was named for it."""
    results = [result for result in file.results if result.analyzer == "scene"]
    places: list[Mapping[str, Any]] = [result.measurements for result in results]
    places += [finding.data for result in results for finding in result.findings]
    return max((each for each in places if "similarity" in each), key=lambda each: each["similarity"], default=None)


COMMAND = Command(
    "search",
    "Rank pictures by how much they look like one that you have.",
    needs={"like": "a picture whose scene to look for: --like PICTURE"},
    table=_ranked,
    place="instead",
)

"""Clusters of near-duplicates as ``clusters.json``, ``clusters.csv`` and ``clusters.html``.

The same care as for reports: names are escaped and their acting characters shown, spreadsheet formulas neutralised, the
page loads and runs nothing but its own style, each file is written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nsfwforensics.clustering.model import Clustering, Link, Member, Stage
from nsfwforensics.report.documents.writing import write_documents
from nsfwforensics.report.saved import json as report_json

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = (
    "cluster",
    "role",
    "path",
    "joined_by",
    "joined_to",
    "sureness",
    "pdq_distance",
    "transform",
    "score",
    "shown",
    "mirrored",
    "similarity",
    "sha256",
    "size_bytes",
    "width",
    "height",
    "modified",
    "note",
)

CAVEAT = (
    "Near-duplicates are pictures that are consistent with having been made from one photo; nothing here says which "
    "was first, or what a picture shows. Pictures that are alone may still have near-duplicates that were changed too "
    "strongly to be found. Look at a cluster before acting on it."
)

CAVEAT_SEMANTIC = (
    "What stands under “likely: the same scene” only looks alike to a network: it need not have been made from one "
    "photo. Two things of one kind and different photographs of one well-known person can look so; it says nothing "
    "about who is shown."
)

_STAGES = {
    Stage.BYTES: "the same bytes",
    Stage.LOOKS: "the same looks",
    Stage.FEATURES: "the same details in the same arrangement",
    Stage.SEMANTIC: "the same scene",
}


def caveat(found: Clustering) -> str:
    """What must stand beside the clusters."""
    return CAVEAT if found.similarity is None else f"{CAVEAT} {CAVEAT_SEMANTIC}"


def describe(link: Link) -> str:
    """Why a file is in its cluster, in a few words, without the name of the other file."""
    text = _STAGES[link.stage]
    if link.stage is Stage.LOOKS:
        turned = "" if link.transform in (None, "original") else f", {(link.transform or '').replace('_', ' ')}"
        text += f" (PDQ {link.distance} of 256 bits apart{turned})"
    elif link.stage is Stage.FEATURES and link.score is not None:
        shown = f", at most {link.shown:.0%} of the other shown" if link.shown is not None else ""
        text += f" (score {link.score:.0f}{', mirrored' if link.mirrored else ''}{shown})"
    elif link.similarity is not None:
        text += f", as far as a network can tell (similarity {link.similarity:.2f}): no near-duplicate by anything else"
    return f"{link.sureness.value}: {text}"


def write(found: Clustering, folder: Path) -> None:
    """Writes all three files into a folder, which is made if it is missing.

    Raises:
        ReportError: It cannot be written, or holds other files of these names.
    """
    shown = {
        "found": found,
        "caveat": caveat(found),
        "describe": describe,
        "note": note,
        "failed": [problem for problem in found.problems if problem.failed],
        "skipped": [problem for problem in found.problems if not problem.failed],
    }
    write_documents(folder, "clusters", report_json.block(found) + "\n", _rows(found), shown)


def note(member: Member) -> str:
    """What a reader must know about a file that could only be compared by its bytes."""
    return "" if member.comparable else "too little structure to be compared by more than its bytes"


def _rows(found: Clustering) -> Iterator[Sequence[object]]:
    """The table: its head, then one row for every file, clusters first; ``shown`` is a share, 0–1."""
    yield COLUMNS
    for group in found.clusters:
        yield _row(group.number, "representative", group.representative)
        for member in group.members:
            yield _row(group.number, "member", member)
    for member in found.alone:
        yield _row(None, "alone", member)
    for problem in found.problems:
        empty = [None] * (len(COLUMNS) - 4)
        yield [None, "failed" if problem.failed else "skipped", problem.path, *empty, problem.reason]


def _row(number: int | None, role: str, member: Member) -> Sequence[object]:
    link = member.link
    why: list[object] = [None] * 9
    if link is not None:
        mirrored = None if link.mirrored is None else str(link.mirrored).lower()
        why = [link.stage.value, link.to, link.sureness.value, link.distance, link.transform, link.score, link.shown]
        why += [mirrored, link.similarity]
    about = [member.sha256, member.size, member.width, member.height, member.modified, note(member)]
    return [number, role, member.path, *why, *about]


__all__ = ["caveat", "describe", "write"]

"""Known pictures found as a part of the examined one: signatures of local features, retrieved and verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nsfwforensics.analyzers.known.entries import WEIGHED, PartEntry
from nsfwforensics.core.types import Region
from nsfwforensics.errors import HashListError

if TYPE_CHECKING:
    from pathlib import Path

    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.hashing.index.known import KnownPlace
    from nsfwforensics.signals.matching.alignment import Alignment
    from nsfwforensics.signals.matching.near_index import NearIndex


@dataclass(frozen=True, slots=True)
class PartSignatures:
    """Signatures of all places, ready to be searched.

    Attributes:
        index: The index over them.
        pictures: SHA-256 of each picture's file, by its number in the index.
    """

    index: NearIndex
    pictures: tuple[bytes, ...]


def open_parts(known: Sequence[KnownPlace]) -> PartSignatures:
    """Indexes the signatures of all places, once in each process.

    Raises:
        HashListError: An index is gone, was changed since it was enrolled, or holds a damaged signature.
    """
    return _opened(tuple((place.index, place.index_digest) for place in known))


@lru_cache(maxsize=2)
def _opened(indexes: tuple[tuple[Path, str], ...]) -> PartSignatures:
    from nsfwforensics.hashing.index.known import open_index
    from nsfwforensics.signals.matching.near_index import NearIndex
    from nsfwforensics.signals.matching.parts import METHOD

    index = NearIndex()
    pictures: dict[bytes, None] = {}
    for path, digest in indexes:
        for picture, signature in open_index(path, digest).signatures(METHOD):
            if picture in pictures:
                continue
            try:
                index.add(signature)
            except ValueError as error:
                raise HashListError(f"{path}: damaged: signature of {picture.hex()}: {error}") from error
            pictures[picture] = None
    return PartSignatures(index, tuple(pictures))


def find_parts(evidence: Evidence, known: Sequence[KnownPlace], parts: PartSignatures) -> list[PartEntry]:
    """The entries whose pictures the evidence shows, or shows a part of, best first.

    Raises:
        EvidenceError: The picture cannot be decoded.
        HashListError: An index is gone or was changed since it was enrolled.
    """
    from nsfwforensics.hashing.index.known import open_known
    from nsfwforensics.hashing.lists.items import HashKind
    from nsfwforensics.signals.matching.parts import asked_points

    points = evidence.derive("known.parts", lambda: asked_points(evidence.rgb))
    found = []
    for number, aligned in parts.index.search(points):
        picture = parts.pictures[number]
        for place in known:
            match = open_known(place).lookup(HashKind.SHA256, picture)
            for item, source in match.items[:WEIGHED] if match else ():
                found.append(PartEntry(place.name, picture, item, source.name, aligned))
    return found


def part_region(aligned: Alignment) -> Region | None:
    """Where in the examined picture the known one would be, as far as its frame goes."""
    outline = aligned.outline_in_suspect
    width, height = aligned.suspect_size
    if len(outline) < 3:
        return None
    corners = [(min(width, max(0, round(x))), min(height, max(0, round(y)))) for x, y in outline.tolist()]
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    right, bottom = max(x for x, _ in corners), max(y for _, y in corners)
    return Region(x=left, y=top, width=right - left, height=bottom - top, outline=tuple(corners))

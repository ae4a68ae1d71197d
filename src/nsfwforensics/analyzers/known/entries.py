"""Entries of lists that a picture matched, as findings need them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from nsfwforensics.analyzers.known.words import place_words

if TYPE_CHECKING:
    from nsfwforensics.hashing.index.index import HashMatch
    from nsfwforensics.hashing.lists.items import KnownItem
    from nsfwforensics.signals.matching.alignment import Alignment

WEIGHED = 500
"""So many of the nearest entries are looked at for their opinions."""

PART = "part"
"""What stands for the kind of hash where local features matched."""


class Listed(Protocol):
    """An entry that matched, in whichever way."""

    @property
    def place(self) -> str:
        """Name of the place that the user gave."""

    @property
    def item(self) -> KnownItem:
        """The entry of the list that was matched."""

    def data(self) -> dict[str, Any]:
        """What a finding's data says of it."""


AnyListed = TypeVar("AnyListed", bound=Listed)


@dataclass(frozen=True, slots=True)
class ListedHash:
    """An entry one of whose hashes matched.

    Attributes:
        place: Name of the place that the user gave.
        match: What matched.
        item: The entry.
        listed: Name of the list that it came from.
        turn: In which turn the picture matched.
    """

    place: str
    match: HashMatch
    item: KnownItem
    listed: str
    turn: str

    def data(self) -> dict[str, Any]:
        """What a finding's data says of it."""
        known: dict[str, Any] = {
            "known": self.place,
            "list": self.listed,
            "hash_kind": self.match.kind.value,
            "hash": self.match.value.hex(),
            "distance": self.match.distance,
        }
        known |= {"transform": self.turn} if self.match.kind.value == "pdq" else {}
        return known | _details(self.item)


@dataclass(frozen=True, slots=True)
class PartEntry:
    """An entry whose picture was found in the examined one, by local features.

    Attributes:
        place: Name of the place that the user gave.
        sha256: Of the known picture's file.
        item: The entry.
        listed: Name of the list that it came from.
        alignment: How the examined picture lies on the known one.
    """

    place: str
    sha256: bytes
    item: KnownItem
    listed: str
    alignment: Alignment

    def data(self) -> dict[str, Any]:
        """What a finding's data says of it."""
        aligned = self.alignment
        known: dict[str, Any] = {
            "known": self.place,
            "list": self.listed,
            "hash_kind": PART,
            "hash": self.sha256.hex(),
            "matching_points": aligned.inliers,
            "score": round(aligned.score, 1),
            "share_of_known_shown": round(min(1.0, aligned.shown), 3),
            "share_of_picture_filled": round(min(1.0, aligned.filled), 3),
            "mirrored": aligned.mirrored,
            "rotation_degrees": round(aligned.rotation, 1),
        }
        return known | _details(self.item)


def entries(place: str, match: HashMatch, turn: str = "original") -> Iterator[ListedHash]:
    """The entries of a match."""
    for item, source in match.items[:WEIGHED]:
        yield ListedHash(place, match, item, source.name, turn)


def by_opinion(found: Sequence[AnyListed]) -> Iterator[tuple[str | None, list[AnyListed]]]:
    """Entries of one opinion each, in their order: a confirmed entry must not lend its weight to a disputed one."""
    groups: dict[str | None, list[AnyListed]] = {}
    for entry in found:
        groups.setdefault(entry.item.opinion.value if entry.item.opinion else None, []).append(entry)
    yield from groups.items()


def places(found: Sequence[Listed]) -> str:
    """Where the entries stand, in a few words."""
    names = list(dict.fromkeys(entry.place for entry in found))
    cases = list(dict.fromkeys(case for entry in found for case, _ in entry.item.cases))
    return place_words(names, cases)


def _details(item: KnownItem) -> dict[str, Any]:
    known: dict[str, Any] = {"opinion": item.opinion.value if item.opinion else None}
    if item.cases:
        known["cases"] = dict(item.cases)
    if item.category is not None:
        known["category"] = item.category
    return known | {name: value for name, value in (("name", item.name), ("status", item.status)) if value}

"""What a reviewer is shown next: the files of a case in the order of triage, near-duplicates together as one item.

The order is the case's own, and what belongs together is asked of one function, :meth:`Alike.beside`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nsfwforensics.core.hashes import MATCH_DISTANCE, QUALITY_USABLE
from nsfwforensics.store.rows import QueueRow

if TYPE_CHECKING:
    from nsfwforensics.store.casedb import CaseDatabase

ALGORITHM = "pdq"
"""By which hash pictures look alike."""

TABLES_FROM = 1 << 18
"""From so many hashes on they get tables. One search among fewer takes a few milliseconds without; tables for fifty
thousand take as long as a hundred searches, and somebody waits for the first page."""

MOST_TOGETHER = 200
"""Most files of one item: what looks alike beyond that is another item."""


class Alike:
    """Which contents of a case look alike, by the hashes that the case holds.

    Args:
        values: The hashes in hexadecimal, 64 digits each, by SHA-256; what is none is left out.
    """

    def __init__(self, values: dict[str, str]) -> None:
        import numpy as np

        from nsfwforensics.hashing.index import hamming

        kept = {sha256: value for sha256, value in values.items() if len(value) == 64}
        self._names = list(kept)
        self._rows = {sha256: row for row, sha256 in enumerate(self._names)}
        self._hashes = np.frombuffer(bytes.fromhex("".join(kept.values())), np.uint64).reshape(-1, 4)
        many = len(self._names) >= TABLES_FROM
        self._tables = hamming.build_tables(np.ascontiguousarray(self._hashes)) if many else None

    @classmethod
    def of(cls, case: CaseDatabase) -> Alike:
        """Of the contents of a case."""
        return cls(case.hash_values(ALGORITHM, QUALITY_USABLE))

    def beside(self, sha256: str) -> list[str]:
        """The contents that look like this one, the most alike first; never itself."""
        from nsfwforensics.hashing.index import hamming

        row = self._rows.get(sha256)
        if row is None:
            return []
        hits = hamming.search(self._hashes, self._tables, self._hashes[row : row + 1], MATCH_DISTANCE)
        return [self._names[other] for other in hits.rows.tolist() if other != row]


@dataclass(frozen=True, slots=True)
class Item:
    """What is decided about at once.

    Attributes:
        number: Its place in the queue, from 0.
        files: Its files in the order of triage, the most pressing one first.
    """

    number: int
    files: tuple[QueueRow, ...]


class Queue:
    """Items one after the other, made only as far as somebody goes.

    Args:
        rows: The files in the order of triage, all of them wanted.
        wanted: Whether a file is still to be shown, as things stand.
        alike: Which contents look alike; None where every file is to be an item of its own.
        least: How many files an item must have.

    Attributes:
        left: How many files are still to be shown, as far as :meth:`changed` was told.
    """

    def __init__(
        self, rows: Sequence[QueueRow], wanted: Callable[[QueueRow], bool], alike: Alike | None, least: int = 1
    ) -> None:
        self._rows = rows
        self._wanted = wanted
        self._still = bytearray(b"\1") * len(rows)
        self.left = len(rows)
        self._alike = alike
        self._least = least
        self._of_content: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            if row.sha256 is not None:
                self._of_content.setdefault(row.sha256, []).append(place)
        self._taken = bytearray(len(rows))
        self._next = 0
        self._items: list[Item] = []

    def item(self, number: int) -> Item | None:
        """The item at a place; None beyond the end."""
        while len(self._items) <= number and self._make():
            pass
        return self._items[number] if 0 <= number < len(self._items) else None

    def still(self, item: Item) -> tuple[QueueRow, ...]:
        """The files of an item that are still to be shown; all of them where none is, for one who goes back."""
        return tuple(filter(self._wanted, item.files)) or item.files

    def changed(self, sha256: str) -> None:
        """Looks again whether the files of a content are still to be shown."""
        for place in self._of_content.get(sha256, ()):
            now = self._wanted(self._rows[place])
            self.left += now - self._still[place]
            self._still[place] = now

    def step(self, number: int, way: int) -> Item | None:
        """The first item with a file that is still to be shown, from a place on.

        Args:
            number: The place to begin with.
            way: 1 to go forward, -1 to go back.
        """
        while (item := self.item(number)) is not None:
            if any(map(self._wanted, item.files)):
                return item
            number += way
        return None

    def _make(self) -> bool:
        while self._next < len(self._rows):
            place, self._next = self._next, self._next + 1
            if self._taken[place]:
                continue
            places = self._together(place)
            if len(places) < self._least:
                continue
            for other in places:
                self._taken[other] = 1
            self._items.append(Item(len(self._items), tuple(self._rows[other] for other in sorted(places))))
            return True
        return False

    def _together(self, place: int) -> list[int]:
        sha256 = self._rows[place].sha256
        if sha256 is None or self._alike is None:
            return [place]
        alike: Iterable[str] = (sha256, *self._alike.beside(sha256))
        found = [other for name in alike for other in self._of_content.get(name, ()) if not self._taken[other]]
        return [place, *(other for other in found if other != place)][:MOST_TOGETHER]

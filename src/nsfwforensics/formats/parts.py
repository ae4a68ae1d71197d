"""The rules by which every container is walked, so that no file can hide one part behind many others.

- Every part is a step, and a walk ends after :data:`MAX_STEPS`.
- Each kind of part has places of its own (:data:`MAX_PLACES`): EXIF, XMP, IPTC and credentials are kept whatever
  else fills the file. What finds no place is walked over, not kept.
- Empty parts and copies of a small part that follow each other at once count as one.
- What was left out is said in ``limits``: the file may hold more than was read, which is not "there is nothing".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Generic, TypeVar

MAX_STEPS = 500_000
"""Most parts of one container that are walked over."""

MAX_PLACES = 20_000
"""Most parts of one kind that are kept."""

MAX_COPIED = 4_096
"""Longest part whose copies are passed over, in bytes: long data may be split into parts that are alike by chance."""

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Parts(Generic[P]):
    """The parts of one structure.

    Attributes:
        items: In the order of the file.
        notes: What was wrong with the structure, one sentence each.
        limits: Which limits were reached, one sentence each.
    """

    items: tuple[P, ...]
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class Walk:
    """Keeps count of one walk over a container: steps, places and faults.

    Args:
        where: The container, as a sentence begins with it: ``The PNG file``.
        places: Most parts of one kind; :data:`MAX_PLACES` if omitted.
    """

    __slots__ = ("_faults", "_left_out", "_places", "_steps", "_taken", "_where")

    def __init__(self, where: str, places: int | None = None) -> None:
        self._where = where
        self._places = MAX_PLACES if places is None else places
        self._steps = MAX_STEPS
        self._taken: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._faults: dict[str, tuple[int | None, int]] = {}

    def step(self) -> bool:
        """Counts a part; False where the walk must end."""
        self._steps -= 1
        return self._steps >= 0

    def take(self, kind: str) -> bool:
        """Takes a place for a part of this kind; False where none is left. Kinds are few: the caller names them."""
        if self._taken[kind] >= self._places:
            self._left_out[kind] += 1
            return False
        self._taken[kind] += 1
        return True

    @property
    def ended(self) -> bool:
        """Whether the walk had to end before its container did."""
        return self._steps < 0

    def fault(self, what: str, offset: int | None = None) -> None:
        """Notes what is wrong, and at which offset if that says more; ``what`` is a sentence without its end."""
        first, count = self._faults.get(what, (offset, 0))
        self._faults[what] = first, count + 1

    @property
    def notes(self) -> tuple[str, ...]:
        """The faults, each kind once with its first place."""
        return tuple(
            what
            + ("" if first is None else f" at offset {first}")
            + (f" and at {count - 1:,} other places." if count > 1 else ".")
            for what, (first, count) in self._faults.items()
        )

    @property
    def limits(self) -> tuple[str, ...]:
        """What was left out, one sentence for each kind, and whether the walk had to end."""
        said = [
            f"{self._where} holds {self._taken[kind] + count:,} parts of the kind {kind}; "
            f"only the first {self._taken[kind]:,} were read."
            for kind, count in self._left_out.items()
        ]
        if self.ended:
            said.append(f"{self._where} has more than {MAX_STEPS:,} parts; nothing after them was read.")
        return tuple(said)


def past_copies(data: bytes, start: int, end: int, stop: int | None = None) -> int:
    """Passes over copies of a small part.

    Args:
        data: The file.
        start: Where the part begins.
        end: Where it ends.
        stop: Where its container ends; the end of the file if omitted.

    Returns:
        Where the last of the copies that follow it at once ends; ``end`` where there is none or the part is not small.
    """
    part = data[start:end] if 0 < end - start <= MAX_COPIED else b""
    last = len(data) if stop is None else min(stop, len(data))
    if not part or not data.startswith(part, end, last):
        return end
    for unit in (part * (65_536 // len(part)), part):
        while data.startswith(unit, end, last):
            end += len(unit)
    return end


__all__ = ["MAX_PLACES", "MAX_STEPS", "Parts", "Walk", "past_copies"]

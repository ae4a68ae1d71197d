"""Short tasks sent several at a time: a file still costs nobody but itself."""

from __future__ import annotations

import os
from pathlib import Path

from nsfwforensics.clustering.fingerprint import Unread
from nsfwforensics.clustering.workers import Looking
from nsfwforensics.core.evidence import Limits
from nsfwforensics.execution.base import OUT_OF_MEMORY

NAMES = ["a", "dies", "b", "c", "fails", "d", "full", "e"]


def name_of(path: Path, limits: Limits) -> str:
    """A worker's work: the name, or what the name asks for."""
    if path.name == "dies":
        os._exit(9)
    if path.name == "fails":
        raise ValueError("as its name says")
    if path.name == "full":
        raise MemoryError
    return path.name


def looked(looking: Looking, names: list[str], together: int) -> list[str]:
    tasks = [(Path(name),) for name in names]
    return [
        f"{one.path}: {one.reason}" if isinstance(one, Unread) else one
        for one in looking.each("looking", name_of, tasks, together)
    ]


def test_a_file_that_ends_its_worker_costs_the_others_of_its_part_nothing() -> None:
    done: list[int] = []
    looking = Looking(Limits(), 2, True, lambda what, now, total: done.append(now))
    found = looked(looking, NAMES, 3)
    assert [one.split(":")[0] for one in found] == NAMES
    assert found[4] == "fails: ValueError: as its name says" and found[6] == f"full: {OUT_OF_MEMORY}"
    assert found[1] != "dies" and all(found[number] == NAMES[number] for number in (0, 2, 3, 5, 7))
    assert done == list(range(1, len(NAMES) + 1))


def test_without_workers_what_is_raised_costs_its_file_too() -> None:
    names = [name for name in NAMES if name != "dies"]
    found = looked(Looking(isolate=False), names, 3)
    assert found == ["a", "b", "c", "fails: ValueError: as its name says", "d", f"full: {OUT_OF_MEMORY}", "e"]

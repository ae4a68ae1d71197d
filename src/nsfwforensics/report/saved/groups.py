"""Copies fold into one row: files with the same bytes, and pictures that look the same and of which the same is said.

A group is led by its first file in the order of triage, and others join by being compared with that one itself, never
through a chain. Pictures that look alike join only where they show the same signs and have the same priority: a copy in
which something was changed stays a row of its own.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Mapping, Sequence
from typing import NamedTuple

from nsfwforensics.core.hashes import MATCH_DISTANCE, QUALITY, QUALITY_USABLE, measured_hashes
from nsfwforensics.core.triage import Sign
from nsfwforensics.core.types import FileReport, FileStatus


class Likeness(NamedTuple):
    """What a file is compared with others by.

    Attributes:
        digest: Its SHA-256, 32 bytes; empty where it could not be read.
        looks: Its PDQ hash, 32 bytes; empty where there is none that says something.
        said: What must be the same in two pictures that look alike for one to stand for the other.
    """

    digest: bytes
    looks: bytes
    said: Hashable


def likeness(file: FileReport, hashing: Container[str], found: frozenset[Sign]) -> Likeness:
    """What a file is compared with others by.

    Args:
        file: Its report.
        hashing: The names of the analyzers that measure hashes.
        found: Its signs.
    """
    return Likeness(
        b"" if file.supplied_as else bytes.fromhex(file.info.sha256 or ""),
        b"" if file.supplied_as or file.status is not FileStatus.OK else looks_of(measured_hashes(file, hashing)),
        (file.priority.rank, found),
    )


def looks_of(measured: Mapping[str, object]) -> bytes:
    """What a picture is compared with others by its looks by; empty where that says too little.

    Args:
        measured: Its hashes by name, as an analyzer that provides them measures them.
    """
    value, quality = measured.get("pdq"), measured.get(QUALITY)
    if not isinstance(value, str) or not isinstance(quality, (int, float)) or quality < QUALITY_USABLE:
        return b""
    try:
        looks = bytes.fromhex(value)
    except ValueError:  # out of a report that somebody else wrote
        return b""
    return looks if len(looks) == 32 else b""


def groups(files: Sequence[Likeness]) -> list[int]:
    """Which file leads each file's group: its own place where it leads one, or is alone.

    Args:
        files: In the order of triage.
    """
    leads = list(range(len(files)))
    first: dict[bytes, int] = {}
    for place, file in enumerate(files):
        if file.digest:
            leads[place] = first.setdefault(file.digest, place)
    _join_alike(files, leads)
    return [leads[lead] for lead in leads]


def _join_alike(files: Sequence[Likeness], leads: list[int]) -> None:
    """Lets leaders that look like an earlier leader, and say the same, follow that one."""
    places = [place for place, lead in enumerate(leads) if lead == place and files[place].looks]
    if len(places) < 2:
        return
    import numpy as np

    from nsfwforensics.hashing.index.hamming import build_tables, search

    words = np.frombuffer(b"".join(files[place].looks for place in places), np.uint64).reshape(-1, 4)
    tables = build_tables(words)
    for start in range(0, len(places), _AT_ONCE):
        hits = search(words, tables, words[start : start + _AT_ONCE], MATCH_DISTANCE)
        for query, row in zip((hits.queries + start).tolist(), hits.rows.tolist(), strict=True):
            leader, other = places[query], places[row]
            free = leads[leader] == leader and leads[other] == other
            if leader < other and free and files[leader].said == files[other].said:
                leads[other] = leader


_AT_ONCE = 4096

"""Whose quantisation tables a JPEG carries: a standard scale, a program's, a camera maker's, or unknown."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import say, say_count
from nsfwforensics.formats import jpeg

if TYPE_CHECKING:
    from nsfwforensics.analyzers.metadata.identity import Device

STANDARD, PROGRAM, UNKNOWN = "standard", "program", "unknown"

MANY_ORIGINALS = 20
"""Fewest measured originals of a maker for anything to be said about what is unusual for it."""


@dataclass(frozen=True, slots=True)
class Family:
    """Which program or camera writes such quantisation tables.

    Attributes:
        kind: ``standard`` (the Independent JPEG Group's scale, which most software and some cameras use),
            ``program``, ``camera`` or ``unknown``.
        names: Programs or makers in whose files these very tables were seen.
        files: In how many files.
        quality: The quality on the standard scale if they are exactly that.
        nearest: The nearest quality on the standard scale.
        distance: Mean relative difference of the luminance steps from that quality; 0 if exact.
        digest: Identifies the tables: the start of a SHA-256, 16 hexadecimal digits.
    """

    kind: str
    names: tuple[str, ...]
    files: int
    quality: int | None
    nearest: int
    distance: float
    digest: str

    @property
    def words(self) -> str:
        """For the middle of a sentence."""
        if self.kind == STANDARD:
            return say("the standard tables at quality {quality}", quality=self.quality)
        if self.kind == UNKNOWN:
            return say("tables of no program or camera known here")
        return say_count(
            "tables as {names:and} writes them", "tables as {names:and} write them", len(self.names), names=self.names
        )


def digest(tables: Mapping[int, tuple[int, ...]]) -> str:
    """Identifies the first two tables: 16 hexadecimal digits of a SHA-256."""
    return hashlib.sha256(repr((tables[0], tables.get(1, ()))).encode()).hexdigest()[:16]


def family(tables: Mapping[int, tuple[int, ...]]) -> Family | None:
    """Looks up quantisation tables; None where the first one is missing."""
    if 0 not in tables:
        return None
    known = _known().get(digest(tables), {})
    quality = jpeg.ijg_quality(dict(tables))
    nearest, distance = (quality, 0.0) if quality else _nearest(tables[0])
    kind = STANDARD if quality else str(known.get("kind", UNKNOWN))
    names = () if quality else tuple(known.get("names", ()))
    return Family(kind, names, int(known.get("files", 0)), quality, nearest, distance, digest(tables))


def unusual_for(device: Device, found: Family) -> int | None:
    """Says whether the named camera's maker is not known to use such tables.

    Returns:
        How many of the maker's originals were measured, none of which used the standard scale; None where nothing can
        be said: few were measured, some used it, or the tables are neither standard nor a program's.
    """
    if found.kind not in (STANDARD, PROGRAM):
        return None
    entry = _data()["maker"].get(maker(device.make))
    if entry is None or entry["standard"] or entry["originals"] < MANY_ORIGINALS:
        return None
    return int(entry["originals"])


def maker(make: str) -> str:
    """The maker's name as the data has it: first word, lower case."""
    return make.split()[0].lower() if make.split() else ""


def _nearest(table: tuple[int, ...]) -> tuple[int, float]:
    import numpy as np

    from nsfwforensics.signals.traces.recompression import ijg_table

    wanted = np.sort(np.asarray(table, np.float64))
    apart = {q: float(np.mean(np.abs(np.sort(ijg_table(q).ravel()) - wanted) / wanted.clip(1))) for q in range(1, 101)}
    best = min(apart, key=lambda quality: apart[quality])
    return best, round(apart[best], 3)


@cache
def _data() -> Mapping[str, Any]:
    source = resources.files("nsfwforensics").joinpath("data", "jpeg_tables.toml")
    return tomllib.loads(source.read_text("utf-8"))


@cache
def _known() -> Mapping[str, Mapping[str, Any]]:
    return {entry["digest"]: entry for entry in _data()["table"]}

"""How files of both classes were saved, mixed: that a picture was saved in some way must not tell how it was made.

Photographs come from many cameras and sites, and most keep all of their colour; generated pictures come from few
publishers, most of them at one JPEG quality and with a quarter of the colour's resolution. What saving took away stays
away. So wherever the two stand side by side in training, each loses three quarters of its colour's resolution first,
and is then saved once as some photograph was and once as some generated picture was, in either order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from nsfwforensics.training import augment
from nsfwforensics.training.past import Past, past_of, quartered

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from nsfwforensics.training.data import Item

    Pixels = NDArray[np.uint8]

Saving = Past | Literal["webp"] | None
"""How a file was saved: a JPEG's past, ``webp`` for a lossy WebP (which does not say how lossy), None for lossless."""

_WEBP_QUALITIES = (75, 96)


def saving_of(path: Path) -> Saving:
    """How a file was saved."""
    return past_of(path) or ("webp" if lossy_webp(path.read_bytes()) else None)


def lossy_webp(data: bytes) -> bool:
    """Whether a file is a WebP whose picture is a VP8 key frame (RFC 9649), which always loses something."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return False
    place = 12
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        if kind in (b"VP8 ", b"VP8L"):
            return kind == b"VP8 "
        place += 8 + size + size % 2
    return False


@dataclass(frozen=True)
class Histories:
    """What ways of saving are drawn from.

    Attributes:
        photographs: How photographs were saved; those saved without loss are never drawn.
        generated: How generated pictures were saved; for one without loss a photograph's way is drawn.
        chances: Of each being drawn: float64, of photographs and of generated pictures.
    """

    photographs: Sequence[Saving]
    generated: Sequence[Saving]
    chances: tuple[NDArray[np.float64], NDArray[np.float64]]

    @classmethod
    def of(cls, photographs: Sequence[Item], generated: Sequence[Item]) -> Histories:
        """Those of the given pictures' files."""
        return cls(
            [saving_of(item.path) for item in photographs],
            [saving_of(item.path) for item in generated],
            (of_photographs([(i.source, i.group) for i in photographs]),
             of_generated([(i.source, i.group) for i in generated])),
        )  # fmt: skip

    def mixed(self, rgb: Pixels, own: Saving, rng: Generator, least: int) -> Pixels:
        """Saves a picture as some photograph and some generated picture were, off the grid of what went before.

        Args:
            rgb: uint8 (height, width, 3), as its file has it.
            own: How that file was saved.
            rng: Where every choice comes from.
            least: No side of the result is shorter, in pixels.

        Returns:
            uint8 pixels; a few rows and columns fewer. Unchanged where no photograph was saved with loss.
        """
        if not any(isinstance(saving, Past) for saving in self.photographs):
            return rgb
        if own is None:
            rgb = self._photograph(rng).quartered.saved(rgb)
        elif isinstance(own, Past):
            rgb = quartered(rgb, own, own.quality)
        ways: list[Past | Literal["webp"]] = [self._photograph(rng), self._generated(rng)]
        for place in rng.permutation(2):
            moved, way = augment.shifted(rgb, rng, least), ways[place]
            rgb = (
                way.saved(moved) if isinstance(way, Past) else augment.webp(moved, int(rng.integers(*_WEBP_QUALITIES)))
            )
        return rgb

    def _photograph(self, rng: Generator) -> Past:
        while True:
            found = self.photographs[int(rng.choice(len(self.photographs), p=self.chances[0]))]
            if isinstance(found, Past):
                return found

    def _generated(self, rng: Generator) -> Past | Literal["webp"]:
        if not self.generated:
            return self._photograph(rng)
        return self.generated[int(rng.choice(len(self.generated), p=self.chances[1]))] or self._photograph(rng)


def of_photographs(places: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    """Chances of photographs, given source and group of each: sources alike, within cameras makes by the root."""
    names = [f"{source}/{group}" if source == "camera" else source for source, group in places]
    return _balanced(names, 0.6, [source for source, _ in places])


def of_generated(places: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    """Chances of generated pictures: families by the root of their number."""
    return _balanced([f"{source}/{group}" for source, group in places], 0.5)


def _balanced(groups: Sequence[str], power: float, within: Sequence[str] | None = None) -> NDArray[np.float64]:
    """Chances of being drawn: groups count with their size to the power ``1 - power``; then outer groups alike."""
    names = np.asarray(groups)
    chance = np.ones(len(names))
    for name in set(groups):
        chance[names == name] /= (names == name).sum() ** power
    outer = np.asarray(within if within is not None else [""] * len(names))
    for name in set(outer.tolist()):
        chance[outer == name] /= chance[outer == name].sum()
    return np.asarray(chance / chance.sum()) if len(chance) else chance

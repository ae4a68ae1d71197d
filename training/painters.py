"""Decoders that paint photographs again: the strongest one, its relatives and the small ones, trained if need be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from training import autoencoder, changed, decoders

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Paint = Callable[..., Pixels]

STRONGEST = "taef2"
"""The decoder that paints most faithfully."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Optimiser steps of the small decoders and of the strongest one's relatives."""

    small: int
    relatives: int


class Painters:
    """Round trips of pictures; decoders that are not there yet are trained and kept.

    Args:
        models: The folder with TAEF2.
        out: Where trained decoders lie.
        pictures: Gives the photographs that decoders are trained on; asked only if one must be.
        features: Network features for the small decoders' loss.
        steps: How long each is trained.
        threads: Threads in use.
        say: Told what happens.
    """

    def __init__(
        self,
        models: Path,
        out: Path,
        pictures: Callable[[], list[Pixels]],
        features: decoders.Features,
        steps: Steps,
        threads: int,
        say: Callable[[str], None],
    ) -> None:
        self._models = models
        self._out = out
        self._pictures = pictures
        self._features = features
        self._steps = steps
        self._threads = threads
        self._say = say

    @cached_property
    def _photographs(self) -> list[Pixels]:
        return self._pictures()

    @cached_property
    def decoders(self) -> dict[str, Paint]:
        """Round trips by name: the strongest decoder and the small ones."""
        found = {STRONGEST: self._paint(autoencoder.load(self._models))}
        for number, spec in enumerate(decoders.SPECS):
            path = self._out / f"decoder-{spec.name}.safetensors"
            if not path.is_file():
                self._say(f"training decoder {spec.name}")
                made = decoders.train(
                    spec, self._photographs, steps=self._steps.small, seed=number, features=self._features
                )
                decoders.save(made, path)
            found[spec.name] = self._paint(decoders.load(spec, path))
        return found

    @cached_property
    def relatives(self) -> dict[str, Paint]:
        """Round trips of the strongest decoder's relatives by name."""
        return {f"{STRONGEST}-{kind}": self._paint(self._relative(kind)) for kind in changed.RELATIVES}

    def _relative(self, kind: changed.Relative) -> autoencoder.AutoEncoder:
        path = self._out / f"decoder-{STRONGEST}-{kind}.safetensors"
        seed = 10 + changed.RELATIVES.index(kind)
        model = changed.changed(autoencoder.load(self._models), kind, seed)
        if not path.is_file():
            self._say(f"training a relative of {STRONGEST}: {kind}")
            decoders.save(changed.train(model, self._photographs, steps=self._steps.relatives, seed=seed), path)
        return decoders.restored(model, path)

    @property
    def faithful(self) -> list[Paint]:
        """The strongest decoder, as often as its relatives together, and those."""
        return [self.decoders[STRONGEST]] * len(self.relatives) + list(self.relatives.values())

    @property
    def small(self) -> list[Paint]:
        """The small decoders that are trained on, the sharpest twice."""
        trained = [spec.name for spec in decoders.SPECS if spec.name not in decoders.NEVER_TRAINED]
        return [self.decoders[name] for name in (decoders.SHARPEST, *trained)]

    def _paint(self, model: autoencoder.AutoEncoder) -> Paint:
        def paint(pixels: Pixels, *, quick: bool = False) -> Pixels:
            # One picture at a time over all threads; crops, in contrast, are measured one per thread.
            torch.set_num_threads(self._threads)
            try:
                return autoencoder.roundtrip(model, pixels, quick=quick)
            finally:
                torch.set_num_threads(1)

        return paint


def in_turn(painters: Sequence[Paint], pixels: Pixels, place: int) -> Pixels:
    """Paints a region by the one whose turn it is: each region is painted by one of them."""
    return painters[place % len(painters)](pixels, quick=True)

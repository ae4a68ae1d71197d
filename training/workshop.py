"""A data folder, an output folder, and everything costly made from them once, so that a stopped run resumes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from nsfwforensics.models.synthesis.features import TAPS, FeatureExtractor, columns
from nsfwforensics.models.synthesis.trace_network import SIDE, TraceNetwork, middle
from training import decoders, measure, pairs, patches, traces
from training.data import Item, catalogue, load_rgb
from training.fit import FitSettings
from training.painters import STRONGEST as STRONGEST
from training.painters import Painters, Steps, in_turn
from training.pairs import Material
from training.patches import Patch, seed_of
from training.traces import TraceSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

BACKBONE_FILE = "mobilenet_v2_imagenet.safetensors"

FAITHFUL = "faithful"
"""Copies by the strongest decoder and its relatives; one of them for each region."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """What a run does.

    Attributes:
        photo_regions: Regions per photograph; camera originals give three times as many.
        fake_regions: Regions per generated picture.
        copies: Degraded copies per region.
        resynthesised_regions: Regions per photograph that are painted again; twice as many of camera originals.
        tiny_steps: Optimiser steps of the tiny decoders.
        relative_steps: Optimiser steps of the strongest decoder's relatives.
        trace_regions: Regions per photograph for the trace network; camera originals give three times as many.
        trace: How the trace network is trained.
        blind: How a second one is trained, without the strongest decoder: what to expect of an unknown one.
        blend: Weights of the ensemble's and the trace network's logits in the picture's score.
        pairs: Most photographs in the role test that are painted again; half as many in the role calibrate.
        taps: Network taps that are judged.
        fit: How the ensemble is fitted.
        threads: Threads in use.
        device: Where the trace networks are trained.
    """

    photo_regions: int = 2
    fake_regions: int = 4
    copies: int = 3
    resynthesised_regions: int = 1
    tiny_steps: int = 1400
    relative_steps: int = 800
    trace_regions: int = 2
    trace: TraceSettings = field(default_factory=TraceSettings)
    blind: TraceSettings = field(default_factory=partial(TraceSettings, steps=400))
    blend: tuple[float, float] = (1 / 3, 2 / 3)
    pairs: int = 210
    taps: tuple[int, ...] = TAPS[:-1]
    fit: FitSettings = field(default_factory=FitSettings)
    threads: int = 2
    device: str = "cpu"


class Workshop:
    """A data folder, an output folder, and the costly things made from them once.

    Args:
        data: The development data.
        out: Where intermediate results lie.
        settings: See :class:`TrainSettings`.
        say: Told what happens.
        extra: A folder of more public pictures, or None.

    Raises:
        ValueError: The output folder holds intermediate results of another recipe.
    """

    def __init__(
        self,
        data: Path,
        out: Path,
        settings: TrainSettings | None = None,
        say: Callable[[str], None] = print,
        extra: Path | None = None,
    ) -> None:
        self.data = data
        self.extra = extra
        self.out = out
        self.settings = settings or TrainSettings()
        self.say = say
        out.mkdir(parents=True, exist_ok=True)
        measure.claim(out)
        torch.set_num_threads(1)

    @cached_property
    def items(self) -> list[Item]:
        """All usable pictures."""
        return catalogue(self.data, extra=self.extra)

    @cached_property
    def first_items(self) -> list[Item]:
        """Those of the development data alone: faces and probes need no more."""
        return catalogue(self.data)

    def settle(self) -> None:
        """Refuses to go on in a folder that was begun with other settings or pictures.

        Raises:
            ValueError: It was.
        """
        alone = replace(self.settings, threads=1, device="cpu")
        pictures = seed_of([(item.key, item.role) for item in self.items])
        measure.settle(self.out, {"settings": f"{seed_of(repr(alone)):x}", "pictures": f"{pictures:x}"})

    def photographs(self, *roles: str) -> list[Item]:
        """Photographs in the given roles."""
        return [item for item in self.items if item.label == 0 and item.role in roles]

    @cached_property
    def backbone(self) -> dict[str, Tensor]:
        """Tensors of the frozen network."""
        from safetensors.torch import load_file

        return load_file(self.data / "models" / BACKBONE_FILE)

    @cached_property
    def extractor(self) -> FeatureExtractor:
        """Measures crops at all taps, so that a choice of taps needs no new measurement."""
        return FeatureExtractor.from_tensors(self.backbone)

    def measure(self, crops: Pixels) -> NDArray[np.float32]:
        """Features of crops, one at a time over the threads."""

        def one(index: int) -> NDArray[np.float32]:
            with torch.inference_mode():
                rows = self.extractor(torch.from_numpy(np.array(crops[index : index + 1])))
            return np.asarray(rows[0].numpy(), np.float32)

        if not len(crops):
            return np.zeros((0, self.extractor.width), np.float32)
        return np.stack(measure.in_threads(one, range(len(crops)), self.settings.threads))

    def measure_middle(self, crops: Pixels) -> NDArray[np.float32]:
        """Features of the middle of crops, which is what is judged of the whole picture."""
        return self.measure(middle(crops))

    @cached_property
    def painters(self) -> Painters:
        """The decoders that paint photographs again."""
        settings = self.settings
        steps = Steps(settings.tiny_steps, settings.relative_steps)
        return Painters(
            self.data / "models", self.out, self._to_paint, self._early_features, steps, settings.threads, self.say
        )

    @property
    def decoders(self) -> dict[str, Callable[[Pixels], Pixels]]:
        """Round trips by name: TAEF2 and the tiny ones, trained here on the training photographs if need be."""
        return self.painters.decoders

    def _to_paint(self) -> list[Pixels]:
        return [load_rgb(item)[:1024, :1024] for item in self.photographs("train")]

    def _early_features(self, x: Tensor) -> list[Tensor]:
        """The first layers of the frozen network on RGB in [0, 1]."""
        return FeatureExtractor.from_tensors(self.backbone, (2,)).layers(x)

    @property
    def training_decoders(self) -> tuple[str, ...]:
        """Decoders whose traces are trained on; the others are kept for tests."""
        trained = (spec.name for spec in decoders.SPECS if spec.name not in decoders.NEVER_TRAINED)
        return (STRONGEST, *trained)

    def material(self) -> Material:
        """Regions and painted copies for the trace network, made once."""
        train = [item for item in self.items if item.role == "train"]
        count = self.settings.trace_regions

        def regions(item: Item) -> int:
            return 3 * count if item.source == "camera" else count

        photographs = [item for item in train if item.label == 0]
        real, about = pairs.cut(photographs, regions, self.out / "regions-real.npy", reduced=True)
        fake, about_fake = pairs.cut([i for i in train if i.label == 1], lambda _: 5, self.out / "regions-fake.npy")
        kinds = {FAITHFUL: self.painters.faithful, "small": self.painters.small}
        copies = {
            kind: pairs.painted(real, partial(in_turn, painters), self.out / f"painted-{kind}.npy")
            for kind, painters in kinds.items()
        }
        self.say(f"{len(real)} regions of photographs, each painted twice, {len(fake)} of generated pictures")
        return Material(real, about, copies, {FAITHFUL: 0.6, "small": 0.4}, fake, about_fake)

    def trace(self, *, blind: bool = False) -> TraceNetwork:
        """The trace network, trained if need be; ``blind``: the second one, trained without the strongest decoder."""
        from safetensors.torch import load_file, save_file

        name = "trace-blind" if blind else "trace"
        path = self.out / f"{name}.safetensors"
        if not path.is_file():
            material = self.material()
            if blind:
                left = {key: value for key, value in material.copies.items() if key != FAITHFUL}
                material = replace(material, copies=left)
            settings = self.settings.blind if blind else self.settings.trace
            torch.set_num_threads(1)
            device = self.settings.device
            tensors = traces.train(material, settings, self.out / f"{name}.checkpoint", self.say, device)
            save_file(tensors, path)
        return TraceNetwork.from_tensors(load_file(path))

    def traces(self, *, blind: bool) -> Callable[[Pixels], NDArray[np.float32]]:
        """Logits of both trace networks, the shipped one's first, as two columns; the second 0 unless ``blind``."""
        networks = [self.trace(), *([self.trace(blind=True)] if blind else [])]

        def one(crop: Pixels) -> NDArray[np.float32]:
            with torch.inference_mode():
                x = torch.from_numpy(crop[None])
                found = [float(network(x)[0]) for network in networks]
            return np.array([*found, 0.0][:2], np.float32)

        def both(crops: Pixels) -> NDArray[np.float32]:
            if not len(crops):
                return np.zeros((0, 2), np.float32)
            return np.stack(measure.in_threads(one, list(middle(crops)), self.settings.threads))

        return both

    @property
    def paired_decoders(self) -> list[str]:
        """The decoders that paint the pairs: the strongest one, which is trained on, and those never trained on."""
        return [STRONGEST, *sorted(decoders.NEVER_TRAINED)]

    def paired(self) -> list[Item]:
        """The photographs that are painted again: many in the role test, some in the role calibrate; no portraits."""
        found: list[Item] = []
        for role, most in (("calibrate", self.settings.pairs // 2), ("test", self.settings.pairs)):
            these = [item for item in self.photographs(role) if item.source != "portraits"]
            places = np.linspace(0, len(these) - 1, min(most, len(these))).round().astype(int)
            found += [these[place] for place in places]
        return found

    def patches(self) -> list[Patch]:
        """Training patches of the frozen features: photographs, generated pictures, re-synthesised photographs."""
        settings = self.settings
        photos = self.photographs("train")
        cameras = [item for item in photos if item.source == "camera"]
        others = [item for item in photos if item.source != "camera"]
        fakes = [item for item in self.items if item.label == 1 and item.role == "train"]
        found: list[Patch] = []
        plain = (("cameras", cameras, 3 * settings.photo_regions), ("photos", others, settings.photo_regions),
                 ("fakes", fakes, settings.fake_regions))  # fmt: skip
        for name, items, count in plain:
            found += self._cached(name, items, count, partial(patches.plain, items, count))
        for name, items, count in (("cameras", cameras, 2), ("photos", others, 1)):
            count *= settings.resynthesised_regions
            paint = partial(patches.resynthesised, items, count, STRONGEST, self.decoders[STRONGEST])
            found += self._cached(f"{STRONGEST}-{name}", items, count, paint)
        return found

    def _cached(self, name: str, items: Sequence[Item], count: int, build: Callable[[], list[Patch]]) -> list[Patch]:
        stamp = {"count": count, "region": patches.REGION, "items": f"{seed_of([item.key for item in items]):x}"}
        started = time.monotonic()
        found = patches.cached(self.out / f"patches-{name}.npz", stamp, build)
        self.say(f"{len(found)} patches of {name} ({time.monotonic() - started:.0f} s)")
        return found

    def features(self, found: Sequence[Patch]) -> NDArray[np.float32]:
        """Features of the patches at all taps, cached by what the patches are."""
        stamp = seed_of([(p.source, p.picture, p.number, p.label) for p in found], self.settings.copies, SIDE)
        started = time.monotonic()
        values = measure.patch_features(
            found, self.settings.copies, self.measure_middle, self.out / f"features-{stamp:x}"
        )
        self.say(f"{values.shape} features ({time.monotonic() - started:.0f} s)")
        return values

    def columns(self, taps: Sequence[int] | None = None) -> NDArray[np.int64]:
        """Columns of the full features that belong to some taps, and the residual statistics."""
        return columns(self.settings.taps if taps is None else taps)

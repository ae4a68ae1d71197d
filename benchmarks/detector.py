"""What the built-in classifier costs beside the network that most published detectors are made of."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import torch
from torchvision.models import vit_b_16
from torchvision.transforms.functional import normalize, resize

from benchmarks import corpus
from nsfwforensics.core.analyzer import Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.registry import select
from nsfwforensics.models import weights

WORK = corpus.ROOT / ".work" / "bench"
PICTURES, ROUNDS = 20, 3
VIEW = (224, 224)
THREADS = (1, 2)

_MEAN, _DEVIATION = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


def detector(_: argparse.Namespace) -> str:
    """Seconds a decoded picture, one picture at a time, by both, in turns."""
    folder = WORK / "detector"
    corpus.build(folder, PICTURES)
    paths = sorted(folder.glob("*.jpg"))[:PICTURES]
    network = vit_b_16().eval()
    other = partial(_judged, network)
    rows = []
    for threads in THREADS:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        ours = _ours(threads)
        both: dict[str, list[float]] = {"ours": [], "other": []}
        for number in range(ROUNDS + 1):
            for path in paths:
                evidence = Evidence.open(path)
                pixels = torch.from_numpy(evidence.rgb.copy()).permute(2, 0, 1)
                seconds = {"ours": _timed(ours, evidence)}
                torch.set_num_threads(threads)  # the classifier's own threads use one each
                seconds["other"] = _timed(other, pixels)
                for name, value in seconds.items():
                    both[name] += [value] if number else []
        found = {name: statistics.median(values) for name, values in both.items()}
        rows.append(
            f"| {threads} | {1000 * found['ours']:.0f} ({1000 * max(both['ours']):.0f}) | "
            f"{1000 * found['other']:.0f} ({1000 * max(both['other']):.0f}) | {found['ours'] / found['other']:.2f} |"
        )
    size = weights.locate("synthesis", None)[1].stat().st_size / 2**20
    bytes_ = sum(value.numel() * value.element_size() for value in network.state_dict().values()) / 2**20
    table = "\n".join(rows)
    return f"""## The classifier

{len(paths)} JPEG photographs brought to 1 to 12 megapixels, one after the other, decoding and faces aside,
median (greatest) milliseconds a picture over {ROUNDS} rounds. Ours: one view, two more where something would be said,
and the check whether it is a photograph at all. Beside it a ViT-B/16 (torchvision; its cost needs no trained
weights), a common base of published detectors, on one picture reduced to {VIEW[0]} × {VIEW[1]} pixels. Weights as
stored: {size:.1f} MiB, partly in half precision, and {bytes_:.0f} MiB in single precision.

| threads | ours, ms | ViT-B/16, ms | ratio |
|---|---|---|---|
{table}

Target: a median of at most 150 ms a picture on two cores. On a graphics card: not measured."""


def _ours(threads: int) -> Callable[[Evidence], object]:
    (entry,) = select(["deepfake"])
    loaded = entry.load()
    analyzer = loaded(loaded.Options(), Resources(threads=threads))
    return lambda evidence: analyzer.infer([analyzer.prepare(evidence)])


def _judged(network: torch.nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        view = resize(pixels, list(VIEW), antialias=True).float().div(255)
        judged: torch.Tensor = network(normalize(view, _MEAN, _DEVIATION)[None])
        return judged


def _timed(work: Callable[[Any], object], thing: object) -> float:
    started = time.perf_counter()
    work(thing)
    return time.perf_counter() - started

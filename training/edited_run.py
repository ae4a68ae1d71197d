"""Measures maps of edited photographs: ``python -m training.edited_run --data DIR --out DIR``.

The folder ``--out`` is that of a training run: its trace network and decoders are used. Every finished photograph
leaves its maps there, so a stopped run resumes. The figures go to ``edited.json``; with ``--weights DIR`` they also go
into the calibration and the card there, and the manifest follows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nsfwforensics.models.synthesis import tile_map
from nsfwforensics.models.synthesis.calibration import Calibration
from nsfwforensics.models.synthesis.region_limits import RegionLimits
from nsfwforensics.models.synthesis.trace_network import TraceNetwork
from nsfwforensics.models.weights import file_sha256
from training import autoencoder, card_edited, decoders, edited, edited_figures, evaluate, export, measure
from training.workshop import STRONGEST, TrainSettings, Workshop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

EDITED = {"calibrate": 16, "test": 100}
"""Photographs that are edited, by role."""

UNSEEN = min(decoders.NEVER_TRAINED)


def judge(network: TraceNetwork, threads: int) -> Callable[[Pixels], NDArray[np.float64]]:
    """Tiles to logits, one at a time, as the classifier judges them."""

    def one(tile: Pixels) -> float:
        with torch.inference_mode():
            return float(network(torch.from_numpy(tile[None]))[0])

    def every(tiles: Pixels) -> NDArray[np.float64]:
        return np.array(measure.in_threads(one, list(tiles), threads), np.float64)

    return every


def _painters(workshop: Workshop) -> dict[str, Callable[[Pixels], Pixels]]:
    path = workshop.out / f"decoder-{UNSEEN}.safetensors"
    if not path.is_file():
        return {name: workshop.decoders[name] for name in (STRONGEST, UNSEEN)}
    spec = next(spec for spec in decoders.SPECS if spec.name == UNSEEN)
    models = {STRONGEST: autoencoder.load(workshop.data / "models"), UNSEEN: decoders.load(spec, path)}
    return {name: partial(autoencoder.roundtrip, model) for name, model in models.items()}


def run(
    workshop: Workshop, edits: dict[str, int] | None = None, photographs: int | None = None
) -> tuple[RegionLimits, dict[str, Any]]:
    """Paints, maps, chooses and measures.

    Args:
        workshop: Data, output folder with the trace network and the decoders, settings.
        edits: Photographs that are edited, by role; by default :data:`EDITED`.
        photographs: Most whole photographs per role for threshold and false positives; all by default.

    Returns:
        What is stored beside the weights, and every figure as plain values.
    """
    network = workshop.trace()
    stamp = file_sha256(workshop.out / "trace.safetensors")[:12]
    held_out = workshop.photographs("calibrate", "test")
    chosen = edited.chosen(held_out, EDITED if edits is None else edits)
    whole = edited.spread(held_out, photographs)
    painters = _painters(workshop)
    rows: list[edited.Mapped] = []
    judged = judge(network, workshop.settings.threads)
    source = edited.maps(whole, chosen, painters, judged, workshop.out / f"edited-{stamp}")
    for number, row in enumerate(source):
        if number % 150 == 0:
            workshop.say(f"map {number}: {row.kind} {row.key}")
        rows.append(row)
    limits, found = edited_figures.measure(rows, list(painters), UNSEEN)
    found |= {
        "network": stamp,
        "tile": tile_map.TILE,
        "stride": tile_map.STRIDE,
        "most": tile_map.MOST,
        "longest": edited.LONGEST,
        "speaks": {tier: limits.speaks(tier) for tier in limits.rates},
    }
    plain: dict[str, Any] = evaluate.plain(found)
    return limits, plain


def store(weights: Path, limits: RegionLimits, figures: dict[str, Any]) -> None:
    """Puts the limits into a folder's calibration and the figures into its card, and brings its manifest up to date."""
    path = weights / export.CALIBRATION_FILE
    path.write_text(replace(Calibration.loads(path.read_text("utf-8")), regions=limits).dumps(), "utf-8")
    card = weights / export.CARD_FILE
    if card.is_file():
        card.write_text(card_edited.placed(card.read_text("utf-8"), figures), "utf-8")
    export.update_manifest(weights)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(prog="python -m training.edited_run", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the development data")
    parser.add_argument("--extra", type=Path, help="folder of more public pictures (see training/sources.py)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--weights", type=Path, help="folder whose calibration, card and manifest get the result")
    parser.add_argument("--photographs", type=int, help="most whole photographs per role (default: all)")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    workshop = Workshop(
        options.data, options.out, TrainSettings(threads=options.threads), partial(print, flush=True), options.extra
    )
    limits, figures = run(workshop, photographs=options.photographs)
    stored = {"figures": figures, "limits": limits.plain()}
    (options.out / "edited.json").write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    (options.out / "edited.md").write_text(card_edited.section(figures) + "\n", "utf-8")
    if options.weights is not None:
        store(options.weights, limits, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())

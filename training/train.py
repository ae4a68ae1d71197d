"""Trains the synthesis classifier from a data folder: ``python -m training.train --data DIR --out DIR``.

Every stage leaves its result in the output folder and is skipped if it is there, so a stopped run resumes. With
``--weights DIR`` the finished weights, their calibration and card are put there as well.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from training.fit import balanced_weights, fit
from training.workshop import TrainSettings, Workshop


def train_image(workshop: Workshop, without: str = "") -> dict[str, Tensor]:
    """Fits the whole-picture head.

    Args:
        workshop: Data, output folder, settings.
        without: A source or decoder to leave out.
    """
    every = workshop.patches()
    values = workshop.features(every)[..., workshop.columns()]
    kept = [index for index, patch in enumerate(every) if patch.source != without]
    found, values = [every[index] for index in kept], values[kept]
    labels = np.array([patch.label for patch in found])
    drawn = balanced_weights(labels, [patch.source for patch in found], [patch.picture for patch in found])
    started = time.monotonic()
    tensors = fit(values, labels, drawn, workshop.settings.fit)
    workshop.say(f"fitted on {len(found)} patches ({time.monotonic() - started:.0f} s)")
    return tensors


def seeded(settings: TrainSettings, seed: int) -> TrainSettings:
    """The same settings with another seed for both trace networks and the ensemble."""
    return replace(
        settings,
        trace=replace(settings.trace, seed=seed),
        blind=replace(settings.blind, seed=seed),
        fit=replace(settings.fit, seed=settings.fit.seed + 100 * seed),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs every stage."""
    from training import export

    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the development data")
    parser.add_argument("--extra", type=Path, help="folder of more public pictures (see training/sources.py)")
    parser.add_argument("--out", type=Path, required=True, help="folder for intermediate results and the model")
    parser.add_argument("--weights", type=Path, help="folder that gets the finished weights, calibration and card")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="where the trace network is trained: cpu, cuda")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="another one shows how much of a figure is chance; give it a folder of its own",
    )
    options = parser.parse_args(arguments)
    settings = seeded(TrainSettings(threads=options.threads, device=options.device), options.seed)
    try:
        workshop = Workshop(options.data, options.out, settings, partial(print, flush=True), options.extra)
        workshop.settle()
    except ValueError as error:
        parser.error(str(error))
    result: dict[str, Any] = export.run(workshop, options.weights)
    (options.out / "result.json").write_text(json.dumps(result | {"settings": asdict(settings)}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

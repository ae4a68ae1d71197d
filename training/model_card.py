"""Writes calibration and card of a finished training run again, from what the run kept.

``python -m training.model_card --data DIR --extra DIR --out OUT --weights weights``, then ``training.model_figures``
and ``training.edited_run`` (whose section of the card is left out here).

The weights stay as they are, and what the run measured is not measured again: scores come from the features kept in
OUT, the figures of the parts, the probes, the faces and the model trained without the strongest decoder from
OUT/result.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from nsfwforensics.evaluation.metrics import Estimate
from nsfwforensics.models.synthesis.calibration import Calibration
from training import card, criteria, evaluate, export, formats, probes
from training.workshop import TrainSettings, Workshop

KEPT = ("content_matched_left_out", "parts", "faces", "probes")
"""Figures that are taken from the run."""


def again(workshop: Workshop, weights: Path) -> dict[str, Any]:
    """Calibrates, measures and writes again.

    Args:
        workshop: Of the run, with its settings; its output folder holds ``result.json``.
        weights: The folder with the run's weights, calibration and manifest.

    Returns:
        Every figure as plain values, as the run gave them.
    """
    from safetensors.torch import load_file

    kept = json.loads((workshop.out / "result.json").read_text("utf-8"))
    tensors = load_file(weights / export.WEIGHTS_FILE)
    head = {name.removeprefix("image."): value for name, value in tensors.items() if name.startswith("image.")}
    ((_, states),) = kept["content_matched_left_out"].items()
    left_out = {tier: Estimate(**value) for tier, value in states.items()}
    rows = export.score(workshop, export.measure_unseen(workshop), head, export.SHIPPED)
    alike = probes.saved_alike(workshop, export.Blend(workshop, head, export.SHIPPED))
    saved = export.score(workshop, formats.subjects(workshop), head, export.SHIPPED)
    calibration, result = export.judge(workshop, rows, left_out, alike, saved)
    result["gate"] = export.gate(workshop, head, calibration)
    result["criteria"].insert(0, criteria.gate(result["gate"]))
    before = Calibration.loads((weights / export.CALIBRATION_FILE).read_text("utf-8"))
    image = replace(calibration.image, withheld=before.image.withheld)
    calibration = replace(calibration, image=image, face=before.face, domain=before.domain, regions=before.regions)
    plain: dict[str, Any] = kept | evaluate.plain(result) | {name: kept[name] for name in KEPT if name in kept}
    plain["withheld"] = before.image.withheld.plain() if before.image.withheld is not None else None
    plain["probes"] |= evaluate.plain(probes.saving(workshop))
    (weights / export.CALIBRATION_FILE).write_text(calibration.dumps(), "utf-8")
    (weights / export.CARD_FILE).write_text(card.render(plain, workshop.items, workshop.settings), "utf-8")
    export.update_manifest(weights)
    (workshop.out / "result.json").write_text(json.dumps(plain, indent=1) + "\n", "utf-8")
    return plain


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes everything again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the development data")
    parser.add_argument("--extra", type=Path, help="folder of more public pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished run")
    parser.add_argument("--weights", type=Path, default=Path("weights"), help="folder of its weights")
    options = parser.parse_args(arguments)
    settings = TrainSettings(threads=1)
    workshop = Workshop(options.data, options.out, settings, partial(print, flush=True), options.extra)
    again(workshop, options.weights)
    return 0


if __name__ == "__main__":
    sys.exit(main())

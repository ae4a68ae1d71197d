"""What the finished classifier says of pictures that are no photographs: how many it judges and calls generated.

    python -m training.domain_figures FOLDER --weights WEIGHTS --out FIGURES.json

The folder has one sub-folder per kind. At most forty pictures of a kind, chosen by a hash of their names, are judged in
the three measured states: some five minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsfwforensics.evaluation.states import TIERS, at_tier
from nsfwforensics.models.synthesis import circumstances, preprocess
from nsfwforensics.models.synthesis.calibration import Calibration, Rate, Verdict, cached_calibration
from nsfwforensics.models.synthesis.classifier import SynthesisClassifier, cached_classifier
from training import evaluate
from training.data import Item, load_rgb
from training.domain import kinds
from training.patches import seed_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 40
"""Most pictures of a kind."""

OUTCOMES = ("small", "circumstances", "domain", "called", "not_called")
"""Too small; ruled out by compression, flatness or colours; by the domain check; judged and called generated or not."""


def measured(folder: Path, weights: Path | None, most: int = MOST, *, with_ruled_out: bool = False) -> dict[str, Any]:
    """Judges the pictures of every kind.

    Args:
        folder: One sub-folder per kind.
        weights: A folder to look for weights in before the installed one.
        most: Most pictures of a kind.
        with_ruled_out: Whether those that only the domain check rules out are judged as well, for comparison.

    Returns:
        By kind and state, how many had each outcome, as a :class:`Rate` of the pictures that are large enough;
        ``called_without`` (only ``with_ruled_out``): what would be called generated without the domain check.

    Raises:
        WeightsError: The weights cannot be used.
    """
    calibration, classifier = cached_calibration(weights), cached_classifier("cpu", weights, 1)
    figures: dict[str, Any] = {}
    for kind, items in kinds(folder).items():
        chosen = sorted(items, key=lambda item: seed_of(item.path.name))[:most]
        counts: dict[str, dict[str, int]] = {tier: dict.fromkeys((*OUTCOMES, "called_without"), 0) for tier in TIERS}
        for item in chosen:
            for tier, outcomes in _outcomes(item, calibration, classifier, with_ruled_out=with_ruled_out).items():
                for outcome in outcomes:
                    counts[tier][outcome] += 1
        figures[kind] = {tier: _rates(counted, len(chosen), with_ruled_out) for tier, counted in counts.items()}
    return figures


def _rates(counted: dict[str, int], pictures: int, with_ruled_out: bool) -> dict[str, Rate]:
    large = pictures - counted.pop("small")
    if not with_ruled_out:
        del counted["called_without"]
    return {outcome: Rate(count, large) for outcome, count in counted.items()}


def _outcomes(
    item: Item, calibration: Calibration, classifier: SynthesisClassifier, *, with_ruled_out: bool
) -> dict[str, list[str]]:
    from PIL import Image

    rgb = load_rgb(item)
    with warnings.catch_warnings(), Image.open(item.path) as original:
        warnings.simplefilter("ignore")
        known = circumstances.circumstances(rgb, original)
    found: dict[str, list[str]] = {}
    for tier in TIERS:
        pixels = at_tier(rgb, tier)
        if tier != "as_is":  # as elsewhere, the states are measured without the rule against strong compression
            known = circumstances.Circumstances(None, preprocess.flat_share(pixels), palette=False)
        outcome = _ruled_out(pixels, known, calibration)
        called = False
        if outcome is None or (with_ruled_out and outcome == "domain"):
            called = _called(pixels, calibration, classifier)
        found[tier] = [outcome or ("called" if called else "not_called"), *(["called_without"] if called else [])]
    return found


def _ruled_out(pixels: NDArray[np.uint8], known: circumstances.Circumstances, limits: Calibration) -> str | None:
    if min(pixels.shape[:2]) < limits.least_side:
        return "small"
    least, quality, flat = limits.least_side, limits.min_quality, limits.max_flat_share
    if circumstances.ruled_out(pixels, known, least=least, min_quality=quality, max_flat_share=flat):
        return "circumstances"
    return "domain" if limits.domain is not None and limits.domain.ruled_out(pixels) else None


def _called(pixels: NDArray[np.uint8], calibration: Calibration, classifier: SynthesisClassifier) -> bool:
    picture = classifier.score([preprocess.crop(pixels)])[0]
    views = (picture.score, picture.recompressed, picture.resized)
    return calibration.image.joint(views) is Verdict.GENERATED


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and writes figures."""
    parser = argparse.ArgumentParser(prog="python -m training.domain_figures")
    parser.add_argument("folder", type=Path, help="folder of pictures that are no photographs, one sub-folder per kind")
    parser.add_argument("--weights", type=Path, help="folder of the weights; by default the installed ones")
    parser.add_argument("--out", type=Path, required=True, help="JSON file that gets the figures")
    parser.add_argument("--most", type=int, default=MOST, help="most pictures of a kind")
    parser.add_argument("--with-ruled-out", action="store_true", help="judge what the domain check rules out as well")
    options = parser.parse_args(arguments)
    found = measured(options.folder, options.weights, options.most, with_ruled_out=options.with_ruled_out)
    options.out.write_text(json.dumps(evaluate.plain(found), indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

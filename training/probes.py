"""Leak probes: what can be told without looking for traces at all.

A probe that does as well as the model shows that the test, not the model, is easy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from nsfwforensics.evaluation.file_facts import format_features
from nsfwforensics.evaluation.metrics import Estimate, auc_estimate
from nsfwforensics.models.synthesis.classifier import Ensemble
from nsfwforensics.models.synthesis.preprocess import CROP
from training import augment, evaluate, unseen
from training.data import load_rgb
from training.fit import FitSettings, fit
from training.past import past_of
from training.patches import saved_quality, seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.workshop import Workshop

    Pixels = NDArray[np.uint8]

_PROBE = FitSettings(members=3, hidden=16, epochs=30, consistency=0.0)


def colour_features(rgb: Pixels) -> NDArray[np.float32]:
    """A joint histogram of RGB with four bins a channel: 64 shares."""
    histogram = cv2.calcHist([rgb], [0, 1, 2], None, [4, 4, 4], [0, 256] * 3).ravel()
    return np.asarray(np.sqrt(histogram / max(1.0, histogram.sum())), np.float32)


def shuffled(crop: Pixels, rng: np.random.Generator, patch: int = 16) -> Pixels:
    """The crop with its 16-pixel patches in random order: texture stays, what is shown goes."""
    side = crop.shape[0] // patch
    tiles = crop[: side * patch, : side * patch].reshape(side, patch, side, patch, 3).swapaxes(1, 2)
    mixed = tiles.reshape(side * side, patch, patch, 3)[rng.permutation(side * side)]
    return np.ascontiguousarray(
        mixed.reshape(side, side, patch, patch, 3).swapaxes(1, 2).reshape(side * patch, side * patch, 3)
    )


def probe(
    train: NDArray[np.float32],
    train_labels: Sequence[int],
    test: NDArray[np.float32],
    test_labels: Sequence[int],
    judge: Callable[[dict[str, Any]], Callable[[NDArray[np.float32]], NDArray[np.float64]]],
) -> Estimate:
    """AUC on the test pictures of a small network trained on the training pictures' probe features.

    Args:
        train: float32 (rows, width).
        train_labels: 0 or 1.
        test: float32 (rows, width).
        test_labels: 0 or 1.
        judge: Makes a scorer of fitted tensors.
    """
    labels = np.asarray(train_labels)
    weights = np.where(labels == 1, 0.5 / max(1, (labels == 1).sum()), 0.5 / max(1, (labels == 0).sum()))
    tensors: dict[str, Any] = dict(fit(train[:, None], labels, weights, _PROBE))
    scores = judge(tensors)(test)
    truth = np.asarray(test_labels)
    return auc_estimate(scores[truth == 0].tolist(), scores[truth == 1].tolist())


def centre(rgb: Pixels) -> Pixels:
    """The middle 256 × 256 pixels."""
    y, x = ((side - CROP) // 2 for side in rgb.shape[:2])
    return np.ascontiguousarray(rgb[y : y + CROP, x : x + CROP])


def with_history(rgb: Pixels, key: str, lossless: bool) -> Pixels:
    """The picture as training and tests see it: lossless ones have been a JPEG."""
    return augment.equalise_history(rgb, np.random.default_rng(seed_of("unseen", key)), lossless=lossless)


def saving(workshop: Workshop) -> dict[str, Estimate]:
    """AUC of all unseen photographs against the generated pictures of the test by how their files were saved.

    By how little colour was kept, and by how low the quality is. As the files are; of lossless generated pictures, in
    the JPEG past that the test gives them. No pixel is looked at.
    """
    rows: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for item in workshop.items:
        if item.role == "test" or (item.label == 0 and item.role == "calibrate"):
            past = past_of(item.path)
            quality, full_chroma = augment.history(np.random.default_rng(seed_of("unseen", item.key)))
            sampling = past.sampling if past else 0 if full_chroma else 2
            rows[item.label].append((sampling if sampling >= 0 else 2, -(past.quality if past else quality)))
    return {
        name: auc_estimate(*([row[place] for row in those] for those in rows))
        for place, name in enumerate(("chroma subsampling", "JPEG quality"))
    }


def saved_alike(workshop: Workshop, judge: unseen.Judge) -> dict[str, dict[str, Any]]:
    """By state, how the test's generators are told from all unseen photographs when all files were saved alike last.

    Args:
        workshop: Data and measured features.
        judge: The finished model.

    Returns:
        As :func:`training.evaluate.across_generators`.
    """
    items = [i for i in workshop.items if i.role == "test" or (i.label == 0 and i.role == "calibrate")]
    measured = [
        list(unseen.pictures(items, taken, workshop.out / folder, alike=True))
        for folder, taken in (("unseen", workshop.measure_middle), ("unseen-trace", workshop.traces(blind=False)))
    ]
    return evaluate.across_generators(unseen.scored(unseen.joined(*measured), judge))


def run(workshop: Workshop) -> dict[str, Any]:
    """Runs the leak probes: trained on the training pictures, tested on the test pictures."""
    train_items = [item for item in workshop.first_items if item.role == "train"]
    test_items = [
        item for item in workshop.first_items if item.role == "test" or (item.label == 0 and item.role != "train")
    ]
    sets: dict[str, tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]] = {}
    for part, items in enumerate((train_items, test_items)):
        for item in items:
            rgb = load_rgb(item)
            per_pixel = item.path.stat().st_size / max(1, rgb.shape[0] * rgb.shape[1])
            crop = centre(rgb)
            rng = np.random.default_rng(0)
            rows = {
                "format, size, blockiness": format_features(rgb, rgb.shape[1::-1], per_pixel),
                "blockiness after the same history": format_features(
                    with_history(rgb, item.key, saved_quality(item.path) is None), (1, 1), 1.0
                ),
                "colour histogram": colour_features(rgb),
                "shuffled 16-px patches": workshop.measure(shuffled(crop, rng)[None])[0],
                "the same crop, not shuffled": workshop.measure(crop[None])[0],
            }
            for name, values in rows.items():
                sets.setdefault(name, ([], []))[part].append(values)
    labels = [[item.label for item in items] for items in (train_items, test_items)]
    found = {name: probe(np.stack(a), labels[0], np.stack(b), labels[1], _scorer) for name, (a, b) in sets.items()}
    return found | saving(workshop)


def _scorer(tensors: dict[str, Any]) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    return Ensemble(tensors).logits

"""The face head: self-blended and re-synthesised faces for training, other people and swaps between them for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nsfwforensics.models.calibration import Branch, Rate
from nsfwforensics.models.classifier import Ensemble
from nsfwforensics.models.preprocess import recompressed
from nsfwforensics.training import augment, blend, calibrate
from nsfwforensics.training.augment import TIERS
from nsfwforensics.training.blend import MIN_FACE, FacePatch
from nsfwforensics.training.data import Item, load_rgb, person_third
from nsfwforensics.training.fit import FitSettings, balanced_weights, fit
from nsfwforensics.training.metrics import auc_estimate
from nsfwforensics.training.patches import seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from nsfwforensics.training.workshop import Workshop

    Pixels = NDArray[np.uint8]
    Measure = Callable[[Pixels], NDArray[np.float32]]


FACE_CLAIM_MINIMUM = 100
"""Fewer unseen real faces than this carry no claim: by the rule of three they cannot show a rate below 3 %."""


@dataclass(frozen=True, slots=True)
class FaceResult:
    """The face head and what it was measured to be worth."""

    tensors: dict[str, Tensor]
    branch: Branch
    figures: dict[str, Any]


def found_in(items: Sequence[Item], cache: Path) -> dict[str, list[FacePatch]]:
    """Cuts the faces of at least 56 pixels out of photographs.

    Args:
        items: Photographs.
        cache: A file that remembers where the faces are.

    Returns:
        By the items' keys. Faces of labelled people carry the person's name, others the key.
    """
    import json

    known: dict[str, list[list[float]]] = json.loads(cache.read_text()) if cache.is_file() else {}
    detector = None
    for item in items:
        if item.key not in known:
            from nsfwforensics.models.face_detector import FaceDetector

            detector = detector or FaceDetector()
            known[item.key] = [
                [*map(float, face.box), *face.landmarks.astype(float).ravel().tolist()]
                for face in detector.detect(load_rgb(item))
            ]
    cache.write_text(json.dumps(known))
    patches: dict[str, list[FacePatch]] = {}
    for item in items:
        rows = [row for row in known[item.key] if min(row[2:4]) >= MIN_FACE]
        rgb = load_rgb(item) if rows else None
        if rgb is None:
            continue
        person = item.group if item.source == "portraits" and item.group != "groups" else item.key
        patches[item.key] = [
            blend.cut(rgb, (row[0], row[1], row[2], row[3]), np.array(row[4:], np.float32).reshape(5, 2), person)
            for row in rows
        ]
    return patches


def role_of(item: Item) -> str:
    """``train``, ``calibrate`` or ``test`` for faces: labelled people are never trained on."""
    if item.source != "portraits":
        return "train"
    return "calibrate" if item.group == "groups" or person_third(item.group) == 0 else "test"


def training_set(
    faces: Sequence[FacePatch], copies: int, measure: Measure, roundtrips: Sequence[Callable[[Pixels], Pixels]]
) -> tuple[NDArray[np.float32], NDArray[np.int64], list[str]]:
    """Features of real, self-blended and re-synthesised faces after random chains.

    Args:
        faces: Real faces.
        copies: Different blends per face.
        measure: uint8 (N, 256, 256, 3) to features.
        roundtrips: Decoders that paint a face again.

    Returns:
        Features (rows, 2, width): two chains of each; labels; people.
    """
    crops: list[Pixels] = []
    labels: list[int] = []
    people: list[str] = []
    for number, face in enumerate(faces):
        again = [roundtrip(face.pixels) for roundtrip in roundtrips]
        for copy in range(copies):
            rng = np.random.default_rng(seed_of("face", face.person, number, copy))
            real = blend.view(face.pixels, rng) if rng.random() < 0.5 else face.pixels
            made = [(0, real), (1, blend.self_blended(face, rng))]
            if again:
                painted = again[copy % len(again)]
                made.append((1, blend.mixed(face.pixels, painted, blend.face_mask(face, rng))))
            for label, pixels in made:
                # The same chain for a face and its blend.
                for chain in (0, 1):
                    same = np.random.default_rng(seed_of(copy, number, chain))
                    crops.append(blend.crop_after(face, pixels, same))
                labels.append(label)
                people.append(face.person)
    values = measure(np.stack(crops))
    return values.reshape(len(labels), 2, -1), np.array(labels), people


def swaps(faces: Sequence[FacePatch], per_face: int) -> list[tuple[FacePatch, Pixels]]:
    """Puts faces of other people onto each face."""
    made: list[tuple[FacePatch, Pixels]] = []
    for number, target in enumerate(faces):
        others = [face for face in faces if face.person != target.person]
        rng = np.random.default_rng(seed_of("swap", target.person, number))
        donors = rng.permutation(len(others))[:per_face]
        made += [(target, blend.swapped(target, others[int(index)], rng)) for index in donors]
    return made


def blends(faces: Sequence[FacePatch], per_face: int) -> list[tuple[FacePatch, Pixels]]:
    """Self-blended copies of each face."""
    return [
        (face, blend.self_blended(face, np.random.default_rng(seed_of("blend", face.person, number, copy))))
        for number, face in enumerate(faces)
        for copy in range(per_face)
    ]


def at_tier(face: FacePatch, pixels: Pixels, tier: str) -> Pixels:
    """The face crop as it would come from a picture in a measured state.

    How large the picture was is not known here, so the tiers stand for a reduction by 0.75 and 0.5 (never below
    56 pixels of face) before saving at quality 60 and 40.
    """
    if tier != "as_is":
        wanted, quality = (0.75, 60) if tier == "768_q60" else (0.5, 40)
        scale = min(1.0, max(wanted, MIN_FACE / min(face.box[2:])))
        pixels = recompressed(augment.resized(pixels, scale, augment.KERNELS[1]), quality)
    return blend.crop_after(face, pixels, None)


def face_head(workshop: Workshop) -> FaceResult | None:
    """Trains and measures the face head; None where the data hold too few faces."""
    photographs = [item for item in workshop.first_items if item.label == 0]
    patches = found_in(photographs, workshop.out / "faces.json")
    groups: dict[str, list[FacePatch]] = {"train": [], "calibrate": [], "test": []}
    for item in photographs:
        groups[role_of(item)] += patches.get(item.key, [])
    if min(len(found) for found in groups.values()) < 4:
        return None
    roundtrips = [workshop.decoders[name] for name in workshop.training_decoders]
    columns = workshop.columns()
    values, labels, people = training_set(groups["train"], 12, workshop.measure, roundtrips)
    drawn = balanced_weights(labels, ["face"] * len(labels), people)
    tensors = fit(values[..., columns], labels, drawn, FitSettings(epochs=30, hidden=32))
    head = Ensemble(tensors)

    def scores(crops: list[NDArray[np.uint8]]) -> list[float]:
        return [float(score) for score in head.logits(workshop.measure(np.stack(crops))[:, columns])]

    def at(tier: str, pairs: Sequence[tuple[FacePatch, NDArray[np.uint8]]]) -> list[float]:
        return scores([at_tier(face, pixels, tier) for face, pixels in pairs])

    real = {t: at(t, [(face, face.pixels) for face in groups["test"]]) for t in TIERS}
    swapped = {t: at(t, swaps(groups["test"], 4)) for t in TIERS}
    blended = {t: at(t, blends(groups["test"], 4)) for t in TIERS}
    known: dict[str, list[float]] = {
        t: sorted(at(t, [(face, face.pixels) for face in groups["calibrate"]])) for t in TIERS
    }
    enough = min(len(scores_) for scores_ in (*real.values(), *known.values())) >= FACE_CLAIM_MINIMUM
    branch = Branch(known, {}, calibrate.ALPHA, calibrate.BETA, claims=enough)
    least = 1.0 / (branch.reals + 1)

    def called(found: Sequence[float]) -> Rate:
        return Rate(sum(branch.p_real(score) <= max(least, branch.alpha) for score in found), len(found))

    rates: dict[str, dict[str, Rate]] = {
        t: {"real_called": called(real[t]), "swap_called": called(swapped[t])} for t in TIERS
    }
    figures: dict[str, Any] = {
        "faces": {role: len(found) for role, found in groups.items()},
        "people_in_test": len({face.person for face in groups["test"]}),
        "swaps_auc": {t: auc_estimate(real[t], swapped[t]) for t in TIERS},
        "self_blended_auc": {t: auc_estimate(real[t], blended[t]) for t in TIERS},
        "rates": rates,
        "claims": enough,
    }
    facts = calibrate.facts({"swaps_auc": figures["swaps_auc"]["as_is"]})
    return FaceResult(tensors, replace(branch, rates=rates, facts=facts), figures)

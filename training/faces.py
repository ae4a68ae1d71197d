"""The face head: self-blended and painted faces for training, other people and swaps between them for tests.

Faces come from every photograph of the catalogue, in the role of the picture; labelled people are never trained on. A
face of an unknown person counts as a person of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nsfwforensics.evaluation.metrics import Estimate
from nsfwforensics.evaluation.states import TIERS, resized
from nsfwforensics.models.synthesis.calibration import Branch, Rate
from nsfwforensics.models.synthesis.classifier import Ensemble
from nsfwforensics.models.synthesis.preprocess import recompressed
from training import augment, blend, calibrate
from training.blend import MIN_FACE, FacePatch
from training.data import Item, catalogue, load_rgb, person_third, screened_faces
from training.fit import FitSettings, balanced_weights, fit
from training.patches import seed_of
from training.sources import EXTRA, SOURCES, Role

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from training.workshop import Workshop

    Pixels = NDArray[np.uint8]
    Made = tuple[FacePatch, Pixels]


FACE_CLAIM_MINIMUM = 100
"""Fewer unseen real faces than this carry no claim: by the rule of three they cannot show a rate below 3 %."""

SOUGHT = 48
"""Smallest face sought, in pixels of the detector's copy: those that are used have at least 56 pixels."""

COPIES = 12
"""Blends per training face; every third time it is painted as well."""

PER_FACE = 4
"""Swaps and self-blended copies per test face."""


@dataclass(frozen=True, slots=True)
class FaceResult:
    """The face head and what it was measured to be worth."""

    tensors: dict[str, Tensor]
    branch: Branch
    figures: dict[str, Any]


def photographs(workshop: Workshop) -> list[Item]:
    """Every photograph at hand: sources of which only some pictures train or test the whole-picture head as well."""
    every = [replace(source, most=0) for source in (*SOURCES, *EXTRA) if source.label == 0]
    return catalogue(workshop.data, every, workshop.extra)


def found_in(items: Sequence[Item], cache: Path) -> dict[str, list[FacePatch]]:
    """Cuts the faces of at least 56 pixels out of photographs, but for what was seen to be no face of a person.

    Args:
        items: Photographs.
        cache: A file that remembers where the faces are.

    Returns:
        By the items' keys. Faces of labelled people carry the person's name, others the key and a number.
    """
    known: dict[str, list[list[float]]] = json.loads(cache.read_text()) if cache.is_file() else {}
    detector = None
    for item in items:
        if item.key not in known:
            from nsfwforensics.models.faces.detector import FaceDetector

            detector = detector or FaceDetector(min_face=SOUGHT)
            known[item.key] = [
                [*map(float, face.box), *face.landmarks.astype(float).ravel().tolist()]
                for face in detector.detect(load_rgb(item))
            ]
            if len(known) % 200 == 0:
                cache.write_text(json.dumps(known))
    cache.write_text(json.dumps(known))
    screened = screened_faces()
    patches: dict[str, list[FacePatch]] = {}
    for item in items:
        rows = {f"{item.key}#{n}": row for n, row in enumerate(known[item.key]) if min(row[2:4]) >= MIN_FACE}
        rows = {name: row for name, row in rows.items() if name not in screened}
        rgb = load_rgb(item) if rows else None
        if rgb is None:
            continue
        labelled = item.source == "portraits" and item.group != "groups"
        patches[item.key] = [
            blend.cut(
                rgb,
                (row[0], row[1], row[2], row[3]),
                np.array(row[4:], np.float32).reshape(5, 2),
                item.group if labelled else name,
            )
            for name, row in rows.items()
        ]
    return patches


def role_of(item: Item) -> Role:
    """A face's role: the picture's, but that group pictures of labelled people calibrate."""
    if item.source != "portraits":
        return item.role
    return "calibrate" if item.group == "groups" or person_third(item.group) == 0 else "test"


def training_set(
    faces: Sequence[FacePatch], copies: int, roundtrips: Sequence[Callable[[Pixels], Pixels]]
) -> tuple[NDArray[np.float32], NDArray[np.int64], list[str]]:
    """Features of real, self-blended and painted faces after random chains.

    Args:
        faces: Real faces.
        copies: Different blends per face.
        roundtrips: Decoders that paint a face again; each face is painted by one of them.

    Returns:
        Features (rows, 2, width): two chains of each; labels; people.
    """
    rows: list[list[NDArray[np.float32]]] = []
    labels: list[int] = []
    people: list[str] = []
    for number, face in enumerate(faces):
        again = painted(face, roundtrips[number % len(roundtrips)]) if roundtrips else None
        for copy in range(copies):
            rng = np.random.default_rng(seed_of("face", face.person, number, copy))
            real = blend.view(face.pixels, rng) if rng.random() < 0.5 else face.pixels
            made = [(0, real), (1, blend.self_blended(face, rng))]
            if again is not None and copy % 3 == 0:
                made.append((1, blend.mixed(face.pixels, again, blend.face_mask(face, rng))))
            for label, pixels in made:
                # The same chain for a face and its blend.
                chains = (np.random.default_rng(seed_of(copy, number, chain)) for chain in (0, 1))
                rows.append([blend.features_after(face, pixels, chain) for chain in chains])
                labels.append(label)
                people.append(face.person)
    return np.stack([np.stack(row) for row in rows]), np.array(labels), people


def painted(face: FacePatch, roundtrip: Callable[[Pixels], Pixels]) -> Pixels:
    """A copy of the patch whose face, with a quarter of its size around it, was painted again."""
    left, top, width, height = face.box
    room = 0.25 * max(width, height)
    y, x = max(0, int(top - room)), max(0, int(left - room))
    whole = face.pixels.copy()
    part = np.s_[y : int(top + height + room), x : int(left + width + room)]
    whole[part] = roundtrip(np.ascontiguousarray(whole[part]))
    return whole


def swaps(faces: Sequence[FacePatch], per_face: int) -> list[Made]:
    """Puts faces of other people onto each face."""
    made: list[Made] = []
    for number, target in enumerate(faces):
        others = [face for face in faces if face.person != target.person]
        rng = np.random.default_rng(seed_of("swap", target.person, number))
        donors = rng.permutation(len(others))[:per_face]
        made += [(target, blend.swapped(target, others[int(index)], rng)) for index in donors]
    return made


def blends(faces: Sequence[FacePatch], per_face: int) -> list[Made]:
    """Self-blended copies of each face."""
    return [
        (face, blend.self_blended(face, np.random.default_rng(seed_of("blend", face.person, number, copy))))
        for number, face in enumerate(faces)
        for copy in range(per_face)
    ]


def at_tier(face: FacePatch, pixels: Pixels, tier: str) -> NDArray[np.float32]:
    """The features of a face as it would come from a picture in a measured state.

    Whoever changes a face saves the picture again, so in the first state both classes are saved once more. How large
    the picture was is not known here, so the other states stand for a reduction by 0.75 and 0.5 (never below 56 pixels
    of face) before saving at quality 60 and 40.
    """
    wanted, quality = _FACE_STATES[tier]
    scale = min(1.0, max(wanted, MIN_FACE / min(face.box[2:])))
    if scale < 1.0:
        pixels = resized(pixels, scale, augment.KERNELS[1])
    return blend.features_after(face, recompressed(pixels, quality), None)


_FACE_STATES: Mapping[str, tuple[float, int]] = {"as_is": (1.0, 92), "768_q60": (0.75, 60), "512_q40": (0.5, 40)}
"""Reduction and JPEG quality of the measured states of a face."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of faces, and whose each one is (of a swap: onto whom)."""

    values: NDArray[np.float64]
    people: Sequence[str]


def auc_over_people(real: Scores, made: Scores, rounds: int = 1000) -> Estimate:
    """AUC with a 95 % bootstrap interval that draws people, not pictures: one person's faces are alike."""
    order = {person: place for place, person in enumerate(sorted({*real.people, *made.people}))}
    whose = [np.array([order[person] for person in scores.people], np.int64) for scores in (real, made)]
    above = np.sign(made.values[None, :] - real.values[:, None]) / 2 + 0.5
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(rounds):
        times = np.bincount(rng.integers(0, len(order), len(order)), minlength=len(order)).astype(float)
        first, second = times[whose[0]], times[whose[1]]
        if first.sum() and second.sum():
            drawn.append(float(first @ above @ second / (first.sum() * second.sum())))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(above.mean()), float(low), float(high), len(real.values), len(made.values))


def face_head(workshop: Workshop) -> FaceResult | None:
    """Trains and measures the face head; None where the data hold too few faces."""
    items = photographs(workshop)
    patches = found_in(items, workshop.out / "faces-found.json")
    groups: dict[str, list[FacePatch]] = {"train": [], "calibrate": [], "test": []}
    for item in items:
        groups[role_of(item)] += patches.get(item.key, [])
    if min(len(found) for found in groups.values()) < 4:
        return None
    workshop.say(f"faces: {', '.join(f'{len(found)} {role}' for role, found in groups.items())}")
    roundtrips = [workshop.decoders[name] for name in workshop.training_decoders]
    values, labels, people = training_set(groups["train"], COPIES, roundtrips)
    drawn = balanced_weights(labels, ["face"] * len(labels), people)
    tensors = fit(values, labels, drawn, FitSettings(epochs=30, hidden=32))
    return FaceResult(tensors, *measured(Ensemble(tensors), groups))


def measured(head: Ensemble, groups: Mapping[str, Sequence[FacePatch]]) -> tuple[Branch, dict[str, Any]]:
    """Calibrates a head on the faces that calibrate, and measures it on those of the test."""

    def at(tier: str, pairs: Sequence[Made]) -> Scores:
        features = np.stack([at_tier(face, pixels, tier) for face, pixels in pairs])
        return Scores(head.logits(features), [face.person for face, _ in pairs])

    def kinds(role: str, per_face: int) -> dict[str, dict[str, Scores]]:
        faces = groups[role]
        made = {"real": [(face, face.pixels) for face in faces], "swap": swaps(faces, per_face),
                "blend": blends(faces, per_face)}  # fmt: skip
        return {kind: {tier: at(tier, pairs) for tier in TIERS} for kind, pairs in made.items()}

    chosen, test = kinds("calibrate", 1), kinds("test", PER_FACE)
    known: dict[str, list[float]] = {tier: sorted(map(float, chosen["real"][tier].values)) for tier in TIERS}
    enough = min(len(groups[role]) for role in ("calibrate", "test")) >= FACE_CLAIM_MINIMUM
    branch = Branch(known, {}, calibrate.ALPHA, calibrate.BETA, claims=enough)
    least = 1.0 / (branch.reals + 1)

    def called(found: Scores) -> Rate:
        return Rate(sum(branch.p_real(float(s)) <= max(least, branch.alpha) for s in found.values), len(found.values))

    rates: dict[str, dict[str, Rate]] = {
        t: {"real_called": called(test["real"][t]), "swap_called": called(test["swap"][t])} for t in TIERS
    }
    swaps_auc = {t: auc_over_people(test["real"][t], test["swap"][t]) for t in TIERS}
    figures: dict[str, Any] = {
        "faces": {role: len(found) for role, found in groups.items()},
        "people": {role: len({face.person for face in found}) for role, found in groups.items()},
        "people_in_test": len({face.person for face in groups["test"]}),
        "swaps_auc": swaps_auc,
        "self_blended_auc": {t: auc_over_people(test["real"][t], test["blend"][t]) for t in TIERS},
        "swaps_auc_calibrate": {t: auc_over_people(chosen["real"][t], chosen["swap"][t]) for t in TIERS},
        "rates": rates,
        "claims": enough,
    }
    facts = calibrate.facts({"swaps_auc": swaps_auc["as_is"]})
    return replace(branch, rates=rates, facts=facts), figures

"""Measures simple swaps between the faces of different people, and writes it into the card.

    python -m training.swaps --run OUT

OUT is the folder of a run of ``python -m training``; its pictures of public figures are used. Nothing of what is made
is kept. Beside the classifier a probe is tried that was trained on faces blended with themselves, on other people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.core.error_rates import upper_percent
from nsfwforensics.models import scene
from nsfwforensics.models.faces.align import similarity_transform
from nsfwforensics.models.faces.detector import cached_detector
from nsfwforensics.models.rates import Rate
from nsfwforensics.models.synthesis import canonical
from nsfwforensics.models.synthesis.calibration import PORTRAIT, Calibration, Verdict
from nsfwforensics.models.synthesis.classifier import cached_classifier
from training import saving
from training.bring import Picture, read_catalogue
from training.card import area, fill, measured_by, prose
from training.fit import auc, linear
from training.leave_out import Scored, unit
from training.measure import estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rgb = NDArray[np.uint8]
    Points = NDArray[np.float64]

PUBLISHER = "press and face recognition test pictures"

LEAST_FACE = 90
"""Smallest face that is swapped, in pixels."""

_LEAST_SIDE = 220
_LONGEST = 1400
_REDUCED = 900
_EACH = 2
_FOLDS = 5
_PENALTY = 1e-3


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture of one person.

    Attributes:
        person: Who it shows.
        rgb: uint8 (height, width, 3).
        points: Eyes, nose and corners of the mouth, float64 (5, 2), in pixels.
    """

    person: str
    rgb: Rgb
    points: Points


@dataclass(frozen=True, slots=True)
class Made:
    """A portrait as it is or changed.

    Attributes:
        kind: ``real``, ``swap`` or ``self``.
        shown: Whose portrait it was.
        people: Everybody who is in it.
        whole: The whole picture as the network sees it.
        face: Its face cut out, as the network sees it.
    """

    kind: str
    shown: str
    people: frozenset[str]
    whole: Rgb
    face: Rgb


def portraits(pictures: Sequence[Picture]) -> Iterator[Portrait]:
    """The pictures whose largest face is large enough, by person; those of groups are left out."""
    detector = cached_detector("cpu", 1)
    for picture in sorted(pictures, key=lambda each: (each.series, each.key)):
        person = PurePath(picture.series).name
        if picture.publisher != PUBLISHER or person == "groups":
            continue
        rgb = saving.load(picture)
        if max(rgb.shape[:2]) > _LONGEST:
            rgb = canonical.reduced(rgb, min(_REDUCED, min(rgb.shape[:2])))
        face = max(detector.detect(rgb), key=lambda each: each.size, default=None)
        if face is not None and face.size >= LEAST_FACE and min(rgb.shape[:2]) >= _LEAST_SIDE:
            yield Portrait(person, rgb, np.asarray(face.landmarks, np.float64))


def blended(source: Rgb, points: Points, target: Portrait, *, poisson: bool) -> Rgb:
    """A face laid over another: turned and scaled onto its eyes, nose and mouth.

    Args:
        source: The picture that the face comes from.
        points: Where it lies there, as :attr:`Portrait.points`.
        target: What it is laid over.
        poisson: Whether it takes on the colours around it, by Poisson's equation; else its edge is feathered.
    """
    height, width = target.rgb.shape[:2]
    turned = similarity_transform(points, target.points)[:2]
    laid = cv2.warpAffine(source, turned, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    eyes = target.points[1] - target.points[0]
    apart = float(np.linalg.norm(eyes))
    middle = (int(target.points[:, 0].mean()), int(target.points[:, 1].mean()))
    mask = np.zeros((height, width), np.uint8)
    axes = (int(1.05 * apart), int(1.35 * apart))
    cv2.ellipse(mask, middle, axes, float(np.degrees(np.arctan2(eyes[1], eyes[0]))), 0, 360, 255, -1)
    mask[:2] = mask[-2:] = 0
    mask[:, :2] = mask[:, -2:] = 0
    if poisson:
        x, y, w, h = cv2.boundingRect(mask)
        centre = (x + (w - 1) // 2, y + (h - 1) // 2)
        made = cv2.seamlessClone(laid, np.ascontiguousarray(target.rgb), mask, centre, cv2.NORMAL_CLONE)
        return np.asarray(made, np.uint8)
    share = cv2.GaussianBlur(mask, (0, 0), 0.08 * apart).astype(np.float32)[..., None] / 255
    return np.asarray(np.clip(laid * share + target.rgb * (1 - share), 0, 255), np.uint8)


def changed(known: Sequence[Portrait], generator: np.random.Generator) -> Iterator[Made]:
    """Each portrait as it is, with two other people's faces, and twice with its own, recoloured and moved a little."""
    for target in known:
        others = [each for each in known if each.person != target.person]
        yield _made("real", target, target.rgb)
        for place in generator.choice(len(others), min(_EACH, len(others)), replace=False):
            other = others[int(place)]
            yield _made("swap", target, blended(other.rgb, other.points, target, poisson=True), other.person)
        for number in range(_EACH):
            colours = target.rgb * (1 + generator.normal(0, 0.06, 3)) + generator.normal(0, 6)
            own = np.asarray(np.clip(colours, 0, 255), np.uint8)
            if number:
                small = canonical.reduced(own, max(1, round(generator.uniform(0.5, 0.8) * min(own.shape[:2]))))
                own = np.asarray(cv2.resize(small, own.shape[1::-1]), np.uint8)
            apart = float(np.linalg.norm(target.points[1] - target.points[0]))
            moved = target.points + generator.normal(0, 0.03 * apart, target.points.shape)
            yield _made("self", target, blended(own, moved, target, poisson=False))


def _made(kind: str, target: Portrait, rgb: Rgb, *others: str) -> Made:
    middle = target.points.mean(0)
    reach = 2.2 * float(np.linalg.norm(target.points[1] - target.points[0]))
    left, top = np.maximum(0, middle - reach).astype(int)
    right, bottom = (middle + reach).astype(int)
    people = frozenset({target.person, *others})
    face = canonical.whole(np.ascontiguousarray(rgb[top:bottom, left:right]))
    return Made(kind, target.person, people, canonical.whole(rgb), face)


def left_out(made: Sequence[Made], embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """The score of each face by a probe of embeddings that was trained on other people, blended with themselves."""
    people = sorted({each.shown for each in made})
    features, scores = unit(embeddings), np.zeros(len(made))
    for fold in range(_FOLDS):
        out = frozenset(people[fold::_FOLDS])
        part = [i for i, each in enumerate(made) if each.kind != "swap" and not each.people & out]
        labels = np.array([int(made[i].kind == "self") for i in part])
        weights = np.where(labels, 0.5 / max(1, labels.sum()), 0.5 / max(1, (1 - labels).sum()))
        tried = [i for i, each in enumerate(made) if each.shown in out]
        scores[tried] = linear(features[part], labels, weights, _PENALTY).logits(features[tried])
    return scores


def told(
    made: Sequence[Made], scores: NDArray[np.float64], probe: NDArray[np.float64], called: NDArray[np.bool_]
) -> str:
    """What the card says: of the whole picture, and of the probe."""
    kinds = np.array([each.kind for each in made])
    rows = [
        Scored(str(i), "", int(each.kind == "swap"), "", each.shown, "", 0, float(scores[i]))
        for i, each in enumerate(made)
        if each.kind != "self"
    ]
    swaps, real = kinds == "swap", kinds == "real"
    counts = [f"{int(called[part].sum())} of {int(part.sum())}" for part in (swaps, real)]
    above, count = int((probe[swaps] > probe[real].max()).sum()), int(real.sum())
    return prose(
        f"{int(swaps.sum())} simple ones between {len({each.shown for each in made})} public figures (the other",
        "face turned and scaled onto the eyes, nose and mouth, and blended in by Poisson's equation; current tools",
        f"were not at hand) against their {count} photographs: AUC {area(estimate(rows))}, by the limits for",
        f"portraits {counts[0]} called and {counts[1]}. A probe of the embedding of the face cut out, trained on",
        "faces blended with themselves and tried on other people, tells these swaps from the photographs (AUC",
        f"{auc(probe[swaps], probe[real]):.2f}, {above} of {int(swaps.sum())} above every photograph), but swaps as",
        f"crude as these and {count} photographs (0 of {count} is at most {upper_percent(Rate(0, count).upper)})",
        "carry no statement: there is no check of faces on their own.",
    )


def main() -> None:
    """Makes, judges, and writes the sentence."""
    arguments, card = measured_by(__doc__)
    classifier = cached_classifier("cpu", None, 1)
    image = Calibration.loads((card.parent / "synthesis.calibration.json").read_text("utf-8")).image
    known = list(portraits(read_catalogue(arguments.run / "catalogue.csv")))
    made = list(changed(known, np.random.default_rng(0)))
    scores = np.concatenate([classifier.logits(each.whole[None]) for each in made])
    embeddings = np.concatenate([scene.embeddings([each.face]) for each in made])
    called = np.array([image.verdict(score, PORTRAIT) is Verdict.GENERATED for score in scores.tolist()])
    fill(card, "swaps", told(made, scores, left_out(made, embeddings), called))


if __name__ == "__main__":
    main()

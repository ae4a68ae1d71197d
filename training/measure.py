"""The figures of the card, from scores and verdicts of pictures whose publishers no fit saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nsfwforensics.models.synthesis.calibration import PLAIN_GROUND, TIERS, Verdict
from nsfwforensics.models.synthesis.canonical import CANONICAL
from training.bring import CONTENT_MATCHED, Picture
from training.calibrate import VIEWS, by_view, counted, kind_of, rate
from training.fit import auc
from training.leave_out import Scored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.models.rates import Rate

Judged = Sequence[tuple[Scored, Verdict]]

_DRAWS = 400

FEWEST = 20
"""Photographs of a camera or format below which its row says nothing."""

PHONES = ("apple", "google", "htc", "huawei", "lge", "motorola", "nokia", "oneplus", "samsung", "xiaomi")
"""Makers of phones, as EXIF names them; those of cameras too are with the cameras."""


def estimate(rows: Iterable[Scored]) -> dict[str, float | int]:
    """AUC of generated against photographs, with a 95 % interval that draws whole series."""
    listed = list(rows)
    made, taken = ([row for row in listed if row.label == label] for label in (1, 0))
    value = auc(_scores(made), _scores(taken))
    draws = []
    random = np.random.default_rng(0)
    groups = [_by_series(part) for part in (made, taken)]
    if made and taken:
        for _ in range(_DRAWS):
            parts = [np.concatenate([group[i] for i in random.integers(0, len(group), len(group))]) for group in groups]
            draws.append(auc(parts[0], parts[1]))
    low, high = np.quantile(draws, (0.025, 0.975)) if draws else (np.nan, np.nan)
    return {"auc": value, "low": float(low), "high": float(high), "generated": len(made), "photographs": len(taken)}


def _scores(rows: Sequence[Scored]) -> NDArray[np.float64]:
    return np.array([row.score for row in rows])


def _by_series(rows: Sequence[Scored]) -> list[NDArray[np.float64]]:
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        found[row.series].append(row.score)
    return [np.array(scores) for scores in found.values()]


def content_matched(rows: Sequence[Scored], pictures: Mapping[str, Picture]) -> dict[str, Any]:
    """Each content-matched set, left out whole: only pictures that the chain brings to one size.

    Of pictures with a shorter side of at least 448 pixels the chain leaves nothing of size, format and file length:
    whatever is told apart is told from the pixels.
    """
    found: dict[str, Any] = {}
    for publisher in (*CONTENT_MATCHED, "ML72"):
        part = [
            row
            for row in rows
            if row.publisher == publisher and row.use != "pairs" and _shorter(pictures[row.key]) >= CANONICAL
        ]
        tiers = {tier: estimate(row for row in part if row.view == tier) for tier in TIERS}
        if tiers[TIERS[0]]["generated"] and tiers[TIERS[0]]["photographs"]:
            found[publisher] = {"tiers": tiers, "size_alone": size_alone(part, pictures)}
    return found


def _shorter(picture: Picture) -> int:
    return min(picture.width, picture.height)


def size_alone(rows: Sequence[Scored], pictures: Mapping[str, Picture]) -> dict[str, float]:
    """How well size alone tells the classes apart, in either direction: of the files, and after the chain."""
    part = [row for row in rows if row.view == TIERS[0]]
    found = {}
    for name, most in (("before", 10**9), ("after", CANONICAL)):
        sides = [[min(most, _shorter(pictures[row.key])) for row in part if row.label == label] for label in (1, 0)]
        value = auc(np.array(sides[0]), np.array(sides[1]))
        found[name] = max(value, 1 - value)
    return found


def shares(judged: Judged) -> dict[str, Rate]:
    """What was said of a group: called, cleared, inconclusive."""
    return {verdict.value: rate(judged, verdict.__eq__) for verdict in Verdict}


def by_publisher(judged: Judged, label: int) -> dict[str, dict[str, Any]]:
    """What was said of each publisher's pictures, at each tier."""
    names = sorted({row.publisher for row, _ in judged if row.label == label and row.use == "develop"})
    return {
        name: {
            tier: shares([pair for pair in judged if pair[0].publisher == name and pair[0].label == label
                          and pair[0].view == tier and pair[0].use == "develop"])
            for tier in TIERS
        }
        for name in names
    }  # fmt: skip


def taken_with(picture: Picture) -> tuple[str, ...]:
    """Phone or camera, its maker, and the format of the file, as rows of the card are called."""
    import pillow_heif
    from PIL import Image

    pillow_heif.register_heif_opener()
    with Image.open(picture.file) as image:
        maker, _, _ = str(image.getexif().get(0x010F, "")).strip("\0 ").lower().partition(" ")
        form = f"format {image.format}"
    if not maker:
        return "no maker stated", form
    return "phones" if maker in PHONES else "cameras", f"maker {maker.title()}", form


def by_camera(judged: Judged, pictures: Mapping[str, Picture]) -> dict[str, dict[str, Any]]:
    """What was said of photographs of left-out sources, by phone or camera, maker and format."""
    part = [pair for pair in judged if pair[0].label == 0 and pair[0].use == "develop" and pair[0].view in TIERS]
    names = {key: taken_with(pictures[key]) for key in {row.key for row, _ in part}}
    groups: dict[str, list[tuple[Scored, Verdict]]] = defaultdict(list)
    for pair in part:
        for name in names[pair[0].key]:
            groups[name].append(pair)
    found = {
        name: {tier: shares([pair for pair in group if pair[0].view == tier]) for tier in TIERS}
        for name, group in groups.items()
    }
    enough = [name for name in found if found[name][TIERS[0]][Verdict.GENERATED.value].total >= FEWEST]
    return {name: found[name] for name in sorted(enough)}


def pairs(judged: Judged, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    """Edited pictures against their originals, by editor and together; only originals that are photographs count."""
    part = [pair for pair in judged if pair[0].use == "pairs" and pair[0].view == TIERS[0]]
    of_photographs = [pair for pair in part if " of real" in pictures[pair[0].key].generator]
    groups: dict[str, list[tuple[Scored, Verdict]]] = defaultdict(list)
    for pair in part:
        groups[pictures[pair[0].key].generator].append(pair)
    higher = _higher([row for row, _ in of_photographs])
    return {
        "of_photographs": estimate(row for row, _ in of_photographs) | {"higher": higher},
        "by_editor": {name: estimate(row for row, _ in group) | {"higher": _higher([row for row, _ in group])}
                      for name, group in sorted(groups.items())},
    }  # fmt: skip


def _higher(rows: Sequence[Scored]) -> list[int]:
    """Of how many pairs the edited picture scores above its original, and of how many."""
    by_number: dict[str, dict[int, float]] = defaultdict(dict)
    for row in rows:
        by_number[row.key.rpartition("-")[2]][row.label] = row.score
    whole = [scores for scores in by_number.values() if len(scores) == 2]
    return [sum(scores[1] > scores[0] for scores in whole), len(whole)]


def twins(rows: Sequence[Scored], judged: Judged) -> dict[str, Any]:
    """Photographs painted again by a decoder against the same photographs."""
    painted = {row.key: row for row in rows if row.view == "twin"}
    real = [row for row in rows if row.view == TIERS[0] and row.key in painted]
    scores = _scores(list(painted.values())), _scores(real)
    part = [pair for pair in judged if pair[0].view == "twin"]
    return {"auc": auc(*scores), "count": len(painted), "said": shares(part)}


def figures(rows: Sequence[Scored], judged: Judged, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    """All figures of the card."""
    develop = [row for row in rows if row.use == "develop"]
    tests = sorted({row.publisher for row in rows if row.use == "test"})
    return {
        "content_matched": content_matched(rows, pictures),
        "all": {state: estimate(row for row in develop if row.view == state) for state in VIEWS},
        "said": by_view(judged),
        "portraits": {
            tier: counted(pair for pair in judged if pair[0].view == tier and pair[0].portrait) for tier in TIERS
        },
        "plain_ground": counted(p for p in judged if p[0].view == TIERS[0] and kind_of(p[0]) == PLAIN_GROUND),
        "generated": by_publisher(judged, 1),
        "photographs": by_publisher(judged, 0),
        "cameras": by_camera(judged, pictures),
        "test": {
            name: {tier: {who: shares([p for p in judged if p[0].publisher == name and p[0].use == "test"
                                       and p[0].view == tier and p[0].label == label])
                          for who, label in (("generated", 1), ("photographs", 0))} for tier in TIERS}
            for name in tests
        },
        "pairs": pairs(judged, pictures),
        "twins": twins(rows, judged),
    }  # fmt: skip

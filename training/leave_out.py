"""Scores of every picture by a head that was fitted without its publisher, and the head that is fitted on all.

Each content-matched publisher is left out alone, the others in groups: nothing by the publisher of a picture took part
in the fit that judges it.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.bring import CONTENT_MATCHED, Picture, hash_rank
from training.embed import Seen, Store
from training.fit import LANDMARKS, Head, KernelHead, balance, features_of, fit_kernel, linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROUPS = 12
"""Groups of publishers beside the content-matched ones."""

ALIKE = 0.93
"""Cosine of two embeddings from which on pictures of one publisher are one series."""

TRAINED = ("as_is", "768_q60", "512_q40")
"""Views of every picture that the head is fitted on, as rows of one table."""

ALL = -1
"""The fold of pictures that no fit saw, judged by the head that was fitted on all."""


PORTRAITS = (
    "BaseMax (faces by StyleGAN2)",
    "press and face recognition test pictures",
    "ai-or-human.github.io",
    "modelscope FaceChain",
    "bytedance InfiniteYou (project page)",
)
"""Publishers whose pictures show a face close up."""

NO_PORTRAITS = (
    "bme3412 (travel photos)",
    "elementary OS wallpapers",
    "experiencor (kangaroo)",
    "Google DreamBooth",
    "clothing-dataset contributors (Grigorev)",
    "k1monfared (photoblog)",
    "ImageNet samples",
    "COCO 2017 (Flickr)",
    "BSDS500",
    "Justin-HAL (campus game)",
    "raccoon_dataset",
    "PolyU (Xu et al.)",
    "low-light benchmark sets (Zero-DCE)",
    "budgie-backgrounds",
    "mate-backgrounds",
    "metadata-extractor-images",
)
"""Publishers whose pictures hardly ever do."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A picture's score in one view.

    Attributes:
        key: Of the picture.
        view: A tier or another view.
        label: 1 generated, 0 photograph.
        publisher: Of the picture.
        series: Of the picture.
        use: ``develop``, ``test`` or ``pairs``.
        fold: Which fold judged it.
        score: Logit of the head that did not see the publisher.
        portrait: 1 where the content probe says that it shows a face close up.
        longer: Longer side of the picture as it is, in pixels.
        plain: 1 where it stands on plain, light ground.
    """

    key: str
    view: str
    label: int
    publisher: str
    series: str
    use: str
    fold: int
    score: float
    portrait: int = 0
    longer: int = 0
    plain: int = 0


def folds(pictures: Sequence[Picture]) -> dict[str, int]:
    """The fold of each publisher: content-matched ones alone, the others dealt out by size."""
    found = {publisher: fold for fold, publisher in enumerate(CONTENT_MATCHED)}
    load = [0] * GROUPS
    counts = Counter(picture.publisher for picture in pictures)
    for publisher, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        if publisher not in found:
            group = load.index(min(load))
            load[group] += count
            found[publisher] = len(CONTENT_MATCHED) + group
    return found


def series(pictures: Sequence[Picture], embeddings: Mapping[str, NDArray[np.float32]]) -> dict[str, str]:
    """The series of each picture: as stated, and pictures of one publisher that show nearly the same."""
    parent = {picture.key: picture.key for picture in pictures}

    def root(key: str) -> str:
        while parent[key] != key:
            key = parent[key]
        return key

    stated: dict[str, str] = {}
    groups: dict[tuple[str, int], list[str]] = defaultdict(list)
    for picture in pictures:
        first = stated.setdefault(picture.series, picture.key)
        parent[root(picture.key)] = root(first)
        if picture.key in embeddings:
            groups[picture.publisher, picture.label].append(picture.key)
    for keys in groups.values():
        rows = np.stack([embeddings[key] for key in keys]).astype(np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        for left, right in np.argwhere(np.triu(rows @ rows.T, 1) >= ALIKE):
            parent[root(keys[right])] = root(keys[left])
    return {picture.key: root(picture.key) for picture in pictures}


def scored(pictures: Sequence[Picture], store: Store, views: Sequence[str]) -> tuple[list[Scored], KernelHead, Head]:
    """Fits once for each fold and once on all, on every view of :data:`TRAINED`, and judges all views.

    Args:
        pictures: The catalogue.
        store: Of the features.
        views: Which views are judged.

    Returns:
        All scores, the head fitted on all pictures of development, and the probe for portraits.
    """
    known = {picture.key: picture for picture in pictures}
    seen = {view: {key: row for key, row in store.known(view).items() if key in known} for view in views}
    first = seen["as_is"]
    of_series = series(pictures, {key: kept.embedding for key, kept in first.items()})
    train = [picture for picture in pictures if picture.use == "develop" and picture.key in first]
    fold_of = folds(train)
    rows = sorted((key, view) for view in TRAINED for key in seen.get(view, ()) if known[key].use == "develop")
    features = features_of(np.stack([seen[view][key].whole for key, view in rows]))
    labels = np.array([known[key].label for key, _ in rows])
    fold = np.array([fold_of[known[key].publisher] for key, _ in rows])
    rank = np.argsort([hash_rank(f"{key}/{view}").hex() for key, view in rows])
    probe = portrait_probe([(picture, first[picture.key].embedding) for picture in train])
    found: list[Scored] = []
    for left_out in sorted({*fold.tolist(), ALL}, reverse=True):
        part = np.flatnonzero(fold != left_out)
        weights = balance([known[rows[row][0]].publisher for row in part], labels[part])
        place = np.cumsum(fold != left_out) - 1
        chosen = np.sort(place[rank[fold[rank] != left_out][:LANDMARKS]])
        head = fit_kernel(features[part], labels[part], weights, chosen)
        for view in views:
            keys = [key for key in seen[view] if _fold(known[key], fold_of) == left_out]
            if keys:
                logits = head.logits(features_of(np.stack([seen[view][key].whole for key in keys])))
                close = probe.logits(unit(np.stack([seen[view][key].embedding for key in keys]))) > 0
                found += [
                    _of(known[key], view, of_series[key], left_out, logit, portrait, seen[view][key])
                    for key, logit, portrait in zip(keys, logits.tolist(), close.tolist(), strict=True)
                ]
    return found, head, probe


def _of(p: Picture, view: str, of_series: str, fold: int, score: float, portrait: bool, kept: Seen) -> Scored:
    longer = max(p.width, p.height)
    plain = int(kept.plain)
    return Scored(p.key, view, p.label, p.publisher, of_series, p.use, fold, score, int(portrait), longer, plain)


def unit(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Embeddings of length one."""
    return np.asarray(embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True), np.float32)


def portrait_probe(known: Sequence[tuple[Picture, NDArray[np.float32]]]) -> Head:
    """Tells faces close up from other pictures by their embedding; generated ones and photographs on both sides.

    Studio portraits score higher than other photographs: they are told by a state of their own.
    """
    part = [(picture, embedding) for picture, embedding in known if picture.publisher in (*PORTRAITS, *NO_PORTRAITS)]
    labels = np.array([int(picture.publisher in PORTRAITS) for picture, _ in part])
    weights = balance([picture.publisher for picture, _ in part], labels)
    return linear(unit(np.stack([embedding for _, embedding in part])), labels, weights, 1e-3)


def _fold(picture: Picture, fold_of: Mapping[str, int]) -> int:
    """The fold whose head never saw the publisher; of pairs, whose publishers go by a shorter name, by that."""
    if picture.use == "develop":
        return fold_of.get(picture.publisher, ALL)
    names = [name for name in fold_of if picture.use == "pairs" and picture.publisher.lower() in name.lower()]
    return fold_of[min(names, key=len)] if names else ALL


def write(rows: Sequence[Scored], path: Path) -> None:
    """Writes scores as CSV."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Scored)])
        writer.writeheader()
        writer.writerows({**asdict(row), "score": f"{row.score:.5f}"} for row in rows)


def read(path: Path) -> list[Scored]:
    """Reads what :func:`write` wrote."""
    kinds = {"label": int, "fold": int, "portrait": int, "longer": int, "plain": int, "score": float}
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [Scored(**{name: kinds.get(name, str)(value) for name, value in row.items()}) for row in rows]

"""Keypoints that look alike within one picture, and the similarity transforms that several of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.signals.matching import quick_keypoints as quick
from nsfwforensics.signals.matching.keypoints import DESCRIPTOR_NORM

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_KEYPOINTS = 6000
MOST_MATCHES = 2000
MOST_TRANSFORMS = 6

AWAY = 24.0
"""Keypoints nearer than this, in pixels, are alike because they see the same thing."""

_SAME = 5  # pixels: keypoints of one place in two scales or directions
_QUICK_LAYERS = 3  # with 2, two of 84 copies are lost
_NEIGHBOURS = 10
_ROWS = 256  # keypoints matched at a time
_RATIO = 0.6
_MOST_DISTANCE = 0.55  # of two RootSIFT descriptors, each of length 1
_TOLERANCE = 3.0  # pixels


@dataclass(frozen=True, slots=True)
class Similarity:
    """A transform ``q = factor · p + shift`` of points as complex numbers x + iy, with the matches that agree on it.

    Attributes:
        factor: Scale and rotation.
        shift: Translation in pixels.
        points: complex64 (n,), where the matches start.
        images: complex64 (n,), where they end.
    """

    factor: complex
    shift: complex
    points: NDArray[np.complex64]
    images: NDArray[np.complex64]


def keypoints(gray: NDArray[np.uint8]) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """SIFT keypoints of a picture.

    Args:
        gray: uint8 (height, width).

    Returns:
        Places as x + iy, complex64 (n,), and RootSIFT descriptors of length 1, float32 (n, 128).
    """
    # A lower contrast threshold than OpenCV's 0.04: copied areas are often the dull ones.
    sift = cv2.SIFT_create(nfeatures=MOST_KEYPOINTS, contrastThreshold=0.02, edgeThreshold=12)  # type: ignore[attr-defined]
    points, descriptors = sift.detectAndCompute(gray, None)
    if descriptors is None:
        return np.empty(0, np.complex64), np.empty((0, 128), np.float32)
    root = np.sqrt(descriptors / (descriptors.sum(axis=1, keepdims=True) + 1e-6)).astype(np.float32)
    # OpenCV may return a few more than asked for where responses tie.
    return np.array([complex(*p.pt) for p in points], np.complex64)[:MOST_KEYPOINTS], root[:MOST_KEYPOINTS]


def quick_keypoints(gray: NDArray[np.uint8]) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """The same in a quarter of the time and half as many: enough to see that something repeats.

    Args:
        gray: uint8 (height, width).

    Returns:
        As :func:`keypoints`.
    """
    found = quick.quick_keypoints(gray, MOST_KEYPOINTS, max(gray.shape), _QUICK_LAYERS)
    where = np.asarray(found.points[:, 0] + 1j * found.points[:, 1], np.complex64)
    return where, found.descriptors.astype(np.float32) / np.float32(DESCRIPTOR_NORM)


def matches(where: NDArray[np.complex64], descriptors: NDArray[np.float32], away: float = AWAY) -> NDArray[np.intp]:
    """Pairs of keypoints that look alike, by the generalised ratio test, most alike first.

    A keypoint with many look-alikes (tiles, fences) has no jump in its list of distances and gives none.

    Args:
        where: Places, complex64 (n,).
        descriptors: float32 (n, 128), each of length 1.
        away: Pixels; nearer keypoints are not compared.

    Returns:
        Indices (m, 2), at most :data:`MOST_MATCHES`.
    """
    found: list[tuple[float, int, int]] = []
    count = min(_NEIGHBOURS, len(where) - 1)
    if count < 3:
        return np.empty((0, 2), np.intp)
    along = where.real if np.ptp(where.real) > np.ptp(where.imag) else where.imag
    order = np.argsort(along, kind="stable")
    for start in range(0, len(where), _ROWS):
        rows = order[start : start + _ROWS]
        alike = descriptors[rows] @ descriptors.T
        reach = along[rows[0]] - away, along[rows[-1]] + away
        beside = order[slice(*np.searchsorted(along[order], reach))]  # no other can be near
        near, column = np.nonzero(np.abs(where[rows, None] - where[None, beside]) < away)
        alike[near, beside[column]] = -1
        kept = _may_jump(alike, count)
        alike, rows = alike[kept], rows[kept]
        top = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        ranks = np.argsort(-np.take_along_axis(alike, top, 1), axis=1, kind="stable")
        top = np.take_along_axis(top, ranks, 1)
        distances = np.sqrt(np.maximum(0, 2 - 2 * np.take_along_axis(alike, top, 1)))
        # Without a jump from the first to the last neighbour there is none in between.
        jumps = (distances[:, 0] <= _MOST_DISTANCE) & (distances[:, 0] < _RATIO * distances[:, -1])
        for row in np.flatnonzero(jumps):
            found += [(d, int(rows[row]), j) for d, j in _ratio_test(where, top[row], distances[row])]
    found.sort()
    return np.array([(i, j) for _, i, j in found[:MOST_MATCHES]], np.intp).reshape(-1, 2)


def _may_jump(alike: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Rows whose nearest neighbour is near, and much nearer than the last of ``count``: most are told without sorting.

    Args:
        alike: Products of descriptors of length 1, float32 (rows, n).
        count: How many neighbours.
    """
    best = alike.max(axis=1)
    # In products, with some room for rounding, what the ratio asks of distances: d² = 2 − 2·product.
    least = 1 - (1 - best) / _RATIO**2 + 1e-5
    others = np.count_nonzero(alike >= least[:, None], axis=1)
    return np.flatnonzero((best >= 1 - _MOST_DISTANCE**2 / 2 - 1e-5) & (others < count))


def _ratio_test(
    where: NDArray[np.complex64], neighbours: NDArray[np.intp], distances: NDArray[np.float32]
) -> list[tuple[float, int]]:
    places: list[tuple[float, int]] = []
    for neighbour, distance in zip(neighbours.tolist(), distances.tolist(), strict=True):
        if all(abs(where[neighbour] - where[other]) > _SAME for _, other in places):
            places.append((distance, neighbour))
    for number in range(min(3, len(places) - 1)):
        if places[number][0] > _MOST_DISTANCE:
            break
        if places[number][0] < _RATIO * places[number + 1][0]:
            return places[: number + 1]
    return []


def similarities(points: NDArray[np.complex64], images: NDArray[np.complex64], least: int) -> list[Similarity]:
    """Transforms on which at least so many matches agree, strongest first; each match serves one of them.

    Every match, with each of its nearest neighbours, proposes a transform; all matches vote.

    Args:
        points: complex64 (m,), where the matches start.
        images: complex64 (m,), where they end.
        least: Fewest agreeing matches.

    Returns:
        At most :data:`MOST_TRANSFORMS`; of a transform and its inverse only one.
    """
    left = np.arange(len(points))
    found: list[Similarity] = []
    while len(left) >= least and len(found) < MOST_TRANSFORMS:
        p, q = points[left], images[left]
        proposed = _proposals(p, q)
        if proposed is None:
            break
        factor, shift = proposed
        votes = np.zeros(len(factor), np.intp)
        for start in range(0, len(factor), 512):
            ends = factor[start : start + 512, None] * p[None] + shift[start : start + 512, None]
            votes[start : start + 512] = (np.abs(ends - q[None]) < _TOLERANCE).sum(axis=1)
        best = int(votes.argmax())
        if votes[best] < least:
            break
        a, b = complex(factor[best]), complex(shift[best])
        used = agree = np.abs(a * p + b - q) < _TOLERANCE
        for _ in range(3):
            a, b = _fitted(p[agree], q[agree])
            agree = np.abs(a * p + b - q) < _TOLERANCE
            if agree.sum() < least:
                break
        if agree.sum() >= least and 0.45 < abs(a) < 2.2:
            found.append(Similarity(a, b, p[agree], q[agree]))
        back = np.abs(a * q + b - p) < 2 * _TOLERANCE
        left = left[~(used | agree | back)]
    return found


def _proposals(
    p: NDArray[np.complex64], q: NDArray[np.complex64]
) -> tuple[NDArray[np.complex64], NDArray[np.complex64]] | None:
    apart = np.abs(p[:, None] - p[None])
    cost = apart + np.abs(q[:, None] - q[None])
    cost[apart < 8] = np.inf  # too near to tell scale and rotation
    count = min(3, len(p) - 1)
    near = np.argpartition(cost, count - 1, axis=1)[:, :count]
    first, second = np.repeat(np.arange(len(p)), count), near.ravel()
    usable = np.isfinite(cost[first, second])
    first, second = first[usable], second[usable]
    factor = (q[second] - q[first]) / (p[second] - p[first])
    plausible = (np.abs(factor) > 0.5) & (np.abs(factor) < 2)
    if not plausible.any():
        return None
    factor, first = factor[plausible], first[plausible]
    return factor, q[first] - factor * p[first]


def _fitted(p: NDArray[np.complex64], q: NDArray[np.complex64]) -> tuple[complex, complex]:
    middle, image = p.mean(), q.mean()
    spread = max(float((np.abs(p - middle) ** 2).sum()), 1e-6)
    factor = complex((np.conj(p - middle) * (q - image)).sum() / spread)
    return factor, complex(image - factor * middle)

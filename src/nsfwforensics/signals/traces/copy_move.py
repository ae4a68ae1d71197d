"""Copy-move: one part of a picture that was pasted elsewhere in the same picture.

Steps: SIFT keypoints (Lowe 2004, as RootSIFT: Arandjelović & Zisserman 2012) matched within the picture by the
generalised ratio test "g2NN" (Amerini et al. 2011, IEEE TIFS 6:3); similarity transforms voted for by neighbouring
pairs of matches, strongest first (sequential consensus, without chance); and then every transform is put to the proof
on the pixels themselves. That last step is the one that decides: windows, bricks or printed letters repeat in shape
and pass every geometric check, but a copy repeats in grey levels too, up to what compression has done to it. So the
picture is laid over itself by the transform and compared by Lin's concordance coefficient (Lin 1989), which, unlike
plain correlation, forgives no difference of brightness or contrast, and by the mean difference in grey levels.

The thresholds lie between two measured sets. Natural repetitions in photographs nobody pasted into differ by 3.3 grey
levels at the least (concordance 0.981) where six matches or more agree on a place; of 30 moved copies saved as JPEG at
quality 75, none differed by more than 2.6 and all but one reached a concordance of 0.98.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.core.memory import give_back
from nsfwforensics.core.messages import say
from nsfwforensics.signals.traces.copy_move_match import (
    AWAY,
    Similarity,
    keypoints,
    matches,
    quick_keypoints,
    similarities,
)
from nsfwforensics.signals.traces.trace import Trace, TraceRegion

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORKING_PIXELS = 1_200_000
"""Larger pictures are scaled down to this many pixels first: time and memory do not grow beyond."""

GLANCED_PIXELS = 400_000
"""Larger pictures are glanced at first, because keypoints cost most of the time: with quicker and fewer ones, in at
most :data:`GLANCE_PIXELS`. Only where something repeats there is the picture looked at in :data:`WORKING_PIXELS`, by
the method that was measured: a glance adds no false alarm. Of 85 pictures with a copy that is found without it, 84
pass."""

GLANCE_PIXELS = 800_000
"""As many as are glanced at: in half as many, 11 of those 84 are lost."""

LEAST_SIDE = 96
"""Shorter pictures, in pixels, are not judged."""

MOST_AREA = 0.3
"""A copy that covers more than this share of the picture is a collage, not a hidden copy."""

MOST_COPIES = 4
"""More distinct copies than this in one picture are a repeated pattern, such as rows of identical symbols."""

MOST_PLAIN = 0.4
"""Drawn surfaces (screens, text, diagrams) repeat exactly by nature: an area with a larger share of pixels that equal
all their neighbours is not judged."""

_WINDOW = 11
_LEAST_AREA = 0.004
_LEAST_AREA_PIXELS = 900
_LEAST_MATCHES = 6
_LEAST_HITS = 3  # keypoints of one area
_GLANCE_MATCHES = 3  # of those 84 the least have 3
# Grey levels: those 84 differ by 9.4 at most, natural repetitions in 24 others by 11 at least.
_GLANCE_DIFFERENCE = 10.0
_CONCORDANCE = 0.85  # a pixel's window counts as copied above this
_TEXTURE = 9.0  # variance in grey levels squared below which a window says nothing
_REGION_CONCORDANCE = 0.973
_REGION_DIFFERENCE = 3.0  # mean difference in grey levels, where the copy was only moved
_TURNED_DIFFERENCE = 6.0  # the same where it was turned or scaled too: interpolation smooths one of the two


@dataclass(frozen=True, slots=True)
class _Candidate:
    source: NDArray[np.bool_]
    target: NDArray[np.bool_]
    similarity: Similarity
    matches: int
    concordance: float
    difference: float
    plain: float

    @property
    def turned(self) -> bool:
        factor = self.similarity.factor
        return bool(abs(np.log(abs(factor))) > 0.04 or abs(np.angle(factor, deg=True)) > 3)

    @property
    def accepted(self) -> bool:
        share = self.source.mean()
        return bool(
            self.matches >= _LEAST_MATCHES
            and self.concordance >= _REGION_CONCORDANCE
            and self.difference <= (_TURNED_DIFFERENCE if self.turned else _REGION_DIFFERENCE)
            and self.source.sum() >= _LEAST_AREA_PIXELS
            and _LEAST_AREA <= share <= MOST_AREA
            and self.plain <= MOST_PLAIN
        )

    @property
    def score(self) -> float:
        alike = np.clip((self.concordance - 0.9) / 0.1, 0, 1) * min(1.0, _REGION_DIFFERENCE / (self.difference + 0.1))
        return float(np.log10(1 + self.source.sum()) * alike * min(1.0, self.matches / 10))


def copy_move(luma: NDArray[np.uint8]) -> Trace:
    """Looks for parts of the picture that were copied within it, moved, turned (any angle) or scaled (0.5 to 2).

    Not found: copies that were mirrored, smooth ones (sky, skin: no keypoints), ones below 0.4 % of the picture, ones
    whose brightness was changed. Real copies that are no forgery are found too: the same small picture shown twice in
    a screenshot, a printed sheet of identical pictures.

    Args:
        luma: uint8 (height, width), luminance of the picture as shown.

    Returns:
        Regions in pairs, source and copy (which is which cannot be told), with ``pair`` (number), ``dx``, ``dy``
        (pixels from one to the other), ``scale``, ``degrees``, ``matches`` (keypoints), ``concordance`` (0 to 1) and
        ``difference`` (grey levels) in their data; ``score`` grows with area and likeness, 0 to about 6.
    """
    height, width = luma.shape
    if min(height, width) < LEAST_SIDE:
        return Trace(reason=say("the picture is too small to look for copied areas"))
    shrink = min(1.0, (WORKING_PIXELS / (height * width)) ** 0.5)
    if round(shrink * min(height, width)) < LEAST_SIDE:
        return Trace(reason=say("the picture is too narrow to look for copied areas"))
    glance = min(shrink, (GLANCE_PIXELS / (height * width)) ** 0.5)
    if height * width > GLANCED_PIXELS and round(glance * min(height, width)) >= LEAST_SIDE:
        small = _scaled(luma, glance)
        seen = _candidates(small, quick_keypoints(small), glance, _GLANCE_MATCHES, AWAY * glance / shrink)
        if not any(candidate.difference <= _GLANCE_DIFFERENCE for candidate in seen):
            return Trace(data={"working_scale": round(glance, 4), "candidates": len(seen), "copies": 0})
        give_back()  # the keypoints of so many pixels take a quarter of a gigabyte for a moment
    gray = _scaled(luma, shrink)
    candidates = _candidates(gray, keypoints(gray), shrink)
    found = _distinct(sorted((c for c in candidates if c.accepted), key=lambda c: -c.score))
    data = {"working_scale": round(shrink, 4), "candidates": len(candidates), "copies": len(found)}
    score = max((candidate.score for candidate in candidates), default=0.0)
    if not found or len(found) > MOST_COPIES:
        return Trace(score=score, data=data)
    cell = max(4, round(4 / shrink))
    mask = np.zeros((-(-height // cell), -(-width // cell)), bool)
    regions = []
    for number, candidate in enumerate(found):
        for side in (candidate.source, candidate.target):
            cells = _cells(side, mask.shape, cell, shrink)
            mask |= cells
            regions.append(_region(side, candidate, number, shrink, luma.shape))
    return Trace(score=score, regions=tuple(regions), mask=mask, cell=cell, data=data)


def _scaled(luma: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    if factor >= 1:
        return np.ascontiguousarray(luma)
    return np.asarray(cv2.resize(luma, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def _candidates(
    gray: NDArray[np.uint8],
    found: tuple[NDArray[np.complex64], NDArray[np.float32]],
    shrink: float,
    least: int = _LEAST_MATCHES,
    away: float = AWAY,
) -> list[_Candidate]:
    where, descriptors = found
    pairs = matches(where, descriptors, away)
    candidates = []
    if len(pairs):
        smooth = np.asarray(cv2.GaussianBlur(gray.astype(np.float32), (0, 0), 0.8), np.float32)
        for similarity in similarities(where[pairs[:, 0]], where[pairs[:, 1]], least):
            candidate = _verified(gray, smooth, similarity, shrink)
            if candidate is not None:
                candidates.append(candidate)
    return candidates


def _verified(
    gray: NDArray[np.uint8], smooth: NDArray[np.float32], similarity: Similarity, shrink: float
) -> _Candidate | None:
    """Lays the picture over itself and keeps the area, around the matched keypoints, where the pixels agree."""
    height, width = gray.shape
    a, b = similarity.factor, similarity.shift
    spread = float(np.abs(similarity.points - similarity.points.mean()).max())
    if abs(a - 1) * spread < 1.5:
        a, b = 1 + 0j, _translation(smooth, similarity, shrink)
    matrix = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
    rows = np.clip(np.round(similarity.points.imag).astype(int), 0, height - 1)
    columns = np.clip(np.round(similarity.points.real).astype(int), 0, width - 1)
    if _agreeing(smooth, matrix, rows, columns) < _LEAST_HITS:
        return None
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    over = np.asarray(cv2.warpAffine(smooth, matrix, (width, height), flags=flags, borderValue=-1e3), np.float32)
    inside = cv2.erode((over > -100).astype(np.uint8), np.ones((_WINDOW, _WINDOW), np.uint8)) > 0
    concordance, texture, difference = _compare(smooth, over)
    agree = inside & (concordance > _CONCORDANCE) & (texture > _TEXTURE)
    count, labels, _stats, _centres = cv2.connectedComponentsWithStats(agree.astype(np.uint8))
    hits = np.bincount(labels[rows, columns], minlength=count)
    kept = np.flatnonzero((hits >= _LEAST_HITS) & (np.arange(count) > 0))
    if not len(kept):
        return None
    core = np.isin(labels, kept)
    source = _grown(core, inside & ((concordance > _CONCORDANCE) | (difference < 2.5)))
    if not source.any():
        return None
    target = cv2.warpAffine(source.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST) > 0
    if (source & target).sum() > 0.1 * source.sum():  # a line or a pattern that continues into itself
        return None
    flat = cv2.dilate(gray, np.ones((3, 3), np.uint8)) == cv2.erode(gray, np.ones((3, 3), np.uint8))
    return _Candidate(
        source=source,
        target=target,
        similarity=Similarity(a, b, similarity.points, similarity.images),
        matches=int(hits[kept].sum()),
        concordance=float(np.median(concordance[core])),
        difference=float(np.sqrt(((smooth - over)[core] ** 2).mean())),
        plain=float(flat[source].mean()),
    )


def _agreeing(
    smooth: NDArray[np.float32], matrix: NDArray[np.float64], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> int:
    """At how many places the pixels may agree: only the windows around these are laid over the picture for that."""
    height, width = smooth.shape
    reach = _WINDOW // 2
    whole = (np.minimum(columns, rows) >= reach) & (columns < width - reach) & (rows < height - reach)
    if not whole.any():
        return len(rows)
    across = np.arange(-reach, reach + 1)
    x = (columns[whole, None, None] + across).repeat(_WINDOW, axis=1).reshape(-1, _WINDOW**2)
    y = (rows[whole, None, None] + across[:, None]).repeat(_WINDOW, axis=2).reshape(-1, _WINDOW**2)
    ends = np.tensordot(matrix, np.stack([x, y, np.ones_like(x)]), 1).astype(np.float32)
    one = smooth[y, x]
    other = np.asarray(cv2.remap(smooth, ends[0], ends[1], cv2.INTER_CUBIC, borderValue=-1e3), np.float32)
    means, variances = (one.mean(axis=1), other.mean(axis=1)), (one.var(axis=1), other.var(axis=1))
    concordance = _concordance(means, variances, (one * other).mean(axis=1))
    # With some room: where pixels lie between others, this and what lays the whole picture over itself differ a little.
    may = (concordance > _CONCORDANCE - 0.05) & (np.minimum(*variances) > 0.8 * _TEXTURE)
    return int(may.sum()) + int((~whole).sum())


def _translation(smooth: NDArray[np.float32], similarity: Similarity, shrink: float) -> complex:
    """By how much an area was merely moved: whole pixels of the picture, or parts of them if it was resized since."""
    moved = similarity.images - similarity.points
    middle = complex(np.median(moved.real), np.median(moved.imag))
    whole = complex(np.round(middle.real / shrink) * shrink, np.round(middle.imag / shrink) * shrink)

    def difference(shift: complex) -> float:
        side = (_WINDOW, _WINDOW)
        errors = []
        for point in similarity.points[:200].tolist():
            one = cv2.getRectSubPix(smooth, side, (round(point.real), round(point.imag)))
            end = round(point.real) + shift.real, round(point.imag) + shift.imag
            errors.append(float(np.abs(one - cv2.getRectSubPix(smooth, side, end)).mean()))
        return float(np.median(errors))

    return min((whole, middle), key=difference)


def _compare(
    one: NDArray[np.float32], other: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Lin's concordance, the smaller variance and the root mean square difference in a window around every pixel."""

    def mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(plane, (_WINDOW, _WINDOW)), np.float32)

    means = mean(one), mean(other)
    variances = mean(one * one) - means[0] ** 2, mean(other * other) - means[1] ** 2
    concordance = _concordance(means, variances, mean(one * other))
    difference = np.sqrt(np.maximum(0, mean((one - other) ** 2)))
    return concordance, np.minimum(*variances), difference


def _concordance(
    means: tuple[NDArray[np.float32], NDArray[np.float32]],
    variances: tuple[NDArray[np.float32], NDArray[np.float32]],
    product: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Lin's concordance of two quantities, from their means and variances and the mean of their product."""
    offset = (means[0] - means[1]) ** 2
    shared = 2 * (product - means[0] * means[1])
    return np.asarray(shared / (variances[0] + variances[1] + offset + 1e-3), np.float32)


def _grown(core: NDArray[np.bool_], agree: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The core with what agrees beside it (smooth parts of the copied area carry no keypoints of their own)."""
    near = cv2.dilate(core.astype(np.uint8), np.ones((2 * _WINDOW + 1,) * 2, np.uint8)) > 0
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_WINDOW, _WINDOW))
    whole = cv2.morphologyEx((core | (near & agree)).astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    # A window sees the copy only where it lies wholly inside, so the area found is too small by half a window.
    grown = cv2.dilate(cv2.morphologyEx(whole, cv2.MORPH_OPEN, kernel), np.ones((_WINDOW // 2,) * 2, np.uint8)) > 0
    return np.asarray(grown)


def _distinct(found: list[_Candidate]) -> list[_Candidate]:
    """Leaves out what an earlier, stronger candidate already covers."""
    kept: list[_Candidate] = []
    for candidate in found:
        area = candidate.source | candidate.target
        if all((area & (other.source | other.target)).sum() < 0.5 * area.sum() for other in kept):
            kept.append(candidate)
    return kept


def _cells(side: NDArray[np.bool_], shape: tuple[int, ...], cell: int, shrink: float) -> NDArray[np.bool_]:
    rows = np.minimum(((np.arange(shape[0]) + 0.5) * cell * shrink).astype(int), side.shape[0] - 1)
    columns = np.minimum(((np.arange(shape[1]) + 0.5) * cell * shrink).astype(int), side.shape[1] - 1)
    return side[np.ix_(rows, columns)]


def _region(
    side: NDArray[np.bool_], candidate: _Candidate, pair: int, shrink: float, shape: tuple[int, ...]
) -> TraceRegion:
    rows, columns = np.flatnonzero(side.any(axis=1)), np.flatnonzero(side.any(axis=0))
    x, y = int(columns[0] / shrink), int(rows[0] / shrink)
    factor = candidate.similarity.factor
    middle = complex(candidate.similarity.points.mean())
    moved = (factor * middle + candidate.similarity.shift - middle) / shrink
    return TraceRegion(
        x=x,
        y=y,
        width=min(shape[1], int((columns[-1] + 1) / shrink)) - x,
        height=min(shape[0], int((rows[-1] + 1) / shrink)) - y,
        score=candidate.score,
        data={
            "pair": pair,
            "dx": round(moved.real),
            "dy": round(moved.imag),
            "scale": round(abs(factor), 3),
            "degrees": round(float(np.angle(factor, deg=True)), 2),
            "matches": candidate.matches,
            "concordance": round(candidate.concordance, 4),
            "difference": round(candidate.difference, 2),
            "plain": round(candidate.plain, 3),
        },
    )


__all__ = ["LEAST_SIDE", "MOST_AREA", "MOST_COPIES", "MOST_PLAIN", "WORKING_PIXELS", "copy_move"]

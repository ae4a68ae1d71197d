"""Local features of a picture in a quarter of the time of :mod:`.keypoints`, for folders of very many pictures.

SIFT (Lowe, IJCV 2004) without its first octave, which looks at the picture doubled: that octave takes three quarters of
the work, and a larger working size finds as much in real pixels. Only the keypoints that are kept are described, all at
once: their surroundings are sampled as patches, turned upright, and summed into the 4 × 4 cells of 8 directions by one
matrix product. A keypoint has one direction. Descriptors agree with OpenCV's (0.99 in the median, as a cosine), so that
the two kinds can be compared; which points are found differs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nsfwforensics.signals.matching.keypoints import _none, _root, _spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.matching.keypoints import Keypoints

    Floats = NDArray[np.float32]

_CONTRAST = 0.01  # a quarter of the usual threshold: flat pictures give points too, ranked after the stronger ones
LAYERS = 2
"""Scales per octave at which extrema are looked for."""

_SIGMA = 1.6  # blur of the first layer of an octave, in its pixels
_SEEN_SIGMA = 0.5  # blur that a picture is taken to have
_REACH = 3.0  # standard deviations to which a blur is summed up
_LEAST_EDGE = 16  # of an octave, in its pixels
_BORDER = 5  # pixels of an octave along its sides in which nothing is looked for
_ROUGHLY = 0.8  # of the contrast that the place itself needs before it is interpolated
_EDGE_RATIO = 10.0  # between the curvatures along and across: beyond it, it is an edge

_TURN_SIDE, _TURN_STEP, _TURN_WINDOW = 11, 0.9, 1.5  # samples each way, their distance and the window, in blurs
_TURNS = 36  # directions that are told apart before the best one is interpolated
_CELLS, _DIRECTIONS, _PER_CELL = 4, 8, 3
_SIDE = _CELLS * _PER_CELL
_STEP = 3.0 / _PER_CELL  # distance of samples, in blurs: a cell is three wide
_MOST_KEPT = 11_000_000  # numbers of the room that is kept for the next picture
_AT_ONCE = 128  # keypoints
_CUT = 0.2  # no component counts more, of a descriptor of length 1


class _Found(NamedTuple):
    """Extrema, each column float32 (n,) or intp (n,).

    Attributes:
        x: In pixels of the octave.
        y: In pixels of the octave.
        sigma: Blur at which it was found, in pixels of the octave.
        contrast: Of it, 0–1.
        octave: From 0, the working size.
        layer: Of the octave's blurred pictures the one to describe it in.
    """

    x: Floats
    y: Floats
    sigma: Floats
    contrast: Floats
    octave: NDArray[np.intp]
    layer: NDArray[np.intp]

    def at(self, chosen: NDArray[np.intp]) -> _Found:
        return _Found(
            self.x[chosen], self.y[chosen], self.sigma[chosen], self.contrast[chosen], self.octave[chosen],
            self.layer[chosen],
        )  # fmt: skip


def quick_keypoints(picture: NDArray[np.uint8], limit: int, edge: int, layers: int = LAYERS) -> Keypoints:
    """Finds and describes the local features of a picture.

    Args:
        picture: uint8 (height, width, 3) RGB, or (height, width) grey; any size.
        limit: Most keypoints to keep.
        edge: Longest edge at which they are looked for, in pixels.
        layers: Scales per octave at which they are looked for.

    Returns:
        At most ``limit`` keypoints, in places of the picture that was given; none for one that is flat or small.
    """
    import cv2

    from nsfwforensics.signals.matching.keypoints import Keypoints

    height, width = picture.shape[:2]
    reduction = max(1.0, max(height, width) / edge)
    grey = picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    if reduction > 1:
        size = (max(1, round(width / reduction)), max(1, round(height / reduction)))
        grey = np.asarray(cv2.resize(np.ascontiguousarray(grey), size, interpolation=cv2.INTER_AREA), np.uint8)
    blurred, found = _extrema(grey, layers)
    if not len(found.x):
        return _none(width, height, reduction)
    octave_pixels = np.exp2(found.octave).astype(np.float32)
    raw = np.zeros((len(found.x), 5), np.float32)
    raw[:, 0], raw[:, 1] = found.x * octave_pixels, found.y * octave_pixels
    raw[:, 2], raw[:, 4] = 2 * found.sigma * octave_pixels, found.contrast
    kept = _spread(raw, grey.shape[1], grey.shape[0])[:limit]
    angles, descriptors = _described(blurred, found.at(kept))
    scale = np.array([width / grey.shape[1], height / grey.shape[0]], np.float32)
    return Keypoints(
        points=np.asarray((raw[kept, :2] + 0.5) * scale - 0.5, np.float32),
        scales=np.asarray(raw[kept, 2] * reduction, np.float32),
        angles=angles,
        descriptors=descriptors,
        width=width,
        height=height,
        reduction=reduction,
    )


def _extrema(grey: NDArray[np.uint8], layers: int) -> tuple[list[list[Floats]], _Found]:
    """The blurred pictures of each octave, good until this thread's next call, and extrema of their differences."""
    import cv2

    sigmas = [_SIGMA * 2 ** (layer / layers) for layer in range(layers + 3)]
    steps = [(after**2 - before**2) ** 0.5 for before, after in pairwise(sigmas)]
    picture = _blur(grey.astype(np.float32) * np.float32(1 / 255), (_SIGMA**2 - _SEEN_SIGMA**2) ** 0.5)
    shapes = [picture.shape]
    while min(shapes[-1]) >= _LEAST_EDGE:
        shapes.append(((shapes[-1][0] + 1) // 2, (shapes[-1][1] + 1) // 2))
    shapes.pop()
    sizes = [height * width for height, width in shapes]
    room = _room_for((layers + 3) * sum(sizes) + 5 * max(sizes, default=0))
    least = np.float32(_ROUGHLY * _CONTRAST / layers)
    around_a_pixel = np.ones((3, 3), np.uint8)
    blurred: list[list[Floats]] = []
    places = []
    begin = 0
    for octave, (height, width) in enumerate(shapes):
        size = height * width
        blurs, spare = (
            [*room[start : start + many * size].reshape(many, height, width)]
            for start, many in ((begin, layers + 3), ((layers + 3) * sum(sizes), 5))
        )
        absolute, most, around = spare[:3], spare[3], spare[4]  # of three differences at a time
        blurs[0][...] = picture
        for number, sigma in enumerate(steps):
            _blur(blurs[number], sigma, blurs[number + 1])
            cv2.absdiff(blurs[number + 1], blurs[number], absolute[number % 3])
            if number < 2:
                continue
            middle = number - 1
            cv2.max(absolute[0], absolute[1], most)
            cv2.max(most, absolute[2], most)
            cv2.dilate(most, around_a_pixel, around)
            np.maximum(around, least, out=around)
            spots = cv2.findNonZero(cv2.compare(absolute[middle % 3], around, cv2.CMP_GE))
            if spots is not None:
                x, y = spots.reshape(-1, 2).T.astype(np.intp)
                inside = (x >= _BORDER) & (y >= _BORDER) & (x < width - _BORDER) & (y < height - _BORDER)
                x, y = x[inside], y[inside]
                every = np.empty((5, len(x)), np.intp)
                every[0], every[1], every[2], every[3] = x, y, octave, middle
                every[4] = begin + (middle * height + y) * width + x
                places.append(every)
        begin += (layers + 3) * size
        blurred.append(blurs)
        picture = blurs[layers][::2, ::2]
    extrema = np.concatenate(places, axis=1) if places else np.zeros((5, 0), np.intp)
    down = np.array([width for _, width in shapes] or [0])[extrema[2]]
    deeper = np.array(sizes or [0])[extrema[2]]
    return blurred, _interpolated(extrema, room, down, deeper, layers)


def _interpolated(
    found: NDArray[np.intp], values: Floats, down: NDArray[np.intp], deeper: NDArray[np.intp], layers: int
) -> _Found:
    """Extrema at parts of a pixel, by a quadratic through their neighbours; weak ones and edges are left out.

    Args:
        found: intp (5, n): x, y, octave, layer, and where it stands among the blurred pictures.
        values: The blurred pictures of all octaves; a difference is between one and the next.
        down: intp (n,), from a pixel to the one below it.
        deeper: intp (n,), from a pixel to the same at the next scale.
        layers: Scales per octave.
    """
    x, y, octave, layer, here = found

    def at(right: int, below: int, scale: int) -> Floats:
        place = here + (right + below * down + scale * deeper)
        return np.asarray(values[place + deeper] - values[place], np.float32)

    middle = at(0, 0, 0)
    left, right, above, below, finer, coarser = (
        at(*side) for side in ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1))
    )
    by_x, by_y, by_s = (right - left) / 2, (below - above) / 2, (coarser - finer) / 2
    xx, yy, ss = right + left - 2 * middle, below + above - 2 * middle, coarser + finer - 2 * middle
    xy = (at(1, 1, 0) - at(-1, 1, 0) - at(1, -1, 0) + at(-1, -1, 0)) / 4
    xs = (at(1, 0, 1) - at(-1, 0, 1) - at(1, 0, -1) + at(-1, 0, -1)) / 4
    ys = (at(0, 1, 1) - at(0, -1, 1) - at(0, 1, -1) + at(0, -1, -1)) / 4
    first, second, third = yy * ss - ys * ys, xs * ys - xy * ss, xy * ys - yy * xs
    whole = xx * first + xy * second + xs * third
    whole = np.where(np.abs(whole) < 1e-20, np.float32(1e-20), whole)
    to_x = -(first * by_x + second * by_y + third * by_s) / whole
    to_y = -(second * by_x + (xx * ss - xs * xs) * by_y + (xy * xs - xx * ys) * by_s) / whole
    to_s = -(third * by_x + (xy * xs - xx * ys) * by_y + (xx * yy - xy * xy) * by_s) / whole
    contrast = np.abs(middle + (by_x * to_x + by_y * to_y + by_s * to_s) / 2)
    bent, curved = xx * yy - xy * xy, xx + yy
    kept = (bent > 0) & (curved * curved * _EDGE_RATIO < (_EDGE_RATIO + 1) ** 2 * bent)
    kept &= (contrast >= _CONTRAST / layers) & (np.maximum(np.maximum(abs(to_x), abs(to_y)), abs(to_s)) < 1)
    sigma = _SIGMA * np.exp2((layer + np.clip(to_s, -1, 1)) / layers)
    at_x, at_y, sigma, contrast = (part[kept].astype(np.float32) for part in (x + to_x, y + to_y, sigma, contrast))
    return _Found(at_x, at_y, sigma, contrast, octave[kept], layer[kept])


def _described(blurred: list[list[Floats]], found: _Found) -> tuple[Floats, NDArray[np.uint8]]:
    """Directions, float32 (n,) in degrees, and descriptors, uint8 (n, 128), of extrema."""
    import cv2

    place = found.octave * len(blurred[0]) + found.layer
    order = np.argsort(place, kind="stable")
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    found, place = found.at(order), place[order]
    begins = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    parts = list(zip(begins.tolist(), [*begins[1:].tolist(), len(place)], strict=True))
    count = len(place)
    x, y, size = found.x[:, None], found.y[:, None], found.sigma[:, None]

    def sampled(right: Floats, down: Floats, side: int) -> tuple[Floats, Floats]:
        """Gradients along the rows and up the columns of patches: float32 (n, samples inside)."""
        seen = np.empty(right.shape, np.float32)
        for begin, end in parts:
            cv2.remap(
                blurred[found.octave[begin]][found.layer[begin]], x[begin:end] + right[begin:end],
                y[begin:end] + down[begin:end], cv2.INTER_LINEAR, seen[begin:end], cv2.BORDER_REPLICATE,
            )  # fmt: skip
        patches = seen.reshape(count, side, side)
        along, up = patches[:, 1:-1, 2:] - patches[:, 1:-1, :-2], patches[:, :-2, 1:-1] - patches[:, 2:, 1:-1]
        return along.reshape(count, -1), up.reshape(count, -1)

    grid = _grid(_TURN_SIDE, _TURN_STEP)
    angles = _by_parts(_angles, *sampled(size * grid[0], size * grid[1], _TURN_SIDE))
    grid = _grid(_SIDE + 2, _STEP)
    cos, sin = (part(np.radians(angles)).astype(np.float32)[:, None] * size for part in (np.cos, np.sin))
    along, up = sampled(cos * grid[0] - sin * grid[1], sin * grid[0] + cos * grid[1], _SIDE + 2)
    return angles[back].astype(np.float32), _by_parts(_descriptors, along, up)[back]


def _by_parts(work: Callable[[Floats, Floats], NDArray[Any]], along: Floats, up: Floats) -> NDArray[Any]:
    """Works on some keypoints at a time, so that what is in hand fits the processor's cache: half of the time."""
    parts = [slice(begin, begin + _AT_ONCE) for begin in range(0, max(1, len(along)), _AT_ONCE)]
    return np.concatenate([work(along[part], up[part]) for part in parts])


def _angles(along: Floats, up: Floats) -> NDArray[np.float64]:
    """The direction of each keypoint, float64 (n,) in degrees, from the gradients around it."""
    import cv2

    count = len(along)
    strength, turns = cv2.cartToPolar(along, -up, angleInDegrees=True)
    strength *= _window(_TURN_SIDE - 2, _TURN_STEP, _TURN_WINDOW)
    bins = (turns * (_TURNS / 360) + 0.5).astype(np.intp) % _TURNS + np.arange(count)[:, None] * _TURNS
    votes = np.bincount(bins.ravel(), strength.ravel(), _TURNS * count).reshape(-1, _TURNS)
    for _ in range(2):
        votes = np.asarray((np.roll(votes, 1, axis=1) + 2 * votes + np.roll(votes, -1, axis=1)) / 4, np.float64)
    most, rows = votes.argmax(axis=1), np.arange(count)
    before, top, after = votes[rows, most - 1], votes[rows, most], votes[rows, (most + 1) % _TURNS]
    part = (before - after) / 2 / np.minimum(before - 2 * top + after, -1e-12)
    return np.asarray((most + part) * (360 / _TURNS) % 360, np.float64)


def _descriptors(along: Floats, up: Floats) -> NDArray[np.uint8]:
    """What :func:`_root` makes of the directions in the cells around each keypoint, from gradients in its own turn."""
    import cv2

    count = len(along)
    strength, turns = cv2.cartToPolar(along, up)
    strength *= _window(_SIDE, _STEP, _STEP * _SIDE / 2)
    turns *= np.float32(_DIRECTIONS / (2 * np.pi))
    lower = turns.astype(np.intp)
    upper_share = strength * (turns - lower)
    sums = np.zeros((count, _DIRECTIONS, _SIDE**2), np.float32)
    flat, samples = sums.reshape(-1), np.arange(_SIDE**2) + np.arange(count)[:, None] * sums[0].size
    for direction, share in ((lower, strength - upper_share), (lower + 1, upper_share)):
        direction &= _DIRECTIONS - 1  # a power of 2
        direction *= _SIDE**2
        direction += samples
        flat[direction] = share.astype(np.float32)
    summed = (sums.reshape(-1, _SIDE**2) @ _into_cells()).reshape(count, _DIRECTIONS, _CELLS**2)
    raw = summed.swapaxes(1, 2).reshape(count, -1)
    raw /= np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9)
    return _root(np.minimum(raw, _CUT))


def _blur(picture: Floats, sigma: float, into: Floats | None = None) -> Floats:
    import cv2

    side = 2 * int(_REACH * sigma) + 1
    return np.asarray(cv2.GaussianBlur(picture, (side, side), sigma, into), np.float32)


class _Room(threading.local):
    kept: Floats = np.empty(0, np.float32)


_room = _Room()


def _room_for(count: int) -> Floats:
    """At least so many numbers; the same room each time, because asking for megabytes anew cost a fifth of the time.

    What only a large picture needs is not kept: 40 MB is what 0.8 megapixels take.
    """
    if count > _MOST_KEPT:
        return np.empty(count, np.float32)
    if len(_room.kept) < count:
        _room.kept = np.empty(count, np.float32)
    return _room.kept


@cache
def _grid(side: int, step: float) -> Floats:
    """Samples around a middle, row by row: float32 (2, side²), x and y."""
    places = (np.arange(side) - (side - 1) / 2) * step
    y, x = np.meshgrid(places, places, indexing="ij")
    return np.stack([x.ravel(), y.ravel()]).astype(np.float32)


@cache
def _window(side: int, step: float, sigma: float) -> Floats:
    """Weights of the samples of a grid: float32 (side²,)."""
    return np.asarray(np.exp(-(_grid(side, step) ** 2).sum(axis=0) / (2 * sigma**2)), np.float32)


@cache
def _into_cells() -> Floats:
    """How much each sample counts for each cell: float32 (samples, cells)."""
    places = (np.arange(_SIDE) + 0.5) / _PER_CELL - 0.5
    share = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(_CELLS)))
    return np.asarray(np.kron(share, share), np.float32)


__all__ = ["quick_keypoints"]

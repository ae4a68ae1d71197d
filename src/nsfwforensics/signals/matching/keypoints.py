"""Local features of a picture: where it has corners and blobs, and what each looks like, independent of size and turn.

SIFT (Lowe, IJCV 2004) as OpenCV implements it, compared by the square root of its components (RootSIFT: Arandjelović &
Zisserman, CVPR 2012). Points are spread over the picture and over sizes before the strongest are kept, so that a crop,
an edited region or a strong reduction still leaves enough of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMIT = 2000
"""Most keypoints that are kept of one picture."""

WORKING_EDGE = 1280
"""Pictures with a longer edge are scaled down to it before points are looked for, in pixels."""

DESCRIPTOR_NORM = 512.0
"""Euclidean length of every descriptor before rounding: the dot product of two is at most its square."""

_LEAST_EDGE = 8  # in pixels at working size: below it there is no room for a single point
_CELLS = 8  # per side of the grid over which points are spread
_DETECTED = 4  # times as many points as are kept are described, for the spreading to choose from
_CONTRAST = 0.02  # half of OpenCV's usual threshold: skin and sky give points too, ranked after the stronger ones

# In a mirrored picture the rows of a descriptor's 4×4 cells change places and its eight directions run the other way.
_MIRRORED = np.array(
    [((3 - row) * 4 + column) * 8 + (-turn) % 8 for row in range(4) for column in range(4) for turn in range(8)]
)

# In a negative every gradient points the other way, so a feature's own direction does too: seen from there its 4×4
# cells are turned by half, and the directions within them stay as they were.
_INVERTED = np.array([(15 - cell) * 8 + turn for cell in range(16) for turn in range(8)])


@dataclass(frozen=True, slots=True)
class Keypoints:
    """The local features of one picture, in an order in which every beginning is spread over the picture.

    Attributes:
        points: float32 (n, 2), x and y in pixels of the full-size picture, pixel centres at whole numbers.
        scales: float32 (n,), diameter of the feature in pixels of the full-size picture.
        angles: float32 (n,), direction of the feature in degrees, 0–360, clockwise as seen (y runs down).
        descriptors: uint8 (n, 128), RootSIFT times 512, rounded.
        width: Of the full-size picture in pixels.
        height: Of the full-size picture in pixels.
        reduction: Full-size pixels per pixel of the size at which the points were found, at least 1.
    """

    points: NDArray[np.float32]
    scales: NDArray[np.float32]
    angles: NDArray[np.float32]
    descriptors: NDArray[np.uint8]
    width: int
    height: int
    reduction: float

    def __len__(self) -> int:
        return len(self.points)

    def first(self, count: int) -> Keypoints:
        """The first so many points."""
        return replace(
            self,
            points=self.points[:count],
            scales=self.scales[:count],
            angles=self.angles[:count],
            descriptors=self.descriptors[:count],
        )

    def mirrored(self) -> Keypoints:
        """The keypoints that the picture mirrored left to right would have, without looking at it again."""
        points = self.points.copy()
        points[:, 0] = self.width - 1 - points[:, 0]
        angles = np.asarray((180 - self.angles) % 360, np.float32)
        return replace(self, points=points, angles=angles, descriptors=self.descriptors[:, _MIRRORED])

    def inverted(self) -> Keypoints:
        """The keypoints that the picture's negative would have, without looking at it again."""
        angles = np.asarray((self.angles + 180) % 360, np.float32)
        return replace(self, angles=angles, descriptors=self.descriptors[:, _INVERTED])


def keypoints(picture: NDArray[np.uint8], limit: int = LIMIT, edge: int = WORKING_EDGE) -> Keypoints:
    """Finds and describes the local features of a picture.

    Args:
        picture: uint8 (height, width, 3) RGB, or (height, width) grey; any size.
        limit: Most keypoints to keep.
        edge: Longest edge at which they are looked for, in pixels; bounds time and memory for pictures of any size.

    Returns:
        At most ``limit`` keypoints; none for a picture that is flat or smaller than a few pixels.
    """
    import cv2

    height, width = picture.shape[:2]
    reduction = max(1.0, max(height, width) / edge)
    small = picture
    if reduction > 1:
        size = (max(1, round(width / reduction)), max(1, round(height / reduction)))
        small = np.asarray(cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA))
    if min(small.shape[:2]) < _LEAST_EDGE:
        return _none(width, height, reduction)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY) if small.ndim == 3 else small
    sift = cv2.SIFT.create(nfeatures=_DETECTED * limit, contrastThreshold=_CONTRAST, enable_precise_upscale=True)
    found, described = sift.detectAndCompute(grey, None)
    if described is None or not found:
        return _none(width, height, reduction)
    raw = np.array([(*point.pt, point.size, point.angle, point.response) for point in found], np.float32)
    kept = _spread(raw, grey.shape[1], grey.shape[0])[:limit]
    scale = np.array([width / grey.shape[1], height / grey.shape[0]], np.float32)
    return Keypoints(
        points=np.asarray((raw[kept, :2] + 0.5) * scale - 0.5, np.float32),
        scales=np.asarray(raw[kept, 2] * reduction, np.float32),
        angles=np.asarray(raw[kept, 3] % 360, np.float32),
        descriptors=_root(np.asarray(described, np.float32)[kept]),
        width=width,
        height=height,
        reduction=reduction,
    )


def _spread(raw: NDArray[np.float32], width: int, height: int) -> NDArray[np.intp]:
    """Order of the points: the strongest of every cell and octave, then the second of each, and so on."""
    column = np.minimum(raw[:, 0] * _CELLS / width, _CELLS - 1).astype(int)
    row = np.minimum(raw[:, 1] * _CELLS / height, _CELLS - 1).astype(int)
    octave = np.clip(np.log2(np.maximum(raw[:, 2], 1)), 0, 7).astype(int)
    place = (row * _CELLS + column) * 8 + octave
    response = np.round(raw[:, 4], 6)  # ties are then broken by position, the same on every machine
    order = np.lexsort((raw[:, 3], raw[:, 1], raw[:, 0], -response, place))
    ranked = place[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return np.asarray(order[np.lexsort((-response[order], rank))], np.intp)


def _root(described: NDArray[np.float32]) -> NDArray[np.uint8]:
    total = np.maximum(described.sum(axis=1, keepdims=True), 1e-6)
    rooted: NDArray[np.uint8] = np.clip(np.round(np.sqrt(described / total) * DESCRIPTOR_NORM), 0, 255).astype(np.uint8)
    return rooted


def _none(width: int, height: int, reduction: float) -> Keypoints:
    empty = np.zeros(0, np.float32)
    return Keypoints(np.zeros((0, 2), np.float32), empty, empty, np.zeros((0, 128), np.uint8), width, height, reduction)


__all__ = ["DESCRIPTOR_NORM", "LIMIT", "WORKING_EDGE", "Keypoints", "keypoints"]

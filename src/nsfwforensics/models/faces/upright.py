"""Faces that do not stand upright in their picture: by which quarter turn each one does.

The detector was trained on upright faces. Of a face that lies on its side it finds nothing, or, worse, something: a box
with the landmarks of an upright face laid over it, which would then be compared and said to be somebody else. So every
face is shown to the detector's last network in its four quarter turns, and where another turn looks more like a face,
the picture is turned so before its landmarks are taken. Where no face is found at all, the turned picture is searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nsfwforensics.models.faces.mtcnn import Detections, Mtcnn

QUARTERS = (1, 3, 2)
"""Quarter turns, counter-clockwise, in the order in which they are tried: more faces lie than hang."""

# What the first network must say of a window of a turned picture, all of whose faces are looked at again: of 258 in 67
# photographs, each turned three ways, none was lost from 0.6 to 0.8, and three at 0.85.
_LEAST_PROPOSAL = 0.75
_COARSE = 0.25  # of the area, where a whole turned picture is searched; smaller faces could hardly be compared anyway
_MARGIN = 0.8  # of a face's side, around it, where one face is looked at again
_SIDE = 400  # longest side of that cut, in pixels
_LEAST_LEAD = 0.02  # by how much another turn must look more like a face
_LEAST_SCORE = 0.9  # of a face that was found turned
_SURE = 0.9  # likeness from which a face is no doubtful one
_SAME = 0.3  # overlap of two boxes, as share of their union, from which they are one face


@dataclass(frozen=True, slots=True, eq=False)
class UprightFaces:
    """Faces of a picture, in its pixels.

    Attributes:
        boxes: float64 (N, 4): left, top, right, bottom.
        scores: float64 (N,): the detector's confidence, 0–1.
        landmarks: float64 (N, 5, 2): as seen when the face stands upright.
        upright: bool (N,): whether the face could be stood upright; its landmarks mean nothing where it could not.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    upright: NDArray[np.bool_]


def stand_upright(network: Mtcnn, rgb: NDArray[np.uint8], found: Detections, least: float) -> UprightFaces:
    """Finds the faces that do not stand upright, and corrects those that only seemed to.

    Args:
        network: The detector.
        rgb: uint8 (height, width, 3), contiguous; the picture that ``found`` was found in.
        found: What it finds in the picture as it is.
        least: Smallest confidence of a face.

    Returns:
        The faces. Those that stand upright are as they were found, to the last digit.
    """
    sure = found.scores >= least
    boxes, scores, landmarks = found.boxes[sure], found.scores[sure], found.landmarks[sure]
    likeness = np.array([network.likeness(rgb, box) for box in boxes]).reshape(-1, 4)
    turns = [_best_turn(each) for each in likeness]
    upright = np.array([turn == 0 for turn in turns], bool)
    for number in np.flatnonzero(~upright):
        if (face := _look_again(network, rgb, boxes[number], turns[number])) is not None:
            boxes[number], scores[number], landmarks[number] = face
            upright[number] = True
            likeness[number] = _SURE
    doubtful = likeness.max(axis=1, initial=0) < _SURE
    if upright.any() and not doubtful.all():
        return UprightFaces(boxes, scores, landmarks, upright)
    faces = _search_turned(network, rgb, least)
    if faces:  # then what was found before, which hardly looked like a face, is none that stands
        same = [any(_overlap(box, face[0]) > _SAME for face in faces) for box in boxes]
        kept = ~np.array(same, bool)
        upright &= ~doubtful
        more = _together(faces)
        boxes, scores = np.concatenate([boxes[kept], more.boxes]), np.concatenate([scores[kept], more.scores])
        landmarks = np.concatenate([landmarks[kept], more.landmarks])
        upright = np.concatenate([upright[kept], more.upright])
    return UprightFaces(boxes, scores, landmarks, upright)


_Face = tuple[NDArray[np.float64], float, NDArray[np.float64]]


def _best_turn(likeness: NDArray[np.float64]) -> int:
    best = int(likeness.argmax())
    return best if likeness[best] > likeness[0] + _LEAST_LEAD else 0


def _search_turned(network: Mtcnn, rgb: NDArray[np.uint8], least: float) -> list[_Face]:
    """Searches the picture in its other three quarter turns, at a quarter of its area."""
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, None, fx=_COARSE**0.5, fy=_COARSE**0.5, interpolation=cv2.INTER_AREA)
    scale = np.array([width / small.shape[1], height / small.shape[0]] * 2)
    faces: list[_Face] = []
    for turn in QUARTERS:
        found = network.detect(np.ascontiguousarray(np.rot90(small, turn)), _LEAST_PROPOSAL)
        for box, score in zip(found.boxes, found.scores, strict=True):
            if score < least:
                continue
            place = _turned_back(box.reshape(2, 2), turn, small.shape)
            place = np.r_[place.min(axis=0), place.max(axis=0)] * scale
            face = _look_again(network, rgb, place, turn)
            if face is not None and not any(_overlap(face[0], other[0]) > _SAME for other in faces):
                faces.append(face)
    return faces


def _look_again(network: Mtcnn, rgb: NDArray[np.uint8], box: NDArray[np.float64], turn: int) -> _Face | None:
    """One face in a cut around it that is turned; None where it does not look most like a face that way."""
    height, width = rgb.shape[:2]
    margin = _MARGIN * float((box[2:] - box[:2]).max())
    left, top = np.clip(np.floor(box[:2] - margin), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(box[2:] + margin), [left + 1, top + 1], [width, height]).astype(int)
    cut = np.ascontiguousarray(rgb[top:bottom, left:right])
    scale = max(1.0, max(cut.shape[:2]) / _SIDE)
    if scale > 1:
        size = (round(cut.shape[1] / scale), round(cut.shape[0] / scale))
        cut = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
    turned = np.ascontiguousarray(np.rot90(cut, turn))
    found = network.detect(turned)
    offset, target = np.array([left, top], np.float64), box
    for place, score, marks in zip(found.boxes, found.scores, found.landmarks, strict=True):
        corners = _turned_back(place.reshape(2, 2), turn, cut.shape) * scale + offset
        here = np.r_[corners.min(axis=0), corners.max(axis=0)]
        if score < _LEAST_SCORE or _overlap(here, target) < _SAME:
            continue
        if _best_turn(network.likeness(turned, place)) == 0:
            return here, float(score), _turned_back(marks, turn, cut.shape) * scale + offset
    return None


def _turned_back(points: NDArray[np.float64], turn: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Points (N, 2) of ``np.rot90(picture, turn)`` in pixels of the picture, whose shape is given."""
    height, width = shape[:2]
    x, y = points[:, 0], points[:, 1]
    return np.column_stack({1: (width - 1 - y, x), 2: (width - 1 - x, height - 1 - y), 3: (y, height - 1 - x)}[turn])


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    extent = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None)
    shared = float(extent.prod())
    return shared / max(1e-9, float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod()) - shared)


def _together(faces: Sequence[Any]) -> UprightFaces:
    boxes = np.array([face[0] for face in faces], np.float64).reshape(-1, 4)
    scores = np.array([face[1] for face in faces], np.float64)
    landmarks = np.array([face[2] for face in faces], np.float64).reshape(-1, 5, 2)
    return UprightFaces(boxes, scores, landmarks, np.ones(len(faces), bool))


__all__ = ["QUARTERS", "UprightFaces", "stand_upright"]

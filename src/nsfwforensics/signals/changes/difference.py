"""What was changed between an original photo and a picture made from it, and where.

Both pictures are brought into one frame of at most :data:`LONGEST` pixels and registered to a fraction of a pixel
(:mod:`_registration`); the colour filter is taken away (:mod:`_photometric`); bars and borders are told from the photo
(:mod:`_visible`); what is left is compared with what recompression, resampling and misregistration leave in the parts
that agree (:mod:`_residual`); connected regions whose number of false alarms is small are reported (:mod:`_regions`),
after the a-contrario principle of Desolneux, Moisan and Morel (IJCV 40, 2000).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from nsfwforensics.core.messages import say
from nsfwforensics.signals.changes import photometric as _photometric
from nsfwforensics.signals.changes import regions as _regions
from nsfwforensics.signals.changes import registration as _registration
from nsfwforensics.signals.changes import residual as _residual
from nsfwforensics.signals.changes import visible as _visible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.changes.photometric import Photometric

_Value = TypeVar("_Value", bound=np.generic)

LONGEST = 768
"""Longest edge of the working frame in pixels."""

LEAST_ALIKE = 0.1
"""Share of the visible photo whose structure must agree, or no changes are mapped."""

MOST_SHIFT = 1.5
"""Largest typical displacement left, in working pixels, at which changes are mapped."""

_CORNERS = 24
_SMALL = 240


@dataclass(frozen=True, slots=True)
class ChangedRegion:
    """One connected part of the photo that was changed. Coordinates are pixels of the suspect picture.

    Attributes:
        x: Left edge of the bounding box.
        y: Top edge.
        width: In pixels.
        height: In pixels.
        share: Of the visible part of the photo, 0–1.
        strength: -log10 of the number of false alarms of the region under the null model, at most 300.
        outline: Corners (x, y) of a simplified outline, at most 24.
    """

    x: int
    y: int
    width: int
    height: int
    share: float
    strength: float
    outline: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What the comparison of two registered pictures found.

    Attributes:
        regions: What was changed, largest first; empty where nothing was detected or nothing could be mapped.
        changed_share: Of the visible part of the photo, 0–1; None where nothing could be mapped.
        mapped: Whether changes could be mapped; if not, ``notes`` say why, and no regions means nothing.
        photo_share: Share of the suspect picture that shows the photo, 0–1; the rest is ``outside``.
        outside: Where, within the frame, the suspect shows no photo (bars, borders, corners): bool (rows, columns).
        mask: Changed places within the frame: bool (rows, columns).
        map: Score above what the pair's own agreeing parts reach, natural logarithm; 0 and less is agreement:
            float32 (rows, columns). For the heatmap.
        to_suspect: float64 (3, 3), pixels of these arrays to pixels of the suspect (scaling and shift only).
        scale: Suspect pixels per pixel of these arrays.
        photometric: What became of the colours; None where nothing could be mapped.
        mirrored: Whether the suspect shows the photo mirrored.
        registration: Typical residual displacement, in suspect pixels, between the aligned pictures where they agree.
        notes: Plain sentences about limits of this comparison.
        data: The figures of the null model.
    """

    regions: tuple[ChangedRegion, ...]
    changed_share: float | None
    mapped: bool
    photo_share: float
    outside: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    map: NDArray[np.float32]
    to_suspect: NDArray[np.float64]
    scale: float
    photometric: Photometric | None
    mirrored: bool
    registration: float | None
    notes: tuple[str, ...] = ()
    data: dict[str, float] = field(default_factory=dict)


def difference(
    original_rgb: NDArray[np.uint8], suspect_rgb: NDArray[np.uint8], matrix: NDArray[np.float64]
) -> Difference:
    """Maps what was changed.

    Args:
        original_rgb: uint8 (height, width, 3).
        suspect_rgb: uint8 (height, width, 3).
        matrix: float64 (3, 3), suspect pixels to original pixels, centres of pixels at whole numbers, mirroring folded
            in; good to about one percent of the picture's size.

    Returns:
        The difference. Its ``mapped`` is False where the pictures are too small or do not agree enough to tell.
    """
    matrix = np.asarray(matrix, np.float64)
    view = _registration.frame(original_rgb, suspect_rgb, matrix, LONGEST)
    if view is None:
        return _nothing(say("The part that both pictures show is too small, or too distorted, to compare."), matrix)
    view, moved = _registration.refine(view)
    seen, covered = _registration.warped(view)
    visible = cv2.erode(covered.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0
    window = _residual.Window(visible)
    trust = _residual.likeness(seen, view.suspect, window).trust
    fit = _photometric.fit(seen, view.suspect, _spread(trust, window))
    for _ in range(2):
        left = _visible.cut(visible, fit.predicted, view.suspect, _axes(view.to_source), fit.summary.spread)
        if left is visible:
            break
        visible, window = left, _residual.Window(left)
        fit = _photometric.fit(seen, view.suspect, _spread(trust, window))
    # Beside a frame's edge, the frame rings into the photo by up to a block of the JPEG's eight pixels.
    reach = 2 * min(_registration.CELL, max(4, int(np.ceil(8.0 / view.scale)))) + 1
    inner = cv2.erode(visible.astype(np.uint8), np.ones((reach, reach), np.uint8), borderValue=1) > 0
    window = _residual.Window(inner)
    rest = _residual.residual(fit, view.suspect, window)
    like = rest.likeness
    textured = window.inside & like.textured
    agree = float((like.correlation[textured] > 0.8).mean()) if textured.any() else 1.0
    alike = float(like.alike[window.inside].mean()) if window.inside.any() else 0.0
    if alike < LEAST_ALIKE or not textured.any() or rest.shift > MOST_SHIFT:
        return _nothing(say("Too little of the two pictures agrees closely enough to map what was changed."), matrix)
    scores, sharp = _regions.score(rest, window.inside)
    found = _regions.regions(scores, sharp, window.inside)
    notes: tuple[str, ...] = ()
    if max(view.shape) < _SMALL:
        notes = (say("The picture is small: changes of less than about a tenth of its width may not show."),)
    if visible.sum() < 0.6 * covered.sum():
        notes += (
            say("A large part was taken for a bar or border around the photo: painted-over photo may look like that."),
        )
    cells_visible = max(1, int(window.inside.sum()))
    mask = np.zeros_like(window.inside)
    for region in found:
        mask |= region.mask
    rim = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    pixels = view.shape[0] * view.shape[1] * abs(float(np.linalg.det(view.to_suspect[:2, :2])))
    return Difference(
        regions=tuple(_described(region, view.to_suspect, cells_visible, suspect_rgb.shape) for region in found),
        changed_share=float(mask.sum() / cells_visible),
        mapped=True,
        photo_share=float(visible.mean() * pixels / (suspect_rgb.shape[0] * suspect_rgb.shape[1])),
        outside=~visible,
        mask=_enlarged(mask | (rim & ~window.inside)) & visible,
        map=np.where(inner, _enlarged(scores), 0).astype(np.float32),
        to_suspect=view.to_suspect,
        scale=view.scale,
        photometric=fit.summary,
        mirrored=bool(np.linalg.det(matrix) < 0),
        registration=rest.shift * view.scale,
        notes=notes,
        data={
            "noise": rest.noise,
            "share": rest.share,
            "blur": rest.blur,
            "agree": agree,
            "alike": alike,
            "moved": moved,
            "shift": rest.shift,
        },
    )


def _axes(to_source: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """Directions of the original's edges in the frame."""
    back = np.linalg.inv(to_source)
    centre = to_source @ np.array([0.0, 0.0, 1.0])
    centre = centre / centre[2]
    found = []
    for step in ((1.0, 0.0), (0.0, 1.0)):
        ends = [back @ (centre + sign * np.array([*step, 0.0])) for sign in (-1.0, 1.0)]
        x, y = (float(ends[1][axis] / ends[1][2] - ends[0][axis] / ends[0][2]) for axis in (0, 1))
        found.append((x, y))
    # Sides run along the axes, so their normals stand across: for a homography the other axis is not exactly that.
    return tuple((-y, x) for x, y in found)


def _spread(trust: NDArray[np.float32], window: _residual.Window) -> NDArray[np.float32]:
    return np.asarray(_enlarged(trust) * window.mask, np.float32)


def _enlarged(cells: NDArray[_Value]) -> NDArray[_Value]:
    """Cells to working pixels."""
    return np.repeat(np.repeat(cells, _registration.CELL, axis=0), _registration.CELL, axis=1)


def _described(
    region: _regions.Found, to_suspect: NDArray[np.float64], visible: int, shape: tuple[int, ...]
) -> ChangedRegion:
    """A region in pixels of the suspect."""
    large = _enlarged(region.mask).astype(np.uint8)
    contours, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contour = max(contours, key=cv2.contourArea)
    tolerance = 4.0
    outline = cv2.approxPolyDP(contour, tolerance, True)
    while len(outline) > _CORNERS:
        tolerance *= 1.4
        outline = cv2.approxPolyDP(contour, tolerance, True)
    stretch, shift = np.diag(to_suspect)[:2], to_suspect[:2, 2]
    most = np.array([shape[1], shape[0]])
    corners = np.clip(np.rint(outline[:, 0] * stretch + shift), 0, most - 1).astype(int)
    ys, xs = np.nonzero(large)
    low = np.clip(np.floor(np.array([xs.min(), ys.min()]) * stretch + shift), 0, most - 1).astype(int)
    high = np.clip(np.ceil(np.array([xs.max() + 1, ys.max() + 1]) * stretch + shift), low + 1, most).astype(int)
    return ChangedRegion(
        x=int(low[0]),
        y=int(low[1]),
        width=int(high[0] - low[0]),
        height=int(high[1] - low[1]),
        share=float(region.mask.sum() / visible),
        strength=region.strength,
        outline=tuple((int(x), int(y)) for x, y in corners),
    )


def _nothing(note: str, matrix: NDArray[np.float64]) -> Difference:
    empty = np.zeros((0, 0), bool)
    mirrored = matrix.shape == (3, 3) and bool(np.isfinite(matrix).all()) and bool(np.linalg.det(matrix) < 0)
    return Difference(
        (), None, False, 0.0, empty, empty, np.zeros((0, 0), np.float32), np.eye(3), 1.0, None, mirrored, None, (note,)
    )


__all__ = ["LONGEST", "ChangedRegion", "Difference", "difference"]

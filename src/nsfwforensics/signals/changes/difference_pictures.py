"""Pictures for people to look at: a heatmap of what differs, and original and suspect side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.changes.difference import Difference

    Pixels = NDArray[np.uint8]

LONGEST = 1200
"""Longest edge of what these functions return, in pixels."""

_HOTTEST = 5.0  # score drawn in the brightest colour
_OUTLINE = (255, 64, 64)
_GAP = 8


def heatmap_png(found: Difference, suspect_rgb: Pixels | None = None) -> bytes | None:
    """The score map in colours (dark: agrees; bright: differs most), regions outlined.

    Args:
        found: The difference.
        suspect_rgb: uint8 (height, width, 3): drawn faintly beneath the map. Without it no pixel of the evidence is in
            the picture.

    Returns:
        A PNG of the size of the working frame; None where nothing could be mapped.
    """
    if not found.mapped or not found.map.size:
        return None
    level = (np.clip(found.map / _HOTTEST, 0, 1) * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    if suspect_rgb is not None:
        faint = cv2.cvtColor(cv2.cvtColor(_framed(found, suspect_rgb), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        colours = cv2.addWeighted(colours, 0.75, faint, 0.25, 0)
    colours = np.where(found.outside[..., None], np.uint8(90), colours).astype(np.uint8)
    back = np.linalg.inv(found.to_suspect)
    return _png(_outlined(colours, found, back))


def side_by_side_jpeg(
    original_rgb: Pixels, suspect_rgb: Pixels, found: Difference, matrix: NDArray[np.float64]
) -> bytes | None:
    """The original as the suspect shows it, and the suspect with the changed regions outlined, next to each other.

    Args:
        original_rgb: uint8 (height, width, 3).
        suspect_rgb: uint8 (height, width, 3).
        found: The difference of the two.
        matrix: float64 (3, 3), suspect pixels to original pixels.

    Returns:
        A JPEG, both halves at most :data:`LONGEST` pixels together; None where nothing could be mapped.
    """
    if not found.mapped or not found.map.size:
        return None
    rows, columns = found.map.shape
    factor = min(1.0, (LONGEST - _GAP) / (2 * columns), LONGEST / rows)
    size = max(1, round(columns * factor)), max(1, round(rows * factor))
    enlarge = np.diag([columns / size[0], rows / size[1], 1.0])
    suspect = cv2.resize(_framed(found, suspect_rgb), size, interpolation=cv2.INTER_AREA)
    to_original = np.asarray(matrix, np.float64) @ found.to_suspect @ enlarge
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # Reduced first where the original is much larger: interpolation alone would leave jagged edges.
    shrink = min(1.0, 2.0 / max(1e-6, float(np.sqrt(abs(np.linalg.det(to_original[:2, :2]))))))
    small = original_rgb
    if shrink < 1.0:
        target = max(1, round(original_rgb.shape[1] * shrink)), max(1, round(original_rgb.shape[0] * shrink))
        small = np.asarray(cv2.resize(original_rgb, target, interpolation=cv2.INTER_AREA), np.uint8)
        to_original = np.diag([target[0] / original_rgb.shape[1], target[1] / original_rgb.shape[0], 1.0]) @ to_original
    original = cv2.warpPerspective(small, to_original, size, flags=flags, borderValue=(90, 90, 90))
    back = np.linalg.inv(found.to_suspect @ enlarge)
    gap = np.full((size[1], _GAP, 3), 255, np.uint8)
    whole = np.concatenate([original, gap, _outlined(np.asarray(suspect, np.uint8), found, back)], axis=1)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(whole, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return bytes(data.tobytes())


def _framed(found: Difference, suspect_rgb: Pixels) -> Pixels:
    """The part of the suspect in the working frame."""
    rows, columns = found.map.shape
    left, top = (round(value) for value in found.to_suspect[:2, 2] - 0.5 * np.diag(found.to_suspect)[:2] + 0.5)
    width, height = (round(value) for value in (columns, rows) * np.diag(found.to_suspect)[:2])
    part = suspect_rgb[max(0, top) : top + height, max(0, left) : left + width]
    return np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def _outlined(picture: Pixels, found: Difference, back: NDArray[np.floating[Any]]) -> Pixels:
    """A copy with the outlines of the regions drawn; ``back`` maps suspect pixels to the picture's."""
    drawn = np.ascontiguousarray(picture)
    for region in found.regions:
        corners = np.array(region.outline, np.float64) @ back[:2, :2].T + back[:2, 2]
        cv2.polylines(drawn, [np.rint(corners).astype(np.int32)], True, _OUTLINE, 2, cv2.LINE_AA)
    return np.asarray(drawn, np.uint8)


def _png(picture: Pixels) -> bytes:
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return bytes(data.tobytes())


__all__ = ["LONGEST", "heatmap_png", "side_by_side_jpeg"]

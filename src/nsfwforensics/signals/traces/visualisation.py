"""Pictures for people who can read them: error level analysis, the noise residual, and maps drawn in colour.

None of them is a measurement with a known error rate; they never make a finding by themselves.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_SIDE = 1600
"""Longest side of a map in pixels."""


def ela(rgb: NDArray[np.uint8], quality: int = 90) -> NDArray[np.float32]:
    """Error level analysis: how much every pixel changes when the picture is saved once more as JPEG.

    After Krawetz, "A Picture's Worth: Digital Image Analysis and Forensics" (Black Hat USA 2007). Edges, texture and
    strong colours always stand out; only a difference between alike surfaces says anything, and only to an expert.

    Args:
        rgb: uint8 (height, width, 3), RGB, at full resolution.
        quality: Of the extra save, 1–100, as the Independent JPEG Group counts.

    Returns:
        float32 (height, width), 0–255: the greatest absolute change of the three channels.

    Raises:
        ValueError: The picture cannot be written as JPEG (a side above 65,500 pixels).
    """
    if max(rgb.shape[:2]) > 65_500:
        raise ValueError("too wide or too high for a JPEG")
    blue_first: Any = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, quality])
    again: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    change: NDArray[np.float32] = cv2.absdiff(blue_first, again).max(axis=2).astype(np.float32)
    return change


def noise_residual(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a median filter of 3×3 takes away: noise, and with it fine texture and edges.

    Args:
        rgb: uint8 (height, width, 3), RGB, at full resolution.

    Returns:
        float32 (height, width): absolute residual of the luma, 0–255.
    """
    luma: Any = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    residual: NDArray[np.float32] = cv2.absdiff(luma, cv2.medianBlur(luma, 3)).astype(np.float32)
    return residual


def map_png(values: NDArray[Any], size: tuple[int, int], *, smooth: bool = False) -> bytes:
    """Draws a map in colour, dark violet for the least and yellow for the most (viridis).

    Args:
        values: Any real array (rows, columns); what is not finite is drawn as the least. The scale ends at the 1st and
            the 99.5th percentile, so that one extreme cell does not leave the rest in the dark.
        size: Width and height of the picture that it belongs to, in pixels; the map is drawn at this size, reduced to
            :data:`MOST_SIDE` pixels.
        smooth: Whether values between cells are interpolated when enlarging; reducing always averages.

    Returns:
        A PNG file.
    """
    scale = min(1.0, MOST_SIDE / max(size))
    shape = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    plane = np.asarray(values, np.float32)
    known = plane[np.isfinite(plane)]
    low, high = (float(value) for value in np.percentile(known, (1.0, 99.5))) if known.size else (0.0, 0.0)
    if high <= low and known.size:
        low, high = float(known.min()), float(known.max())
    plane = np.nan_to_num(plane, nan=low, posinf=high, neginf=low)
    reducing = shape[0] <= plane.shape[1] and shape[1] <= plane.shape[0]
    how = cv2.INTER_AREA if reducing else cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    drawn = cv2.resize(plane, shape, interpolation=how)
    unit = np.clip((drawn - low) / (high - low), 0.0, 1.0) if high > low else np.zeros_like(drawn)
    coloured = cv2.applyColorMap((unit * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    _, data = cv2.imencode(".png", coloured)
    return bytes(data)


def outline(mask: NDArray[np.bool_], cell: int, box: tuple[int, int, int, int]) -> tuple[tuple[int, int], ...]:
    """The largest marked place inside a box, as a polygon.

    Args:
        mask: bool (rows, columns) in cells.
        cell: Side of a cell in pixels.
        box: Left, top, width, height in pixels.

    Returns:
        Corners (x, y) in pixels, inside the box; empty where the polygon would say no more than the box, or where the
        mask covers much less than it (a large picture that was analysed in bands).
    """
    left, top, width, height = box
    part = mask[top // cell : -(-(top + height) // cell), left // cell : -(-(left + width) // cell)].astype(np.uint8)
    contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return ()
    largest = max(contours, key=cv2.contourArea)
    _, _, across, down = cv2.boundingRect(largest)
    corners = cv2.approxPolyDP(largest, 0.8, closed=True).reshape(-1, 2)
    if part.all() or across * down < 0.6 * part.size or not 5 <= len(corners) <= 100:
        return ()
    # Contours run through the middles of border cells.
    points = (corners + 0.5) * cell + np.array([left // cell * cell, top // cell * cell])
    points = np.clip(points, (left, top), (left + width, top + height))
    return tuple((int(x), int(y)) for x, y in points)


__all__ = ["MOST_SIDE", "ela", "map_png", "noise_residual", "outline"]

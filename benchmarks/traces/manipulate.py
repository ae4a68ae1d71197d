"""Makes manipulated pictures with known masks out of photographs: what an editor's hand would do, drawn by a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LEAST_SHARE, MOST_SHARE = 0.03, 0.40
"""Area of the manipulated region as a share of the picture."""

MOST_REMOVED = 0.10
"""The same for removals: what is painted over by diffusion is small, or it shows at once."""


@dataclass(frozen=True, slots=True)
class Manipulated:
    """One manipulated picture.

    Attributes:
        pixels: uint8 (height, width, 3), RGB.
        mask: bool (height, width), True where the picture was changed.
        source: The same for where the content was copied from inside the same picture; None for other kinds.
    """

    pixels: Pixels
    mask: Mask
    source: Mask | None = None


def shape(height: int, width: int, rng: np.random.Generator, least: float, most: float) -> Mask:
    """One random region: an ellipse, a turned rectangle or a lumpy polygon.

    Args:
        height: Of the picture, in pixels.
        width: Likewise.
        rng: Draws everything.
        least: Smallest share of the picture's area, 0 to 1.
        most: Largest share.

    Returns:
        bool (height, width), wholly inside the picture; its share lies within ``least`` and ``most``.
    """
    wanted = np.exp(rng.uniform(np.log(least), np.log(most)))
    for _ in range(200):
        mask = _drawn(height, width, rng, float(wanted))
        if least <= mask.mean() <= most:
            return mask
    side = int(np.sqrt(least * most) ** 0.5 * height), int(np.sqrt(least * most) ** 0.5 * width)
    mask = np.zeros((height, width), bool)
    mask[(height - side[0]) // 2 : (height + side[0]) // 2, (width - side[1]) // 2 : (width + side[1]) // 2] = True
    return mask


def _drawn(height: int, width: int, rng: np.random.Generator, share: float) -> Mask:
    stretch = np.exp(rng.uniform(-0.5, 0.5))
    radius = np.sqrt(share * height * width / np.pi)
    rx, ry = radius * np.sqrt(stretch), radius / np.sqrt(stretch)
    cx = rng.uniform(min(rx, width / 2), max(width - rx, width / 2))
    cy = rng.uniform(min(ry, height / 2), max(height - ry, height / 2))
    angle = float(rng.uniform(0, 180))
    canvas = np.zeros((height, width), np.uint8)
    kind = rng.integers(3)
    if kind == 0:
        cv2.ellipse(canvas, (int(cx), int(cy)), (int(rx), int(ry)), angle, 0, 360, 1, -1)
    elif kind == 1:
        grown = np.sqrt(np.pi)
        box = cv2.boxPoints(((cx, cy), (rx * grown, ry * grown), angle / 9))
        cv2.fillPoly(canvas, [np.rint(box).astype(np.int32)], 1)
    else:
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        lumps = 1 + 0.25 * np.convolve(rng.normal(size=26), np.ones(3) / 3, "valid")
        points = np.stack([cx + rx * lumps * np.cos(turns), cy + ry * lumps * np.sin(turns)], 1)
        cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], 1)
    return canvas.astype(bool)


def _blend(below: Pixels, above: Pixels, mask: Mask, sigma: float) -> tuple[Pixels, Mask]:
    """Lays one picture over another; a feathered mask counts as changed where more than half is the upper one."""
    if sigma <= 0:
        return np.where(mask[..., None], above, below), mask
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)[..., None]
    mixed = weight * above.astype(np.float32) + (1 - weight) * below.astype(np.float32)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8), weight[..., 0] > 0.5


def _fitted(donor: Pixels, height: int, width: int, rng: np.random.Generator) -> Pixels:
    """A random piece of the donor as large as the host; the donor is mirrored at its edges where it is smaller."""
    if donor.shape[0] < height or donor.shape[1] < width:
        below, right = max(0, height - donor.shape[0]), max(0, width - donor.shape[1])
        donor = np.pad(donor, ((0, below), (0, right), (0, 0)), mode="symmetric")
    y = int(rng.integers(donor.shape[0] - height + 1))
    x = int(rng.integers(donor.shape[1] - width + 1))
    return donor[y : y + height, x : x + width]


def splice(host: Pixels, donor: Pixels, rng: np.random.Generator) -> Manipulated:
    """A region of another photograph, pasted with a hard edge."""
    mask = shape(*host.shape[:2], rng, LEAST_SHARE, MOST_SHARE)
    pixels, mask = _blend(host, _fitted(donor, *host.shape[:2], rng), mask, 0)
    return Manipulated(pixels, mask)


def splice_feathered(host: Pixels, donor: Pixels, rng: np.random.Generator) -> Manipulated:
    """A region of another photograph, pasted with a soft edge."""
    mask = shape(*host.shape[:2], rng, LEAST_SHARE, MOST_SHARE)
    pixels, mask = _blend(host, _fitted(donor, *host.shape[:2], rng), mask, float(rng.uniform(2, 8)))
    return Manipulated(pixels, mask)


def _move(host: Pixels, rng: np.random.Generator, *, turned: bool) -> Manipulated:
    height, width = host.shape[:2]
    angle = float(rng.choice([-1, 1]) * rng.uniform(5, 40)) if turned else 0.0
    scale = float(rng.uniform(0.7, 1.4)) if turned else 1.0
    best: tuple[float, Mask, Mask, NDArray[np.float64]] | None = None
    for _ in range(60):
        source = shape(height, width, rng, LEAST_SHARE, 0.15)
        rows, columns = np.nonzero(source)
        centre = (float(columns.mean()), float(rows.mean()))
        matrix = cv2.getRotationMatrix2D(centre, angle, scale)
        matrix[:, 2] += rng.uniform(-0.6, 0.6, 2) * (width, height)
        if not turned:
            matrix[:, 2] = np.rint(matrix[:, 2])
        target = cv2.warpAffine(source.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST) > 0
        whole = target.sum() / (source.sum() * scale**2)
        share = float(target.mean())
        overlap = float((source & target).sum() / max(1, source.sum()))
        fault = overlap + max(0.0, 0.98 - whole) + (share < LEAST_SHARE)
        if best is None or fault < best[0]:
            best = (fault, source, target, matrix)
        if fault == 0:
            break
    assert best is not None
    _, source, target, matrix = best
    flags = cv2.INTER_LANCZOS4 if turned else cv2.INTER_NEAREST
    moved = cv2.warpAffine(host, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
    pixels, mask = _blend(host, moved, target, float(rng.choice([0.0, 1.5])))
    return Manipulated(pixels, mask, source)


def copy_move(host: Pixels, _: Pixels, rng: np.random.Generator) -> Manipulated:
    """A region of the same photograph, moved."""
    return _move(host, rng, turned=False)


def copy_move_turned(host: Pixels, _: Pixels, rng: np.random.Generator) -> Manipulated:
    """A region of the same photograph, moved, turned by 5–40 degrees and scaled by 0.7–1.4."""
    return _move(host, rng, turned=True)


def removal(host: Pixels, _: Pixels, rng: np.random.Generator) -> Manipulated:
    """A region painted over from its surroundings (Telea, or Navier–Stokes)."""
    mask = shape(*host.shape[:2], rng, LEAST_SHARE, MOST_REMOVED)
    method = int(rng.choice([cv2.INPAINT_TELEA, cv2.INPAINT_NS]))
    return Manipulated(cv2.inpaint(host, mask.astype(np.uint8), 3, method), mask)


def resynthesis(host: Pixels, _: Pixels, rng: np.random.Generator) -> Manipulated:
    """A region as an image generator's decoder paints it, soft edge: what masked generation does to the pixels."""
    from training.autoencoder import roundtrip

    mask = shape(*host.shape[:2], rng, LEAST_SHARE, MOST_SHARE)
    sigma = float(rng.uniform(4, 12))
    rows, columns = np.nonzero(mask)
    margin = int(4 * sigma) + 16
    y0, y1 = max(0, rows.min() - margin), min(host.shape[0], rows.max() + margin)
    x0, x1 = max(0, columns.min() - margin), min(host.shape[1], columns.max() + margin)
    painted = host.copy()
    painted[y0:y1, x0:x1] = roundtrip(_autoencoder(), np.ascontiguousarray(host[y0:y1, x0:x1]))
    pixels, mask = _blend(host, painted, mask, sigma)
    return Manipulated(pixels, mask)


@cache
def _autoencoder():  # type: ignore[no-untyped-def]
    from benchmarks.traces.photos import shared_data
    from training import autoencoder

    return autoencoder.load(Path(shared_data()) / "models")


KINDS: dict[str, Callable[[Pixels, Pixels, np.random.Generator], Manipulated]] = {
    "splice": splice,
    "splice, soft edge": splice_feathered,
    "copy-move": copy_move,
    "copy-move, turned": copy_move_turned,
    "removal": removal,
    "re-synthesis": resynthesis,
}
"""Every kind of manipulation by name: (host, donor, rng) -> manipulated picture."""

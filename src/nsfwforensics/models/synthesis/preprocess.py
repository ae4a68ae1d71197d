"""What the synthesis classifier is shown: native crops, mildly changed views of them, and what rules a picture out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CROP = 256
"""Side of a crop in native pixels; smaller pictures are not judged."""

CROPS = 6
"""Crops per picture: half where the texture is richest, half spread over the picture."""

RESIZED = 224
"""Side of a crop in the mildly resized view."""

MILD_QUALITY = 80
"""JPEG quality (4:2:0) of the mildly recompressed view."""

LONGEST_JPEG = 65_488
"""Longest side of a JPEG that libjpeg writes (65,500 pixels), in whole cells of 16 pixels."""

VIEWED = 2
"""Crops (one rich in texture, one of the middle) whose views are judged as well."""

_CANDIDATES = 20
_ROW_STEP = 4

# Luminance table of ITU-T T.81, annex K.1, the one the IJG quality scale multiplies.
_STANDARD = np.array(
    [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
     14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
     49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99], np.float64,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crops:
    """The crops of one picture and two mildly changed views of some of them; small and picklable.

    Attributes:
        native: uint8 (N, 256, 256, 3), untouched pixels.
        recompressed: uint8 (M, 256, 256, 3), some of the crops after a mild JPEG.
        resized: uint8 (M, 224, 224, 3), the same crops made smaller.
        viewed: Which of the native crops the views were made of.
    """

    native: NDArray[np.uint8]
    recompressed: NDArray[np.uint8]
    resized: NDArray[np.uint8]
    viewed: tuple[int, ...]


def positions(rgb: NDArray[np.uint8], count: int = CROPS, size: int = CROP) -> list[tuple[int, int]]:
    """Chooses where to crop: half of the places rich in texture, half spread evenly. Deterministic.

    Args:
        rgb: uint8 (height, width, 3), at least ``size`` each way.
        count: Most crops wanted; a small picture has room for fewer different ones.
        size: Side of a crop in pixels.

    Returns:
        Left and top of each crop, texture-rich and spread ones in turn, no two closer than an eighth of a side.
    """
    height, width = rgb.shape[:2]
    xs = _steps(width - size)
    ys = _steps(height - size)
    energy = _texture(rgb, xs, ys, size)
    ranked = [(int(xs[i % len(xs)]), int(ys[i // len(xs)])) for i in np.argsort(-energy.ravel(), kind="stable")]
    rich = _apart(ranked, size // 2, (count + 1) // 2)
    rich = rich if len(rich) == (count + 1) // 2 else _apart(ranked, size // 8, (count + 1) // 2)
    right, low = width - size, height - size
    fractions = ((0.5, 0.5), (0.15, 0.15), (0.85, 0.85), (0.15, 0.85), (0.85, 0.15), (0.5, 0.0), (0.5, 1.0), (0, 0.5))
    spread = _apart([(round(fx * right), round(fy * low)) for fx, fy in fractions], size // 8, count, taken=rich)
    chosen: list[tuple[int, int]] = []
    for index in range(max(len(rich), len(spread))):
        chosen += rich[index : index + 1] + spread[index : index + 1]
    return chosen[:count]


def _steps(room: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, room, min(_CANDIDATES, room // 32 + 1)).astype(np.int64))


def _texture(rgb: NDArray[np.uint8], xs: NDArray[np.int64], ys: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Mean absolute horizontal gradient of green in each candidate crop, from every fourth row (fast on 12 MP)."""
    green = np.ascontiguousarray(rgb[::_ROW_STEP, :, 1])
    gradient = cv2.absdiff(green[:, 1:], green[:, :-1])
    total = cv2.integral(gradient)
    top, left = ys // _ROW_STEP, xs
    bottom, right = np.minimum((ys + size) // _ROW_STEP, gradient.shape[0]), left + size - 1
    sums = total[np.ix_(bottom, right)] - total[np.ix_(top, right)] - total[np.ix_(bottom, left)]
    return np.asarray(sums + total[np.ix_(top, left)], np.float64)


def _apart(
    ranked: Sequence[tuple[int, int]], distance: int, count: int, taken: Sequence[tuple[int, int]] = ()
) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for x, y in ranked:
        if len(kept) == count:
            break
        if all(max(abs(x - a), abs(y - b)) >= distance for a, b in (*taken, *kept)):
            kept.append((x, y))
    return kept


def crop(rgb: NDArray[np.uint8], *, count: int = CROPS, views: bool = True) -> Crops:
    """Cuts a picture's crops and makes their views.

    Args:
        rgb: uint8 (height, width, 3), at least 256 pixels each way.
        count: Most crops.
        views: Whether the views are made (of the first two crops: they only serve to see whether the answer turns).

    Raises:
        ValueError: The picture is smaller than a crop.
    """
    if min(rgb.shape[:2]) < CROP:
        raise ValueError(f"{rgb.shape[1]} × {rgb.shape[0]} pixels is smaller than a crop of {CROP} pixels")
    native = np.stack([rgb[y : y + CROP, x : x + CROP] for x, y in positions(rgb, count)])
    return with_views(native, tuple(range(min(len(native), VIEWED))) if views else ())


def with_views(native: NDArray[np.uint8], viewed: tuple[int, ...]) -> Crops:
    """Adds the mildly recompressed and resized views of some crops."""
    again = [recompressed(native[i], MILD_QUALITY) for i in viewed]
    small = [cv2.resize(native[i], (RESIZED, RESIZED), interpolation=cv2.INTER_AREA) for i in viewed]
    return Crops(
        native=np.ascontiguousarray(native),
        recompressed=np.stack(again) if again else np.zeros((0, CROP, CROP, 3), np.uint8),
        resized=np.stack(small).astype(np.uint8) if small else np.zeros((0, RESIZED, RESIZED, 3), np.uint8),
        viewed=viewed,
    )


def recompressed(rgb: NDArray[np.uint8], quality: int, *, full_chroma: bool = False) -> NDArray[np.uint8]:
    """Saves as JPEG (4:2:0 unless ``full_chroma``) and reads again: uint8, same shape.

    Sides that a JPEG cannot have are saved in pieces, cut along its cells.
    """
    for axis in (0, 1):
        if (side := rgb.shape[axis]) > LONGEST_JPEG:
            parts = np.split(rgb, range(LONGEST_JPEG, side, LONGEST_JPEG), axis)
            return np.concatenate([recompressed(part, quality, full_chroma=full_chroma) for part in parts], axis)
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if full_chroma else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), flags)
    return decoded(data)


def decoded(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Decodes an encoded picture to uint8 (height, width, 3), RGB.

    Raises:
        ValueError: It cannot be decoded.
    """
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError("not a decodable picture")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def jpeg_quality(quantization: Mapping[int, Sequence[int]]) -> float | None:
    """Estimates the IJG quality from a JPEG's quantisation tables.

    Args:
        quantization: Table number to 64 values, as Pillow gives them; table 0 is luminance. Any order of the
            coefficients will do, only sums are compared.

    Returns:
        1–100, or None without a luminance table. Foreign tables get the quality with the same mean step.
    """
    table = quantization.get(0)
    if table is None or len(table) != 64:
        return None
    sums = [float(_scaled(quality).sum()) for quality in range(1, 101)]
    return float(1 + int(np.argmin(np.abs(np.array(sums) - float(np.sum(table))))))


def _scaled(quality: int) -> NDArray[np.float64]:
    """The standard luminance table at an IJG quality."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((_STANDARD * scale + 50) // 100, 1, 255)


def flat_share(rgb: NDArray[np.uint8]) -> float:
    """Share of 8×8 cells without any visible detail, 0–1: high in drawings, screenshots, pages of text.

    A cell counts as flat where green differs by at most two levels over it. At most about 250,000 pixels are looked
    at, in native resolution.
    """
    height, width = rgb.shape[0] // 8 * 8, rgb.shape[1] // 8 * 8
    if not height or not width:
        return 1.0
    skip = max(1, round((height * width / 250_000) ** 0.5))
    cells = rgb[:height, :width, 1].reshape(height // 8, 8, width // 8, 8)[::skip, :, ::skip]
    spread = cells.max(axis=(1, 3)).astype(np.int16) - cells.min(axis=(1, 3))
    return float((spread <= 2).mean())


def is_colourless(rgb: NDArray[np.uint8]) -> bool:
    """Whether the picture is black and white or tinted in one tone, judged on about 10,000 of its pixels."""
    skip = max(1, round((rgb.shape[0] * rgb.shape[1] / 10_000) ** 0.5))
    part = rgb[::skip, ::skip].astype(np.float32)
    differences = np.stack([part[..., 0] - part[..., 1], part[..., 2] - part[..., 1]])
    return bool(differences.std(axis=(1, 2)).max() < 1.5)

"""What happens to pictures between being made and being examined: the same chains for both classes.

Every step draws from one generator and looks at nothing but the pixels, so neither format nor size nor blockiness can
tell the classes apart. Lossless generated pictures first get the JPEG history that photographs have
(:func:`equalise_history`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.evaluation.states import resized
from nsfwforensics.models.synthesis.preprocess import decoded, recompressed

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

KERNELS = (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)

HISTORY_QUALITIES = (75, 80, 85, 88, 90, 92, 93, 95, 95, 96)
"""JPEG qualities drawn for pictures without a JPEG past; about those of the photographs in the development data."""


def webp(rgb: Pixels, quality: int) -> Pixels:
    """Saves as lossy WebP and reads again."""
    _, data = cv2.imencode(".webp", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, quality])
    return decoded(data)


def equalise_history(rgb: Pixels, rng: Generator, *, lossless: bool) -> Pixels:
    """Gives a picture that was never a JPEG the past of one; draws the same numbers either way."""
    quality, full_chroma = history(rng)
    return recompressed(rgb, quality, full_chroma=full_chroma) if lossless else rgb


def history(rng: Generator) -> tuple[int, bool]:
    """JPEG quality of a drawn past, and whether it keeps all of the colour's resolution."""
    return int(rng.choice(HISTORY_QUALITIES)), bool(rng.random() < 0.25)


def shifted(rgb: Pixels, rng: Generator, least: int) -> Pixels:
    """Cuts up to seven pixels off the left and top, so that a later grid misses the earlier one."""
    dy, dx = (int(rng.integers(0, max(1, min(8, side - least + 1)))) for side in rgb.shape[:2])
    return np.ascontiguousarray(rgb[dy:, dx:])


def degrade(rgb: Pixels, rng: Generator, *, least: int) -> Pixels:
    """Runs one random chain over a picture or a region of one.

    Args:
        rgb: uint8 (height, width, 3), at least ``least`` each way.
        rng: Where every choice comes from.
        least: No side of the result is shorter, in pixels.

    Returns:
        uint8 pixels, maybe of another size.
    """
    if rng.random() < 0.15:
        return _CHAINS[int(rng.integers(len(_CHAINS)))](rgb, rng, least)
    if rng.random() < 0.5:
        rgb = _rescaled(rgb, rng, 0.5, 1.25, least)
    if rng.random() < 0.15:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(0.3, 1.0))), np.uint8)
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(0.5, 3.0), rgb.shape)
        rgb = np.clip(np.rint(rgb + noise), 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        rgb = _jittered(rgb, rng)
    if rng.random() < 0.8:
        rgb = _saved(rgb, rng, (55, 100))
    if rng.random() < 0.3:
        rgb = _saved(shifted(rgb, rng, least), rng, (60, 95))
    return rgb


def _rescaled(rgb: Pixels, rng: Generator, low: float, high: float, least: int) -> Pixels:
    scale = max(float(rng.uniform(low, high)), least / min(rgb.shape[:2]))
    return resized(rgb, scale, int(rng.choice(KERNELS)))


def _saved(rgb: Pixels, rng: Generator, qualities: tuple[int, int]) -> Pixels:
    if rng.random() < 0.2:
        return webp(rgb, int(rng.integers(60, 96)))
    return recompressed(rgb, int(rng.integers(*qualities)), full_chroma=bool(rng.random() < 0.3))


def _jittered(rgb: Pixels, rng: Generator) -> Pixels:
    gain = rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05, 3)
    table = np.clip(((np.arange(256)[:, None] / 255.0) ** rng.uniform(0.85, 1.15)) * gain * 255.0, 0, 255)
    return np.asarray(cv2.LUT(rgb, np.rint(table).astype(np.uint8)[None]), np.uint8)


def _messenger(rgb: Pixels, rng: Generator, least: int) -> Pixels:
    """Scaled down, saved hard, maybe forwarded once more."""
    rgb = _rescaled(rgb, rng, 0.4, 0.9, least)
    rgb = recompressed(rgb, int(rng.integers(60, 82)))
    return recompressed(rgb, int(rng.integers(60, 82))) if rng.random() < 0.4 else rgb


def _screenshot(rgb: Pixels, rng: Generator, least: int) -> Pixels:
    """Shown at another size on a screen (smoothed), captured without loss, maybe shared as a JPEG."""
    rgb = _rescaled(rgb, rng, 0.6, 1.3, least)
    rgb = shifted(rgb, rng, least)
    return recompressed(rgb, int(rng.integers(75, 96))) if rng.random() < 0.6 else rgb


def _tier_chain(rgb: Pixels, rng: Generator, least: int) -> Pixels:
    """About the second and third tier."""
    rgb = _rescaled(rgb, rng, 0.5, 1.0, least)
    return recompressed(rgb, int(rng.integers(38, 65)))


_CHAINS: tuple[Callable[[Pixels, Generator, int], Pixels], ...] = (_messenger, _screenshot, _tier_chain)


def for_traces(rgb: Pixels, rng: Generator, crop: int) -> Pixels:
    """One random chain for the trace network, and a crop: a third only cropped, a third about the recompressed tiers.

    Args:
        rgb: uint8 (height, width, 3), at least ``crop`` each way.
        rng: Where every choice comes from; the same state gives the same chain.
        crop: Side of the crop in pixels.
    """
    draw = rng.random()
    if rng.random() < 0.5:
        rgb = np.ascontiguousarray(rgb[:, ::-1])
    if rng.random() < 0.1:
        rgb = _sharpened(rgb, rng)
    if draw >= 0.65:
        rgb = degrade(rgb, rng, least=crop)
    elif draw >= 0.3:
        if rng.random() < 0.8:
            rgb = _rescaled(rgb, rng, 0.5, 1.0, crop)
        if rng.random() < 0.3:
            rgb = shifted(rgb, rng, crop)
        rgb = recompressed(rgb, int(rng.integers(35, 75)), full_chroma=bool(rng.random() < 0.15))
    return random_crop(rgb, rng, crop)


def _sharpened(rgb: Pixels, rng: Generator) -> Pixels:
    soft = cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(0.6, 1.6)))
    amount = float(rng.uniform(0.2, 1.0))
    return np.asarray(cv2.addWeighted(rgb, 1 + amount, soft, -amount, 0), np.uint8)


def random_crop(rgb: Pixels, rng: Generator, size: int) -> Pixels:
    """A crop of ``size`` × ``size`` somewhere, mirrored half of the time."""
    y = int(rng.integers(0, rgb.shape[0] - size + 1))
    x = int(rng.integers(0, rgb.shape[1] - size + 1))
    part = rgb[y : y + size, x : x + size]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)

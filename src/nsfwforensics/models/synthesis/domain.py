"""Does a picture look like a photograph at all, or like a drawing, a page of text, a screenshot or a chart?

A model that was measured on photographs says nothing of other pictures. What tells them apart is plain: drawn, written
and computed pictures have few colours, large even areas and hard edges, photographs have many colours, grain and soft
transitions. Such measurements of a small copy (so that they hardly change when a picture is reduced and saved again)
are weighed by a logistic regression that was fitted on pictures of both sorts, with version 4 of the classifier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsfwforensics.core.messages import Message, say

LONGEST = 512
"""Longer side of the copy that is measured, in pixels."""

_CELL = 8

TRAITS: Mapping[str, tuple[str, ...]] = {
    "colours": ("colours_90", "colour_entropy", "commonest_colour", "pure_colour"),
    "even": (
        "even_cells", "almost_even_cells", "same_as_next", "soft_cells", "grain", "detail_10", "detail_25", "detail_50",
    ),
    "edges": (
        "sparse_edges", "soft_edges", "straight_edges", "hard_edges", "two_tone_cells", "tone_pairs", "strokes",
        "extreme", "detail_75", "detail_90",
    ),
}  # fmt: skip
"""The measurements by what they say of a picture."""

NAMES: tuple[str, ...] = tuple(name for names in TRAITS.values() for name in names)

WORDS: Mapping[str, Message] = {
    "colours": say("few colours"),
    "even": say("large even areas"),
    "edges": say("hard edges, as lines and letters have"),
}


def look(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Measures a picture.

    Args:
        rgb: uint8 (height, width, 3), at least 16 pixels each way.

    Returns:
        float64 in the order of :data:`NAMES`.
    """
    small = _small(rgb)
    found = _colours(small) | _areas(small[..., 1]) | _edges(small)
    return np.array([found[name] for name in NAMES])


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    scale = LONGEST / max(height, width)
    if scale < 1:
        size = (max(2 * _CELL, round(width * scale)), max(2 * _CELL, round(height * scale)))
        # Halving is several times as quick as any other averaging. With a half or more left to do for that, each of
        # 145 pictures was judged as without it; scores moved by 0.05 on average and 0.28 at most (they spread by 2.1).
        while max(rgb.shape[:2]) >= 4 * LONGEST and min(rgb.shape[:2]) >= 8 * _CELL:
            rgb = np.asarray(cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return rgb[: rgb.shape[0] // _CELL * _CELL, : rgb.shape[1] // _CELL * _CELL]


def _colours(rgb: NDArray[np.uint8]) -> dict[str, float]:
    """Of a colour cube with 32 steps a side."""
    red, green, blue = (np.asarray(each, np.uint8) for each in cv2.split(rgb))
    places = ((red >> 3).astype(np.intp) << 10) + ((green >> 3).astype(np.intp) << 5) + (blue >> 3)
    counts = np.bincount(places.ravel())
    shares = np.sort(counts[counts > 0] / places.size)[::-1]
    covering = int(np.searchsorted(np.cumsum(shares), 0.9)) + 1
    highest, lowest = (each(each(red, green), blue) for each in (np.maximum, np.minimum))
    vivid = highest - lowest >= 180
    return {
        "colours_90": float(np.log(covering)),
        "colour_entropy": float(-(shares * np.log2(shares)).sum()),
        "commonest_colour": float(np.sqrt(shares[0])),
        "pure_colour": float(np.sqrt(vivid.mean())),
    }


def _areas(green: NDArray[np.uint8]) -> dict[str, float]:
    """Of cells of 8×8 pixels, and of neighbours."""
    rows, columns = green.shape[0] // _CELL, green.shape[1] // _CELL
    cells = green.reshape(rows, _CELL, columns, _CELL).swapaxes(1, 2).reshape(-1, _CELL * _CELL).astype(np.float32)
    low, high = cells.min(axis=1), cells.max(axis=1)
    spread = high - low
    detail = np.log1p(np.percentile(cells.std(axis=1), (10, 25, 50, 75, 90)))
    drawn = spread > 80
    # Where a letter or line crosses a cell, hardly a pixel lies between its two tones.
    near = np.minimum(cells - low[:, None], high[:, None] - cells) <= 0.15 * spread[:, None]
    pairs = np.bincount((low[drawn] // 32 * 8 + high[drawn] // 32).astype(np.int64), minlength=1)
    pairs = pairs[pairs > 0] / max(1, drawn.sum())
    calm = cells[(spread > 2) & (spread <= 24)].reshape(-1, _CELL, _CELL)
    grain = np.abs(np.diff(np.diff(calm, axis=2)[:, 1:] - np.diff(calm, axis=2)[:, :-1], axis=2)).mean(axis=(1, 2))
    same = np.abs(np.diff(green.astype(np.int16), axis=1)) <= 1
    return {
        "even_cells": float((spread <= 4).mean()),
        "almost_even_cells": float((spread <= 12).mean()),
        "same_as_next": float(same.mean()),
        "two_tone_cells": float(near[drawn].mean()) if drawn.sum() >= 10 else 0.5,
        "tone_pairs": float(-(pairs * np.log2(pairs)).sum()) if drawn.sum() >= 10 else 3.0,
        "soft_cells": float(((spread > 12) & (spread <= 60)).mean()),
        "grain": float(np.log1p(np.median(grain))) if len(grain) >= 10 else 0.5,
        "extreme": float(((green >= 250) | (green <= 5)).mean()),
    } | {f"detail_{share}": float(value) for share, value in zip((10, 25, 50, 75, 90), detail, strict=True)}


def _edges(rgb: NDArray[np.uint8]) -> dict[str, float]:
    """Of luminance differences between neighbours."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dx, dy = np.abs(np.diff(grey, axis=1))[:-1], np.abs(np.diff(grey, axis=0))[:, :-1]
    total = dx + dy
    strong, seen = total >= 48, total >= 8
    along = np.diff(grey, axis=1)
    rise, fall = (along >= 40).astype(np.uint8), (along <= -40).astype(np.uint8)
    # A stroke: tone comes back within seven pixels.
    near = np.ones((1, 15), np.uint8)
    back = np.logical_and(rise, cv2.dilate(fall, near)) | np.logical_and(fall, cv2.dilate(rise, near))
    jumps = int(rise.sum()) + int(fall.sum())
    least = 20
    return {
        "sparse_edges": float(np.log((total**2).mean() + 1) - 2 * np.log(total.mean() + 0.5)),
        "soft_edges": float((total[seen] < 40).mean()) if seen.sum() >= least else 0.5,
        "straight_edges": float((np.minimum(dx, dy)[strong] <= 5).mean()) if strong.sum() >= least else 0.3,
        "strokes": float(back.sum() / jumps) if jumps >= least else 0.5,
        "hard_edges": float(np.sqrt((total >= 100).mean())),
    }


@dataclass(frozen=True, slots=True)
class Domain:
    """The fitted border between photographs and other pictures.

    Attributes:
        mean: Of each measurement, in the order of :data:`NAMES`.
        scale: Standard deviation of each.
        weights: Of the standardised measurements.
        bias: Added to their sum.
        limit: Pictures above it are not judged.
        typical: Standardised measurements of the average photograph, against which a picture's traits are named.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    limit: float
    typical: tuple[float, ...]

    def score(self, measured: NDArray[np.float64]) -> float:
        """Log odds, as fitted, that a picture is no photograph: only the limit gives the number a meaning.

        Args:
            measured: float64, from :func:`look`.
        """
        return float(self._standard(measured) @ np.array(self.weights) + self.bias)

    def traits(self, measured: NDArray[np.float64]) -> list[str]:
        """What speaks against a photograph, strongest first: keys of :data:`TRAITS`."""
        apart = (self._standard(measured) - np.array(self.typical)) * np.array(self.weights)
        parts = dict(zip(NAMES, apart.tolist(), strict=True))
        sums = {trait: sum(parts[name] for name in names) for trait, names in TRAITS.items()}
        least = max(0.25 * max(sums.values()), 1e-9)
        return sorted((trait for trait in sums if sums[trait] >= least), key=lambda trait: -sums[trait])

    def ruled_out(self, rgb: NDArray[np.uint8]) -> Message | None:
        """Why a picture does not look like a photograph, or None.

        Args:
            rgb: uint8 (height, width, 3), at least 16 pixels each way.
        """
        measured = look(rgb)
        if not self.score(measured) > self.limit:
            return None
        traits = [WORDS[trait] for trait in self.traits(measured)]
        return say(
            "it looks like a drawing, a page of text, a chart or a screenshot rather than a photograph ({traits:and}), "
            "and the model was measured on photographs only",
            traits=traits,
        )

    def plain(self) -> dict[str, Any]:
        """As JSON values; the measurements by name."""
        columns = zip(self.mean, self.scale, self.weights, self.typical, strict=True)
        rows = {name: [round(value, 6) for value in row] for name, row in zip(NAMES, columns, strict=True)}
        return {"bias": round(self.bias, 6), "limit": round(self.limit, 6), "measurements": rows}

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> Domain:
        """Reads what :meth:`plain` gave.

        Raises:
            KeyError: A value is missing.
            ValueError: A value is no number, or a row has another length.
            TypeError: It has another shape.
        """
        rows = [[float(value) for value in content["measurements"][name]] for name in NAMES]
        if any(len(row) != 4 or not np.isfinite(row).all() or row[1] <= 0 for row in rows):
            raise ValueError("a measurement of the domain check has unusable numbers")
        mean, scale, weights, typical = (tuple(column) for column in zip(*rows, strict=True))
        return cls(mean, scale, weights, float(content["bias"]), float(content["limit"]), typical)

    def _standard(self, measured: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.clip((measured - np.array(self.mean)) / np.array(self.scale), -4, 4), np.float64)

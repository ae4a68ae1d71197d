"""How far two registered, colour-matched pictures differ beyond what processing explains: the null model.

Recompression, resampling and small misregistration leave a residual whose energy grows with local contrast. Its
expectation is modelled as noise + share · gradient energy, fitted to each pair on the cells whose structure agrees,
with a truncated cost, so that what was edited does not raise it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.signals.changes.registration import CELL, luma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.changes.photometric import ColourFit

    Float = NDArray[np.float32]
    Bool = NDArray[np.bool_]

_RADIUS = 0.75
_BLURS = (0.0, 0.7, 1.0, 1.4, 2.0, 2.8)
_NOISE = np.geomspace(0.5, 4.0, 12) ** 2
_SHARE = np.geomspace(0.004, 0.12, 12)
_COLOUR_FLOOR = 2.0
_COLOUR_MOST = 6.0


@dataclass(frozen=True, slots=True)
class StructureLikeness:
    """Agreement of structure, which no colour filter changes; arrays are (cell rows, cell columns).

    Attributes:
        correlation: Local correlation of luma, −1 to 1, float32.
        textured: Where both pictures have structure to correlate, bool.
        flat: Where neither has, bool.
    """

    correlation: Float
    textured: Bool
    flat: Bool

    @property
    def trust(self) -> Float:
        """How far a cell may vote on what the colours became, 0–0.5, float32; flat cells have a small vote."""
        return np.where(self.textured, np.clip(self.correlation - 0.5, 0, None), 0.1 * self.flat).astype(np.float32)

    @property
    def alike(self) -> Bool:
        """Where the pictures agree in structure, or both have none."""
        return np.asarray(np.where(self.textured, self.correlation > 0.8, self.flat))


@dataclass(frozen=True, slots=True)
class Residual:
    """What differs; all arrays are (cell rows, cell columns).

    Attributes:
        structure: Natural logarithm of the energy of the structural residual over the expected one, float32.
        colour: The same for the residual of the mean colour, float32.
        sharp_structure: As ``structure``, of each cell alone.
        sharp_colour: As ``colour``, of each cell alone.
        likeness: After the mapping of colours.
        noise: Fitted noise, in grey levels.
        share: Fitted share of the gradient energy.
        blur: Gaussian blur, in working pixels, that makes the original as soft as the suspect.
        shift: Typical displacement left between the pictures where they agree, in working pixels.
    """

    structure: Float
    colour: Float
    sharp_structure: Float
    sharp_colour: Float
    likeness: StructureLikeness
    noise: float
    share: float
    blur: float
    shift: float


class Window:
    """Means over cells and their neighbours, taken only over what is visible."""

    def __init__(self, visible: Bool) -> None:
        """Args: visible: bool (rows, columns), whole numbers of cells."""
        self.mask = visible.astype(np.float32)
        self.weight = np.maximum(self._pooled(self.mask), 1e-3)
        self.inside: Bool = _area(self.mask) > 0.5

    def mean(self, plane: Float) -> Float:
        """float32 (rows, columns[, channels]) → (cell rows, cell columns[, channels])."""
        mask, weight = (self.mask, self.weight) if plane.ndim == 2 else (self.mask[..., None], self.weight[..., None])
        return np.asarray(self._pooled(plane * mask) / weight, np.float32)

    def cell(self, plane: Float) -> Float:
        """As :meth:`mean`, without the neighbours."""
        mask = self.mask if plane.ndim == 2 else self.mask[..., None]
        weight = np.maximum(_area(self.mask), 1e-3)
        return np.asarray(_area(plane * mask) / (weight if plane.ndim == 2 else weight[..., None]), np.float32)

    @staticmethod
    def _pooled(plane: Float) -> Float:
        return np.asarray(cv2.GaussianBlur(_area(plane), (0, 0), _RADIUS), np.float32)


def likeness(original: Float, suspect: Float, window: Window) -> StructureLikeness:
    """Correlates two pictures, float32 (rows, columns, 3), 0–255, cell by cell."""
    o, s = luma(original), luma(suspect)
    mean_o, mean_s = window.mean(o), window.mean(s)
    var_o = np.maximum(window.mean(o * o) - mean_o**2, 0)
    var_s = np.maximum(window.mean(s * s) - mean_s**2, 0)
    both = window.mean(o * s) - mean_o * mean_s
    found = both / np.sqrt((var_o + 4.0) * (var_s + 4.0))
    textured, flat = np.minimum(var_o, var_s) > 16.0, np.maximum(var_o, var_s) < 30.0
    return StructureLikeness(np.asarray(found, np.float32), np.asarray(textured), np.asarray(flat))


def residual(fit: ColourFit, suspect: Float, window: Window) -> Residual:
    """Measures the residual of a fitted pair against its own null model.

    Args:
        fit: Of the photometric mapping.
        suspect: float32 (rows, columns, 3), 0–255.
        window: Of what is visible.
    """
    predicted = fit.predicted
    like = likeness(predicted, suspect, window)
    distance = (window.mean(suspect - predicted) ** 2).mean(axis=2)
    trusted = window.inside & like.alike & (distance < 15.0**2)
    blur = _matching_blur(luma(predicted), luma(suspect), trusted & like.textured)
    if blur:
        predicted = np.asarray(cv2.GaussianBlur(predicted, (0, 0), blur), np.float32)
    masked = (suspect - predicted) * window.mask[..., None]
    rest = np.asarray(cv2.GaussianBlur(masked, (0, 0), 1.0), np.float32)
    plane, rest_luma = cv2.GaussianBlur(luma(predicted), (0, 0), 1.0), luma(rest)
    mean = window.mean(rest)
    energy = np.maximum(window.mean(rest_luma**2) - window.mean(rest_luma) ** 2, 0) + 0.05
    gx, gy = cv2.Sobel(plane, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(plane, cv2.CV_32F, 0, 1, scale=0.125)
    gxx, gxy, gyy = (window.mean(a * b) for a, b in ((gx, gx), (gx, gy), (gy, gy)))
    gradient = gxx + gyy
    shift = _shift(gxx, gxy, gyy, window.mean(gx * rest_luma), window.mean(gy * rest_luma), trusted & like.textured)
    # Ringing and displacement carry the contrast of an edge into the cells beside it.
    gradient = np.maximum(gradient, 0.5 * cv2.dilate(gradient, np.ones((3, 3), np.uint8)))
    noise, share = _null(energy[trusted], gradient[trusted])
    expected_energy = noise + share * gradient
    structure = np.log(energy / expected_energy)
    alone = window.cell(rest)
    energy = np.maximum(window.cell(rest_luma**2) - luma(alone) ** 2, 0) + 0.05
    distance = (mean**2).mean(axis=2)
    low = 1.4826 * float(np.sqrt(np.median(distance[trusted]))) if trusted.any() else 0.0
    doubt = _area(fit.doubt)
    expected = max(_COLOUR_FLOOR, min(low, _COLOUR_MOST)) ** 2 + doubt**2 + 0.02 * gradient
    colour = np.log((distance + 0.05) / expected)
    return Residual(
        np.asarray(structure, np.float32),
        np.asarray(colour, np.float32),
        np.asarray(np.log(energy / expected_energy), np.float32),
        np.asarray(np.log(((alone**2).mean(axis=2) + 0.05) / expected), np.float32),
        like,
        float(np.sqrt(noise)),
        share,
        blur,
        shift,
    )


def _area(plane: Float) -> Float:
    """Mean over each cell."""
    rows, columns = plane.shape[:2]
    return np.asarray(cv2.resize(plane, (columns // CELL, rows // CELL), interpolation=cv2.INTER_AREA), np.float32)


def _matching_blur(original: Float, suspect: Float, trusted: Bool) -> float:
    """The blur of the original that leaves the least residual where structure agrees."""
    if trusted.sum() < 20:
        return 0.0
    best, least = 0.0, np.inf
    for blur in _BLURS:
        rest = suspect - (cv2.GaussianBlur(original, (0, 0), blur) if blur else original)
        left = float(np.median((_area(rest * rest) - _area(rest) ** 2)[trusted]))
        if left < 0.97 * least:
            best, least = blur, left
        else:
            break
    return best


def _shift(gxx: Float, gxy: Float, gyy: Float, gxr: Float, gyr: Float, trusted: Bool) -> float:
    """Median length of the displacement that Lucas and Kanade's equations give in cells with structure both ways."""
    determinant = gxx * gyy - gxy * gxy
    clear = trusted & (determinant > 0.05 * (gxx + gyy) ** 2) & (gxx + gyy > 8.0)
    if clear.sum() < 10:
        return 0.0
    d, a, b, c, p, q = (plane[clear] for plane in (determinant, gxx, gxy, gyy, gxr, gyr))
    return float(np.median(np.hypot((c * p - b * q) / d, (a * q - b * p) / d)))


def _null(energy: Float, gradient: Float) -> tuple[float, float]:
    """Noise (squared grey levels) and share of gradient energy with the least truncated logarithmic misfit."""
    if energy.size < 20:
        return float(_NOISE[len(_NOISE) // 2]), float(_SHARE[len(_SHARE) // 2])
    stride = max(1, energy.size // 2000)
    log_energy, gradient = np.log(energy[::stride]), gradient[::stride]
    best, least = (0.0, 0.0), np.inf
    for noise in _NOISE:
        for share in _SHARE:
            misfit = np.abs(log_energy - np.log(noise + share * gradient))
            cost = float(np.minimum(misfit, 1.2).mean())
            if cost < least:
                best, least = (float(noise), float(share)), cost
    return best


__all__ = ["Residual", "StructureLikeness", "Window", "likeness", "residual"]

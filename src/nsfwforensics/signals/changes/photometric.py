"""Takes a colour filter away before two registered pictures are compared.

The original's colours are mapped to the suspect's by one polynomial of colour (which holds grey, sepia, saturation,
casts and tone curves) and a slow change of brightness over the frame (vignettes), fitted by iteratively reweighted
least squares with Geman and McClure's weights under a falling scale (graduated non-convexity), so that what was edited
has no say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float32]

_MOST_POINTS = 8_000
_LEAST_POINTS = 64
_SCALES = (0.12, 0.09, 0.065, 0.05, 0.04, 0.03, 0.03)
_AGREES = 0.05
_RIDGE = 2e-3


@dataclass(frozen=True, slots=True)
class Photometric:
    """What became of the colours on the way from the original to the suspect, judged by what agrees.

    Attributes:
        grey: Whether the suspect has no colour where the original has.
        brightness: Mean change of luma, in grey levels (0–255).
        contrast: Spread of luma in the suspect over that in the original.
        saturation: Spread of colour in the suspect over that in the original; 1 where the original has none.
        cast: Mean change of red, green and blue less that of luma, in grey levels.
        spread: Typical residual (median absolute, scaled to a standard deviation) of colours that agree, grey levels.
        agreeing: Share of the points given to the fit that agree with it, 0–1.
    """

    grey: bool
    brightness: float
    contrast: float
    saturation: float
    cast: tuple[float, float, float]
    spread: float
    agreeing: float


@dataclass(frozen=True, slots=True)
class ColourFit:
    """The mapping of colours.

    Attributes:
        predicted: The original in the suspect's colours, float32 (rows, columns, 3), 0–255.
        doubt: How far each pixel's colour lies from those that the fit was made on: standard deviations of the
            prediction in grey levels, float32 (rows, columns).
        summary: The figures.
    """

    predicted: Float
    doubt: Float
    summary: Photometric


def fit(original: Float, suspect: Float, trust: Float) -> ColourFit:
    """Fits the mapping and applies it.

    Args:
        original: float32 (rows, columns, 3), 0–255, registered onto the suspect.
        suspect: float32 (rows, columns, 3), 0–255.
        trust: float32 (rows, columns), 0 where the fit must not look, higher where structure agrees.
    """
    rows, columns = trust.shape
    smooth_o, smooth_s = (np.asarray(cv2.GaussianBlur(a, (0, 0), 2.0), np.float32) for a in (original, suspect))
    ys, xs = np.nonzero(trust > 0)
    if ys.size < _LEAST_POINTS:
        nothing = Photometric(False, 0.0, 1.0, 1.0, (0.0, 0.0, 0.0), 255.0, 0.0)
        return ColourFit(original, np.zeros((rows, columns), np.float32), nothing)
    stride = max(1, ys.size // _MOST_POINTS)
    ys, xs = ys[::stride], xs[::stride]
    o, s = (np.asarray(a[ys, xs] / 255.0, np.float32) for a in (smooth_o, smooth_s))
    given = trust[ys, xs].astype(np.float64)
    x, y = _places(rows, columns)
    px, py = x[xs], y[ys]
    # Clipped colours say only that the true one lies beyond; they would bend the curve.
    given = given * np.where((s > 0.99).any(1) | (s < 0.01).any(1), 0.3, 1.0)
    bases = [_terms(o, px, py, channel) for channel in range(3)]
    target = s.astype(np.float64)
    starts = _starts(bases, target, given, o, px, py)
    fits = [_reweighted(bases, target, given, o, start) for start in starts]
    coefficients, residual, weight = min(fits, key=lambda found: _cost(found[1], given))
    agree = (residual**2).mean(axis=1) < _AGREES**2
    spread = 255 * 1.4826 * float(np.median(np.abs(residual[agree]))) if agree.any() else 255.0
    curves = [_curve(target[:, c] - residual[:, c], residual[:, c], weight) for c in range(3)]
    predicted, doubt = _applied(smooth_o, original, coefficients, bases, weight, max(spread, 1.0), x, y, curves)
    return ColourFit(predicted, doubt, _summary(255 * o[agree], 255 * s[agree], spread, float(agree.mean())))


def _starts(
    bases: list[NDArray[np.float64]],
    target: NDArray[np.float64],
    given: NDArray[np.float64],
    o: NDArray[np.float32],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    """Residuals of the two simple mappings that most points agree with: of all, of none, of one ninth of the frame."""
    found = [target - o]
    cells = np.minimum((x - x.min()) * 3 / (np.ptp(x) + 1e-6), 2).astype(int) * 3
    cells += np.minimum((y - y.min()) * 3 / (np.ptp(y) + 1e-6), 2).astype(int)
    for cell in range(-1, 9):
        inside = cells == cell if cell >= 0 else np.ones(cells.size, bool)
        if inside.sum() < 60:
            continue
        simple = [
            _solved(basis[inside, :4], target[inside, c], given[inside], o[inside, c]) for c, basis in enumerate(bases)
        ]
        found.append(target - np.stack([basis[:, :4] @ k for basis, k in zip(bases, simple, strict=True)], axis=1))
    return sorted(found, key=lambda residual: _cost(residual, given))[:2]


def _cost(residual: NDArray[np.float64], given: NDArray[np.float64]) -> float:
    size = (residual**2).mean(axis=1)
    return float((given * size / (size + _AGREES**2)).sum())


def _reweighted(
    bases: list[NDArray[np.float64]],
    target: NDArray[np.float64],
    given: NDArray[np.float64],
    o: NDArray[np.float32],
    residual: NDArray[np.float64],
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients, residuals and weights after reweighting under a falling scale."""
    coefficients: list[NDArray[np.float64]] = []
    weight = given
    for scale in _SCALES:
        weight = given * (scale**2 / (scale**2 + (residual**2).mean(axis=1))) ** 2
        coefficients = [_solved(basis, target[:, c], weight, o[:, c]) for c, basis in enumerate(bases)]
        residual = target - np.stack([basis @ k for basis, k in zip(bases, coefficients, strict=True)], axis=1)
    return coefficients, residual, weight


def _places(rows: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    longest = max(rows, columns)
    across, down = (np.arange(n, dtype=np.float64) - n / 2 for n in (columns, rows))
    return np.asarray(across * (2 / longest)), np.asarray(down * (2 / longest))


def _terms(o: NDArray[np.float32], x: NDArray[np.float64], y: NDArray[np.float64], channel: int) -> NDArray[np.float64]:
    r, g, b = (o[:, c].astype(np.float64) for c in range(3))
    own = o[:, channel].astype(np.float64)
    places = (x, y, x * x, x * y, y * y)
    colours = (
        np.ones_like(r),
        r,
        g,
        b,
        r * r,
        g * g,
        b * b,
        r * g,
        r * b,
        g * b,
        own**3,
        np.sqrt(np.maximum(own, 0.0)),
    )
    return np.stack([*colours, *(p * own for p in places)], axis=1)


def _solved(
    basis: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64], own: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Ridge regression that leans towards "unchanged"."""
    start = np.zeros(basis.shape[1])
    start[1 + _own(basis, own)] = 1.0
    normal = _gram(basis, weight)
    penalty = np.full(basis.shape[1], _RIDGE * max(weight.sum(), 1e-6))
    penalty[:4] *= 0.1
    solution: NDArray[np.float64] = start + np.linalg.solve(
        normal + np.diag(penalty), (basis * (weight * (target - basis @ start))[:, None]).sum(axis=0)
    )
    return solution


def _gram(basis: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted inner products of the columns; by OpenCV, because BLAS would start threads for a matrix this small."""
    scaled = basis * np.sqrt(weight)[:, None]
    return np.asarray(cv2.mulTransposed(scaled, True), np.float64)


def _own(basis: NDArray[np.float64], own: NDArray[np.float32]) -> int:
    """Which of red, green and blue is the channel's own."""
    return int(np.argmin([np.abs(basis[:, 1 + c] - own).sum() for c in range(3)]))


def _curve(
    predicted: NDArray[np.float64], residual: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float32]:
    """What the polynomial misses of steep or clipped curves, per predicted level: float32 (256,), grey levels."""
    bins = np.clip(predicted * 32, 0, 31).astype(int)
    total = np.bincount(bins, weights=weight, minlength=32)
    missed = np.bincount(bins, weights=weight * residual, minlength=32) * 255.0
    # A bin with little support keeps to the polynomial.
    value = missed / (total + 0.01 * max(float(total.sum()), 1e-6) / 8)
    smooth = np.convolve(np.pad(value, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    centres = (np.arange(32) + 0.5) * 8
    return np.asarray(np.interp(np.arange(256), centres, np.clip(smooth, -16, 16)), np.float32)


def _applied(
    smooth: Float,
    original: Float,
    coefficients: list[NDArray[np.float64]],
    bases: list[NDArray[np.float64]],
    weight: NDArray[np.float64],
    spread: float,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    curves: list[NDArray[np.float32]],
) -> tuple[Float, Float]:
    """The polynomial at every pixel, and the standard deviation of what it predicts (of its green channel)."""
    rows, columns = original.shape[:2]
    predicted = np.empty_like(original)
    o = np.clip(original, 0, 255) / 255.0
    r, g, b = (o[..., c] for c in range(3))
    wide, high = x[None, :].astype(np.float32), y[:, None].astype(np.float32)
    for c, k in enumerate(coefficients):
        f = [np.float32(value) for value in k]
        own = o[..., c]
        gain = f[12] * wide + f[13] * high + f[14] * wide * wide + f[15] * wide * high + f[16] * high * high
        plane = f[0] + r * (f[1] + f[4] * r + f[7] * g) + g * (f[2] + f[5] * g + f[9] * b)
        plane += b * (f[3] + f[6] * b + f[8] * r) + own * (f[10] * own * own + gain) + f[11] * np.sqrt(own)
        predicted[..., c] = np.clip(255.0 * plane + curves[c][np.clip(255.0 * plane, 0, 255).astype(np.uint8)], 0, 255)
    # The leverage of a colour, on a coarse grid: far from all colours that agree, the polynomial only guesses.
    step = 8
    coarse = smooth[step // 2 :: step, step // 2 :: step]
    if not coarse.size:
        return predicted, np.zeros((rows, columns), np.float32)
    cx, cy = np.meshgrid(x[step // 2 :: step], y[step // 2 :: step])
    points = _terms(coarse.reshape(-1, 3) / 255.0, cx.ravel(), cy.ravel(), 1)
    basis = bases[1]
    normal = _gram(basis, weight) + np.eye(basis.shape[1]) * (1e-6 * max(weight.sum(), 1e-6))
    # Neighbouring points are not independent: as if one in fifty had been measured.
    leverage = np.einsum("ij,ij->i", points, np.einsum("ij,jk->ik", points, np.linalg.inv(normal))) * 50.0
    doubt = (spread * np.sqrt(np.maximum(leverage, 0))).reshape(coarse.shape[:2]).astype(np.float32)
    return predicted, np.asarray(cv2.resize(doubt, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def _summary(o: NDArray[np.float32], s: NDArray[np.float32], spread: float, agreeing: float) -> Photometric:
    if o.shape[0] < 16:
        return Photometric(False, 0.0, 1.0, 1.0, (0.0, 0.0, 0.0), spread, agreeing)
    weights = np.array([0.299, 0.587, 0.114])
    luma_o, luma_s = o @ weights, s @ weights
    colour_o = float(np.abs(o - luma_o[:, None]).mean())
    colour_s = float(np.abs(s - luma_s[:, None]).mean())
    change = (s - o).mean(axis=0)
    brightness = float((luma_s - luma_o).mean())
    cast = change - brightness
    return Photometric(
        grey=colour_s < 1.5 and colour_o > 4.0,
        brightness=brightness,
        contrast=float(luma_s.std() / max(float(luma_o.std()), 1e-3)) if luma_o.std() > 1.0 else 1.0,
        saturation=colour_s / colour_o if colour_o > 2.0 else 1.0,
        cast=(float(cast[0]), float(cast[1]), float(cast[2])),
        spread=spread,
        agreeing=agreeing,
    )


__all__ = ["ColourFit", "Photometric", "fit"]

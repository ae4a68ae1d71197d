"""Resampling: enlarging, reducing or turning leaves pixels whose smoothness comes and goes in a fixed rhythm.

A resampled picture interpolates between the original pixels, and how much it does so repeats with the ratio of the two
grids; the size of the second derivative repeats with it (Gallagher, "Detection of Linear and Cubic Interpolation in
JPEG Compressed Images", CRV 2005; Mahdian & Saic, IEEE TIFS 3:3, 2008). Here the second derivative is averaged down
the columns, and along the rows, of tiles, and its spectrum is searched for one frequency that stands out across *and*
down. That both must show the same frequency keeps most regular textures out; a rhythm that the pixels themselves have
(fabric, grids, printed screens) is told apart because it shows in the derivative with its sign too. Frequencies at and
around the multiples of 1/16 are left out: those are JPEG's blocks, the halves of chroma, and the sensor's colour
filter. So scaling by 2, 1.6, 1.45 or 4/3, whose rhythm falls on them, is not seen.

A picture resampled as a whole is no sign of anything: only a part that was, in a picture that was not, becomes a
region. Set so that untouched photographs stay silent, it finds few parts: about one in ten in lossless files, hardly
any at JPEG quality 95, none after a messenger. The map shows weaker rhythms too. Large pictures that were resized as a
whole, with a plain sky that cannot show the rhythm, are what may still deceive it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.core.messages import say
from nsfwforensics.signals.traces.trace import Trace, TraceRegion

if TYPE_CHECKING:
    from numpy.typing import NDArray

TILE = 256
"""Side of a tile in pixels: enough rhythm to measure, so smaller areas are missed."""

LEAST_SIDE = 512
"""Pictures with a shorter side, in pixels, hold too few tiles to compare."""

SEED = 150.0
"""A tile starts a region when its peak has at least this many times the power of the frequencies around it, in both
directions; more than twice the strongest measured in untouched photographs at these frequencies (66)."""

GROWTH = 15.0
"""Tiles beside it, with the same frequency, belong to it from here."""

MOST_SHARE = 0.5
"""More of the picture than this with one rhythm: it was resampled as a whole, or nearly."""

_STEP = 64
_ROWS_READ = 12_000_000  # pixels; of larger pictures every second line is read, and so on
_CAP = 12  # grey levels: stronger second derivatives are edges
_SMOOTHING = 7  # half-width in pixels of the running mean taken off a profile
_LIKE = 0.4  # of the median activity inside a region: less active tiles cannot testify
_LEAST_REST = 0.05  # share of the tiles that must be able to testify
_REST = 3.5  # the other tiles must not show the frequency at more than this, in the mean


def resampling(luma: NDArray[np.uint8]) -> Trace:
    """Looks for a part of the picture that was scaled or turned before it was put there.

    Args:
        luma: uint8 (height, width), luminance of the picture as shown.

    Returns:
        ``map``: log10 of the joint peak per cell (0 to about 3; above 1.8 it is a clear rhythm). ``score``: the same
        for the strongest tile. Regions with ``frequency`` (cycles per pixel) and ``peak`` in their data. ``frequency``,
        ``share`` of tiles with it and ``rest`` (mean peak of the other tiles) in ``data``.
    """
    height, width = luma.shape
    if min(height, width) < LEAST_SIDE:
        return Trace(reason=say("the picture is too small to compare traces of resampling from place to place"))
    step = _STEP if height * width <= _ROWS_READ else 2 * _STEP
    skip = max(1, int(np.ceil(height * width / _ROWS_READ)))
    across, across_signed = _profiles(luma, step, skip)
    down, down_signed = _profiles(luma.T, step, skip)
    used = _frequencies()
    peaks = np.minimum(_peaks(across, step, used), _peaks(down, step, used).transpose(1, 0, 2))
    signed = np.minimum(_peaks(across_signed, step, used), _peaks(down_signed, step, used).transpose(1, 0, 2))
    # A pattern of the pixels themselves shows at its own frequency, or, as absolute values double it, at half of it.
    half = signed[..., np.abs(used[:, None] / 2 - used[None]).argmin(axis=1)]
    peaks = np.where(np.maximum(signed, half) > 0.2 * peaks + 3, np.minimum(peaks, 3), peaks)
    strongest = peaks.max(axis=2)
    best = np.unravel_index(int(peaks.argmax()), peaks.shape)
    frequency = int(best[2])
    here = peaks[..., max(0, frequency - 1) : frequency + 2].max(axis=2)
    tiles = _grown(here)
    beside = cv2.dilate(tiles.astype(np.uint8), np.ones((TILE // step + 1,) * 2, np.uint8)) == 0
    # A sky shows no rhythm though it was resampled with the rest: only tiles with as much to show may testify.
    activity = np.minimum(_activity(across, step), _activity(down, step).T)
    rest = here[beside & (activity >= _LIKE * np.median(activity[tiles]))] if tiles.any() else here
    cells = (height // step, width // step)
    trace = Trace(
        score=float(np.log10(1 + strongest.max())),
        map=np.log10(1 + _over_cells(strongest, cells, step)).astype(np.float32),
        cell=step,
        data={
            "frequency": round(float(used[frequency]) / TILE, 4),
            "share": round(float((here >= GROWTH).mean()), 3),
            "rest": round(float(rest.mean()), 2) if rest.size else None,
        },
    )
    alone = rest.size >= max(4, _LEAST_REST * here.size) and rest.mean() <= _REST and tiles.mean() <= MOST_SHARE
    mask = (_over_cells(tiles.astype(np.float32), cells, step) >= 0.5) & bool(alone)
    if not mask.any():
        return trace
    return replace(trace, regions=_regions(mask, here, step, float(used[frequency]) / TILE, luma.shape), mask=mask)


def _profiles(luma: NDArray[np.uint8], step: int, skip: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean second derivative along the rows of each strip of ``step`` rows: its size, and with its sign.

    Returns:
        Twice float32 (strips, columns).
    """
    strips = luma.shape[0] // step
    size, signed = (np.zeros((strips, luma.shape[1]), np.float32) for _ in range(2))
    for strip in range(strips):
        rows = np.ascontiguousarray(luma[strip * step : (strip + 1) * step : skip]).astype(np.int16)
        second = np.clip(2 * rows[:, 1:-1] - rows[:, :-2] - rows[:, 2:], -_CAP, _CAP)
        signed[strip, 1:-1] = second.mean(axis=0)
        size[strip, 1:-1] = np.abs(second).mean(axis=0)
    return size, signed


def _frequencies() -> NDArray[np.intp]:
    """The bins of a tile's spectrum that are searched: not the slow ones, not those of JPEG and the sensor."""
    bins = np.arange(TILE // 2 + 1)
    period = TILE // 16
    off = np.abs((bins + period // 2) % period - period // 2)
    return np.flatnonzero((off > 2) & (bins > 0.11 * TILE) & (bins < 0.485 * TILE))


def _peaks(profiles: NDArray[np.float32], step: int, used: NDArray[np.intp]) -> NDArray[np.float32]:
    """Power of every tile's profile at the searched frequencies, over the median of those around it.

    Args:
        profiles: float32 (strips, columns).
        step: Side of a cell.
        used: As from :func:`_frequencies`.

    Returns:
        float32 (tiles down, tiles across, frequencies).
    """
    count = TILE // step
    sums = np.cumsum(np.vstack([np.zeros_like(profiles[:1]), profiles]), axis=0, dtype=np.float64)
    tiles = (sums[count:] - sums[:-count]) / count
    kernel = np.ones(2 * _SMOOTHING + 1) / (2 * _SMOOTHING + 1)
    padded = np.pad(tiles, ((0, 0), (_SMOOTHING, _SMOOTHING)), mode="reflect")
    smooth = np.stack([np.convolve(row, kernel, mode="valid") for row in padded])
    flat = (tiles - smooth) / np.sqrt(np.abs(smooth) + 0.05)
    windows = np.lib.stride_tricks.sliding_window_view(flat, TILE, axis=1)[:, ::step]
    power = np.abs(np.fft.rfft(windows * np.hanning(TILE), axis=2)[..., used]) ** 2
    found = np.empty(power.shape, np.float32)
    for part in np.array_split(np.arange(len(used)), 3):
        level = np.median(power[..., part], axis=2, keepdims=True) / np.log(2)  # mean of an exponential distribution
        found[..., part] = power[..., part] / (level + 1e-6)
    return found


def _activity(profiles: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Mean size of the second derivative in every tile, float32 (tiles down, tiles across)."""
    count = TILE // step
    cells = profiles[:, : profiles.shape[1] // step * step].reshape(len(profiles), -1, step).mean(axis=2)
    windows = np.lib.stride_tricks.sliding_window_view(cells, (count, count))
    return np.asarray(windows.mean(axis=(2, 3)), np.float32)


def _grown(here: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tiles from :data:`GROWTH` on that hang together with one from :data:`SEED` on."""
    count, labels = cv2.connectedComponents((here >= GROWTH).astype(np.uint8))
    seeds = np.unique(labels[here >= SEED])
    return np.asarray(np.isin(labels, seeds[seeds > 0])) if count > 1 else np.zeros(here.shape, bool)


def _over_cells(tiles: NDArray[np.float32], shape: tuple[int, int], step: int) -> NDArray[np.float32]:
    """Mean over all tiles that cover a cell."""
    count = TILE // step
    total, number = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for y in range(count):
        for x in range(count):
            total[y : y + tiles.shape[0], x : x + tiles.shape[1]] += tiles
            number[y : y + tiles.shape[0], x : x + tiles.shape[1]] += 1
    return np.asarray(total / np.maximum(number, 1), np.float32)


def _regions(
    mask: NDArray[np.bool_], here: NDArray[np.float32], step: int, frequency: float, shape: tuple[int, ...]
) -> tuple[TraceRegion, ...]:
    peak = float(here.max())
    found = []
    for x, y, width, height, _ in cv2.connectedComponentsWithStats(mask.astype(np.uint8))[2][1:].tolist():
        found.append(
            TraceRegion(
                x=x * step,
                y=y * step,
                width=min(width * step, shape[1] - x * step),
                height=min(height * step, shape[0] - y * step),
                score=float(np.log10(1 + peak)),
                data={"frequency": round(frequency, 4), "peak": round(peak, 1)},
            )
        )
    return tuple(sorted(found, key=lambda region: -region.width * region.height))


__all__ = ["GROWTH", "LEAST_SIDE", "MOST_SHARE", "SEED", "TILE", "resampling"]

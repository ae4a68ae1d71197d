"""What every method that looks for traces of editing returns, so that one table can run and one bench judge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TraceRegion:
    """One place that a method points at, in pixels of the picture as shown (EXIF orientation applied).

    Attributes:
        x: Left edge.
        y: Top edge.
        width: In pixels.
        height: In pixels.
        score: How strong the trace is; its meaning is the method's (such as -log10 of the number of false alarms).
        data: The figures behind it.
    """

    x: int
    y: int
    width: int
    height: int
    score: float
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """What one method saw in one picture.

    Attributes:
        score: One number for the whole picture, higher where editing is likelier; for ranking and measuring only.
        regions: The places that pass the method's own threshold, strongest first; empty where nothing was detected.
        mask: bool (rows, columns) of those places, in cells of ``cell`` pixels; None where there are no regions.
        map: float32 (rows, columns) of the raw signal in cells of ``cell`` pixels, for people who can read it; or None.
        cell: Side of one cell of ``mask`` and ``map`` in pixels of the picture.
        data: The figures behind it.
        reason: Why the method could not judge this picture (too small, no JPEG), or None.
    """

    score: float = 0.0
    regions: tuple[TraceRegion, ...] = ()
    mask: NDArray[np.bool_] | None = None
    map: NDArray[np.float32] | None = None
    cell: int = 1
    data: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None

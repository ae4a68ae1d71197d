"""Which of the libraries that run networks is the fast one here, told without loading any of them."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LOUD_FROM = (1, 29)
"""From this version on onnxruntime tells its maker of each use as soon as it is loaded; the requirements exclude it."""

_CPU_AVX_512VNNI = 20  # as OpenCV's interface numbers it


@cache
def bytes_are_fast() -> bool:
    """Whether networks in whole numbers run several times faster here than in float32, and exactly.

    That takes onnxruntime, which is an extra, in a version that keeps silent, and a processor that adds up products of
    bytes without cutting sums off at 16 bits (AVX-512 VNNI).
    """
    if not _is_there_and_silent() or platform.machine() not in {"x86_64", "AMD64"}:
        return False
    try:
        return "avx512_vnni" in Path("/proc/cpuinfo").read_text("ascii", "replace")
    except OSError:  # another system, or a worker that may not read it
        import cv2

        return bool(cv2.checkHardwareSupport(_CPU_AVX_512VNNI))


def _is_there_and_silent() -> bool:
    try:
        release = tuple(int(part) for part in version("onnxruntime").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return False
    return release < LOUD_FROM

"""Which of the libraries that run networks is the fast one here, told without loading any of them."""

from __future__ import annotations

import platform
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_CPU_AVX_512VNNI = 20  # as OpenCV's interface numbers it


@cache
def bytes_are_fast() -> bool:
    """Whether networks in whole numbers run several times faster here than in float32, and exactly.

    That takes onnxruntime, which is an extra, and a processor that adds up products of bytes without cutting sums off
    at 16 bits (AVX-512 VNNI).
    """
    if find_spec("onnxruntime") is None or platform.machine() not in {"x86_64", "AMD64"}:
        return False
    try:
        return "avx512_vnni" in Path("/proc/cpuinfo").read_text("ascii", "replace")
    except OSError:  # another system, or a worker that may not read it
        import cv2

        return bool(cv2.checkHardwareSupport(_CPU_AVX_512VNNI))

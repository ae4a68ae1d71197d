"""Writes dwtDct watermarks into pictures, block by block, as the producers' pipelines do."""

from __future__ import annotations

import cv2
import numpy as np
import pywt
from numpy.typing import NDArray

STEP = 36.0


def watermarked(
    rgb: NDArray[np.uint8], payload: NDArray[np.uint8], order: str = "bgr", arithmetic: str = "uint8"
) -> NDArray[np.uint8]:
    """The picture with a payload written into it.

    ``order`` says how the pixels are handed to the writer, ``arithmetic`` whether as bytes or as floats (0–255).
    """
    handed = rgb[..., ::-1] if order == "bgr" else rgb
    yuv = cv2.cvtColor(np.ascontiguousarray(handed, dtype=arithmetic.replace("float", "float32")), cv2.COLOR_BGR2YUV)
    rows, columns = (size // 4 * 4 for size in rgb.shape[:2])
    band, details = pywt.dwt2(yuv[:rows, :columns, 1], "haar")
    number = 0
    for top in range(0, band.shape[0] - 3, 4):
        for left in range(0, band.shape[1] - 3, 4):
            block = band[top : top + 4, left : left + 4]
            place = 1 + int(np.argmax(np.abs(block).ravel()[1:]))
            value = block[place // 4, place % 4]
            size = (abs(value) // STEP + 0.25 + 0.5 * payload[number % payload.size]) * STEP
            block[place // 4, place % 4] = size if value >= 0 else -size
            number += 1
    horizontal, vertical, diagonal = details
    # The library puts the first two back in each other's place. Into bytes the assignment cuts the fraction off.
    yuv[:rows, :columns, 1] = pywt.idwt2((band, (vertical, horizontal, diagonal)), "haar")
    out = cv2.cvtColor(yuv, cv2.COLOR_YUV2BGR)
    pixels = np.clip(out, 0, 255).round().astype(np.uint8) if arithmetic == "float" else out
    return np.ascontiguousarray(pixels[..., ::-1] if order == "bgr" else pixels)

"""Made photographs: coloured noise whose power falls with frequency as it does in nature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def natural(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    generator = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]) + 1 / width
    waves = generator.normal(size=(2, 3, *frequency.shape)) / frequency**1.2
    plane = np.fft.irfft2(waves[0] + 1j * waves[1], (height, width)).transpose(1, 2, 0)
    return np.clip(128 + 40 * plane / plane.std(), 0, 255).astype(np.uint8)

"""What a file tells of itself without a look at what it shows: sides, size, blockiness, and how it was saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    Pixels = NDArray[np.uint8]

FACTS = ("width", "height", "bytes per pixel", "blockiness", "JPEG quality", "chroma subsampling")
"""Names of what :func:`file_facts` gives, in its order."""

_COLOUR = {0: 1.0, 1: 0.5, 2: 0.25}
"""Share of the colour's resolution that is kept, by Pillow's number of the chroma subsampling; 1 for rare ones too."""


def file_facts(rgb: Pixels, size: int, quality: float | None, opened: Image.Image) -> tuple[float, ...]:
    """Everything that may tell two folders apart although it has nothing to do with what is shown.

    Args:
        rgb: The decoded picture, uint8 (height, width, 3).
        size: Of the file, in bytes.
        quality: Estimated JPEG quality, 1–100, or None for other formats.
        opened: The opened file.

    Returns:
        Log width, log height, log bytes per pixel, blockiness, JPEG quality (0 without), share of the colour's
        resolution that the JPEG kept (1 without).
    """
    measured = format_features(rgb, (rgb.shape[1], rgb.shape[0]), size / (rgb.shape[0] * rgb.shape[1]))
    rounded = (round(float(value), 5) for value in measured)
    return (*rounded, quality or 0.0, _COLOUR.get(sampling_of(opened), 1.0))


def format_features(rgb: Pixels, size: tuple[int, int], bytes_per_pixel: float) -> NDArray[np.float32]:
    """Width, height, file size per pixel and 8-pixel blockiness: no look at the content.

    Args:
        rgb: The picture.
        size: Width and height of the file's picture.
        bytes_per_pixel: Of the file.
    """
    green = rgb[..., 1].astype(np.int16)
    steps = np.abs(np.diff(green, axis=1)).mean(axis=0)
    phases = np.array([steps[phase::8].mean() for phase in range(min(8, len(steps)))] or [0.0])
    blockiness = float(np.log((phases.max() + 0.5) / (np.median(phases) + 0.5)))
    return np.array([np.log(size[0]), np.log(size[1]), np.log(bytes_per_pixel + 1e-3), blockiness], np.float32)


def sampling_of(image: Image.Image) -> int:
    """Chroma subsampling of an opened JPEG by Pillow's number: 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0; else -1."""
    from PIL import JpegImagePlugin

    return int(JpegImagePlugin.get_sampling(image)) if len(image.getbands()) == 3 else -1

"""The perceptual hashes of one picture, with the costly steps shared.

The values are those of the ImageHash library on the same decoded picture (and of PDQ, see :mod:`.pdq`): the library
still turns the reduced picture into bits. What is done here instead, because it takes a second per large photo there,
is exactly equivalent: reducing the picture (see :mod:`.resample`), summing the blocks that a Haar transform sums,
counting colours (see :mod:`.colors`), and labelling the bright and dark segments of the crop-resistant hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.hashing.picture.colors import count_colors
from nsfwforensics.hashing.picture.pdq import PdqHash, pdq, pdq_of_reduced
from nsfwforensics.hashing.picture.resample import Box, Reduction, reduce_many

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

_SEGMENT_SIDE = 300
_SEGMENT_THRESHOLD = 128
_SEGMENT_MINIMUM = 500
_BORDER = 4 * _SEGMENT_SIDE
_CLOSE = 1e-6
"""Far more than two ways of adding up to a million can differ by."""


@dataclass(frozen=True, slots=True)
class PerceptualHashes:
    """Hashes that change little when a picture is re-saved or resized.

    The texts are 64 bits in hexadecimal as ImageHash prints them.
    """

    difference: str
    perceptual: str
    pdq: PdqHash


@dataclass(frozen=True, slots=True)
class FurtherHashes:
    """Hashes that nothing here is found by, for exchange with others.

    The texts are hexadecimal as ImageHash prints them: 64 bits, but 42 for ``color`` and 64 for each
    comma-separated segment of ``crop_resistant``.
    """

    average: str
    wavelet: str
    color: str
    crop_resistant: str


def perceptual_hashes(image: Image.Image, full_size: tuple[int, int] | None = None) -> PerceptualHashes:
    """Computes the hashes that every picture gets.

    Args:
        image: The decoded picture, mode ``RGB`` or ``L``.
        full_size: Height and width of the full picture in pixels, where ``image`` is a reduced decode of it.

    Raises:
        ValueError: The picture has another mode.
    """
    import imagehash
    from PIL import Image

    grey, pixels = _planes(image)
    nine, thirty_two = (Image.fromarray(each) for each in reduce_many(grey, [Reduction(9, 8), Reduction(32, 32)]))
    return PerceptualHashes(
        difference=str(imagehash.dhash(nine)),
        perceptual=cosine_hash(thirty_two),
        pdq=pdq(pixels) if full_size is None else pdq_of_reduced(pixels, full_size),
    )


def cosine_hash(reduced: Image.Image) -> str:
    """Cosine hash, equal to ``str(imagehash.phash(reduced))``.

    Two products with a matrix take the place of a library that takes a quarter of a second to load. Where a
    coefficient comes close to their median, rounding inside the library decides its bit, so those pictures (flat,
    symmetrical) go through it.

    Args:
        reduced: A grey picture of 32 × 32 pixels.
    """
    import imagehash

    places = np.arange(32)
    cosines = 2 * np.cos(np.pi * np.outer(places[:8], 2 * places + 1) / 64)
    low = cosines @ np.asarray(reduced, np.float64) @ cosines.T
    below, above = np.partition(low.ravel(), (31, 32))[31:33]
    if above - below < _CLOSE:
        return str(imagehash.phash(reduced))
    return str(imagehash.ImageHash(low >= above))


def further_hashes(image: Image.Image) -> FurtherHashes:
    """Computes the other hashes of ImageHash, equal to its own.

    Args:
        image: The decoded picture, mode ``RGB`` or ``L``.

    Raises:
        ValueError: The picture has another mode.
    """
    import imagehash
    from PIL import Image

    grey, pixels = _planes(image)
    (eight,) = reduce_many(grey, [Reduction(8, 8)])
    return FurtherHashes(
        average=str(imagehash.average_hash(Image.fromarray(eight))),
        wavelet=wavelet_hash(grey),
        color=color_hash(None if image.mode == "L" else pixels, grey),
        crop_resistant=crop_resistant_hash(grey),
    )


def _planes(image: Image.Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if image.mode not in ("RGB", "L"):
        raise ValueError(f"expected an RGB or L picture, got {image.mode}")
    grey = np.asarray(image.convert("L"))
    return grey, grey if image.mode == "L" else np.asarray(image)


def wavelet_hash(grey: NDArray[np.uint8]) -> str:
    """Haar wavelet hash, equal to ``str(imagehash.whash(image))``.

    The lowest 8 × 8 Haar approximation coefficients are sums over blocks, and taking out the mean changes no
    comparison with their median. Where a block equals the median, rounding inside the transform decides its bit in the
    library, so those pictures (flat, drawn) go through it.

    Args:
        grey: uint8 (height, width).
    """
    import imagehash
    from PIL import Image

    scale = max(2 ** int(np.log2(min(grey.shape))), 8)
    reduced = Image.fromarray(grey).resize((scale, scale), Image.Resampling.LANCZOS)
    rows = np.add.reduce(np.asarray(reduced).reshape(8, scale // 8, scale), axis=1, dtype=np.uint32)
    sums = rows.reshape(8, 8, scale // 8).sum(axis=2)
    low, high = np.partition(sums.ravel(), (31, 32))[31:33]
    if low == high:
        return str(imagehash.whash(reduced, image_scale=scale))
    return str(imagehash.ImageHash(sums > low))


def color_hash(rgb: NDArray[np.uint8] | None, grey: NDArray[np.uint8]) -> str:
    """Colour hash, equal to ``str(imagehash.colorhash(image))``.

    Args:
        rgb: uint8 (height, width, 3), or None for a grey picture.
        grey: The same in grey as Pillow weighs it, uint8 (height, width).
    """
    import imagehash

    counts = count_colors(rgb, grey)
    values = [min(7, int(count / grey.size * 8)) for count in (counts.black, counts.grey)]
    hues = (*counts.faint.tolist(), *counts.bright.tolist())
    values += [min(7, int(count * 8 / max(1, counts.colored))) for count in hues]
    # Not plain binary: the library's middle bit is set from 2 on, for 4 and 5 too.
    return str(imagehash.ImageHash(np.array([[value >= 4, value >= 2, value % 2 > 0] for value in values])))


def crop_resistant_hash(grey: NDArray[np.uint8]) -> str:
    """Crop-resistant hash, equal to ``str(imagehash.crop_resistant_hash(image))``.

    Args:
        grey: uint8 (height, width).

    Returns:
        One difference hash per bright or dark segment, comma-separated; all zeros for a segment that is less than a
        pixel wide in a very narrow picture.
    """
    import imagehash
    from PIL import Image

    boxes = _segment_boxes(grey)
    small = iter(reduce_many(grey, [Reduction(9, 8, box) for box in boxes if _holds_pixels(box)]))
    empty = np.zeros((8, 9), np.uint8)
    return ",".join(
        str(imagehash.dhash(Image.fromarray(next(small) if _holds_pixels(box) else empty))) for box in boxes
    )


def _holds_pixels(box: Box) -> bool:
    return box[0] < box[2] and box[1] < box[3]


def _segment_boxes(grey: NDArray[np.uint8]) -> list[Box]:
    """Boxes around the bright, then the dark segments, in the order in which the library finds them."""
    import cv2
    from PIL import Image, ImageFilter

    side = (_SEGMENT_SIDE, _SEGMENT_SIDE)
    reduced = Image.fromarray(grey).resize(side, Image.Resampling.LANCZOS)
    bright = np.asarray(reduced.filter(ImageFilter.GaussianBlur()).filter(ImageFilter.MedianFilter())) > (
        _SEGMENT_THRESHOLD
    )
    scale_x, scale_y = grey.shape[1] / _SEGMENT_SIDE, grey.shape[0] / _SEGMENT_SIDE
    segments: list[tuple[int, ...]] = []
    # The library stops looking for dark segments when the pixels it has seen, and 1,200 outside the border that it
    # counts with them, are as many as the picture holds; it does not count segments of a single pixel.
    seen = _BORDER
    for mask, last in ((bright, False), (~bright, True)):
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
        found = np.flatnonzero(labels)
        first = np.full(len(stats), labels.size)
        first[labels.ravel()[found[::-1]]] = found[::-1]
        for label in np.argsort(first)[: len(stats) - 1]:
            if last and seen >= labels.size:
                break
            left, top, width, height, area = (int(value) for value in stats[label])
            seen += area if area > 1 else 0
            if area > _SEGMENT_MINIMUM:
                segments.append((left, top, left + width, top + height))
    if not segments:
        segments.append((0, 0, _SEGMENT_SIDE, _SEGMENT_SIDE))
    return [
        (round(left * scale_x), round(top * scale_y), round(right * scale_x), round(bottom * scale_y))
        for left, top, right, bottom in segments
    ]

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.core.hashes import MATCH_DISTANCE
from nsfwforensics.hashing.picture.pdq import (
    DIHEDRAL_NAMES,
    PdqHash,
    pdq,
    pdq_dihedral,
    pdq_of_reduced,
    pdq_samples,
)
from tests.hashing.pictures import decodable, synthetic
from tests.pictures import photo_like

pdqhash = pytest.importorskip("pdqhash", reason="the reference binding is a development dependency")


def reference(pixels: NDArray[np.uint8]) -> PdqHash:
    bits, quality = pdqhash.compute(np.ascontiguousarray(pixels))
    return PdqHash(np.packbits(bits.astype(np.uint8)).tobytes(), quality)


def compare(pictures: Iterable[tuple[str, Image.Image]]) -> Counter[int]:
    distances: Counter[int] = Counter()
    for name, image in pictures:
        pixels = np.asarray(image.convert("RGB"))
        ours, theirs = pdq(np.asarray(image)), reference(pixels)
        assert abs(ours.quality - theirs.quality) <= 1, name
        if theirs.quality >= 50:
            distance = ours.distance(theirs)
            assert distance <= 2, f"{name}: {distance} bits from the reference"
            distances[distance] += 1
    return distances


def test_equals_the_reference_on_photo_like_pictures() -> None:
    shapes = ((64, 64), (65, 130), (100, 700), (480, 640), (1_200, 801), (129, 4_000), (3_000, 70))
    pictures = [(f"{shape} {seed}", Image.fromarray(photo_like(*shape, seed))) for shape in shapes for seed in range(4)]
    distances = compare(pictures + [(f"{name} L", image.convert("L")) for name, image in pictures])
    assert distances[0] >= 0.9 * distances.total() > 20


def test_equals_the_reference_to_the_last_bit_on_small_drawn_pictures() -> None:
    number = 0
    for name, image in synthetic():
        if image.width * image.height <= 512 * 512 and min(image.size) >= 5:
            ours, theirs = pdq(np.asarray(image)), reference(np.asarray(image.convert("RGB")))
            assert ours == theirs, name
            number += 1
    assert number == 32


def test_equals_the_reference_on_the_samples(samples: Path) -> None:
    distances = compare(decodable([samples]))
    assert distances[0] >= 0.9 * distances.total() > 4


@pytest.mark.slow
@pytest.mark.shared_data
def test_equals_the_reference_on_real_pictures(shared_data: Path) -> None:
    folders = [shared_data / name for name in ("real", "faces", "exif", "fake")]
    distances = compare(decodable(folders, every=3))
    assert distances.total() > 150
    assert distances[0] >= 0.99 * distances.total()


@pytest.mark.parametrize("shape", [(1, 1), (4, 400), (400, 4), (5, 5), (1, 100_000)])
def test_tiny_pictures_are_like_the_reference(shape: tuple[int, int]) -> None:
    pixels = photo_like(*shape)
    ours, theirs = pdq(pixels), reference(pixels)
    assert ours.quality == theirs.quality
    if min(shape) < 5:
        assert (ours.bits, ours.quality, ours.usable) == (bytes(32), 0, False)


def test_a_flat_picture_has_no_usable_hash() -> None:
    result = pdq(np.full((200, 300, 3), 128, np.uint8))
    assert (result.quality, result.usable) == (0, False)


def test_survives_recompression_and_reduction_but_not_another_picture() -> None:
    picture = Image.fromarray(photo_like(900, 1_200, 3))
    smaller = picture.resize((400, 300), Image.Resampling.BICUBIC)
    original = pdq(np.asarray(picture))
    assert original.usable
    assert original.distance(pdq(np.asarray(smaller))) <= MATCH_DISTANCE
    assert original.distance(pdq(np.asarray(picture.convert("L")))) <= 6
    assert original.distance(pdq(photo_like(900, 1_200, 4))) > 80


def test_a_bright_picture_and_its_text_form() -> None:
    result = pdq(photo_like(300, 300))
    assert len(str(result)) == 64
    assert bytes.fromhex(str(result)) == result.bits
    assert result.distance(PdqHash(bytes(b ^ 0xFF for b in result.bits), 0)) == 256


def test_dihedral_hashes_find_turned_and_mirrored_copies_exactly() -> None:
    pixels = photo_like(480, 641, 9)
    hashes = dict(zip(DIHEDRAL_NAMES, pdq_dihedral(pixels), strict=True))
    assert hashes["original"] == pdq(pixels)
    image = Image.fromarray(pixels)
    turned = {
        "rotate90": Image.Transpose.ROTATE_90,
        "rotate180": Image.Transpose.ROTATE_180,
        "rotate270": Image.Transpose.ROTATE_270,
        "mirror": Image.Transpose.FLIP_LEFT_RIGHT,
        "flip": Image.Transpose.FLIP_TOP_BOTTOM,
    }
    for name, transform in turned.items():
        assert hashes[name] == pdq(np.asarray(image.transpose(transform))), name
    assert len({str(value) for value in hashes.values()}) == 8


def test_samples_of_rows_and_columns_agree() -> None:
    strip = photo_like(100, 5_000)
    tall = pdq_samples(np.ascontiguousarray(strip.swapaxes(0, 1)))
    assert np.allclose(pdq_samples(strip), tall.T, atol=1e-3)


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((0, 5), np.uint8), np.zeros((5, 5), np.float32), np.zeros((5, 5, 4), np.uint8), np.zeros(5, np.uint8)],
)
def test_other_arrays_are_refused(pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        pdq(pixels)


def test_a_reduced_picture_has_nearly_the_hash_of_the_full_one() -> None:
    full = photo_like(1_203, 1_605, 3)
    for factor in (2, 4, 8):
        small = np.asarray(Image.fromarray(full).reduce(factor))
        assert pdq_of_reduced(small, full.shape[:2]).distance(pdq(full)) <= 6


@pytest.mark.parametrize("shape", [(100, 400, 3), (400, 100), (0, 200)])
def test_too_small_a_reduction_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="reduced from"):
        pdq_of_reduced(np.zeros(shape, np.uint8), (1_000, 1_000))

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nsfwforensics.hashing.picture.colors import count_colors
from nsfwforensics.hashing.picture.perceptual import cosine_hash, further_hashes, perceptual_hashes
from nsfwforensics.hashing.picture.resample import Reduction, reduce_many
from tests.hashing.pictures import decodable, synthetic
from tests.pictures import photo_like


def check(pictures: Iterable[tuple[str, Image.Image]]) -> int:
    """Compares with the library, value by value, and returns how many pictures there were."""
    number = 0
    for name, image in pictures:
        found, further = perceptual_hashes(image), further_hashes(image)
        ours = {
            name: getattr(each, name) for each in (found, further) for name in type(each).__slots__ if name != "pdq"
        }
        theirs = {
            "average": imagehash.average_hash(image),
            "difference": imagehash.dhash(image),
            "perceptual": imagehash.phash(image),
            "wavelet": imagehash.whash(image),
            "color": imagehash.colorhash(image),
            "crop_resistant": imagehash.crop_resistant_hash(image),
        }
        assert ours == {key: str(value) for key, value in theirs.items()}, name
        number += 1
    return number


@pytest.mark.slow
def test_equals_imagehash_on_drawn_pictures_of_every_shape() -> None:
    assert check((name, image) for name, image in synthetic() if image.width * image.height < 200_000) == 40


@pytest.mark.slow
def test_equals_imagehash_on_larger_drawn_pictures() -> None:
    assert check((name, image) for name, image in synthetic() if image.width * image.height >= 200_000) == 8


@pytest.mark.slow
def test_equals_imagehash_on_the_samples(samples: Path) -> None:
    assert check(decodable([samples])) > 5


def test_the_cosine_hash_equals_the_librarys_where_coefficients_lie_at_their_median() -> None:
    flat, ramp = np.full((32, 32), 77, np.uint8), np.tile(np.arange(32, dtype=np.uint8), (32, 1))
    drawn = np.random.default_rng(4).integers(0, 256, (60, 32, 32), np.uint8)
    for each in (flat, ramp, ramp.T, np.kron(np.eye(4, dtype=np.uint8) * 255, np.ones((8, 8), np.uint8)), *drawn):
        image = Image.fromarray(each)
        assert cosine_hash(image) == str(imagehash.phash(image))


@pytest.mark.shared_data
@pytest.mark.slow
def test_equals_imagehash_on_real_pictures(shared_data: Path) -> None:
    folders = [shared_data / name for name in ("real", "faces", "exif", "fake")]
    assert check(decodable(folders, every=29)) > 25


@pytest.mark.slow
def test_every_colour_there_is_is_counted_as_by_pillow() -> None:
    """All 2²⁴ colours in shuffled blocks, so that every bound of hue and saturation is met."""
    edges = np.linspace(0, 255, 7)
    for block in range(16):
        index = np.arange(block, 1 << 24, 16, dtype=np.uint32)
        rgb = np.stack([index >> 16, index >> 8 & 255, index & 255], axis=1).astype(np.uint8).reshape(1024, 1024, 3)
        grey = np.asarray(Image.fromarray(rgb).convert("L"))
        hue, saturation, _ = np.moveaxis(np.asarray(Image.fromarray(rgb).convert("HSV")), 2, 0)
        colored = (grey >= 32) & (saturation >= 85)
        counts = count_colors(rgb, grey)
        assert (counts.black, counts.colored) == ((grey < 32).sum(), colored.sum())
        assert counts.black + counts.grey + counts.colored == rgb.shape[0] * rgb.shape[1]
        for found, mask in ((counts.faint, saturation < 170), (counts.bright, saturation > 170)):
            assert np.array_equal(found, np.histogram(hue[colored & mask], bins=edges)[0])


def test_other_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="RGBA"):
        perceptual_hashes(Image.new("RGBA", (20, 20)))
    with pytest.raises(ValueError, match="RGBA"):
        further_hashes(Image.new("RGBA", (20, 20)))


def resized(grey: np.ndarray, job: Reduction) -> np.ndarray:
    image = Image.fromarray(grey)
    if job.box:
        image = image.crop(job.box)
    return np.asarray(image.resize((job.width, job.height), Image.Resampling.LANCZOS))


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 40), st.integers(1, 40), st.data())
@settings(max_examples=150, deadline=None)
def test_reductions_are_those_of_pillow(height: int, width: int, rows: int, columns: int, data: st.DataObject) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    grey = random.integers(0, 2, (height, width), np.uint8) * 255
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = (left, top, data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height)))
    wanted = [Reduction(columns, rows), Reduction(8, 8, box), Reduction(9, 8, box)]
    for job, pixels in zip(wanted, reduce_many(grey, wanted), strict=True):
        assert np.array_equal(pixels, resized(grey, job)), job


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(3_000, 4_000), (40_000, 12), (12, 40_000), (2_000, 900)])
def test_large_and_narrow_reductions_are_those_of_pillow(shape: tuple[int, int]) -> None:
    grey = photo_like(*shape)[..., 1]
    wanted = [Reduction(8, 8), Reduction(9, 8), Reduction(32, 32)]
    for job, pixels in zip(wanted, reduce_many(grey, wanted), strict=True):
        assert np.array_equal(pixels, resized(grey, job)), job


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (0, 0, 11, 5), (-1, 0, 5, 5), (3, 4, 3, 9)])
def test_boxes_outside_or_empty_are_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="box"):
        reduce_many(np.zeros((10, 10), np.uint8), [Reduction(8, 8, box)])

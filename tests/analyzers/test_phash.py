from __future__ import annotations

import hashlib
import io

import imagehash
import pytest
from PIL import Image

from nsfwforensics.analyzers.phash import SURE_QUALITY, PerceptualHashAnalyzer
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus
from nsfwforensics.hashing.picture.perceptual import perceptual_hashes
from tests.pictures import photo_like, saved


def examine(data: bytes, **options: str) -> Outcome:
    return PerceptualHashAnalyzer(PerceptualHashAnalyzer.Options(**options), Resources()).examine(
        Evidence.from_bytes(data)
    )


def test_measures_digests_and_hashes_but_answers_nothing() -> None:
    data = saved(Image.fromarray(photo_like(400, 600)), "JPEG", quality=85)
    outcome = examine(data)
    assert outcome.status is AnalyzerStatus.MEASURED
    assert outcome.reason == "hashes computed, not compared"
    assert outcome.findings == ()
    decoded = Image.open(io.BytesIO(data))
    measured = outcome.measurements
    assert measured["md5"] == hashlib.md5(data).hexdigest()
    assert measured["sha1"] == hashlib.sha1(data).hexdigest()
    assert measured["sha256"] == hashlib.sha256(data).hexdigest()
    assert measured["phash"] == str(imagehash.phash(decoded))
    assert measured["dhash"] == str(imagehash.dhash(decoded))
    assert not {"whash", "ahash", "colorhash", "crop_resistant"} & set(measured)
    assert (len(measured["pdq"]), measured["pdq_usable"]) == (64, True)


def test_hashes_the_picture_as_it_is_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.fromarray(photo_like(300, 500))
    turned = examine(saved(picture, exif=exif)).measurements
    assert turned["phash"] == str(imagehash.phash(picture.transpose(Image.Transpose.ROTATE_270)))


def test_a_flat_picture_is_said_to_have_no_usable_pdq_hash() -> None:
    measured = examine(saved(Image.new("RGB", (200, 200), "white"))).measurements
    assert (measured["pdq_quality"], measured["pdq_usable"]) == (0, False)


@pytest.mark.parametrize("size", [(1, 1), (30_000, 10), (10, 30_000), (2, 5)])
def test_extreme_shapes_have_all_hashes(size: tuple[int, int]) -> None:
    measured = examine(saved(Image.fromarray(photo_like(size[1], size[0]))), hashes="all").measurements
    names = {"md5", "sha1", "sha256", "pdq", "phash", "dhash", "whash", "ahash", "colorhash", "crop_resistant"}
    assert {name for name, value in measured.items() if isinstance(value, str) and value} == names


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "RGBA", "1"])
def test_other_modes_are_hashed_as_decoded(mode: str) -> None:
    picture = Image.fromarray(photo_like(120, 160)).convert(mode)
    data = saved(picture, "TIFF")
    measured = examine(data, hashes="all").measurements
    assert measured["dhash"] == str(imagehash.dhash(Evidence.from_bytes(data).image))
    assert measured["colorhash"] == str(imagehash.colorhash(Evidence.from_bytes(data).image))


def test_a_broken_picture_still_has_its_digests() -> None:
    data = saved(Image.new("RGB", (64, 64)), "JPEG")[:300]
    outcome = examine(data)
    assert outcome.status is AnalyzerStatus.FAILED
    assert outcome.reason is not None and "perceptual hashes could not be computed" in outcome.reason
    assert set(outcome.measurements) == {"md5", "sha1", "sha256"}


def large_jpeg(**options: object) -> bytes:
    return saved(Image.fromarray(photo_like(1_800, 2_400)), "JPEG", quality=90, **options)


def test_a_large_jpeg_is_hashed_from_a_reduced_decode_and_hardly_differs() -> None:
    data = large_jpeg()
    measured = examine(data).measurements
    assert measured["hashed_size"] == [600, 450]
    full = perceptual_hashes(Evidence.from_bytes(data).image)
    assert bits(measured["pdq"], str(full.pdq)) <= 6
    assert bits(measured["phash"], full.perceptual) <= 4
    assert abs(measured["pdq_quality"] - full.pdq.quality) <= 2


def test_of_a_large_jpeg_the_further_hashes_are_those_of_the_full_decode() -> None:
    data = large_jpeg()
    measured = examine(data, hashes="all").measurements
    decoded = Image.open(io.BytesIO(data))
    assert measured["hashed_size"] == [600, 450]
    assert measured["whash"] == str(imagehash.whash(decoded))
    assert measured["ahash"] == str(imagehash.average_hash(decoded))
    assert measured["colorhash"] == str(imagehash.colorhash(decoded))
    assert measured["crop_resistant"] == str(imagehash.crop_resistant_hash(decoded))


def test_the_hash_depends_on_the_bytes_alone_and_not_on_what_was_decoded_before() -> None:
    data = large_jpeg()
    evidence = Evidence.from_bytes(data)
    assert evidence.rgb.shape == (1_800, 2_400, 3)
    later = PerceptualHashAnalyzer(PerceptualHashAnalyzer.Options(), Resources()).examine(evidence)
    assert later.measurements == examine(data).measurements


@pytest.mark.slow
def test_a_large_jpeg_stored_turned_is_hashed_as_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    measured = examine(large_jpeg(exif=exif)).measurements
    assert measured["hashed_size"] == [450, 600]
    full = perceptual_hashes(Evidence.from_bytes(large_jpeg(exif=exif)).image)
    assert bits(measured["pdq"], str(full.pdq)) <= 6


def test_a_large_jpeg_of_little_structure_is_hashed_in_full() -> None:
    picture = Image.new("RGB", (2_400, 1_800), "white")
    picture.paste("black", (0, 0, 300, 200))
    measured = examine(saved(picture, "JPEG")).measurements
    assert measured["pdq_quality"] < SURE_QUALITY
    assert measured["hashed_size"] == [2_400, 1_800]


@pytest.mark.slow
def test_a_truncated_large_jpeg_is_hashed_as_far_as_it_goes() -> None:
    data = large_jpeg()
    measured = examine(data[: len(data) * 2 // 3]).measurements
    assert measured["hashed_size"] == [2_400, 1_800]


def bits(left: str, right: str) -> int:
    return (int(left, 16) ^ int(right, 16)).bit_count()

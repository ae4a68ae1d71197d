from __future__ import annotations

import hashlib
import io

import imagehash
import numpy as np
import pytest
from PIL import Image

from nsfwforensics.analyzers.phash import PerceptualHashAnalyzer
from nsfwforensics.core.analyzer import AnalyzerOptions, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus
from tests.hashing.pictures import photo_like


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def examine(data: bytes) -> Outcome:
    return PerceptualHashAnalyzer(AnalyzerOptions(), Resources()).examine(Evidence.from_bytes(data))


def test_measures_digests_and_hashes_but_answers_nothing() -> None:
    data = saved(Image.fromarray(photo_like(400, 600)), "JPEG", quality=85)
    outcome = examine(data)
    assert outcome.status is AnalyzerStatus.NOT_APPLICABLE
    assert outcome.reason == "hashes computed; no list of known images was given"
    assert outcome.findings == ()
    decoded = Image.open(io.BytesIO(data))
    measured = outcome.measurements
    assert measured["md5"] == hashlib.md5(data).hexdigest()
    assert measured["sha1"] == hashlib.sha1(data).hexdigest()
    assert measured["sha256"] == hashlib.sha256(data).hexdigest()
    assert measured["phash"] == str(imagehash.phash(decoded))
    assert measured["crop_resistant"] == str(imagehash.crop_resistant_hash(decoded))
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
    measured = examine(saved(Image.fromarray(photo_like(size[1], size[0])))).measurements
    names = {"md5", "sha1", "sha256", "pdq", "phash", "dhash", "whash", "ahash", "colorhash", "crop_resistant"}
    assert {name for name, value in measured.items() if isinstance(value, str) and value} == names


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "RGBA", "1"])
def test_other_modes_are_hashed_as_decoded(mode: str) -> None:
    picture = Image.fromarray(photo_like(120, 160)).convert(mode)
    data = saved(picture, "TIFF")
    measured = examine(data).measurements
    assert measured["dhash"] == str(imagehash.dhash(Evidence.from_bytes(data).image))
    assert measured["colorhash"] == str(imagehash.colorhash(Evidence.from_bytes(data).image))


def test_a_broken_picture_still_has_its_digests() -> None:
    data = saved(Image.new("RGB", (64, 64)), "JPEG")[:300]
    outcome = examine(data)
    assert outcome.status is AnalyzerStatus.FAILED
    assert outcome.reason is not None and "perceptual hashes could not be computed" in outcome.reason
    assert set(outcome.measurements) == {"md5", "sha1", "sha256"}


def test_the_grey_picture_is_shared_and_read_only() -> None:
    evidence = Evidence.from_bytes(saved(Image.fromarray(photo_like(50, 60))))
    PerceptualHashAnalyzer(AnalyzerOptions(), Resources()).examine(evidence)
    gray: np.ndarray = evidence.derive("gray", lambda: pytest.fail("not shared"))
    assert gray.shape == (50, 60)
    assert not gray.flags.writeable

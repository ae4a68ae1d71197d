from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nsfwforensics.signals.matching.alignment import align
from nsfwforensics.signals.matching.keypoints import Keypoints, keypoints
from nsfwforensics.signals.matching.near_match import near_match
from nsfwforensics.signals.matching.signature import EDGE, LARGEST, MOST_DECODED, POINTS, decode, encode, signature


@pytest.fixture(scope="module")
def photo(samples: Path) -> np.ndarray:
    with Image.open(samples / "camera-original.jpg") as opened:
        return np.asarray(opened.convert("RGB"))


@pytest.fixture(scope="module")
def found(photo: np.ndarray) -> Keypoints:
    return keypoints(photo, POINTS, EDGE)


def test_bytes_are_bounded_and_what_decodes_is_near_what_went_in(found):
    data = encode(found)
    assert len(data) <= LARGEST == 18 + 70 * POINTS
    back = decode(data)
    assert (back.width, back.height, len(back)) == (found.width, found.height, len(found))
    assert np.abs(back.points - found.points).max() < max(found.width, found.height) / 60000
    assert np.abs(np.log2(back.scales / found.scales)).max() <= 0.5 / 16 + 1e-4
    assert np.abs((back.angles - found.angles + 180) % 360 - 180).max() <= 360 / 512 + 1e-3
    cosine = (back.descriptors.astype(float) * found.descriptors).sum(axis=1) / 512**2
    assert cosine.min() > 0.98
    assert encode(back) == data  # nothing is lost by doing it again


def test_more_points_than_a_signature_holds_are_left_out(photo):
    assert len(encode(keypoints(photo))) == LARGEST


def test_a_picture_without_structure_has_a_short_signature():
    assert len(signature(np.full((64, 64, 3), 9, np.uint8))) == 0
    assert len(encode(keypoints(np.full((64, 64, 3), 9, np.uint8)))) == 18


def test_signatures_align_a_turned_mirrored_crop_with_its_original(photo, found):
    height, width = photo.shape[:2]
    part = photo[height // 10 : height * 8 // 10, width // 8 : width * 9 // 10]
    suspect = np.asarray(
        Image.fromarray(np.ascontiguousarray(part[:, ::-1])).rotate(7, Image.Resampling.BICUBIC, expand=True)
    )
    aligned = align(decode(encode(found)), signature(suspect))
    assert aligned is not None and aligned.mirrored
    middle = aligned.matrix @ [suspect.shape[1] / 2, suspect.shape[0] / 2, 1]
    expected = width * (1 / 8 + 9 / 10) / 2, height * (1 / 10 + 8 / 10) / 2
    assert np.hypot(*(middle[:2] / middle[2] - expected)) < 0.01 * width


def test_a_frame_in_common_is_not_enough(photo, samples):
    with Image.open(samples / "no-face.jpg") as opened:
        other = opened.convert("RGB")
    screens = []
    for content in (Image.fromarray(photo), other):
        screen = Image.open(samples / "reference.jpg").convert("RGB").resize((720, 1280))
        screen.paste(content.resize((720, 900)), (0, 190))  # what is left of the first picture plays the frame
        screens.append(signature(np.asarray(screen)))
    assert align(*screens, related=True) is not None
    assert near_match(*screens) is None
    assert near_match(screens[0], screens[0]) is not None


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"NKP",
        b"XXX\x01" + bytes(14),
        struct.pack("<3sBIIfH", b"NKP", 2, 10, 10, 1.0, 0),
        struct.pack("<3sBIIfH", b"NKP", 1, 0, 10, 1.0, 0),
        struct.pack("<3sBIIfH", b"NKP", 1, 10, 1 << 30, 1.0, 0),
        struct.pack("<3sBIIfH", b"NKP", 1, 10, 10, float("nan"), 0),
        struct.pack("<3sBIIfH", b"NKP", 1, 10, 10, 0.5, 0),
        struct.pack("<3sBIIfH", b"NKP", 1, 10, 10, 1.0, 1),
        struct.pack("<3sBIIfH", b"NKP", 1, 10, 10, 1.0, 5000) + bytes(5000 * 70),
    ],
)
def test_what_is_no_signature_is_refused(broken):
    with pytest.raises(ValueError, match=r"signature"):
        decode(broken)


def test_a_picture_out_of_range_cannot_be_encoded(found):
    with pytest.raises(ValueError, match="no signature"):
        encode(replace(found, width=1 << 25))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 20), st.floats(1, 1000, width=32))
def test_hostile_bytes_are_refused_or_give_sound_keypoints(noise, count, reduction):
    body = (noise * (count * 70 // max(1, len(noise)) + 1))[: count * 70].ljust(count * 70, b"\xff")
    for data in (noise, struct.pack("<3sBIIfH", b"NKP", 1, 640, 480, reduction, count) + body):
        try:
            points = decode(data)
        except ValueError:
            continue
        assert len(points) <= MOST_DECODED
        assert np.isfinite(points.points).all() and np.isfinite(points.scales).all() and (points.scales > 0).all()
        assert ((points.angles >= 0) & (points.angles < 360)).all()
        assert (points.points > -3).all() and (points.points < np.array([643, 483])).all()
        align(points, points, related=True)  # never fails, whatever the bytes were

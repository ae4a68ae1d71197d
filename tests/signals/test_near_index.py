from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.signals.matching.codes import codes
from nsfwforensics.signals.matching.keypoints import Keypoints, keypoints
from nsfwforensics.signals.matching.near_index import NearIndex
from nsfwforensics.signals.matching.near_match import common_share
from nsfwforensics.signals.matching.signature import decode, encode
from tests.pictures import natural

COUNT = 12


def points(picture: np.ndarray) -> Keypoints:
    return decode(encode(keypoints(picture, 150, 256)))


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [natural(240, 320, seed) for seed in range(COUNT)]


@pytest.fixture(scope="module")
def signatures(pictures) -> list[bytes]:
    return [encode(points(picture)) for picture in pictures]


@pytest.fixture(scope="module")
def index(signatures) -> NearIndex:
    filled = NearIndex()
    for number, signature in enumerate(signatures):
        assert filled.add(signature) == number
    return filled


def test_every_picture_finds_itself_first(index, pictures):
    assert len(index) == COUNT
    for number in range(0, COUNT, 5):
        assert index.candidates(index.keypoints(number))[0] == (number, (False,))


def test_a_crop_a_tilt_and_a_mirror_find_their_picture_and_nothing_else(index, pictures):
    picture = Image.fromarray(pictures[7])
    changed = {
        "crop": picture.crop((40, 30, 290, 220)),
        "tilt": picture.rotate(6, Image.Resampling.BICUBIC),
        "mirror": picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "small": picture.resize((200, 150), Image.Resampling.LANCZOS),
    }
    for name, suspect in changed.items():
        hits = index.search(points(np.asarray(suspect)))
        assert [number for number, _ in hits] == [7], name
        assert hits[0][1].mirrored == (name == "mirror")
        assert hits[0][1].score > 12


def test_an_unknown_picture_finds_nothing(index):
    assert index.search(points(natural(240, 320, 1000))) == []


def test_no_pictures_no_points_no_answers(index, signatures):
    assert NearIndex().search(decode(signatures[0])) == []
    assert index.search(points(np.zeros((50, 50, 3), np.uint8))) == []
    flat = NearIndex()
    flat.add(encode(points(np.zeros((50, 50, 3), np.uint8))))
    assert flat.search(decode(signatures[0])) == []


def test_what_is_added_after_a_search_is_found_and_the_order_does_not_matter(signatures):
    one, other = NearIndex(), NearIndex()
    for number in range(6):
        one.add(signatures[number])
        one.candidates(decode(signatures[0]))  # the tables are made, and made again
    for number in reversed(range(6)):
        other.add(signatures[number])
    for number in range(6):
        asked = decode(signatures[number])
        assert one.candidates(asked)[0].number == number
        assert other.candidates(asked)[0].number == 5 - number


def test_a_damaged_signature_is_refused_and_leaves_the_index_as_it_was(signatures):
    index = NearIndex()
    index.add(signatures[0])
    with pytest.raises(ValueError, match="damaged"):
        index.add(signatures[1][:-1])
    assert len(index) == 1
    assert index.search(decode(signatures[0]))[0][0] == 0


def test_codes_of_like_descriptors_are_near_and_of_others_are_not(pictures):
    first, other = points(pictures[0]).descriptors, points(pictures[1]).descriptors
    noisy = np.clip(first.astype(int) + np.random.default_rng(0).normal(0, 8, first.shape), 0, 255).astype(np.uint8)
    apart = [
        np.bitwise_count(codes(first).bits ^ codes(second[: len(first)]).bits[: len(first)]).sum(axis=1)
        for second in (noisy, np.resize(other, first.shape))
    ]
    assert np.median(apart[0]) < 20 < 40 < np.median(apart[1])


def test_a_picture_that_floods_the_tables_does_not_hide_others(signatures):
    index = NearIndex()
    target = index.add(signatures[0])
    same = decode(signatures[1])
    flood = Keypoints(
        same.points, same.scales, same.angles, np.repeat(same.descriptors[:1], len(same), axis=0), 320, 240, 1.25
    )
    for _ in range(30):
        index.add(encode(flood))
    assert [number for number, _ in index.search(decode(signatures[0]))] == [target]


def test_the_common_share_of_two_halves_is_nothing():
    half = np.array([[1.0, 0, 100], [0, 1, 0], [0, 0, 1]])
    assert common_share(np.eye(3), (100, 100), (50, 100)) == pytest.approx(1.0, abs=0.02)
    assert common_share(half, (100, 100), (100, 100)) == pytest.approx(0.0, abs=0.02)


def test_a_picture_of_very_many_copies_finds_them_by_its_own_votes():
    points = keypoints(natural(200, 300, 3), 40, 384)
    index = NearIndex()
    for _ in range(300):
        index.add(encode(points.first(40)))
    index.add(encode(keypoints(natural(200, 300, 4), 40, 384)))
    asked = index.keypoints(0)
    assert len(asked) == 40
    assert index.candidates(asked, 1000) == []
    assert sorted(one.number for one in index.candidates(asked, 1000, known=0)) == list(range(300))

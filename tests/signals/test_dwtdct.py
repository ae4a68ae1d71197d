from __future__ import annotations

import cv2
import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.watermark_writer import watermarked

from nsfwforensics.signals import dwtdct
from nsfwforensics.signals.dwtdct import _FLOAT_ZERO, MOST_PIXELS, STEP, bits, match, readings, shares
from tests.pictures import natural

PAYLOAD = bits("1100101001110100011011100101")


def by_hand(rgb: np.ndarray, order: str) -> list[int]:
    """The votes of the 8-bit arithmetic, block by block and pixel by pixel, from the formulas alone."""
    red, green, blue = (rgb[..., channel].astype(float) for channel in (range(3) if order == "bgr" else (2, 1, 0)))
    u = np.round(0.492 * (blue - (0.299 * red + 0.587 * green + 0.114 * blue)) + 128)
    votes = []
    for top in range(0, rgb.shape[0] // 8 * 8, 8):
        for left in range(0, rgb.shape[1] // 8 * 8, 8):
            means = [
                2 * u[top + 2 * y : top + 2 * y + 2, left + 2 * x : left + 2 * x + 2].mean()
                for y in range(4)
                for x in range(4)
            ]
            votes.append(int(max(means[1:], key=abs) % 36 > 18))
    return votes


@pytest.mark.parametrize("height", [256, 300, 388])
def test_votes_of_strips_are_those_of_the_whole(height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = natural(height, 280)
    strips = readings(pixels)
    monkeypatch.setattr(dwtdct, "_STRIP", height)
    for found, whole in zip(strips, readings(pixels), strict=True):
        assert (found.order, found.arithmetic) == (whole.order, whole.arithmetic)
        np.testing.assert_array_equal(found.votes, whole.votes)


@pytest.mark.parametrize("order", ["bgr", "rgb"])
def test_votes_are_those_of_the_formulas(order: str) -> None:
    pixels = natural(264, 300)
    found = {(reading.order, reading.arithmetic): reading.votes for reading in readings(pixels)}
    expected = np.array(by_hand(pixels, order))
    assert found[(order, "uint8")].shape == expected.shape
    assert (found[(order, "uint8")] == expected).mean() > 0.98  # rounding of U differs by one here and there


@pytest.mark.parametrize("shape", [(256, 256), (263, 341), (701, 512)])
def test_sums_of_pixels_are_the_bands_of_the_general_transform(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (*shape, 3), np.uint8)
    pixels[40:80] = natural(40, shape[1])
    whole = pixels[: shape[0] // 4 * 4, : shape[1] // 4 * 4]
    for order, conversion in (("bgr", cv2.COLOR_RGB2YUV), ("rgb", cv2.COLOR_BGR2YUV)):
        band, _ = pywt.dwt2(cv2.cvtColor(np.ascontiguousarray(whole), conversion)[..., 1].astype(np.float64), "haar")
        band = np.round(2 * band[: band.shape[0] // 4 * 4, : band.shape[1] // 4 * 4]) / 2
        blocks = band.reshape(band.shape[0] // 4, 4, -1, 4).transpose(0, 2, 1, 3).reshape(-1, 16)[:, 1:]
        most, least = blocks.max(axis=1), blocks.min(axis=1)
        either = np.maximum(most - _FLOAT_ZERO, _FLOAT_ZERO - least)
        found = {reading.arithmetic: reading.votes for reading in readings(pixels) if reading.order == order}
        np.testing.assert_array_equal(found["uint8"], most % STEP > STEP / 2)
        np.testing.assert_array_equal(found["float"], either % STEP > STEP / 2)


@pytest.mark.parametrize("order", ["bgr", "rgb"])
@pytest.mark.parametrize("arithmetic", ["uint8", "float"])
@pytest.mark.parametrize("shape", [(256, 256), (263, 341), (512, 300)])
def test_what_was_written_is_read_in_the_same_way(order: str, arithmetic: str, shape: tuple[int, int]) -> None:
    marked = watermarked(natural(*shape, seed=3), PAYLOAD, order, arithmetic)
    for reading in readings(marked):
        if (reading.order, reading.arithmetic) == (order, arithmetic):
            found = match(reading.votes, PAYLOAD)
            assert found.correlation > 0.95
            assert found.contrast > 0.5
            assert found.length == PAYLOAD.size


def test_float_marks_are_missed_by_the_byte_reading_in_pictures_with_little_blue() -> None:
    pixels = natural(512, 512, seed=5)
    pixels[..., 2] //= 2
    marked = watermarked(pixels, PAYLOAD, "bgr", "float")
    found = {(r.order, r.arithmetic): match(r.votes, PAYLOAD).correlation for r in readings(marked)}
    assert found[("bgr", "float")] > 0.95
    assert found[("bgr", "uint8")] < 0.5


def test_an_unmarked_picture_spells_nothing() -> None:
    for seed in range(6):
        assert all(abs(match(r.votes, PAYLOAD).correlation) < 0.75 for r in readings(natural(320, 320, seed)))


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (255, 0, 0), (13, 90, 201)])
def test_a_flat_picture_spells_nothing(colour: tuple[int, int, int]) -> None:
    pixels = np.full((300, 400, 3), colour, np.uint8)
    for reading in readings(pixels):
        found = match(reading.votes, PAYLOAD)
        assert (found.correlation, found.contrast) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(255, 255), (1, 1), (7, 30_000), (30_000, 7)])
def test_too_small_to_be_marked(shape: tuple[int, int]) -> None:
    assert readings(np.zeros((*shape, 3), np.uint8)) == ()


def test_reads_no_more_rows_than_the_limit() -> None:
    width = 2048
    pixels = np.zeros((3000, width, 3), np.uint8)
    (first, *_) = readings(pixels)
    assert first.votes.size <= MOST_PIXELS // 64
    assert first.votes.size == MOST_PIXELS // width // 8 * (width // 8)


def test_the_top_of_a_tall_picture_carries_the_payload_alone() -> None:
    marked = watermarked(natural(512, 320, seed=2), PAYLOAD)
    assert match(readings(marked[:256])[0].votes, PAYLOAD).correlation > 0.95


@pytest.mark.parametrize("offset", [(0, 4), (4, 0), (2, 2)])
def test_another_grid_hides_it(offset: tuple[int, int]) -> None:
    marked = watermarked(natural(400, 400, seed=4), PAYLOAD)[offset[0] :, offset[1] :]
    assert all(match(r.votes, PAYLOAD).correlation < 0.75 for r in readings(marked))


def test_bits_of_bytes_have_the_highest_first() -> None:
    assert bits(b"\x81\x02").tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    assert bits("0110").tolist() == [0, 1, 1, 0]


@given(st.integers(1, 64), st.integers(1, 10), st.integers(0, 63), st.integers(0, 2**32 - 1))
def test_shares_count_every_block_once(length: int, rounds: int, rest: int, seed: int) -> None:
    votes = np.random.default_rng(seed).integers(0, 2, length * rounds + rest % length).astype(np.uint8)
    expected = [votes[index::length].mean() for index in range(length)]
    assert np.allclose(shares(votes, length), expected)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(64, 4000))
def test_matches_stay_in_range(seed: int, blocks: int) -> None:
    generator = np.random.default_rng(seed)
    votes = (generator.random(blocks) < generator.random()).astype(np.uint8)
    found = match(votes, PAYLOAD)
    assert -1.0 <= round(found.correlation, 9) <= 1.0
    assert -1.0 <= found.contrast <= 1.0
    assert 0 <= found.bits <= found.length


def test_votes_that_spell_the_payload_match_it_fully() -> None:
    found = match(np.tile(PAYLOAD, 20), PAYLOAD)
    assert found.correlation == pytest.approx(1.0)
    assert (found.contrast, found.bits) == (1.0, PAYLOAD.size)
    opposite = match(1 - np.tile(PAYLOAD, 20), PAYLOAD)
    assert opposite.correlation == pytest.approx(-1.0)
    assert (opposite.contrast, opposite.bits) == (-1.0, 0)


def test_blocks_that_lean_one_way_do_not_hide_a_payload() -> None:
    votes = np.tile(PAYLOAD, 60)
    votes[np.random.default_rng(1).random(votes.size) < 0.7] = 0  # pale areas vote 0, whatever was written
    found = match(votes, PAYLOAD)
    assert found.bits < PAYLOAD.size - 8
    assert found.correlation > 0.95

"""Plain, light ground around what a picture shows."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nsfwforensics.models.synthesis.canonical import whole
from nsfwforensics.models.synthesis.classifier import WholeScore
from nsfwforensics.models.synthesis.ground import _lab, on_plain_ground
from nsfwforensics.models.synthesis.preprocess import recompressed
from tests.pictures import noise


def standing(tone: tuple[int, int, int], height: int = 800, width: int = 600) -> NDArray[np.uint8]:
    """Something with much texture from top to bottom, with ground of one tone at its sides, a little lighter above."""
    rgb = np.clip(np.array(tone) - np.linspace(0, 12, height)[:, None, None], 0, 255).astype(np.uint8).repeat(width, 1)
    rgb[:, width // 3 : 2 * width // 3] = noise(height, width // 3, 0)
    return rgb


@pytest.mark.parametrize(
    ("tone", "plain"),
    [
        ((250, 250, 250), True),
        ((205, 200, 198), True),
        ((120, 170, 235), False),  # sky
        ((60, 60, 60), False),  # night
    ],
)
def test_ground_is_plain_where_it_is_even_light_and_without_much_colour(
    tone: tuple[int, int, int], plain: bool
) -> None:
    rgb = standing(tone)
    assert on_plain_ground(whole(rgb)) is plain
    assert on_plain_ground(whole(recompressed(rgb[::2, ::2], 40))) is plain, "saved again, smaller"


def test_texture_up_to_the_border_is_no_plain_ground() -> None:
    assert not on_plain_ground(whole(noise(500, 500, 1)))


def test_a_thin_frame_is_no_ground() -> None:
    framed = np.full((500, 500, 3), 255, np.uint8)
    framed[12:-12, 12:-12] = noise(476, 476, 1)
    assert not on_plain_ground(whole(framed))


def test_ground_decides_on_the_state_where_it_was_measured_and_no_face_is_shown_close_up() -> None:
    states = ("as_is", "portrait", "plain_ground")
    assert WholeScore(0.0, plain_ground=True).state("as_is", states) == "plain_ground"
    assert WholeScore(0.0, plain_ground=True).state("as_is", states[:2]) == "as_is"
    assert WholeScore(0.0, portrait=True, plain_ground=True).state("as_is", states) == "portrait"
    assert WholeScore(0.0).state("large", states) == "large"


def test_colours_are_those_of_opencv() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    assert (_lab(rgb) != cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)).mean() < 0.001

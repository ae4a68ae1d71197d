from __future__ import annotations

import numpy as np
import pytest

from nsfwforensics.signals.traces.ghosts import ghosts
from tests.signals.test_double_quantisation import coefficients, opened, saved, scene

pytest.importorskip("jpeglib", reason="jpeglib has no wheel for this platform")


def haunted(inner: int, last: int) -> bytes:
    """A picture saved once, with a place on its grid that was saved before."""
    pixels = scene()
    pixels[160:320, 240:440] = opened(saved(pixels, inner))[160:320, 240:440]
    return saved(pixels, last)


@pytest.mark.parametrize(("inner", "last"), [(60, 90), (70, 95), (50, 85)])
def test_the_map_stands_out_where_a_place_was_saved_before(inner: int, last: int) -> None:
    trace = ghosts(*coefficients(haunted(inner, last)))
    assert trace.map is not None and trace.map.shape == (60, 80) and trace.map.dtype == np.float32
    inside, outside = trace.map[22:38, 32:53].mean(), np.median(trace.map)
    assert inside > outside + 0.3
    depths = trace.data["depth_by_quality"]
    assert abs(max(depths, key=lambda quality: depths[quality]) - inner) <= 5


def test_it_never_has_regions() -> None:
    for data in (haunted(60, 90), saved(scene(), 80), saved(opened(saved(scene(), 60)), 90)):
        trace = ghosts(*coefficients(data))
        assert trace.regions == () and trace.mask is None


def test_a_haunted_picture_scores_higher_than_the_same_without() -> None:
    assert ghosts(*coefficients(haunted(60, 90))).score > ghosts(*coefficients(saved(scene(), 90))).score


@pytest.mark.parametrize("side", [1, 16, 40])
def test_small_pictures_have_a_reason(side: int) -> None:
    assert ghosts(*coefficients(saved(scene()[:side, :side], 80))).reason


def test_plain_pictures_have_a_reason() -> None:
    assert "plain" in (ghosts(*coefficients(saved(np.full((200, 200, 3), 70, np.uint8), 80))).reason or "")

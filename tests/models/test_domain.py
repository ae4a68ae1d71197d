from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from nsfwforensics.core.messages import Message
from nsfwforensics.models.synthesis.calibration import cached_calibration
from nsfwforensics.models.synthesis.domain import NAMES, TRAITS, Domain, look
from nsfwforensics.models.synthesis.preprocess import recompressed

Pixels = NDArray[np.uint8]
SAMPLES = Path(__file__).parents[2] / "samples"


def photograph(seed: int = 0, height: int = 480, width: int = 640) -> Pixels:
    """Soft light and shade with a natural spectrum, three correlated colours and a little grain."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]) + 1 / width
    planes = [np.fft.irfft2(np.fft.rfft2(rng.normal(size=(height, width))) / frequency**1.3) for _ in range(3)]
    common, first, second = (plane / plane.std() for plane in planes)
    rgb = np.stack([common + 0.4 * first, common, common - 0.3 * first + 0.4 * second], axis=2)
    return np.clip(118 + 42 * rgb + rng.normal(0, 3, rgb.shape), 0, 255).astype(np.uint8)


def page() -> Pixels:
    image = Image.new("RGB", (620, 880), "white")
    draw = ImageDraw.Draw(image)
    for line in range(52):
        words = ("committee", "annual", "report", "of", "the", "river", "spending", "letters", "and")
        text = " ".join(words[(line * 7 + place * 5) % len(words)] for place in range(13))
        draw.text((50, 40 + 15 * line), text, fill=(20, 20, 25))
    return np.asarray(image)


def drawing() -> Pixels:
    image = Image.new("RGB", (640, 480), (250, 250, 245))
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 220, 320, 440), fill=(205, 80, 60), outline=(0, 0, 0), width=5)
    draw.polygon(((40, 220), (190, 90), (340, 220)), fill=(110, 60, 40), outline=(0, 0, 0))
    draw.ellipse((460, 40, 580, 160), fill=(255, 215, 0), outline=(0, 0, 0), width=4)
    draw.rectangle((0, 440, 640, 480), fill=(70, 160, 70))
    return np.asarray(image)


def screenshot() -> Pixels:
    image = Image.new("RGB", (900, 640), (246, 247, 249))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 900, 44), fill=(26, 115, 232))
    draw.rectangle((0, 44, 180, 640), fill=(228, 230, 235))
    for row in range(20):
        draw.text((20, 60 + 28 * row), f"Folder {row} of the archive", fill=(50, 50, 60))
        draw.text((210, 60 + 28 * row), f"A message about letter {row}, sent to every household", fill=(20, 20, 20))
        draw.line((190, 80 + 28 * row, 890, 80 + 28 * row), fill=(220, 220, 220))
    return np.asarray(image)


def chart() -> Pixels:
    image = Image.new("RGB", (800, 560), "white")
    draw = ImageDraw.Draw(image)
    for place in range(12):
        draw.rectangle((80 + 56 * place, 480 - 31 * place, 120 + 56 * place, 480), fill=(78, 121, 167))
        draw.text((84 + 56 * place, 490), f"Q{place}", fill=(0, 0, 0))
    draw.line((70, 40, 70, 480), fill=(0, 0, 0), width=2)
    draw.line((70, 480, 780, 480), fill=(0, 0, 0), width=2)
    return np.asarray(image)


@pytest.fixture(scope="module")
def shipped() -> Domain:
    domain = cached_calibration(None).domain
    assert domain is not None
    return domain


@pytest.mark.parametrize("make", [page, drawing, screenshot, chart])
@pytest.mark.parametrize("quality", [None, 60])
def test_pictures_that_are_no_photographs_are_ruled_out(
    shipped: Domain, make: Callable[[], Pixels], quality: int | None
) -> None:
    pixels = make() if quality is None else recompressed(make(), quality)
    words = shipped.ruled_out(pixels)
    assert isinstance(words, Message)
    assert "rather than a photograph" in words
    assert words.values["traits"], "the report must say why"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("quality", [None, 60, 40])
def test_soft_pictures_with_grain_pass(shipped: Domain, seed: int, quality: int | None) -> None:
    pixels = photograph(seed)
    assert shipped.ruled_out(pixels if quality is None else recompressed(pixels, quality)) is None


@pytest.mark.parametrize("name", ["reference.jpg", "camera-original.jpg", "other-person.jpg", "no-face.jpg"])
def test_the_sample_photographs_pass(shipped: Domain, name: str) -> None:
    with Image.open(SAMPLES / name) as image:
        assert shipped.ruled_out(np.asarray(image.convert("RGB"))) is None


def test_the_reason_names_what_is_there(shipped: Domain) -> None:
    for make in (page, drawing, chart):
        traits = shipped.traits(look(make()))
        assert traits
        assert set(traits) <= set(TRAITS)


def test_measurements_hardly_change_with_size(shipped: Domain) -> None:
    large = cv2.resize(photograph(5, 960, 1280), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(large, (1280, 960), interpolation=cv2.INTER_AREA)
    assert np.abs(look(large) - look(small)).max() < 0.15


@settings(deadline=None, max_examples=30)
@given(st.integers(16, 60), st.integers(16, 900), st.sampled_from(["flat", "noise", "stripes"]))
def test_any_picture_can_be_measured(height: int, width: int, kind: str) -> None:
    pixels = np.zeros((height, width, 3), np.uint8)
    if kind == "noise":
        pixels = np.random.default_rng(height).integers(0, 256, pixels.shape, dtype=np.uint8)
    elif kind == "stripes":
        pixels[:, ::2] = 255
    measured = look(pixels)
    assert measured.shape == (len(NAMES),)
    assert np.isfinite(measured).all()


@pytest.mark.parametrize("shape", [(16, 60_000, 3), (60_000, 16, 3), (64, 70_000, 3), (3000, 2100, 3)])
def test_large_and_very_long_pictures_can_be_measured(shape: tuple[int, int, int]) -> None:
    assert np.isfinite(look(np.full(shape, 90, np.uint8))).all()


def test_a_large_picture_is_judged_as_a_small_one(shipped: Domain) -> None:
    picture = photograph(3, 600, 800)
    large = np.asarray(cv2.resize(picture, (4800, 3600), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert shipped.score(look(large)) == pytest.approx(shipped.score(look(picture)), abs=0.3)


def test_a_border_survives_writing(shipped: Domain) -> None:
    again = Domain.from_plain(json.loads(json.dumps(shipped.plain())))
    for pixels in (page(), photograph()):
        assert again.score(look(pixels)) == pytest.approx(shipped.score(look(pixels)), abs=1e-3)


@pytest.mark.parametrize("spoil", ["missing", "short", "zero", "words"])
def test_a_spoilt_border_is_refused(shipped: Domain, spoil: str) -> None:
    content = shipped.plain()
    rows = content["measurements"]
    if spoil == "missing":
        del rows[NAMES[0]]
    else:
        rows[NAMES[0]] = {"short": [1.0], "zero": [0.0, 0.0, 0.0, 0.0], "words": ["a", "b", "c", "d"]}[spoil]
    with pytest.raises((KeyError, ValueError)):
        Domain.from_plain(content)


@pytest.mark.parametrize("make", [photograph, page, lambda: np.full((64, 64, 3), 200, np.uint8)])
def test_colours_are_those_counted_pixel_by_pixel(make: Callable[[], Pixels]) -> None:
    rgb = make()[:64, :96]
    pixels = [tuple(int(value) for value in pixel) for pixel in rgb.reshape(-1, 3)]
    steps = [tuple(value // 8 for value in pixel) for pixel in pixels]
    shares = np.array(sorted((steps.count(each) / len(steps) for each in set(steps)), reverse=True))
    found = dict(zip(NAMES, look(rgb), strict=True))
    vivid = sum(max(pixel) - min(pixel) >= 180 for pixel in pixels) / len(pixels)
    assert found["colours_90"] == np.log(np.searchsorted(np.cumsum(shares), 0.9) + 1)
    assert found["colour_entropy"] == pytest.approx(-(shares * np.log2(shares)).sum())
    assert found["commonest_colour"] == pytest.approx(shares[0] ** 0.5)
    assert found["pure_colour"] == pytest.approx(vivid**0.5)

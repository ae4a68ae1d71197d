"""What is no photograph by its content: told by the network's embedding, and never judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from nsfwforensics.errors import WeightsError
from nsfwforensics.models.synthesis import canonical
from nsfwforensics.models.synthesis.classifier import SynthesisClassifier, cached_classifier
from nsfwforensics.models.synthesis.domain_probe import FILE, LENGTH, DomainProbe, domain_probe
from nsfwforensics.models.weights import weights_folder

Pixels = NDArray[np.uint8]
SAMPLES = Path(__file__).parents[2] / "samples"


def chart() -> Pixels:
    """Noisy lines on a dark ground with letters beside them."""
    image = Image.new("RGB", (720, 540), (24, 26, 34))
    draw = ImageDraw.Draw(image)
    random = np.random.default_rng(3)
    draw.line([(70, 40), (70, 470), (690, 470)], fill=(200, 200, 200), width=2)
    for level in range(8):
        draw.line([(70, 470 - 54 * level), (690, 470 - 54 * level)], fill=(60, 62, 72))
        draw.text((38, 464 - 54 * level), str(10 * level), fill=(210, 210, 210))
    for colour in ((230, 120, 60), (90, 170, 240), (120, 200, 110)):
        heights = 255 + np.cumsum(random.normal(0, 9, 104))
        draw.line([(70 + 6 * x, float(y)) for x, y in enumerate(heights)], fill=colour, width=3)
    draw.text((300, 500), "days since the first letter", fill=(210, 210, 210))
    draw.text((300, 15), "Letters received", fill=(230, 230, 230))
    return np.asarray(image)


def shaded_drawing() -> Pixels:
    """A house with soft shades and grain, which has neither few colours nor even areas."""
    image = Image.new("RGB", (640, 480), (150, 190, 235))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 330, 640, 480), fill=(90, 150, 70))
    draw.rectangle((170, 210, 430, 400), fill=(215, 170, 120), outline=(60, 40, 30), width=6)
    draw.polygon(((140, 215), (300, 90), (460, 215)), fill=(160, 60, 50), outline=(60, 30, 30))
    for left in (200, 350):
        draw.rectangle((left, 250, left + 50, 300), fill=(240, 230, 150), outline=(60, 40, 30), width=4)
    draw.ellipse((520, 40, 590, 110), fill=(255, 225, 90), outline=(200, 150, 40), width=3)
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(1.5)), np.float64)
    shade = np.linspace(-25, 25, 640)[None, :, None] + np.random.default_rng(0).normal(0, 6, pixels.shape)
    return np.clip(pixels + shade, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def shipped() -> DomainProbe:
    return domain_probe()


def test_the_probe_goes_by_direction_only(shipped: DomainProbe) -> None:
    towards = shipped.weight / np.linalg.norm(shipped.weight)
    rows = np.stack([towards, 30 * towards, -towards]).astype(np.float32)
    assert shipped.outside(rows).tolist() == [True, True, False]


def test_what_was_measured_allows_the_words(shipped: DomainProbe) -> None:
    for tier, rate in shipped.told["photograph"].items():
        assert rate.total >= 1800, tier
        assert rate.share <= 0.01
    for kind in ("drawing", "page", "chart", "screenshot"):
        rate = shipped.told[kind]["as_is"]
        assert rate.total >= 100, kind
        assert rate.share >= 0.95, kind


def test_photographs_pass_and_drawn_pictures_do_not() -> None:
    classifier = cached_classifier("cpu", None, 1, few=True)
    photographs = []
    for name in ("reference.jpg", "camera-original.jpg", "no-face.jpg"):
        with Image.open(SAMPLES / name) as image:
            photographs.append(np.asarray(image.convert("RGB")))
    views = [canonical.whole(rgb) for rgb in (*photographs, chart(), shaded_drawing())]
    found = classifier.score(views, lambda _index, _score: None)
    assert [score.outside for score in found] == [False, False, False, True, True]


def test_no_copies_are_asked_for_of_what_is_no_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def judged(_: object, views: Pixels) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        bright = views.mean((1, 2, 3)) > 127
        return np.ones(len(views)), np.zeros(len(views), bool), bright

    def copies(index: int, _: object) -> Pixels:
        asked.append(index)
        return np.zeros((2, 224, 224, 3), np.uint8)

    monkeypatch.setattr(SynthesisClassifier, "_judged", judged)
    classifier = SynthesisClassifier(object(), object())  # type: ignore[arg-type]
    views = [np.full((224, 224, 3), level, np.uint8) for level in (250, 10)]
    found = classifier.score(views, copies)
    assert asked == [1]
    assert [len(score.views) for score in found] == [1, 3]
    assert [score.outside for score in found] == [True, False]


def _shorter(text: str) -> str:
    return text.replace('weight = "', 'weight = "AAAA')


@pytest.mark.parametrize(
    "spoil",
    [
        _shorter,
        lambda text: text.replace("bias = ", "bias = nan #"),
        lambda text: text.replace("bias", "buas"),
        lambda text: text.replace('weight = "', 'weight = "é'),
        lambda text: text.replace('[told."photograph"]', "[told"),
    ],
)
def test_a_spoilt_file_is_refused(tmp_path: Path, spoil: Callable[[str], str]) -> None:
    text = (weights_folder() / FILE).read_text("utf-8")
    (tmp_path / FILE).write_text(spoil(text), "utf-8")
    with pytest.raises(WeightsError, match=r"domain\.toml"):
        domain_probe(tmp_path)


def test_an_embedding_has_as_many_numbers(shipped: DomainProbe) -> None:
    assert shipped.weight.shape == (LENGTH,)
    assert np.isfinite(shipped.weight).all()

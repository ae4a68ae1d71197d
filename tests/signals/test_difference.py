from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.signals.changes.difference import Difference, difference
from nsfwforensics.signals.changes.difference_pictures import LONGEST, heatmap_png, side_by_side_jpeg
from tests.pictures import natural

IDENTITY = np.eye(3)


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    path = Path(__file__).resolve().parents[2] / "samples" / "camera-original.jpg"
    return np.asarray(Image.open(path).convert("RGB"))


def jpeg(pixels: NDArray[np.uint8], quality: int = 75) -> NDArray[np.uint8]:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data))


def ellipse(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], np.uint8)
    middle, axes = (round(shape[1] * 0.4), round(shape[0] * 0.6)), (round(shape[1] * 0.2), round(shape[0] * 0.25))
    cv2.ellipse(mask, middle, axes, 20, 0, 360, 1, -1)
    return mask > 0


def textured(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The region painted anew: its colours, another texture."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), 12).astype(np.float32)
    grain = natural(*pixels.shape[:2], seed=3).astype(np.float32) - 128
    painted = np.clip(smooth + 0.5 * (grain - cv2.GaussianBlur(grain, (0, 0), 12)), 0, 255).astype(np.uint8)
    return np.where(mask[..., None], painted, pixels)


def full(found: Difference, shape: tuple[int, ...], what: NDArray[np.bool_]) -> NDArray[np.bool_]:
    size = (shape[1], shape[0])
    return cv2.warpPerspective(what.astype(np.uint8), found.to_suspect, size, flags=cv2.INTER_NEAREST) > 0


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def nudged(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """As an alignment from keypoints is: off by a pixel or two."""
    return matrix @ np.array([[1.002, 0.001, -1.2], [-0.001, 0.998, 0.9], [0, 0, 1]])


def test_a_repainted_region_is_found(photo: NDArray[np.uint8]) -> None:
    mask = ellipse(photo.shape)
    found = difference(photo, jpeg(textured(photo, mask)), nudged(IDENTITY))
    assert found.mapped
    assert overlap(full(found, photo.shape, found.mask), mask) > 0.5
    assert found.changed_share == pytest.approx(mask.mean(), rel=0.4)
    (largest, *_) = found.regions
    ys, xs = np.nonzero(mask)
    assert abs(largest.x + largest.width / 2 - xs.mean()) < 25
    assert abs(largest.y + largest.height / 2 - ys.mean()) < 25
    assert abs(largest.x - xs.min()) < 40
    assert abs(largest.y + largest.height - ys.max()) < 40
    assert largest.strength > 50
    assert 3 <= len(largest.outline) <= 24
    drawn = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(drawn, [np.array(largest.outline, np.int32)], 1)
    assert overlap(drawn > 0, mask) > 0.5


def test_the_edited_sample_shows_what_was_painted_over(photo: NDArray[np.uint8], samples: Path) -> None:
    edited = np.asarray(Image.open(samples / "edited-copy.jpg").convert("RGB"))
    found = difference(photo, edited, IDENTITY)
    assert found.regions
    assert 0.02 < (found.changed_share or 0) < 0.4
    # Something coarse and independent: where the blurred pictures differ most is inside.
    distance = cv2.GaussianBlur(np.abs(photo.astype(np.float32) - edited).mean(axis=2), (0, 0), 6)
    y, x = np.unravel_index(int(distance.argmax()), distance.shape)
    assert full(found, photo.shape, found.mask)[y, x]


@pytest.mark.parametrize("name", ["grey", "gamma", "sepia", "contrast", "vignette", "half", "quality 35", "mirror"])
def test_processing_is_no_change(photo: NDArray[np.uint8], name: str) -> None:
    matrix, levels = IDENTITY, photo.astype(np.float32)
    if name == "grey":
        levels = np.repeat(levels.mean(axis=2, keepdims=True), 3, axis=2)
    elif name == "gamma":
        levels = 255 * (levels / 255) ** 0.7
    elif name == "sepia":
        levels = levels @ np.array([[0.393, 0.349, 0.272], [0.769, 0.686, 0.534], [0.189, 0.168, 0.131]])
    elif name == "contrast":
        levels = (levels - 128) * 1.25 + 135
    elif name == "vignette":
        y, x = np.mgrid[-1:1:512j, -1:1:512j]
        levels = levels * (1 - 0.25 * (x * x + y * y))[..., None]
    pixels = np.clip(levels, 0, 255).astype(np.uint8)
    if name == "half":
        pixels = cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_AREA)
        matrix = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1.0]])
    elif name == "mirror":
        pixels, matrix = pixels[:, ::-1], np.array([[-1, 0, 511], [0, 1, 0], [0, 0, 1.0]])
    found = difference(photo, jpeg(pixels, 35 if name == "quality 35" else 75), nudged(matrix))
    assert found.mapped
    assert found.regions == ()
    assert found.changed_share == 0
    assert not found.mask.any()
    assert found.mirrored == (name == "mirror")
    assert found.photometric is not None
    assert found.photometric.grey == (name == "grey")
    assert found.registration is not None
    assert found.registration < 0.7
    if name == "gamma":
        assert found.photometric.brightness > 10


def test_bars_around_a_crop_are_outside_and_the_edit_is_found(photo: NDArray[np.uint8]) -> None:
    mask = ellipse(photo.shape)
    crop = textured(photo, mask)[60:440]
    bars = np.full((380 + 300, 512, 3), 18, np.uint8)
    bars[150:530] = crop
    cv2.putText(bars, "12:45  some words", (30, 70), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (240, 240, 240), 2)
    matrix = np.array([[1, 0, 0], [0, 1, -90.0], [0, 0, 1]])  # by it the photo would reach into both bars
    found = difference(photo, jpeg(bars), nudged(matrix))
    truth = np.zeros(bars.shape[:2], bool)
    truth[150:530] = mask[60:440]
    shown = np.zeros(bars.shape[:2], bool)
    shown[150:530] = True
    assert overlap(full(found, bars.shape, ~found.outside), shown) > 0.95
    assert overlap(full(found, bars.shape, found.mask), truth) > 0.5
    assert found.photo_share == pytest.approx(380 / 680, abs=0.03)


def test_bars_alone_are_no_change(photo: NDArray[np.uint8]) -> None:
    framed = photo.copy()
    framed[:60], framed[-70:], framed[:, :40] = 255, 255, 255
    found = difference(photo, jpeg(framed), nudged(IDENTITY))
    assert found.regions == ()
    shown = np.zeros(photo.shape[:2], bool)
    shown[60:-70, 40:] = True
    assert overlap(full(found, photo.shape, ~found.outside), shown) > 0.95


def test_the_same_picture(photo: NDArray[np.uint8]) -> None:
    found = difference(photo, photo.copy(), IDENTITY)
    assert (found.regions, found.changed_share, found.mapped) == ((), 0.0, True)
    assert found.registration == pytest.approx(0, abs=0.05)


def test_another_picture_is_not_mapped() -> None:
    found = difference(natural(400, 400, seed=1), natural(400, 400, seed=2), IDENTITY)
    assert not found.mapped
    assert found.changed_share is None
    assert found.notes
    assert heatmap_png(found) is None


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (20, 20), (3000, 3)])
def test_too_small_to_compare(shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), 90, np.uint8)
    found = difference(pixels, pixels, IDENTITY)
    assert (found.regions, found.mapped, found.changed_share) == ((), False, None)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_pictures_cannot_be_compared(level: int) -> None:
    found = difference(np.full((200, 300, 3), level, np.uint8), np.full((200, 300, 3), 40, np.uint8), IDENTITY)
    assert found.regions == ()
    assert not found.mapped


@pytest.mark.parametrize("seed", [None, 6])
def test_a_picture_painted_over_entirely_cannot_be_mapped(photo: NDArray[np.uint8], seed: int | None) -> None:
    other = np.full(photo.shape, 130, np.uint8) if seed is None else natural(512, 512, seed)
    found = difference(photo, other, IDENTITY)
    assert (found.mapped, found.regions) == (False, ())


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((3, 3)),
        np.full((3, 3), np.nan),
        np.array([[1, 0, 9000], [0, 1, 0], [0, 0, 1.0]]),
        np.array([[1, 0, 0], [0, 1, 0], [0.02, 0, 1.0]]),
        np.array([[1e-6, 0, 0], [0, 1e-6, 0], [0, 0, 1.0]]),
    ],
)
def test_alignments_that_are_none(photo: NDArray[np.uint8], matrix: NDArray[np.float64]) -> None:
    found = difference(photo, photo, matrix)
    assert not found.mapped
    assert found.notes


def test_the_frame_is_bounded_and_large_pictures_keep_their_pixels() -> None:
    original = cv2.resize(natural(300, 400, seed=4), (2400, 1800), interpolation=cv2.INTER_CUBIC)
    suspect = original.copy()
    suspect[600:1200, 900:1500] = natural(600, 600, seed=9)
    found = difference(original, suspect, IDENTITY)
    assert max(found.map.shape) <= 776
    (region, *rest) = found.regions
    assert not rest
    assert abs(region.x - 900) < 50
    assert abs(region.y - 600) < 50
    assert abs(region.width - 600) < 80
    for data in (
        heatmap_png(found),
        heatmap_png(found, suspect),
        side_by_side_jpeg(original, suspect, found, IDENTITY),
    ):
        assert data is not None
        with Image.open(io.BytesIO(data)) as opened:
            assert opened.format in ("PNG", "JPEG")
            assert max(opened.size) <= LONGEST


def test_a_heatmap_without_the_suspect_holds_none_of_its_pixels(photo: NDArray[np.uint8]) -> None:
    found = difference(photo, jpeg(photo), IDENTITY)
    plain = heatmap_png(found)
    assert plain is not None
    drawn = np.asarray(Image.open(io.BytesIO(plain)).convert("RGB")).astype(np.float32).mean(axis=2)
    seen = cv2.resize(photo, drawn.shape[::-1]).astype(np.float32).mean(axis=2)
    assert abs(np.corrcoef(drawn.ravel(), seen.ravel())[0, 1]) < 0.3

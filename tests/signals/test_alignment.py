from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from nsfwforensics.signals.changes.original_index import OriginalIndex
from nsfwforensics.signals.matching.alignment import SCORE, Alignment, align
from nsfwforensics.signals.matching.keypoints import keypoints


def read(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"))


@pytest.fixture(scope="module")
def photo(samples: Path) -> np.ndarray:
    return read(samples / "reference.jpg")


@pytest.fixture(scope="module")
def other(samples: Path) -> np.ndarray:
    return read(samples / "other-person.jpg")


def saved(rgb: np.ndarray, quality: int = 70) -> np.ndarray:
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def put(aligned: Alignment, x: float, y: float) -> np.ndarray:
    mapped = aligned.matrix @ (x, y, 1)
    return mapped[:2] / mapped[2]


def found(original: np.ndarray, suspect: np.ndarray) -> Alignment:
    aligned = align(keypoints(original), keypoints(suspect))
    assert aligned is not None
    return aligned


def test_the_picture_itself(photo):
    aligned = found(photo, saved(photo))
    height, width = photo.shape[:2]
    assert np.allclose(aligned.matrix, np.eye(3), atol=0.5)
    assert aligned.same_picture
    assert not aligned.mirrored
    assert aligned.shown == pytest.approx(1, abs=0.01)
    assert aligned.filled == pytest.approx(1, abs=0.01)
    assert 0.3 < aligned.matched <= 1
    assert aligned.original_size == aligned.suspect_size == (width, height)
    assert len(aligned.original_points) == len(aligned.suspect_points) == aligned.inliers <= aligned.matches


def test_a_crop_says_what_is_left(photo):
    height, width = photo.shape[:2]
    top, left = height // 5, width // 4
    aligned = found(photo, saved(photo[top:, left:]))
    assert put(aligned, 0, 0) == pytest.approx([left, top], abs=1)
    assert aligned.shown == pytest.approx((height - top) * (width - left) / (height * width), abs=0.02)
    assert aligned.outline_in_original.min(axis=0) == pytest.approx([left - 0.5, top - 0.5], abs=1.5)


def test_mirrored_turned_scaled_recoloured_in_a_screenshot(photo):
    sepia = np.clip(photo[:, ::-1] @ np.array([[0.4, 0.35, 0.27], [0.77, 0.69, 0.53], [0.19, 0.17, 0.13]]), 0, 255)
    size = (photo.shape[1] * 3 // 5, photo.shape[0] * 3 // 5)
    small = np.rot90(cv2.resize(sepia.astype(np.uint8), size, interpolation=cv2.INTER_AREA), -1)
    canvas = np.full((small.shape[0] + 300, small.shape[1] + 80, 3), 20, np.uint8)
    canvas[200 : 200 + small.shape[0], 40 : 40 + small.shape[1]] = small
    aligned = found(photo, saved(canvas))
    assert aligned.mirrored
    assert aligned.same_picture
    assert aligned.scale == pytest.approx(0.6, abs=0.02)
    assert aligned.rotation == pytest.approx(90, abs=1)
    assert aligned.filled == pytest.approx(
        small.shape[0] * small.shape[1] / (canvas.shape[0] * canvas.shape[1]), abs=0.02
    )
    assert aligned.outline_in_suspect.min(axis=0) == pytest.approx([40, 200], abs=2)
    # the mirrored original's top left, turned clockwise by a quarter, is the top right of the picture in the canvas
    assert put(aligned, 40 + small.shape[1] - 1, 200) == pytest.approx([photo.shape[1] - 1, 0], abs=3)


def test_an_edit_of_half_the_picture(photo, other):
    edited = photo.copy()
    half = photo.shape[0] // 2
    edited[half:] = cv2.resize(other, (photo.shape[1], photo.shape[0]))[half:]
    aligned = found(photo, saved(edited))
    assert aligned.same_picture
    assert np.allclose(aligned.matrix, np.eye(3), atol=1)
    assert (aligned.suspect_points[:, 1] < half + 20).mean() > 0.95


def test_a_photo_of_a_screen_is_a_homography(photo):
    height, width = photo.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    target = source + np.array([[0.1, 0.08], [-0.04, 0], [0, -0.03], [0.02, -0.12]], np.float32) * (width, height)
    forward = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    aligned = found(photo, saved(cv2.warpPerspective(photo, forward, (width, height))))
    assert aligned.model == "homography"
    x, y, depth = forward @ (width * 0.4, height * 0.4, 1)
    assert put(aligned, x / depth, y / depth) == pytest.approx([width * 0.4, height * 0.4], abs=2)


def test_different_photos_are_not_aligned(samples):
    names = ("reference.jpg", "other-person.jpg", "no-face.jpg")
    points = [keypoints(read(samples / name)) for name in names]
    for first in points:
        for second in points:
            if first is not second:
                assert align(first, second, related=True) is None


def test_the_same_input_gives_the_same_answer(photo, other):
    first, second = keypoints(photo), keypoints(saved(photo[::-1, :-30], 40))
    one, two = align(first, second), align(first, second)
    assert one is not None
    assert two is not None
    assert pickle.dumps(one) == pickle.dumps(two)


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (9, 9), (60, 60)])
def test_pictures_without_detail_are_not_aligned(photo, size):
    flat = keypoints(np.full((*size, 3), 90, np.uint8))
    assert align(keypoints(photo), flat) is None
    assert align(flat, keypoints(photo)) is None
    assert align(flat, flat) is None


def tiles(seed: int, side: int = 24) -> np.ndarray:
    """One small motif all over the picture."""
    rng = np.random.default_rng(seed)
    motif = cv2.GaussianBlur(rng.integers(0, 256, (side, side, 3), np.uint8), (0, 0), 2)
    return np.tile(motif, (360 // side, 480 // side, 1))


def page(seed: int) -> np.ndarray:
    """A page of words in one typeface."""
    rng = np.random.default_rng(seed)
    picture = np.full((420, 560, 3), 250, np.uint8)
    for line in range(10):
        text = " ".join("".join(rng.choice(list("aeinorstlhdcu"), rng.integers(2, 9))) for _ in range(7))
        cv2.putText(picture, text, (15, 35 + 40 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20), 2, cv2.LINE_AA)
    return picture


@pytest.mark.parametrize("make", [tiles, page])
def test_repeated_patterns_and_text_do_not_fool_it(make):
    assert align(keypoints(make(1)), keypoints(make(2)), related=True) is None


def test_the_same_page_is_still_recognised():
    assert found(page(1), saved(page(1)[40:, 60:])).same_picture


def test_frames_of_one_design_have_little_support(photo, other):
    def framed(picture: np.ndarray) -> np.ndarray:
        canvas = np.full((900, 700, 3), 245, np.uint8)
        cv2.putText(canvas, "12:45   somebody   4G", (30, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 2)
        cv2.putText(canvas, "liked by many others", (30, 840), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (20, 20, 20), 2)
        canvas[90:790] = cv2.resize(picture, (700, 700))
        return canvas

    aligned = align(keypoints(framed(photo)), keypoints(framed(other)), related=True)
    assert aligned is None or aligned.support < 0.25


def test_a_logo_in_common_is_not_one_picture(photo, other):
    logo = page(5)[:120, :150]

    def marked(picture: np.ndarray, x: int, y: int) -> np.ndarray:
        large = cv2.resize(picture, (800, 800), interpolation=cv2.INTER_CUBIC)
        large[y : y + 120, x : x + 150] = logo
        return large

    one, two = keypoints(marked(photo, 20, 20)), keypoints(saved(marked(other, 600, 30)))
    related = align(one, two, related=True)
    assert related is not None
    assert not related.same_picture
    assert related.extent < 0.06
    assert align(one, two) is None


def test_many_originals_are_searched(samples, photo, other):
    index = OriginalIndex()
    rng = np.random.default_rng(4)
    fillers = [cv2.GaussianBlur(rng.integers(0, 256, (120, 160, 3), np.uint8), (0, 0), 3) for _ in range(8)]
    pictures = [*fillers, photo, other, read(samples / "no-face.jpg")]
    numbers = [index.add(keypoints(picture)) for picture in pictures]
    assert numbers == list(range(11))
    travelled = pickle.loads(pickle.dumps(index))
    mirrored = keypoints(saved(np.ascontiguousarray(photo[: photo.shape[0] * 3 // 4, ::-1]), 50))
    for searched in (index, travelled):
        hits = searched.search(mirrored)
        assert [number for number, _ in hits] == [8]
        assert hits[0][1].mirrored
        assert hits[0][1].score > SCORE
    assert index.search(keypoints(tiles(3))) == []
    assert OriginalIndex().search(mirrored) == []

"""A painted copy is saved as its photograph was: nothing about saving may tell the two apart."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.synthesis.preprocess import decoded, recompressed
from tests.training import synthetic
from training import pairs, unseen
from training.data import Item
from training.past import Past, alike, past_of, quartered

OWN_TABLES = {0: [2 + n // 8 for n in range(64)], 1: [3 + n // 4 for n in range(64)]}
WAYS: dict[str, dict[str, Any]] = {
    "full colour": {"quality": 92, "subsampling": 0},
    "half colour": {"quality": 85, "subsampling": 1},
    "a quarter of the colour": {"quality": 75, "subsampling": 2},
    "a camera's own tables": {"qtables": OWN_TABLES, "subsampling": 0},
}


def saved(path: Path, **options: Any) -> NDArray[np.uint8]:
    Image.fromarray(synthetic.picture(3)).save(path, **options)
    return decoded(np.frombuffer(path.read_bytes(), np.uint8))


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.parametrize("way", WAYS)
def test_an_unpainted_copy_has_the_colours_and_the_lattice_of_its_photograph(tmp_path: Path, way: str) -> None:
    photograph = saved(tmp_path / "a.jpg", **WAYS[way])
    lossless = synthetic.picture(3)
    past = past_of(tmp_path / "a.jpg")
    assert past is not None
    assert past.repeatable
    left, copy = alike(photograph, lossless, past, both=False)
    assert np.array_equal(left, photograph)
    assert np.array_equal(copy, photograph)  # the same picture saved the same way
    if way != "a quarter of the colour":  # what went before: the quality alone, and always a quarter of the colour
        assert distance(recompressed(lossless, past.quality), photograph) > 1


def test_both_of_a_pair_are_saved_once_more_unless_told_otherwise(tmp_path: Path) -> None:
    past = past_of_saved(tmp_path / "a.jpg", "a camera's own tables")
    one, two = synthetic.picture(1), synthetic.smooth(1)
    left, copy = alike(one, two, past)
    assert np.array_equal(left, past.saved(one))
    assert np.array_equal(copy, past.saved(two))


def past_of_saved(path: Path, way: str) -> Past:
    saved(path, **WAYS[way])
    past = past_of(path)
    assert past is not None
    return past


def coloured_detail(rgb: NDArray[np.uint8]) -> float:
    """How much colour changes from one row to the next: gone when colour has a quarter of its resolution."""
    colour = rgb[..., 0].astype(int) - rgb[..., 2]
    return float(np.abs(np.diff(colour, axis=0)).mean())


@pytest.mark.parametrize("way", WAYS)
def test_colour_is_brought_to_a_quarter_where_the_file_keeps_more(tmp_path: Path, way: str) -> None:
    rows = np.zeros((64, 64, 3), np.uint8)
    rows[..., 1] = 90
    rows[::2, :, 0] = rows[1::2, :, 2] = 160
    Image.fromarray(rows).save(tmp_path / "a.jpg", **WAYS[way])
    past = past_of(tmp_path / "a.jpg")
    assert past is not None
    before = decoded(np.frombuffer((tmp_path / "a.jpg").read_bytes(), np.uint8))
    after = quartered(before, past, 90)
    assert past.quartered.sampling == 2
    if way == "a quarter of the colour":
        assert after is before, "what was lost is lost already"
    else:
        assert coloured_detail(before) > 0.5 * coloured_detail(rows)
        assert coloured_detail(after) < 0.1 * coloured_detail(rows)
    if WAYS[way]["subsampling"] == 0:
        luma = [pixels.astype(float) @ (0.299, 0.587, 0.114) for pixels in (before, after)]
        assert np.abs(luma[0] - luma[1]).mean() < 1, "the same cells and steps"


def test_a_lossless_picture_gets_a_jpeg_past_with_a_quarter_of_the_colour() -> None:
    rgb = synthetic.picture(3)
    assert np.array_equal(quartered(rgb, None, 88), recompressed(rgb, 88))


def test_a_lossless_pair_stays_as_it_is(tmp_path: Path) -> None:
    saved(tmp_path / "a.png")
    assert past_of(tmp_path / "a.png") is None
    one, two = synthetic.picture(1), synthetic.smooth(1)
    left, copy = alike(one, two, None)
    assert left is one
    assert copy is two


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    saved(path, quality=90, exif=exif)


def grey(path: Path) -> None:
    Image.fromarray(synthetic.picture(3)).convert("L").save(path, quality=90)


@pytest.mark.parametrize("make", [turned, grey])
def test_where_saving_cannot_be_repeated_both_are_saved_once_more(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "a.jpg")
    past = past_of(tmp_path / "a.jpg")
    assert past is not None
    assert not past.repeatable
    assert past.quality == 90
    photograph = synthetic.picture(1)
    left, copy = alike(photograph, photograph, past, both=False)
    assert np.array_equal(left, copy)
    assert not np.array_equal(left, photograph)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(tables=st.lists(st.lists(st.integers(1, 255), min_size=64, max_size=64), min_size=1, max_size=3),
       sampling=st.integers(0, 2))  # fmt: skip
def test_any_tables_are_read_and_saved_again_to_the_value(tables: list[list[int]], sampling: int) -> None:
    data = io.BytesIO()
    picture = Image.fromarray(synthetic.picture(1, 64, 64))
    picture.save(data, "JPEG", qtables=dict(enumerate(tables)), subsampling=sampling)
    past = past_in(data)
    assert past is not None
    assert past.tables[: len(tables)] == tuple(map(tuple, tables))
    assert past.sampling == sampling
    assert 1 <= past.quality <= 100
    first = decoded(np.frombuffer(data.getvalue(), np.uint8))
    assert np.array_equal(past.saved(synthetic.picture(1, 64, 64)), first)


def past_in(data: io.BytesIO) -> Past | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jpg"
        path.write_bytes(data.getvalue())
        return past_of(path)


def test_the_past_of_training_regions_survives_the_cache(tmp_path: Path) -> None:
    saved(tmp_path / "a.jpg", **WAYS["a camera's own tables"])
    item = Item(tmp_path / "a.jpg", 0, "camera", "x", "train", "none")
    for _ in range(2):  # made, then read back
        _, about = pairs.cut([item], lambda _: 1, tmp_path / "regions.npy")
        assert about[0].past == past_of(tmp_path / "a.jpg")
        assert about[0].past is not None
        assert about[0].past.tables == (tuple(OWN_TABLES[0]), tuple(OWN_TABLES[1]))


def test_an_unpainted_pair_of_the_test_is_told_by_nothing(tmp_path: Path) -> None:
    """A photograph's region and its copy went through the same; not a pixel differs unless it was painted."""
    for way, options in WAYS.items():
        path = tmp_path / f"{len(way)}.jpg"
        Image.fromarray(synthetic.picture(5, 360, 420)).save(path, **options)
        item = Item(path, 0, "camera", "x", "test", "none")
        for tier in TIERS:
            copies: dict[str, NDArray[np.uint8]] = {}
            kinds = (("pair", None), ("unpainted", lambda rgb: rgb), ("painted", upside_down))
            whole, copy, other = (unseen._pair(item, tier, kind, trip, copies) for kind, trip in kinds)
            assert np.array_equal(whole, copy), (way, tier)
            assert not np.array_equal(whole, other), (way, tier)


def upside_down(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(rgb[::-1])


def fine_colour(crops: NDArray[np.uint8]) -> float:
    return float(np.abs(np.diff(crops[..., 0].astype(int) - crops[..., 2], axis=-2)).mean())


def test_colour_does_not_tell_files_that_were_saved_alike_last(tmp_path: Path) -> None:
    """One picture in full colour, with a quarter of it and lossless: apart as files, not once saved once more."""
    taken: list[NDArray[np.uint8]] = []

    def keep(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        taken.append(crops)
        return np.zeros((len(crops), 1), np.float32)

    grain = np.random.default_rng(0).normal(0, 12, (400, 420, 3))
    made = np.clip(synthetic.picture(5, 400, 420) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(made).save(tmp_path / "quarter.jpg", quality=96, subsampling=2)
    Image.fromarray(made).save(tmp_path / "full.jpg", quality=96, subsampling=0)
    names = ["quarter.jpg", "full.jpg"]
    for number in range(8):  # some are given a past that keeps all of the colour
        Image.fromarray(made).save(tmp_path / f"{number}.png")
        names.append(f"{number}.png")
    items = [Item(tmp_path / name, 0, name, "x", "test", "none") for name in names]
    detail: dict[bool, list[float]] = {}
    for alike_ in (False, True):
        taken.clear()
        for item in items:
            before = len(taken)
            subjects = list(unseen.pictures([item], keep, tmp_path / f"cache-{alike_}", alike=alike_))
            assert [subject.tier for subject in subjects] == [*TIERS]
            detail.setdefault(alike_, []).append(fine_colour(taken[before]))
    assert max(detail[False]) > 1.5 * detail[False][0]
    assert max(detail[False][2:]) > 1.5 * detail[False][0], "a lossless one with a past in full colour is among them"
    assert detail[True] == pytest.approx([detail[True][0]] * len(items), rel=0.12)


def test_a_picture_that_is_just_large_enough_stays_so() -> None:
    assert unseen.saved_alike(synthetic.picture(1, 256, 258)).shape == (256, 256, 3)
    assert unseen.saved_alike(synthetic.picture(1, 100, 300)).shape == (100, 296, 3)

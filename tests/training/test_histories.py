"""How a file was saved must not tell how its picture was made: both classes are saved in each other's ways."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.training import patches
from nsfwforensics.training.data import Item
from nsfwforensics.training.histories import Histories, Saving, lossy_webp, of_generated, of_photographs, saving_of
from nsfwforensics.training.metrics import auc
from nsfwforensics.training.pairs import REGION, Batches, Material, Region
from nsfwforensics.training.past import Past
from tests.training import synthetic

CAMERA = Past((tuple([2] * 64), tuple([3] * 64)), 0, False)
COUNT = 12


def webp(**options: Any) -> bytes:
    data = io.BytesIO()
    Image.fromarray(synthetic.picture(1, 64, 64)).save(data, "WEBP", **options)
    return data.getvalue()


def test_a_webp_says_whether_it_lost_anything() -> None:
    assert lossy_webp(webp(quality=80))
    assert lossy_webp(webp(quality=80, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"))
    assert not lossy_webp(webp(lossless=True))
    assert not lossy_webp(webp(lossless=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"))


@given(st.binary(max_size=64), st.integers(0, 64))
@example(b"", 0)
def test_any_bytes_after_the_head_of_a_webp_are_answered(rest: bytes, cut: int) -> None:
    assert lossy_webp((b"RIFF\0\0\0\0WEBP" + rest)[: 12 + cut]) in (True, False)
    assert not lossy_webp(rest) or rest.startswith(b"RIFF")


def test_every_way_of_saving_is_named(tmp_path: Path) -> None:
    picture = Image.fromarray(synthetic.picture(1, 64, 64))
    picture.save(tmp_path / "a.jpg", quality=85, subsampling=1)
    picture.save(tmp_path / "a.png")
    (tmp_path / "a.webp").write_bytes(webp(quality=80))
    jpeg, png, lossy = (saving_of(tmp_path / f"a.{kind}") for kind in ("jpg", "png", "webp"))
    assert isinstance(jpeg, Past)
    assert (jpeg.quality, jpeg.sampling) == (85, 1)
    assert png is None
    assert lossy == "webp"


def standard(quality: int, subsampling: int) -> Past:
    data = io.BytesIO()
    Image.fromarray(synthetic.picture(1, 64, 64)).save(data, "JPEG", quality=quality, subsampling=subsampling)
    tables = Image.open(data).quantization
    return Past(tuple(tuple(tables[number]) for number in sorted(tables)), subsampling, False)


def pools(photographs: list[Saving], generated: list[Saving]) -> Histories:
    return Histories(photographs, generated, (of_photographs([("a", "a")] * len(photographs)),
                                              of_generated([("b", "b")] * len(generated))))  # fmt: skip


def colour(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Fine detail of colour, one number a crop."""
    return np.abs(np.diff(crops[..., 0].astype(float) - crops[..., 2], axis=2)).mean((1, 2))


def detail(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Fine detail of lightness: what a lower quality takes away."""
    luma = crops.astype(float) @ (0.299, 0.587, 0.114)
    return np.abs(np.diff(luma, 2, axis=2)).mean((1, 2))


def test_photographs_and_generated_pictures_in_a_batch_are_not_told_by_their_files() -> None:
    """The same pictures as both classes: the photographs' files are good and in full colour, the others poor."""
    rng = np.random.default_rng(0)
    grainy = [synthetic.picture(seed) + rng.normal(0, 5, (REGION, REGION, 3)) for seed in range(COUNT)]
    plain = np.clip(np.stack(grainy), 0, 255).astype(np.uint8)
    poor = standard(70, 2)
    real, fake = (np.stack([past.saved(rgb) for rgb in plain]) for past in (CAMERA, poor))
    for measure in (colour, detail):
        assert auc(measure(fake).tolist(), measure(real).tolist()) > 0.7, "the files themselves are told apart"
    material = Material(real, [Region("a", "a", CAMERA)] * COUNT, {}, {}, fake, [Region("b", "b", poor)] * COUNT)
    crops, labels = next(iter(Batches(material, 0, 150, 0)))
    generated = labels.numpy() == 1
    for measure in (colour, detail):
        seen = measure(crops.numpy())
        assert auc(seen[~generated].tolist(), seen[generated].tolist()) == pytest.approx(0.5, abs=0.08)


def test_saving_is_mixed_by_the_seed_alone_and_keeps_enough() -> None:
    histories, rgb = pools([CAMERA, None], ["webp", None, standard(90, 2)]), synthetic.picture(1)
    own: list[Saving] = [CAMERA, "webp", None]
    for saving in own:
        one, two, other = (histories.mixed(rgb, saving, np.random.default_rng(seed), 250) for seed in (1, 1, 2))
        assert np.array_equal(one, two)
        assert min(one.shape[:2]) >= 250
        assert one.shape != other.shape or not np.array_equal(one, other)
        assert np.abs(one[:250, :250].astype(int).mean() - rgb.mean()) < 2


def test_with_no_lossy_photograph_there_is_nothing_to_imitate() -> None:
    rgb = synthetic.picture(1)
    assert pools([None], [CAMERA]).mixed(rgb, None, np.random.default_rng(0), REGION) is rgb


def test_half_of_a_photographs_regions_stay_as_they_are_and_no_generated_ones(tmp_path: Path) -> None:
    made = synthetic.picture(5, 1100, 1100)
    items = []
    for label in (0, 1):
        Image.fromarray(made).save(tmp_path / f"{label}.jpg", quality=95, subsampling=0)
        items.append(Item(tmp_path / f"{label}.jpg", label, "a", "a", "train", "none"))
    found = patches.plain(items, 4, Histories.of(items[:1], items[1:]))
    whole = [patches.regions(item, 4) for item in items]
    same = [np.array_equal(patch.pixels, whole[patch.label][patch.number]) for patch in found]
    assert [sum(s for s, patch in zip(same, found, strict=True) if patch.label == label) for label in (0, 1)] == [2, 0]
    assert [patch.label for patch in found].count(0) == 4

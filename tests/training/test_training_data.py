from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nsfwforensics.models.rates import Rate, plain_rates, rates_of
from tests.training import synthetic
from training import data
from training.data import Item, series_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return synthetic.data_folder(tmp_path)


def test_roles_follow_source_and_family(folder: Path) -> None:
    items = data.catalogue(folder)
    roles = {item.path.name: item.role for item in items if item.source == "mixed-models"}
    assert roles["Alpha-VLLM--Lumina-DiMOO.jpg"] == "train"
    assert roles["HiDream-ai--HiDream-I1-Full.jpg"] == "calibrate"
    assert roles["black-forest-labs--FLUX.1-dev.jpg"] == "test"
    by_group: dict[tuple[str, str], set[str]] = {}
    for item in items:
        by_group.setdefault((item.source, item.group), set()).add(item.role)
    assert all(len(found) == 1 for found in by_group.values()), "a group in two roles"
    assert {item.role for item in items if item.label == 0} == {"train", "calibrate", "test"}


def test_a_copy_of_a_training_photo_is_not_tested_on(folder: Path) -> None:
    before = {item.path.name for item in data.catalogue(folder) if item.source == "wallpapers"}
    synthetic.save(synthetic.picture(0), folder / "real" / "cc0" / "copy.jpg", quality=60)
    after = [item for item in data.catalogue(folder) if item.source == "wallpapers"]
    assert {item.path.name for item in after} == before


def test_small_broken_and_unscreened_files_are_left_out(folder: Path) -> None:
    before = len(data.catalogue(folder))
    synthetic.save(synthetic.picture(900)[:255], folder / "real" / "coco" / "small.jpg")
    (folder / "real" / "coco" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    synthetic.save(synthetic.picture(901), folder / "fake" / "gpt-4o" / "a-drawing.webp")
    assert len(data.catalogue(folder)) == before


def test_grid_files_become_tiles(tmp_path: Path) -> None:
    source = data.Source("grids", "g", 1, "none", {"*": "train"}, grid=2)
    rgb = synthetic.picture(5, 512, 514)
    (tmp_path / "g").mkdir()
    synthetic.save(rgb, tmp_path / "g" / "a.png")
    items = data.catalogue(tmp_path, [source])
    assert [item.tile for item in items] == [(0, 2), (1, 2), (2, 2), (3, 2)]
    assert len({item.key for item in items}) == 4
    tiles = [data.load_rgb(item) for item in items]
    assert np.array_equal(tiles[3], rgb[256:, 257:])


def test_a_person_is_in_one_third() -> None:
    assert data.person_third("someone") == data.person_third("someone")
    assert {data.person_third(str(n)) for n in range(60)} == {0, 1, 2}


@pytest.mark.parametrize(
    ("make", "group"), [("Canon", "canon"), ("EASTMAN KODAK COMPANY", "kodak"), ("", "unknown"), ("\0\0", "unknown")]
)
def test_camera_makes(make: str, group: str) -> None:
    assert data._make(make) == group


@pytest.mark.shared_data
def test_real_catalogue_keeps_test_sources_out_of_training(shared_data: Path) -> None:
    items = data.catalogue(shared_data)
    train = {item.source for item in items if item.role == "train"}
    assert train == {"imagenet", "camera", "gpt-4o", "sd-1.5", "mixed-models"}
    assert all(item.role == "test" for item in items if item.source in ("dalle-2", "midjourney-v4", "comfyui"))
    assert {i.group for i in items if i.source == "camera" and i.role == "train"}.isdisjoint(
        {i.group for i in items if i.source == "camera" and i.role != "train"}
    )


def test_extra_sources_need_their_folder_and_keep_to_their_number(tmp_path: Path) -> None:
    for number in range(5):
        synthetic.save(synthetic.picture(number), tmp_path / "extra" / "more" / f"{number}.jpg")
    source = data.Source("more", "more", 0, "none", {"*": "train"}, extra=True, most=3)
    assert data.catalogue(tmp_path, [source]) == []
    first, again = (data.catalogue(tmp_path, [source], tmp_path / "extra") for _ in range(2))
    assert len(first) == 3
    assert first == again


def test_the_release_gate_is_test_only(tmp_path: Path) -> None:
    synthetic.save(synthetic.picture(1), tmp_path / "ml72" / "public" / "images" / "real" / "a.jpg")
    synthetic.save(synthetic.picture(2), tmp_path / "ml72" / "public" / "images" / "ai" / "b.jpg")
    assert [(item.label, item.role) for item in data.gate(tmp_path)] == [(0, "test"), (1, "test")]
    assert data.gate(None) == []


def test_photographs_of_one_subject_are_one_series() -> None:
    def item(source: str, folder: str, name: str, group: str = "x", label: int = 0) -> Item:
        return Item(Path("/data") / folder / name, label, source, group, "test", "none")

    street = [item("lund", "images", f"{number}.jpg") for number in range(3)]
    beach = [item("camera", "camera", f"0a_drone_dataset_brighton_beach__{number}.JPG", "dji") for number in range(3)]
    trip = [item("camera", "gps", f"DSCN{number}.jpg", "nikon") for number in range(3)]
    person = [item("portraits", "someone", f"{number}.jpg", "someone") for number in range(3)]
    for series in (street, beach, trip, person):
        assert len({series_of(one) for one in series}) == 1
    cameras = [item("camera", "camera", f"0a_metadata-extractor-images__{number}.jpg") for number in range(3)]
    generated = [item("flux", "lund", f"{number}.webp", "lund", 1) for number in range(3)]
    assert len({series_of(one) for one in (*cameras, *generated)}) == 6
    assert len({series_of(one) for one in (*street, *beach, *trip, *person)}) == 4


def test_bounds_go_by_series() -> None:
    rate = Rate(1, 378, 309)
    assert rate.upper > Rate(1, 378).upper
    assert rate.upper == Rate(1, 309).upper
    assert rates_of(plain_rates({"as_is": {"real_called": rate, "gallery_called": Rate(2, 9)}})) == {
        "as_is": {"real_called": rate, "gallery_called": Rate(2, 9)}
    }
    assert rate.others == Rate(377, 378, 309)

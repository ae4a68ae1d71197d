"""``cluster`` as its user runs it."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageOps

from nsfwforensics.clustering.model import Clustering
from tests.e2e.conftest import Runner

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SOURCES = ("camera-original.jpg", "no-face.jpg", "other-person.jpg")
HOSTILE = "=cmd <script>alert(1)<script> \x1b[31m\u202egpj.jpg"


def variants(picture: Image.Image) -> dict[str, Image.Image]:
    width, height = picture.size
    screen = Image.new("RGB", (540, 1100), (20, 20, 20))
    small = ImageOps.contain(picture, (540, 900))
    screen.paste(small, (0, 120))
    return {
        "smaller": picture.resize((width // 2, height // 2)),
        "mirror": ImageOps.mirror(picture),
        "crop": picture.crop((width // 8, height // 10, width * 7 // 8, height * 9 // 10)),
        "border": ImageOps.expand(picture, width // 10, (200, 30, 30)),
        "tilt": picture.rotate(5, Image.Resampling.BICUBIC),
        "turn": picture.transpose(Image.Transpose.ROTATE_90),
        "grey": picture.convert("L").convert("RGB"),
        "pale": ImageEnhance.Contrast(picture).enhance(0.6),
        "screenshot": screen,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    for number, name in enumerate(SOURCES):
        with Image.open(SAMPLES / name) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((1000, 1000))
        picture.save(made / f"{number}-original.jpg", quality=92)
        for kind, variant in variants(picture).items():
            variant.save(made / f"{number}-{kind}.jpg", quality=70)
    shutil.copy(made / "0-original.jpg", made / "0-copy.jpg")
    Image.new("RGB", (300, 200), (90, 90, 90)).save(made / "flat.png")
    (made / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (made / "notes.txt").write_text("not a picture")
    return made


def test_pictures_of_one_photo_are_in_one_cluster_and_bad_files_are_reported(run: Runner, folder: Path) -> None:
    ran = run("cluster", folder, "--json", "--jobs", "2")
    assert ran.code == 4, ran.err  # bad.jpg
    found = Clustering.model_validate_json(ran.out)
    groups = [sorted(Path(one.path).name for one in (group.representative, *group.members)) for group in found.clusters]
    expected = {number: sorted(path.name for path in folder.glob(f"{number}-*.jpg")) for number in range(len(SOURCES))}
    assert sorted(groups) == sorted(expected.values())
    assert [Path(one.path).name for one in found.alone] == ["flat.png"]
    assert not found.alone[0].comparable
    assert {Path(one.path).name: one.failed for one in found.problems} == {"bad.jpg": True, "notes.txt": False}
    assert found.pictures == 10 * len(SOURCES) + 2
    for group in found.clusters:
        assert group.representative.link is None
        paths = {one.path for one in (group.representative, *group.members)}
        for member in group.members:
            assert member.link is not None and member.link.to in paths and member.link.to != member.path
            assert member.sha256 and member.size and member.width and member.height
    links = {Path(one.path).name: one.link for group in found.clusters for one in group.members}
    stages = {name: link.stage.value for name, link in links.items() if link}
    assert "bytes" in {stages.get("0-copy.jpg"), stages.get("0-original.jpg")}
    assert "looks" in stages.values()
    assert stages["0-crop.jpg"] == "features"


def test_one_process_and_two_find_the_same(run: Runner, folder: Path) -> None:
    few = [folder / f"1-{kind}.jpg" for kind in ("original", "crop", "grey")]
    one, two = (json.loads(run("cluster", *few, "--json", "--jobs", jobs).out) for jobs in (1, 2))
    assert one["clusters"] == two["clusters"]
    assert len(one["clusters"]) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="such names cannot be made on Windows")
def test_a_hostile_name_does_nothing_in_any_output(run: Runner, folder: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    shutil.copy(folder / "0-original.jpg", pictures / HOSTILE)
    shutil.copy(folder / "0-crop.jpg", pictures / "+crop.jpg")
    out = tmp_path / "out"
    ran = run("cluster", pictures, "-o", out)
    assert ran.code == 0, ran.err
    assert "1 cluster" in ran.out and "\x1b[31m" not in ran.out and "\u202e" not in ran.out
    assert "\\u001b" in ran.out
    page = (out / "clusters.html").read_text("utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "default-src 'none'" in page and "\u202e" not in page
    rows = list(csv.DictReader((out / "clusters.csv").read_text("utf-8-sig").splitlines()))
    assert {row["role"] for row in rows} == {"representative", "member"}
    assert not any(cell and cell[0] in "=+-@" for row in rows for cell in row.values())
    saved = Clustering.model_validate_json((out / "clusters.json").read_text("utf-8"))
    assert saved.clusters[0].representative.path == str(pictures / HOSTILE)
    assert "\u202e" not in (out / "clusters.json").read_text("utf-8")
    again = run("cluster", pictures, "-o", out)  # what was written before is replaced
    assert again.code == 0 and "2 pictures compared" in again.out


def test_the_console_keeps_to_80_columns_and_says_what_it_does_not_say(run: Runner, folder: Path) -> None:
    ran = run("cluster", *(folder / f"2-{kind}.jpg" for kind in ("original", "tilt", "smaller")))
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    said = " ".join(ran.out.split())
    assert "3 pictures compared: 1 cluster with 3 files" in said
    assert "Look at a cluster before acting on it" in said


def test_usage_errors(run: Runner, folder: Path, tmp_path: Path) -> None:
    assert run("cluster", tmp_path / "missing").code == 2
    (tmp_path / "clusters.json").write_text("[]")
    ran = run("cluster", folder / "0-crop.jpg", "-o", tmp_path)
    assert ran.code == 1 and "not of this tool" in ran.err
    assert (tmp_path / "clusters.json").read_text() == "[]"
    named = run("cluster", folder / "notes.txt", "--json")
    assert named.code == 4 and json.loads(named.out)["problems"][0]["failed"]

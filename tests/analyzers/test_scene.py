"""Pictures that look like the same scene as one that is given, by a made-up network that sees colours only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from nsfwforensics.analyzers.scene.analyzer import SceneAnalyzer
from nsfwforensics.cli.app import build
from nsfwforensics.models.synthesis import clip
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.testing import AnalyzerContract

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


class Colours:
    """A network whose embedding is the picture in a few blocks of colour."""

    def look(self, views: torch.Tensor) -> clip.Tokens:
        small = torch.nn.functional.interpolate(views.float(), size=(13, 13), mode="area").flatten(1)
        return clip.Tokens(torch.zeros(len(views), 12, 768), None, torch.cat([small, small[:, :5]], 1) - 128)


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip, "cached_clip", lambda device, folder: Colours())


def scenery(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 8, 3), np.uint8)).resize((400, 300), Image.Resampling.BICUBIC)
    return Image.fromarray(np.clip(np.asarray(coarse) + rng.normal(0, 9, (300, 400, 3)), 0, 255).astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    for number in range(3):
        scenery(number).save(made / f"{number}.png")
    Image.blend(scenery(1), scenery(7), 0.2).save(made / "edit.png")
    Image.new("RGB", (50, 50)).save(made / "tiny.png")
    scenery(1).save(tmp_path / "wanted.png")
    return made


def called(*words: object) -> Result:
    line = [str(word) for word in words]
    return CliRunner().invoke(build(line[0]), line, env={"COLUMNS": "300"})


def results(text: str) -> dict[str, dict[str, Any]]:
    return {
        Path(file["info"]["path"]).name: next(one for one in file["results"] if one["analyzer"] == "scene")
        for file in json.loads(text)["files"]
    }


def test_search_ranks_files_by_likeness(folder: Path) -> None:
    ran = called("search", folder, "--like", folder.parent / "wanted.png", "--no-isolate")
    assert ran.exit_code == 0, ran.output
    rows = [line.split() for line in ran.output.splitlines() if ".png" in line]
    assert [Path(row[-2]).name for row in rows][:2] == ["1.png", "edit.png"] and len(rows) == 4
    assert [row[1] == "yes" for row in rows] == [True, True, False, False]
    assert rows[0][0] == "1.00"
    assert "1 file could not be compared" in ran.output  # too small


def test_a_frame_that_looks_alike_counts_for_its_file(folder: Path) -> None:
    frames = [scenery(5), scenery(1), scenery(6)]
    frames[0].save(folder / "film.png", save_all=True, append_images=frames[1:])
    ran = called("search", folder / "film.png", "--like", folder.parent / "wanted.png", "--no-isolate")
    (row,) = [line.split() for line in ran.output.splitlines() if "film.png" in line]
    assert row[:2] == ["1.00", "yes"]


def test_search_asks_for_something_to_look_for(folder: Path) -> None:
    ran = called("search", folder, "--no-isolate")
    assert ran.exit_code == 2
    assert "--known LIST" in ran.output and "--like PICTURE" in ran.output


def test_a_hit_is_a_lead_with_its_rates_and_a_miss_says_nothing(folder: Path) -> None:
    ran = called("scan", folder, "--only", "scene", "--like", folder.parent / "wanted.png", "--json", "--no-isolate")
    found = results(ran.output)
    (finding,) = found["edit.png"]["findings"]
    assert (finding["code"], finding["severity"], finding["support"]) == ("SCENE-001", "low", "supports")
    assert "wanted.png" in finding["explanation"] and "no proof" in finding["caveat"]
    assert len(finding["data"]["error_rates"]) == 4 and all(rate["trials"] for rate in finding["data"]["error_rates"])
    assert found["0.png"]["status"] == "measured" and not found["0.png"]["findings"]
    assert found["0.png"]["measurements"]["similarity"] < finding["data"]["alike_from"]
    assert found["tiny.png"]["status"] == "not_applicable" and "200 pixels" in found["tiny.png"]["error"]
    (header,) = json.loads(ran.output)["header"]["references"]
    assert header["role"] == "like" and header["sha256"] == finding["data"]["nearest_sha256"]


def test_without_being_asked_nothing_is_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip, "cached_clip", None)
    ran = called("scan", folder, "--only", "scene", "--json", "--no-isolate")
    assert {one["status"] for one in results(ran.output).values()} == {"not_applicable"}


def test_a_picture_that_cannot_be_looked_for_is_refused(folder: Path) -> None:
    ran = called("search", folder, "--like", folder / "tiny.png", "--no-isolate")
    assert ran.exit_code == 2 and "tiny.png" in ran.output


def test_a_case_keeps_embeddings_on_request_and_is_searched_without_the_files(folder: Path) -> None:
    case = folder.parent / "c.db"
    for more, kept in ((), 0), (("--embeddings",), 4):
        ran = called("scan", folder, "--only", "scene", "--case", case, "-q", "--no-isolate", *more)
        assert ran.exit_code == 0, ran.output
        with CaseDatabase.open(case) as opened:
            assert len(list(opened.signatures("clip-vit-b16/1"))) == kept
        if not kept:
            refused = called("case", "like", case, folder.parent / "wanted.png")
            assert refused.exit_code == 2 and "--embeddings" in refused.output
    for path in folder.iterdir():
        path.unlink()
    ran = called("case", "like", case, folder.parent / "wanted.png")
    rows = [line.split() for line in ran.output.splitlines() if ".png" in line]
    assert [Path(row[-1]).name for row in rows][:2] == ["1.png", "edit.png"] and len(rows) == 4
    assert [row[1] == "yes" for row in rows] == [True, True, False, False]


class TestSceneContract(AnalyzerContract):
    analyzer = SceneAnalyzer
    options: ClassVar[Mapping[str, Any]] = {"like": (SAMPLES / "no-face.jpg",), "embeddings": True}

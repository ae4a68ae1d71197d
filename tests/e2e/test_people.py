"""``faces --group`` as its user runs it: the networks, the workers, a folder and a case."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from nsfwforensics.clustering.people_model import People
from tests.e2e.conftest import Runner

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--pdf"], "--pdf is about reports"),
        (["--fail-on", "high"], "--fail-on"),
        (["--face-model", "vggface2"], "measured"),
    ],
)
def test_what_has_no_meaning_here_is_refused_before_anything_is_opened(
    run: Runner, tmp_path: Path, options: list[str], said: str
) -> None:
    ran = run("faces", tmp_path, "--group", *options)
    assert ran.code == 2
    assert said in ran.err


@pytest.mark.slow
def test_people_of_a_folder_and_of_a_case(run: Runner, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for who, name in (("one", "camera-original.jpg"), ("two", "other-person.jpg")):
        with Image.open(SAMPLES / name) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((700, 700))
        for number, quality in enumerate((90, 50, 30)):
            picture.resize([side - 90 * number for side in picture.size]).save(
                folder / f"{who}-{number}.jpg", quality=quality
            )
    ran = run("faces", folder, "--group", "--reference", SAMPLES / "reference.jpg", "--json", "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    found = People.model_validate_json(ran.out)
    groups = [{Path(path).name[:3] for face in person.faces for path in face.paths} for person in found.people]
    assert sorted(map(sorted, groups)) == [["one"], ["two"]]
    assert [len(person.faces) for person in found.people] == [3, 3]
    (chosen,) = [group for group, person in zip(groups, found.people, strict=True) if person.reference]
    assert chosen == {"one"}
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"people.html", "people.csv", "people.json"}

    case = tmp_path / "one.db"
    assert run("case", "init", case, "--operator", "Ann").code == 0
    assert run("case", "add", case, folder).code == 0
    ran = run("faces", case, "--group")
    assert ran.code == 0, ran.err
    assert "2 people seen in more than one" in ran.out
    assert "biometric" in ran.out
    ran = run("case", "verify", case)
    assert ran.code == 0, ran.out + ran.err

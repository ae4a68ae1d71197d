"""``faces --group``: people by number, from what was found in files, in a folder and in a case."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsfwforensics.clustering import people as grouping
from nsfwforensics.clustering.faces import METHOD, FacesOfFile, SeenFace, decode, encode
from nsfwforensics.clustering.fingerprint import Unread
from nsfwforensics.clustering.model import Problem
from nsfwforensics.clustering.people import people_in, people_in_case
from nsfwforensics.clustering.people_model import People
from nsfwforensics.clustering.workers import Looking
from nsfwforensics.errors import CaseError, UsageError
from nsfwforensics.models.faces.people import people_figures
from nsfwforensics.report.documents import people as documents
from nsfwforensics.store import custody_log
from nsfwforensics.store import people as kept
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import Stat

FAR = 1.2  # how far two made people lie apart: as strangers do


def vector(person: int, picture: int) -> np.ndarray:
    random = np.random.default_rng(person)
    centre = random.normal(size=128)
    centre *= FAR / np.sqrt(2) / np.linalg.norm(centre)
    noise = np.random.default_rng(1000 + picture).normal(size=128)
    return (centre + noise * 0.15 / np.linalg.norm(noise)).astype(np.float16)


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """In the place of the networks: a file's text names whom it shows, ``1 2 4?`` with ``?`` behind an unfit face."""
    opened: list[Path] = []

    def faces_of(path: Path, named: bool, follow: bool, expected: str | None, *rest: Any) -> FacesOfFile | Unread:
        opened.append(path)
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        if content == b"broken":
            return Unread(path, "cannot be decoded", failed=True)
        if expected not in (None, sha256):
            return Unread(path, "changed since it came into the case", failed=True)
        faces = tuple(
            SeenFace(
                (place * 50, 10, 40, 40),
                vector(int(who.strip("?")), int(sha256[:6], 16) + place),
                "too small" * ("?" in who),
            )
            for place, who in enumerate(content.decode().split("#")[0].split())
        )
        return FacesOfFile(path, sha256, faces)

    monkeypatch.setattr(grouping, "faces_of", faces_of)
    return opened


HERE = Looking(isolate=False)


def write(folder: Path, **shown: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in shown.items():
        (folder / f"{name}.jpg").write_text(text)
    return folder


def shown(found: People) -> dict[int, set[str]]:
    return {person.number: {Path(path).stem for face in person.faces for path in face.paths} for person in found.people}


def group(folder: Path, **more: Any) -> People:
    return people_in([folder], HERE, **more)


class TestFolder:
    def test_people_get_numbers_the_most_seen_first(self, tmp_path: Path, looking: list[Path]) -> None:
        found = group(write(tmp_path / "p", a="1 2#a", b="1#b", c="2#c", d="1#d", e="3#e"))
        assert shown(found) == {1: {"a", "b", "d"}, 2: {"a", "c"}}
        assert [Path(other.paths[0]).stem for other in found.others] == ["e"]
        assert (found.pictures, found.faces) == (5, 6)

    def test_the_same_bytes_are_one_picture_and_no_person_alone(self, tmp_path: Path, looking: list[Path]) -> None:
        found = group(write(tmp_path / "p", a="1", b="1", c="2#c", d="2#d"))
        assert shown(found) == {1: {"c", "d"}}
        assert [len(other.paths) for other in found.others] == [2]

    def test_an_unfit_face_is_joined_only_to_a_sure_group_and_says_so(
        self, tmp_path: Path, looking: list[Path]
    ) -> None:
        found = group(write(tmp_path / "p", a="1#a", b="1#b", c="1?#c", d="2?#d", e="2#e"))
        assert shown(found) == {1: {"a", "b", "c"}}
        assert [face.compared for face in found.people[0].faces] == [True, True, False]
        assert {(Path(other.paths[0]).stem, other.unfit) for other in found.others} == {("d", "too small"), ("e", "")}

    def test_what_cannot_be_read_is_said(self, tmp_path: Path, looking: list[Path]) -> None:
        found = group(write(tmp_path / "p", a="1#a", b="broken"))
        assert found.failed
        assert [problem.reason for problem in found.problems] == ["cannot be decoded"]

    def test_a_reference_is_said_of_one_person_at_most(self, tmp_path: Path, looking: list[Path]) -> None:
        from nsfwforensics.models.faces.template import FaceTemplate

        folder = write(tmp_path / "p", a="1 2#a", b="1 2#b", c="1#c")

        def template(person: int) -> FaceTemplate:
            return FaceTemplate(np.stack([vector(person, 5)] * 2).astype(np.float32), 80.0, 1.0, 0.1)

        found = group(folder, references={"her.jpg": template(2)})
        assert [person.number for person in found.people if person.reference] == [2]
        assert found.reference is not None
        assert (found.reference.person, found.reference.others) == (2, ())
        nobody = group(folder, references={"her.jpg": template(9)})
        assert nobody.reference is not None
        assert nobody.reference.person is None
        assert "not “not shown”" in documents.about_reference(nobody)


class TestDocuments:
    def test_the_three_files_agree_and_hold_rates_and_warnings_and_no_picture(
        self, tmp_path: Path, looking: list[Path]
    ) -> None:
        found = group(write(tmp_path / "p", a="1#a", b="1#b", c="2?#c"))
        documents.write(found, tmp_path / "out")
        page = (tmp_path / "out" / "people.html").read_text()
        saved = People.model_validate_json((tmp_path / "out" / "people.json").read_bytes())
        rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "people.csv").read_text())))
        assert saved == found
        assert [(row["person"], Path(row["path"]).stem) for row in rows if row["role"] == "person"] in (
            [("1", "a"), ("1", "b")],
            [("1", "b"), ("1", "a")],
        )
        assert {row["note"] for row in rows if row["role"] == "no group"} == {"too small"}
        assert "<img" not in page
        assert "<script" not in page
        for text in ("seem to show one person", "personal data", "no identification", *documents.rates(found)):
            assert text in re.sub(r"\s+", " ", html.unescape(page))

    def test_a_name_of_a_file_cannot_act(self, tmp_path: Path, looking: list[Path]) -> None:
        folder = tmp_path / "p"
        write(folder, **{"=cmd()": "1#a", "<b>\u202e": "1#b"})
        found = group(folder)
        documents.write(found, tmp_path / "out")
        page, table = ((tmp_path / "out" / f"people.{ending}").read_text() for ending in ("html", "csv"))
        assert "<b>" not in page
        assert "\u202e" not in page + table


def test_a_name_that_is_no_text_comes_back_from_the_document() -> None:
    problem = Problem(path="a\udcff.jpg", reason="cannot be read: b\udcff", failed=True)
    assert Problem.model_validate_json(problem.model_dump_json()) == problem


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return tmp_path / "one.db"


def register(case: Path, *places: Path) -> None:
    with CaseDatabase.open_or_create(case, operator="Ann") as opened:
        for place in places:
            stat = Stat.of(place)
            assert stat is not None
            opened.register(place, hashlib.sha256(place.read_bytes()).hexdigest(), stat)


def in_case(case: Path) -> People:
    return people_in_case(case, HERE, command="faces one.db --group", operator="Ben")


class TestCase:
    def test_the_case_keeps_whom_contents_show_and_its_log_says_so(
        self, tmp_path: Path, looking: list[Path], case: Path
    ) -> None:
        folder = write(tmp_path / "p", a="1 2#a", b="1#b", c="2#c", d="3#d")
        register(case, *folder.iterdir())
        found = in_case(case)
        assert shown(found) in ({1: {"a", "b"}, 2: {"a", "c"}}, {1: {"a", "c"}, 2: {"a", "b"}})
        with CaseDatabase.open(case) as opened:
            people = kept.people(opened)
            assert {sha256: {face.person for face in faces} for sha256, faces in people.items()} == {
                hashlib.sha256(path.read_bytes()).hexdigest(): numbers
                for path in folder.iterdir()
                if (numbers := {number for number, names in shown(found).items() if path.stem in names})
            }
            checked = custody_log.check(opened)
            assert not checked.problems
            last = checked.chain.entries[max(checked.chain.entries)]
            assert (last.kind, last.operator, last.counts["people"]) == (grouping.GROUPED, "Ben", 2)

    def test_a_second_time_nothing_is_opened_again_and_numbers_stay(
        self, tmp_path: Path, looking: list[Path], case: Path
    ) -> None:
        folder = write(tmp_path / "p", a="1#a", b="1#b")
        register(case, *folder.iterdir())
        assert shown(in_case(case)) == {1: {"a", "b"}}
        looking.clear()
        write(folder, **{name: f"2#{name}" for name in "cdefg"}, h="1#h")
        register(case, *folder.iterdir())
        assert shown(in_case(case)) == {1: {"a", "b", "h"}, 2: set("cdefg")}  # though the second is larger by now
        assert sorted(path.stem for path in looking) == list("cdefgh")

    def test_a_file_that_changed_or_went_is_a_problem_and_no_face(
        self, tmp_path: Path, looking: list[Path], case: Path
    ) -> None:
        folder = write(tmp_path / "p", a="1#a", b="1#b", c="1#c")
        register(case, *folder.iterdir())
        (folder / "a.jpg").unlink()
        (folder / "b.jpg").write_text("1#other")
        found = in_case(case)
        assert not found.people
        assert {problem.reason for problem in found.problems} == {
            "not found at the old place",
            "changed since it came into the case",
        }

    def test_an_empty_case_is_a_usage_error(self, case: Path) -> None:
        CaseDatabase.create(case).close()
        with pytest.raises(UsageError):
            in_case(case)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"[]",
            b"{}",
            b'{"faces":[{"box":[1,2,3,4],"vector":"AAAA","unfit":""}],"left_out":0}',
            b"\xff",
            b"[" * 9999,
        ],
    )
    def test_what_somebody_put_into_a_case_is_refused(
        self, tmp_path: Path, looking: list[Path], case: Path, data: bytes
    ) -> None:
        (place,) = write(tmp_path / "p", a="1#a").iterdir()
        register(case, place)
        sha256 = hashlib.sha256(place.read_bytes()).hexdigest()
        with CaseDatabase.open(case) as opened:
            opened.add_signature(sha256, METHOD, data)
        with pytest.raises(CaseError, match="cannot be used"):
            in_case(case)
        with CaseDatabase.open(case) as opened:
            opened.add_signature(sha256, kept.METHOD, b'[["1",0,0,1,1,1,0]]')
            with pytest.raises(CaseError, match="makes no sense"):
                kept.people(opened)


def test_faces_are_kept_as_they_were_found() -> None:
    found = FacesOfFile(Path("a.jpg"), "0" * 64, (SeenFace((1, 2, 3, 4), vector(1, 1), "too small"),), 3)
    again = decode(found.path, found.sha256, encode(found))
    assert (again.faces[0].box, again.faces[0].unfit, again.left_out) == ((1, 2, 3, 4), "too small", 3)
    assert np.array_equal(again.faces[0].vector, found.faces[0].vector)
    assert json.loads(encode(found))["faces"][0]["unfit"] == "too small"


def test_the_measured_figures_hold_what_is_promised() -> None:
    """Purity is what the documentation says: read from the file that the measuring tool wrote."""
    figures = people_figures()
    for condition in ("as is", "JPEG 40 at 512 px"):
        row = figures.row(condition)
        assert row is not None
        assert row.precision >= 0.99
        assert row.recall >= 0.85
        assert row.people >= 15

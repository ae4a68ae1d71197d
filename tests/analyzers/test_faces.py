from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from nsfwforensics.analyzers.faces.analyzer import FacesAnalyzer, FacesOptions
from nsfwforensics.core.analyzer import Enrolment, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, Question, Severity, Support
from nsfwforensics.errors import EnrolmentError, UsageError, WeightsError
from nsfwforensics.models.faces.rates import load_rates
from nsfwforensics.testing import AnalyzerContract
from tests.pictures import saved

RESOURCES = Resources()


class TestContract(AnalyzerContract):
    analyzer = FacesAnalyzer


class TestContractWithReference(AnalyzerContract):
    analyzer = FacesAnalyzer
    options = {"reference": [Path(__file__).parents[2] / "samples" / "reference.jpg"]}  # noqa: RUF012


def enrolled(*references: Path, face: str | None = None, model: str = "resnet29") -> FacesAnalyzer:
    options = FacesOptions.model_validate({"reference": references, "reference_face": face, "face_model": model})
    enrolment = FacesAnalyzer.enrol(options, RESOURCES)
    moved: Enrolment = pickle.loads(pickle.dumps(enrolment))  # as a process pool would
    return FacesAnalyzer(options, RESOURCES, moved)


def png(rgb: np.ndarray | Image.Image) -> Evidence:
    return Evidence.from_bytes(saved(rgb if isinstance(rgb, Image.Image) else Image.fromarray(rgb)), "made.png")


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.findings]


def test_without_a_reference_it_is_not_applicable_and_looks_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Evidence, "rgb", property(lambda _: pytest.fail("must not decode")))
    analyzer = FacesAnalyzer(FacesOptions(), RESOURCES, FacesAnalyzer.enrol(FacesOptions(), RESOURCES))
    outcome = analyzer.examine(Evidence.from_bytes(b"\x89PNG\r\n\x1a\n", "a.png"))
    assert outcome.status is AnalyzerStatus.NOT_APPLICABLE
    assert outcome.reason is not None and "no reference photo was given" in outcome.reason
    assert analyzer.models() == () and analyzer.unavailable() is None


def test_importing_the_analyzer_loads_nothing_heavy() -> None:
    script = (
        "import sys, nsfwforensics.analyzers.faces.analyzer as f; f.FacesAnalyzer(f.FacesOptions(reference=('x',)), "
        "f.Resources()).models(); print([m for m in ('torch', 'cv2', 'PIL', 'facenet_pytorch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("face", ["0", "-1", "left", "1.5", "", "99999"])
def test_a_choice_of_face_is_a_number_or_largest(face: str) -> None:
    with pytest.raises(ValueError, match="reference_face"):
        FacesOptions(reference_face=face)


class TestEnrolment:
    def test_a_reference_without_a_face_is_a_usage_error_that_names_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "wall.png"
        Image.new("RGB", (400, 300), (180, 170, 160)).save(path)
        with pytest.raises(EnrolmentError, match=r"wall\.png.*no face") as caught:
            enrolled(path)
        assert isinstance(caught.value, UsageError) and caught.value.exit_code == 2

    def test_a_reference_that_does_not_exist(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"nowhere\.jpg"):
            enrolled(tmp_path / "nowhere.jpg")

    @pytest.mark.parametrize("content", [b"", b"just some text", b"\xff\xd8\xff\xe0 but no more"])
    def test_a_reference_that_is_no_picture(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "her.jpg"
        path.write_bytes(content)
        with pytest.raises(EnrolmentError, match=r"her\.jpg"):
            enrolled(path)

    def test_a_folder_without_pictures(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("nothing here")
        with pytest.raises(EnrolmentError, match="no pictures"):
            enrolled(tmp_path)

    def test_a_folder_is_one_enrolment_and_its_other_files_are_passed_over(
        self, tmp_path: Path, portrait: Path
    ) -> None:
        (tmp_path / "notes.txt").write_text("nothing here")
        (tmp_path / "a.jpg").write_bytes(portrait.read_bytes())
        Image.open(portrait).convert("RGB").save(tmp_path / "b.png")
        analyzer = enrolled(tmp_path)
        records = analyzer.enrolment.records
        assert [Path(record["path"]).name for record in records] == ["a.jpg", "b.png"]
        assert all(len(record["sha256"]) == 64 and record["faces"] == 1 for record in records)
        assert records[0]["nearest_other_reference"] < 0.1

    def test_the_digest_follows_the_content_of_the_references_not_their_names(
        self, tmp_path: Path, portrait: Path
    ) -> None:
        for name in ("one.jpg", "two.jpg"):
            (tmp_path / name).write_bytes(portrait.read_bytes())
        Image.open(portrait).convert("RGB").save(tmp_path / "three.png")
        one, two, three = (enrolled(tmp_path / n).enrolment.digest for n in ("one.jpg", "two.jpg", "three.png"))
        assert one == two != three

    def test_a_missing_model_is_an_error_and_never_another_model(self, portrait: Path) -> None:
        with pytest.raises(WeightsError, match="vggface2") as caught:
            enrolled(portrait, model="vggface2")
        assert caught.value.exit_code == 3


class TestComparison:
    def test_the_person_is_found_in_other_copies_of_her_picture(self, portrait: Path) -> None:
        analyzer = enrolled(portrait)
        original = Image.open(portrait).convert("RGB")
        copies = [
            original,
            original.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
            original.rotate(12, expand=True),
            original.resize((original.width // 2, original.height // 2)),
            original.convert("L").convert("RGB"),
        ]
        rates = load_rates("face-resnet29")
        assert rates is not None
        for copy in copies:
            outcome = analyzer.examine(png(copy))
            assert codes(outcome) == ["FACE-001"]
            (finding,) = outcome.findings
            assert finding.support is Support.SUPPORTS and finding.severity is Severity.HIGH
            assert finding.likelihood is None  # a raw distance is never a probability
            assert float(str(finding.data["distance"])) < rates.match_below

    def test_a_match_says_how_often_it_is_wrong_and_what_it_is_not(self, portrait: Path) -> None:
        (finding,) = enrolled(portrait).examine(Evidence.open(portrait)).findings
        rates = load_rates("face-resnet29")
        assert rates is not None
        assert "lead for human comparison, not an identification" in finding.explanation
        assert f"{rates.false_match.errors} of {rates.false_match.trials:,} pairs of different people" in (
            finding.explanation
        )
        assert "says nothing about the body or whether the scene occurred" in finding.caveat
        assert finding.region is not None and finding.region.width > 0
        false_matches = finding.data["false_match_rate"]
        assert isinstance(false_matches, dict) and false_matches["pairs"] == rates.false_match.trials
        assert finding.data["nearest_reference"] == portrait.name

    def test_no_face_is_inconclusive_and_never_no_match(self, portrait: Path) -> None:
        outcome = enrolled(portrait).examine(png(Image.new("RGB", (640, 480), (90, 120, 60))))
        assert outcome.status is AnalyzerStatus.OK
        (finding,) = outcome.findings
        assert (finding.code, finding.support) == ("FACE-005", Support.INCONCLUSIVE)
        assert "No face found" in finding.explanation and "not “no match”" in finding.explanation

    def test_another_person_is_no_match(self, portrait: Path, other_person: Path) -> None:
        outcome = enrolled(portrait).examine(Evidence.open(other_person))
        assert codes(outcome) == ["FACE-003"]
        assert outcome.findings[0].support is Support.NO_INDICATION

    @pytest.mark.parametrize("spoil", ["small", "blurred"])
    def test_a_face_too_small_or_blurred_is_inconclusive_with_the_reason(self, portrait: Path, spoil: str) -> None:
        analyzer = enrolled(portrait)
        picture = Image.open(portrait).convert("RGB")
        size = float(analyzer.enrolment.records[0]["size"])
        if spoil == "small":
            factor = 26 / size
            changed = picture.resize((round(picture.width * factor), round(picture.height * factor)))
            expected = "pixels across"
        else:
            changed = picture.filter(ImageFilter.GaussianBlur(0.04 * size))
            expected = "too blurred"
        (finding,) = analyzer.examine(png(changed)).findings
        assert (finding.code, finding.support) == ("FACE-004", Support.INCONCLUSIVE)
        assert expected in finding.explanation

    def test_two_people_are_listed_in_a_reference_and_one_can_be_chosen(
        self, tmp_path: Path, portrait: Path, other_person: Path
    ) -> None:
        pair = tmp_path / "pair.png"
        side_by_side([portrait, other_person]).save(pair)
        with pytest.raises(EnrolmentError, match=r"pair\.png: 2 faces") as caught:
            enrolled(pair)
        message = str(caught.value)
        assert "\n  1: " in message and "\n  2: " in message and "--reference-face" in message
        with pytest.raises(EnrolmentError, match="there is no face 3"):
            enrolled(pair, face="3")
        assert codes(enrolled(pair, face="1").examine(Evidence.open(portrait))) == ["FACE-001"]
        assert codes(enrolled(pair, face="2").examine(Evidence.open(portrait))) == ["FACE-003"]

    def test_every_face_of_a_picture_has_its_own_finding_the_nearest_first(
        self, portrait: Path, other_person: Path
    ) -> None:
        outcome = enrolled(portrait).examine(png(side_by_side([other_person, portrait])))
        assert codes(outcome) == ["FACE-001", "FACE-003"]
        first, second = outcome.findings
        assert first.region is not None and second.region is not None
        assert first.region.x > second.region.x
        assert outcome.measurements["comparisons"] == 2
        assert "2 comparisons" in first.explanation

    def test_without_measured_rates_a_distance_gives_no_answer(
        self, portrait: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        analyzer = enrolled(portrait)
        fitness = load_rates("face-resnet29")
        monkeypatch.setattr(analyzer, "_rates", lambda: (None, fitness))
        (finding,) = analyzer.examine(Evidence.open(portrait)).findings
        assert (finding.code, finding.support) == ("FACE-006", Support.INCONCLUSIVE)


def side_by_side(paths: Sequence[Path]) -> Image.Image:
    pictures = [Image.open(path).convert("RGB") for path in paths]
    height = min(picture.height for picture in pictures)
    pictures = [picture.resize((round(picture.width * height / picture.height), height)) for picture in pictures]
    sheet = Image.new("RGB", (sum(picture.width for picture in pictures), height))
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width
    return sheet


@pytest.fixture(scope="module")
def portrait(samples: Path) -> Path:
    return samples / "reference.jpg"


@pytest.fixture(scope="module")
def other_person(samples: Path) -> Path:
    return samples / "other-person.jpg"


@pytest.mark.shared_data
class TestPublicFigures:
    def test_each_is_found_in_the_group_picture_and_nobody_else(self, shared_data: Path) -> None:
        faces = shared_data / "faces"
        group = Evidence.open(faces / "groups" / "obama_and_biden.jpg")
        for person in ("obama", "biden"):
            outcome = enrolled(faces / person).examine(group)
            assert codes(outcome).count("FACE-001") == 1
            assert outcome.findings[0].code == "FACE-001"

    def test_other_photos_of_a_person_are_nearer_than_photos_of_another(self, shared_data: Path) -> None:
        faces = shared_data / "faces"
        analyzer = enrolled(faces / "obama" / "2.jpg", faces / "obama" / "3.jpg")
        same = analyzer.examine(Evidence.open(faces / "obama" / "5.jpg")).findings[0]
        other = analyzer.examine(Evidence.open(faces / "biden" / "1.jpg")).findings[0]
        assert (same.support, other.support) == (Support.SUPPORTS, Support.NO_INDICATION)

    def test_a_group_picture_is_no_reference_by_itself(self, shared_data: Path) -> None:
        with pytest.raises(EnrolmentError, match="faces in it; say which one is meant"):
            enrolled(shared_data / "faces" / "groups" / "obama_and_biden.jpg")


def test_the_question_is_identity() -> None:
    assert FacesAnalyzer.question is Question.IDENTITY
    assert FacesAnalyzer.needs_device

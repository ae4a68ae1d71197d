"""A picture against the original it may have been made from: recognised, its changes mapped, said in words."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from nsfwforensics.analyzers.compare.analyzer import CompareAnalyzer, CompareOptions
from nsfwforensics.analyzers.compare.words import place
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, Finding, Question, Support
from nsfwforensics.errors import EnrolmentError

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
ORIGINAL = SAMPLES / "camera-original.jpg"


def analyzer(*originals: Path, thumbnails: bool = False) -> CompareAnalyzer:
    options = CompareOptions(original=originals)
    resources = Resources(thumbnails=thumbnails)
    return CompareAnalyzer(options, resources, CompareAnalyzer.enrol(options, resources))


@pytest.fixture(scope="module")
def against_original() -> CompareAnalyzer:
    return analyzer(ORIGINAL)


def examined(analyzer: CompareAnalyzer, name: str) -> Outcome:
    return analyzer.examine(Evidence.open(SAMPLES / name))


def found(outcome: Outcome, code: str) -> list[Finding]:
    return [finding for finding in outcome.findings if finding.code == code]


def saved(picture: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", **({"quality": 88} | options))
    return buffer.getvalue()


def test_without_an_original_the_question_does_not_arise() -> None:
    outcome = examined(analyzer(), "crop.jpg")
    assert outcome.status is AnalyzerStatus.NOT_APPLICABLE
    assert "--original" in (outcome.reason or "")


def test_a_mirrored_cropped_recoloured_screenshot_of_an_edit(against_original: CompareAnalyzer) -> None:
    outcome = examined(against_original, "reposted-edit.png")
    (made,) = found(outcome, "CMP-001")
    assert "camera-original.jpg" in made.explanation
    assert "matching points" in made.explanation
    (framing,) = found(outcome, "CMP-004")
    for word in ("mirrored", "cropped", "larger canvas"):
        assert word in framing.explanation
    (changed,) = found(outcome, "CMP-002")
    assert changed.question is Question.ALTERATION
    assert changed.support is Support.SUPPORTS
    assert "below the face, where the body would be" in changed.explanation
    assert changed.region is not None
    # The coat that was painted over the flight suit lies here in the screenshot.
    assert _overlap(changed.region, (76, 545, 410, 275)) > 0.6
    assert len(changed.region.outline) >= 4


def test_copies_without_an_edit_are_recognised_and_nothing_is_called_changed(
    against_original: CompareAnalyzer,
) -> None:
    for name in ("IMG-20260112-WA0007.jpg", "crop.jpg", "screenshot.png", "reference.jpg"):
        outcome = examined(against_original, name)
        assert found(outcome, "CMP-001"), name
        assert not found(outcome, "CMP-002"), name
        assert found(outcome, "CMP-003")[0].support is Support.NO_INDICATION


def test_what_a_truncated_file_lacks_is_not_called_changed(against_original: CompareAnalyzer) -> None:
    outcome = examined(against_original, "truncated.jpg")
    assert found(outcome, "CMP-001")
    assert not found(outcome, "CMP-002")


def test_the_original_itself_is_said_to_be_itself(against_original: CompareAnalyzer) -> None:
    outcome = examined(against_original, ORIGINAL.name)
    assert [finding.code for finding in outcome.findings] == ["CMP-006", "CMP-003"]


@pytest.mark.parametrize("name", ["other-person.jpg", "no-face.jpg", "generator-metadata.png"])
def test_an_unrelated_picture_is_never_called_made_from_it(against_original: CompareAnalyzer, name: str) -> None:
    outcome = examined(against_original, name)
    (finding,) = outcome.findings
    assert finding.code in ("CMP-007", "CMP-008")
    assert finding.support in (Support.NO_INDICATION, Support.INCONCLUSIVE)
    assert finding.question is not Question.ALTERATION


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_negative_is_recognised_and_only_the_edit_in_it_is_called_changed(
    against_original: CompareAnalyzer, mirrored: bool
) -> None:
    for name, edited in (("camera-original.jpg", False), ("reposted-edit.png", True)):
        with Image.open(SAMPLES / name) as picture:
            negative = ImageOps.invert(picture.convert("RGB"))
        outcome = against_original.examine(
            Evidence.from_bytes(saved(ImageOps.mirror(negative) if mirrored else negative))
        )
        assert found(outcome, "CMP-001"), name
        assert "negative" in found(outcome, "CMP-004")[0].explanation
        assert outcome.measurements["inverted"] is True
        assert bool(found(outcome, "CMP-002")) is edited, name


def test_an_unrelated_negative_is_not_called_made_from_it(against_original: CompareAnalyzer) -> None:
    with Image.open(SAMPLES / "other-person.jpg") as picture:
        negative = ImageOps.invert(picture.convert("RGB"))
    assert not found(against_original.examine(Evidence.from_bytes(saved(negative))), "CMP-001")


def test_a_flat_picture_is_inconclusive(against_original: CompareAnalyzer) -> None:
    outcome = against_original.examine(Evidence.from_bytes(saved(Image.new("RGB", (400, 300), "gray"))))
    assert [(f.code, f.support) for f in outcome.findings] == [("CMP-008", Support.INCONCLUSIVE)]


def test_the_right_one_of_many_originals(tmp_path: Path) -> None:
    for name in ("camera-original.jpg", "other-person.jpg", "no-face.jpg"):
        (tmp_path / name).write_bytes((SAMPLES / name).read_bytes())
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "flat.jpg").write_bytes(saved(Image.new("RGB", (300, 300), "white")))
    many = analyzer(tmp_path)
    left_out = [record for record in many.enrolment.records if "left_out" in record]
    assert [Path(record["path"]).name for record in left_out] == ["flat.jpg"]
    with Image.open(SAMPLES / "no-face.jpg") as picture:
        part = picture.crop((60, 40, 560, 380)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    (made, *_) = many.examine(Evidence.from_bytes(saved(part))).findings
    assert made.code == "CMP-001"
    assert "no-face.jpg" in made.explanation


def test_an_original_that_changed_meanwhile_is_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "original.jpg"
    path.write_bytes(ORIGINAL.read_bytes())
    prepared = analyzer(path)
    path.write_bytes((SAMPLES / "other-person.jpg").read_bytes())
    outcome = examined(prepared, "crop.jpg")
    assert found(outcome, "CMP-001")
    (unmapped,) = found(outcome, "CMP-005")
    assert "changed during the run" in unmapped.explanation
    assert unmapped.support is Support.INCONCLUSIVE


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"no picture", "no image format"), (saved(Image.new("RGB", (300, 300))), "too little detail")],
)
def test_an_original_that_is_of_no_use_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "original.jpg"
    path.write_bytes(content)
    with pytest.raises(EnrolmentError, match=words):
        analyzer(path)


def test_pictures_are_made_only_when_asked_for(against_original: CompareAnalyzer) -> None:
    assert examined(against_original, "edited-copy.jpg").artifacts == ()
    made = examined(analyzer(ORIGINAL, thumbnails=True), "edited-copy.jpg").artifacts
    assert {artifact.name for artifact in made} == {"Difference map", "Original and picture side by side"}
    for artifact in made:
        with Image.open(io.BytesIO(artifact.data or b"")) as picture:
            assert max(picture.size) <= 2400


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((380, 150, 240, 160), "over the face"),
        ((300, 330, 400, 500), "below the face, where the body would be"),
        ((300, 100, 400, 800), "over the face and the body below it"),
        ((0, 250, 200, 200), "on the left of the picture, to the left of the face"),
        ((20, 20, 960, 960), "over the face and the body below it"),
    ],
)
def test_where_a_region_lies_beside_a_face(box: tuple[float, float, float, float], words: str) -> None:
    assert place(box, [(450.0, 180.0, 100.0, 120.0)], 1000, 1000) == words


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((10, 10, 100, 100), "in the upper left of the picture"),
        ((450, 450, 100, 100), "in the middle of the picture"),
        ((10, 10, 980, 980), "over most of the picture"),
        ((450, 880, 100, 100), "in the lower part of the picture"),
    ],
)
def test_where_a_region_lies_without_a_face(box: tuple[float, float, float, float], words: str) -> None:
    assert place(box, [], 1000, 1000) == words


def _overlap(region: Any, box: tuple[int, int, int, int]) -> float:
    """Intersection over union of two boxes."""
    wide = min(region.x + region.width, box[0] + box[2]) - max(region.x, box[0])
    high = min(region.y + region.height, box[1] + box[3]) - max(region.y, box[1])
    shared = max(0, wide) * max(0, high)
    return shared / (region.width * region.height + box[2] * box[3] - shared)


def test_two_screenshots_that_share_only_the_app_are_at_most_inconclusive(tmp_path: Path) -> None:
    with Image.open(SAMPLES / "screenshot.png") as opened:
        screen = opened.convert("RGB")
    path = tmp_path / "her-screenshot.png"
    screen.save(path)
    with Image.open(SAMPLES / "no-face.jpg") as other:
        screen.paste(other.convert("RGB").resize((540, 540)), (0, 180))
    for finding in analyzer(path).examine(Evidence.from_bytes(saved(screen))).findings:
        assert finding.support is not Support.SUPPORTS or finding.code == "CMP-004"

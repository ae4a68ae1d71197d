"""The detector's marks become careful handling; nothing here shows, or needs, an intimate picture."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.analyzers import intimate
from nsfwforensics.analyzers.intimate import EXPOSED, LIKELY, IntimateAnalyzer
from nsfwforensics.cli.run import ExitTally
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.sensitive import needs_care
from nsfwforensics.core.types import AnalyzerResult, AnalyzerStatus, Question, Support
from nsfwforensics.errors import ExitCode, WeightsError
from nsfwforensics.models import intimate_detector
from nsfwforensics.models.intimate_detector import Detection, IntimateDetector
from nsfwforensics.testing import contract_file
from tests.report.factory import file, result

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
CLOTHED = ("reference.jpg", "camera-original.jpg", "other-person.jpg", "edited-copy.jpg", "IMG-20260112-WA0007.jpg")

installed = pytest.mark.skipif(importlib.util.find_spec("nudenet") is None, reason="the extra is not installed")


def analyzer() -> IntimateAnalyzer:
    return IntimateAnalyzer(IntimateAnalyzer.Options(), Resources())


def outcome(monkeypatch: pytest.MonkeyPatch, *marked: Detection) -> Outcome:
    """What the analyzer makes of a plain picture in which the detector marks these places."""

    class Detector:
        def detect(self, image: object, shown: tuple[int, int]) -> Sequence[Detection]:
            assert shown == (640, 480)
            return marked

    monkeypatch.setattr(intimate, "cached_detector", Detector)
    return analyzer().examine(Evidence.from_bytes(contract_file("plain.jpg"), "plain.jpg"))


def as_result(made: Outcome) -> AnalyzerResult:
    return result("intimate", Question.CONTENT, made.status, findings=made.findings, measurements=made.measurements)


@pytest.mark.parametrize("label", EXPOSED)
@pytest.mark.parametrize(
    ("score", "code", "support"),
    [
        (LIKELY, "CONT-001", Support.SUPPORTS),
        (0.97, "CONT-001", Support.SUPPORTS),
        (LIKELY - 0.01, "CONT-002", Support.INCONCLUSIVE),
        (0.26, "CONT-002", Support.INCONCLUSIVE),
    ],
)
def test_marks_of_exposed_parts_ask_for_care(
    monkeypatch: pytest.MonkeyPatch, label: str, score: float, code: str, support: Support
) -> None:
    made = outcome(monkeypatch, Detection(label, score, (10, 20, 30, 40)))
    (found,) = made.findings
    assert (found.code, found.support) == (code, support)
    assert found.likelihood is None, "a raw score is no probability"
    assert found.region is not None and (found.region.x, found.region.height) == (10, 40)
    assert needs_care([as_result(made)])
    assert "not a statement about what it shows" in found.explanation
    for word in ("How often it misses was not measured", "nothing about age"):
        assert word in found.caveat


def test_covered_parts_are_measured_and_reported_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = ["FEMALE_BREAST_COVERED", "FEET_EXPOSED", "MALE_BREAST_EXPOSED"]
    made = outcome(monkeypatch, *(Detection(label, 0.9, (1, 2, 3, 4)) for label in labels))
    assert made.status is AnalyzerStatus.NOTHING_FOUND
    assert [entry["label"] for entry in made.measurements["marked"]] == labels
    assert not needs_care([as_result(made)])


def test_several_places_make_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    made = outcome(monkeypatch, Detection("BUTTOCKS_EXPOSED", 0.7, (5, 5, 5, 5)),
                   Detection("MALE_GENITALIA_EXPOSED", 0.3, (1, 2, 3, 4)),
                   Detection("FEMALE_GENITALIA_EXPOSED", 0.3, (1, 2, 3, 4)))  # fmt: skip
    (found,) = made.findings
    assert "3 places" in found.explanation and "buttocks, genitals)" in found.explanation
    assert found.data["places"] == 3


def test_no_word_of_age_sex_or_identity_in_any_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    made = outcome(monkeypatch, *(Detection(label, 0.9, (1, 1, 9, 9)) for label in EXPOSED))
    (found,) = made.findings
    text = f"{found.title} {found.explanation}".lower()
    for word in ("age", "child", "minor", "adult", "woman", "female", "male", "person", "year", "nude", "porn"):
        assert f" {word}" not in f" {text}"


@installed
def test_clothed_people_are_nothing_and_their_faces_are_not_kept() -> None:
    for name in CLOTHED:
        made = analyzer().examine(Evidence.open(SAMPLES / name))
        assert made.status is AnalyzerStatus.NOTHING_FOUND, name
        assert not [entry for entry in made.measurements["marked"] if "FACE" in entry["label"]]


def test_boxes_are_in_pixels_of_the_picture_as_shown_and_faces_are_dropped() -> None:
    class Package:
        """Marks a quarter of whatever it is shown, and a face."""

        def detect(self, pixels: Any) -> list[dict[str, Any]]:
            height, width = pixels.shape[:2]
            assert max(height, width) == intimate_detector.EDGE
            return [
                {"class": "FACE_FEMALE", "score": 0.9, "box": [0, 0, 5, 5]},
                {"class": "FEET_COVERED", "score": 0.4, "box": [0, 0, width // 2, height // 2]},
                {"class": "BUTTOCKS_EXPOSED", "score": 0.6, "box": [width // 2, height // 2, width // 2, height // 2]},
            ]

    detector = object.__new__(IntimateDetector)
    detector._detector = Package()
    first, second = detector.detect(Image.new("L", (1600, 1200)), (6400, 4800))
    assert (first.label, first.box) == ("BUTTOCKS_EXPOSED", (3200, 2400, 3200, 2400))
    assert (second.label, second.box) == ("FEET_COVERED", (0, 0, 3200, 2400))


@installed
@pytest.mark.parametrize("marked", [(), (5,), (0, 700, 2099)])
def test_the_package_says_the_same_of_the_places_that_it_is_left_with(marked: Sequence[int]) -> None:
    from nudenet import nudenet

    found = np.random.default_rng(3).random((1, 22, 2100), dtype=np.float32)
    found[:, :4] *= 300
    found[:, 4:] *= 0.19
    found[:, 9, marked] = 0.7

    class Session:
        def run(self, *_: Any) -> list[Any]:
            return [found]

    left = intimate_detector._Marked(Session()).run(None, {})
    assert left[0].shape[2] <= len(marked) + 2
    says = [nudenet._postprocess(each, 0, 0, 1.0, 1.0, 320, 320, 320, 320) for each in ([found], left)]
    assert says[0] == says[1]
    assert len(says[0]) == len(marked)


@installed
def test_the_report_names_the_model_with_its_digest() -> None:
    (record,) = analyzer().models()
    assert (record.name, record.file, record.sha256) == ("nudenet", "320n.onnx", intimate_detector.SHA256)


@installed
def test_another_model_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "320n.onnx"
    other.write_bytes(b"another model")
    monkeypatch.setattr(intimate_detector, "model_file", lambda: other)
    assert "not the one whose error rates were measured" in str(analyzer().unavailable())
    with pytest.raises(WeightsError):
        intimate_detector.IntimateDetector()


def test_without_the_extra_it_is_not_available_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(intimate_detector, "find_spec", lambda name: None if name == "nudenet" else found(name))
    made = analyzer()
    assert "pip install 'nsfwforensics[intimate]'" in str(made.unavailable())
    assert made.models() == ()


@pytest.mark.parametrize(("forgiven", "code"), [({"intimate"}, ExitCode.DONE), (set(), ExitCode.MISSING)])
def test_a_missing_extra_fails_only_a_run_that_asked_for_it(forgiven: set[str], code: ExitCode) -> None:
    tally = ExitTally(frozenset(forgiven))
    tally.add(file("a.jpg", result("intimate", Question.CONTENT, AnalyzerStatus.NOT_AVAILABLE, error="missing")))
    assert tally.exit_code(None, interrupted=False) is code


@installed
def test_nothing_heavy_is_loaded_with_the_analyzer_and_nothing_is_sent() -> None:
    code = (
        "import sys; import nsfwforensics.analyzers.intimate as i;"
        "assert not {'nudenet', 'onnxruntime', 'cv2', 'numpy', 'torch'} & set(sys.modules);"
        "import socket\n"
        "def no(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = no; socket.create_connection = no; socket.getaddrinfo = no\n"
        "from nsfwforensics.core.analyzer import Resources\n"
        "from nsfwforensics.core.evidence import Evidence\n"
        "from pathlib import Path\n"
        "a = i.IntimateAnalyzer(i.IntimateAnalyzer.Options(), Resources())\n"
        "print(a.examine(Evidence.open(Path(sys.argv[1]))).status)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(SAMPLES / "reference.jpg")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "nothing_found"

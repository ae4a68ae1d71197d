"""What analyzers and answers say where a limit was reached or a part could not be read: never that there is nothing."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest

from nsfwforensics.analyzers.jpeg.analyzer import JpegAnalyzer
from nsfwforensics.analyzers.metadata.analyzer import MetadataAnalyzer
from nsfwforensics.analyzers.provenance.analyzer import ProvenanceAnalyzer
from nsfwforensics.core.analyzer import Analyzer, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, Severity, Support
from nsfwforensics.formats import jumbf, parts
from tests.analyzers import provenance_files as files
from tests.analyzers.test_provenance import origin
from tests.formats import make
from tests.formats.test_limits import CONTAINERS, FILLERS, filled
from tests.hostile.wrapped import store

LABEL = make.xmp_segment(
    make.xmp(attributes=files.iptc_ext("DigitalSourceType", files.SOURCE_TYPE + "trainedAlgorithmicMedia"))
)
PLACES, STEPS = 300, 3_000


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MAX_PLACES", PLACES)
    monkeypatch.setattr(parts, "MAX_STEPS", STEPS)


def examine(analyzer: type[Analyzer], data: bytes) -> Outcome:
    return analyzer(analyzer.Options(), Resources()).examine(Evidence.from_bytes(data, "x"))


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


def comments(number: int) -> bytes:
    return filled(lambda n: make.segment(0xFE, b"%d" % n), number)


@pytest.mark.parametrize(
    "number",
    [5_000, parts.MAX_PLACES + 1, *(pytest.param(many, marks=pytest.mark.slow) for many in (parts.MAX_PLACES, 60_000))],
)
@pytest.mark.parametrize("empty", [True, False])
def test_comments_before_a_label_hide_nothing_and_make_no_file_short(number: int, empty: bool) -> None:
    filling = make.segment(0xFE, b"") * number if empty else comments(number)
    data = make.with_segments(make.jpeg(), filling, LABEL)
    assert "PROV-005" in codes(examine(ProvenanceAnalyzer, data))
    said = codes(examine(MetadataAnalyzer, data))
    assert "META-014" not in said
    assert ("META-016" in said) is (number > parts.MAX_PLACES and not empty)
    measured = examine(JpegAnalyzer, data).measurements
    assert measured["quality"]["standard"] == 90
    assert measured["bytes_after_image"] == 0


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize(("name", "kind"), FILLERS)
def test_a_limit_that_is_reached_is_inconclusive_in_every_format(name: str, kind: str) -> None:
    build, _, fillers = CONTAINERS[name]
    data = build(filled(fillers[kind], STEPS + 1))
    for analyzer, code in ((MetadataAnalyzer, "META-016"), (ProvenanceAnalyzer, "PROV-014")):
        outcome = examine(analyzer, data)
        (finding,) = [each for each in outcome.findings if each.code == code]
        assert finding.support is Support.INCONCLUSIVE
        assert finding.severity is Severity.LOW
        assert finding.data["limits"]
        assert "META-014" not in codes(outcome)
        assert "META-013" not in codes(outcome)


@pytest.mark.usefixtures("small_limits")
def test_a_jpeg_that_is_not_walked_to_its_end_is_not_said_to_have_no_tables() -> None:
    outcome = examine(JpegAnalyzer, make.with_segments(make.jpeg(), comments(STEPS + 1)))
    assert outcome.status is AnalyzerStatus.OK
    (finding,) = outcome.findings
    assert (finding.code, finding.support) == ("JPEG-004", Support.INCONCLUSIVE)


@pytest.mark.parametrize(
    "segment",
    [
        make.xmp_segment(b"<x:xmpmeta <<<"),
        make.segment(0xE1, b"Exif\0\0" + b"\1" * 40),
        make.segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0short"),
    ],
    ids=["XMP", "EXIF", "extended XMP"],
)
def test_a_part_that_could_not_be_read_is_not_a_file_without_statements(segment: bytes) -> None:
    data = make.with_segments(make.jpeg(), segment)
    (finding,) = examine(ProvenanceAnalyzer, data).findings
    assert (finding.code, finding.support, finding.severity) == ("PROV-014", Support.INCONCLUSIVE, Severity.INFO)
    assert finding.data["unread"]
    said = codes(examine(MetadataAnalyzer, data))
    assert "META-015" in said
    assert "META-013" not in said


def test_a_sound_file_says_nothing_of_the_kind() -> None:
    for data in (make.jpeg(), make.png(), make.webp(), make.with_segments(make.jpeg(), LABEL)):
        said = codes(examine(ProvenanceAnalyzer, data)) | codes(examine(MetadataAnalyzer, data))
        assert said.isdisjoint({"PROV-014", "META-015", "META-016"})


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        (b"parameters", "a\nSteps: 20, " + "".join(f"k{n}: v, " for n in range(600)) + "Denoising strength: 0.5"),
        (b"invokeai_metadata", json.dumps({f"k{n}": n for n in range(6_000)} | {"generation_mode": "inpaint"})),
        (b"prompt", json.dumps({str(n): {"class_type": "Note", "inputs": {}} for n in range(6_000)})),
    ],
    ids=["settings", "JSON", "nodes"],
)
def test_limits_inside_a_generators_text_are_inconclusive_too(keyword: bytes, text: str) -> None:
    data = make.with_chunks(make.png(), make.chunk(b"zTXt", keyword + b"\0\0" + zlib.compress(text.encode())))
    assert "PROV-014" in codes(examine(ProvenanceAnalyzer, data))


@pytest.mark.parametrize("number", [jumbf.MAX_BOXES + 1, 10])
def test_credentials_of_more_boxes_than_are_looked_at_are_inconclusive_not_absent(number: int) -> None:
    data = make.with_chunks(make.png(), make.chunk(b"caBX", store(b"\0\0\0\x08free" * number)))
    outcome = examine(ProvenanceAnalyzer, data)
    (finding,) = outcome.findings
    assert (finding.code, finding.support) == ("PROV-108", Support.INCONCLUSIVE)
    assert ("more than" in finding.data["reason"]) is (number > jumbf.MAX_BOXES)


def test_notes_in_the_report_are_all_there() -> None:
    broken = [make.chunk(b"zTXt", b"k\0\0not zlib %d" % n) for n in range(40)]
    outcome = examine(MetadataAnalyzer, make.with_chunks(make.png(), *broken))
    assert len(outcome.measurements["notes"]) == 40
    (finding,) = outcome.findings
    assert "(40 notes)" in finding.explanation


def test_the_user_comment_of_ifd0_is_a_comment() -> None:
    block = make.exif({0x9286: b"ASCII\0\0\0a boat"})
    outcome = examine(MetadataAnalyzer, make.with_segments(make.jpeg(), make.exif_segment(block)))
    (finding,) = [each for each in outcome.findings if each.code == "META-012"]
    assert "a boat" in finding.explanation


@pytest.mark.parametrize("names", [("metadata",), ("provenance",), ("provenance", "metadata", "jpeg")])
def test_the_answer_is_inconclusive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    monkeypatch.setattr(parts, "MAX_STEPS", STEPS)
    path = tmp_path / "x.jpg"
    path.write_bytes(make.with_segments(make.jpeg(), comments(STEPS + 1), LABEL))
    answer = origin(path, *names)
    assert answer.support is Support.INCONCLUSIVE
    assert "more parts" in answer.statement

"""Every provenance rule finds its mark in a file built for it, in its structural home and nowhere else."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nsfwforensics.analyzers.provenance.analyzer import ProvenanceAnalyzer, ProvenanceOptions
from nsfwforensics.analyzers.provenance.match import RULES
from nsfwforensics.analyzers.provenance.model import Certainty, Meaning, Rule
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import Finding, Severity, Support
from tests.analyzers import provenance_files as files
from tests.analyzers.provenance_files import FILES
from tests.formats import make
from tests.pictures import saved

CODE_OF = {
    Meaning.GENERATED: "PROV-001",
    Meaning.EDITED: "PROV-002",
    Meaning.FACE_SWAP: "PROV-003",
    Meaning.FACE_SET: "PROV-004",
    Meaning.FACE_GIVEN: "PROV-015",
}
BY_ID = {rule.id: rule for rule in RULES}


def examine(data: bytes, name: str = "picture") -> Outcome:
    return ProvenanceAnalyzer(ProvenanceOptions(), Resources()).examine(Evidence.from_bytes(data, name))


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


def only(outcome: Outcome, code: str) -> Finding:
    (finding,) = [finding for finding in outcome.findings if finding.code == code]
    return finding


def test_every_rule_has_a_file_and_every_file_a_rule() -> None:
    assert len(BY_ID) == len(RULES)
    assert set(FILES) == set(BY_ID)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_complete_data(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", rule.id)
    assert rule.generator and rule.where and rule.source and rule.example and rule.conditions
    for condition in rule.conditions:
        assert condition.homes
        re.compile(condition.pattern)
        re.compile(condition.unless)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_finds_its_mark(rule: Rule) -> None:
    outcome = examine(FILES[rule.id]())
    assert rule.id in outcome.measurements["rules"]
    code = CODE_OF[rule.meaning] if rule.certainty is Certainty.VERIFIED else "PROV-012"
    found = [f for f in outcome.findings if f.code == code and rule.id in {mark["rule"] for mark in f.data["marks"]}]
    assert len(found) == 1
    assert found[0].data["generator"] == rule.generator
    shown = rule.example.partition("=")[2] if rule.certainty is Certainty.NAMED else rule.name
    assert shown in found[0].explanation
    assert "claim" in found[0].explanation and "anyone can" in found[0].caveat
    if rule.certainty is not Certainty.VERIFIED:
        assert (found[0].support, found[0].severity) == (Support.INCONCLUSIVE, Severity.LOW)
    else:
        assert found[0].support is Support.SUPPORTS
        assert "unsigned" in found[0].explanation


_OF_A_PICTURE = [r for r in RULES if r.meaning is not Meaning.GENERATED and r.certainty is Certainty.VERIFIED]


@pytest.mark.parametrize("rule", _OF_A_PICTURE, ids=lambda rule: rule.id)
def test_edits_of_an_existing_picture_weigh_more_than_generation(rule: Rule) -> None:
    worst = max(finding.severity.rank for finding in examine(FILES[rule.id]()).findings)
    assert worst == (rule.severity or Severity.HIGH).rank, rule.id


@pytest.mark.parametrize("rule", [r for r in RULES if r.meaning is Meaning.GENERATED], ids=lambda rule: rule.id)
def test_plain_generation_is_never_called_an_edit(rule: Rule) -> None:
    assert codes(examine(FILES[rule.id]())).isdisjoint({"PROV-002", "PROV-003", "PROV-004", "PROV-006"})


def _marks() -> list[bytes]:
    """What the marks look like as bare bytes: the files' own text, whole segments, and whole chunks."""
    marks = [rule.example.encode() for rule in RULES]
    marks += [b"parameters\0" + files.SETTINGS.encode(), b"stealth_pngcomp", b"Software\0NovelAI"]
    marks += [f"{files.SOURCE_TYPE}trainedAlgorithmicMedia".encode(), b'<TC260:AIGC>{"Label":"1"}</TC260:AIGC>']
    marks += [make.segment(0xEF, b"\x80\x04face_type landmarks source_filename"), make.xmp_segment(make.xmp())]
    marks += [files.png_text("Software", "NovelAI"), b'AIGC{"Label":"1"}', b'PEg_Info{"genAIType":8}SEFH\0\0\0\0SEFT']
    return marks


@pytest.mark.parametrize("mark", _marks(), ids=lambda mark: repr(mark[:24]))
def test_a_mark_outside_its_home_changes_nothing(mark: bytes) -> None:
    plain = {name: examine(data, name).findings for name, data in _plain().items()}
    assert all(findings == () for findings in plain.values())
    for name, data in _plain().items():
        assert examine(data + mark, name).findings == (), "appended after the end"
    alien = make.segment(0xE9, b"Notes\0" + mark)
    assert examine(make.with_segments(make.jpeg(), alien)).findings == (), "in a segment that nobody writes them into"
    text = mark.decode("latin-1").replace("\0", " ")
    assert examine(files.png(Notes=text)).findings == (), "in a PNG text with another keyword"
    width = 64
    rows = np.frombuffer(mark.ljust(width * 3 * (len(mark) // (width * 3) + 2), b"\0"), np.uint8).reshape(-1, width, 3)
    assert examine(saved(rows)).findings == (), "in the pixels"


def _plain() -> dict[str, bytes]:
    return {"x.jpg": make.jpeg(), "x.png": make.png(), "x.webp": make.webp()}


@pytest.mark.parametrize("identifier", ["automatic1111", "grok", "samsung-ai", "deepfacelab", "midjourney"])
def test_thirteen_bytes_after_the_end_change_no_finding(identifier: str) -> None:
    data = FILES[identifier]()
    assert examine(data + b"thirteen more").findings == examine(data).findings


@pytest.mark.parametrize("name", ["FaceApp", "Remini", "Adobe Photoshop CS6", "Example Studio 4.1"])
def test_a_program_that_is_no_known_generator_is_quoted_and_not_guessed_about(name: str) -> None:
    for data in (files.photo({0x0131: name}), files.photo({0x000B: name}), files.png(Software=name)):
        (finding,) = examine(data).findings
        assert (finding.code, finding.severity) == ("PROV-016", Severity.INFO)
        assert f"“{name}”" in finding.explanation
    assert examine(files.photo({0x010F: "Example", 0x0110: "Phone 9", 0x0131: "Ver.1.01 B"})).findings == ()


@pytest.mark.parametrize(
    "text",
    [
        files.SETTINGS + ", Denoising strength: 0.3, Hires upscale: 1.5, Hires steps: 10",
        files.SETTINGS
        + ", ADetailer model: face_yolov8n.pt, ADetailer mask blur: 4, ADetailer denoising strength: 0.4",
        "Mask blur: 4, Inpaint area: Only masked\nDenoising strength: 0.7\n" + files.SETTINGS,
        files.SETTINGS + ', Note: "quoted, Mask blur: 4, Denoising strength: 0.7", Version: v1.10.1',
        files.SETTINGS + ", App: SD.Next, Operations: txt2img, Denoising strength: 0.3",
    ],
)
def test_enlargement_repair_and_words_of_a_prompt_are_no_edit(text: str) -> None:
    outcome = examine(files.png(parameters=text))
    assert "PROV-001" in codes(outcome)
    assert "PROV-002" not in codes(outcome)


@pytest.mark.parametrize(
    "data",
    [
        files.comfyui(a=files.node("ReActorFaceSwap", enabled=False, swap_model="x"), b=files.node("SaveImage")),
        files.png(workflow='{"nodes": [{"id": 1, "type": "ReActorFaceSwap", "mode": 4}, '
                           '{"id": 2, "type": "KSampler", "mode": 0}], "links": []}'),
        files.png(prompt='{"1": {"class_type": "CLIPTextEncode", "inputs": {"text": "ReActorFaceSwap"}}}'),
        files.comfyui(a=files.node("LoadImage"), b=files.node("ControlNetApply", image=["a", 0]),
                      c=files.node("KSampler", positive=["b", 0], latent_image=["d", 0]),
                      d=files.node("EmptyLatentImage")),
        files.comfyui(a=files.node("VAEEncodeForInpaint", pixels=["b", 0]), b=files.node("VAEDecode")),
        files.comfyui(a=files.node("KSampler", latent_image=["a", 0])),
    ],
)  # fmt: skip
def test_graph_nodes_that_did_not_touch_a_picture_are_no_edit(data: bytes) -> None:
    outcome = examine(data)
    assert codes(outcome) & {"PROV-001", "PROV-002", "PROV-003"} == {"PROV-001"}


def test_an_edit_is_named_after_the_program_that_the_same_text_names() -> None:
    data = files.comment("a coat\nSteps: 20, Sampler: Euler, Denoising strength: 0.6, Mask blur: 4, Version: f2.0")
    edit = only(examine(data), "PROV-002")
    assert edit.data["generator"] == "Forge"
    assert "(inpainting of an existing picture)" in edit.explanation


@pytest.mark.parametrize("name", [b"PEg_Info", b"PhotoEditor_Re_Edit_Data"])
def test_a_phones_own_editor_without_ai_is_no_finding(name: bytes) -> None:
    for value in (b'{"genImageVersion":"v1","genAIType":0}', b'{"reSize":4,"isScaleAI":false}', b""):
        assert examine(make.jpeg() + files.galaxy(0x0BA1, name, value)).findings == ()


@pytest.mark.parametrize("more", ["Init image hash: 70287fa7", "Operations: img2img", "Operations: inpaint"])
def test_sd_next_says_it_in_its_own_words(more: str) -> None:
    edit = only(examine(files.comment(files.SETTINGS + f", App: SD.Next, {more}")), "PROV-002")
    assert edit.data["generator"] == "SD.Next"


def test_grok_needs_both_marks_and_says_consistent() -> None:
    finding = only(examine(FILES["grok"]()), "PROV-001")
    assert "consistent with xAI Grok" in finding.explanation
    assert "only be checked by xAI" in finding.caveat
    signature = "Signature: " + "QUJD" * 24
    assert examine(files.photo({0x010E: signature})).findings == ()
    assert examine(files.photo({0x010E: signature, 0x013B: "A. Person"})).findings == ()
    assert examine(files.photo({0x010E: "Signature: A. Person", 0x013B: files.UUID})).findings == ()

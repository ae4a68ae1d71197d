"""What the provenance analyzer says beyond single rules: standards, hidden text, recovered values, limits, network."""

from __future__ import annotations

import io
import json
import socket
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nsfwforensics.analyzers.provenance import standards
from nsfwforensics.analyzers.provenance.readings import read_settings
from nsfwforensics.core.discover import Target
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.registry import built_in
from nsfwforensics.core.types import Answer, Question, Severity, Support
from tests.analyzers import provenance_files as files
from tests.analyzers.provenance_files import FILES
from tests.analyzers.test_provenance_rules import codes, examine, only
from tests.formats import make
from tests.pictures import saved

LABEL = {"Label": "1", "ContentProducer": "001191330", "ProduceID": "p1", "ReservedCode1": "", "PropagateID": "q"}
TC260 = 'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
ESCAPED = json.dumps(LABEL).replace('"', "&quot;")


@pytest.mark.parametrize(
    ("name", "code", "severity", "support"),
    [
        ("trainedAlgorithmicMedia", "PROV-005", Severity.MEDIUM, Support.SUPPORTS),
        ("compositeSynthetic", "PROV-005", Severity.MEDIUM, Support.SUPPORTS),
        ("compositeWithTrainedAlgorithmicMedia", "PROV-006", Severity.HIGH, Support.SUPPORTS),
        ("composite", "PROV-007", Severity.LOW, Support.INCONCLUSIVE),
        ("virtualRecording", "PROV-007", Severity.LOW, Support.INCONCLUSIVE),
        *((name, "PROV-008", Severity.INFO, Support.SUPPORTS) for name in (
            "algorithmicMedia", "digitalCapture", "computationalCapture", "negativeFilm", "positiveFilm", "print",
            "humanEdits", "algorithmicallyEnhanced", "digitalCreation", "dataDrivenMedia", "screenCapture",
            "compositeCapture", "minorHumanEdits", "softwareImage", "digitalArt")),
    ],
)  # fmt: skip
def test_every_digital_source_type(name: str, code: str, severity: Severity, support: Support) -> None:
    finding = only(examine(files.source_type(name)), code)
    assert (finding.severity, finding.support) == (severity, support)
    assert finding.data["digital_source_type"] == name
    assert standards.SOURCE_TYPES[name][1] in finding.explanation


def test_the_namespace_counts_not_the_prefix() -> None:
    odd = files.iptc_ext(
        "DigitalSourceType", files.SOURCE_TYPE.replace("http:", "https:") + "trainedAlgorithmicMedia", "ab"
    )
    assert codes(examine(files.xmp_photo(odd))) == {"PROV-005"}
    other = 'xmlns:Iptc4xmpExt="http://example.org/" Iptc4xmpExt:DigitalSourceType="'
    assert examine(files.xmp_photo(f'{other}{files.SOURCE_TYPE}trainedAlgorithmicMedia"')).findings == ()
    midjourney = files.iptc_ext("DigitalSourceType", files.SOURCE_TYPE + "trainedAlgorithmicMedia", "iptcExt")
    packet = make.xmp(attributes=f'{midjourney} iptcExt:DigImageGUID="{files.UUID}"').decode()
    assert codes(examine(files.png(**{"XML:com.adobe.xmp": packet}))) == {"PROV-005"}


def test_an_unknown_source_type_is_not_guessed() -> None:
    assert examine(files.source_type("trainedAlgorithmicMediaX")).findings == ()
    assert examine(files.xmp_photo(files.iptc_ext("DigitalSourceType", "a trainedAlgorithmicMedia"))).findings == ()


@pytest.mark.parametrize("lead", ["", "digsrctype:"])
def test_a_source_type_may_be_written_without_its_address(lead: str) -> None:
    data = files.xmp_photo(files.iptc_ext("DigitalSourceType", f" {lead}trainedAlgorithmicMedia"))
    assert codes(examine(data)) == {"PROV-005"}


@pytest.mark.parametrize("name", ["DALL-E 3", "Meta AI", "Made with Grok", "midjourney"])
def test_a_generator_named_as_the_author_is_a_weak_claim_and_no_person(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(files.photo({0x013B: name}))
    found = origin(path, "provenance", "metadata")
    assert {"PROV-012"} == set(found.findings) - {"META-003"}
    assert name in found.statement


@pytest.mark.parametrize("name", ["Sora Tanaka", "Leonardo", "Gemini Lopez", "Grok & Sons", "Chat Gpt-Smith"])
def test_a_person_named_like_a_generator_stays_a_person(name: str) -> None:
    assert "PROV-012" not in codes(examine(files.photo({0x013B: name})))


@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
def test_settings_in_a_comment_are_read(kind: str) -> None:
    text = "a boat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x64, Denoising strength: 0.5"
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, kind, comment=text.encode())
    assert codes(examine(buffer.getvalue())) == {"PROV-001", "PROV-002", "PROV-013"}


def test_c2pas_own_source_types_are_known() -> None:
    for name, code in (("trainedAlgorithmicData", "PROV-005"), ("empty", "PROV-008")):
        value = f"http://c2pa.org/digitalsourcetype/{name}"
        assert codes(examine(files.xmp_photo(files.iptc_ext("DigitalSourceType", value)))) == {code}


def test_the_ai_properties_of_2025_are_shown_and_their_people_are_personal_data() -> None:
    attributes = " ".join(
        f'Iptc4xmpExt:{name}="{value}"'
        for name, value in (("AISystemUsed", "Painter"), ("AISystemVersionUsed", "3"),
                            ("AIPromptInformation", "a boat"), ("AIPromptWriterName", "Sample Owner"))
    )  # fmt: skip
    outcome = examine(files.xmp_photo(f'xmlns:Iptc4xmpExt="{files.IPTC_EXT}" {attributes}'))
    assert "Painter" in only(outcome, "PROV-009").explanation
    assert only(outcome, "PROV-009").data["AIPromptWriterName"] == "Sample Owner"
    assert set(only(outcome, "PROV-013").data["kinds"]) == {"prompt writer's name", "prompt"}


@pytest.mark.parametrize(
    ("data", "verified"),
    [
        (files.xmp_photo(TC260, f"<TC260:AIGC>{ESCAPED}</TC260:AIGC>"), True),
        (files.xmp_photo(TC260, f"<TC260:AIGC>{ESCAPED.replace('&', '&amp;')}</TC260:AIGC>"), True),
        (files.xmp_photo(f'{TC260} TC260:AIGC="{ESCAPED}"'), True),
        (files.png(AIGC=json.dumps(LABEL)), False),
        (files.comment(json.dumps({"AIGC": LABEL})), False),
        (make.with_segments(make.jpeg(), make.segment(0xEB, b"AIGC" + json.dumps(LABEL).encode())), False),
    ],
)
def test_chinas_label_in_all_its_places(data: bytes, verified: bool) -> None:
    finding = only(examine(data), "PROV-010")
    assert finding.support is (Support.SUPPORTS if verified else Support.INCONCLUSIVE)
    assert finding.severity is (Severity.MEDIUM if verified else Severity.LOW)
    assert finding.data["ProduceID"] == "p1"
    assert "001191330" in finding.explanation


@pytest.mark.parametrize(("label", "words"), [("2", "possibly"), (3, "suspected"), ("9", "AI content")])
def test_chinas_label_may_be_unsure_itself(label: object, words: str) -> None:
    finding = only(
        examine(files.xmp_photo(TC260, f"<TC260:AIGC>{json.dumps({'Label': label})}</TC260:AIGC>")), "PROV-010"
    )
    assert words in finding.explanation
    assert finding.support is Support.INCONCLUSIVE


def test_a_text_that_only_is_called_aigc_is_no_label() -> None:
    assert examine(files.png(AIGC='{"hello": 1}')).findings == ()
    assert examine(files.png(AIGC="Label")).findings == ()
    assert examine(files.comment('{"AIGC": {"x": 1}, "Label": "1"}')).findings == ()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_text_hidden_in_the_alpha_channel_is_recovered(kind: str) -> None:
    outcome = examine(files.stealth(kind=kind))
    assert codes(outcome) == {"PROV-011", "PROV-013"}
    (fact,) = outcome.measurements["recovered"]
    assert (fact["prompt"], fact["seed"]) == ("a boat", 7)


def test_hidden_text_that_is_a_bomb_or_damaged_is_bounded() -> None:
    import gzip

    bomb = gzip.compress(bytes(40_000_000), mtime=0)
    for stream in (
        files.stealth_bits(bomb),
        files.stealth_bits(b"", bits=2**32 - 1),
        files.stealth_bits(b"no gzip at all"),
    ):
        side = int((8 * len(stream)) ** 0.5) + 8
        started = time.process_time()
        outcome = examine(files.with_alpha(stream, (side, side)))
        assert time.process_time() - started < 5
        assert only(outcome, "PROV-014").support is Support.INCONCLUSIVE


def test_bits_in_another_order_or_channel_are_nothing() -> None:
    import io

    import numpy as np
    from PIL import Image

    pixels = np.array(Image.open(io.BytesIO(files.stealth(size=(96, 96)))))
    for changed in (pixels.transpose(1, 0, 2), pixels[..., [3, 1, 2, 0]], pixels[1:]):
        assert examine(saved(Image.fromarray(np.ascontiguousarray(changed)))).findings == ()


def test_prompts_settings_and_names_are_recovered_and_marked_as_personal() -> None:
    outcome = examine(FILES["automatic1111"]())
    (fact,) = outcome.measurements["recovered"]
    assert (fact["prompt"], fact["negative_prompt"], fact["model"], fact["seed"]) == ("a boat", "bad", "boats", "1")
    assert fact["settings"]["CFG scale"] == "7"
    assert fact["personal_data"] == ["prompt", "negative_prompt"]
    assert "a boat" not in only(outcome, "PROV-013").explanation
    (job,) = examine(FILES["midjourney"]()).measurements["recovered"]
    assert (job["prompt"], job["job_id"], job["user_name"]) == ("a boat --v 6", files.UUID, "Sample Owner")
    assert "user_name" in job["personal_data"]
    (flow,) = examine(FILES["comfyui"]()).measurements["recovered"]
    assert flow["prompt"] == ["a boat"] and flow["seed"] == [5] and flow["workflow"]["a"]["class_type"] == "KSampler"
    (flux,) = examine(FILES["flux"]()).measurements["recovered"]
    assert flux["prompt"] == "a boat"


def test_every_part_of_an_animated_workflow_is_recovered() -> None:
    outcome = examine(files.animated_comfyui())
    assert "PROV-001" in codes(outcome)
    assert [5] in [fact.get("seed") for fact in outcome.measurements["recovered"]]


def test_settings_survive_commas_in_quotes_and_brackets() -> None:
    read = read_settings('x\nSteps: 2, A: "b, \\", C: d", E: [{"f": "g, H: 1"}], Size: 5x5')
    assert read is not None
    assert read.values == {"Steps": "2", "A": '"b, \\", C: d"', "E": '[{"f": "g, H: 1"}]', "Size": "5x5"}


def test_a_huge_workflow_is_shortened_and_says_so() -> None:
    nodes = {str(i): files.node("CLIPTextEncode", text=f"word {i} " * 40) for i in range(3000)}
    outcome = examine(files.png(prompt=json.dumps(nodes)))
    (fact,) = outcome.measurements["recovered"]
    assert "in all" in fact["left_out"]
    assert len(json.dumps(outcome.measurements)) < 100_000


def test_more_json_than_is_read_is_named_as_not_checked() -> None:
    text = '{"a": [' + "[]," * 900_000 + "1]}"
    chunks = [make.chunk(b"zTXt", word + b"\0\0" + zlib.compress(text.encode())) for word in (b"prompt", b"Comment")]
    outcome = examine(make.with_chunks(make.png(), *chunks))
    assert any("JSON" in reason for reason in outcome.measurements["not_checked"])
    small = examine(FILES["comfyui"]())
    assert small.measurements["not_checked"] == []


def _bomb(kind: bytes) -> bytes:
    body = zlib.compress(bytes(60_000_000), 9)
    head = b"parameters\0\0" if kind == b"zTXt" else b"parameters\0\1\0\0\0"
    return make.with_chunks(make.png(), *[make.chunk(kind, head + body)] * 20)


@pytest.mark.parametrize(
    "data",
    [
        _bomb(b"zTXt"),
        _bomb(b"iTXt"),
        files.png(prompt='{"a":' * 100_000 + "1" + "}" * 100_000),
        files.png(prompt='{"a": ' + "9" * 500_000 + "}"),
        files.png(parameters="Steps: 1, " + "[" * 1_000_000),
        files.png(parameters="\nSteps: 1" * 200_000),
        files.png(parameters="Steps: 1, " + 'a: "' * 300_000),
        files.png(parameters="x" + " " * 2_000_000 + "\nSteps: 1, A: b"),
        files.png(Description="Job ID: " * 300_000),
        make.jpeg() + b"SEFT" * 500_000,
        make.with_segments(make.jpeg(), *[make.segment(0xEF, b"\x80\x04" + b"]" * 65_000)] * 20),
    ],
    ids=["zTXt", "iTXt", "deep", "digits", "brackets", "steps", "quotes", "spaces", "jobs", "trailers", "pickles"],
)
def test_hostile_text_costs_bounded_time(data: bytes) -> None:
    started = time.process_time()
    outcome = examine(data)
    assert time.process_time() - started < 8
    assert len(json.dumps(outcome.measurements, default=str)) < 2_000_000


@given(st.text(max_size=400), st.sampled_from(["parameters", "prompt", "workflow", "Comment", "AIGC", "Description"]))
@settings(max_examples=80, deadline=None)
def test_no_text_makes_it_fail(text: str, keyword: str) -> None:
    for data in (files.png(**{keyword: text.replace("\0", "")}), files.comment(text)):
        examine(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["class_type", "inputs", "nodes", "links", "type", "id", "latent_image", "prompt", "workflow",
                         "sui_image_params", "image", "Comment", "extraMetadata", "AIGC", "Label"])
        | st.text(max_size=5),
        inner, max_size=5),
    max_leaves=30,
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=8), _JSON, max_size=5))
@settings(max_examples=100, deadline=None)
def test_no_json_makes_it_fail(value: dict[str, object]) -> None:
    text = json.dumps(value)
    for keyword in ("prompt", "parameters", "AIGC"):
        examine(files.png(**{keyword: text}))


def origin(path: Path, *analyzers: str) -> Answer:
    plan = Plan(PlanSpec(analyzers=analyzers))
    (report,) = plan.infer([plan.examine_file(Target(path, named=True))])
    return next(answer for answer in report.answers if answer.question is Question.ORIGIN)


def test_the_origin_is_answered_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    block = make.exif({0x010F: "Canon", 0x0110: "Canon EOS 40D", 0x0131: "GIMP 2.4.5", 0x0132: "2020:05:30 15:56:01"},
                      {0x9003: "2021:05:30 15:56:01", 0x9286: files.unicode_comment(
                          "a coat\nSteps: 20, Sampler: Euler a, Denoising strength: 0.75, Mask blur: 4")})  # fmt: skip
    path.write_bytes(make.with_segments(make.jpeg(), make.exif_segment(block)))
    answer = origin(path, "provenance", "metadata")
    assert answer.support is Support.SUPPORTS
    assert answer.statement == (
        "The file carries marks that are consistent with Stable Diffusion web UI (inpainting of an existing picture); "
        "it names no maker, and the claim is unsigned."
    )
    path.write_bytes(make.jpeg())
    bare = origin(path, "provenance", "metadata")
    assert bare.support is Support.NO_INDICATION
    assert "no statement of origin" in bare.statement and "proves nothing" in bare.statement
    alone = origin(path, "provenance")
    assert alone.statement.startswith("No statement of origin was found.") and "proves nothing" in alone.statement


def test_a_statement_of_generation_leads_over_metadata_of_the_same_weight(tmp_path: Path) -> None:
    names = tuple(registration.name for registration in built_in())
    assert names.index("provenance") < names.index("metadata")
    path = tmp_path / "x.jpg"
    text = files.SETTINGS + ", Version: v1.10.1"
    block = make.exif(
        {0x0132: "2019:01:01 00:00:00"}, {0x9003: "2021:05:30 15:56:01", 0x9286: files.ascii_comment(text)}
    )
    path.write_bytes(make.with_segments(make.jpeg(), make.exif_segment(block)))
    assert "META-004" in origin(path, "provenance", "metadata").findings
    assert "made by Stable Diffusion" in origin(path, "provenance", "metadata").statement


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    remote = files.xmp_photo(
        'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="https://example.org/m.c2pa"'
    )
    for data in (*(build() for build in FILES.values()), remote):
        examine(data)

"""Every sentence that a built-in analyzer puts into a report can be said in another language."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.core.analyzer import BaseAnalyzer, Outcome
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.messages import Message, say, sentences
from nsfwforensics.core.registry import installed
from nsfwforensics.core.worded import Worded
from nsfwforensics.store.signatures import MEDIA_TYPE
from nsfwforensics.testing import PICTURES, UNDECODABLE, AnalyzerContract, contract_file
from tests.analyzers import provenance_files as made
from tests.analyzers.make_c2pa import Authority, action, flip, parent, signed
from tests.formats.make import jpeg, png

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
BUILT_IN = {registration.name: registration.load() for registration in installed() if registration.built_in}
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "faces": {"reference": (SAMPLES / "reference.jpg",)},
    "compare": {"original": (SAMPLES / "camera-original.jpg",)},
}
SLOW = ("deepfake", "traces", "compare", "phash", "faces")
SLOW_SAMPLES = ("edited-copy.jpg", "resynthesised.png", "no-face.jpg", "corrupt.jpg")
FIREFLY = "compositeWithTrainedAlgorithmicMedia"


@cache
def templates() -> frozenset[str | tuple[str, str]]:
    """Every message that extraction finds in the source: what the catalogues are made of."""
    spec = importlib.util.spec_from_file_location("messages_tool", ROOT / "tools" / "messages.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return frozenset({*tool.extracted(), "{parts:sentences}"})


@cache
def evidence(name: str) -> Evidence:
    """A sample, shared by the analyzers as in a run."""
    return Evidence.open(SAMPLES / name)


def unknown(value: object) -> Iterator[object]:
    """The parts of a message that no catalogue can hold."""
    if isinstance(value, Message):
        if value.template not in templates():
            yield value.template
        for part in value.values.values():
            yield from unknown(part) if isinstance(part, (Message, list, tuple)) else ()
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from unknown(part) if isinstance(part, (Message, list, tuple)) else ()
    elif value not in templates():
        yield value


def unsaid(outcome: Outcome) -> list[object]:
    """What of an outcome a reader of another language would see in English, values out of the evidence aside."""
    fields: list[tuple[Worded, str]] = [
        (finding, field) for finding in outcome.findings for field in ("title", "explanation", "caveat")
    ]
    fields += [(artifact, "name") for artifact in outcome.artifacts if artifact.media_type != MEDIA_TYPE]
    texts: list[str] = [model.said(field) for model, field in fields]
    texts += [outcome.reason] if outcome.reason else []
    return [part for text in texts for part in unknown(text)]


def contract(name: str) -> AnalyzerContract:
    attributes = {"analyzer": BUILT_IN[name], "options": OPTIONS.get(name, {})}
    made_here: AnalyzerContract = type("Made", (AnalyzerContract,), attributes)()
    return made_here


@pytest.mark.parametrize("analyzer", BUILT_IN.values(), ids=BUILT_IN)
def test_titles_and_caveats_are_messages(analyzer: type[BaseAnalyzer]) -> None:
    for code, entry in analyzer.codes.items():
        assert not [*unknown(entry.title), *unknown(entry.caveat)], code


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_said_of_the_samples_is_made_of_messages(name: str) -> None:
    running = contract(name)
    for sample in SLOW_SAMPLES if name in SLOW else sorted(path.name for path in SAMPLES.glob("*.*g")):
        left = unsaid(running.outcome(evidence(sample)))
        assert not left, sample


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("picture", ["one-pixel.png", "flat.png", "gray.jpg", "animated.gif", *UNDECODABLE])
def test_what_is_said_of_odd_files_is_made_of_messages(name: str, picture: str) -> None:
    left = unsaid(contract(name).outcome(Evidence.from_bytes(contract_file(picture), picture)))
    assert not left


@pytest.mark.parametrize("name", ["metadata", "provenance"])
def test_what_is_said_of_marked_files_is_made_of_messages(name: str, newsroom: Authority, photo: bytes) -> None:
    running = contract(name)
    files: dict[str, bytes] = {rule: build() for rule, build in made.FILES.items()}
    files |= {picture: contract_file(picture) for picture in PICTURES}
    files |= {
        "stealth": made.stealth(),
        "stealth, damaged": made.with_alpha(made.stealth_bits(b"not compressed")),
        "stealth, too long": made.with_alpha(made.stealth_bits(b"x", bits=2**31)),
        "source type": made.source_type("composite"),
        "AI system": made.xmp_photo(made.iptc_ext("AISystemUsed", "Painter")),
        "AI system, unnamed": made.xmp_photo(made.iptc_ext("AIPromptWriterName", "A. Nyone")),
        "label": made.comment('{"AIGC": {"Label": "1", "ContentProducer": "001191330"}}'),
        "label, unknown": made.comment('{"AIGC": {"Label": "9"}}'),
        "times": made.photo({0x0132: "2020:01:01 10:00:00"}, {0x9003: "2021:05:30 15:56:01"}),
        "times, created": made.photo({0x0132: "2022:01:01 10:00:00"}, {0x9004: "2021:05:30 15:56:01"}),
        "signed": photo,
        "changed": flip(photo, len(photo) - 200),
        "statement changed": photo.replace(b"Camera 5", b"Camera 6"),
        "broken": photo.replace(b"Test Tool", b"Best Tool"),
        "generated": signed(png(), action("created", "trainedAlgorithmicMedia"), by=newsroom, media_type="image/png"),
        "named": signed(jpeg(), action("created", "digitalCreation", "Image Creator"), by=newsroom),
        "watermarked": signed(jpeg(), action("watermarked", description="SynthID"), by=newsroom),
        "edited": parent(photo, action("edited", FIREFLY, "Adobe Firefly"), action("cropped"), by=newsroom),
        "earlier step": parent(flip(photo, len(photo) - 200), action("cropped"), by=newsroom),
        "cut": photo[: photo.index(b"jumdc2ma") + 4] + b"\xff" * 12 + photo[photo.index(b"jumdc2ma") + 16 :],
    }
    for title, data in files.items():
        kind = ".png" if data.startswith(b"\x89PNG") else ".jpg"
        left = unsaid(running.outcome(Evidence.from_bytes(data, f"made{kind}")))
        assert not left, title


def test_plain_text_in_a_report_is_noticed() -> None:
    assert list(unknown("Nobody says this.")) == ["Nobody says this."]
    assert list(unknown(Message("Nobody says {this}.", {"this": 1}))) == ["Nobody says {this}."]
    known = say("“{text}”", text="out of the evidence")
    assert not list(unknown(sentences(known, known)))
    assert list(unknown(sentences(known, Message("Nobody says this.", {})))) == ["Nobody says this."]

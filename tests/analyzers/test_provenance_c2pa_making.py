"""What credentials state about the making of a picture: generated, edited with AI, captured, edited otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.core.types import Severity, Support
from tests.analyzers.make_c2pa import Authority, action, claim, codes, flip, parent, read, severity, signed
from tests.formats.make import jpeg, png

FIREFLY = "compositeWithTrainedAlgorithmicMedia"


def test_generation_is_reported_with_its_software(newsroom: Authority) -> None:
    found = read(signed(png(), action("created", "trainedAlgorithmicMedia", "gpt-image"), by=newsroom,
                        media_type="image/png"))  # fmt: skip
    stated = claim(found, "PROV-102")
    assert severity(stated) is Severity.MEDIUM
    assert "made by AI with “gpt-image”" in stated.explanation
    assert "PROV-103" not in codes(found)


def test_a_watermark_put_in_after_generation_is_no_edit_of_a_picture(newsroom: Authority) -> None:
    steps = (
        action("created", "trainedAlgorithmicMedia", description="Created by Google Generative AI."),
        action("edited", "trainedAlgorithmicMedia", description="Applied imperceptible SynthID watermark."),
    )
    found = read(signed(jpeg(), *steps, by=newsroom))
    assert codes(found) == {"PROV-101", "PROV-102", "PROV-107", "PROV-112"}
    assert "SynthID" in claim(found, "PROV-112").explanation


@pytest.mark.parametrize(
    "step",
    [
        action("edited", FIREFLY, "Adobe Firefly"),
        action("edited", "trainedAlgorithmicMedia"),
        action("edited", agent="Photo assist"),
        action("edited", parameters={"com.adobe.firefly.operation": "generative_fill"}),
    ],
)
def test_a_generative_edit_of_a_photo_weighs_more_and_the_photo_is_still_named(
    newsroom: Authority, anchors: Path, photo: bytes, step: dict[str, Any]
) -> None:
    found = read(parent(photo, step, by=newsroom), anchors)
    assert severity(claim(found, "PROV-103")) is Severity.HIGH
    assert found.findings[0].code == "PROV-103"
    assert "PROV-104" in codes(found)
    assert len(found.measurements["c2pa"]["manifests"]) == 2


def test_an_edit_of_a_generated_picture_is_no_edit_of_a_photo(newsroom: Authority) -> None:
    made = signed(jpeg(), action("created", "trainedAlgorithmicMedia"), by=newsroom)
    found = read(parent(made, action("edited", FIREFLY), by=newsroom))
    assert severity(claim(found, "PROV-103")) is Severity.MEDIUM
    assert "itself made by AI" in claim(found, "PROV-103").explanation


def test_a_picture_given_to_a_generator_counts_as_an_edit_of_it(newsroom: Authority, photo: bytes) -> None:
    made = action("created", "trainedAlgorithmicMedia", parameters={"ingredientIds": ["one"]})
    found = read(parent(photo, made, by=newsroom, relationship="inputTo"))
    assert severity(claim(found, "PROV-103")) is Severity.HIGH
    assert "PROV-104" not in codes(found)


def test_an_ai_statement_in_an_ingredient_is_found(newsroom: Authority) -> None:
    made = signed(jpeg(), action("created", "trainedAlgorithmicMedia", "GPT-4o"), by=newsroom)
    found = read(parent(made, by=newsroom))
    assert "GPT-4o" in claim(found, "PROV-102").explanation
    assert claim(found, "PROV-102").data["statements"][0]["role"] == "parent"


def test_the_bare_name_of_a_generator_is_weaker_than_a_statement(newsroom: Authority) -> None:
    found = read(signed(jpeg(), action("created", "digitalCreation", "Image Creator from Designer"), by=newsroom))
    assert claim(found, "PROV-102").support is Support.INCONCLUSIVE


@pytest.mark.parametrize("source", ["algorithmicMedia", "humanEdits", "screenCapture", "negativeFilm", "composite"])
def test_other_source_types_are_not_taken_for_ai(newsroom: Authority, source: str) -> None:
    assert not codes(read(signed(jpeg(), action("created", source), by=newsroom))) & {"PROV-102", "PROV-103"}


def test_metadata_and_ai_assertions_are_read(newsroom: Authority) -> None:
    metadata = {"label": "c2pa.metadata", "data": {
        "@context": {"Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"},
        "Iptc4xmpExt:DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }}  # fmt: skip
    mining = {"label": "cawg.training-mining", "data": {"entries": {"cawg.ai_inference": {"use": "notAllowed"}}}}
    found = read(signed(jpeg(), action("created", "digitalCreation"), by=newsroom, assertions=(metadata, mining)))
    assert "PROV-102" in codes(found)
    assert claim(found, "PROV-101").data["training_and_mining"] == ["cawg.ai_inference: notAllowed"]


def test_ordinary_edits_are_listed_in_words(newsroom: Authority, photo: bytes) -> None:
    found = read(parent(photo, action("cropped"), action("color_adjustments"), action("converted"), by=newsroom))
    assert "cropping, colour adjustments." in claim(found, "PROV-110").explanation


def test_an_altered_ingredient_is_told_from_the_latest_signature(newsroom: Authority, photo: bytes) -> None:
    found = read(parent(flip(photo, len(photo) - 200), action("cropped"), by=newsroom))
    assert severity(claim(found, "PROV-111")) is Severity.MEDIUM
    assert not codes(found) & {"PROV-105", "PROV-106"}
    assert found.measurements["c2pa"]["integrity"] == "intact"

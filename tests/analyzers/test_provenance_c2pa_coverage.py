"""What a signature leaves out: a genuine photo is not called changed, and a picture smuggled past it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nsfwforensics.analyzers.provenance.c2pa.coverage import left_out
from nsfwforensics.analyzers.provenance.c2pa.read import Reading
from nsfwforensics.analyzers.provenance.c2pa.store import Trouble, manifests
from nsfwforensics.core.types import Severity, Support
from nsfwforensics.formats.jumbf import ManifestStore, find_manifest_store
from tests.analyzers.make_c2pa import Authority, action, claim, codes, excluding, flip, read, severity, signed
from tests.formats.make import jpeg, picture, png


@pytest.fixture
def camera(newsroom: Authority) -> tuple[bytes, int]:
    """A photo whose signer skipped everything before the picture, and the offset where the picture begins."""
    photo = signed(jpeg(picture()), action("created", "digitalCapture"), by=newsroom)
    begins = photo.index(b"\xff\xdb")
    return excluding(photo, 0, begins, newsroom), begins


def test_a_camera_that_signs_only_the_picture_is_not_called_changed(camera: tuple[bytes, int], anchors: Path) -> None:
    photo, _ = camera
    found = read(photo, anchors)
    store = find_manifest_store(photo, "image/jpeg")
    assert store is not None
    assert "PROV-105" not in codes(found)
    said = claim(found, "PROV-114")
    assert severity(said) is Severity.LOW
    assert said.data["bytes_before"] == store.offset
    assert said.data["bytes_after"] == 0
    assert f"{store.offset} bytes before the credentials" in said.explanation
    assert found.measurements["c2pa"]["integrity"] == "partial"
    assert claim(found, "PROV-104").support is Support.SUPPORTS, "what it states of the picture still holds"


def test_a_changed_pixel_in_such_a_photo_is_still_a_change(camera: tuple[bytes, int], anchors: Path) -> None:
    photo, _ = camera
    found = read(flip(photo, len(photo) - 40), anchors)
    assert {"PROV-105"} <= codes(found)
    assert "PROV-114" not in codes(found)


def test_another_picture_in_the_bytes_that_are_left_out_is_told(newsroom: Authority, anchors: Path) -> None:
    photo = signed(jpeg(picture()), action("created", "digitalCapture"), by=newsroom)
    begins = photo.index(b"\xff\xdb")
    intruder = jpeg(picture(seed=9))
    intruder = intruder[intruder.index(b"\xff\xdb") :]
    mixed = photo[:begins] + intruder + photo[begins:]
    found = read(excluding(photo, 0, begins + len(intruder), newsroom, mixed), anchors)
    said = claim(found, "PROV-114")
    assert severity(said) is Severity.HIGH
    assert "parts of the picture itself" in said.explanation
    assert claim(found, "PROV-104").support is Support.INCONCLUSIVE


def _store(code: str, *passed: str) -> Reading:
    place = "self#jumbf=/c2pa/a/c2pa.assertions/c2pa.hash.data"
    results = {
        "activeManifest": {
            "failure": [{"code": code, "url": place}],
            "success": [{"code": each, "url": place} for each in passed],
        }
    }
    return Reading({"active_manifest": "a", "manifests": {"a": {}}, "validation_results": results})


@pytest.mark.parametrize("kind", ["dataHash", "bmffHash", "boxesHash"])
def test_only_a_match_of_the_same_hash_excuses_a_mismatch(kind: str) -> None:
    mismatch = f"assertion.{kind}.mismatch"
    assert manifests(_store(mismatch, f"assertion.{kind}.match"))[0].has(Trouble.PARTLY_COVERED)
    assert manifests(_store(mismatch, "assertion.hashedURI.match"))[0].has(Trouble.CONTENT_CHANGED)
    assert manifests(_store(mismatch))[0].has(Trouble.CONTENT_CHANGED)


def test_the_same_holds_for_what_was_recorded_of_an_ingredient() -> None:
    place = "self#jumbf=/c2pa/b/c2pa.assertions/c2pa.hash.data"
    results = {
        "activeManifest": {
            "failure": [{"code": "assertion.dataHash.mismatch", "url": place}],
            "success": [{"code": "assertion.dataHash.match", "url": place}],
        }
    }
    given = [{"title": "b", "relationship": "parentOf", "validation_results": results}]
    reading = Reading({"active_manifest": "a", "manifests": {"a": {"ingredients": given}}})
    (ingredient,) = manifests(reading)[0].ingredients
    assert {status.kind for status in ingredient.recorded} == {Trouble.PARTLY_COVERED}


@pytest.mark.parametrize(
    ("start", "length", "parts"),
    [(0, 33, True), (8, 25, True), (33, 12, False)],  # signature and header; header alone; the text chunk behind it
)
def test_chunks_of_a_png_that_are_seen_are_told_from_others(start: int, length: int, parts: bool) -> None:
    data = png(picture())
    text = b"\0\0\0\0tEXt\0\0\0\0"
    data = data[:33] + text + data[33:]
    reading = Reading(
        {"active_manifest": "a"},
        {"manifests": [{"label": "a", "assertions": {"c2pa.hash.data": {"exclusions": [
            {"start": start, "length": length}]}}}]},
    )  # fmt: skip
    assert left_out(data, "image/png", ManifestStore(40, b""), reading).picture is parts


def test_what_is_left_out_of_a_format_without_a_table_is_not_known() -> None:
    assert left_out(b"II*\0", "image/tiff", ManifestStore(4, b""), Reading()).picture is None

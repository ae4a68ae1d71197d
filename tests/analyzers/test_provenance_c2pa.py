"""Content Credentials: what is said of signed, altered, broken, expired and untrusted ones."""

from __future__ import annotations

import hashlib
import io
import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

import nsfwforensics
from nsfwforensics.analyzers.provenance.analyzer import ProvenanceAnalyzer
from nsfwforensics.analyzers.provenance.c2pa.credentials import C2PA_CODES, Credentials, enrol_anchors
from nsfwforensics.core.analyzer import Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import Severity, Support
from nsfwforensics.errors import UsageError
from tests.analyzers.make_c2pa import Authority, action, authority, claim, codes, flip, read, severity, signed
from tests.formats.make import box, heif, jpeg, movie, picture, png, webp


def test_a_signer_on_no_list_is_said_to_be_unconfirmed_and_nothing_worse(photo: bytes) -> None:
    found = read(photo)
    assert codes(found) == {"PROV-101", "PROV-104", "PROV-107"}
    assert "could not be confirmed" in claim(found, "PROV-101").explanation
    assert "Test Newsroom" in claim(found, "PROV-107").explanation
    assert severity(claim(found, "PROV-107")) is Severity.LOW
    assert found.measurements["c2pa"]["integrity"] == "intact"
    assert found.measurements["c2pa"]["trust"] == "none"


def test_anyone_can_sign_as_a_camera_so_an_unconfirmed_capture_supports_nothing(photo: bytes, anchors: Path) -> None:
    assert claim(read(photo), "PROV-104").support is Support.INCONCLUSIVE
    assert claim(read(photo, anchors), "PROV-104").support is Support.SUPPORTS


def test_supplied_anchors_make_a_signer_trusted_and_are_named_as_the_reason(photo: bytes, anchors: Path) -> None:
    found = read(photo, anchors)
    assert codes(found) == {"PROV-101", "PROV-104"}
    assert "trusted through the certificates you supplied" in claim(found, "PROV-101").explanation
    assert found.measurements["c2pa"]["trust"] == "supplied"


def test_anchors_of_someone_else_change_nothing(photo: bytes, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(authority("Somebody Else").root)
    assert read(photo, other).measurements["c2pa"]["trust"] == "none"


@pytest.mark.parametrize("trusted", [False, True])
def test_a_changed_pixel_is_a_change_after_signing_and_not_a_broken_signature(
    photo: bytes, anchors: Path, trusted: bool
) -> None:
    found = read(flip(photo, len(photo) - 200), *([anchors] if trusted else []))
    assert {"PROV-101", "PROV-105"} <= codes(found)
    assert not codes(found) & {"PROV-106", "PROV-108"}
    assert severity(claim(found, "PROV-105")) is (Severity.HIGH if trusted else Severity.MEDIUM)
    assert claim(found, "PROV-104").support is Support.INCONCLUSIVE
    assert claim(found, "PROV-101").support is Support.INCONCLUSIVE
    assert found.measurements["c2pa"]["integrity"] == "changed"


def test_a_changed_statement_is_told_from_a_changed_picture(photo: bytes) -> None:
    found = read(photo.replace(b"Camera 5", b"Camera 6"))
    assert "the credentials themselves were changed" in claim(found, "PROV-105").explanation


def test_a_changed_claim_breaks_the_signature(photo: bytes) -> None:
    found = read(photo.replace(b"Test Tool", b"Best Tool"))
    assert severity(claim(found, "PROV-106")) is Severity.HIGH
    assert "PROV-105" not in codes(found)
    assert found.measurements["c2pa"]["integrity"] == "broken"


def test_an_expired_certificate_is_neither_a_change_nor_an_unknown_signer(tmp_path: Path) -> None:
    brief = authority("Old Camera", seconds=2)
    data = signed(jpeg(), action("created", "digitalCapture"), by=brief)
    root = tmp_path / "old.pem"
    root.write_text(brief.root)
    time.sleep(3.2)
    found = read(data, root)
    assert codes(found) == {"PROV-101", "PROV-104", "PROV-107"}
    assert "has expired" in claim(found, "PROV-107").explanation
    assert found.measurements["c2pa"]["integrity"] == "intact"


@pytest.mark.parametrize("kind", ["image/png", "image/webp", "image/gif", "image/tiff", "image/avif", "image/heif"])
def test_every_container_is_read(newsroom: Authority, kind: str) -> None:
    name = kind.removeprefix("image/").upper()
    buffer = io.BytesIO()
    if name == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    picture().save(buffer, name)
    found = read(signed(buffer.getvalue(), action("created", "trainedAlgorithmicMedia"), by=newsroom, media_type=kind))
    assert {"PROV-101", "PROV-102"} <= codes(found)


def test_the_full_store_is_in_the_measurements_and_is_json(photo: bytes) -> None:
    about = read(photo).measurements["c2pa"]
    store = about["store"]
    assert store["manifests"][store["active_manifest"]]["claim_generator_info"][0]["name"] == "Test Tool"
    assert about["signer"] == "Test Newsroom"
    assert about["issuer"] == "Test Newsroom Root"
    assert set(about["trust_lists"]) == {"official", "interim"}
    json.dumps(about)


def test_text_of_the_file_is_quoted_on_one_line_and_cut(newsroom: Authority) -> None:
    hostile = "[bold]x[/bold]\n\u202e" + "A" * 5000
    found = read(signed(jpeg(), action("created", "trainedAlgorithmicMedia", hostile), by=newsroom, generator=hostile))
    for each in found.findings:
        assert "\n" not in each.explanation
        assert len(each.explanation) < 600


def test_a_store_too_deep_for_a_report_is_left_out_but_read(newsroom: Authority) -> None:
    deep: Any = "end"
    for _ in range(110):
        deep = [deep]
    found = read(signed(jpeg(), action("created", "trainedAlgorithmicMedia"), by=newsroom,
                        assertions=({"label": "org.example.deep", "data": {"x": deep}},)))  # fmt: skip
    assert {"PROV-101"} <= codes(found) or codes(found) == {"PROV-108"}
    assert found.measurements["c2pa"].get("store") is None


def test_damaged_credentials_are_unreadable_not_tampered(photo: bytes) -> None:
    start = photo.index(b"jumdc2ma")
    found = read(photo[: start + 4] + b"\xff" * 12 + photo[start + 16 :])
    assert codes(found) == {"PROV-108"}
    assert claim(found, "PROV-108").support is Support.INCONCLUSIVE


@pytest.mark.parametrize("data", [jpeg(), png(), webp(), b"not a picture", jpeg() + b"jumbc2pa" * 9])
def test_a_file_without_credentials_says_nothing(data: bytes) -> None:
    assert read(data) == Credentials()


def test_a_signed_file_appended_to_another_says_nothing(photo: bytes) -> None:
    assert read(jpeg() + photo) == Credentials()


@pytest.mark.slow
def test_every_position_may_be_damaged(photo: bytes) -> None:
    start = photo.index(b"\xff\xeb")
    for position in range(start, start + 4000, 37):
        for each in read(flip(photo, position)).findings:
            assert each.code in C2PA_CODES


def test_anchors_that_are_none_are_a_usage_error(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    for path in (wrong, tmp_path / "absent.pem"):
        with pytest.raises(UsageError, match=path.name):
            enrol_anchors((path,))
        with pytest.raises(UsageError, match=path.name):
            ProvenanceAnalyzer.enrol(ProvenanceAnalyzer.Options(trust_anchors=(path,)), Resources())


def test_anchors_are_named_by_their_digest(anchors: Path) -> None:
    given = enrol_anchors((anchors,))
    assert given.digest == hashlib.sha256(anchors.read_bytes()).hexdigest()
    assert given.records == ({"use": "trust anchors", "file": str(anchors), "sha256": given.digest},)
    assert enrol_anchors(()).digest == ""


def test_shipped_trust_lists_are_those_of_the_sources_file() -> None:
    folder = Path(nsfwforensics.__file__).parent / "data" / "c2pa"
    sources = tomllib.loads((folder / "sources.toml").read_text())
    assert {path.name for path in folder.iterdir()} == {*sources, "sources.toml", "README.md", "ekus.cfg"}
    for name, entry in sources.items():
        data = (folder / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert entry["entries"] == (data.count(b"BEGIN CERTIFICATE") or len(data.split()))
    assert "1.3.6.1.4.1.62558.2.1" in (folder / "ekus.cfg").read_text()


def test_codes_have_caveats_and_no_verdicts() -> None:
    for code, entry in C2PA_CODES.items():
        assert code.startswith("PROV-1")
        assert len(entry.caveat) > 40
        assert "authentic" not in (entry.title + entry.caveat).lower()


# --- development data ---------------------------------------------------------------------------------------------


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "integrity", "must", "must_not"),
    [
        ("A.jpg", None, set(), set(C2PA_CODES)),
        ("C.jpg", "intact", {"PROV-101", "PROV-107"}, {"PROV-105", "PROV-106", "PROV-108"}),
        ("CA.jpg", "intact", {"PROV-101", "PROV-107", "PROV-110"}, {"PROV-105", "PROV-106", "PROV-108"}),
        ("boxhash.jpg", "intact", {"PROV-101", "PROV-107"}, {"PROV-105", "PROV-106", "PROV-108"}),
        ("XCA.jpg", "changed", {"PROV-101", "PROV-105"}, {"PROV-106"}),
        ("E-sig-CA.jpg", "broken", {"PROV-101", "PROV-106"}, {"PROV-105"}),
        ("cloud.jpg", None, {"PROV-109"}, {"PROV-101"}),
    ],
)
def test_reference_files(
    shared_data: Path, name: str, integrity: str | None, must: set[str], must_not: set[str]
) -> None:
    found = read((shared_data / "c2pa" / name).read_bytes())
    assert must <= codes(found)
    assert not codes(found) & (must_not | {"PROV-102", "PROV-103", "PROV-104"})
    assert found.measurements.get("c2pa", {}).get("integrity") == integrity


@pytest.mark.shared_data
def test_a_real_chatgpt_picture_is_trusted_through_the_official_list(shared_data: Path) -> None:
    found = read((shared_data / "provenance" / "c2pa" / "png" / "chatgpt-image2.png").read_bytes())
    assert codes(found) == {"PROV-101", "PROV-102", "PROV-112"}
    assert "OpenAI" in claim(found, "PROV-101").explanation
    assert claim(found, "PROV-102").support is Support.SUPPORTS
    assert found.measurements["c2pa"]["trust"] == "official"


@pytest.mark.shared_data
def test_no_credentials_are_seen_where_there_are_none(shared_data: Path) -> None:
    folders = [shared_data / "exif", shared_data / "real"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.stat().st_size < 5e6]
    assert len(files) > 100
    for path in files:
        data = path.read_bytes()
        if data:
            assert not read(data).findings, path


MADE = action("created", "trainedAlgorithmicMedia", "Test Generator")
AVI = b"RIFF" + (28).to_bytes(4, "little") + b"AVI " + b"LIST\4\0\0\0hdrl" + b"LIST\4\0\0\0movi"


@pytest.mark.parametrize(
    ("data", "media_type", "part"),
    [
        (movie(), "video/mp4", b"frames"),
        (movie(b"qt  "), "video/quicktime", b"frames"),
        (AVI, "video/x-msvideo", b"movi"),
    ],
    ids=["mp4", "mov", "avi"],
)
def test_the_credentials_of_a_video(data: bytes, media_type: str, part: bytes, newsroom: Authority) -> None:
    video = signed(data, MADE, by=newsroom, media_type=media_type)
    assert codes(read(video)) == {"PROV-101", "PROV-102", "PROV-107"}
    assert "PROV-105" in codes(read(video.replace(part, part.upper())))


def test_the_credentials_of_a_raw_file(newsroom: Authority) -> None:
    buffer = io.BytesIO()
    picture().save(buffer, "TIFF", tiffinfo={0xC612: b"\1\4\0\0"})
    assert codes(read(signed(buffer.getvalue(), MADE, by=newsroom, media_type="image/x-adobe-dng"))) >= {"PROV-102"}


def test_the_credentials_of_a_drawing(newsroom: Authority) -> None:
    drawing = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>'
    done = signed(drawing, MADE, by=newsroom, media_type="image/svg+xml")
    assert codes(read(done)) == {"PROV-101", "PROV-102", "PROV-107"}
    assert "PROV-105" in codes(read(done.replace(b"rect", b"line")))


def test_the_credentials_of_a_video_in_a_photo(newsroom: Authority) -> None:
    video = signed(movie(), MADE, by=newsroom, media_type="video/mp4")
    for photo in (jpeg() + video, heif(b"") + box(b"mpvd", video)):
        outcome = ProvenanceAnalyzer(ProvenanceAnalyzer.Options(), Resources()).examine(Evidence.from_bytes(photo))
        said = {finding.code: finding.explanation for finding in outcome.findings}
        assert said["PROV-102"].startswith("In a video at byte ")

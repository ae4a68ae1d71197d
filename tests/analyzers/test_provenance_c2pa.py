"""Content Credentials: what is said of signed, altered, broken, expired, untrusted and remote ones."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.analyzers import _provenance_c2pa as c2pa_module
from nsfwforensics.analyzers._provenance_c2pa import C2PA_CODES, Claim, Credentials, check_trust_anchors, credentials
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import Severity, Support
from nsfwforensics.errors import UsageError
from nsfwforensics.formats.read import read_metadata
from tests.analyzers.make_c2pa import Authority, action, authority, flip, signed
from tests.formats.make import jpeg, picture, png, webp, with_segments, xmp, xmp_segment

FIREFLY = "compositeWithTrainedAlgorithmicMedia"


def read(data: bytes, *anchors: Path) -> Credentials:
    evidence = Evidence.from_bytes(data)
    return credentials(evidence, read_metadata(data, evidence.media_type), anchors)


def codes(found: Credentials) -> set[str]:
    return {claim.code for claim in found.findings}


def claim(found: Credentials, code: str) -> Claim:
    return next(each for each in found.findings if each.code == code)


def severity(each: Claim) -> Severity:
    return each.severity or C2PA_CODES[each.code].severity


@pytest.fixture(scope="module")
def newsroom() -> Authority:
    return authority()


@pytest.fixture(scope="module")
def anchors(newsroom: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trust") / "newsroom.pem"
    path.write_text(newsroom.root)
    return path


@pytest.fixture(scope="module")
def photo(newsroom: Authority) -> bytes:
    return signed(jpeg(), action("created", "digitalCapture", "Camera 5"), by=newsroom)


def parent(data: bytes, *actions: dict[str, Any], by: Authority, relationship: str = "parentOf") -> bytes:
    """A picture whose credentials name another one as an ingredient."""
    opened = action("opened", parameters={"ingredientIds": ["one"]}) if relationship == "parentOf" else None
    given = [*([opened] if opened else []), *actions]
    return signed(data, *given, by=by, ingredients=((relationship, "image/jpeg", data),))


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


def with_link(link: str) -> bytes:
    attributes = f'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{link}"'
    return with_segments(jpeg(), xmp_segment(xmp(attributes=attributes)))


def test_a_remote_link_names_the_host_and_is_not_followed() -> None:
    found = read(with_link("https://manifests.example.org/abc?picture=7"))
    assert codes(found) == {"PROV-109"}
    assert "“manifests.example.org”; they were not fetched" in claim(found, "PROV-109").explanation
    assert claim(found, "PROV-109").data["link"] == "https://manifests.example.org/abc?picture=7"


@pytest.mark.parametrize(
    "link", ["", "javascript:alert(1)", "https://", "https://[::1", "file:///etc/passwd", "x" * 9000]
)
def test_other_links_are_no_findings(link: str) -> None:
    assert not read(with_link(link)).findings


def test_a_reference_to_credentials_that_are_gone_is_said() -> None:
    assert codes(read(with_link("self#jumbf=/c2pa/urn:uuid:1/c2pa.claim"))) == {"PROV-113"}


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
            check_trust_anchors((path,))


def test_shipped_trust_lists_are_those_of_the_sources_file() -> None:
    import hashlib
    import tomllib

    folder = Path(c2pa_module.__file__).parents[1] / "data" / "c2pa"
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


def test_the_library_is_not_imported_for_files_without_credentials() -> None:
    script = (
        "import sys; from nsfwforensics.analyzers._provenance_c2pa import credentials;"
        "from nsfwforensics.core.evidence import Evidence; from nsfwforensics.formats.fields import Metadata;"
        "data = sys.stdin.buffer.read(); assert not credentials(Evidence.from_bytes(data), Metadata()).findings;"
        "print([name for name in ('c2pa', 'PIL', 'cv2', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], input=jpeg(), capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


# --- no network ---------------------------------------------------------------------------------------------------


def _identity() -> dict[str, Any]:
    """An identity assertion that is checked by fetching a document from a host that it names."""
    credential = json.dumps({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://cawg.io/identity/1.1/ica/context/"],
        "type": ["VerifiableCredential", "IdentityClaimsAggregationCredential"],
        "issuer": "did:web:identity.example.com", "validFrom": "2025-04-09T22:46:13Z",
        "credentialSubject": {
            "verifiedIdentities": [{
                "type": "cawg.social_media", "username": "u", "uri": "https://example.com/u",
                "provider": {"id": "https://example.com", "name": "e"}, "method": "cawg.federated_login",
                "verifiedAt": "2025-04-09T22:45:26Z",
            }],
            "c2paAsset": {
                "referenced_assertions": [{"url": "self#jumbf=c2pa.assertions/c2pa.hash.data", "hash": "AAAA"}],
                "sig_type": "cawg.identity_claims_aggregation",
            },
        },
    }).encode()  # fmt: skip

    def text(value: bytes) -> bytes:  # a CBOR byte string
        return b"\x59" + len(value).to_bytes(2, "big") + value

    protected = b"\xa2\x01\x27\x03\x6eapplication/vc"  # algorithm EdDSA, content type
    cose = b"\xd2\x84" + text(protected) + b"\xa0" + text(credential) + text(bytes(64))
    hashed = {"url": "self#jumbf=c2pa.assertions/c2pa.hash.data", "hash": [0] * 32}
    payload = {"referenced_assertions": [hashed], "sig_type": "cawg.identity_claims_aggregation"}
    return {"label": "cawg.identity", "data": {"signer_payload": payload, "signature": list(cose), "pad1": [0]}}


@pytest.fixture
def proxy() -> Iterator[Any]:
    """A socket that is everybody's proxy: whoever tries to reach any host connects to it."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        yield server


_READ = {
    "library's defaults": "import c2pa\ntry: c2pa.Reader('image/jpeg', open(sys.argv[1], 'rb'))\n"
    "except c2pa.C2paError: pass\n",
    "only remote manifests off": "import c2pa\n"
    "context = c2pa.Context.from_dict({'verify': {'remote_manifest_fetch': False}})\n"
    "try: c2pa.Reader('image/jpeg', open(sys.argv[1], 'rb'), None, context)\nexcept c2pa.C2paError: pass\n",
    "ours": "from pathlib import Path\nfrom nsfwforensics.core.evidence import Evidence\n"
    "from nsfwforensics.analyzers._provenance_c2pa import credentials\n"
    "from nsfwforensics.analyzers._provenance_c2pa_read import read_store\n"
    "from nsfwforensics.formats.read import read_metadata\n"
    "e = Evidence.open(Path(sys.argv[1]))\nread_store(e.data, e.media_type)\n"
    "assert credentials(e, read_metadata(e.data, e.media_type)).findings\n",
}


def _connects(how: str, file: Path, proxy: Any) -> bool:
    address = "http://{}:{}".format(*proxy.getsockname())
    environment = {**os.environ, **{f"{kind}_PROXY": address for kind in ("HTTP", "HTTPS", "ALL")}, "NO_PROXY": ""}
    environment |= {key.lower(): value for key, value in environment.items() if key.endswith("_PROXY")}
    process = subprocess.Popen([sys.executable, "-c", "import sys\n" + _READ[how], str(file)], env=environment)
    connected = False
    while process.poll() is None or not connected:
        try:
            proxy.accept()[0].close()
            connected = True
        except TimeoutError:
            if process.poll() is not None:
                break
    assert process.wait(60) == 0
    return connected


@pytest.mark.parametrize(
    ("case", "how", "connects"),
    [
        ("remote", "library's defaults", True),
        ("remote", "ours", False),
        ("identity", "only remote manifests off", True),
        ("identity", "ours", False),
    ],
)
def test_no_host_is_contacted(
    newsroom: Authority, tmp_path: Path, proxy: Any, case: str, how: str, connects: bool
) -> None:
    file = tmp_path / "picture.jpg"
    created = action("created", "digitalCapture")
    if case == "remote":
        data = signed(jpeg(), created, by=newsroom, remote="http://manifests.example.com/one.c2pa", embed=False)
    else:
        data = signed(jpeg(), created, by=newsroom, assertions=(_identity(),))
    file.write_bytes(data)
    assert _connects(how, file, proxy) is connects


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

"""Who claims a picture: identity assertions are read without asking anybody, and said to be unconfirmed."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.core.types import Severity, Support
from nsfwforensics.formats.cbor import cose_payload
from tests.analyzers.make_c2pa import Authority, action, claim, codes, flip, read, severity, signed
from tests.formats.make import jpeg, picture

SUBJECT = {
    "verifiedIdentities": [
        {"type": "cawg.social_media", "username": "jane_example", "provider": {"name": "Example Pictures"}},
        {"type": "cawg.document_verification", "name": "Jane Example", "provider": {"name": "Example ID"}},
    ]
}


def _cose(payload: bytes) -> str:
    """A COSE_Sign1 structure with a nested header, as base64; its signature is of no matter here."""
    header = b"\xa1\x63abc\x82\x41x\xa1\x01\xf6"
    body = b"\x59" + len(payload).to_bytes(2, "big") + payload
    return base64.b64encode(b"\xd2\x84\x43\xa1\x01\x26" + header + body + b"\x41s").decode()


def _claimed(by: Authority, *, subject: Any = SUBJECT, bound: bool = True, signature: str | None = None) -> bytes:
    credential = {"issuer": "did:web:identity.example", "credentialSubject": subject}
    urls = ["self#jumbf=c2pa.assertions/c2pa.hash.data"] if bound else []
    data = {
        "signer_payload": {
            "sig_type": "cawg.identity_claims_aggregation",
            "referenced_assertions": [{"url": url, "hash": ""} for url in urls],
        },
        "signature": signature if signature is not None else _cose(json.dumps(credential).encode()),
    }
    assertion = {"label": "cawg.identity", "data": data}
    return signed(jpeg(picture()), action("created", "digitalCapture"), by=by, assertions=(assertion,))


def test_the_claimant_is_named_with_who_vouches_and_nothing_is_confirmed(newsroom: Authority) -> None:
    said = claim(read(_claimed(newsroom)), "PROV-115")
    assert "“jane_example (Example Pictures)”" in said.explanation
    assert "“did:web:identity.example”" in said.explanation
    assert "was not checked" in said.explanation
    assert severity(said) is Severity.INFO
    assert said.support is Support.INCONCLUSIVE
    assert said.data["identities"][0]["names"] == ["jane_example (Example Pictures)", "Jane Example (Example ID)"]


@pytest.mark.parametrize("how", ["not bound to the picture", "changed picture"])
def test_a_statement_that_does_not_fit_the_picture_names_nobody(newsroom: Authority, how: str) -> None:
    photo = _claimed(newsroom, bound=how == "changed picture")
    found = read(flip(photo, len(photo) - 40) if how == "changed picture" else photo)
    assert "does not fit this picture" in claim(found, "PROV-115").explanation
    assert "jane" not in claim(found, "PROV-115").explanation


@pytest.mark.parametrize("signature", ["", "!!", base64.b64encode(b"\xd2\x84\x43").decode(), _cose(b"[" * 5000)])
def test_a_statement_that_cannot_be_read_is_said_to_be_so(newsroom: Authority, signature: str) -> None:
    assert "could not be read" in claim(read(_claimed(newsroom, signature=signature)), "PROV-115").explanation


def test_credentials_without_a_claim_say_nothing_of_one(newsroom: Authority) -> None:
    assert "PROV-115" not in codes(read(signed(jpeg(picture()), action("created"), by=newsroom)))


@given(st.binary(max_size=400))
def test_any_bytes_give_a_payload_of_theirs_or_an_error(data: bytes) -> None:
    for prefix in (b"", b"\x84", b"\xd2\x84\x40\xa0"):
        with contextlib.suppress(ValueError):
            assert cose_payload(prefix + data) in prefix + data


def test_a_structure_that_lies_about_its_size_ends_quickly() -> None:
    with pytest.raises(ValueError, match="more items"):
        cose_payload(b"\x84\x40\xbb" + b"\xff" * 8 + b"\x00" * 64)

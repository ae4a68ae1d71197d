"""Signs small pictures with certificates made on the spot, so that no test needs the network or a stored key."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID, ObjectIdentifier

from nsfwforensics.analyzers.provenance.c2pa.credentials import C2PA_CODES, Claim, Credentials, credentials
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import Severity
from nsfwforensics.formats.jumbf import find_manifest_store
from nsfwforensics.formats.read import read_metadata

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")


def _name(organisation: str, common: str) -> x509.Name:
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        x509.NameAttribute(NameOID.COMMON_NAME, common),
    ])  # fmt: skip


def _pem(*certificates: x509.Certificate) -> str:
    return "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in certificates)


@dataclass(frozen=True)
class Authority:
    """A certificate authority and one signer's certificate below it."""

    root: str
    chain: str
    key: str

    def signer(self) -> c2pa.Signer:
        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", self.chain.encode(), self.key.encode(), None))


def authority(organisation: str = "Test Newsroom", *, seconds: int = 30_000_000) -> Authority:
    """Makes a root and a signer whose certificate is valid since ten days and for this many seconds more."""
    now = datetime.datetime.now(datetime.UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _name(organisation, f"{organisation} Root"), _name(organisation, f"{organisation} Signer")
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    root = (
        x509.CertificateBuilder()
        .subject_name(root_name)
        .issuer_name(root_name)
        .public_key(root_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=4000))
        .not_valid_after(now + datetime.timedelta(days=4000))
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(x509.KeyUsage(**{**usage, "key_cert_sign": True, "crl_sign": True}), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(root_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(seconds=seconds))
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.KeyUsage(**{**usage, "digital_signature": True}), True)
        .add_extension(x509.ExtendedKeyUsage([CLAIM_SIGNING]), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False)
        .sign(root_key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return Authority(_pem(root), _pem(leaf, root), secret)


def action(name: str, source: str = "", agent: str = "", **more: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"action": f"c2pa.{name}", **more}
    if source:
        entry["digitalSourceType"] = source if ":" in source else IPTC + source
    if agent:
        entry["softwareAgent"] = {"name": agent}
    return entry


def signed(
    picture: bytes,
    *actions: dict[str, Any],
    by: Authority,
    media_type: str = "image/jpeg",
    generator: str = "Test Tool",
    assertions: tuple[dict[str, Any], ...] = (),
    ingredients: tuple[tuple[str, str, bytes], ...] = (),
    remote: str = "",
    embed: bool = True,
) -> bytes:
    """The picture with Content Credentials. ``ingredients`` are relationship, media type and file."""
    given = [{"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}] if actions else []
    manifest = {"claim_generator_info": [{"name": generator}], "assertions": [*given, *assertions]}
    settings = {
        "verify": {"remote_manifest_fetch": False, "verify_after_sign": False},
        "core": {"decode_identity_assertions": False, "allowed_network_hosts": []},
        "builder": {"thumbnail": {"enabled": False}},
    }
    builder = c2pa.Builder(json.dumps(manifest), c2pa.Context.from_dict(settings))
    for relationship, kind, data in ingredients:
        described = json.dumps({"title": f"{relationship}.jpg", "relationship": relationship, "label": "one"})
        builder.add_ingredient(described, kind, io.BytesIO(data))
    if remote:
        builder.set_remote_url(remote)
    if not embed:
        builder.set_no_embed()
    out = io.BytesIO()
    builder.sign(by.signer(), media_type, io.BytesIO(picture), out)
    return out.getvalue()


def excluding(data: bytes, start: int, length: int, by: Authority, picture: bytes | None = None) -> bytes:
    """A signed JPEG whose content hash skips other bytes than those of its credentials, signed again by its signer.

    Args:
        data: A JPEG made by :func:`signed`, its credentials in one segment.
        start: First skipped byte; below 24, as it was, because numbers keep their length.
        length: Skipped bytes, between 256 and 65,535.
        by: Who signed it.
        picture: Bytes to put in place of ``data``'s before the hash is made; of any length, with the same credentials.
    """
    store = find_manifest_store(data, "image/jpeg")
    assert store is not None
    boxes = store.data
    label = boxes.index(b"c2pa.hash.data\0") - 33  # box and description headers, type, toggles
    size = int.from_bytes(boxes[label : label + 4], "big")
    before = boxes[label : label + size]
    whole = picture if picture is not None else data
    digest = hashlib.sha256(whole[:start] + whole[start + length :]).digest()
    after = bytearray(before)
    after[after.index(b"\x65start") + 6] = start
    place = after.index(b"\x66length\x19") + 8
    after[place : place + 2] = length.to_bytes(2, "big")
    place = after.index(b"\x64hash\x58\x20") + 7
    after[place : place + 32] = digest
    changed = boxes.replace(before, bytes(after))
    old, new = (hashlib.sha256(each[8:]).digest() for each in (before, after))
    assert changed.count(old) == 1
    changed = _signed_again(changed.replace(old, new), by)
    return whole.replace(boxes, changed)


def _signed_again(boxes: bytes, by: Authority) -> bytes:
    """The same boxes with a fresh COSE signature (RFC 9052, ES256) over their claim."""
    claim_at = boxes.index(b"c2pa.claim.v2\0") - 33
    content = claim_at + 8 + int.from_bytes(boxes[claim_at + 8 : claim_at + 12], "big")
    payload = boxes[content + 8 : content + int.from_bytes(boxes[content : content + 4], "big")]
    cose = boxes.index(b"\xd2\x84", boxes.index(b"c2pa.signature\0"))
    protected = _first_part(boxes[cose:])
    signed_bytes = b"\x84\x6aSignature1" + _byte_string(protected) + b"\x40" + _byte_string(payload)
    key = serialization.load_pem_private_key(by.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = utils.decode_dss_signature(key.sign(signed_bytes, ec.ECDSA(hashes.SHA256())))
    place = boxes.index(b"\xf6\x58\x40", cose) + 3  # no payload of its own, then 64 bytes
    return boxes[:place] + r.to_bytes(32, "big") + s.to_bytes(32, "big") + boxes[place + 64 :]


def _first_part(data: bytes) -> bytes:
    """The byte string that is the first item of a COSE structure."""
    length, at = (data[2] & 31, 3) if data[2] & 31 < 24 else (int.from_bytes(data[3:5], "big"), 5)
    if data[2] & 31 == 24:
        length, at = data[3], 4
    return data[at : at + length]


def _byte_string(data: bytes) -> bytes:
    """A byte string in CBOR."""
    size = len(data)
    if size < 24:
        return bytes((0x40 | size,)) + data
    return (b"\x58" + bytes((size,)) if size < 256 else b"\x59" + size.to_bytes(2, "big")) + data


def flip(data: bytes, position: int) -> bytes:
    """The bytes with one bit turned."""
    return data[:position] + bytes((data[position] ^ 1,)) + data[position + 1 :]


def parent(data: bytes, *actions: dict[str, Any], by: Authority, relationship: str = "parentOf") -> bytes:
    """A picture whose credentials name another one as an ingredient."""
    opened = action("opened", parameters={"ingredientIds": ["one"]}) if relationship == "parentOf" else None
    given = [*([opened] if opened else []), *actions]
    return signed(data, *given, by=by, ingredients=((relationship, "image/jpeg", data),))


def read(data: bytes, *anchors: Path) -> Credentials:
    evidence = Evidence.from_bytes(data)
    return credentials(evidence, read_metadata(data, evidence.media_type), anchors)


def codes(found: Credentials) -> set[str]:
    return {claim.code for claim in found.findings}


def claim(found: Credentials, code: str) -> Claim:
    return next(each for each in found.findings if each.code == code)


def severity(each: Claim) -> Severity:
    return each.severity or C2PA_CODES[each.code].severity

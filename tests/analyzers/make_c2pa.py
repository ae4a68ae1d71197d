"""Signs small pictures with certificates made on the spot, so that no test needs the network or a stored key."""

from __future__ import annotations

import datetime
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from nsfwforensics.analyzers.provenance.c2pa.credentials import C2PA_CODES, Claim, Credentials, credentials
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import Severity
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

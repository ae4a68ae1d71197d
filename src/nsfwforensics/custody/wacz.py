"""A web archive (WACZ) checked offline: whether its parts are those that it lists, and who says so.

WACZ (specs.webrecorder.net) is a ZIP file with a list of its parts (``datapackage.json``), the digest of that list
(``datapackage-digest.json``), and in there maybe a signature over the digest: by a key that nobody vouches for, or by
the certificate of a web address. Whether to trust either is the reader's to say: nothing is looked up.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.documents import DocumentError, read_json
from nsfwforensics.core.opening import open_evidence
from nsfwforensics.custody import timestamps
from nsfwforensics.errors import CustodyError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

LIST, DIGEST, PAGES = "datapackage.json", "datapackage-digest.json", "pages/pages.jsonl"
MOST_PARTS = 100_000
MOST_LIST_BYTES = 64 * 1024 * 1024
MOST_UNPACKED = 64 << 30
"""Most bytes of all parts together, unpacked; more is no archive of a page but an attack."""

MOST_PAGES = 50
"""Most pages that are named."""

MOST_PROBLEMS = 50
_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 20


@dataclass(slots=True)
class WebArchive:
    """What a check of a web archive found.

    Attributes:
        parts: How many of the parts that it lists are what the list says.
        problems: What does not hold.
        remarks: What to know besides.
        pages: Addresses and times of the pages in it, the first of many.
        created: When it was made, as it says itself.
        software: What made it, as it says itself.
        signed_by: ``key`` with its fingerprint, or ``address`` with the name in the certificate; empty where unsigned.
        stamped: The time of a timestamp on the signature; empty where there is none.
    """

    parts: int = 0
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    pages: list[tuple[str, str]] = field(default_factory=list)
    created: str = ""
    software: str = ""
    signed_by: str = ""
    stamped: str = ""

    def blame(self, problem: str) -> None:
        """Takes note of what does not hold."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        elif len(self.problems) == MOST_PROBLEMS:
            self.problems.append("and more")


def is_web_archive(path: Path) -> bool:
    """Whether a file is a ZIP file that holds the list of a web archive, or is named as one.

    Raises:
        OSError: It cannot be read.
    """
    with open_evidence(path) as stream:
        if stream.read(4) != b"PK\x03\x04":
            return path.suffix.lower() == ".wacz"
        try:
            with zipfile.ZipFile(stream) as archive:
                return LIST in archive.NameToInfo
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):  # the third: zipfile's of a newer format
            return path.suffix.lower() == ".wacz"


def check(path: Path) -> WebArchive:
    """Checks a web archive without a network.

    Raises:
        OSError: It cannot be read.
    """
    found = WebArchive()
    with open_evidence(path) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                _check(archive, found)
        except _BROKEN as error:
            found.blame(f"it is no sound ZIP file: {error}")
    return found


_BROKEN = (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError, zlib.error, UnicodeError)


def _check(archive: zipfile.ZipFile, found: WebArchive) -> None:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_PARTS or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        found.blame("it is too large to be checked")
        return
    names = [entry.filename for entry in entries]
    for name in sorted({name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()):
        found.blame(f"{name} is in it more than once")
    if LIST not in names:
        found.blame(f"{LIST} is not in it: it lists nothing that could be checked")
        return
    raw = _small(archive, LIST)
    listed = _parsed(raw, LIST, found)
    if listed is None:
        return
    found.created, found.software = _text(listed.get("created")), _text(listed.get("software"))
    covered = _parts(archive, listed, found)
    beside = [name for name in names if name not in covered and name not in (LIST, DIGEST)]
    if beside:
        found.remarks.append(f"files in it that are not in its list: {len(beside):,}; nothing vouches for them")
    _pages(archive, names, found)
    main = _text(listed.get("mainPageUrl")) or _text(listed.get("mainPageURL"))  # tools write either
    if main and not found.pages:
        found.pages.append((main, _text(listed.get("mainPageDate"))))
    if DIGEST in names:
        _digest(_parsed(_small(archive, DIGEST), DIGEST, found), hashlib.sha256(raw).hexdigest(), found)
    else:
        found.remarks.append(f"it has no {DIGEST}: its list could have been written anew by anybody")


def _parts(archive: zipfile.ZipFile, listed: dict[str, Any], found: WebArchive) -> set[str]:
    """Compares every listed part; returns their names."""
    resources = listed.get("resources")
    covered: set[str] = set()
    if not isinstance(resources, list) or not resources:
        found.blame(f"{LIST} lists no parts")
        return covered
    for resource in resources[:MOST_PARTS]:
        name = resource.get("path") if isinstance(resource, dict) else None
        kind, _, digest = _text(resource.get("hash") if isinstance(resource, dict) else None).partition(":")
        if not isinstance(name, str) or kind not in ("sha256", "md5") or not digest:
            found.blame(f"{LIST} lists a part without a name or a digest")
        elif name not in archive.NameToInfo:
            found.blame(f"{name} is missing")
        else:
            covered.add(name)
            if kind == "md5":
                found.remarks.append(f"{name} is listed by its MD5 only, which does not show that it was not replaced")
            if _hashed(archive, name, kind) != digest.lower():
                found.blame(f"{name} is not what {LIST} says")
            else:
                found.parts += 1
    return covered


def _digest(value: dict[str, Any] | None, actual: str, found: WebArchive) -> None:
    if value is None:
        return
    if _text(value.get("hash")) != f"sha256:{actual}":
        found.blame(f"{LIST} is not what {DIGEST} says")
    signed = value.get("signedData")
    if not isinstance(signed, dict):
        found.remarks.append("it is not signed")
        return
    if _text(signed.get("hash")) != f"sha256:{actual}":
        found.blame(f"the signature is about another {LIST}")
        return
    try:
        _signature(signed, found)
    except (CustodyError, ValueError, TypeError, binascii.Error) as error:
        found.blame(f"its signature cannot be checked: {error}")


def _signature(signed: dict[str, Any], found: WebArchive) -> None:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    chain: list[Certificate] = []
    if signed.get("domainCert"):
        chain = x509.load_pem_x509_certificates(_text(signed["domainCert"]).encode())
        key = chain[0].public_key()
    else:
        key = serialization.load_der_public_key(base64.b64decode(_text(signed.get("publicKey")), validate=True))  # type: ignore[assignment]
    words, signature = _text(signed["hash"]).encode(), base64.b64decode(_text(signed.get("signature")), validate=True)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            half = (key.curve.key_size + 7) // 8
            if len(signature) == 2 * half:  # as browsers write it: two numbers of full length
                numbers = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
                signature = encode_dss_signature(*numbers)
            key.verify(signature, words, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, words)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, words, rsa_padding.PKCS1v15(), hashes.SHA256())
        else:
            raise CustodyError("its key is of a kind that is not known here")
    except InvalidSignature:
        found.blame("its signature does not fit its list")
        return
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    found.signed_by = f"key {hashlib.sha256(encoded).hexdigest()}"
    if not chain:
        found.remarks.append("it is signed by a key that nobody vouches for: ask whose it is by another way")
    if signed.get("timeSignature"):
        token = base64.b64decode(_text(signed["timeSignature"]), validate=True)
        found.stamped = timestamps.read(token, _text(signed.get("signature")).encode()).time
        found.remarks.append("the authority behind the time of its signature was not checked")
    if chain:
        _certificates(chain, signed, found)


def _certificates(chain: list[Certificate], signed: dict[str, Any], found: WebArchive) -> None:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        names = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = names.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        addresses = [str(each.value) for each in chain[0].subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    claimed = _text(signed.get("domain"))
    found.signed_by = f"address {claimed if claimed in addresses else ', '.join(addresses) or 'unnamed'}"
    if claimed not in addresses:
        found.blame(f"it says that {claimed or 'nobody'} signed it, and the certificate is not made out to that name")
    when = found.stamped or _text(signed.get("created"))
    with suppress(ValueError):
        moment = datetime.fromisoformat(when)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if not chain[0].not_valid_before_utc <= moment <= chain[0].not_valid_after_utc:
            found.blame("the certificate of its signature was not valid when it was signed")
    for one, issuer in pairwise(chain):
        try:
            one.verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError):
            found.blame("a certificate of its signature was not issued by the next one")
    found.remarks.append("whether the last certificate of its signature is to be trusted was not checked")


def _pages(archive: zipfile.ZipFile, names: list[str], found: WebArchive) -> None:
    if PAGES not in names:
        return
    count = 0
    with archive.open(PAGES) as stream:
        while line := stream.readline(_LONGEST_LINE):
            try:
                page = read_json(line)
            except DocumentError:
                continue
            if isinstance(page, dict) and isinstance(page.get("url"), str):
                count += 1
                if count <= MOST_PAGES:
                    found.pages.append((page["url"], _text(page.get("ts"))))
    if count > MOST_PAGES:
        found.remarks.append(f"{count:,} pages are in it, of which the first {MOST_PAGES} are named")


def _hashed(archive: zipfile.ZipFile, name: str, kind: str) -> str:
    hasher = hashlib.new(kind, usedforsecurity=False)
    with archive.open(name) as stream:
        while block := stream.read(_BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        data = stream.read(MOST_LIST_BYTES + 1)
    if len(data) > MOST_LIST_BYTES:
        raise ValueError(f"{name} is longer than any list")
    return data


def _parsed(raw: bytes, name: str, found: WebArchive) -> dict[str, Any] | None:
    try:
        value = read_json(raw)
    except DocumentError as error:
        found.blame(f"{name} cannot be read: {error}")
        return None
    if not isinstance(value, dict):
        found.blame(f"{name} is no list of parts")
        return None
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

"""Trusted timestamps (RFC 3161) on signatures: asked for and attached as files, never fetched.

What is stamped is the signature file, as CAdES does with its signature timestamp (RFC 5126, section 6.1.1): the token
shows that the signature, and with it all that it covers, was there at that time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nsfwforensics.core.evidence import utc_iso
from nsfwforensics.errors import CustodyError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

MOST_BYTES = 256 * 1024
"""A token with its certificates has some ten thousand."""

_HASHES = {"2.16.840.1.101.3.4.2.1": "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
_GRANTED = bytes.fromhex("3003020100")  # PKIStatusInfo with status 0, as a response has it before its token
_SEQUENCE = 0x30


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a time stamp token (RFC 3161) says.

    Attributes:
        time: In UTC, ISO 8601.
        authority: Subject of the certificate that signed it, as the token names it; empty where it names none.
    """

    time: str
    authority: str


def request(signature: bytes) -> bytes:
    """A request (DER, ``.tsq``) to be sent to a timestamping authority by whoever wants to.

    It holds a SHA-512 digest and no number of its own, so that making it twice gives the same bytes.
    """
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    builder = TimestampRequestBuilder().data(signature).hash_algorithm(HashAlgorithm.SHA512)
    return bytes(builder.nonce(nonce=False).cert_request(cert_request=True).build().as_bytes())


def read(token: bytes, signature: bytes) -> Stamp:
    """Reads a token and checks that it is about a signature.

    Args:
        token: A TimeStampResp or a TimeStampToken in DER.
        signature: The signature file's bytes.

    Raises:
        CustodyError: It is none, was refused, or is about something else.
    """
    from cryptography import x509

    response = _parsed(token)
    try:
        imprint = response.tst_info.message_imprint
        name = _HASHES.get(imprint.hash_algorithm.dotted_string)
        stamped = bytes(imprint.message)
        time = utc_iso(response.tst_info.gen_time.timestamp())
        certificates = [x509.load_der_x509_certificate(raw) for raw in response.signed_data.certificates]
    except (ValueError, TypeError, AttributeError, OverflowError, x509.InvalidVersion) as error:
        raise CustodyError(f"the timestamp token is not understood: {error}") from error
    if name is None:
        raise CustodyError("the timestamp token uses a digest other than SHA-256, SHA-384 and SHA-512")
    if stamped != hashlib.new(name, signature).digest():
        raise CustodyError("the timestamp token is about something else than this signature")
    return Stamp(time, _authority(certificates))


def check(token: bytes, signature: bytes, root: bytes) -> None:
    """Checks the token's own signature up to a certificate that somebody trusts.

    Args:
        token: As for :func:`read`.
        signature: The signature file's bytes.
        root: The trusted certificate, PEM.

    Raises:
        CustodyError: The chain does not hold.
    """
    from cryptography import x509
    from rfc3161_client import VerificationError, VerifierBuilder

    try:
        trusted = x509.load_pem_x509_certificate(root)
    except ValueError as error:
        raise CustodyError("the timestamping authority's certificate is no certificate in PEM") from error
    # Certificates inside the token are its maker's own words: only the given one is trusted.
    verifier = VerifierBuilder().add_root_certificate(trusted).build()
    try:
        verified = verifier.verify_message(_parsed(token), signature)
    except (VerificationError, ValueError, TypeError, x509.InvalidVersion) as error:
        raise CustodyError("the timestamp does not lead to the trusted certificate") from error
    if not verified:
        raise CustodyError("the timestamp does not lead to the trusted certificate")


def _authority(certificates: list[Certificate]) -> str:
    """The subject of the certificate that is for stamping times, if there is one."""
    from cryptography.x509 import ExtendedKeyUsage, ExtensionNotFound
    from cryptography.x509.oid import ExtendedKeyUsageOID

    for certificate in certificates:
        try:
            usage = certificate.extensions.get_extension_for_class(ExtendedKeyUsage).value
            if ExtendedKeyUsageOID.TIME_STAMPING in usage:
                return certificate.subject.rfc4514_string()
        except (ExtensionNotFound, ValueError, TypeError):
            continue
    return ""


def _parsed(token: bytes) -> TimeStampResponse:
    from rfc3161_client import decode_timestamp_response

    if len(token) > MOST_BYTES:
        raise CustodyError(f"the timestamp token is longer than {MOST_BYTES:,} bytes")
    for candidate in (token, _sequence(_GRANTED + token)):
        try:
            response = decode_timestamp_response(candidate)
        except ValueError:
            continue
        if response.status not in (0, 1):
            raise CustodyError(f"the timestamping authority refused: status {response.status}")
        return response
    raise CustodyError("this is no timestamp token and no answer of a timestamping authority (RFC 3161, DER)")


def _sequence(content: bytes) -> bytes:
    """A DER SEQUENCE (ITU-T X.690, section 8.1.3) around its content."""
    length = len(content)
    if length < 0x80:
        return bytes([_SEQUENCE, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([_SEQUENCE, 0x80 | size]) + length.to_bytes(size, "big") + content

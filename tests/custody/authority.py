"""A timestamping authority made up for tests: a certificate, and tokens (RFC 3161) written by hand in DER."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TIME = datetime(2026, 11, 22, 5, 6, 7, tzinfo=UTC)
SHA256 = "2.16.840.1.101.3.4.2.1"


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray([first * 40 + second])
    for number in rest:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7F)
        out += bytes(reversed(digits))
    return tlv(0x06, bytes(out))


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def algorithm(dotted: str) -> bytes:
    return tlv(0x30, oid(dotted))


@dataclass(frozen=True)
class Authority:
    """Who stamps."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Clock House")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(77)
            .not_valid_before(TIME - timedelta(days=1))
            .not_valid_after(TIME + timedelta(days=1))
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def token(self, stamped: bytes, *, hash_name: str = "sha256", hash_oid: str = SHA256) -> bytes:
        """A TimeStampToken on some bytes."""
        imprint = tlv(0x30, algorithm(hash_oid), tlv(0x04, hashlib.new(hash_name, stamped).digest()))
        time = tlv(0x18, TIME.strftime("%Y%m%d%H%M%SZ").encode())
        info = tlv(0x30, integer(1), oid("1.2.3.4"), imprint, integer(5), time)
        kind = "1.2.840.113549.1.9.16.1.4"
        attributes = tlv(0x30, oid("1.2.840.113549.1.9.3"), tlv(0x31, oid(kind))) + tlv(
            0x30, oid("1.2.840.113549.1.9.4"), tlv(0x31, tlv(0x04, hashlib.sha256(info).digest()))
        )
        signature = self.key.sign(tlv(0x31, attributes), ec.ECDSA(hashes.SHA256()))
        issuer = self.certificate.issuer.public_bytes()
        signer = tlv(
            0x30,
            integer(1),
            tlv(0x30, issuer, integer(self.certificate.serial_number)),
            algorithm(SHA256),
            tlv(0xA0, attributes),
            algorithm("1.2.840.10045.4.3.2"),
            tlv(0x04, signature),
        )
        signed = tlv(
            0x30,
            integer(3),
            tlv(0x31, algorithm(SHA256)),
            tlv(0x30, oid(kind), tlv(0xA0, tlv(0x04, info))),
            tlv(0xA0, self.certificate.public_bytes(serialization.Encoding.DER)),
            tlv(0x31, signer),
        )
        return tlv(0x30, oid("1.2.840.113549.1.7.2"), tlv(0xA0, signed))

    def response(self, stamped: bytes) -> bytes:
        """The same as the answer that an authority sends."""
        return tlv(0x30, tlv(0x30, integer(0)), self.token(stamped))


def refusal() -> bytes:
    return tlv(0x30, tlv(0x30, integer(2)))

"""Ed25519 keys (RFC 8032) in files: made, protected, read, and named by their fingerprint."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from nsfwforensics.core.private import write_new
from nsfwforensics.errors import CustodyError, UsageError

MOST_BYTES = 64 * 1024


class NeedsPassphraseError(UsageError):
    """The private key is encrypted and no passphrase was given."""


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of a public key's DER form (SubjectPublicKeyInfo, RFC 8410), in hexadecimal."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def shown(print_: str) -> str:
    """A fingerprint in groups of four, as people compare it."""
    return " ".join(print_[place : place + 4] for place in range(0, len(print_), 4))


def public_pem(key: Ed25519PublicKey) -> bytes:
    """A public key in PEM, always the same bytes."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def make(path: Path, passphrase: bytes | None) -> tuple[Path, Ed25519PublicKey]:
    """Makes a key: the private half (PKCS #8, PEM) for its owner only, the public half beside it.

    Args:
        path: Where the private half goes; ``.pub`` is added for the public one. Nothing is written over.
        passphrase: Encrypts the private half; None leaves it readable to whoever gets the file.

    Returns:
        Path of the public half, and the key.

    Raises:
        CustodyError: A file is there already or cannot be written.
    """
    public_path = path.with_name(path.name + ".pub")
    for place in (path, public_path):
        if os.path.lexists(place):
            raise CustodyError(f"{place} is there already; nothing is ever written over it")
    private = Ed25519PrivateKey.generate()
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    try:
        write_new(path, pem)
    except OSError as error:
        raise CustodyError(f"cannot make the key {path}: {error.strerror}") from error
    try:
        write_new(public_path, public_pem(private.public_key()))
    except OSError as error:
        path.unlink()
        raise CustodyError(f"cannot make the key {public_path}: {error.strerror}") from error
    return public_path, private.public_key()


def load_private(path: Path, passphrase: bytes | None) -> Ed25519PrivateKey:
    """Reads a private key.

    Raises:
        CustodyError: It cannot be read, is no Ed25519 key, or others than its owner may read it.
        NeedsPassphraseError: It is encrypted and no passphrase was given.
        UsageError: The passphrase is wrong.
    """
    data = _read(path, private=True)
    try:
        key = serialization.load_pem_private_key(data, passphrase)
    except TypeError as error:
        if passphrase is None:
            raise NeedsPassphraseError(f"the key {path} is protected by a passphrase: --passphrase-file") from error
        try:
            key = serialization.load_pem_private_key(data, None)  # a passphrase for a key that has none is no harm
        except (ValueError, UnsupportedAlgorithm) as problem:
            raise CustodyError(f"{path} is no private key in PEM") from problem
    except (ValueError, UnsupportedAlgorithm) as error:
        if b"ENCRYPTED" in data:
            raise UsageError(f"the passphrase does not open the key {path}") from error
        raise CustodyError(f"{path} is no private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CustodyError(f"{path} is no Ed25519 key; make one with `evidence keygen`")
    return key


def load_public(path: Path) -> Ed25519PublicKey:
    """Reads a public key that somebody trusts.

    Raises:
        CustodyError: It cannot be read or is no Ed25519 key.
    """
    return parse_public(_read(path, private=False), str(path))


def parse_public(data: bytes, name: str) -> Ed25519PublicKey:
    """Reads a public key in PEM.

    Raises:
        CustodyError: It is none.
    """
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CustodyError(f"{name} is no public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise CustodyError(f"{name} is no Ed25519 key")
    return key


def _read(path: Path, *, private: bool) -> bytes:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as stream:
            info = os.fstat(stream.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise CustodyError(f"the key {path} is not a regular file")
            data = stream.read(MOST_BYTES)
            if private and b"-----BEGIN PUBLIC KEY-----" in data:
                raise CustodyError(f"{path} holds the public half of a key; the private half is needed here")
            if private and os.name == "posix" and info.st_mode & 0o077:
                raise CustodyError(f"others may read the private key {path}; take that away first: chmod 600")
            return data
    except OSError as error:
        raise CustodyError(f"the key {path} cannot be read: {error.strerror}") from error

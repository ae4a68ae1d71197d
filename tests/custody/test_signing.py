"""Keys are private and never written over; a signature covers the bag; a token must be about the signature."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.custody import keys, signing, timestamps
from nsfwforensics.custody.bag import Order, pack
from nsfwforensics.custody.operator_file import Operator, load_operator
from nsfwforensics.errors import CustodyError, UsageError
from tests.custody.authority import Authority, refusal

SIGNATURE = b"s" * 64


def test_a_key_is_for_its_owner_only_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    real = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda fd, *a: modes.append(stat.S_IMODE(os.fstat(fd).st_mode)) or real(fd, *a))
    old = os.umask(0)
    try:
        public_path, public = keys.make(tmp_path / "key", None)
    finally:
        os.umask(old)
    assert modes[0] == 0o600
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert public_path.name == "key.pub"
    assert keys.fingerprint(keys.load_public(public_path)) == keys.fingerprint(public)
    assert keys.fingerprint(keys.load_private(tmp_path / "key", None).public_key()) == keys.fingerprint(public)


@pytest.mark.parametrize("name", ["key", "key.pub"])
def test_no_key_is_written_over(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(CustodyError, match="is there already"):
        keys.make(tmp_path / "key", None)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "target")
    with pytest.raises(CustodyError):
        keys.make(tmp_path / "key", None)
    assert not (tmp_path / "target").exists()


def test_a_passphrase_protects_the_key(tmp_path: Path) -> None:
    keys.make(tmp_path / "key", b"open sesame")
    assert b"ENCRYPTED" in (tmp_path / "key").read_bytes()
    with pytest.raises(keys.NeedsPassphraseError):
        keys.load_private(tmp_path / "key", None)
    with pytest.raises(UsageError, match="does not open"):
        keys.load_private(tmp_path / "key", b"open simsim")
    keys.load_private(tmp_path / "key", b"open sesame")
    keys.make(tmp_path / "plain", None)
    keys.load_private(tmp_path / "plain", b"not needed")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keys.make(tmp_path / "key", None)
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(CustodyError, match="others may read"):
        keys.load_private(tmp_path / "key", None)


def test_the_public_half_given_for_the_private_one_is_named(tmp_path: Path) -> None:
    public, _ = keys.make(tmp_path / "key", None)
    with pytest.raises(CustodyError, match="public half"):
        keys.load_private(public, None)


def test_other_keys_and_files_are_refused(tmp_path: Path) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    private = curve.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = curve.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for data in (private, b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\0" * 99):
        (tmp_path / "key").unlink(missing_ok=True)
        (tmp_path / "key").touch(0o600)
        (tmp_path / "key").write_bytes(data)
        with pytest.raises(CustodyError):
            keys.load_private(tmp_path / "key", None)
    for data in (public, private, b"", b"\xff"):
        (tmp_path / "pub").write_bytes(data)
        with pytest.raises(CustodyError):
            keys.load_public(tmp_path / "pub")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CustodyError, match="not a regular file"):
        keys.load_public(tmp_path / "pipe")


def test_a_statement_names_key_time_and_manifests_and_openssl_agrees(tmp_path: Path, key: Any) -> None:
    pack(Order([], tmp_path / "bag", "x", operator=Operator(name="Ann"), key=key))
    shelf = tmp_path / "bag" / signing.folder_of(keys.fingerprint(key.public_key()))
    statement = json.loads((shelf / "statement.json").read_bytes())
    assert statement["signer"]["name"] == "Ann"
    assert statement["signer"]["key_sha256"] == keys.fingerprint(key.public_key())
    assert set(statement["sha256"]) == set(signing.COVERED)
    assert statement["signed_at"].endswith("+00:00")
    key.public_key().verify((shelf / "statement.sig").read_bytes(), (shelf / "statement.json").read_bytes())
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", shelf / "public.pem", "-rawin",
         "-in", shelf / "statement.json", "-sigfile", shelf / "statement.sig"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_bag_is_signed_once_by_a_key_and_a_failure_leaves_nothing(
    tmp_path: Path, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(Order([], tmp_path / "bag", "x"))
    bag = tmp_path / "bag"
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(CustodyError, match="cannot be written"):
        signing.sign(bag, key, {})
    assert not (bag / "signatures").exists()
    monkeypatch.undo()
    signing.sign(bag, key, {})
    with pytest.raises(CustodyError, match="already"):
        signing.sign(bag, key, {})


def test_a_planted_link_for_the_signatures_is_not_followed(tmp_path: Path, key: Any) -> None:
    pack(Order([], tmp_path / "bag", "x"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "bag" / "signatures").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CustodyError):
        signing.sign(tmp_path / "bag", key, {})
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_tokens_are_read_as_answers_and_alone() -> None:
    authority = Authority.make()
    for token in (
        authority.token(SIGNATURE),
        authority.response(SIGNATURE),
        authority.token(SIGNATURE, hash_name="sha512", hash_oid="2.16.840.1.101.3.4.2.3"),
    ):
        stamp = timestamps.read(token, SIGNATURE)
        assert stamp == timestamps.Stamp("2026-11-22T05:06:07.000+00:00", "CN=Clock House")
        timestamps.check(token, SIGNATURE, authority.pem)
        with pytest.raises(CustodyError, match="does not lead to"):
            timestamps.check(token, SIGNATURE, Authority.make().pem)
    with pytest.raises(CustodyError, match="no certificate"):
        timestamps.check(authority.token(SIGNATURE), SIGNATURE, b"none")


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (lambda a: a.token(b"other"), "about something else"),
        (lambda a: a.token(SIGNATURE, hash_name="sha1", hash_oid="1.3.14.3.2.26"), "digest other than"),
        (lambda a: refusal(), "refused: status 2"),
        (lambda a: b"", "not understood|no timestamp token"),
        (lambda a: b"\x30\x80" * 100, "no timestamp token"),
        (lambda a: b"\0" * 300_000, "longer than"),
    ],
)
def test_other_tokens_are_refused(token: Any, expected: str) -> None:
    with pytest.raises(CustodyError, match=expected):
        timestamps.read(token(Authority.make()), SIGNATURE)


@given(st.integers(0, 700), st.integers(1, 255))
def test_a_damaged_token_never_crashes(place: int, change: int) -> None:
    data = bytearray(TOKEN)
    data[place % len(data)] ^= change
    try:
        timestamps.read(bytes(data), SIGNATURE)
        timestamps.check(bytes(data), SIGNATURE, AUTHORITY.pem)
    except CustodyError:
        pass


AUTHORITY = Authority.make()
TOKEN = AUTHORITY.token(SIGNATURE)


def test_a_token_is_attached_once_to_the_signature_that_it_is_about(tmp_path: Path, key: Any) -> None:
    bag = tmp_path / "bag"
    pack(Order([], bag, "x"))
    with pytest.raises(CustodyError, match="no signature by this key"):
        signing.attach(bag, key, TOKEN)
    _, signature = signing.sign(bag, key, {})
    with pytest.raises(CustodyError, match="about something else"):
        signing.attach(bag, key, TOKEN)
    token = AUTHORITY.response(signature)
    signing.attach(bag, key, token)
    with pytest.raises(CustodyError, match="already"):
        signing.attach(bag, key, token)


def test_a_request_is_always_the_same_and_openssl_reads_it(tmp_path: Path) -> None:
    assert timestamps.request(SIGNATURE) == timestamps.request(SIGNATURE)
    assert timestamps.request(SIGNATURE) != timestamps.request(b"t" * 64)
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    (tmp_path / "q.tsq").write_bytes(timestamps.request(SIGNATURE))
    done = subprocess.run(
        ["openssl", "ts", "-query", "-in", tmp_path / "q.tsq", "-text"], capture_output=True, text=True, check=True
    )
    assert "Hash Algorithm: sha512" in done.stdout


def test_an_operator_file_holds_text_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "operator.toml"
    path.write_text('name = "Ann"\ncase_number = "H-7"\n')
    assert load_operator(path).said() == {
        "name": "Ann",
        "organisation": "not supplied",
        "authority": "not supplied",
        "case_number": "H-7",
        "contact": "not supplied",
    }
    assert set(load_operator(None).said().values()) == {"not supplied"}
    for text in ('phone = "1"', "name = 7", "name = [", "[name]\nx = 1", "name = true"):
        path.write_text(text)
        with pytest.raises(UsageError, match="operator file"):
            load_operator(path)
    for data in (b"name = '\xff'", b"#" * 100_000):
        path.write_bytes(data)
        with pytest.raises(UsageError, match="operator file"):
            load_operator(path)
    with pytest.raises(UsageError, match="cannot be read"):
        load_operator(tmp_path / "none.toml")

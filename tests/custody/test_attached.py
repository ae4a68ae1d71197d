"""Results from outside in a case: kept, stamped, found when changed, packed; web archives checked."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from typer.testing import CliRunner, Result

from nsfwforensics.cli.app import build
from nsfwforensics.custody import attached, wacz
from nsfwforensics.custody.verify import verify
from nsfwforensics.errors import UsageError
from nsfwforensics.store.casedb import CaseDatabase
from tests.custody.authority import TIME, Authority

URL, AT = "https://example.org/post/7", "2026-11-20T14:05+01:00"
PARTS = {
    "archive/data.warc.gz": b"\x1f\x8b not really",
    "pages/pages.jsonl": b'{"format": "json-pages-1.0"}\n'
    b'{"url": "https://example.org/post/7", "ts": "2026-11-20T13:05:00Z"}\n',
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build("evidence"), ["evidence", *map(str, arguments)])


@pytest.fixture
def case(tmp_path: Path) -> Path:
    with CaseDatabase.create(tmp_path / "her.case"):
        pass
    return tmp_path / "her.case"


def screenshot(folder: Path) -> Path:
    path = folder / "shot.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n and more")
    return path


def archive(
    path: Path,
    key: ec.EllipticCurvePrivateKey | None = None,
    *,
    browser: bool = False,
    changed: Mapping[str, bytes] | None = None,
    **signed: Any,
) -> Path:
    """A web archive with its list, digest and, with a key, a signature as servers or browsers write it."""
    resources = [
        {"name": name, "path": name, "hash": f"sha256:{hashlib.sha256(data).hexdigest()}", "bytes": len(data)}
        for name, data in PARTS.items()
    ]
    listed = json.dumps(
        {"wacz_version": "1.1.1", "software": "a recorder", "created": "2026-11-20", "resources": resources}
    )
    digest = f"sha256:{hashlib.sha256(listed.encode()).hexdigest()}"
    value: dict[str, Any] = {"path": "datapackage.json", "hash": digest}
    if key is not None:
        signature = key.sign(digest.encode(), ec.ECDSA(hashes.SHA256()))
        if browser:
            signature = b"".join(number.to_bytes(48, "big") for number in decode_dss_signature(signature))
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        value["signedData"] = {
            "hash": digest,
            "signature": base64.b64encode(signature).decode(),
            "publicKey": base64.b64encode(public).decode(),
        } | signed
    parts = {**PARTS, "datapackage.json": listed.encode(), "datapackage-digest.json": json.dumps(value).encode()}
    with zipfile.ZipFile(path, "w") as made:
        for name, data in {**parts, **(changed or {})}.items():
            made.writestr(name, data)
    return path


def test_a_screenshot_goes_into_the_case_its_log_and_a_bag(case: Path, tmp_path: Path) -> None:
    shot = screenshot(tmp_path)
    before = shot.stat()
    found = run("attach", case, shot, "--source", URL, "--at", AT, "--note", "the post", "--operator", "Ann")
    assert found.exit_code == 0, found.output
    (one,) = attached.attached(case)
    assert one.content.read_bytes() == shot.read_bytes()
    assert (shot.stat().st_mtime_ns, shot.stat().st_size) == (before.st_mtime_ns, before.st_size)
    said = {key: one.about[key] for key in ("name", "source", "taken", "by", "note", "media_type")}
    assert said == {
        "name": "shot.png",
        "source": URL,
        "taken": "2026-11-20T13:05:00.000+00:00",
        "by": "Ann",
        "note": "the post",
        "media_type": "image/png",
    }
    log = run("log", case, "--json")
    assert log.exit_code == 0
    (entry,) = [entry for entry in json.loads(log.stdout)["entries"] if entry["kind"] == attached.KIND]
    assert entry["digests"]["content"] == hashlib.sha256(shot.read_bytes()).hexdigest()
    assert run("attach", case, shot, "--source", URL, "--at", AT).exit_code == 1, "twice is refused"

    (tmp_path / "bag").mkdir()
    assert attached.copy(case, tmp_path / "bag", pixels=True) == 1
    copied = tmp_path / "bag" / "attached" / one.folder.name
    assert (copied / "content.png").read_bytes() == shot.read_bytes()
    (tmp_path / "hashes").mkdir()
    attached.copy(case, tmp_path / "hashes", pixels=False)
    assert [path.name for path in (tmp_path / "hashes").rglob("*") if path.is_file()] == ["about.json"]


def test_it_is_stamped_by_files_alone(case: Path, tmp_path: Path) -> None:
    shot = screenshot(tmp_path)
    assert run("attach", case, shot, "--source", URL, "--at", AT, "--request", tmp_path / "q.tsq").exit_code == 0
    assert (tmp_path / "q.tsq").stat().st_size > 40
    (one,) = attached.attached(case)
    words = (one.folder / attached.ABOUT).read_bytes()
    (tmp_path / "wrong.tsr").write_bytes(Authority.make().response(b"something else"))
    assert run("attach", case, shot, "--timestamp", tmp_path / "wrong.tsr").exit_code == 1
    (tmp_path / "t.tsr").write_bytes(Authority.make().response(words))
    assert run("attach", case, shot, "--timestamp", tmp_path / "t.tsr").exit_code == 0
    (one,) = attached.attached(case)
    assert one.stamped.startswith(TIME.isoformat()[:19])
    assert run("log", case).exit_code == 0


def test_what_is_changed_removed_or_slipped_in_is_found(case: Path, tmp_path: Path) -> None:
    assert run("attach", case, screenshot(tmp_path), "--source", URL, "--at", AT).exit_code == 0
    (one,) = attached.attached(case)
    words = (one.folder / attached.ABOUT).read_bytes()
    (one.folder / attached.ABOUT).write_bytes(words.replace(b"post/7", b"post/8"))
    assert "was changed since it was attached" in run("log", case).output.replace("\n", " ")
    (one.folder / attached.ABOUT).write_bytes(words)
    assert run("log", case).exit_code == 0
    one.content.write_bytes(b"another picture")
    output = run("log", case).output
    assert "is missing" in output
    assert "no entry says so" in output


@pytest.mark.parametrize("at", ["2026-11-20T14:05", "yesterday", "2999-01-01T00:00Z"])
def test_a_time_names_its_zone_and_is_past(at: str) -> None:
    with pytest.raises(UsageError):
        attached.moment(at)


@pytest.mark.parametrize("source", ["example.org", "file:///etc/passwd", "https://", "https://a b", "javascript:x"])
def test_a_source_is_a_web_address(source: str) -> None:
    with pytest.raises(UsageError):
        attached.address(source)


@pytest.mark.parametrize("browser", [True, False])
def test_a_signed_web_archive_is_checked_and_listed(case: Path, tmp_path: Path, browser: bool) -> None:
    path = archive(tmp_path / "page.wacz", ec.generate_private_key(ec.SECP384R1()), browser=browser)
    found = run("attach", case, path, "--source", URL, "--at", AT, "--json")
    assert found.exit_code == 0, found.output
    about = json.loads(found.stdout)
    assert about["media_type"] == "application/wacz"
    assert about["web_archive"]["problems"] == []
    assert about["web_archive"]["parts"] == 2
    assert about["web_archive"]["pages"] == [["https://example.org/post/7", "2026-11-20T13:05:00Z"]]
    assert about["web_archive"]["signed_by"].startswith("key ")
    assert any("nobody vouches" in remark for remark in about["web_archive"]["remarks"])


def test_what_in_a_web_archive_does_not_hold_is_said(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    warc, digest = "archive/data.warc.gz", "datapackage-digest.json"
    broken = {
        "is not what datapackage.json says": archive(tmp_path / "a.wacz", key, changed={warc: b"other"}),
        "is not what datapackage-digest.json says": archive(
            tmp_path / "b.wacz", changed={digest: b'{"hash": "sha256:0"}'}
        ),
        "cannot be read": archive(tmp_path / "c.wacz", changed={"datapackage.json": b"[" * 9000}),
        "does not fit": archive(tmp_path / "d.wacz", key, signature=base64.b64encode(b"\x01" * 96).decode()),
        "cannot be checked": archive(tmp_path / "e.wacz", key, publicKey="AAAA"),
        "about another": archive(tmp_path / "f.wacz", key, hash="sha256:00"),
    }
    for words, path in broken.items():
        assert any(words in problem for problem in wacz.check(path).problems), words
    (tmp_path / "g.wacz").write_bytes(b"PK\x03\x04 nothing")
    assert "no sound ZIP file" in wacz.check(tmp_path / "g.wacz").problems[0]
    beside = wacz.check(archive(tmp_path / "h.wacz", key, changed={"extra.html": b"x"}))
    assert beside.problems == []
    assert any("not in its list: 1;" in remark for remark in beside.remarks)


@pytest.mark.parametrize(
    ("domain", "created", "signed_by", "problem"),
    [
        ("archive.example", "2026-11-22T06:00:00Z", "address archive.example", ""),
        ("bbc.co.uk", "2026-11-22T06:00:00Z", "address archive.example", "not made out to that name"),
        ("archive.example", "2027-11-22T06:00:00Z", "address archive.example", "not valid when it was signed"),
    ],
)
def test_a_signature_by_the_certificate_of_an_address(
    tmp_path: Path, domain: str, created: str, signed_by: str, problem: str
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "archive.example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(TIME - timedelta(days=1))
        .not_valid_after(TIME + timedelta(days=80))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("archive.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    found = wacz.check(archive(tmp_path / "a.wacz", key, domain=domain, domainCert=pem, created=created))
    assert found.signed_by == signed_by
    assert [problem in said for said in found.problems] == ([True] if problem else [])


def test_an_export_of_a_case_carries_what_is_attached(case: Path, tmp_path: Path) -> None:
    assert run("attach", case, screenshot(tmp_path), "--source", URL, "--at", AT, "-q").output == ""
    out = tmp_path / "out"

    def export(*more: str) -> Result:
        return CliRunner().invoke(build("case"), ["case", "export", str(case), "-o", str(out), *more])

    first = export("--format", "jsonl")
    assert first.exit_code == 0, first.output
    assert "1 result from outside" in first.output
    assert [path.name for path in (out / "attached").rglob("*.*") if path.is_file()] == ["about.json"]
    assert export("--format", "jsonl").exit_code == 1, "nothing is written over"
    assert export("--format", "jsonl", "--force", "--thumbnails").exit_code == 0
    assert len(list((out / "attached").rglob("content.png"))) == 1
    next((out / "attached").rglob("about.json")).write_text("{}", "utf-8")
    assert export("--format", "csv").exit_code == 1, "what lies there under its name is something else"


def test_the_time_of_a_signature_is_read(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    made = archive(tmp_path / "a.wacz", key)
    with zipfile.ZipFile(made) as opened:
        signature = json.loads(opened.read("datapackage-digest.json"))["signedData"]["signature"]
    token = base64.b64encode(Authority.make().response(signature.encode())).decode()
    again = json.loads(zipfile.ZipFile(made).read("datapackage-digest.json"))
    again["signedData"]["timeSignature"] = token
    changed = {"datapackage-digest.json": json.dumps(again).encode()}
    stamped = tmp_path / "b.wacz"
    data = io.BytesIO()
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(data, "w") as new:
        for name in old.namelist():
            new.writestr(name, changed.get(name) or old.read(name))
    stamped.write_bytes(data.getvalue())
    found = wacz.check(stamped)
    assert found.problems == []
    assert found.stamped.startswith(TIME.isoformat()[:19])


def test_a_case_is_packed_with_what_is_attached(case: Path, tmp_path: Path) -> None:
    from nsfwforensics.custody import bag
    from nsfwforensics.custody.describe import CaseCopy

    assert run("attach", case, screenshot(tmp_path), "--source", URL, "--at", AT).exit_code == 0
    order = bag.Order(targets=[], bag=tmp_path / "bag", command="x", case=CaseCopy("her", "1", case, []))
    bag.pack(order)
    assert len(list((tmp_path / "bag" / "data" / "attached").rglob("content.png"))) == 1
    assert verify(tmp_path / "bag").accepted

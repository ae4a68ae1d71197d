"""Replaces the C2PA trust lists shipped with the package by files that you obtained yourself. No network.

    python tools/update_trust_list.py official --date 2026-08-13 --source "C2PA conformance program" \
        --signers C2PA-TRUST-LIST.pem --timestamps C2PA-TSA-TRUST-LIST.pem
    python tools/update_trust_list.py interim --date 2025-08-28 --source "..." \
        --signers anchors.pem --certificates allowed.pem

Certificates only are taken over: comments and names around them are dropped, single signers' certificates become
SHA-256 digests. ``sources.toml`` beside them records date, source, number and SHA-256, which the tests check.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import ssl
import tomllib
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "src" / "nsfwforensics" / "data" / "c2pa"
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def certificates(path: Path) -> list[bytes]:
    """The distinct certificates of a PEM file in DER form, in order.

    Raises:
        SystemExit: There is none, or one of them is no certificate.
    """
    found: dict[bytes, None] = {}
    for block in _BLOCK.findall(path.read_text(encoding="utf-8")):
        try:
            der = ssl.PEM_cert_to_DER_cert(block)
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
        except (ValueError, ssl.SSLError) as error:
            raise SystemExit(f"{path}: certificate {len(found) + 1} cannot be read: {error}") from error
        found[der] = None
    if not found:
        raise SystemExit(f"{path}: no certificates in it.")
    return list(found)


def write_pem(name: str, ders: list[bytes]) -> None:
    """Writes a PEM file of bare certificates."""
    (FOLDER / name).write_text("".join(ssl.DER_cert_to_PEM_cert(der) for der in ders), encoding="ascii")


def write_digests(name: str, ders: list[bytes]) -> None:
    """Writes one base64 SHA-256 digest of a DER certificate per line, as c2pa's ``allowed_list`` takes them."""
    lines = sorted(base64.b64encode(hashlib.sha256(der).digest()).decode() for der in ders)
    (FOLDER / name).write_text("\n".join(lines) + "\n", encoding="ascii")


def record(name: str, count: int, when: date, source: str) -> None:
    """Writes what is known of one list into ``sources.toml``."""
    path = FOLDER / "sources.toml"
    known = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    known[name] = {"date": when, "source": source, "entries": count, "sha256": digest}
    lines = ["# Written by tools/update_trust_list.py"]
    for file, entry in sorted(known.items()):
        text = str(entry["source"]).replace("\\", "\\\\").replace('"', '\\"')
        lines += ["", f'["{file}"]', f"date = {entry['date']}", f'source = "{text}"']
        lines += [f"entries = {entry['entries']}", f'sha256 = "{entry["sha256"]}"']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Runs the tool."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("list", choices=["official", "interim"])
    parser.add_argument("--signers", type=Path, required=True, help="PEM of certificate authorities for signers.")
    parser.add_argument("--timestamps", type=Path, help="PEM of time-stamping authorities (official list).")
    parser.add_argument("--certificates", type=Path, help="PEM of single signers' certificates (interim list).")
    parser.add_argument("--date", type=date.fromisoformat, required=True, help="Date of the list, YYYY-MM-DD.")
    parser.add_argument("--source", required=True, help="Where it came from.")
    given = parser.parse_args(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for part, suffix, write in (
        (given.signers, "signers.pem", write_pem),
        (given.timestamps, "timestamps.pem", write_pem),
        (given.certificates, "certificates.sha256", write_digests),
    ):
        if part is not None:
            ders = certificates(part)
            name = f"{given.list}_{suffix}"
            write(name, ders)
            record(name, len(ders), given.date, given.source)
            print(f"{name}: {len(ders)} entries")


if __name__ == "__main__":
    main()

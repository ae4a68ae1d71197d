"""Content Credentials (C2PA) of one file: read offline, and said in plain words.

Four things that the library's one state mixes are kept apart: bytes changed after signing, a signature that does not
match, a certificate that is expired or on no trust list, and a structure that is not understood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nsfwforensics.analyzers.provenance.c2pa import codes, words
from nsfwforensics.analyzers.provenance.c2pa.claims import claims
from nsfwforensics.analyzers.provenance.c2pa.codes import C2PA_CODES, Claim, Credentials
from nsfwforensics.analyzers.provenance.c2pa.coverage import LeftOut, left_out
from nsfwforensics.analyzers.provenance.c2pa.read import (
    Reading,
    library_version,
    list_dates,
    nested_deeper,
    read_store,
    trust_lists,
)
from nsfwforensics.analyzers.provenance.c2pa.store import Manifest, Trouble, manifests
from nsfwforensics.core.analyzer import Enrolment
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.messages import say
from nsfwforensics.core.quoting import cut
from nsfwforensics.core.types import Support
from nsfwforensics.formats.fields import Metadata
from nsfwforensics.formats.jumbf import fault, find_manifest_store

_DCTERMS = "XMP http://purl.org/dc/terms/"
_PROVENANCE = "{http://purl.org/dc/terms/}provenance"

MAX_STORED, MAX_NESTING = 1_000_000, 100
"""Largest manifest store put into a report: characters of JSON, and levels of nesting."""


def credentials(evidence: Evidence, table: Metadata, trust_anchors: tuple[Path, ...] = ()) -> Credentials:
    """Reads a file's Content Credentials without any network access.

    The library is imported only for a file that holds credentials.

    Args:
        evidence: The file.
        table: Its metadata, for the link to credentials held elsewhere.
        trust_anchors: PEM files of further certificates to trust beside the shipped lists; check them beforehand with
            :func:`enrol_anchors`.

    Returns:
        What to say about them, the weightiest first; nothing where the file holds none and refers to none. Never
        raises for any bytes of the file.

    Raises:
        UsageError: A file of ``trust_anchors`` cannot be used.
    """
    stored = find_manifest_store(evidence.data, evidence.media_type)
    if stored is None or evidence.media_type is None:
        return _absent(table)
    about: dict[str, Any] = {"offset": stored.offset}
    if problem := fault(stored.data):
        return _unread(problem, about)
    about |= {"library": library_version(), "trust_lists": list_dates()}
    reading = read_store(evidence.data, evidence.media_type, trust_anchors)
    if not reading.store:
        return _unread(reading.problem, about)
    found = manifests(reading)
    if not found:
        return _unread("no manifest in it", about)
    missed = None
    if found[0].has(Trouble.PARTLY_COVERED):
        missed = left_out(evidence.data, evidence.media_type, stored, reading)
        found = (_covered(found[0], missed), *found[1:])
    findings = sorted(claims(found, list_dates(), missed), key=lambda claim: -_rank(claim))
    return Credentials(tuple(findings), {"c2pa": {**_summary(found), **about, **_whole(found, reading)}})


def enrol_anchors(paths: tuple[Path, ...]) -> Enrolment:
    """Checks the files of ``--trust-anchors`` before any evidence is opened, and says which they are.

    Raises:
        UsageError: One cannot be read or holds no certificates.
    """
    trust_lists(paths)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    records = tuple(
        {"use": say("trust anchors"), "file": str(path), "sha256": digest}
        for path, digest in zip(paths, digests, strict=True)
    )
    return Enrolment(records=records, digest=" ".join(digests))


def _covered(active: Manifest, missed: LeftOut) -> Manifest:
    """The latest manifest; its content counts as covered only where no part of the picture is known to be left out."""
    if missed.picture is False:
        return active
    failures = tuple(
        replace(status, kind=Trouble.NOT_COVERED) if status.kind is Trouble.PARTLY_COVERED else status
        for status in active.failures
    )
    return replace(active, failures=failures)


def _rank(claim: Claim) -> int:
    return (claim.severity or C2PA_CODES[claim.code].severity).rank


def _absent(table: Metadata) -> Credentials:
    """No credentials inside: perhaps a link to some held elsewhere, or a reference to some that were removed."""
    links = [str(field.value).strip() for field in table.find(_DCTERMS, _PROVENANCE)]
    found = tuple(claim for link in links[:1] for claim in _link(link))
    return Credentials(found, {"c2pa": {"link": cut(links[0], 2000)}} if links else {})


def _link(link: str) -> Iterator[Claim]:
    try:
        parts = urlsplit(link)
        host = parts.hostname or ""
    except ValueError:
        return
    if parts.scheme in ("http", "https") and host:
        yield Claim(
            codes.REMOTE,
            words.held_elsewhere(host),
            Support.INCONCLUSIVE,
            data={"host": cut(host, 253), "link": cut(link, 2000)},
        )
    elif link.startswith("self#jumbf="):
        yield Claim(
            codes.REMOVED,
            words.MISSING,
            Support.INCONCLUSIVE,
            data={"link": cut(link, 2000)},
        )


def _unread(problem: str, about: dict[str, Any]) -> Credentials:
    claim = Claim(
        codes.NOT_UNDERSTOOD,
        words.NO_LONGER_READ if "prerelease" in problem else words.NOT_KNOWN_HERE,
        Support.INCONCLUSIVE,
        data={"reason": cut(problem or "nothing readable in it", 500), "offset": about["offset"]},
    )
    return Credentials((claim,), {"c2pa": {**about, "integrity": "unreadable", "problem": cut(problem, 500)}})


def integrity(manifest: Manifest) -> str:
    """What became of the signed bytes.

    Returns:
        ``broken`` (the signature does not match), ``changed`` (bytes changed after signing), ``partial`` (the signature
        leaves out more than the credentials) or ``intact``.
    """
    if manifest.has(Trouble.SIGNATURE_BROKEN):
        return "broken"
    if manifest.has(Trouble.CONTENT_CHANGED, Trouble.STATEMENT_CHANGED):
        return "changed"
    return "partial" if manifest.has(Trouble.PARTLY_COVERED, Trouble.NOT_COVERED) else "intact"


def _summary(found: tuple[Manifest, ...]) -> dict[str, Any]:
    active = found[0]
    return {
        "integrity": integrity(active),
        "trust": active.trust or "none",
        "signer": active.signer or active.signer_name,
        "issuer": active.issuer,
        "time": active.time,
        "generator": active.generator,
    }


def _whole(found: tuple[Manifest, ...], reading: Reading) -> dict[str, Any]:
    """The manifests and the full store, unless a hostile file made them too large or too deep for a report."""
    if reading.size > MAX_STORED or nested_deeper(reading.store, MAX_NESTING):
        return {
            "manifests": [],
            "store": None,
            "store_left_out": f"{reading.size} characters of JSON, or nested too deep",
        }
    return {"manifests": [asdict(manifest) for manifest in found], "store": reading.store}


__all__ = ["C2PA_CODES", "Claim", "Credentials", "credentials", "enrol_anchors"]

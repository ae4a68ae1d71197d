"""From manifests to sentences: what to say about Content Credentials, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nsfwforensics.analyzers.provenance.c2pa import codes, words
from nsfwforensics.analyzers.provenance.c2pa.ai import (
    CHANGED,
    UNNAMED,
    StatementKind,
    begins_generated,
    edits,
    sound,
    statements,
    watermarks,
)
from nsfwforensics.analyzers.provenance.c2pa.codes import Claim
from nsfwforensics.analyzers.provenance.c2pa.coverage import LeftOut
from nsfwforensics.analyzers.provenance.c2pa.read import OFFICIAL
from nsfwforensics.analyzers.provenance.c2pa.store import Manifest, Status, Trouble
from nsfwforensics.core.messages import say_count
from nsfwforensics.core.types import Severity, Support

MAX_LISTED = 20


def claims(found: tuple[Manifest, ...], dates: Mapping[str, str], missed: LeftOut | None = None) -> Iterator[Claim]:
    """Everything to say about the manifests of one file.

    Args:
        found: The manifests, the active one first; at least one.
        dates: Dates of the trust lists by name.
        missed: What the content hash of the active manifest leaves out, where that is more than the credentials.
    """
    active = found[0]
    yield from _changes(active)
    if missed is not None:
        yield _coverage(active, missed)
    yield from _making(found)
    yield _signed(active, found, dates)
    yield from _certificate(active, dates)
    yield from _earlier(found)
    yield from _structure(found)
    yield from _steps(found)
    yield from _identities(found)
    marks = watermarks(found)
    if marks:
        support = Support.SUPPORTS if sound(active) else Support.INCONCLUSIVE
        yield Claim(
            codes.WATERMARKED,
            words.watermarked([mark for mark in marks if mark != UNNAMED]),
            support,
            data={"watermarks": marks[:MAX_LISTED]},
        )


def _signed(active: Manifest, found: tuple[Manifest, ...], dates: Mapping[str, str]) -> Claim:
    data: dict[str, Any] = {
        "signer": active.signer, "signer_name": active.signer_name, "issuer": active.issuer,
        "trust": active.trust or "none", "time": active.time, "time_stamp_trusted": active.time_trusted,
        "generator": active.generator, "manifests": len(found),
        "training_and_mining": list(active.training[:MAX_LISTED]),
        "authors": list(active.authors[:MAX_LISTED]),
    }  # fmt: skip
    support = Support.SUPPORTS if sound(active) else Support.INCONCLUSIVE
    return Claim(codes.SIGNED, words.signed(active, dates), support, data=data, headline=words.signature(active, dates))


def _changes(active: Manifest) -> Iterator[Claim]:
    content, statement = active.has(Trouble.CONTENT_CHANGED), active.has(Trouble.STATEMENT_CHANGED)
    if content or statement:
        yield Claim(
            codes.BYTES_CHANGED,
            words.changed(active, content=content),
            severity=Severity.HIGH if active.trust else None,
            data={"checks": _listed(active.failures, Trouble.CONTENT_CHANGED, Trouble.STATEMENT_CHANGED)},
        )
    if active.has(Trouble.SIGNATURE_BROKEN):
        yield Claim(
            codes.SIGNATURE_BROKEN,
            words.broken(active),
            data={"checks": _listed(active.failures, Trouble.SIGNATURE_BROKEN)},
        )


def _coverage(active: Manifest, missed: LeftOut) -> Claim:
    data = {"ranges": missed.ranges, "bytes_before": missed.before, "bytes_after": missed.after}
    if missed.picture is False:
        return Claim(codes.PARTLY_COVERED, words.partly_covered(active, missed), data=data)
    return Claim(
        codes.PARTLY_COVERED,
        words.NOT_COVERED if missed.picture else words.COVERAGE_UNKNOWN,
        Support.INCONCLUSIVE,
        Severity.HIGH if missed.picture and active.trust else Severity.MEDIUM,
        data=data,
    )


def _identities(found: tuple[Manifest, ...]) -> Iterator[Claim]:
    given = [(one, each) for one in found if one.role in ("active", "parent") for each in one.identities]
    if not given:
        return
    yield Claim(
        codes.CLAIMED,
        words.claimed(given[0][1], sound=sound(given[0][0])),
        Support.INCONCLUSIVE,
        data={
            "identities": [
                {"method": each.method, "names": list(each.names), "issuer": each.issuer, "bound": each.bound,
                 "signer": one.signer, "role": one.role}
                for one, each in given[:MAX_LISTED]
            ]
        },
    )  # fmt: skip


def _certificate(active: Manifest, dates: Mapping[str, str]) -> Iterator[Claim]:
    given = {status.code for status in active.failures if status.kind is Trouble.CERTIFICATE}
    if active.trust and not given:
        return
    reasons: list[str] = []
    severity = None
    if any("revoked" in code for code in given):
        reasons.append(words.REVOKED)
        severity = Severity.MEDIUM
    expired = bool(given & {"signingCredential.expired", "claimSignature.outsideValidity"})
    if expired:
        reasons.append(words.EXPIRED)
    if "signingCredential.invalid" in given:
        reasons.append(words.IRREGULAR)
    if not active.trust and not expired:  # an expired certificate is not looked up
        reasons.append(words.on_no_list(dates[OFFICIAL]))
    if not reasons:
        return
    yield Claim(
        codes.NOT_TRUSTED,
        words.certificate(active, reasons),
        Support.INCONCLUSIVE,
        severity,
        data={"checks": sorted(given), "issuer": active.issuer, "valid_until": active.valid_until},
    )


def _making(found: tuple[Manifest, ...]) -> Iterator[Claim]:
    active, stated = found[0], statements(found)
    for kind, code in (
        (StatementKind.GENERATIVE_EDIT, codes.GENERATIVE_EDIT),
        (StatementKind.GENERATED, codes.GENERATED),
        (StatementKind.CAPTURED, codes.CAPTURED),
    ):
        given = [each for each in stated if each.kind is kind]
        if kind is StatementKind.CAPTURED:  # a photo placed in a picture does not make it a photo
            given = [each for each in given if each.manifest.role in ("active", "parent")]
        if not given:
            continue
        best = max(given, key=lambda each: (each.named, sound(each.manifest), bool(each.manifest.trust)))
        firm = best.named and sound(active) and sound(best.manifest)
        if kind is StatementKind.CAPTURED:  # self-made credentials of a camera are the easiest forgery of all
            firm = firm and bool(best.manifest.trust)
        again = kind is StatementKind.GENERATIVE_EDIT and begins_generated(found)
        yield Claim(
            code,
            words.making(best, again=again),
            Support.SUPPORTS if firm else Support.INCONCLUSIVE,
            Severity.MEDIUM if again else None,
            data={
                "statements": [
                    {"signer": each.manifest.signer, "trust": each.manifest.trust or "none", "role": each.manifest.role,
                     "basis": each.basis, "software": each.agent, "label": each.manifest.label}
                    for each in given[:MAX_LISTED]
                ]
            },
        )  # fmt: skip


def _earlier(found: tuple[Manifest, ...]) -> Iterator[Claim]:
    """Earlier steps whose own signature does not hold, now or when they were taken in."""
    bad: list[dict[str, Any]] = []
    for manifest in found:
        if manifest is not found[0]:
            bad += [
                _record(manifest.signer, manifest.title, each) for each in manifest.failures if each.kind in CHANGED
            ]
        for ingredient in manifest.ingredients:
            bad += [_record("", ingredient.title, each) for each in ingredient.recorded if each.kind in CHANGED]
    if bad:
        yield Claim(
            codes.EARLIER_STEP,
            words.earlier(bad[0]["title"]),
            data={"checks": bad[:MAX_LISTED]},
        )


def _record(signer: str, title: str, status: Status) -> dict[str, Any]:
    return {"signer": signer, "title": title, "check": status.code, "explanation": status.words}


def _structure(found: tuple[Manifest, ...]) -> Iterator[Claim]:
    given = [text for manifest in found for text in _listed(manifest.failures, Trouble.STRUCTURE)]
    if given:
        yield Claim(
            codes.NOT_UNDERSTOOD,
            say_count(
                "Some of the Content Credentials do not follow the rules or could not be understood ({count} check).",
                "Some of the Content Credentials do not follow the rules or could not be understood ({count} checks).",
                len(given),
            ),
            Support.INCONCLUSIVE,
            data={"checks": given[:MAX_LISTED]},
        )


def _steps(found: tuple[Manifest, ...]) -> Iterator[Claim]:
    given = [(each, name) for each in found if each.role in ("active", "parent") for name in edits(each)]
    if given:
        support = Support.SUPPORTS if sound(found[0]) else Support.INCONCLUSIVE
        said = words.steps(given[0][0], [name for _, name in given])
        yield Claim(
            codes.EDITED,
            said,
            support,
            headline=said,
            data={"steps": [{"signer": each.signer, "action": name} for each, name in given[:MAX_LISTED]]},
        )


def _listed(failures: tuple[Status, ...], *kinds: Trouble) -> list[str]:
    return [f"{status.code}: {status.words}" for status in failures if status.kind in kinds][:MAX_LISTED]


__all__ = ["claims"]

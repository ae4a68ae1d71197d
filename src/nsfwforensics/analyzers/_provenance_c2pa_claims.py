"""From manifests to sentences: what to say about Content Credentials, and how sure it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nsfwforensics.analyzers import _provenance_c2pa_codes as codes
from nsfwforensics.analyzers._metadata_codes import quote
from nsfwforensics.analyzers._provenance_c2pa_ai import (
    CHANGED,
    UNNAMED,
    Kind,
    Statement,
    begins_generated,
    edits,
    sound,
    statements,
    watermarks,
)
from nsfwforensics.analyzers._provenance_c2pa_codes import Claim
from nsfwforensics.analyzers._provenance_c2pa_read import INTERIM, OFFICIAL, SUPPLIED
from nsfwforensics.analyzers._provenance_c2pa_store import Manifest, Status, Trouble
from nsfwforensics.core.types import Severity, Support

MAX_LISTED = 20
_STEPS = {
    "c2pa.color_adjustments": "colour adjustments",
    "c2pa.adjustedColor": "colour adjustments",
    "c2pa.cropped": "cropping",
    "c2pa.drawing": "drawing",
    "c2pa.edited": "edits of an unnamed kind",
    "c2pa.enhanced": "enhancement",
    "c2pa.filtered": "filters",
    "c2pa.orientation": "rotation",
    "c2pa.resized": "resizing",
    "c2pa.resized.proportional": "resizing",
    "c2pa.deleted": "removal of content",
    "c2pa.removed": "removal of content",
    "c2pa.addedText": "added text",
    "c2pa.translated": "translation",
    "c2pa.styled": "styling",
    "c2pa.remixed": "remixing",
}
_LISTS = {
    OFFICIAL: "on the C2PA trust list",
    SUPPLIED: "trusted through the certificates you supplied",
    INTERIM: "on the interim trust list that came before the official one",
}
_WHEN = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)")


def claims(found: tuple[Manifest, ...], dates: Mapping[str, str]) -> Iterator[Claim]:
    """Everything to say about the manifests of one file.

    Args:
        found: The manifests, the active one first; at least one.
        dates: Dates of the trust lists by name.
    """
    active = found[0]
    yield from _changes(active)
    yield from _making(found)
    yield _signed(active, found, dates)
    yield from _certificate(active, dates)
    yield from _earlier(found)
    yield from _structure(found)
    yield from _steps(found)
    marks = watermarks(found)
    if marks:
        named = [mark for mark in marks if mark != UNNAMED]
        kind = f" ({', '.join(quote(mark, 40) for mark in named[:4])})" if named else ""
        support = Support.SUPPORTS if sound(active) else Support.INCONCLUSIVE
        yield Claim(
            codes.WATERMARKED,
            f"The credentials say that an invisible watermark{kind} was put into the picture.",
            support,
            data={"watermarks": marks[:MAX_LISTED]},
        )


def who(manifest: Manifest) -> str:
    """The signer, with how far that name can be relied on."""
    name = quote(manifest.signer or manifest.signer_name or "unnamed")
    if not sound(manifest):
        return f"{name} (a statement that no longer fits its signature)"
    return f"{name} ({'signer ' + _LISTS[manifest.trust] if manifest.trust else 'signer not confirmed'})"


def when(text: str) -> str:
    """A time of the credentials in words, or nothing."""
    match = _WHEN.match(text)
    return f"{match[1]} {match[2]} UTC" if match and text.endswith(("Z", "+00:00")) else ""


def _signed(active: Manifest, found: tuple[Manifest, ...], dates: Mapping[str, str]) -> Claim:
    name = quote(active.signer or active.signer_name or "unnamed")
    made = f", made with {quote(active.generator)}" if active.generator else ""
    stamp = when(active.time)
    doubt = "" if active.time_trusted else " (by an authority on no trust list)"
    stamped = f"; time stamp {stamp}{doubt}" if stamp and sound(active) else ""
    if not sound(active):
        text = f"The file carries Content Credentials in the name of {name}{made}, but they do not check out."
    elif active.trust:
        listed = _LISTS[active.trust] + (f" (as of {dates[active.trust]})" if active.trust in dates else "")
        text = f"The file carries Content Credentials with an intact signature of {name}, {listed}{made}{stamped}."
    else:
        text = (
            f"The file carries Content Credentials with an intact signature in the name of {name}, whose identity "
            f"could not be confirmed{made}{stamped}."
        )
    data: dict[str, Any] = {
        "signer": active.signer, "signer_name": active.signer_name, "issuer": active.issuer,
        "trust": active.trust or "none", "time": active.time, "time_stamp_trusted": active.time_trusted,
        "generator": active.generator, "manifests": len(found),
        "training_and_mining": list(active.training[:MAX_LISTED]),
        "authors": list(active.authors[:MAX_LISTED]),
    }  # fmt: skip
    return Claim(codes.SIGNED, text, Support.SUPPORTS if sound(active) else Support.INCONCLUSIVE, data=data)


def _changes(active: Manifest) -> Iterator[Claim]:
    name = quote(active.signer or active.signer_name or "unnamed")
    content, statement = active.has(Trouble.CONTENT_CHANGED), active.has(Trouble.STATEMENT_CHANGED)
    if content or statement:
        what = "the file was changed" if content else "the credentials themselves were changed"
        yield Claim(
            codes.BYTES_CHANGED,
            f"After {name} signed it, {what}: what the credentials say is about an earlier state.",
            severity=Severity.HIGH if active.trust else None,
            data={"checks": _listed(active.failures, Trouble.CONTENT_CHANGED, Trouble.STATEMENT_CHANGED)},
        )
    if active.has(Trouble.SIGNATURE_BROKEN):
        yield Claim(
            codes.SIGNATURE_BROKEN,
            f"The signature in the name of {name} does not match the credentials: they were altered or not made by it.",
            data={"checks": _listed(active.failures, Trouble.SIGNATURE_BROKEN)},
        )


def _certificate(active: Manifest, dates: Mapping[str, str]) -> Iterator[Claim]:
    given = {status.code for status in active.failures if status.kind is Trouble.CERTIFICATE}
    if active.trust and not given:
        return
    reasons, severity = [], None
    if any("revoked" in code for code in given):
        reasons.append("was revoked by its issuer")
        severity = Severity.MEDIUM
    expired = bool(given & {"signingCredential.expired", "claimSignature.outsideValidity"})
    if expired:
        reasons.append("has expired, and no confirmed time stamp shows that the signature was made before")
    if "signingCredential.invalid" in given:
        reasons.append("does not follow the rules for such certificates")
    if not active.trust and not expired:  # an expired certificate is not looked up
        reasons.append(f"is neither on the C2PA trust list (as of {dates[OFFICIAL]}) nor on the earlier interim list")
    if not reasons:
        return
    yield Claim(
        codes.NOT_TRUSTED,
        f"The certificate in the name of {quote(active.signer or active.signer_name or 'unnamed')} "
        f"{'; it '.join(reasons)}. That alone is no sign that anything was changed.",
        Support.INCONCLUSIVE,
        severity,
        data={"checks": sorted(given), "issuer": active.issuer, "valid_until": active.valid_until},
    )


def _making(found: tuple[Manifest, ...]) -> Iterator[Claim]:
    active, stated = found[0], statements(found)
    for kind, code in (
        (Kind.GENERATIVE_EDIT, codes.GENERATIVE_EDIT),
        (Kind.GENERATED, codes.GENERATED),
        (Kind.CAPTURED, codes.CAPTURED),
    ):
        given = [each for each in stated if each.kind is kind]
        if kind is Kind.CAPTURED:  # a photo placed in a picture does not make it a photo
            given = [each for each in given if each.manifest.role in ("active", "parent")]
        if not given:
            continue
        best = max(given, key=lambda each: (each.named, sound(each.manifest), bool(each.manifest.trust)))
        firm = best.named and sound(active) and sound(best.manifest)
        if kind is Kind.CAPTURED:  # self-made credentials of a camera are the easiest forgery of all
            firm = firm and bool(best.manifest.trust)
        again = kind is Kind.GENERATIVE_EDIT and begins_generated(found)
        yield Claim(
            code,
            _sentence(best, again),
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


def _sentence(best: Statement, again: bool) -> str:
    says = f"According to {who(best.manifest)}, "
    agent = f" with {quote(best.agent, 60)}" if best.agent else ""
    part = best.manifest.role not in ("active", "parent")
    if best.kind is Kind.CAPTURED:
        return f"{says}the picture was taken with a camera or phone{agent}."
    if best.kind is Kind.GENERATED and not best.named:
        return f"{says}the picture was created by {quote(best.basis, 60)}, which is known as an AI image generator."
    if best.kind is Kind.GENERATED:
        return f"{says}{'a picture used in this one' if part else 'the picture'} was made by AI{agent}."
    tail = "; the picture it began with was itself made by AI" if again else ""
    thing = "a picture used in this one" if part else "an existing picture"
    return f"{says}{thing} was changed, or a new one made from it, by generative AI{agent}{tail}."


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
        title = f" {quote(bad[0]['title'], 60)}" if bad[0]["title"] else ""
        yield Claim(
            codes.EARLIER_STEP,
            f"An earlier version, or a picture used as material{title}, had been changed after it was signed.",
            data={"checks": bad[:MAX_LISTED]},
        )


def _record(signer: str, title: str, status: Status) -> dict[str, Any]:
    return {"signer": signer, "title": title, "check": status.code, "explanation": status.words}


def _structure(found: tuple[Manifest, ...]) -> Iterator[Claim]:
    given = [text for manifest in found for text in _listed(manifest.failures, Trouble.STRUCTURE)]
    if given:
        yield Claim(
            codes.NOT_UNDERSTOOD,
            f"Some of the Content Credentials do not follow the rules or could not be understood ({len(given)} "
            f"check{'s' * (len(given) > 1)}).",
            Support.INCONCLUSIVE,
            data={"checks": given[:MAX_LISTED]},
        )


def _steps(found: tuple[Manifest, ...]) -> Iterator[Claim]:
    given = [(each, name) for each in found if each.role in ("active", "parent") for name in edits(each)]
    if given:
        words = list(dict.fromkeys(_STEPS.get(name, quote(name, 40)) for _, name in given))
        more = f" and {len(words) - 6} more" if len(words) > 6 else ""
        support = Support.SUPPORTS if sound(found[0]) else Support.INCONCLUSIVE
        yield Claim(
            codes.EDITED,
            f"According to {who(given[0][0])}, these steps were done: {', '.join(words[:6])}{more}.",
            support,
            data={"steps": [{"signer": each.signer, "action": name} for each, name in given[:MAX_LISTED]]},
        )


def _listed(failures: tuple[Status, ...], *kinds: Trouble) -> list[str]:
    return [f"{status.code}: {status.words}" for status in failures if status.kind in kinds][:MAX_LISTED]


__all__ = ["claims", "when", "who"]

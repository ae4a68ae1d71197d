"""Sentences about Content Credentials, each a message that can be said in another language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nsfwforensics.analyzers.provenance.c2pa.ai import MakingStatement, StatementKind, sound
from nsfwforensics.analyzers.provenance.c2pa.coverage import LeftOut
from nsfwforensics.analyzers.provenance.c2pa.read import INTERIM, OFFICIAL, SUPPLIED
from nsfwforensics.analyzers.provenance.c2pa.store import Identity, Manifest
from nsfwforensics.core.messages import Message, as_utc, say, sentences
from nsfwforensics.core.quoting import quote

MAX_STEPS, MAX_MARKS = 6, 4
"""Most editing steps and most watermarks that a sentence names."""

NO_LONGER_READ = say(
    "The file holds Content Credentials that could not be read: they were made before the standard was published, in a "
    "form that is no longer read."
)
NOT_KNOWN_HERE = say(
    "The file holds Content Credentials that could not be read: they are damaged, or of a kind that is not known here."
)
MISSING = say("The file refers to Content Credentials inside it, but they are no longer there.")

NOT_COVERED = say(
    "The signature leaves out parts of the picture itself: anyone can have exchanged what is seen, and the credentials "
    "would still fit."
)
COVERAGE_UNKNOWN = say(
    "The signed part of the file is as it was signed, but the signature leaves out more than the credentials, and "
    "whether parts of the picture are among it could not be told."
)

REVOKED = say("it was revoked by its issuer")
EXPIRED = say("it has expired, and no confirmed time stamp shows that the signature was made before")
IRREGULAR = say("it does not follow the rules for such certificates")

_STEPS: Mapping[str, str] = {
    "c2pa.color_adjustments": say("colour adjustments"),
    "c2pa.adjustedColor": say("colour adjustments"),
    "c2pa.cropped": say("cropping"),
    "c2pa.drawing": say("drawing"),
    "c2pa.edited": say("edits of an unnamed kind"),
    "c2pa.enhanced": say("enhancement"),
    "c2pa.filtered": say("filters"),
    "c2pa.orientation": say("rotation"),
    "c2pa.resized": say("resizing"),
    "c2pa.resized.proportional": say("resizing"),
    "c2pa.deleted": say("removal of content"),
    "c2pa.removed": say("removal of content"),
    "c2pa.addedText": say("added text"),
    "c2pa.translated": say("translation"),
    "c2pa.styled": say("styling"),
    "c2pa.remixed": say("remixing"),
}
_WHEN = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)")


def held_elsewhere(host: str) -> Message:
    """That the file links to credentials on a server."""
    return say(
        "The file says that its Content Credentials are held at {host}; they were not fetched, because nothing leaves "
        "this computer.",
        host=quote(host),
    )


def signer(manifest: Manifest) -> Message:
    """The name in the signature, quoted."""
    name = manifest.signer or manifest.signer_name
    return quote(name) if name else say("an unnamed signer")


def who(manifest: Manifest) -> Message:
    """The signer, with how far that name can be relied on."""
    name = signer(manifest)
    if not sound(manifest):
        return say("{name} (a statement that no longer fits its signature)", name=name)
    if manifest.trust == OFFICIAL:
        return say("{name} (signer on the C2PA trust list)", name=name)
    if manifest.trust == SUPPLIED:
        return say("{name} (signer trusted through the certificates you supplied)", name=name)
    if manifest.trust == INTERIM:
        return say("{name} (signer on the interim trust list that came before the official one)", name=name)
    return say("{name} (signer not confirmed)", name=name)


def when(text: str) -> str | None:
    """A time of the credentials as ISO 8601 in UTC, or None."""
    match = _WHEN.match(text)
    moment = f"{match[1]}T{match[2]}+00:00" if match and text.endswith(("Z", "+00:00")) else None
    return moment if as_utc(moment) else None


def signed(active: Manifest, dates: Mapping[str, str]) -> str:
    """Who signed, with what software and when.

    Args:
        active: The latest manifest.
        dates: Dates of the trust lists by name.
    """
    stamp = when(active.time) if sound(active) else None
    made = say("They were made with {software}.", software=quote(active.generator)) if active.generator else ""
    stamped = ""
    if stamp and active.time_trusted:
        stamped = say("Their time stamp is {time:moment}.", time=stamp)
    elif stamp:
        stamped = say("Their time stamp, by an authority on no trust list, is {time:moment}.", time=stamp)
    return sentences(signature(active, dates), made, stamped)


def signature(active: Manifest, dates: Mapping[str, str]) -> Message:
    """Who signed, and how far that name can be relied on.

    Args:
        active: The latest manifest.
        dates: Dates of the trust lists by name.
    """
    name = signer(active)
    if not sound(active):
        return say(
            "The file carries Content Credentials in the name of {name}, but they do not check out.",
            name=name,
        )
    if active.trust == OFFICIAL:
        return say(
            "The file carries Content Credentials with an intact signature of {name}, on the C2PA trust list (as of "
            "{date}).",
            name=name,
            date=dates[OFFICIAL],
        )
    if active.trust == SUPPLIED:
        return say(
            "The file carries Content Credentials with an intact signature of {name}, trusted through the certificates "
            "you supplied.",
            name=name,
        )
    if active.trust == INTERIM:
        return say(
            "The file carries Content Credentials with an intact signature of {name}, on the interim trust list that "
            "came before the official one (as of {date}).",
            name=name,
            date=dates[INTERIM],
        )
    return say(
        "The file carries Content Credentials with an intact signature in the name of {name}, whose identity could not "
        "be confirmed.",
        name=name,
    )


def changed(active: Manifest, *, content: bool) -> Message:
    """That the file (``content``) or else only the credentials were changed after signing."""
    if content:
        return say(
            "After {name} signed it, the file was changed: what the credentials say is about an earlier state.",
            name=signer(active),
        )
    return say(
        "After {name} signed it, the credentials themselves were changed: what the credentials say is about an earlier "
        "state.",
        name=signer(active),
    )


def partly_covered(active: Manifest, missed: LeftOut) -> Message:
    """That the picture is as it was signed, though the signature leaves out data beside it."""
    if missed.before and missed.after:
        return say(
            "The picture is as it was when {name} signed it. {before} bytes before the credentials, where camera data "
            "stand, and {after} bytes behind them are not covered by the signature.",
            name=signer(active), before=missed.before, after=missed.after,
        )  # fmt: skip
    if missed.before:
        return say(
            "The picture is as it was when {name} signed it. {before} bytes before the credentials, where camera data "
            "stand, are not covered by the signature.",
            name=signer(active), before=missed.before,
        )  # fmt: skip
    return say(
        "The picture is as it was when {name} signed it. {after} bytes behind the credentials are not covered by the "
        "signature.",
        name=signer(active), after=missed.after,
    )  # fmt: skip


def claimed(identity: Identity, *, sound: bool) -> Message:
    """Who claims the picture by an identity assertion; ``sound`` if nothing that the credentials cover was changed."""
    if not sound or not identity.bound:
        return say("The credentials hold a statement of who made the picture, but it does not fit this picture.")
    if not identity.names:
        return say("The credentials hold a statement of who made the picture; the name in it could not be read.")
    names = [quote(name, 60) for name in identity.names[:MAX_MARKS]]
    if identity.method == "cawg.identity_claims_aggregation":
        return say(
            "The picture is claimed by {names:comma}, according to {service}; whether that is so was not checked.",
            names=names, service=quote(identity.issuer, 80),
        )  # fmt: skip
    return say(
        "The picture is claimed, by a signature, by {names:comma}; whether that is so was not checked.", names=names
    )


def broken(active: Manifest) -> Message:
    """That the signature does not match."""
    return say(
        "The signature in the name of {name} does not match the credentials: they were altered or not made by it.",
        name=signer(active),
    )


def on_no_list(date: str) -> Message:
    """That a certificate is on no list; ``date`` is that of the C2PA trust list."""
    return say("it is neither on the C2PA trust list (as of {date}) nor on the earlier interim list", date=date)


def certificate(active: Manifest, reasons: Sequence[str]) -> Message:
    """Why a certificate does not confirm the signer."""
    return say(
        "The certificate in the name of {name} does not confirm the signer: {reasons:semicolon}. That alone is no sign "
        "that anything was changed.",
        name=signer(active),
        reasons=list(reasons),
    )


def making(best: MakingStatement, *, again: bool) -> str:
    """How the picture was made, as the credentials have it; ``again`` if what was edited was itself made by AI."""
    values: dict[str, str] = {"who": who(best.manifest)}
    if best.agent:
        values["software"] = quote(best.agent, 60)
    if best.kind is StatementKind.GENERATIVE_EDIT:
        edit = _edited(values, part=_part(best))
        return sentences(edit, say("The picture it began with was itself made by AI.")) if again else edit
    if best.kind is StatementKind.GENERATED and not best.named:
        return say(
            "According to {who}, the picture was created by {software}, which is known as an AI image generator.",
            who=values["who"],
            software=quote(best.basis, 60),
        )
    if best.kind is StatementKind.GENERATED:
        return _generated(values, part=_part(best))
    if best.agent:
        return say("According to {who}, the picture was taken with a camera or phone with {software}.", **values)
    return say("According to {who}, the picture was taken with a camera or phone.", **values)


def _part(best: MakingStatement) -> bool:
    return best.manifest.role not in ("active", "parent")


def _generated(values: Mapping[str, str], *, part: bool) -> Message:
    if part and "software" in values:
        return say("According to {who}, a picture used in this one was made by AI with {software}.", **values)
    if part:
        return say("According to {who}, a picture used in this one was made by AI.", **values)
    if "software" in values:
        return say("According to {who}, the picture was made by AI with {software}.", **values)
    return say("According to {who}, the picture was made by AI.", **values)


def _edited(values: Mapping[str, str], *, part: bool) -> Message:
    if part and "software" in values:
        return say(
            "According to {who}, a picture used in this one was changed, or a new one made from it, by generative AI "
            "with {software}.",
            **values,
        )
    if part:
        return say(
            "According to {who}, a picture used in this one was changed, or a new one made from it, by generative AI.",
            **values,
        )
    if "software" in values:
        return say(
            "According to {who}, an existing picture was changed, or a new one made from it, by generative AI with "
            "{software}.",
            **values,
        )
    return say(
        "According to {who}, an existing picture was changed, or a new one made from it, by generative AI.", **values
    )


def earlier(title: str) -> Message:
    """That an earlier step was changed after signing; ``title`` is what the credentials call it, or empty."""
    if title:
        return say(
            "An earlier version, or a picture used as material, {title}, had been changed after it was signed.",
            title=quote(title, 60),
        )
    return say("An earlier version, or a picture used as material, had been changed after it was signed.")


def steps(manifest: Manifest, names: Sequence[str]) -> Message:
    """The editing steps that the credentials list."""
    words = list(dict.fromkeys(_STEPS.get(name) or quote(name, 40) for name in names))
    if len(words) > MAX_STEPS:
        return say(
            "According to {who}, these steps were done: {steps:comma} and {count} more.",
            who=who(manifest),
            steps=words[:MAX_STEPS],
            count=len(words) - MAX_STEPS,
        )
    return say("According to {who}, these steps were done: {steps:comma}.", who=who(manifest), steps=words)


def watermarked(names: Sequence[str]) -> Message:
    """That an invisible watermark was put in; its names, if it is named."""
    if names:
        return say(
            "The credentials say that an invisible watermark ({names:comma}) was put into the picture.",
            names=[quote(name, 40) for name in names[:MAX_MARKS]],
        )
    return say("The credentials say that an invisible watermark was put into the picture.")

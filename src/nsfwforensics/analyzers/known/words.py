"""What the known analyzer can say, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.error_rates import counted, error_rate
from nsfwforensics.core.messages import say, sentences
from nsfwforensics.core.types import Severity, Support

_LOOKS, _PARTS = counted("looks_of_other_scenes"), counted("parts_of_other_scenes")

CODES: Mapping[str, Code] = {
    "KNOWN-001": Code(
        say("The same file is on a list of known images"),
        Severity.HIGH,
        say(
            "A digest says that the bytes are the same, and nothing about what they show. Whether the entry belongs on "
            "the list is for whoever keeps it; lists hold mistakes. MD5 and SHA-1 can be forged, SHA-256 cannot."
        ),
        headline=say("The very same file is on a list of known images."),
    ),
    "KNOWN-002": Code(
        say("A picture that looks the same is on a list of known images"),
        Severity.HIGH,
        say(
            "A perceptual hash compares the coarse look of whole pictures. Others with the same layout (a template, a "
            "page, a frame of the same scene) can come as near. Measured: of {trials:,} pairs of photographs of "
            "different scenes {errors} did. A person must compare the two before anything follows.",
            **_LOOKS._asdict(),
        ),
        headline=say("It looks like a picture on a list of known images."),
        rates=(error_rate(say("pairs of photographs of different scenes that matched by their looks"), *_LOOKS),),
    ),
    "KNOWN-003": Code(
        say("The picture shows a known picture, or a part of one"),
        Severity.HIGH,
        say(
            "Local features and how they lie are compared, not what a picture means. Measured: of {trials:,} pairs of "
            "photographs of different scenes {errors} matched, but other shots of one scene did, and pictures that "
            "share a flat thing (a poster, a logo, a printed page) can. A person must compare the two before anything "
            "follows.",
            **_PARTS._asdict(),
        ),
        headline=say("It shows a picture that is on a list of known images, or a part of one."),
        rates=(error_rate(say("pairs of photographs of different scenes that matched by parts"), *_PARTS),),
    ),
    "KNOWN-004": Code(
        say("The picture could not be compared by its looks"),
        Severity.INFO,
        say("That nothing matched says nothing here: re-saved copies are only found by comparing looks."),
        headline=say("Its looks could not be compared with the lists of known images."),
    ),
}

TURNS: Mapping[str, str] = {
    "rotate90": say("turned by 90° counter-clockwise"),
    "rotate180": say("turned by 180°"),
    "rotate270": say("turned by 90° clockwise"),
    "mirror": say("mirrored left to right"),
    "mirror_rotate90": say("mirrored and turned by 90° counter-clockwise"),
    "flip": say("mirrored top to bottom"),
    "mirror_rotate270": say("mirrored and turned by 90° clockwise"),
}
"""What was done to the examined picture, by the names of :data:`nsfwforensics.hashing.picture.pdq.DIHEDRAL_NAMES`,
but for ``original``."""

_OPINIONS: Mapping[str | None, str] = {
    None: say("The list says nothing more about the entry."),
    "POSITIVE": say("The list marks the entry POSITIVE: whoever keeps it confirmed that it belongs there."),
    "INVESTIGATION_SEED": say(
        "The list marks the entry INVESTIGATION_SEED: it was reported and has not been confirmed."
    ),
    "NEGATIVE": say(
        "But the list marks the entry NEGATIVE: whoever keeps it found that it does not belong there. "
        "This is no sign of anything unlawful or intimate."
    ),
    "DISPUTED": say(
        "But the list marks the entry DISPUTED: opinions differ on whether it belongs there, so nothing "
        "follows from the match alone."
    ),
}

_WEIGHT: Mapping[str | None, tuple[Support, Severity]] = {
    None: (Support.SUPPORTS, Severity.HIGH),
    "POSITIVE": (Support.SUPPORTS, Severity.HIGH),
    "INVESTIGATION_SEED": (Support.SUPPORTS, Severity.MEDIUM),
    "DISPUTED": (Support.INCONCLUSIVE, Severity.MEDIUM),
    "NEGATIVE": (Support.NO_INDICATION, Severity.INFO),
}


def weight(opinion: str | None) -> tuple[Support, Severity]:
    """What a match with an entry of this opinion says, and how much it matters."""
    return _WEIGHT[opinion]


def file_words(kinds: Sequence[str], opinion: str | None, places: str) -> str:
    """The sentence about a file whose digests are on a list."""
    match = say(
        "This very file is on a list of known images ({kinds:comma} equal; {places}).", kinds=kinds, places=places
    )
    return sentences(match, _OPINIONS[opinion])


def looks_words(distance: int, turn: str, opinion: str | None, total: int, places: str) -> str:
    """The sentence about a picture that looks like one on a list (PDQ)."""
    values: dict[str, Any] = {"distance": distance, "places": places}
    if turn == "original":
        match = say(
            "The picture is consistent with being a copy of one on a list of known images: its PDQ hash differs in "
            "{distance} of 256 bits ({places}).",
            **values,
        )
    else:
        match = say(
            "The picture is consistent with being a copy of one on a list of known images: its PDQ hash differs in "
            "{distance} of 256 bits, compared {turned} ({places}).",
            turned=TURNS[turn],
            **values,
        )
    others = say("In all {total} known hashes are as near.", total=total) if total > 1 else ""
    return sentences(match, others, _OPINIONS[opinion])


def part_words(points: int, aligned: tuple[float, float, bool, float], opinion: str | None, places: str) -> str:
    """A match by local features.

    Args:
        points: How many of them agree.
        aligned: Share of the known picture that is shown and share of the examined one that it fills, 0–1; whether it
            is mirrored; by how many degrees it is turned clockwise.
        opinion: Of the list.
        places: Where the entry stands.
    """
    shown, filled, mirrored, degrees = aligned
    how = [say("mirrored")] if mirrored else []
    how += [say("turned by {degrees:.0f}°", degrees=abs(degrees))] if abs(degrees) >= _TURNED else []
    values: dict[str, Any] = {"shown": _up_to(shown), "filled": _about(filled), "places": places}
    return sentences(
        say(
            "The picture is consistent with showing a picture on a list of known images, or a part of it: {points} "
            "local features lie in it as in that one.",
            points=points,
        ),
        say("It shows {shown}, on {filled}, {how:and} ({places}).", how=how, **values)
        if how
        else say("It shows {shown}, on {filled} ({places}).", **values),
        _OPINIONS[opinion],
    )


def place_words(places: Sequence[str], cases: Sequence[str]) -> str:
    """Where entries stand, in a few words.

    Args:
        places: Names of lists, indexes and cases that the user gave.
        cases: Case numbers on the lists.
    """
    named = say("{places:comma}", places=places[:_NAMED])
    if len(places) > _NAMED:
        named = say("{places:comma} and {more} more", places=places[:_NAMED], more=len(places) - _NAMED)
    if not cases:
        return named
    if len(cases) > _NAMED:
        return say("{places}; case {cases:comma} and others", places=named, cases=cases[:_NAMED])
    return say("{places}; case {cases:comma}", places=named, cases=cases)


_NAMED = 3  # so many are named, others are counted

_TURNED = 0.75  # degrees


def _up_to(share: float) -> str:
    if share >= _ALL:
        return say("all of the known picture")
    return say("up to {share:.0%} of the known picture", share=share)


def _about(share: float) -> str:
    return say("all of its own area") if share >= _ALL else say("about {share:.0%} of its own area", share=share)


_ALL = 0.985

"""What the known analyzer can say, in words."""

from __future__ import annotations

from collections.abc import Mapping

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.types import Severity, Support

CODES: Mapping[str, Code] = {
    "KNOWN-001": Code(
        "The same file is on a list of known images",
        Severity.HIGH,
        "A digest says that the bytes are the same, and nothing about what they show. Whether the entry belongs on "
        "the list is for whoever keeps it; lists hold mistakes. MD5 and SHA-1 can be forged, SHA-256 cannot.",
    ),
    "KNOWN-002": Code(
        "A picture that looks the same is on a list of known images",
        Severity.HIGH,
        "A perceptual hash compares the coarse look of whole pictures. Others with the same layout (a template, a "
        "page, a frame of the same scene) can come as near. A person must compare the two before anything follows.",
    ),
    "KNOWN-003": Code(
        "The picture shows a known picture, or a part of one",
        Severity.HIGH,
        "Local features and how they lie are compared, not what a picture means. Measured: of 297,387 pairs of "
        "photographs of different scenes none matched, but other shots of one scene did, and pictures that share a "
        "flat thing (a poster, a logo, a printed page) can. A person must compare the two before anything follows.",
    ),
    "KNOWN-004": Code(
        "The picture could not be compared by its looks",
        Severity.INFO,
        "That nothing matched says nothing here: re-saved copies are only found by comparing looks.",
    ),
}

TURNS: Mapping[str, str] = {
    "original": "as it is",
    "rotate90": "turned by 90° counter-clockwise",
    "rotate180": "turned by 180°",
    "rotate270": "turned by 90° clockwise",
    "mirror": "mirrored left to right",
    "mirror_rotate90": "mirrored and turned by 90° counter-clockwise",
    "flip": "mirrored top to bottom",
    "mirror_rotate270": "mirrored and turned by 90° clockwise",
}
"""What was done to the examined picture, by the names of :data:`nsfwforensics.hashing.pdq.DIHEDRAL_NAMES`."""

_OPINIONS: Mapping[str | None, str] = {
    None: "The list says nothing more about the entry.",
    "POSITIVE": "The list marks the entry POSITIVE: whoever keeps it confirmed that it belongs there.",
    "INVESTIGATION_SEED": "The list marks the entry INVESTIGATION_SEED: it was reported and has not been confirmed.",
    "NEGATIVE": "But the list marks the entry NEGATIVE: whoever keeps it found that it does not belong there. "
    "This is no sign of anything unlawful or intimate.",
    "DISPUTED": "But the list marks the entry DISPUTED: opinions differ on whether it belongs there, so nothing "
    "follows from the match alone.",
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


def file_words(kinds: str, opinion: str | None, places: str) -> str:
    """A match by digest."""
    return f"This very file is on a list of known images ({kinds} equal; {places}). {_OPINIONS[opinion]}"


def looks_words(distance: int, turn: str, opinion: str | None, total: int, places: str) -> str:
    """A match by PDQ."""
    turned = "" if turn == "original" else f", compared {TURNS[turn]}"
    others = f" In all {total} known hashes are as near." if total > 1 else ""
    return (
        f"The picture is consistent with being a copy of one on a list of known images: its PDQ hash differs in "
        f"{distance} of 256 bits{turned} ({places}).{others} {_OPINIONS[opinion]}"
    )


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
    how = ["mirrored"] if mirrored else []
    how += [f"turned by {abs(degrees):.0f}°"] if abs(degrees) >= _TURNED else []
    looks = f", {' and '.join(how)}" if how else ""
    return (
        f"The picture is consistent with showing a picture on a list of known images, or a part of it: {points} local "
        f"features lie in it as in that one. It shows {_up_to(shown)} of the known picture, on {_about(filled)} of its "
        f"own area{looks} ({places}). {_OPINIONS[opinion]}"
    )


_TURNED = 0.75  # degrees


def _up_to(share: float) -> str:
    return "all" if share >= _ALL else f"up to {share:.0%}"


def _about(share: float) -> str:
    return "all" if share >= _ALL else f"about {share:.0%}"


_ALL = 0.985

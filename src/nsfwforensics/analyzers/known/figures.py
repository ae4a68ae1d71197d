"""What the figures of the search in lists of known images are called, and the chart of distances."""

from __future__ import annotations

from nsfwforensics.analyzers.known.words import TURNS
from nsfwforensics.core.charts import Chart, Mark, Scale, Zone
from nsfwforensics.core.figures import Figure, Figures
from nsfwforensics.core.messages import say

_KINDS = {"pdq": "PDQ", "md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256"}

FIGURES: Figures = {
    "known": say("known"),
    "role": Figure(say("role"), {"known": say("Known images")}),
    "distance": say("distance"),
    "max_distance": say("largest distance that counts"),
    "long_hash": Figure(say("hashes of 64 digits taken for"), _KINDS),
    "searched": Figure(say("searched"), _KINDS),
    "hashes": Figure(say("hashes"), _KINDS),
    "pictures": say("pictures"),
    "signatures": say("signatures"),
    "pdq_quality": say("PDQ quality"),
    "opinion": say("opinion"),
    "matches": say("matches"),
    "total": say("total"),
    "list": say("list"),
    "hash_kind": Figure(say("kind of hash"), _KINDS),
    "hash": say("hash"),
    "transform": Figure(say("seen"), {"original": say("as it is"), **TURNS}),
    "name": say("name"),
    "status": say("status"),
    "cases": Figure(say("cases"), verbatim=True),
    "matching_points": say("points that match"),
    "score": say("score"),
    "share_of_known_shown": say("share of the known picture that is shown"),
    "share_of_picture_filled": say("share of the picture filled"),
    "mirrored": say("mirrored"),
    "rotation_degrees": say("turned, in degrees"),
    "reason": say("reason"),
    "sha256": say("SHA-256"),
    "format": say("format"),
    "lists": say("lists"),
    "entries": say("entries"),
    "low_quality_left_out": say("left out for low quality"),
    "withdrawn_left_out": say("left out as withdrawn"),
    "other_signals": say("entries of other kinds"),
    "photodna_passed_over": say("PhotoDNA hashes passed over"),
    "category": say("category on the list"),
    "bad_lines": say("lines that could not be read"),
    "hashes_of_64_digits_taken_for": Figure(say("hashes of 64 digits taken for"), _KINDS),
}

CHARTS: tuple[Chart, ...] = (
    Scale(
        codes=("KNOWN-002",),
        title=say("How far the hash of this picture is from the nearest known one"),
        unit=say("PDQ distance in bits"),
        marks=(
            Mark(value="data.matches.0.distance", name=say("this picture")),
            Mark(value=128.0, name=say("unrelated pictures, on average")),
        ),
        zones=(
            Zone(name=say("counts as a match"), end="measurements.max_distance"),
            Zone(name=say("does not count as a match"), start="measurements.max_distance", undecided=True),
        ),
        ends=(0.0, 256.0),
        lines=say(
            "The solid line is the nearest known picture; 0 is the same hash, and unrelated pictures lie about 128 "
            "apart."
        ),
        caption=(say("Crops, borders and turned copies lie farther away than they look."),),
    ),
)

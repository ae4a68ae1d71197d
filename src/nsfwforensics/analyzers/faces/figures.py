"""What the figures of the face comparison are called, and the chart of distances."""

from __future__ import annotations

from nsfwforensics.core.charts import Chart, Mark, Scale, Zone
from nsfwforensics.core.figures import Figure, Figures
from nsfwforensics.core.messages import say

_GROUPS = {
    "same_person": say("Pairs of faces of one person"),
    "different_people": say("Pairs of faces of different people"),
}

_PHOTOGRAPHS = "88 faces in 70 photographs; pairs of one person from 36 faces of 15 public figures"

FIGURES: Figures = {
    "reference": say("reference photo"),
    "references": say("reference photos"),
    "reference_face": say("face in the reference photo"),
    "face_model": say("face model"),
    "role": Figure(say("role"), {"reference": say("Reference")}),
    "path": say("path"),
    "sha256": say("SHA-256"),
    "face": say("face"),
    "faces": say("faces"),
    "box": say("box"),
    "size": say("size"),
    "width": say("width"),
    "height": say("height"),
    "confidence": say("confidence"),
    "pose_error": say("error of the pose"),
    "sharpness": say("sharpness"),
    "distance": say("distance"),
    "comparisons": say("comparisons"),
    "model": say("model"),
    "nearest_reference": say("nearest reference photo"),
    "nearest_reference_sha256": say("SHA-256 of the nearest reference photo"),
    "nearest_other_reference": say("distance to the nearest other reference photo"),
    "match_below": say("similar below"),
    "unlike_above": say("unlike above"),
    "false_match_rate": say("false match rate"),
    "false_non_match_rate": say("false non-match rate"),
    "taken_as_unlike_rate": say("rate taken as unlike"),
    "pairs": say("pairs"),
    "upper_95": say("95 % upper bound"),
    "at_this_distance": say("at this distance"),
    "false_matches": say("false matches"),
    "misses": say("misses"),
    "measured": say("measured"),
    "measured_on": Figure(
        say("measured on"),
        {_PHOTOGRAPHS: say("88 faces in 70 photographs; pairs of one person from 36 faces of 15 public figures")},
    ),
    "groups": Figure(say("groups"), {"same_person": say("one person"), "different_people": say("different people")}),
}

CHARTS: tuple[Chart, ...] = (
    Scale(
        codes=("FACE-001", "FACE-002", "FACE-003"),
        title=say("The distance of this face among measured distances"),
        unit=say("Distance between faces (no unit)"),
        marks=(Mark(value="data.distance", name=say("this face")),),
        zones=(
            Zone(name=say("inconclusive"), start="data.match_below", end="data.unlike_above", undecided=True),
            Zone(name=say("similar"), end="data.match_below"),
            Zone(name=say("not similar"), start="data.unlike_above"),
        ),
        distribution="data.distribution",
        groups=_GROUPS,
    ),
)

"""What the figures of the classifier are called, and the charts of its scores."""

from __future__ import annotations

from nsfwforensics.core.charts import Chart, Mark, Scale, Zone
from nsfwforensics.core.figures import Figure, Figures
from nsfwforensics.core.messages import say
from nsfwforensics.models.states import STATES

_SHORT = {
    "real": say("real photographs"),
    "gallery": say("generated pictures"),
    "resynthesised": say("photographs painted again"),
}

FIGURES: Figures = {
    "faces": say("faces"),
    "score_map": say("score map"),
    "state": Figure(say("state"), STATES),
    "reason": Figure(
        say("reason"),
        {
            "flip": say("the answer turns when the same picture is saved again or made a little smaller"),
            "grey_band": say("the score lies where both real and generated pictures are found"),
            "plain_ground": say("plain, light ground: too few such pictures were at hand"),
            "withheld": say("this model's calls are withheld"),
            "outside_measured": say("unlike the pictures on which the model was measured"),
            "not_made": say("no map was made"),
            "not_measured": say("such maps were not measured"),
            "not_reliable": say("such maps were measured not to be reliable"),
            "nothing_stands_out": say("nothing stands out"),
        },
    ),
    "score": say("score"),
    "score_recompressed": say("score after re-saving"),
    "score_resized": say("score after resizing"),
    "p_value_real": say("p-value, photographs"),
    "p_value_generated": say("p-value, generated"),
    "scored_as_high": Figure(say("scored as high"), _SHORT),
    "groups": Figure(say("groups"), _SHORT),
    "box": say("box"),
    "size": say("size"),
    "share": say("share"),
    "examined": say("examined"),
    "flat_share": say("share that is flat"),
    "jpeg_quality_estimate": say("estimated JPEG quality"),
    "likelihood_ratio": say("likelihood ratio"),
    "generated_from": say("looks generated from"),
    "clear_below": say("no sign below"),
    "threshold": say("threshold"),
    "content_matched_auc": say("area under the curve, same content"),
    "swaps_auc": say("area under the curve, swapped faces"),
    "value": say("value"),
    "low": say("low"),
    "high": say("high"),
    "not_judged": say("not judged"),
    "not_looked_for": say("not looked for"),
    "rates": say("rates"),
    "real_called": say("real photographs: looks generated"),
    "real_cleared": say("real photographs: no sign found"),
    "real_inconclusive": say("real photographs: inconclusive"),
    "gallery_called": say("generated pictures: looks generated"),
    "gallery_cleared": say("generated pictures: no sign found"),
    "gallery_inconclusive": say("generated pictures: inconclusive"),
    "resynthesised_called": say("photographs painted again: looks generated"),
    "resynthesised_cleared": say("photographs painted again: no sign found"),
    "resynthesised_inconclusive": say("photographs painted again: inconclusive"),
    "strangers_called": say("pictures by publishers never trained on: looks generated"),
    "strangers_cleared": say("pictures by publishers never trained on: no sign found"),
    "strangers_inconclusive": say("pictures by publishers never trained on: inconclusive"),
    "swap_called": say("swapped faces: looks generated"),
    "withheld": say("withheld calls"),
    "tiles": say("tiles"),
    "tile": say("side of a tile, in pixels"),
    "statistic": say("statistic"),
    "stands_out": say("stands out by"),
    "stands_out_most": say("place that stands out most"),
}

_SCORE = say("Score of the model (no unit)")
_PAINTED = say("Photographs painted again by a neural network")
_ZONES = (
    Zone(
        name=say("inconclusive"),
        start="data.distribution.clear_below",
        end="data.distribution.generated_from",
        undecided=True,
    ),
    Zone(name=say("no sign found"), end="data.distribution.clear_below"),
    Zone(name=say("looks generated"), start="data.distribution.generated_from"),
)


def _of_faces(code: str, faces: str, name: str) -> Scale:
    return Scale(
        codes=(code,),
        title=say("The scores of faces among measured scores"),
        unit=_SCORE,
        marks=(Mark(value=f"measurements.faces.{faces}.score", name=name),),
        zones=_ZONES,
        distribution="data.distribution",
        groups={
            "real": say("Faces in real photographs"),
            "gallery": say("Generated pictures"),
            "resynthesised": _PAINTED,
        },
        lines=say("Each line is a face in this picture."),
    )


CHARTS: tuple[Chart, ...] = (
    Scale(
        codes=("SYN-001", "SYN-002", "SYN-003"),
        title=say("The score of this picture among measured scores"),
        unit=_SCORE,
        marks=(
            Mark(value="measurements.score", name=say("this picture")),
            Mark(value="measurements.score_recompressed", name=say("the same, saved again")),
            Mark(value="measurements.score_resized", name=say("the same, made smaller")),
        ),
        zones=_ZONES,
        distribution="data.distribution",
        groups={
            "real": say("Real photographs"),
            "gallery": say("Generated pictures"),
            "resynthesised": _PAINTED,
        },
        counted="measurements.scored_as_high",
        lines=say(
            "The solid line is this picture. Dashed lines, where there are any, are the same picture saved again and "
            "made smaller."
        ),
    ),
    _of_faces("SYN-010", "@box", say("this face")),
    _of_faces("SYN-011", "*", say("a face")),
)

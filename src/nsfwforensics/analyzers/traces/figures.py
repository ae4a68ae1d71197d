"""What the figures of the traces of editing are called."""

from __future__ import annotations

from nsfwforensics.core.figures import Figure, Figures
from nsfwforensics.core.messages import say

_METHODS = {
    "jpeg-grid": say("JPEG grid"),
    "double-quantisation": say("double quantisation"),
    "copy-move": say("copied parts"),
    "resampling": say("resampling"),
    "jpeg-ghosts": say("JPEG ghosts"),
    "noise": say("noise"),
}

FIGURES: Figures = {
    **_METHODS,
    "methods": Figure(say("methods"), _METHODS),
    "maps": say("maps"),
    "map_only": say("only a map"),
    "method": Figure(say("method"), _METHODS),
    "source": say("source"),
    "destroyed_by": say("what removes the trace"),
    "not_judged": say("not judged"),
    "score": say("score"),
    "threshold": say("threshold"),
    "regions": say("regions"),
    "analysed_share": say("share analysed"),
    "candidates": say("candidates"),
    "copies": say("copies"),
    "earlier_quality": say("earlier quality"),
    "epsilon": say("expected number of false alarms"),
    "offset": say("offset"),
    "origin": say("origin"),
    "origin_x": say("origin, from the left"),
    "origin_y": say("origin, from the top"),
    "cut_x": say("cut off on the left"),
    "cut_y": say("cut off at the top"),
    "rate": say("rate"),
    "share": say("share"),
    "kind": say("kind"),
    "working_scale": say("working scale"),
}

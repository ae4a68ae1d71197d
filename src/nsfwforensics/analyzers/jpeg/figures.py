"""What the figures of JPEG compression are called."""

from __future__ import annotations

from nsfwforensics.core.figures import Figure, Figures
from nsfwforensics.core.messages import say

FIGURES: Figures = {
    "quality": say("quality"),
    "standard": say("standard quality"),
    "nearest_standard": say("nearest standard quality"),
    "distance": say("distance"),
    "tables": say("tables"),
    "family": Figure(
        say("family"),
        {
            "standard": say("standard"),
            "program": say("of a program"),
            "camera": say("of a camera"),
            "unknown": say("not known"),
        },
    ),
    "names": say("names"),
    "files_measured": say("files measured"),
    "digest": say("digest"),
    "steps_zigzag": Figure(say("steps (zigzag)"), verbatim=True),
    "frame": say("frame"),
    "process": Figure(
        say("process"),
        {
            "baseline": say("baseline"),
            "extended": say("extended"),
            "progressive": say("progressive"),
            "extended, arithmetic coding": say("extended, arithmetic coding"),
            "progressive, arithmetic coding": say("progressive, arithmetic coding"),
        },
    ),
    "components": say("components"),
    "sampling_factors": say("sampling factors"),
    "subsampling": Figure(say("colour subsampling"), {"none (one component)": say("none (one component)")}),
    "scans": say("scans"),
    "restart_interval": say("restart interval"),
    "compressions": say("compressions"),
    "statement": Figure(
        say("statement"),
        {"at least two": say("at least two"), "no sign of more than one": say("no sign of more than one")},
    ),
    "log_likelihood_ratio": say("logarithm of the likelihood ratio"),
    "threshold": say("threshold"),
    "earlier_quality": say("earlier quality"),
    "frequencies_agreeing": say("frequencies that agree"),
    "frequencies": say("frequencies"),
    "frequencies_needed": say("frequencies needed"),
    "coefficients": say("coefficients"),
    "limits": say("limits reached"),
    "thumbnail": say("thumbnail"),
    "source": say("source"),
    "size": say("size"),
    "same_tables_as_picture": say("same tables as the picture"),
    "bytes_after_image": say("bytes after the end of the picture"),
    "not_checked": say("not checked"),
    "originals_measured": say("originals measured"),
    "make": say("maker"),
}

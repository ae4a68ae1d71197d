"""Words of ours that stand in measured values, so that they too are said in the language of the page.

Values out of the evidence lie beside them in the same data. So a text is only said where its figure is one that
analyzers of ours fill with words of their own, and only where it is one of those words, whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nsfwforensics.core.messages import Message, say


def figure_value(key: str, text: str) -> Message | None:
    """The words of ours that a value is, or None where it is to be shown as it stands.

    Args:
        key: The name of the figure in the saved report.
        text: Its value; not trusted.
    """
    if text in _WORDS.get(key, ()):
        return Message(text, {})
    if code := _CODES.get(key, {}).get(text):
        return code
    if key == "changes" and (found := _SHARE.fullmatch(text)):
        share = say("{percent:.0f} %", percent=int(found["percent"]))
        return Message(found["before"] + "{share}" + found["after"], {"share": share})
    if key == "where" and (found := _BESIDE.fullmatch(text)):
        where = Message(found["where"], {})
        if found["side"] == "left":
            return say("{where}, to the left of the face", where=where)
        return say("{where}, to the right of the face", where=where)
    return None


_SHARE = re.compile(r"(?P<before>[a-z ,]{3,60} )(?P<percent>\d{1,4}) %(?P<after>[a-z ]{0,30})")
_BESIDE = re.compile(r"(?P<where>[a-z ]{3,60}), to the (?P<side>left|right) of the face")

_PERSONAL = {"prompt": say("prompt"), "negative_prompt": say("negative prompt")}

_CODES: Mapping[str, Mapping[str, Message]] = {
    "kind": {
        "changed_after_capture": say("changed after it was taken"),
        "gps_time": say("satellite time"),
    },
    "kinds": _PERSONAL,
    "personal_data": _PERSONAL,
    "reason": {
        "grey_band": say("the score lies where both real and generated pictures are found"),
        "flip": say("the answer turns when the same picture is saved again or made a little smaller"),
        "withheld": say("this model's calls are withheld"),
        "outside_measured": say("unlike the pictures on which the model was measured"),
    },
    "state": {
        "as_is": say("pictures in their original files"),
        "768_q60": say("pictures reduced to 768 pixels and saved at JPEG quality 60"),
        "512_q40": say("pictures reduced to 512 pixels and saved at JPEG quality 40"),
        "lossless": say("pictures reduced to 1,600 pixels and saved without loss"),
        "webp": say("pictures reduced to 1,600 pixels and saved as WebP"),
        "heic": say("pictures saved as HEIC"),
        "avif": say("pictures reduced to 1,600 pixels and saved as AVIF"),
    },
}
"""Codes of ours by figure; codes that are not here are shown as they stand."""

_WORDS: Mapping[str, Sequence[str]] = {
    "kind": (
        *(say("taken"), say("created"), say("changed"), say("satellite time"), say("file time")),
        *(say("photo editor"), say("retouching app"), say("raw developer"), say("program that re-saves pictures")),
    ),
    "what": (
        *(say("camera owner"), say("artist"), say("author"), say("contact"), say("copyright holder"), say("creator")),
        *(say("person shown"), say("photographer"), say("camera"), say("lens"), say("comment")),
    ),
    "changes": (
        *(say("mirrored"), say("turned slightly"), say("blur"), say("made grey"), say("made brighter")),
        *(say("made darker"), say("given more contrast"), say("given less contrast"), say("made paler")),
        say("made more colourful"),
    ),
    "place": (say("file name"),),
    "role": (say("original"),),
    "process": (
        *(say("baseline"), say("extended"), say("progressive")),
        *(say("extended, arithmetic coding"), say("progressive, arithmetic coding")),
    ),
    "family": (say("standard"),),
    "statement": (say("no sign of more than one"), say("at least two")),
    "meaning": (
        *(say("the picture was made with AI"), say("an existing picture was changed with AI")),
        *(say("a face was put into a picture"), say("the picture is material for face-swap software")),
    ),
    "measured_on": (say("88 faces in 70 photographs; pairs of one person from 36 faces of 15 public figures"),),
    "notes": (say("The JPEG data ends before its end-of-image marker."),),
}
"""Words that the analyzers of this package put into their data, by figure."""

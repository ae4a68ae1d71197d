"""What the comparison with an original says, and where in the picture, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.error_rates import counted, error_rate, rounded_percent
from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.types import Question, Severity

if TYPE_CHECKING:
    from nsfwforensics.signals.changes.difference import Difference
    from nsfwforensics.signals.changes.photometric import Photometric
    from nsfwforensics.signals.matching.alignment import Alignment

Box = tuple[float, float, float, float]
"""Left, top, width and height in pixels."""

BODY_WIDTHS = 3.0
"""How wide the body beside a face is taken to be, in widths of the face: shoulders measure two to three head widths."""
BODY_HEIGHTS = 6.5
"""How far down it is taken to reach, in heights of the face: a standing adult measures seven to eight heads in all."""

WHOLE = 0.97
"""From this share on, a photo counts as shown, or a picture as filled, in full: alignment is not exact at its edges."""

VISIBLE_LEVELS = 8.0
"""Changes of brightness or colour below so many of 255 grey levels are not put into words."""

LITTLE_SUPPORT = 0.25
"""Below this share of agreeing places, what is common may be a frame or an interface around another photo."""

INVERTED = say("turned into a negative")

SHARED_FRAME = say(
    "Only a part of the picture agrees with the original. Two screenshots of the same app, or two pictures in the same "
    "frame or with the same caption, can look like this although the photos in them differ: look at both."
)

_UNRELATED, _SCENE, _MISSED = map(counted, ("called_same_unrelated", "called_same_scene", "derived_not_found"))
_UNEDITED, _EDITED = counted("region_without_edit"), counted("edit_without_region")

CODES: Mapping[str, Code] = {
    "CMP-001": Code(
        say("Matches an original"),
        Severity.MEDIUM,
        say(
            "Two photos of one scene taken within moments of each other, or of one poster or screen, can match as well "
            "as a copy does: in tests {unrelated} of {unrelated_pairs:,} unrelated pairs and {scene} of "
            "{scene_pairs:,} pairs of one scene were called the same. Check that the original is what you believe it "
            "to be.",
            unrelated=_UNRELATED.errors,
            unrelated_pairs=_UNRELATED.trials,
            scene=_SCENE.errors,
            scene_pairs=_SCENE.trials,
        ),
        rates=(
            error_rate(say("pairs of unrelated pictures that were called the same"), *_UNRELATED),
            error_rate(say("pairs of photographs of one scene that were called the same"), *_SCENE),
        ),
    ),
    "CMP-002": Code(
        say("Changed region"),
        Severity.HIGH,
        say(
            "The region shows where the picture differs from the original, not who changed it, when or why. Stickers, "
            "text, logos and blurred-out parts are changes too. Its edge is only as exact as the map, which is coarse. "
            "In tests {errors} of {trials:,} copies without an edit showed such a region.",
            **_UNEDITED._asdict(),
        ),
        Question.ALTERATION,
        rates=(error_rate(say("copies without an edit that showed a changed region"), *_UNEDITED),),
    ),
    "CMP-003": Code(
        say("No changed region found"),
        Severity.INFO,
        say(
            "Changes that are smaller or fainter than what compression does to a picture are not seen, and parts of "
            "the original that this picture does not show could not be compared. In tests no region was found in "
            "{errors} of {trials:,} edited copies.",
            **_EDITED._asdict(),
        ),
        Question.ALTERATION,
        headline=say("No changed region was found."),
        rates=(error_rate(say("edited copies in which no changed region was found"), *_EDITED),),
    ),
    "CMP-004": Code(
        say("Framing or colours changed"),
        Severity.LOW,
        say(
            "Cropping, turning, mirroring and filters are everyday steps of sharing a picture. How often one of them "
            "is named wrongly was not measured."
        ),
        Question.ALTERATION,
    ),
    "CMP-005": Code(
        say("Changes could not be mapped"),
        Severity.LOW,
        say("The picture matches the original, but not closely enough for a map of differences that could be trusted."),
        Question.ALTERATION,
        headline=say("What was changed could not be mapped."),
    ),
    "CMP-006": Code(
        say("The same file as an original"),
        Severity.MEDIUM,
        say("The bytes are the same. That says nothing about whether the original itself was edited."),
    ),
    "CMP-007": Code(
        say("Not found to be made from an original"),
        Severity.INFO,
        say(
            "A very small part of a photo, a strongly repainted or a blurred copy is not recognised. In tests {errors} "
            "of {trials:,} pictures made from an original were not.",
            **_MISSED._asdict(),
        ),
        headline=say("It was not found to be made from an original."),
        rates=(error_rate(say("pictures made from an original that were not recognised"), *_MISSED),),
    ),
    "CMP-008": Code(
        say("Too little detail to compare"),
        Severity.INFO,
        say("Pictures that are tiny, flat or blurred hold too few points that could be found again."),
        headline=say("It holds too little detail to be compared with the original."),
    ),
}


def place(box: Box, faces: Sequence[Box], width: int, height: int) -> str:
    """Where a region lies: against the faces of the picture where there are some, else in the picture.

    Args:
        box: The region.
        faces: The faces that were found.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.

    Returns:
        Words that follow "the region is", such as ``below the face, where the body would be``.
    """
    over = [face for face in faces if _share_inside(face, box) >= 0.5]
    body = [face for face in faces if face not in over and _covers_body(box, face)]
    many = len(faces) > 1
    if over and (body or any(_covers_body(box, face) for face in over)):
        return say("over a face and the body below it") if many else say("over the face and the body below it")
    if over:
        return say("over a face") if many else say("over the face")
    if body:
        below_one = say("below a face, where the body would be")
        return below_one if many else say("below the face, where the body would be")
    where = _in_picture(box, width, height)
    if len(faces) == 1:
        left, top, wide, high = faces[0]
        if box[1] < top + high < box[1] + box[3] and _share_inside(faces[0], box) < 0.1:
            if box[0] + box[2] / 2 < left + wide / 2:
                return say("{where}, to the left of the face", where=where)
            return say("{where}, to the right of the face", where=where)
    return where


def _covers_body(box: Box, face: Box) -> bool:
    """Whether a tenth of where the body would be is inside, or half of the region lies there."""
    left, top, wide, high = face
    centre = left + wide / 2
    body = (centre - BODY_WIDTHS * wide / 2, top + high, BODY_WIDTHS * wide, BODY_HEIGHTS * high)
    return _share_inside(body, box) >= 0.1 or _share_inside(box, body) >= 0.5


def _share_inside(inner: Box, outer: Box) -> float:
    """Which share of one box lies inside another, 0–1."""
    wide = min(inner[0] + inner[2], outer[0] + outer[2]) - max(inner[0], outer[0])
    high = min(inner[1] + inner[3], outer[1] + outer[3]) - max(inner[1], outer[1])
    area = inner[2] * inner[3]
    return max(0.0, wide) * max(0.0, high) / area if area > 0 else 0.0


_PLACES = (
    (
        say("in the upper left of the picture"),
        say("in the upper part of the picture"),
        say("in the upper right of the picture"),
    ),
    (say("on the left of the picture"), say("in the middle of the picture"), say("on the right of the picture")),
    (
        say("in the lower left of the picture"),
        say("in the lower part of the picture"),
        say("in the lower right of the picture"),
    ),
)


def _in_picture(box: Box, width: int, height: int) -> str:
    """A region's place in thirds of the picture, or that it spans most of it."""
    if box[2] > 0.75 * width and box[3] > 0.75 * height:
        return say("over most of the picture")
    across = min(2, max(0, int(3 * (box[0] + box[2] / 2) / max(width, 1))))
    down = min(2, max(0, int(3 * (box[1] + box[3] / 2) / max(height, 1))))
    return _PLACES[down][across]


def region_words(share: float, where: str, number: int, count: int) -> Message:
    """How large a changed region is and where it lies.

    Args:
        share: Of the photo as shown, 0–1.
        where: What :func:`place` returns.
        number: Which of the regions it is, from 1.
        count: How many there are.
    """
    values: dict[str, Any] = {"share": rounded_percent(share), "where": where}
    if count == 1:
        return say("Changed region: {share} of the photo as shown here, {where}.", **values)
    return say(
        "Changed region {number} of {regions}: {share} of the photo as shown here, {where}.",
        number=number,
        regions=count,
        **values,
    )


def shown_share(alignment: Alignment, changes: Difference | None) -> float:
    """Share of the original that the picture shows, 0–1; the smaller of what the frame and the map of changes allow."""
    if changes is None or not changes.mapped:
        return alignment.shown
    (width, height), (own_width, own_height) = alignment.original_size, alignment.suspect_size
    visible = changes.photo_share * own_width * own_height / alignment.scale**2
    return min(alignment.shown, visible / (width * height))


def made_from(name: str, alignment: Alignment, changes: Difference | None) -> str:
    """That the picture was made from an original, with how much of it is shown."""
    share = shown_share(alignment, changes)
    values: dict[str, Any] = {"name": name, "points": alignment.inliers}
    if share > WHOLE:
        return say("The picture appears to have been made from “{name}”: {points:,} matching points.", **values)
    return say(
        "The picture appears to have been made from “{name}”: {points:,} matching points; it shows about {share} of "
        "it.",
        share=rounded_percent(share),
        **values,
    )


def made_headline(name: str, *, sure: bool) -> Message:
    """The same at the top of a report."""
    return (
        say("It appears to have been made from {name}.", name=name)
        if sure
        else say("It agrees with {name} in part only.", name=name)
    )


def changed_headline(share: float, where: str, regions: int) -> Message:
    """How much was changed and where, at the top of a report.

    Args:
        share: Of the photo as shown, all regions together, 0–1.
        where: What :func:`place` returns for the largest region.
        regions: How many there are.
    """
    values: dict[str, Any] = {"share": rounded_percent(min(share, 1.0)), "where": where}
    if regions == 1:
        return say("{share} of it differs from the original, {where}.", **values)
    return say(
        "{share} of it differs from the original, in {regions} places, most of it {where}.", regions=regions, **values
    )


def around(name: str, alignment: Alignment) -> str:
    """That only a part of what both show agrees."""
    return say(
        "The picture agrees with “{name}” in {points:,} points, but only in a part of what both show: either the rest "
        "was replaced, or only a frame, a caption or an app's screen is common to both.",
        name=name,
        points=alignment.inliers,
    )


def framing_words(alignment: Alignment, changes: Difference) -> list[str]:
    """What was done to the framing, as words that follow "was": cropped, mirrored, turned, put on a larger canvas."""
    words: list[str] = []
    shown = shown_share(alignment, changes)
    if shown <= WHOLE:
        words.append(say("cropped to about {share} of the original", share=rounded_percent(shown)))
    if alignment.mirrored:
        words.append(say("mirrored"))
    turn = abs(alignment.rotation)
    if turn >= 0.5:
        words.append(say("turned by {degrees:.0f}°", degrees=turn) if turn >= 2 else say("turned slightly"))
    if not 0.9 < alignment.scale < 1.1:
        share = rounded_percent(alignment.scale)
        words.append(
            say("reduced to {share} of its size", share=share)
            if alignment.scale < 1
            else say("enlarged to {share} of its size", share=share)
        )
    filled = changes.photo_share if changes.mapped else alignment.filled
    if filled <= WHOLE:
        share = rounded_percent(filled)
        words.append(say("put on a larger canvas, of which it fills about {share}", share=share))
    return words


def colour_words(colours: Photometric | None) -> list[str]:
    """What was done to the colours of the whole picture, as words that follow "was"."""
    if colours is None:
        return []
    words: list[str] = []
    if colours.grey:
        words.append(say("made grey"))
    if abs(colours.brightness) >= VISIBLE_LEVELS:
        words.append(say("made brighter") if colours.brightness > 0 else say("made darker"))
    if not 0.8 < colours.contrast < 1.25:
        words.append(say("given less contrast") if colours.contrast < 1 else say("given more contrast"))
    if not colours.grey and not 0.75 < colours.saturation < 1.35:
        words.append(say("made paler") if colours.saturation < 1 else say("made more colourful"))
    if not colours.grey and max(map(abs, colours.cast)) >= VISIBLE_LEVELS:
        shifts = (say("shifted towards red"), say("shifted towards green"), say("shifted towards blue"))
        words.append(shifts[max(range(3), key=lambda channel: colours.cast[channel])])
    return words

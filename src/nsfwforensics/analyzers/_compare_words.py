"""What the comparison with an original says, and where in the picture, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.types import Question, Severity

if TYPE_CHECKING:
    from nsfwforensics.signals._photometric import Photometric
    from nsfwforensics.signals.alignment import Alignment
    from nsfwforensics.signals.difference import Difference

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

SHARED_FRAME = (
    "Only a part of the picture agrees with the original. Two screenshots of the same app, or two pictures in the same "
    "frame or with the same caption, can look like this although the photos in them differ: look at both."
)

CODES: Mapping[str, Code] = {
    "CMP-001": Code(
        "Made from an original",
        Severity.MEDIUM,
        "Two photos of one scene taken within moments of each other, or of one poster or screen, can match as well "
        "as a copy does: in tests 0 of 2,200 unrelated pairs and 2 of 254 pairs of one scene were called the same. "
        "Check that the original is what you believe it to be.",
    ),
    "CMP-002": Code(
        "Changed region",
        Severity.HIGH,
        "The region shows where the picture differs from the original, not who changed it, when or why. Stickers, "
        "text, logos and blurred-out parts are changes too. Its edge is only as exact as the map, which is coarse. In "
        "tests 3 of 160 copies without an edit showed such a region.",
        Question.ALTERATION,
    ),
    "CMP-003": Code(
        "No changed region found",
        Severity.INFO,
        "Changes that are smaller or fainter than what compression does to a picture are not seen, and parts of the "
        "original that this picture does not show could not be compared.",
        Question.ALTERATION,
    ),
    "CMP-004": Code(
        "Framing or colours changed",
        Severity.LOW,
        "Cropping, turning, mirroring and filters are everyday steps of sharing a picture.",
        Question.ALTERATION,
    ),
    "CMP-005": Code(
        "Changes could not be mapped",
        Severity.LOW,
        "The picture matches the original, but not closely enough for a map of differences that could be trusted.",
        Question.ALTERATION,
    ),
    "CMP-006": Code(
        "The same file as an original",
        Severity.MEDIUM,
        "The bytes are the same. That says nothing about whether the original itself was edited.",
    ),
    "CMP-007": Code(
        "Not found to be made from an original",
        Severity.INFO,
        "A very small part of a photo, a strongly repainted or a blurred copy is not recognised.",
    ),
    "CMP-008": Code(
        "Too little detail to compare",
        Severity.INFO,
        "Pictures that are tiny, flat or blurred hold too few points that could be found again.",
    ),
}


def percent(share: float) -> str:
    """A share as a person writes it: ``23 %``, ``less than 1 %``."""
    return "less than 1 %" if 0 < share < 0.01 else f"{share:.0%}".replace("%", " %")


def listed(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


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
        return "over a face and the body below it" if many else "over the face and the body below it"
    if over:
        return "over a face" if many else "over the face"
    if body:
        return f"below {'a' if many else 'the'} face, where the body would be"
    where = _in_picture(box, width, height)
    if len(faces) == 1:
        left, _, wide, _ = faces[0]
        beside = "left" if box[0] + box[2] / 2 < left + wide / 2 else "right"
        if box[1] < faces[0][1] + faces[0][3] < box[1] + box[3] and _share_inside(faces[0], box) < 0.1:
            return f"{where}, to the {beside} of the face"
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


def _in_picture(box: Box, width: int, height: int) -> str:
    """A region's place in thirds of the picture, or that it spans most of it."""
    if box[2] > 0.75 * width and box[3] > 0.75 * height:
        return "over most of the picture"
    across = ("left", "", "right")[min(2, max(0, int(3 * (box[0] + box[2] / 2) / max(width, 1))))]
    down = ("upper", "", "lower")[min(2, max(0, int(3 * (box[1] + box[3] / 2) / max(height, 1))))]
    if not across and not down:
        return "in the middle of the picture"
    if down and across:
        return f"in the {down} {across} of the picture"
    return f"in the {down} part of the picture" if down else f"on the {across} of the picture"


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
    shown = "" if share > WHOLE else f"; it shows about {percent(share)} of it"
    return f"The picture appears to have been made from “{name}”: {alignment.inliers:,} matching points{shown}."


def around(name: str, alignment: Alignment) -> str:
    """That only a part of what both show agrees."""
    return (
        f"The picture agrees with “{name}” in {alignment.inliers:,} points, but only in a part of what both show: "
        "either the rest was replaced, or only a frame, a caption or an app's screen is common to both."
    )


def framing_words(alignment: Alignment, changes: Difference) -> list[str]:
    """What was done to the framing, as words that follow "was": cropped, mirrored, turned, put on a larger canvas."""
    words = []
    shown = shown_share(alignment, changes)
    if shown <= WHOLE:
        words.append(f"cropped to about {percent(shown)} of the original")
    if alignment.mirrored:
        words.append("mirrored")
    if abs(alignment.rotation) >= 0.5:
        words.append(f"turned by {abs(alignment.rotation):.0f}°" if abs(alignment.rotation) >= 2 else "turned slightly")
    if not 0.9 < alignment.scale < 1.1:
        words.append(f"{'reduced' if alignment.scale < 1 else 'enlarged'} to {percent(alignment.scale)} of its size")
    filled = changes.photo_share if changes.mapped else alignment.filled
    if filled <= WHOLE:
        words.append(f"put on a larger canvas, of which it fills about {percent(filled)}")
    return words


def colour_words(colours: Photometric | None) -> list[str]:
    """What was done to the colours of the whole picture, as words that follow "was"."""
    if colours is None:
        return []
    words = []
    if colours.grey:
        words.append("made grey")
    if abs(colours.brightness) >= VISIBLE_LEVELS:
        words.append("made brighter" if colours.brightness > 0 else "made darker")
    if not 0.8 < colours.contrast < 1.25:
        words.append("given less contrast" if colours.contrast < 1 else "given more contrast")
    if not colours.grey and not 0.75 < colours.saturation < 1.35:
        words.append("made paler" if colours.saturation < 1 else "made more colourful")
    if not colours.grey and max(map(abs, colours.cast)) >= VISIBLE_LEVELS:
        names = ("red", "green", "blue")
        words.append(f"shifted towards {names[max(range(3), key=lambda channel: colours.cast[channel])]}")
    return words

"""The pictures that one file holds besides its main one: which are examined, and what is said of them.

Frames of an animation, pages, second pictures, previews, thumbnails, gain maps: a person looks at all of them, so all
are listed, and those that differ are examined as the main one is. What was not looked at is counted and said. How they
are found in a file stands in :mod:`nsfwforensics.formats.pictures`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.decode import decode_frames
from nsfwforensics.core.media import DECODED, name_of
from nsfwforensics.core.messages import Message, say, say_count
from nsfwforensics.core.types import Finding, InnerPicture
from nsfwforensics.core.vocabulary import SCENES, PictureKind, PictureState
from nsfwforensics.errors import EvidenceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from nsfwforensics.core.evidence import Evidence

    Grid = NDArray[np.float32]

MAX_LISTED = 200
"""Most pictures of one file that stand in a report one by one; all are counted."""

MAX_SCANNED = 512
"""Most frames of one file that are compared with each other."""

MAX_REACH, SCAN_PIXELS = 5_000, 300_000_000
"""No frame is decoded behind so many others or so many pixels: each is built on those before it."""

_GRID = 32
_ALIKE = 10.0
"""Frames whose cells all differ by less than this (0-255) show the same."""
_ALIKE_SCALED = 24.0
"""The same for a picture of another size or quality: a part that was changed, a face or a garment, differs by more."""
_ALIKE_COPY, _ALIKE_THUMBNAIL = 0.93, 64.0
"""From this correlation on, and below this difference, a thumbnail shows what its picture shows, however sharpened."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A picture or a video that stands in a file with bytes of its own.

    Attributes:
        kind: What it is to the main picture.
        offset: Where it begins in the file; None where it is put together from several places.
        data: Its bytes.
        media_type: What they are.
    """

    kind: PictureKind
    offset: int | None
    data: bytes
    media_type: str | None


@dataclass(frozen=True, slots=True)
class Inside:
    """What a file holds besides its main picture.

    Attributes:
        frames: How many frames or pages it has, the main one among them.
        main: The number of the main one, from 0.
        pages: Whether they are pages rather than frames.
        embedded: Pictures and videos with bytes of their own.
        unread: Pictures that are there and cannot be taken out here (a sequence in a HEIF file), by kind and number.
        full_size: Width and height of a picture that is not decoded here, where the file says them.
    """

    frames: int = 1
    main: int = 0
    pages: bool = False
    embedded: tuple[Embedded, ...] = ()
    unread: tuple[tuple[PictureKind, int], ...] = ()
    full_size: tuple[int, int] | None = None


@dataclass(slots=True)
class Further:
    """One further picture that is to be examined, and its place in words."""

    record: InnerPicture
    place: Message
    evidence: Evidence


class Pictures:
    """Chooses what of a file's further pictures is examined, and keeps count of it.

    Args:
        evidence: The file.
        inside: What it holds.
    """

    def __init__(self, evidence: Evidence, inside: Inside) -> None:
        self._evidence, self._inside = evidence, inside
        self._most = evidence.limits.max_frames
        self._records: list[InnerPicture] = []
        self._numbers: list[int] = []
        self._frames = dict.fromkeys(PictureState, 0)
        self.stand_in: Further | None = None

    def further(self) -> Iterator[Further]:
        """Goes through the pictures to be examined one by one, each decoded when its turn comes."""
        if not self._inside.embedded and self._inside.frames == 1:
            return  # the main one has nothing to be compared with
        seen: list[Grid] = []
        main = _grid_of(self._evidence)
        if main is not None:
            seen.append(main)
        yield from self._embedded(main)
        yield from self._differing_frames(seen)

    @property
    def full_size(self) -> tuple[int, int] | None:
        """Width and height of a main picture that is not decoded here, where the file says them."""
        return self._inside.full_size

    @property
    def listed(self) -> tuple[InnerPicture, ...]:
        """The further pictures, with what became of them; at most :data:`MAX_LISTED`."""
        return tuple(self._records[:MAX_LISTED])

    @property
    def unexamined(self) -> int:
        """How many pictures and videos were not looked at; a main picture that cannot be decoded is one."""
        apart = sum(number for _, number in self._inside.unread)
        left = sum(record.state is PictureState.LEFT for record in self._records if record.number is None)
        main = self._evidence.media_type not in DECODED
        return apart + left + self._frames[PictureState.LEFT] + main

    def _embedded(self, main: Grid | None) -> Iterator[Further]:
        room = self._most
        shown = [] if main is None else [main]
        scenes = [each for each in self._inside.embedded if each.kind is not PictureKind.VIDEO]
        scenes.sort(key=lambda each: (each.kind is PictureKind.THUMBNAIL, -len(each.data)))
        undecoded = self._evidence.media_type not in DECODED
        for each in self._inside.embedded:
            if each.kind is PictureKind.VIDEO:
                self._note(each, None, PictureState.LEFT)
        for each in scenes:
            part = self._evidence.inner(each.data)
            grid = _grid_of(part) if room else None
            stands_in = undecoded and self.stand_in is None and grid is not None
            if grid is None:
                self._note(each, part, PictureState.LEFT)
            elif not stands_in and any(_copy_of(grid, other, each.kind) for other in shown):
                self._note(each, part, PictureState.SAME)
            else:
                room -= 1
                further = Further(self._note(each, part, PictureState.EXAMINED), place_of(each, part), part)
                shown.append(grid)
                if stands_in:
                    self.stand_in = further
                yield further

    def _note(self, each: Embedded, part: Evidence | None, state: PictureState) -> InnerPicture:
        info = part.info() if part else None
        record = InnerPicture(
            kind=each.kind,
            state=state,
            offset=each.offset,
            size=None if each.offset is None else len(each.data),
            media_type=each.media_type,
            width=info and info.width,
            height=info and info.height,
        )
        self._records.append(record)
        return record

    def _differing_frames(self, seen: list[Grid]) -> Iterator[Further]:
        inside, data, kind = self._inside, self._evidence.data, self._evidence.media_type
        others = [number for number in range(inside.frames) if number != inside.main]
        if not others or kind is None:
            return
        pixels = max(1, _pixels(self._evidence))
        reach = min(MAX_REACH, max(self._most, SCAN_PIXELS // pixels))
        scanned = evenly(others[:reach], MAX_SCANNED)
        differing: list[int] = []
        like = 0
        for number, decoded in decode_frames(data, kind, self._evidence.limits, scanned):
            grid = _grid(decoded.image)
            if len(seen) < MAX_SCANNED and any(abs(grid - other).max() < _ALIKE for other in seen):
                like += 1
            else:
                seen.append(grid)
                differing.append(number)
        chosen = evenly(differing, self._most)
        self._frames[PictureState.SAME] = like
        name = PictureKind.PAGE if inside.pages else PictureKind.FRAME
        done = 0
        for number, decoded in decode_frames(data, kind, self._evidence.limits, chosen):
            frame = self._evidence.frame(decoded)
            record = InnerPicture(
                kind=name, state=PictureState.EXAMINED, number=number + 1,
                width=decoded.image.width, height=decoded.image.height,
            )  # fmt: skip
            self._records.append(record)
            done += 1
            yield Further(record, _frame_place(name, number + 1, inside.frames), frame)
        self._frames[PictureState.EXAMINED] = done
        self._frames[PictureState.LEFT] = len(others) - done - like

    def told(self) -> Iterator[Message]:
        """What a reader of the report is told, one sentence for each kind; copies of the main picture go without."""
        yield from self._told_main()
        if self._inside.frames > 1:
            counts = self._frames
            yield say(
                "The file holds {frames} frames or pages. Besides the main one, examined because they differ: "
                "{examined}; not examined, because they show what another shows: {same}; not examined at all: {left}.",
                frames=self._inside.frames,
                examined=counts[PictureState.EXAMINED],
                same=counts[PictureState.SAME],
                left=counts[PictureState.LEFT],
            )
        apart = [each for each in self._records if each.number is None and each.state is not PictureState.SAME]
        if self.stand_in is not None:
            apart.remove(self.stand_in.record)
        for record in apart[:10]:
            yield _told(record)
        if len(apart) > 10:
            yield say_count("{count} more picture stands in it.", "{count} more pictures stand in it.", len(apart) - 10)
        for kind, number in self._inside.unread:
            yield say_count(
                "The file also holds {count} picture of the kind “{kind}”, which was not examined.",
                "The file also holds {count} pictures of the kind “{kind}”, which were not examined.",
                number,
                kind=kind.wording,
            )

    def _told_main(self) -> Iterator[Message]:
        size = self._evidence.full_size
        if size is not None:
            yield say(
                "The picture of {width} × {height} pixels was examined at half its size, to bound the memory; places "
                "in it are in pixels of that.",
                width=size[0],
                height=size[1],
            )
        if self.stand_in is None:
            return
        preview, full = self.stand_in.record, self._inside.full_size
        values = {"format": name_of(self._evidence.media_type or ""), "width": preview.width, "height": preview.height}
        if full is None:
            yield say(
                "The picture itself, in the format {format}, cannot be decoded here. Its preview of {width} × {height} "
                "pixels was examined in its place, which may show other things or fewer.",
                **values,
            )
        else:
            yield say(
                "The picture itself, {full_width} × {full_height} pixels in the format {format}, cannot be "
                "decoded here. Its preview of {width} × {height} pixels was examined in its place, which may show "
                "other things or fewer.",
                full_width=full[0],
                full_height=full[1],
                **values,
            )


def evenly(numbers: Sequence[int], most: int) -> list[int]:
    """At most so many of the numbers, spread evenly, the last one among them."""
    if len(numbers) <= most:
        return list(numbers)
    return [numbers[((index + 1) * len(numbers)) // most - 1] for index in range(most)]


def placed(finding: Finding, place: str) -> Finding:
    """A finding about a further picture in a file."""
    data: dict[str, Any] = {**finding.data, "picture": place}
    if finding.region is not None:
        region = finding.region
        data["place_in_picture"] = [region.x, region.y, region.width, region.height]
    fields = {name: getattr(finding, name) for name in Finding.model_fields}
    said = say("In {picture}: {said}", picture=place, said=finding.said("explanation"))
    kept = {name: value for name, value in finding.wording.items() if name != "explanation"}
    return Finding(**{**fields, "explanation": said, "data": data, "region": None, "wording": kept})


def place_of(each: Embedded, part: Evidence) -> Message:
    """Which picture in a file this is, in words, by its kind and size; of a video, where it stands."""
    if each.kind is PictureKind.VIDEO:
        return say("{kind} at byte {offset:,}", kind=each.kind.wording, offset=each.offset or 0)
    info = part.info()
    return say("{kind} of {width} × {height} pixels", kind=each.kind.wording, width=info.width, height=info.height)


def _frame_place(kind: PictureKind, number: int, count: int) -> Message:
    if kind is PictureKind.PAGE:
        return say("page {number} of {count}", number=number, count=count)
    return say("frame {number} of {count}", number=number, count=count)


def _told(record: InnerPicture) -> Message:
    values: dict[str, Any] = {"size": record.size, "offset": record.offset}
    if record.kind is PictureKind.VIDEO:
        return say(
            "A video ({format}, {size:,} bytes) stands in the file at byte {offset:,}. The frames of videos are not "
            "examined here.",
            format=name_of(record.media_type or ""),
            **values,
        )
    values |= {"kind": record.kind.wording, "width": record.width or 0, "height": record.height or 0}
    if record.state is not PictureState.EXAMINED:
        return say("Also in the file, and not examined: {kind}.", **values)
    if record.offset is None:
        return say("Also in the file, and examined: {kind} of {width} × {height} pixels.", **values)
    return say(
        "Also in the file, and examined: {kind} of {width} × {height} pixels ({size:,} bytes at byte {offset:,}).",
        **values,
    )


def _pixels(evidence: Evidence) -> int:
    info = evidence.info()
    return (info.width or 1) * (info.height or 1)


def _grid_of(evidence: Evidence) -> Grid | None:
    try:
        return _grid(evidence.reduced(_GRID * 4) or evidence.image)
    except EvidenceError:
        return None


def _grid(image: Image.Image) -> Grid:
    """The picture in 32 by 32 cells of grey, dark bars along its edges left out."""
    import numpy as np

    small = image.convert("L")
    small.thumbnail((_GRID * 8, _GRID * 8))
    inner = small.point([0] * 24 + [255] * 232).getbbox() or (0, 0, *small.size)
    if (inner[2] - inner[0]) * 2 > small.width and (inner[3] - inner[1]) * 2 > small.height:
        small = small.crop(inner)
    return np.asarray(small.resize((_GRID, _GRID)), dtype=np.float32)


def _copy_of(grid: Grid, other: Grid, kind: PictureKind) -> bool:
    """Whether a picture shows what another one shows; thumbnails may be turned by quarters, maps only resemble it."""
    import numpy as np

    if kind in SCENES or float(grid.std()) < 1.0 or float(other.std()) < 1.0:
        return bool(abs(grid - other).max() < _ALIKE_SCALED)
    most = _ALIKE_THUMBNAIL if kind is PictureKind.THUMBNAIL else 256.0
    turned = (np.rot90(grid, turns) for turns in range(4))
    return any(
        float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) >= _ALIKE_COPY and abs(one - other).max() < most
        for one in turned
    )


__all__ = ["Embedded", "Further", "Inside", "Pictures", "evenly", "place_of", "placed"]

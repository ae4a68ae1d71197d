"""Small pictures of evidence, made in a confined worker, handed over as bytes and never written down.

They come in steps: the first says little more than where light and dark are. None is ever of full size.
"""

from __future__ import annotations

import io
import logging
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from nsfwforensics.core.evidence import Evidence, Limits
from nsfwforensics.core.failure import reason_of
from nsfwforensics.core.messages import say
from nsfwforensics.errors import EvidenceError
from nsfwforensics.execution.base import Lost
from nsfwforensics.execution.isolation import Staff, isolated
from nsfwforensics.execution.prepare import here
from nsfwforensics.execution.worker import start_plain

if TYPE_CHECKING:
    from PIL import Image

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reveal:
    """How much a picture shows.

    Attributes:
        edge: Its longer edge, in pixels.
        blur: Radius of the blur, in pixels of the small picture.
        grey: Whether it is without colour.
    """

    edge: int
    blur: float
    grey: bool


STEPS = (
    Reveal(96, 5.0, True),
    Reveal(160, 2.0, True),
    Reveal(320, 0.0, True),
    Reveal(640, 0.0, True),
    Reveal(960, 0.0, False),
)
"""From the first that is shown on request to the last."""

SECONDS = 60.0
"""Longest time for one picture."""

MARGIN = 0.25
"""So much of a place's size is shown around it."""

Box = tuple[float, float, float, float]
"""Left, top, width and height in pixels of the picture as shown at full size."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which picture is to be made, of which file, and how much it may show.

    Attributes:
        path: The file.
        sha256: What its bytes must be: others are not shown.
        step: How much it shows, a place in :data:`STEPS`.
        frame: Which frame or page, counted from 1; None for the main picture.
        part: The place that is cut out; None for the whole.
        boxes: Places that are outlined.
        onto: Lays the picture onto another: the rows of the matrix that takes a place there (in pixels) to one here,
            and that picture's width and height; None for the picture as it is.
    """

    path: Path
    sha256: str
    step: int = 0
    frame: int | None = None
    part: Box | None = None
    boxes: tuple[Box, ...] = ()
    onto: tuple[tuple[float, ...], int, int] | None = None


def make(wanted: Wanted, limits: Limits) -> bytes:
    """Makes the picture: a JPEG without anything else in it. For the worker.

    Raises:
        EvidenceError: The file is gone, another one, or shows nothing.
    """
    from PIL import ImageFilter

    evidence = Evidence.open(wanted.path, limits, follow=True)
    if evidence.sha256 != wanted.sha256:
        raise EvidenceError(say("the file is no longer the one that was examined"))
    step = STEPS[wanted.step]
    picture, width = _whole(evidence, wanted, step)
    scale = picture.width / width
    if wanted.part is not None:
        picture, scale = _cut(picture, wanted.part, scale)
    if wanted.onto is not None:
        picture, scale = _laid(picture, wanted.onto, scale, step.edge)
    before = picture.width
    picture = picture.convert("L" if step.grey else "RGB")
    picture.thumbnail((step.edge, step.edge))
    if step.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(step.blur))
    picture.info.clear()  # a comment, EXIF and a colour profile would be saved along
    _outline(picture, wanted.boxes, scale * picture.width / before)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=75)
    return stream.getvalue()


def _whole(evidence: Evidence, wanted: Wanted, step: Reveal) -> tuple[Image.Image, int]:
    """The picture, at a fraction of its size where that is quicker and enough, and its width at full size."""
    if wanted.frame is not None:
        from nsfwforensics.core.decode import decode_frames

        numbers = [wanted.frame - 1]
        for _, decoded in decode_frames(evidence.data, evidence.media_type or "", evidence.limits, numbers):
            return decoded.image, decoded.image.width
        raise EvidenceError(say("this frame cannot be shown"))
    info = evidence.info()
    if wanted.part is None and wanted.onto is None and info.width and (small := evidence.reduced(step.edge)):
        turned = (small.width > small.height) != (info.width > (info.height or 0))
        return small, (info.height or info.width) if turned else info.width
    picture = evidence.image
    return picture, (evidence.full_size or picture.size)[0]


def _cut(picture: Image.Image, part: Box, scale: float) -> tuple[Image.Image, float]:
    left, top, width, height = (value * scale for value in part)
    around = max(width, height) * MARGIN
    box = (
        max(0, round(left - around)),
        max(0, round(top - around)),
        min(picture.width, round(left + width + around)),
        min(picture.height, round(top + height + around)),
    )
    if box[2] - box[0] < 1 or box[3] - box[1] < 1:
        raise EvidenceError(say("the place lies outside of the picture"))
    return picture.crop(box), scale


def _laid(
    picture: Image.Image, onto: tuple[tuple[float, ...], int, int], scale: float, edge: int
) -> tuple[Image.Image, float]:
    """The picture as it lies on another one, of that one's proportions."""
    from PIL import Image

    (a, b, c, d, e, f, g, h, i), width, height = onto
    smaller = min(1.0, edge / max(width, height))
    size = (max(1, round(width * smaller)), max(1, round(height * smaller)))
    if not i:
        raise EvidenceError(say("it cannot be laid onto the other picture"))
    # From pixels of the small result to those of the other picture at full size, through the matrix, to pixels here.
    first = (a * scale / smaller, b * scale / smaller, c * scale, d * scale / smaller, e * scale / smaller, f * scale)
    data = [value / i for value in (*first, g / smaller, h / smaller)]
    made = picture.transform(size, Image.Transform.PERSPECTIVE, data, Image.Resampling.BILINEAR)
    return made, smaller


def _outline(picture: Image.Image, boxes: tuple[Box, ...], scale: float) -> None:
    from PIL import ImageDraw

    drawing = ImageDraw.Draw(picture)
    for x, y, width, height in boxes:
        corners = [x * scale, y * scale, (x + width) * scale, (y + height) * scale]
        drawing.rectangle(corners, outline=0 if picture.mode == "L" else (0, 0, 0), width=3)
        drawing.rectangle(corners, outline=255 if picture.mode == "L" else (255, 255, 255), width=1)


class Booth:
    """Where pictures are made, one at a time, by a worker that meets one file after the other.

    Args:
        limits: What a file may ask for.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._wanted: SimpleQueue[tuple[Wanted, Future[bytes]] | None] = SimpleQueue()
        self._sent: deque[Future[bytes]] = deque()
        self._thread = threading.Thread(target=self._work, name="pictures", daemon=True)
        self._thread.start()

    def picture(self, wanted: Wanted) -> Future[bytes]:
        """Has a picture made: a JPEG. The future raises an ``EvidenceError`` where it cannot be."""
        future: Future[bytes] = Future()
        self._wanted.put((wanted, future))
        return future

    def close(self) -> None:
        """Ends the worker."""
        self._wanted.put(None)
        self._thread.join(timeout=10)

    def _tasks(self) -> Iterator[tuple[Wanted, Limits]]:
        while (asked := self._wanted.get()) is not None:
            wanted, future = asked
            self._sent.append(future)
            yield wanted, self._limits
        self._open = False

    def _work(self) -> None:
        self._open = True
        while self._open:
            staff = Staff(1, SECONDS, start_plain, (here(), self._limits), ahead=1)
            try:
                for _, made in isolated(make, self._tasks(), staff):
                    self._give(made)
            except Exception as error:  # noqa: BLE001 - whoever waits is told why, and the next picture gets new workers
                _log.debug("pictures cannot be made", exc_info=True)
                while self._sent:
                    self._give(Lost(reason_of(error)))

    def _give(self, made: bytes | Lost) -> None:
        future = self._sent.popleft()
        if isinstance(made, Lost):
            future.set_exception(EvidenceError(made.reason))
        else:
            future.set_result(made)

"""What stands behind the end of a picture, piece by piece: pictures, videos, archives, text, remains.

Phones and cameras put videos, second pictures and notes of their own there; none of these says that anything was done
to the picture. What an editor left behind when it wrote a smaller picture over a larger file does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from nsfwforensics.formats import isobmff, jpeg, png, samsung

MAX_PIECES = 64

_SEEN = 4096
_LEAST_REMAINS = 1024
_JPEG, _PNG, _ZIP, _PDF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"%PDF-"
_FILLER = re.compile(rb"\0++|[ \r\n\t]++|(?:\xff(?!\xd8))++")
_PNG_END = b"IEND\xaeB`\x82"


class Piece(StrEnum):
    """Kinds of data behind a picture's end."""

    JPEG = "jpeg_picture"
    PNG = "png_picture"
    VIDEO = "video"
    REMAINS = "remains"
    ZIP = "zip"
    PDF = "pdf"
    TEXT = "text"
    PADDING = "padding"
    PHONE = "phone"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Behind:
    """One piece: what it is, where it begins in the file and ends."""

    kind: Piece
    start: int
    end: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self.end - self.start


def behind(data: bytes, start: int, media_type: str | None = "image/jpeg") -> tuple[Behind, ...]:
    """Names the pieces from an offset to the end of the file. Never raises; what is behind many pieces is one unknown.

    Args:
        data: The whole file.
        start: Just past the end of the picture.
        media_type: What the picture is: only a JPEG's and a PNG's remains are told, by how they end.
    """
    return tuple(_pieces(data, start, media_type))


def _pieces(data: bytes, position: int, media_type: str | None) -> Iterator[Behind]:
    first, last = samsung.extent(data, position) or (len(data), len(data))
    for _ in range(MAX_PIECES):
        if position >= len(data):
            return
        piece = _piece(data, position, first if position < first else len(data), media_type)
        if position == first:
            piece = Behind(Piece.PHONE, first, last)
        yield piece
        position = piece.end
    if position < len(data):
        yield Behind(Piece.UNKNOWN, position, len(data))


def _piece(data: bytes, start: int, stop: int, media_type: str | None) -> Behind:
    kind, end = _kind(data, start, stop, media_type)
    return Behind(kind, start, min(end, stop))


def _kind(data: bytes, start: int, stop: int, media_type: str | None) -> tuple[Piece, int]:
    if data[start + 4 : start + 8] == b"ftyp":
        end = isobmff.read_boxes(data, start).end
        return Piece.VIDEO, max(end, start + 8)
    if filler := _FILLER.match(data, start):
        box = data.find(b"ftyp", start, filler.end() + 8)  # the zeros before it are its length
        return Piece.PADDING, box - 4 if box >= 0 else filler.end()
    if data.startswith(_JPEG, start):
        return Piece.JPEG, jpeg.read_jpeg(data, start).end or stop
    if data.startswith(_PNG, start):
        within = png.read_png(data[start:]).end
        return Piece.PNG, start + within if within else stop
    for mark, kind in ((_ZIP, Piece.ZIP), (_PDF, Piece.PDF)):
        if data.startswith(mark, start):
            return kind, stop
    following = min((found for found in _following(data, start, stop) if found > start), default=stop)
    if following == stop and _ends_as_picture(data[start:stop], media_type):
        return Piece.REMAINS, stop
    return Piece.TEXT if _is_text(data[start : min(following, start + _SEEN)]) else Piece.UNKNOWN, following


def _ends_as_picture(data: bytes, media_type: str | None) -> bool:
    """Whether what is left are the last bytes of another picture: a PNG's end, or a JPEG's with its stuffed bytes."""
    if media_type != "image/jpeg":
        return media_type == "image/png" and data.endswith(_PNG_END)
    rest = data.rstrip(b"\0")
    return rest.endswith(b"\xff\xd9") and len(rest) >= _LEAST_REMAINS and b"\xff\x00" in rest


def _following(data: bytes, start: int, stop: int) -> Iterator[int]:
    """Where the next thing begins that can be told; a video four bytes before the name of its first box."""
    for mark, before in ((_JPEG, 0), (_PNG, 0), (_ZIP, 0), (b"ftyp", 4)):
        found = data.find(mark, start + 1 + before, stop)
        if found >= 0:
            yield found - before


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8", "ignore")
    except ValueError:
        return False
    sound = sum(character.isprintable() or character in "\r\n\t" for character in text)
    return len(text) >= 4 and len(text.encode()) >= len(head) - 3 and sound >= 0.97 * len(text)

"""Where further pictures and videos stand in a file: behind its end, in its metadata, in boxes, among its raw data."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nsfwforensics.core.decode import as_png, decode, heif_auxiliaries, main_frame
from nsfwforensics.core.media import DECODED, is_video, sniff
from nsfwforensics.core.messages import Message
from nsfwforensics.core.pictures import Embedded, Inside, place_of
from nsfwforensics.core.vocabulary import PictureKind
from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats import isobmff, jpeg, samsung, tiff
from nsfwforensics.formats.behind import MAX_PIECES, Behind, Piece, behind
from nsfwforensics.formats.read import read_metadata

if TYPE_CHECKING:
    from nsfwforensics.core.evidence import Evidence

MAX_THUMBNAILS = 8
MAX_TRIED = 64
"""Most places that look like the beginning of a JPEG picture at which one is looked for in raw data."""

MAX_READ = 16
"""Most pictures in one file whose own metadata are read."""

_SPELLED = (
    ("{http://ns.google.com/photos/1.0/image/}Data", PictureKind.PICTURE),
    ("{http://ns.google.com/photos/1.0/depthmap/}Data", PictureKind.AUXILIARY),
    ("{http://ns.adobe.com/xap/1.0/g/img/}image", PictureKind.THUMBNAIL),
)
"""The ends of names in XMP whose values are pictures in Base64, and what each is."""

_GAIN_MAPS = (b"hdrgm:", b"hdr-gain-map", b"HDRGainMap")
_LOSSY = frozenset({"SOF0", "SOF1", "SOF2"})
_LEAST_EDGE = 64
_MANY_FRAMES = frozenset({"image/gif", "image/png", "image/webp", "image/avif", "image/tiff", "image/heif"})


def look_inside(evidence: Evidence) -> Inside:
    """Finds the pictures and videos in a file besides its main picture.

    Args:
        evidence: The file; its main picture is decoded where only that tells how many frames there are.
    """
    kind = evidence.media_type
    if kind is None or is_video(kind):
        return Inside()
    embedded = list(embedded_files(evidence))
    if kind not in DECODED:
        embedded = embedded or list(_reduced(evidence))
        return Inside(embedded=tuple(embedded), full_size=_full_size(evidence.data, kind))
    unread: tuple[tuple[PictureKind, int], ...] = ()
    if kind == "image/heif":
        embedded += _auxiliaries(evidence)
        unread = ((PictureKind.VIDEO, 1),) if isobmff.read_boxes(evidence.data).first("moov") else ()
    if len(pieces_behind(evidence)) > MAX_PIECES:
        unread = (*unread, (PictureKind.PICTURE, 1))  # what lies behind so many was not told apart
    try:
        frames = evidence.frames if kind in _MANY_FRAMES else 1
    except EvidenceError:
        frames = 1
    main = main_frame(evidence.data, kind) if frames > 1 else 0
    return Inside(frames, main, kind == "image/tiff", tuple(embedded), unread)


def embedded_files(evidence: Evidence) -> tuple[Embedded, ...]:
    """What stands in a file with bytes of its own: behind its end, in its metadata, whole among data not decoded here.

    Nothing is decoded for it.
    """

    def find() -> tuple[Embedded, ...]:
        if evidence.media_type is None or is_video(evidence.media_type):
            return ()
        if evidence.media_type not in DECODED:
            return tuple(_previews(evidence))
        return (*_behind(evidence), *_in_boxes(evidence), *_in_xmp(evidence), *_thumbnails(evidence))

    return evidence.derive("pictures.embedded", find)


def inner_pictures(evidence: Evidence) -> tuple[tuple[Message, Evidence], ...]:
    """What of :func:`embedded_files` says something of itself, which counts too, each with its place in words."""

    def make() -> tuple[tuple[Message, Evidence], ...]:
        found = [each for each in embedded_files(evidence) if each.media_type is not None][:MAX_READ]
        parts = ((each, evidence.inner(each.data)) for each in found)
        return tuple((place_of(each, part), part) for each, part in parts)

    return evidence.derive("pictures.inner", make)


def pieces_behind(evidence: Evidence) -> tuple[Behind, ...]:
    """What stands behind the end of the picture, piece by piece; nothing where its end is not known."""
    table = evidence.derive("metadata.table", lambda: read_metadata(evidence.data, evidence.media_type))
    if table.end is None or table.end >= evidence.size:
        return ()
    return evidence.derive("pictures.behind", lambda: behind(evidence.data, table.end or 0, evidence.media_type))


def _behind(evidence: Evidence) -> Iterator[Embedded]:
    for piece in pieces_behind(evidence):
        data = evidence.data[piece.start : piece.end]
        if piece.kind is Piece.VIDEO:
            yield Embedded(PictureKind.VIDEO, piece.start, data, sniff(data))
        elif piece.kind in (Piece.JPEG, Piece.PNG):
            gain = any(mark in data[:65_536] for mark in _GAIN_MAPS)
            yield Embedded(PictureKind.GAIN_MAP if gain else PictureKind.PICTURE, piece.start, data, sniff(data))
        elif piece.kind is Piece.PHONE:
            yield from _samsung(evidence.data, piece)


def _samsung(data: bytes, piece: Behind) -> Iterator[Embedded]:
    for block in samsung.read_trailer(data, piece.start, piece.end).items:
        kind = sniff(block.data)
        if is_video(kind):
            yield Embedded(PictureKind.VIDEO, block.offset, block.data, kind)
        elif kind in DECODED:
            yield Embedded(PictureKind.AUXILIARY, block.offset, block.data, kind)


def _thumbnails(evidence: Evidence) -> Iterator[Embedded]:
    table = evidence.derive("metadata.table", lambda: read_metadata(evidence.data, evidence.media_type))
    for thumbnail in table.thumbnails[:MAX_THUMBNAILS]:
        if thumbnail.data:
            yield Embedded(PictureKind.THUMBNAIL, None, thumbnail.data, sniff(thumbnail.data))


def _in_xmp(evidence: Evidence) -> Iterator[Embedded]:
    """What programs spell out in XMP: thumbnails; a photo before its background was blurred, and its depth map."""
    table = evidence.derive("metadata.table", lambda: read_metadata(evidence.data, evidence.media_type))
    for field in table.fields:
        kind = next((kind for name, kind in _SPELLED if field.tag.endswith(name)), None)
        if kind is None or not isinstance(field.value, str):
            continue
        letters = "".join(field.value.split())
        try:
            data = base64.b64decode(letters[: len(letters) // 4 * 4])
        except ValueError:
            continue
        if sniff(data) in DECODED:
            yield Embedded(kind, None, data, sniff(data))


def _in_boxes(evidence: Evidence) -> Iterator[Embedded]:
    """The video that a phone puts into a box of a HEIC picture."""
    for box in isobmff.read_boxes(evidence.data) if evidence.media_type in ("image/heif", "image/avif") else ():
        if box.type == "mpvd":
            data = evidence.data[box.start : box.end]
            yield Embedded(PictureKind.VIDEO, box.start, data, sniff(data) or "video/mp4")


def _auxiliaries(evidence: Evidence) -> Iterator[Embedded]:
    for name, data in heif_auxiliaries(evidence.data, evidence.limits):
        kind = PictureKind.GAIN_MAP if "gainmap" in name.lower() else PictureKind.AUXILIARY
        yield Embedded(kind, None, data, "image/png")


def _previews(evidence: Evidence) -> Iterator[Embedded]:
    """JPEG pictures that stand whole in a file that is not decoded here."""
    data, position = evidence.data, 0
    for _ in range(MAX_TRIED):
        position = data.find(b"\xff\xd8\xff", position)
        if position < 0:
            break
        layout = jpeg.read_jpeg(data, position)
        size = layout.size
        whole = layout.end is not None and size is not None and min(size) >= _LEAST_EDGE
        if whole and any(segment.name in _LOSSY for segment in layout.segments):
            yield Embedded(PictureKind.PREVIEW, position, data[position : layout.end], "image/jpeg")
        position = layout.end or position + 3


def _reduced(evidence: Evidence) -> Iterator[Embedded]:
    """The reduced picture that opens a raw file, where nothing else shows what it holds."""
    if not tiff.is_tiff(evidence.data):
        return
    try:
        reduced = decode(evidence.data, "image/tiff", evidence.limits).original
    except EvidenceError:
        return
    yield Embedded(PictureKind.PREVIEW, None, as_png(reduced.convert("RGB")), "image/png")


def _full_size(data: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height of the picture itself, where a header says them plainly."""
    if kind == "image/vnd.adobe.photoshop":
        return int.from_bytes(data[18:22], "big"), int.from_bytes(data[14:18], "big")
    if not tiff.is_tiff(data):
        return None
    tree = tiff.walk(data)
    names = dict.fromkeys(entry.directory for entry in tree.entries)
    sizes = [(tree.number(name, 0x0100), tree.number(name, 0x0101)) for name in names]
    known = [(width, height) for width, height in sizes if width and height]
    return max(known, key=lambda size: size[0] * size[1], default=None)

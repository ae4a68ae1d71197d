"""Builders of small image files with metadata in chosen places, byte by byte."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image

from tests.pictures import saved

XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"


def picture(size: tuple[int, int] = (96, 64), seed: int = 1) -> Image.Image:
    """A structured picture: three soft blobs and a gradient, different for every seed."""
    width, height = size
    x, y = np.arange(width)[None, :, None] / width, np.arange(height)[:, None, None] / height
    colour = np.arange(3)
    shade = 127 + 120 * ((x * (seed + 2 + colour) * 1.7 + y * (3 * seed + colour)) % 1.0 - 0.5)
    return Image.fromarray(shade.astype(np.uint8))


def jpeg(image: Image.Image | None = None, **save: object) -> bytes:
    return saved(image or picture(), "JPEG", **{"quality": 90, **save})


def png(image: Image.Image | None = None, **save: object) -> bytes:
    return saved(image or picture(), "PNG", **save)


def webp(image: Image.Image | None = None, **save: object) -> bytes:
    return saved(image or picture(), "WEBP", **save)


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """A JPEG with segments put right after its start-of-image marker."""
    return data[:2] + b"".join(segments) + data[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks put right after its header chunk."""
    return data[:33] + b"".join(chunks) + data[33:]


def iptc_record(record: int, dataset: int, data: bytes) -> bytes:
    return b"\x1c" + bytes((record, dataset)) + len(data).to_bytes(2, "big") + data


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    label = bytes((len(name),)) + name
    label += b"\0" * (len(label) & 1)
    return b"8BIM" + number.to_bytes(2, "big") + label + len(data).to_bytes(4, "big") + data + b"\0" * (len(data) & 1)


def photoshop_segment(*resources: bytes) -> bytes:
    return segment(0xED, b"Photoshop 3.0\0" + b"".join(resources))


def xmp(inside: str = "", attributes: str = "") -> bytes:
    """An XMP packet; ``inside`` are property elements, ``attributes`` property attributes of the description."""
    namespaces = (
        ("xmp", "http://ns.adobe.com/xap/1.0/"), ("xmpMM", "http://ns.adobe.com/xap/1.0/mm/"),
        ("stEvt", "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"), ("dc", "http://purl.org/dc/elements/1.1/"),
        ("exif", "http://ns.adobe.com/exif/1.0/"), ("aux", "http://ns.adobe.com/exif/1.0/aux/"),
        ("tiff", "http://ns.adobe.com/tiff/1.0/"), ("photoshop", "http://ns.adobe.com/photoshop/1.0/"),
        ("xmpNote", "http://ns.adobe.com/xmp/note/"),
    )  # fmt: skip
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in namespaces)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared} {attributes}>{inside}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def xmp_segment(packet: bytes) -> bytes:
    return segment(0xE1, XMP_HEADER + packet)


def exif(
    entries: dict[int, object], sub: dict[int, object] | None = None, gps: dict[int, object] | None = None
) -> bytes:
    """A TIFF block with IFD0, EXIF and GPS entries, written by Pillow."""
    block = Image.Exif()
    block.update(entries)
    if sub:
        block.get_ifd(0x8769).update(sub)
    if gps:
        block.get_ifd(0x8825).update(gps)
    return block.tobytes().removeprefix(b"Exif\0\0")


def with_thumbnail(block: bytes, thumbnail: bytes) -> bytes:
    """A big-endian or little-endian TIFF block with an IFD1 that points to a JPEG thumbnail."""
    order = "<" if block[:2] == b"II" else ">"
    first = struct.unpack_from(order + "I", block, 4)[0]
    count = struct.unpack_from(order + "H", block, first)[0]
    link = first + 2 + 12 * count
    start = len(block) + (len(block) & 1)
    directory = struct.pack(order + "H", 3)
    directory += struct.pack(order + "HHIHH", 0x0103, 3, 1, 6, 0)
    directory += struct.pack(order + "HHII", 0x0201, 4, 1, start + 2 + 36 + 4)
    directory += struct.pack(order + "HHII", 0x0202, 4, 1, len(thumbnail))
    directory += struct.pack(order + "I", 0)
    linked = block[:link] + struct.pack(order + "I", start) + block[link + 4 :]
    return linked + b"\0" * (start - len(linked)) + directory + thumbnail


def exif_segment(block: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + block)


def box(kind: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def heif(exif_block: bytes, packet: bytes = b"") -> bytes:
    """A HEIF skeleton without a picture: one Exif item and one XMP item in ``mdat``."""
    first = b"\0\0\0\0" + exif_block
    entries = [(1, b"Exif", b"\0", first), (2, b"mime", b"\0application/rdf+xml\0", packet)]
    infos = b"".join(
        box(b"infe", b"\2\0\0\0" + number.to_bytes(2, "big") + b"\0\0" + kind + tail)
        for number, kind, tail, _ in entries
    )
    info = box(b"iinf", b"\0\0\0\0" + len(entries).to_bytes(2, "big") + infos)
    head = box(b"ftyp", b"heic\0\0\0\0heicmif1")

    def meta(start: int) -> bytes:
        body = b"\0\0\0\0\x44\0" + len(entries).to_bytes(2, "big")
        for number, _, _, data in entries:
            body += (
                number.to_bytes(2, "big") + b"\0\0" + b"\0\1" + start.to_bytes(4, "big") + len(data).to_bytes(4, "big")
            )
            start += len(data)
        return box(b"meta", b"\0\0\0\0" + info + box(b"iloc", body))

    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", b"".join(data for *_, data in entries))


def _boxed(kind: bytes, *parts: bytes) -> bytes:
    return box(kind, b"".join(parts))


def _full(kind: bytes, *parts: bytes) -> bytes:
    return _boxed(kind, bytes(4), *parts)


def quicktime(keys: dict[str, str], user: dict[bytes, str]) -> bytes:
    """What a video says of itself, for its ``moov`` box: metadata by key, and user data by type."""
    names = b"".join(_boxed(b"mdta", key.encode()) for key in keys)
    values = b"".join(
        _boxed(struct.pack(">I", number), _boxed(b"data", struct.pack(">II", 1, 0), text.encode()))
        for number, text in enumerate(keys.values(), 1)
    )
    handler = _full(b"hdlr", bytes(4), b"mdta", bytes(14))
    meta = _full(b"meta", handler, _full(b"keys", struct.pack(">I", len(keys)), names), _boxed(b"ilst", values))
    texts = (_boxed(kind, struct.pack(">HH", len(text.encode()), 0x15C7), text.encode()) for kind, text in user.items())
    return (meta if keys else b"") + (_boxed(b"udta", *texts) if user else b"")


def movie(
    brand: bytes = b"isom", frames: bytes = b"no frames, but bytes" * 20, says: bytes = b"", made: int = 0
) -> bytes:
    """A video with one track of one sample, whose boxes all stand as the standard has them.

    ``says`` are further boxes in its ``moov`` box, ``made`` the time of its header in seconds since 1904.
    """
    start = _boxed(b"ftyp", brand, struct.pack(">I", 512), brand, b"mp42" if brand == b"isom" else b"")

    def moov(place: int) -> bytes:
        matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
        tables = (
            _full(b"stsd", bytes(4)), _full(b"stts", struct.pack(">3I", 1, 1, 1000)),
            _full(b"stsc", struct.pack(">4I", 1, 1, 1, 1)), _full(b"stsz", struct.pack(">2I", len(frames), 1)),
            _full(b"stco", struct.pack(">2I", 1, place)),
        )  # fmt: skip
        data = _boxed(b"dinf", _full(b"dref", struct.pack(">I", 1), _boxed(b"url ", b"\0\0\0\1")))
        media = _boxed(
            b"mdia",
            _full(b"mdhd", struct.pack(">4I2H", 0, 0, 1000, 1000, 0x55C4, 0)),
            _full(b"hdlr", bytes(4), b"vide", bytes(13)),
            _boxed(b"minf", _boxed(b"vmhd", b"\0\0\0\1", bytes(8)), data, _boxed(b"stbl", *tables)),
        )
        sizes = struct.pack(">2I", 160 << 16, 120 << 16)
        track = _boxed(b"tkhd", b"\0\0\0\7", struct.pack(">5I16x", 0, 0, 1, 0, 1000), matrix, sizes)
        head = struct.pack(">5IH10x", made, 0, 1000, 1000, 0x10000, 0x100)
        return _boxed(
            b"moov", _full(b"mvhd", head, matrix, bytes(24), struct.pack(">I", 2)), _boxed(b"trak", track, media), says
        )

    return start + moov(len(start) + len(moov(0)) + 8) + _boxed(b"mdat", frames)

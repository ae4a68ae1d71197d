"""Any bytes as a block of metadata inside a sound picture, so that they reach the parser that the block is for.

By themselves most hostile files are refused at the door, because they are no pictures, and show nothing.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping

from nsfwforensics.analyzers.jpeg.analyzer import JpegAnalyzer
from nsfwforensics.analyzers.metadata.analyzer import MetadataAnalyzer
from nsfwforensics.analyzers.provenance.analyzer import ProvenanceAnalyzer
from nsfwforensics.core.analyzer import Analyzer, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats import xmp
from nsfwforensics.formats.jumbf import C2PA_UUID
from tests.formats import make

JPEG, PNG, WEBP = make.jpeg(), make.png(), make.webp()
LONGEST = 60_000
"""Most bytes of one JPEG segment; longer blocks go on in the next."""

ANALYZERS: tuple[type[Analyzer], ...] = (MetadataAnalyzer, ProvenanceAnalyzer, JpegAnalyzer)


def pieces(block: bytes) -> list[bytes]:
    return [block[at : at + LONGEST] for at in range(0, len(block), LONGEST)] or [b""]


def store(block: bytes) -> bytes:
    """A manifest store that holds the block as its content."""
    described = struct.pack(">I4s", 33, b"jumd") + C2PA_UUID + b"\3c2pa\0\0\0\0"
    return struct.pack(">I4s", 8 + len(described) + len(block), b"jumb") + described + block


def _segments(marker: int, header: bytes, block: bytes) -> bytes:
    return make.with_segments(JPEG, *(make.segment(marker, header + piece) for piece in pieces(block)))


def _jumbf(block: bytes) -> bytes:
    content = store(block)
    packets = enumerate(pieces(content), 1)
    return make.with_segments(
        JPEG, *(make.segment(0xEB, b"JP\0\1" + struct.pack(">I", n) + (content[:8] if n > 1 else b"") + piece)
                for n, piece in packets)
    )  # fmt: skip


def _icc(block: bytes) -> bytes:
    parts = pieces(block)[:255]
    return make.with_segments(
        JPEG, *(make.segment(0xE2, b"ICC_PROFILE\0" + bytes((n, len(parts))) + part) for n, part in enumerate(parts, 1))
    )


def _extended(block: bytes) -> bytes:
    digest = "0123456789ABCDEF" * 2
    parts = [
        make.segment(
            0xE1, xmp.JPEG_EXTENSION_HEADER + digest.encode() + struct.pack(">II", len(block), n * LONGEST) + part
        )
        for n, part in enumerate(pieces(block))
    ]
    return make.with_segments(JPEG, make.xmp_segment(make.xmp(attributes=f'xmpNote:HasExtendedXMP="{digest}"')), *parts)


def _chunk(kind: bytes, block: bytes) -> bytes:
    return make.with_chunks(PNG, make.chunk(kind, block))


def _profile(block: bytes) -> bytes:
    text = f"\nexif\n{len(block):8d}\n{block.hex()}\n".encode()
    return _chunk(b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(text, 1))


def _riff(kind: bytes, block: bytes) -> bytes:
    body = WEBP[8:] + kind + struct.pack("<I", len(block)) + block + b"\0" * (len(block) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


WRAPS: Mapping[str, Callable[[bytes], bytes]] = {
    "JPEG, EXIF": lambda block: _segments(0xE1, b"Exif\0\0", block),
    "JPEG, EXIF behind a TIFF header": lambda block: _segments(0xE1, b"Exif\0\0", b"MM\0*\0\0\0\x08" + block),
    "JPEG, XMP": lambda block: _segments(0xE1, xmp.JPEG_HEADERS[0], block),
    "JPEG, extended XMP": _extended,
    "JPEG, JUMBF": _jumbf,
    "JPEG, Photoshop": lambda block: _segments(0xED, b"Photoshop 3.0\0", block),
    "JPEG, IPTC": lambda block: _segments(0xED, b"Photoshop 3.0\0", make.resource(0x0404, block)),
    "JPEG, ICC": _icc,
    "JPEG, APP15": lambda block: _segments(0xEF, b"\x80", block),
    "JPEG, trailer": lambda block: JPEG + block,
    "PNG, eXIf": lambda block: _chunk(b"eXIf", block),
    "PNG, XMP": lambda block: _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + block),
    "PNG, raw profile": _profile,
    "PNG, zTXt": lambda block: _chunk(b"zTXt", b"parameters\0\0" + block),
    "PNG, iCCP": lambda block: _chunk(b"iCCP", b"k\0\0" + zlib.compress(block, 1)),
    "PNG, caBX": lambda block: _chunk(b"caBX", store(block)),
    "PNG, caBX alone": lambda block: _chunk(b"caBX", block),
    "WebP, EXIF": lambda block: _riff(b"EXIF", block),
    "WebP, XMP": lambda block: _riff(b"XMP ", block),
    "HEIF, EXIF": lambda block: make.heif(block, make.xmp()),
    "HEIF, XMP": lambda block: make.heif(make.exif({0x010F: "Maker"}), block),
}
"""How a block is put into a picture, by what it is said to be."""


def examined(data: bytes) -> list[Outcome]:
    """What the analyzers say that read metadata.

    Raises:
        Exception: Whatever an analyzer raises beside the documented error.
    """
    evidence, outcomes = Evidence.from_bytes(data, "x"), []
    for analyzer in ANALYZERS:
        try:
            outcomes.append(analyzer(analyzer.Options(), Resources()).examine(evidence))
        except EvidenceError:
            continue
    return outcomes

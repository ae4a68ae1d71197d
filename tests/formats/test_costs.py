"""Files that cost far more than they weigh, read in time and memory that stay in proportion to their size."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from nsfwforensics.formats import deflate, isobmff, json_text, jumbf, samsung, stealth, xmp
from nsfwforensics.formats.read import read_metadata
from tests.formats import hostile, make
from tests.formats.hostile import MEBIBYTE, hidden

J, P, T = "image/jpeg", "image/png", "image/tiff"
XMP = b"XML:com.adobe.xmp\0"


def many(number: int, build: Callable[[bytes], bytes]) -> list[bytes]:
    """Parts that all differ: copies of one would count once."""
    return [build(b"%06x" % index) for index in range(number)]


def _many_directories() -> bytes:
    """A TIFF file whose SubIFDs are thousands of pointers into one run of entries that are pointers too."""
    pointers = struct.pack("<5000I", *range(40_000, 45_000))
    entries = [(0x014A, 4, 5000, 20_000)] * 300
    return hostile.tiff([*entries, *((0x8000 + i, 3, 1, i) for i in range(900))], bytes(3_000) + pointers * 3)


# Each: what it is, its media type, the file. Read one by one they are cheap; multiplied they once were not.
COSTLY: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a text chunk of 1 GiB": (P, lambda: hostile.png(make.chunk(b"zTXt", b"k\0\0" + hostile.endless(1024)))),
    "an international text chunk of 1 GiB": (
        P, lambda: hostile.png(make.chunk(b"iTXt", b"k\0\1\0\0\0" + hostile.endless(1024)))
    ),
    "an XMP packet of 1 GiB": (
        P, lambda: hostile.png(make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + hostile.endless(1024)))
    ),
    "a colour profile of 1 GiB": (P, lambda: hostile.png(make.chunk(b"iCCP", b"k\0\0" + hostile.endless(1024)))),
    "a raw profile of 1 GiB": (
        P, lambda: hostile.png(make.chunk(b"zTXt", b"Raw profile type exif\0\0" + hostile.endless(1024)))
    ),
    "two thousand text chunks of 4 MiB": (
        P, lambda: hostile.png(*many(2000, lambda mark: make.chunk(b"zTXt", mark + b"\0\0" + hostile.endless(4))))
    ),
    "two thousand damaged text chunks": (
        P,
        lambda: hostile.png(
            *many(2000, lambda mark: make.chunk(b"zTXt", mark + b"\0\0" + hostile.endless(3) + b"\xff\xff"))
        ),
    ),
    "a thousand packed XMP packets": (
        P,
        lambda: hostile.png(
            *many(1000, lambda mark: make.chunk(b"iTXt", XMP + b"\1\0\0" + mark + b"\0" + _packed_packet()))
        ),
    ),
    "a thousand packets that are not well-formed": (
        P, lambda: hostile.png(*many(1000, lambda mark: make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<" + mark
                                                                  + b"<a b='&" * 2000)))
    ),
    "tags that nobody closes": (P, lambda: _xmp_chunk(b"<rdf:a>" * 200_000 + b"</rdf:b>" * 200_000)),
    "comments that nobody closes": (P, lambda: _xmp_chunk(b"<!--" * 400_000)),
    "prefixes inside prefixes": (
        P, lambda: _xmp_chunk(b"".join(b"<a xmlns:p%d='u'>" % n for n in range(60_000)) + b"<q:z/>" * 60_000)
    ),
    "two thousand items in one place": ("image/heif", lambda: hostile.overlapping_items(1900, MEBIBYTE)),
    "two hundred trailer entries in one place": (J, lambda: hostile.overlapping_trailer(200, 2 * MEBIBYTE)),
    "names that multiply": (P, lambda: _xmp_chunk(hostile.long_names(MEBIBYTE, 3000))),
    "languages that multiply": (P, lambda: _xmp_chunk(hostile.long_language(MEBIBYTE, 3000))),
    "paths that multiply": (P, lambda: _xmp_chunk(hostile.deep_names(55, 900, 30_000))),
    "five thousand EXIF blocks": (
        J, lambda: hostile.jpeg(*many(5_000, lambda mark: _exif([(0x0100 + i, 2, 900, 8) for i in range(8)], mark)))
    ),
    "EXIF blocks of ratios": (
        J,
        lambda: hostile.jpeg(
            *many(8, lambda mark: _exif([(0x8000 + i, 5, 999, 0) for i in range(5000)], mark))
        ),
    ),
    "an EXIF block that always goes on": (
        J, lambda: hostile.jpeg(
            _exif([(0x8000 + i, 7, 1 << 30, 8) for i in range(5000)], b""),
            *many(3_000, lambda mark: make.segment(0xE1, b"Exif\0\0" + mark + bytes(20_000))),
        )
    ),
    "extended packets with a digest each": (
        J, lambda: hostile.jpeg(
            *many(20_000, lambda mark: make.segment(0xE1, xmp.JPEG_EXTENSION_HEADER + mark.rjust(40, b"0")))
        )
    ),
    "entries in one place": (
        T, lambda: hostile.tiff([(0x8000 + i, 2, 2 * MEBIBYTE, 8) for i in range(4000)], b"A" * 2 * MEBIBYTE)
    ),
    "tiny GIF blocks": ("image/gif", lambda: b"GIF89a\1\0\1\0\0\0\0!\xfe" + b"\2AA" * 700_000 + b"\0;"),
    "filling bytes": (J, lambda: b"\xff\xd8" + b"\xff" * 4 * MEBIBYTE),
    "bytes between segments": (J, lambda: b"\xff\xd8\xff\xe0\0\2" + b"\0\xff\x01" * MEBIBYTE),
    "empty segments": (J, lambda: hostile.jpeg(b"\xff\xe1\0\2" * 500_000)),
    "tiny segments": (J, lambda: hostile.jpeg(*many(600_000, lambda mark: make.segment(0xE1 + len(mark), mark)))),
    "tiny tables": (J, lambda: hostile.jpeg(b"\xff\xdb\0\2" * 600_000)),
    "empty chunks": (P, lambda: hostile.png(make.chunk(b"tEXt", b"") * 100_000)),
    "tiny chunks": (P, lambda: hostile.png(*many(300_000, lambda mark: make.chunk(b"tEXt", mark)))),
    "tiny RIFF chunks": (
        "image/webp", lambda: _riff(b"".join(many(600_000, lambda mark: b"EXIF" + struct.pack("<I", 4) + mark[-4:])))
    ),
    "tiny resources": (
        J, lambda: hostile.jpeg(
            *many(100, lambda mark: make.photoshop_segment(*many(2_500, lambda other: make.resource(1, other + mark))))
        )
    ),
    "tiny data sets": (
        J, lambda: hostile.jpeg(
            *many(60, lambda mark: make.photoshop_segment(
                make.resource(0x404, b"".join(many(5_000, lambda other: make.iptc_record(2, 25, other))))
            ))
        )
    ),
    "directories that point to many others": (T, _many_directories),
    "a keyword of 4 MiB": (P, lambda: hostile.png(make.chunk(b"tEXt", b"k" * 4 * MEBIBYTE + b"\0v"))),
    "empty boxes": ("image/avif", lambda: make.box(b"ftyp", b"avif") + b"\0\0\0\x08free" * 300_000),
    "tiny boxes": (
        "image/avif", lambda: make.box(b"ftyp", b"avif") + b"".join(many(600_000, lambda mark: make.box(b"free", mark)))
    ),
    "trailer directories everywhere": (J, lambda: make.jpeg() + (b"SEFT" + bytes(4)) * 300_000),
    "colour profiles in one place": (
        "image/webp", lambda: _riff(_profile_chunk() * 60)
    ),
    "pickles": (J, lambda: hostile.jpeg(*[make.segment(0xEF, b"\x80\x02" + b"X\1\0\0\0a" * 10_000 + b".")] * 60)),
    "nested JSON": (P, lambda: hostile.png(make.chunk(b"tEXt", b"prompt\0" + b'{"a":' * 200_000))),
}  # fmt: skip


@cache
def _packed_packet() -> bytes:
    return zlib.compress(make.xmp("<dc:title>t</dc:title>" * 20_000), 9)


def _xmp_chunk(packet: bytes) -> bytes:
    return hostile.png(make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))


def _profile_chunk() -> bytes:
    entries = (b"desc" + struct.pack(">II", 2600, 60_000)) * 200
    body = bytes(36) + b"acsp" + bytes(88) + struct.pack(">I", 200) + entries + bytes(60_000)
    return b"ICCP" + len(body).to_bytes(4, "little") + body


def _exif(entries: list[tuple[int, int, int, int]], mark: bytes) -> bytes:
    return make.exif_segment(hostile.tiff(entries, mark))


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks


@pytest.mark.parametrize("name", sorted(COSTLY))
def test_costs_stay_in_proportion_to_the_file(name: str) -> None:
    media_type, build = COSTLY[name]
    data = build()
    resident = _resident()
    started = time.process_time()
    read_metadata(data, media_type)
    jumbf.find_manifest_store(data, media_type)
    seconds, grown = time.process_time() - started, _most_resident() - resident
    assert grown < 160 * MEBIBYTE + 4 * len(data), f"{grown / MEBIBYTE:.0f} MiB for {len(data) / MEBIBYTE:.1f} MiB"
    assert seconds < 60, f"{seconds:.1f} s of processor time for {len(data) / MEBIBYTE:.1f} MiB"


def _resident() -> int:
    """The bytes this process holds now; from here on :func:`_most_resident` counts anew.

    The kernel's account, because tracing every allocation makes readers of many small parts ten times slower.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    except OSError:
        pytest.skip("this system does not say how much memory a process held at most")
    return _status("VmRSS")


def _most_resident() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def test_nested_and_lying_credentials_are_walked_once() -> None:
    nested = {
        depth: b"".join(struct.pack(">I4s", 8 * (depth - level), b"jumb") for level in range(depth))
        for depth in (30_000, 90_000)
    }
    started = time.process_time()
    assert jumbf.fault(nested[30_000]) == ""
    assert "more than" in jumbf.fault(nested[90_000])  # more boxes than anybody writes: not handed on
    assert "offset 8" in jumbf.fault(struct.pack(">I4s", 13, b"cbor") + b"\x9a\x7f\xff\xff\xff")
    assert jumbf.fault(struct.pack(">I4s", 0, b"cbor") + b"\x82" * 2 * MEBIBYTE) == ""
    assert time.process_time() - started < 30


def test_a_hidden_gzip_bomb_is_refused() -> None:
    body = hostile.endless(1024, 31)
    alpha = hidden(stealth.SIGNATURE + struct.pack(">I", 8 * len(body)) + body)
    tracemalloc.start()
    try:
        with pytest.raises(stealth.StealthError):
            stealth.hidden_text(alpha)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * MEBIBYTE


def test_an_object_with_many_keys_is_laid_out_within_bounds() -> None:
    found = json_text.json_object(hostile.many_keys(200_000))
    assert found is not None
    tracemalloc.start()
    try:
        lines = json_text.json_lines(found)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 1000 < len(lines) <= json_text.MAX_LINES
    assert peak < 120 * MEBIBYTE


def test_bombs_are_what_they_claim_to_be() -> None:
    assert len(zlib.decompressobj().decompress(hostile.endless(3)[:-6])) == 3 * MEBIBYTE
    assert len(zlib.decompressobj(31).decompress(hostile.endless(2, 31)[:-10])) == 2 * MEBIBYTE
    assert len(hostile.endless(1024)) < 2 * MEBIBYTE


def test_sound_text_after_much_sound_text_is_still_read() -> None:
    body = zlib.compress(bytes(range(32, 127)) * 500)
    texts = [make.chunk(b"zTXt", b"k%d\0\0" % index + body) for index in range(200)]
    table = read_metadata(hostile.png(*texts), P)
    assert len([field for field in table.fields if field.group == "PNG zTXt"]) == 200
    assert table.dropped == 0


def test_what_was_left_out_for_the_limits_is_said() -> None:
    bombs = make.chunk(b"zTXt", b"k\0\0" + hostile.endless(8)) * 12
    table = read_metadata(hostile.png(bombs), P)
    assert table.dropped >= 5
    assert any("compressed data than the limit" in note for note in table.notes)


def test_inflating_to_nothing_is_refused_not_unlimited() -> None:
    with pytest.raises(ValueError, match="limit"):
        deflate.inflate(hostile.endless(1), 0)


def test_items_and_blocks_that_do_not_overlap_are_all_read() -> None:
    file = make.heif(make.exif({0x010F: "Maker"}), make.xmp())
    found = isobmff.read_items(file, isobmff.read_boxes(file).first("meta"))
    assert {item.type for item in found.items} == {"Exif", "mime"}
    data = hostile.overlapping_trailer(1, 50)
    (block,) = samsung.read_trailer(data, len(make.jpeg())).items
    assert (block.name, block.data) == ("Info", b"A" * 50)

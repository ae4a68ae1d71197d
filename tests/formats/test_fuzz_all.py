"""Every parser of the package on bytes nobody meant: no exception but the documented one, bounded time and memory."""

from __future__ import annotations

import pkgutil
import struct
from collections.abc import Callable
from xml.etree.ElementTree import TreeBuilder

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nsfwforensics import formats
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import EvidenceError, MissingDependencyError
from nsfwforensics.formats import (
    behind,
    blocks,
    cbor,
    dct,
    deflate,
    exif,
    fields,
    gif,
    icc,
    iptc,
    isobmff,
    jpeg,
    json_text,
    jumbf,
    loose_xml,
    parts,
    pickles,
    pictures,
    png,
    quicktime,
    riff,
    samsung,
    segments,
    stealth,
    tiff,
    xmp,
)
from nsfwforensics.formats.read import read_metadata
from tests.formats import hostile, make

TYPES = (
    "image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/heif", "image/avif", "image/bmp",
    "image/jxl", "image/jp2", "image/x-canon-cr3", "image/x-fuji-raf", "image/x-olympus-orf", "video/mp4",
    "video/x-msvideo",
)  # fmt: skip


def _tiff(data: bytes) -> None:
    tree = tiff.walk(data)
    for entry in tree.entries[:50]:
        tree.value(entry)
        tree.number(entry.directory, entry.tag)


def _jpeg(data: bytes) -> None:
    layout = jpeg.read_jpeg(data)
    jpeg.ijg_quality(jpeg.quantisation_tables(layout))
    assert layout.size is None or len(layout.size) == 2


def _dct(data: bytes) -> None:
    for candidate in (data, b"\xff\xd8" + data):
        try:
            read = dct.read_coefficients(candidate, chroma=True, limit=2_000_000)
        except (EvidenceError, MissingDependencyError):  # the library has no wheel for every platform
            continue
        assert read.luma.shape[2:] == (8, 8)


def _png(data: bytes) -> None:
    for chunk in png.read_png(data).chunks:
        png.is_compressed(chunk)
        png.is_profile(chunk)
        try:
            png.raw_profile(png.read_text(chunk).text)
        except ValueError:
            continue


def _boxes(data: bytes) -> None:
    level = isobmff.read_boxes(data)
    assert all(0 <= box.offset <= box.start <= box.end <= len(data) for box in level)
    assert level.end <= len(data)
    isobmff.read_items(data, level.first("meta"))


def _exif(data: bytes) -> None:
    exif.read_exif(data, "fuzz", fields.Collector())
    exif.user_comment(data)
    exif.user_comment(data, ">")


def _xmp(data: bytes) -> None:
    xmp.join_extended([data, data])
    xmp.extension_digest(data)
    xmp.looks_like_packet(data)
    for candidate in (data, data + b"&<"):
        try:
            xmp.parse(candidate)
        except xmp.XmpError:
            continue


def _json(data: bytes) -> None:
    text = data.decode("latin-1")
    for candidate in (text, "{" + text + "}", '{"a":' + text + "}"):
        found = json_text.json_object(candidate)
        lines = json_text.json_lines(found) if found is not None else []
        assert len(lines) <= json_text.MAX_LINES
        assert all("\n" not in line for line in lines)


def _stealth(data: bytes) -> None:
    for media_type in TYPES:
        stealth.may_hold_payload(data, media_type)
    plane = np.frombuffer(data, np.uint8)
    try:
        stealth.hidden_text(plane.reshape(1, -1))
        stealth.hidden_text(hostile.hidden(stealth.SIGNATURE + data))
    except stealth.StealthError:
        return


def _jumbf(data: bytes) -> None:
    for media_type in TYPES:
        store = jumbf.find_manifest_store(data, media_type)
        assert store is None or 0 <= store.offset < len(data)
    jumbf.fault(data)
    jumbf.fault(data.partition(b"JP")[2][6:])


def _everything(data: bytes) -> None:
    for media_type in (*TYPES, None):
        read_metadata(data, media_type)
        jumbf.find_manifest_store(data, media_type)


def _pictures(data: bytes) -> None:
    evidence = Evidence.from_bytes(data)
    pictures.look_inside(evidence)
    for _, part in pictures.inner_pictures(evidence):
        read_metadata(part.data, part.media_type)


def _inflate(data: bytes) -> None:
    for header in (deflate.ZLIB, deflate.ANY_HEADER, deflate.RAW):
        try:
            assert len(deflate.inflate(data, 1000, header).data) <= 1000
        except ValueError:
            continue


def _blocks(data: bytes) -> None:
    out = fields.Collector()
    for add in (blocks.add_block, blocks.add_exif, blocks.add_photoshop, blocks.add_iptc, blocks.add_icc):
        add(data, "fuzz", out)
    blocks.add_exif_item(data, "fuzz", out, None)
    blocks.add_trailer(data, 0, None, out)


def _segments(data: bytes) -> None:
    out = fields.Collector()
    exif, extended = segments.ExifSegments(out), segments.ExtendedXmp(out)
    for part in (data, b"Exif\0\0" + data[5:], data[:80]):
        exif.take(part, 0)
        extended.take(part)
    exif.finish()
    extended.finish()


def _loose_xml(data: bytes) -> None:
    builder = TreeBuilder()
    builder.start("root", {})
    loose_xml.read_elements(data.decode("latin-1"), builder, xmp.PREFIXES)


def _parts(data: bytes) -> None:
    for end in range(0, min(len(data), 40), 3):
        after = parts.past_copies(data, 0, end)
        assert end <= after <= max(len(data), end)
        assert not end or data[:after] == data[:end] * (after // end)


PARSERS: dict[str, Callable[[bytes], object]] = {
    "behind": lambda data: [behind.behind(data, 0, media_type) for media_type in ("image/jpeg", "image/png", None)],
    "pictures": _pictures,
    "blocks": _blocks,
    "cbor": cbor.lying_length,
    "dct": _dct,
    "deflate": _inflate,
    "exif": _exif,
    "fields": fields.decode_text,
    "gif": gif.read_gif,
    "icc": icc.describe,
    "iptc": lambda data: (iptc.records(data), iptc.resources(data), iptc.joined([data[:9], data[9:]])),
    "isobmff": _boxes,
    "jpeg": _jpeg,
    "json_text": _json,
    "jumbf": _jumbf,
    "loose_xml": _loose_xml,
    "parts": _parts,
    "pickles": pickles.pickled_names,
    "png": _png,
    "quicktime": quicktime.read_movie,
    "read": _everything,
    "riff": riff.read_riff,
    "samsung": lambda data: (samsung.read_trailer(data, 0), samsung.extent(data, 0)),
    "segments": _segments,
    "stealth": _stealth,
    "tiff": _tiff,
    "xmp": _xmp,
}

SEEDS: dict[str, bytes] = {
    "behind": b"PK\3\4" + bytes(40) + b"%PDF-1.7 a note in plain words",
    "pictures": make.jpeg() + make.png() + make.jpeg(),
    "blocks": b"\0\0\0\6Exif\0\0" + make.exif({0x010F: "Maker"}) + make.resource(0x0404, make.iptc_record(2, 80, b"J")),
    "cbor": b"\xa2ealgsfsha256dhash\x58\x20" + bytes(32) + b"\x9a\0\0\0\2\x19\1\0\xf5",
    "dct": make.jpeg(),
    "deflate": hostile.endless(1)[:400],
    "exif": make.exif({0x010F: "Maker", 0x9003: "2020:01:01 00:00:00"}),
    "fields": "text in ümlauts".encode(),
    "gif": b"GIF89a\1\0\1\0\x80\0\0" + bytes(6) + b"!\xff\x0bXMP DataXMP<x/>\x01\0" + b"!\xfe\4note\0" + b";",
    "icc": bytes(36) + b"acsp" + bytes(88) + struct.pack(">I", 1) + b"desc" + struct.pack(">II", 144, 40)
    + b"desc\0\0\0\0\0\0\0\5name\0" + bytes(32),
    "iptc": make.resource(0x0404, make.iptc_record(2, 80, b"author") + make.iptc_record(2, 120, b"caption")),
    "isobmff": make.heif(make.exif({0x010F: "Maker"}), make.xmp("<dc:title>t</dc:title>")),
    "jpeg": make.with_segments(make.jpeg(), make.segment(0xFE, b"comment"), make.segment(0xEB, b"JP\0\1\0\0\0\1")),
    "json_text": b'"k": {"deep": ["{\\"in\\": 1}", 2.5, null]}',
    "jumbf": make.with_segments(
        make.jpeg(), make.segment(0xEB, b"JP\0\1\0\0\0\1\0\0\0\x40jumb\0\0\0\x20jumd" + jumbf.C2PA_UUID)
    ),
    "loose_xml": make.xmp("<dc:title>a &amp; b < c<q:x y='1'/></dc:source>") + b"<![CDATA[x]]><!-- y --><?z?>",
    "parts": b"abcabcabcab",
    "pickles": b"\x80\x03}q\x00(X\x09\x00\x00\x00face_typeq\x01X\x04\x00\x00\x00fullq\x02u.",
    "png": make.with_chunks(
        make.png(), make.chunk(b"tEXt", b"k\0v"), make.chunk(b"zTXt", b"k\0\0" + hostile.endless(1))
    ),
    "quicktime": make.movie(says=make.quicktime({"com.apple.quicktime.make": "Maker"}, {b"\xa9xyz": "+01.0+002.0/"})),
    "read": make.with_segments(
        make.jpeg(), make.exif_segment(make.exif({0x010F: "Maker"})), make.xmp_segment(make.xmp()),
        make.photoshop_segment(make.resource(0x0404, make.iptc_record(2, 80, b"author"))),
    ),
    "riff": make.webp(exif=make.exif({0x010F: "Maker"})),
    "samsung": hostile.overlapping_trailer(2, 20),
    "segments": b"Exif\0\0" + make.exif({0x010F: "Maker" * 30}) + b"0" * 32 + bytes(8),
    "stealth": struct.pack(">I", 8 * 60) + hostile.endless(1, 31)[:60],
    "tiff": make.exif({0x010F: "Maker", 0x0110: "Model"}, sub={0x9003: "2020:01:01 00:00:00"}, gps={1: "N"}),
    "xmp": make.xmp("<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>t</rdf:li></rdf:Alt></dc:title>"),
}  # fmt: skip

every_parser = pytest.mark.parametrize("name", sorted(PARSERS))
quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def test_no_parser_is_forgotten() -> None:
    modules = {module.name for module in pkgutil.iter_modules(formats.__path__)}
    assert modules == set(PARSERS) == set(SEEDS)


@every_parser
def test_the_seed_is_read(name: str) -> None:
    PARSERS[name](SEEDS[name])


@every_parser
@quick
@given(data=st.binary(max_size=400))
@example(data=b"")
@example(data=b"\xff" * 300)
@example(data=bytes(300))
def test_any_bytes(name: str, data: bytes) -> None:
    PARSERS[name](data)


@every_parser
@quick
@given(data=st.data())
def test_a_sound_beginning_and_then_any_bytes(name: str, data: st.DataObject) -> None:
    seed = SEEDS[name]
    cut = data.draw(st.integers(0, len(seed)))
    PARSERS[name](seed[:cut] + data.draw(st.binary(max_size=200)))


@every_parser
@quick
@given(data=st.data())
def test_changed_bytes(name: str, data: st.DataObject) -> None:
    changed = bytearray(SEEDS[name])
    places = st.integers(0, min(len(changed), 2000) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=12)):
        changed[place] = data.draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xFE, 0xFF)) | st.integers(0, 255))
    PARSERS[name](bytes(changed))


@every_parser
@quick
@given(data=st.data())
def test_numbers_blown_up(name: str, data: st.DataObject) -> None:
    """Lengths, counts and offsets are four bytes somewhere: large ones, in both byte orders, at every place."""
    seed = SEEDS[name]
    place = data.draw(st.integers(0, min(len(seed), 2000)))
    number = data.draw(st.sampled_from((0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x00FFFFFF, len(seed), 1)))
    order = data.draw(st.sampled_from(("little", "big")))
    PARSERS[name](seed[:place] + number.to_bytes(4, order) + seed[place + 4 :])

"""Every parser of the package on bytes nobody meant: no exception but the documented one, bounded time and memory."""

from __future__ import annotations

import pkgutil
import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nsfwforensics import formats
from nsfwforensics.errors import EvidenceError, MissingDependencyError
from nsfwforensics.formats import (
    cbor,
    dct,
    exif,
    fields,
    gif,
    icc,
    iptc,
    isobmff,
    jpeg,
    json_text,
    jumbf,
    pickles,
    png,
    riff,
    samsung,
    stealth,
    tiff,
    xmp,
)
from nsfwforensics.formats.read import read_metadata
from tests.formats import hostile, make

TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/heif", "image/avif", "image/bmp")


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
        try:
            png.raw_profile(png.read_text(chunk).text)
        except ValueError:
            continue


def _boxes(data: bytes) -> None:
    assert all(0 <= box.offset <= box.start <= box.end <= len(data) for box in isobmff.boxes(data))
    isobmff.items(data)


def _exif(data: bytes) -> None:
    exif.read_exif(data, "fuzz", fields.Collector())
    exif.user_comment(data)
    exif.user_comment(data, ">")


def _xmp(data: bytes) -> None:
    xmp.join_extended([data, data], data[:32].decode("latin-1"))
    try:
        xmp.parse(data)
    except xmp.XmpError:
        return


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
    place = jumbf.unsafe_length(data)
    assert place is None or 0 <= place <= len(data)
    jumbf.unsafe_length(data.partition(b"JP")[2][6:])


def _everything(data: bytes) -> None:
    for media_type in (*TYPES, None):
        read_metadata(data, media_type)
        jumbf.find_manifest_store(data, media_type)


def _inflate(data: bytes) -> None:
    try:
        png.inflate(data)
    except ValueError:
        return


PARSERS: dict[str, Callable[[bytes], object]] = {
    "cbor": cbor.lying_length,
    "dct": _dct,
    "exif": _exif,
    "fields": fields.decode_text,
    "gif": gif.read_gif,
    "icc": icc.describe,
    "iptc": lambda data: (list(iptc.records(data)), list(iptc.resources(data))),
    "isobmff": _boxes,
    "jpeg": _jpeg,
    "json_text": _json,
    "jumbf": _jumbf,
    "pickles": pickles.pickled_names,
    "png": _png,
    "read": _everything,
    "riff": riff.read_riff,
    "samsung": lambda data: samsung.read_trailer(data, 0),
    "stealth": _stealth,
    "tiff": _tiff,
    "xmp": _xmp,
}

SEEDS: dict[str, bytes] = {
    "cbor": b"\xa2ealgsfsha256dhash\x58\x20" + bytes(32) + b"\x9a\0\0\0\2\x19\1\0\xf5",
    "dct": make.jpeg(),
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
    "pickles": b"\x80\x03}q\x00(X\x09\x00\x00\x00face_typeq\x01X\x04\x00\x00\x00fullq\x02u.",
    "png": make.with_chunks(
        make.png(), make.chunk(b"tEXt", b"k\0v"), make.chunk(b"zTXt", b"k\0\0" + hostile.endless(1))
    ),
    "read": make.with_segments(
        make.jpeg(), make.exif_segment(make.exif({0x010F: "Maker"})), make.xmp_segment(make.xmp()),
        make.photoshop_segment(make.resource(0x0404, make.iptc_record(2, 80, b"author"))),
    ),
    "riff": make.webp(exif=make.exif({0x010F: "Maker"})),
    "samsung": hostile.overlapping_trailer(2, 20),
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

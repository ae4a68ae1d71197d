"""Where credentials are found in each container, and where the same bytes are no credentials."""

from __future__ import annotations

import io
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nsfwforensics.core.media import EXTENSIONS, sniff
from nsfwforensics.formats.jumbf import (
    BMFF_UUID,
    C2PA_UUID,
    ManifestStore,
    fault,
    find_manifest_store,
)
from nsfwforensics.formats.tiff import C2PA_TAG
from tests.formats.make import chunk, jpeg, picture, png, segment, webp, with_chunks, with_segments

DESCRIPTION = struct.pack(">I4s", 33, b"jumd") + C2PA_UUID + b"\x03c2pa\0\0\0\0"
STORE = struct.pack(">I4s", 8 + len(DESCRIPTION), b"jumb") + DESCRIPTION
APP11 = segment(0xEB, b"JP\0\x01\0\0\0\x01" + STORE)


def find(data: bytes) -> ManifestStore | None:
    return find_manifest_store(data, sniff(data[:64]))


def saved(kind: str) -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, kind)
    return buffer.getvalue()


def riff(data: bytes, *chunks: bytes) -> bytes:
    body = data[8:] + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


HEIF = box(b"ftyp", b"heic\0\0\0\0mif1heic") + box(b"meta", bytes(8))
TIFF = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHII", 1, C2PA_TAG, 7, len(STORE), 30) + bytes(8) + STORE
GIF_BLOCK = b"!\xff\x0bC2PA_GIF\x01\x00\x00" + bytes((len(STORE),)) + STORE + b"\0"


@pytest.mark.parametrize(
    ("data", "marker"),
    [
        (with_segments(jpeg(), APP11), b"\xff\xeb"),
        (with_chunks(png(), chunk(b"caBX", STORE)), None),
        (riff(webp(), b"C2PA" + struct.pack("<I", len(STORE)) + STORE + b"\0" * (len(STORE) & 1)), b"C2PA"),
        (HEIF + box(b"uuid", bytes.fromhex(BMFF_UUID) + bytes(4) + b"manifest\0" + bytes(8) + STORE), None),
        (saved("GIF")[:-1] + GIF_BLOCK + b";", b"!\xff"),
        (TIFF, struct.pack("<H", C2PA_TAG)),
    ],
    ids=["jpeg", "png", "webp", "heif", "gif", "tiff"],
)
def test_the_place_that_the_specification_names_is_found(data: bytes, marker: bytes | None) -> None:
    found = find(data)
    assert found is not None
    assert found.data.startswith(STORE)
    if marker:
        assert data[found.offset :].startswith(marker)


@pytest.mark.parametrize(
    "data",
    [
        jpeg(),
        jpeg() + APP11,
        with_segments(jpeg(), segment(0xFE, STORE)),
        with_segments(jpeg(), segment(0xE2, b"JP\0\x01\0\0\0\x01" + STORE)),
        with_segments(jpeg(), segment(0xEB, b"XX\0\x01\0\0\0\x01" + STORE)),
        with_segments(jpeg(), segment(0xEB, b"JP\0\x01\0\0\0\x01" + STORE.replace(C2PA_UUID, bytes(16)))),
        jpeg()[:-2] + APP11 + b"\xff\xd9",
        png(),
        png() + chunk(b"caBX", STORE),
        with_chunks(png(), chunk(b"tEXt", b"Comment\0" + STORE + b"caBX")),
        webp(),
        webp() + b"C2PA" + struct.pack("<I", len(STORE)) + STORE,
        HEIF + box(b"uuid", bytes(16) + STORE),
        HEIF + box(b"free", bytes.fromhex(BMFF_UUID) + STORE),
        saved("GIF") + GIF_BLOCK,
        saved("GIF")[:-1] + b"!\xfe\x08C2PA_GIF\0;",
        saved("TIFF") + STORE,
        b"BM" + bytes(30) + STORE,
        STORE,
        b"",
    ],
)
def test_the_same_bytes_elsewhere_are_no_credentials(data: bytes) -> None:
    assert find(data) is None


@given(st.sampled_from([*EXTENSIONS, None]), st.binary(max_size=400), st.integers(0, 400))
def test_any_bytes_give_an_offset_inside_them_or_nothing(kind: str | None, noise: bytes, cut: int) -> None:
    for data in (noise, with_segments(jpeg(), APP11)[:cut] + noise, HEIF[:cut] + noise, TIFF[:cut] + noise):
        found = find_manifest_store(data, kind)
        assert found is None or 0 <= found.offset < len(data)
        fault(data)
        if found:
            fault(found.data)


def test_looking_takes_less_than_a_millisecond_for_large_files() -> None:
    noise = Image.effect_noise((3000, 2000), 90).convert("RGB")
    for kind in ("JPEG", "PNG"):
        buffer = io.BytesIO()
        noise.save(buffer, kind)
        data = buffer.getvalue()
        taken = []
        for _ in range(7):
            start = time.process_time()
            assert find(data) is None
            taken.append(time.process_time() - start)
        assert len(data) > 3_000_000
        assert min(taken) < 0.001


def test_a_store_split_over_segments_is_joined() -> None:
    content = box(b"cbor", bytes(range(20)) * 20)
    store = struct.pack(">I4s", 8 + len(DESCRIPTION) + len(content), b"jumb") + DESCRIPTION + content
    parts = [store[:100], store[:8] + store[100:250], store[:8] + store[250:]]
    split = [segment(0xEB, b"JP\0\x01" + struct.pack(">I", n) + part) for n, part in enumerate(parts, 1)]
    other = segment(0xEB, b"JP\0\x02\0\0\0\x01" + box(b"jumb", b"else"))
    found = find(with_segments(jpeg(), split[0], other, *split[1:]))
    assert found is not None
    assert found.data == store


def test_a_length_far_beyond_the_end_is_found_wherever_it_hides() -> None:
    sound = box(b"jumb", DESCRIPTION + box(b"cbor", b"\xa1\x61a\x79\x01\x00" + b"x" * 256))
    lie = box(b"cbor", b"\x82\x01\x7a\xff\xff\xff\xff" + b"x" * 9)
    assert fault(sound) == ""
    assert "length" in fault(sound + box(b"jumb", DESCRIPTION + sound + lie))
    assert fault(box(b"jumb", DESCRIPTION + box(b"bidb", b"\x7a\xff\xff\xff\xff"))) == ""
    assert "more than" in fault(box(b"jumb", b"") * 200_000)

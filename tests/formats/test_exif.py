from __future__ import annotations

import logging
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsfwforensics.formats import tiff
from nsfwforensics.formats.exif import read_exif, user_comment
from nsfwforensics.formats.fields import Collector, Field, Rational
from tests.formats import make

BLOCK = make.exif(
    {0x010F: "Maker", 0x0110: "Model 1", 0x0112: 6},
    {0x9003: "2020:01:02 03:04:05", 0x829A: (1, 60), 0x9209: 16, 0xA431: "SN-1"},
    {1: "N", 2: (48.0, 30.0, 0.0), 0x1D: "2020:01:02"},
)


def read(block: bytes) -> dict[str, Field]:
    out = Collector()
    read_exif(block, "test", out)
    return {f"{field.group} {field.name}": field for field in out.fields}


def directory(*entries: tuple[int, int, int, int], link: int = 0) -> bytes:
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + packed + struct.pack("<I", link)


HEADER = b"II*\0\x08\0\0\0"


def test_values_meanings_and_directories() -> None:
    fields = read(BLOCK)
    assert fields["EXIF IFD0 Make"].value == "Maker"
    assert fields["EXIF IFD0 Orientation"].value == 6
    assert "Rotated 90" in fields["EXIF IFD0 Orientation"].text
    assert fields["EXIF ExifIFD ExposureTime"].value == Rational(1, 60)
    assert fields["EXIF ExifIFD Flash"].text.startswith("Flash did not fire")
    assert fields["EXIF GPS GPSLatitude"].value == (Rational(48, 1), Rational(30, 1), Rational(0, 1))
    assert fields["EXIF ExifIFD BodySerialNumber"].tag == "0xA431"


def test_values_that_exifread_leaves_out_are_filled_in() -> None:
    long = b"ASCII\0\0\0" + b"word " * 500
    fields = read(make.exif({}, {0x9286: long}))
    assert fields["EXIF ExifIFD UserComment"].value == ("word " * 500).rstrip()
    assert fields["EXIF ExifIFD UserComment"].raw == long


@pytest.mark.parametrize(
    ("stored", "order", "text"),
    [
        (b"ASCII\0\0\0hello\0\0", "<", "hello"),
        (b"UNICODE\0" + "grün".encode("utf-16-le"), ">", "grün"),
        (b"UNICODE\0" + "grün".encode("utf-16-be"), "<", "grün"),
        (b"UNICODE\0" + "绿色".encode("utf-16-be"), ">", "绿色"),
        (b"\0\0\0\0\0\0\0\0plain", "<", "plain"),
        (b"no prefix at all", "<", "no prefix at all"),
        (b"", "<", ""),
    ],
)
def test_user_comments_in_their_encodings(stored: bytes, order: str, text: str) -> None:
    assert user_comment(stored, order) == text


def test_an_undefined_ratio_stays_what_it_is() -> None:
    block = HEADER + directory((0x011A, 5, 1, 26)) + struct.pack("<II", 0, 0)
    value = read(block)["EXIF IFD0 XResolution"].value
    assert value == Rational(0, 0)
    assert isinstance(value, Rational)
    assert float(value) != float(value)


def test_the_thumbnail_of_ifd1_is_found() -> None:
    small = make.jpeg(make.picture((32, 24)))
    out = Collector()
    read_exif(make.with_thumbnail(BLOCK, small), "test", out)
    assert [(thumb.source, thumb.data) for thumb in out.thumbnails] == [("EXIF IFD1", small)]


def test_directories_that_point_in_circles_end() -> None:
    out = Collector()
    read_exif(HEADER + directory((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), link=8), "test", out)
    assert any("already read" in note for note in out.result(None, complete=True).notes)


def test_a_damaged_header_or_entry_loses_only_itself() -> None:
    assert read(b"II\x13\0\x08\0\0\0" + directory((0x0112, 3, 1, 3)))["EXIF IFD0 Orientation"].value == 3
    fields = read(HEADER + directory((0x010F, 99, 1, 0), (0x0112, 3, 1, 3), (0x010E, 2, 400, 99_999)))
    assert fields["EXIF IFD0 Orientation"].value == 3


@pytest.mark.parametrize("kind", [1, 2, 5, 7, 12])
def test_blocks_that_ask_for_endless_work_are_read_in_part_and_soon(kind: int) -> None:
    entries = [(0x8000 + i, kind, 999 if kind == 5 else 60_000, 8) for i in range(4000)]
    block = HEADER + directory(*entries) + b"A" * 60_000
    out = Collector()
    start = time.process_time()
    read_exif(block, "test", out)
    assert time.process_time() - start < 8
    assert out.result(None, complete=True).notes
    assert out.fields


def test_exifread_is_kept_from_printing_and_left_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("exifread")
    before = (logger.disabled, logger.level, list(logger.handlers))
    for place in range(8, len(BLOCK), 7):
        read_exif(BLOCK[:place] + b"\xff\xff" + BLOCK[place + 2 :], "test", Collector())
    assert (logger.disabled, logger.level, list(logger.handlers)) == before
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@settings(deadline=None)
@given(st.data())
def test_mutated_blocks_never_raise(data: st.DataObject) -> None:
    block = bytearray(BLOCK)
    for _ in range(data.draw(st.integers(1, 12))):
        block[data.draw(st.integers(2, len(block) - 1))] = data.draw(st.integers(0, 255))
    out = Collector()
    read_exif(bytes(block[: data.draw(st.integers(0, len(block)))]), "test", out)
    assert all(field.group.startswith("EXIF ") for field in out.fields)


@given(
    st.sampled_from(sorted({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13})), st.binary(max_size=100), st.sampled_from("<>")
)
def test_any_bytes_decode_as_any_type(kind: int, data: bytes, order: str) -> None:
    tiff.decode(kind, data, order)

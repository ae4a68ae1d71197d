from __future__ import annotations

import io
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from nsfwforensics.core.media import EXTENSIONS, SNIFF_BYTES, sniff
from nsfwforensics.formats.fields import MAX_FIELDS, Metadata
from nsfwforensics.formats.read import read_metadata
from tests.formats import make

EXIF = make.exif({0x010F: "Maker", 0x0110: "Model"})
PACKET = make.xmp(attributes='xmp:CreatorTool="Tool"')
TOOL = "{http://ns.adobe.com/xap/1.0/}CreatorTool"


def read(data: bytes) -> Metadata:
    return read_metadata(data, sniff(data[:SNIFF_BYTES]))


@pytest.mark.parametrize(
    ("data", "exif_source", "xmp_source"),
    [
        (make.with_segments(make.jpeg(), make.exif_segment(EXIF), make.xmp_segment(PACKET)), "JPEG APP1", "JPEG APP1"),
        (
            make.with_chunks(
                make.png(), make.chunk(b"eXIf", EXIF), make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET)
            ),
            "PNG eXIf",
            "PNG iTXt",
        ),
        (make.webp(exif=EXIF, xmp=PACKET), "WebP EXIF", "WebP XMP"),
        (make.heif(EXIF, PACKET), "HEIF item 1", "HEIF item 2"),
    ],
    ids=["jpeg", "png", "webp", "heif"],
)
def test_exif_and_xmp_are_found_in_every_container(data: bytes, exif_source: str, xmp_source: str) -> None:
    table = read(data)
    make_field, tool = table.first("EXIF IFD0", "0x010F"), table.first("XMP", TOOL)
    assert make_field is not None
    assert tool is not None
    assert (make_field.source, make_field.value, make_field.name) == (exif_source, "Maker", "Make")
    assert (tool.source, tool.group, tool.value) == (xmp_source, "XMP http://ns.adobe.com/xap/1.0/", "Tool")
    assert make_field.offset is not None
    assert data[make_field.offset : make_field.offset + 2] in (b"II", b"MM")
    assert table.complete
    assert table.end == len(data)


def test_tiff_entries_hold_xmp_iptc_and_icc() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = make.picture((8, 8))
    buffer = io.BytesIO()
    image.save(buffer, "TIFF", tiffinfo={700: PACKET, 33723: make.iptc_record(2, 80, b"Jane")}, icc_profile=profile)
    table = read(buffer.getvalue())
    assert table.first("XMP", TOOL) is not None
    byline = table.first("IPTC-IIM", "2:80")
    assert byline is not None
    assert byline.value == "Jane"
    assert table.first("ICC profile", "ProfileDescription") is not None


def test_jpeg_comment_photoshop_icc_and_extended_xmp() -> None:
    extension = make.xmp("<dc:source>far away</dc:source>")
    digest = "0123456789ABCDEF" * 2
    part = digest.encode() + len(extension).to_bytes(4, "big") + b"\0\0\0\0" + extension
    thumbnail = make.jpeg(make.picture((32, 24)))
    data = make.with_segments(
        make.jpeg(icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
        make.segment(0xFE, b"a comment\0"),
        make.photoshop_segment(
            make.resource(0x0404, make.iptc_record(2, 120, b"caption")), make.resource(0x040C, bytes(28) + thumbnail)
        ),
        make.xmp_segment(make.xmp(attributes=f'xmpNote:HasExtendedXMP="{digest}"')),
        make.segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + part),
    )
    table = read(data)
    found = {field.name: field for field in table.fields}
    assert found["Comment"].group == "JPEG COM"
    assert found["Comment"].value == "a comment"
    assert found["Caption-Abstract"].source == "JPEG APP13"
    assert found["source"].source == "JPEG APP1 (extended XMP)"
    assert "sRGB" in str(found["ProfileDescription"].value)
    assert [(thumb.source, thumb.data) for thumb in table.thumbnails] == [("Photoshop resource 0x040C", thumbnail)]


def test_png_text_time_and_imagemagick_profiles() -> None:
    profile = f"\nexif\n{len(EXIF) + 6:8d}\n" + (b"Exif\0\0" + EXIF).hex()
    data = make.with_chunks(
        make.png(),
        make.chunk(b"tEXt", b"Software\0gnome-screenshot"),
        make.chunk(b"tIME", b"\x07\xe4\x01\x02\x03\x04\x05"),
        make.chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile.encode())),
    )
    table = read(data)
    software, when = table.first("PNG tEXt", "Software"), table.first("PNG tIME", "tIME")
    assert software is not None
    assert when is not None
    assert (software.value, when.value) == ("gnome-screenshot", "2020:01:02 03:04:05")
    maker = table.first("EXIF IFD0", "0x010F")
    assert maker is not None
    assert maker.source == "PNG zTXt (Raw profile type exif)"


def test_heif_written_by_the_library_is_read() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(make.picture((64, 64))).save(buffer, exif=b"Exif\0\0" + EXIF, xmp=PACKET)
    table = read(buffer.getvalue())
    assert table.first("EXIF IFD0", "0x0110") is not None
    assert table.first("XMP", TOOL) is not None


def test_what_stands_after_the_end_of_the_image_adds_nothing() -> None:
    for data in (make.jpeg(), make.png(), make.webp()):
        before = read(data)
        after = read(data + make.exif_segment(EXIF) + make.chunk(b"tEXt", b"Software\0GIMP"))
        assert after.fields == before.fields
        assert after.end == len(data)


def test_refused_parts_become_notes_and_the_rest_is_read() -> None:
    data = make.with_segments(
        make.jpeg(), make.xmp_segment(b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), make.exif_segment(EXIF)
    )
    table = read(data)
    assert any("XMP" in note for note in table.notes)
    assert table.first("EXIF IFD0", "0x010F") is not None


def test_more_values_than_the_limit_are_counted() -> None:
    data = make.with_chunks(make.png(), *(make.chunk(b"tEXt", b"k\0%d" % number) for number in range(MAX_FIELDS + 100)))
    table = read(data)
    assert len(table.fields) == MAX_FIELDS
    assert table.limits == ("The PNG file holds 20,100 parts of the kind tEXt; only the first 20,000 were read.",)


def test_many_decompression_bombs_stay_within_the_memory_limit() -> None:
    bomb = make.chunk(b"zTXt", b"k\0\0" + zlib.compress(b"A" * 20_000_000, 9))
    table = read(make.with_chunks(make.png(), bomb * 40))
    assert table.dropped > 30
    assert sum(len(field.words) for field in table.fields) < 64_000_000


BASES = [
    make.with_segments(
        make.jpeg(), make.exif_segment(make.with_thumbnail(EXIF, make.jpeg(Image.new("RGB", (16, 16))))),
        make.xmp_segment(PACKET), make.photoshop_segment(make.resource(0x0404, make.iptc_record(2, 80, b"J"))),
    ),
    make.with_chunks(make.png(), make.chunk(b"eXIf", EXIF), make.chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x"))),
    make.webp(exif=EXIF, xmp=PACKET),
    make.heif(EXIF, PACKET),
]  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_mutated_files_of_every_format_are_read_without_an_exception(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(BASES)))
    for _ in range(data.draw(st.integers(1, 10))):
        content[data.draw(st.integers(0, min(len(content), 1500) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(0, len(content))) :]
    media_type = data.draw(st.sampled_from([*EXTENSIONS, None]))
    table = read_metadata(bytes(content), media_type)
    assert all(isinstance(field.words, str) for field in table.fields)


@pytest.mark.shared_data
def test_fuzzed_files_pass_through_every_parser(shared_data: Path) -> None:
    slowest = 0.0
    count = 0
    for path in sorted((shared_data / "hostile" / "fuzzed").iterdir()):
        data = path.read_bytes()
        count += 1
        for media_type in EXTENSIONS:
            start = time.process_time()
            read_metadata(data, media_type)
            slowest = max(slowest, time.process_time() - start)
    assert count > 600
    assert slowest < 3

"""Metadata as careless and unusual software writes it: in several segments, behind odd headers, in any encoding."""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsfwforensics.core.media import sniff
from nsfwforensics.formats import iptc, isobmff, xmp
from nsfwforensics.formats.fields import Metadata
from nsfwforensics.formats.read import read_metadata
from tests.analyzers import provenance_files as files
from tests.formats import hostile, make

EXIF = make.exif({0x010F: "Maker"})
TOOL = f"{{{xmp.XMP}}}CreatorTool"
PACKET = make.xmp(attributes='xmp:CreatorTool="Tool"')
TEXT = PACKET.decode()
JANE = make.resource(0x0404, make.iptc_record(2, 80, b"Jane"))


def read(data: bytes, media_type: str | None = None) -> Metadata:
    return read_metadata(data, media_type or sniff(data[:64]))


def value(table: Metadata, group: str, tag: str) -> object:
    field = table.first(group, tag)
    return None if field is None else field.value


def jpeg(*segments: bytes) -> Metadata:
    return read(make.with_segments(make.jpeg(), *segments))


def png(*chunks: bytes) -> Metadata:
    return read(make.with_chunks(make.png(), *chunks))


# EXIF


def app1(body: bytes) -> bytes:
    return make.segment(0xE1, body)


@pytest.mark.parametrize("size", [65_000, 20_000, 300, 40])
def test_exif_that_goes_on_in_further_segments_is_one_block(size: int) -> None:
    comment = files.unicode_comment("a long prompt," * 9_000)
    block = make.exif({0x0131: "Painter"}, {0x9286: comment[: 150 * size]})
    segments = [app1(b"Exif\0\0" + block[at : at + size]) for at in range(0, len(block), size)]
    table = jpeg(*segments)
    assert value(table, "EXIF IFD0", "0x0131") == "Painter"
    assert str(value(table, "EXIF ExifIFD", "0x9286")).startswith("a long prompt,a long prompt")
    assert len(str(value(table, "EXIF ExifIFD", "0x9286"))) == (len(comment[: 150 * size]) - 8) // 2
    assert table.notes == ()


def test_exif_blocks_of_their_own_are_each_read_and_the_first_speaks_first() -> None:
    first, second = make.exif({0x010F: "Maker", 0x0132: "2007:04:08 15:25:46"}), make.exif({0x0131: "Viewer 0.3"})
    for order in ((first, second), (second, first)):
        table = jpeg(*(make.exif_segment(block) for block in order))
        assert value(table, "EXIF IFD0", "0x010F") == "Maker"
        assert value(table, "EXIF IFD0", "0x0131") == "Viewer 0.3"
        assert table.notes == ()
    assert (
        value(jpeg(make.exif_segment(EXIF), make.exif_segment(make.exif({0x010F: "B"}))), "EXIF IFD0", "0x010F")
        == "Maker"
    )


def test_a_broken_exif_segment_takes_no_sound_one_with_it() -> None:
    broken = app1(b"Exif\0\0" + b"\1" * 40)
    for segments in ((broken, make.exif_segment(EXIF)), (make.exif_segment(EXIF), broken)):
        table = jpeg(*segments)
        assert value(table, "EXIF IFD0", "0x010F") == "Maker"
        assert any("no EXIF block" in note for note in table.unread)


def test_exif_that_ends_too_early_is_said() -> None:
    block = make.exif({0x010F: "Maker" * 40})
    table = jpeg(app1(b"Exif\0\0" + block[:-60]))
    assert str(value(table, "EXIF IFD0", "0x010F")).startswith("MakerMaker")
    assert any("cut short" in note for note in table.notes)


@pytest.mark.parametrize(
    ("body", "noted"),
    [
        (b"EXIF\0\0" + EXIF, False),
        (b"Exif\0\xff" + EXIF, False),
        (b"Exif\0" + EXIF, True),
        (b"\0\0Exif\0\0" + EXIF, True),
        (EXIF, False),
    ],
    ids=["upper case", "other filler", "one NUL", "garbage before", "no header"],
)
def test_exif_behind_another_header_in_its_segment(body: bytes, noted: bool) -> None:
    table = jpeg(app1(body))
    assert value(table, "EXIF IFD0", "0x010F") == "Maker"
    assert any("begins" in note for note in table.notes) is noted


def test_exif_outside_its_home_is_none() -> None:
    for marker in (0xFE, 0xE4, 0xEF):
        assert not list(jpeg(make.segment(marker, b"Exif\0\0" + EXIF)).find("EXIF", "0x010F"))


def webp(kind: bytes, body: bytes, *, padded: bool = True) -> bytes:
    chunk = kind + struct.pack("<I", len(body)) + body + (b"\0" * (len(body) & 1) if padded else b"")
    inside = b"WEBP" + chunk + make.webp()[12:]
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


@pytest.mark.parametrize("body", [EXIF, b"Exif\0\0" + EXIF, b"\0\0" + EXIF])
def test_webp_exif_with_and_without_header(body: bytes) -> None:
    assert value(read(webp(b"EXIF", body)), "EXIF IFD0", "0x010F") == "Maker"


@pytest.mark.parametrize("kind", [b"XMP ", b"XMP\0"])
def test_webp_xmp_under_both_names_and_without_padding(kind: bytes) -> None:
    assert value(read(webp(kind, PACKET)), "XMP", TOOL) == "Tool"
    odd = PACKET + b" " * (1 - len(PACKET) % 2)
    table = read(webp(kind, odd, padded=False))
    assert value(table, "XMP", TOOL) == "Tool"
    assert any("not padded" in note for note in table.notes)


@pytest.mark.parametrize(
    ("lead", "noted"),
    [
        (b"\0\0\0\0", False), (b"\0\0\0\6Exif\0\0", False), (b"\0\0\0\0Exif\0\0", False), (b"\0\0\0\4\1\2\3\4", False),
        (b"", True), (b"Exif\0\0", True), (b"\0\0\xff\xff", True), (b"\xff\xff\xff\xff", True),
    ],
)  # fmt: skip
def test_heif_exif_with_a_right_a_wrong_and_no_offset_field(lead: bytes, noted: bool) -> None:
    table = read(heif(b"Exif", b"\0", lead + EXIF))
    assert value(table, "EXIF IFD0", "0x010F") == "Maker"
    assert any("missing or wrong" in note for note in table.notes) is noted


def heif(kind: bytes, names: bytes, body: bytes) -> bytes:
    """A HEIF skeleton with one item."""
    info = make.box(b"infe", b"\2\0\0\0\0\1\0\0" + kind + names)
    head = make.box(b"ftyp", b"heic\0\0\0\0heicmif1")
    start = len(head) + 8 + 4 + len(make.box(b"iinf", b"\0\0\0\0\0\1" + info)) + 8 + 8 + 6 + 8 + 8

    def meta(at: int) -> bytes:
        place = b"\0\0\0\0\x44\0\0\1" + b"\0\1\0\0\0\1" + at.to_bytes(4, "big") + len(body).to_bytes(4, "big")
        return make.box(b"meta", b"\0\0\0\0" + make.box(b"iinf", b"\0\0\0\0\0\1" + info) + make.box(b"iloc", place))

    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + make.box(b"mdat", body)


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (b"ASCII   a boat", "a boat"),
        (b"ascii\0\0\0a boat", "a boat"),
        (b"UNICODE\0" + b"a boat on the lake", "a boat on the lake"),
        (b"UNICODE\0" + "ein Bööt auf dem See".encode(), "ein Bööt auf dem See"),
        (b"UNICODE\0" + b"\xfe\xff" + "a boat".encode("utf-16-be"), "a boat"),
        (b"Unicode\0" + "a boat".encode("utf-16-le"), "a boat"),
        (b"UNICODE\0" + "绿色的船在湖上".encode("utf-16-be"), "绿色的船在湖上"),
        (b"ASCII\0\0\0" + "ein Bööt".encode(), "ein Bööt"),
    ],
)
@pytest.mark.parametrize("kind", [1, 2, 7])
def test_user_comments_by_other_spellings_in_any_type_and_directory(stored: bytes, text: str, kind: int) -> None:
    body = struct.pack(">HHII", 0x9286, kind, len(stored), 26)
    table = jpeg(app1(b"Exif\0\0MM\0*\0\0\0\x08\0\1" + body + bytes(4) + stored))
    assert value(table, "EXIF IFD0", "0x9286") == text


# XMP


def extension(packet: bytes, size: int, digest: str = "") -> list[bytes]:
    name = (digest or hashlib.md5(packet, usedforsecurity=False).hexdigest().upper()).encode()
    return [
        app1(xmp.JPEG_EXTENSION_HEADER + name + struct.pack(">II", len(packet), at) + packet[at : at + size])
        for at in range(0, len(packet), size)
    ]


def announcing(*digests: str) -> list[bytes]:
    return [make.xmp_segment(make.xmp(attributes=f'xmpNote:HasExtendedXMP="{digest}"')) for digest in digests]


def test_extended_xmp_of_several_packets_and_in_any_order() -> None:
    one, two = make.xmp("<dc:source>one</dc:source>"), make.xmp("<dc:source>two</dc:source>")
    parts = [*reversed(extension(one, 200, "A" * 32)), *extension(two, 300, "B" * 32)]
    table = jpeg(*announcing("a" * 32, "B" * 32), *parts)
    assert {field.value for field in table.find("XMP", f"{{{xmp.DC}}}source")} == {"one", "two"}
    assert table.notes == ()


def test_extended_xmp_that_is_not_announced_or_not_complete_or_not_there_is_said() -> None:
    packet = make.xmp("<dc:source>one</dc:source><dc:format>two</dc:format>" + "<dc:type>three</dc:type>" * 30)
    alone = jpeg(*extension(packet, 500))
    assert value(alone, "XMP", f"{{{xmp.DC}}}source") == "one"
    assert any("does not announce" in note for note in alone.notes)
    digest = "C" * 32
    partly = jpeg(*announcing(digest), *extension(packet, 1200, digest)[:1])
    assert value(partly, "XMP", f"{{{xmp.DC}}}source") == "one"
    assert any("missing" in note for note in partly.unread)
    nowhere = jpeg(*announcing(digest))
    assert any("missing" in note for note in nowhere.unread)


@pytest.mark.parametrize(
    "packet",
    [
        TEXT.encode("utf-8-sig"),
        *(TEXT.encode(encoding) for encoding in (
            "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be",
        )),
        TEXT.replace("\ufeff", "").encode("utf-16-be"),
        ('<?xml version="1.0" encoding="UTF-16"?>' + TEXT).encode("utf-16"),
        ('<?xml version="1.0" encoding="UTF-8"?>' + TEXT).encode(),
        b"\0\0\0" + PACKET + bytes(500),
        PACKET.replace(b"<?xpacket end", bytes(300) + b"<?xpacket end"),
        PACKET + b" \n" * 2000,
        b" \n\t" + PACKET,
        PACKET.partition(b"?>")[2].rpartition(b"<?")[0],
    ],
)  # fmt: skip
def test_every_encoding_and_padding_of_a_sound_packet_is_read_without_a_note(packet: bytes) -> None:
    table = jpeg(make.xmp_segment(packet))
    assert value(table, "XMP", TOOL) == "Tool"
    assert table.notes == ()


BROKEN: dict[str, bytes] = {
    "Latin-1 in an attribute": make.xmp(
        "<dc:source>x</dc:source>", 'xmp:CreatorTool="Tool" xmp:Label="Aim&#233;"'
    ).replace(b"&#233;", b"\xe9"),
    "a control character": make.xmp("<dc:source>a\1b</dc:source>", 'xmp:CreatorTool="Tool"'),
    "a NUL inside": make.xmp("<dc:source>a\0b</dc:source>", 'xmp:CreatorTool="Tool"'),
    "an ampersand": make.xmp("<dc:source>A & B</dc:source>", 'xmp:CreatorTool="Tool"'),
    "an unknown entity": make.xmp("<dc:source>A&nbsp;B</dc:source>", 'xmp:CreatorTool="Tool"'),
    "an angle bracket": make.xmp("<dc:source>1 < 2</dc:source>", 'xmp:CreatorTool="Tool"'),
    "an angle bracket in an attribute": make.xmp("", 'xmp:Label="1 < 2" xmp:CreatorTool="Tool"'),
    "a prefix nobody declared": make.xmp("<foo:bar>x</foo:bar>", 'xmp:CreatorTool="Tool"'),
    "an attribute twice": make.xmp("", 'xmp:CreatorTool="Tool" xmp:CreatorTool="Tool"'),
    "a tag nobody closes": make.xmp("<dc:source>x", 'xmp:CreatorTool="Tool"'),
    "an end nobody opened": make.xmp("</dc:source>", 'xmp:CreatorTool="Tool"'),
    "tags that cross": make.xmp("<dc:a><dc:b></dc:a></dc:b>", 'xmp:CreatorTool="Tool"'),
    "an end that is missing": make.xmp("<dc:source>x</dc:source>", 'xmp:CreatorTool="Tool"')[:-60],
    "text behind the end": PACKET + b"<more>",
    "no declaration at all": b'<rdf:RDF><rdf:Description xmp:CreatorTool="Tool"/></rdf:RDF>',
    "no end of a comment": make.xmp("<!-- x", 'xmp:CreatorTool="Tool"'),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_is_not_well_formed_is_read_around_with_a_note(name: str) -> None:
    table = jpeg(make.xmp_segment(BROKEN[name]))
    assert value(table, "XMP", TOOL) == "Tool"
    (note,) = table.notes
    assert "not well-formed" in note
    assert table.unread == ()


def test_a_value_behind_the_fault_is_read_and_bytes_of_latin_1_are_letters() -> None:
    packet = make.xmp("<dc:description>Aim@ Breton</dc:description><xmp:CreatorTool>Tool</xmp:CreatorTool>")
    table = jpeg(make.xmp_segment(packet.replace(b"@", b"\xe9")))
    assert value(table, "XMP", f"{{{xmp.DC}}}description") == "Aimé Breton"
    assert value(table, "XMP", TOOL) == "Tool"


@given(place=st.integers(0, len(PACKET) - 1), byte=st.integers(0, 255))
@settings(deadline=None, max_examples=200)
def test_one_changed_byte_loses_no_more_than_its_note_says(place: int, byte: int) -> None:
    table = read(hostile.jpeg(make.xmp_segment(PACKET[:place] + bytes((byte,)) + PACKET[place + 1 :])))
    names = {field.value for field in table.fields if field.group.startswith("XMP")}
    assert names or table.notes or b"Tool" not in PACKET[:place] + PACKET[place + 1 :]


def test_a_packet_with_a_dtd_is_refused_and_said_to_be_unread() -> None:
    table = jpeg(make.xmp_segment(PACKET.replace(b"<x:", b'<!DOCTYPE x [<!ENTITY a "b">]><x:', 1)))
    assert value(table, "XMP", TOOL) is None
    assert any("DTD" in note for note in table.unread)


def test_the_header_that_photo_sites_know_is_nothing_unusual() -> None:
    for header in xmp.JPEG_HEADERS:
        table = jpeg(app1(header + PACKET))
        assert value(table, "XMP", TOOL) == "Tool"
        assert table.notes == ()


@pytest.mark.parametrize("header", [b"", b"XMP\0", b"http://ns.adobe.com/xap/1.0\0", b"http://ns.adobe.com/xap/1.0/"])
def test_xmp_behind_another_header_in_its_segment(header: bytes) -> None:
    table = jpeg(app1(header + PACKET))
    assert value(table, "XMP", TOOL) == "Tool"
    assert any("unusual header" in note for note in table.notes)


def test_xmp_in_a_gif_blocked_like_other_data() -> None:
    blocks = b"".join(bytes((len(PACKET[at : at + 255]),)) + PACKET[at : at + 255] for at in range(0, len(PACKET), 255))
    data = b"GIF89a\1\0\1\0\0\0\0!\xff\x0bXMP DataXMP" + blocks + b"\0;"
    assert value(read(data), "XMP", TOOL) == "Tool"


def test_bytes_that_gif_decoders_pass_over_hide_nothing() -> None:
    packet = b"!\xff\x0bXMP DataXMP" + PACKET + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    table = read(b"GIF89a\1\0\1\0\0\0\0" + b"\0\0\7" + packet + b";")
    assert value(table, "XMP", TOOL) == "Tool"
    assert table.complete
    assert any("belong to no GIF block" in note for note in table.notes)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        (b"", bytes), (b"deflate", zlib.compress), (b"deflate", lambda data: zlib.compress(data)[2:-4]),
        (b"gzip", gzip.compress), (b"compress_zlib", zlib.compress),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [b"application/rdf+xml", b"Application/RDF+XML", b"text/xml"])
def test_xmp_items_of_heif_in_each_encoding(encoding: bytes, pack: Callable[[bytes], bytes], kind: bytes) -> None:
    table = read(heif(b"mime", b"\0" + kind + b"\0" + encoding + b"\0", pack(PACKET)))
    assert value(table, "XMP", TOOL) == "Tool"
    assert table.notes == ()


def test_an_item_in_an_unknown_encoding_is_said_to_be_unread() -> None:
    table = read(heif(b"mime", b"\0application/rdf+xml\0br\0", PACKET))
    assert any("not read here" in note for note in table.unread)


# IPTC and Photoshop


BROKEN_RESOURCE = b"8BIM\x04\x25\0\0\0\0" + b"p\0" + b"\1" * 30


@pytest.mark.parametrize(
    "order", [(BROKEN_RESOURCE, JANE), (JANE, BROKEN_RESOURCE), (b"8BIM\4", JANE), (b"junk", JANE)]
)
def test_a_broken_photoshop_segment_takes_no_sound_one_with_it(order: tuple[bytes, bytes]) -> None:
    table = jpeg(*map(make.photoshop_segment, order))
    assert value(table, "IPTC-IIM", "2:80") == "Jane"
    assert any("Photoshop image resource" in note for note in table.notes)


@pytest.mark.parametrize("order", [BROKEN_RESOURCE + JANE, JANE + BROKEN_RESOURCE, JANE + b"junk", b"\0" + JANE])
def test_a_broken_resource_takes_no_sound_one_with_it(order: bytes) -> None:
    table = jpeg(make.photoshop_segment(order))
    assert value(table, "IPTC-IIM", "2:80") == "Jane"
    assert any("Photoshop image resource" in note for note in table.notes)


@pytest.mark.parametrize("size", [7, 100, 1000])
def test_resources_split_anywhere_over_segments_are_one_block(size: int) -> None:
    block = make.resource(0x0BB7, bytes(range(256)) * 8, b"name") + JANE
    table = jpeg(*(make.photoshop_segment(block[at : at + size]) for at in range(0, len(block), size)))
    assert value(table, "IPTC-IIM", "2:80") == "Jane"
    assert table.notes == ()


def test_a_resource_that_swallows_the_next_segment_hides_nothing() -> None:
    swallowing = b"8BIM\x04\x25\0\0" + (30 + len(JANE)).to_bytes(4, "big") + b"\1" * 30
    assert value(jpeg(make.photoshop_segment(swallowing), make.photoshop_segment(JANE)), "IPTC-IIM", "2:80") == "Jane"


@pytest.mark.parametrize(
    "broken", [b"\x1c\2\x78\xff\xff", b"\x1c\2\x78\0\x50", b"\0\0\0", b"junk", b"\x1c\2\x78\x80\x09" + b"\xff" * 9]
)
def test_a_broken_data_set_takes_no_sound_one_with_it(broken: bytes) -> None:
    found = iptc.records(broken + make.iptc_record(2, 80, b"Jane"))
    assert found.items[-1].text == "Jane"
    assert any("IPTC data set" in note for note in found.notes)


def test_padding_is_no_fault_of_resources_and_data_sets() -> None:
    assert iptc.records(make.iptc_record(2, 80, b"Jane") + bytes(9)).notes == ()
    assert iptc.resources(JANE + bytes(9)).notes == ()


def test_photoshops_older_header_and_iptc_in_a_swapped_tiff_entry() -> None:
    for header in (b"Adobe_Photoshop2.5:", b"Photosh\xd6p 3.0\0", b""):
        table = jpeg(make.segment(0xED, header + JANE))
        assert value(table, "IPTC-IIM", "2:80") == "Jane"
    record = make.iptc_record(2, 80, b"Jane") + bytes(3)
    swapped = b"".join(record[at : at + 4][::-1] for at in range(0, len(record), 4))
    assert iptc.records(swapped).items[0].text == "Jane"


# PNG


def profile(kind: str, block: bytes, length: int | None = None) -> str:
    digits = block.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return f"\n{kind}\n{len(block) if length is None else length:8d}\n{lines}\n"


def text_chunks(keyword: bytes, text: str) -> dict[str, bytes]:
    body = text.encode()
    return {
        "tEXt": make.chunk(b"tEXt", keyword + b"\0" + body),
        "zTXt": make.chunk(b"zTXt", keyword + b"\0\0" + zlib.compress(body)),
        "iTXt": make.chunk(b"iTXt", keyword + b"\0\0\0\0\0" + body),
        "iTXt, compressed": make.chunk(b"iTXt", keyword + b"\0\1\0\0\0" + zlib.compress(body)),
    }


PROFILES: dict[str, tuple[bytes, str, str, str]] = {
    "APP1 with EXIF": (b"Exif\0\0" + EXIF, "EXIF IFD0", "0x010F", "Maker"),
    "APP1 with XMP": (xmp.JPEG_HEADERS[0] + PACKET, "XMP", TOOL, "Tool"),
    "exif": (b"Exif\0\0" + EXIF, "EXIF IFD0", "0x010F", "Maker"),
    "exif, raw": (EXIF, "EXIF IFD0", "0x010F", "Maker"),
    "xmp": (PACKET, "XMP", TOOL, "Tool"),
    "xmp, UTF-16": (TEXT.encode("utf-16"), "XMP", TOOL, "Tool"),
    "iptc": (JANE, "IPTC-IIM", "2:80", "Jane"),
    "iptc with a header": (b"Photoshop 3.0\0" + JANE, "IPTC-IIM", "2:80", "Jane"),
    "iptc, raw": (make.iptc_record(2, 80, b"Jane"), "IPTC-IIM", "2:80", "Jane"),
    "8bim": (JANE, "IPTC-IIM", "2:80", "Jane"),
    "APP13": (b"Photoshop 3.0\0" + JANE, "IPTC-IIM", "2:80", "Jane"),
    "exif that is XMP": (PACKET, "XMP", TOOL, "Tool"),
}


@pytest.mark.parametrize("name", sorted(PROFILES))
@pytest.mark.parametrize("chunk", ["tEXt", "zTXt", "iTXt", "iTXt, compressed"])
def test_raw_profiles_are_read_by_what_they_hold(name: str, chunk: str) -> None:
    block, group, tag, wanted = PROFILES[name]
    kind = name.partition(" ")[0].rstrip(",")
    for keyword in (f"Raw profile type {kind}", f"raw profile type {kind.upper()}"):
        table = png(text_chunks(keyword.encode(), profile(kind, block))[chunk])
        assert value(table, group, tag) == wanted
        assert table.notes == ()


def test_a_raw_profile_of_another_length_or_of_no_digits_is_said() -> None:
    table = png(text_chunks(b"Raw profile type exif", profile("exif", EXIF, 9))["zTXt"])
    assert value(table, "EXIF IFD0", "0x010F") == "Maker"
    assert any("announces 9 bytes" in note for note in table.notes)
    nothing = png(text_chunks(b"Raw profile type exif", "\nexif\n 5\nxyz")["zTXt"])
    assert any("no profile" in note for note in nothing.unread)


@pytest.mark.parametrize("chunk", ["tEXt", "zTXt", "iTXt", "iTXt, compressed"])
@pytest.mark.parametrize("keyword", [b"XML:com.adobe.xmp", b"xml:COM.adobe.XMP"])
def test_xmp_in_every_kind_of_text(chunk: str, keyword: bytes) -> None:
    assert value(png(text_chunks(keyword, TEXT)[chunk]), "XMP", TOOL) == "Tool"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-be"])
def test_xmp_in_international_text_that_is_not_utf_8(encoding: str) -> None:
    table = png(make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + TEXT.encode(encoding)))
    assert value(table, "XMP", TOOL) == "Tool"


def test_international_text_without_all_its_fields_is_read_with_a_note() -> None:
    table = png(make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0" + PACKET))
    assert value(table, "XMP", TOOL) == "Tool"
    assert any("lacks" in note for note in table.notes)


@pytest.mark.parametrize("damage", [lambda body: body[:-1] + b"\0", lambda body: body[:-4], lambda body: body[:-7]])
def test_compressed_text_is_read_up_to_its_damage(damage: Callable[[bytes], bytes]) -> None:
    body = damage(zlib.compress(PACKET + b" " * 50_000))
    table = png(make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + body))
    assert value(table, "XMP", TOOL) == "Tool"
    assert any("compressed data" in note for note in table.notes)


@pytest.mark.parametrize("body", [EXIF, b"Exif\0\0" + EXIF])
def test_exif_in_png_with_and_without_header(body: bytes) -> None:
    assert value(png(make.chunk(b"eXIf", body)), "EXIF IFD0", "0x010F") == "Maker"


# Samsung's trailer, and the end of a file


GALAXY = files.galaxy()
HEIC = make.heif(EXIF, PACKET)


@pytest.mark.parametrize(
    "data",
    [
        make.jpeg() + GALAXY,
        make.png() + GALAXY,
        make.webp() + GALAXY,
        b"GIF89a\1\0\1\0\0\0\0;" + GALAXY,
        HEIC + GALAXY,
        HEIC + make.box(b"mpvd", make.box(b"ftyp", b"mp42") + bytes(64) + GALAXY),
        HEIC + make.box(b"sefd", GALAXY),
        HEIC + make.box(b"mpvd", bytes(64)) + make.box(b"sefd", GALAXY) + bytes(16),
        HEIC + b"more" + GALAXY + b"and more",
    ],
    ids=["jpeg", "png", "webp", "gif", "heic", "mpvd", "sefd", "mpvd and sefd", "between bytes"],
)
def test_samsungs_trailer_is_read_in_every_format(data: bytes) -> None:
    table = read(data)
    assert value(table, "Samsung trailer", "PEg_Info") == '{"genImageVersion":"v1","genAIType":8}'
    assert table.complete
    assert table.notes == ()


def test_a_trailer_elsewhere_in_a_heic_file_is_none() -> None:
    for kind in (b"free", b"mdat", b"uuid"):
        assert value(read(HEIC + make.box(kind, bytes(16) + GALAXY)), "Samsung trailer", "PEg_Info") is None


def test_a_block_that_is_not_where_the_directory_says_is_said() -> None:
    table = read(make.jpeg() + GALAXY[30:])
    assert any("Samsung" in note for note in table.notes)


@pytest.mark.parametrize(
    "tail",
    [
        b"\n<watermark>\n</watermark>\n",
        bytes(16),
        b"x",
        b"\0\0\0\0",
        b"PK\3\4" + bytes(200),
        b"\0\0\1\0text" + bytes(9),
    ],
)
def test_bytes_behind_the_last_box_are_a_trailer_and_no_sign_of_a_short_file(tail: bytes) -> None:
    table = read(HEIC + tail)
    assert table.complete
    assert table.end == len(HEIC)
    assert table.notes == ()


@pytest.mark.parametrize("lost", [1, 40, len(PACKET) + 30])
def test_a_file_that_ends_inside_its_data_is_short(lost: int) -> None:
    table = read(HEIC[:-lost])
    assert not table.complete
    assert table.end is None
    assert any("ends" in note for note in table.notes)


def test_a_file_whose_last_box_has_no_length_and_whose_items_lie_behind_its_end_is_short() -> None:
    level = isobmff.read_boxes(HEIC)
    at = level.boxes[-1].offset
    open_ended = HEIC[:at] + bytes(4) + HEIC[at + 4 :]
    assert read(open_ended).complete
    assert not read(open_ended[:-30]).complete


def test_the_boxes_of_jpeg_xl_are_read_compressed_or_not() -> None:
    head = make.box(b"JXL ", b"\r\n\x87\n") + make.box(b"ftyp", b"jxl \0\0\0\0jxl ")
    data = head + make.box(b"Exif", bytes(4) + EXIF) + make.box(b"xml ", PACKET) + make.box(b"jxlc", b"\xff\n")
    table = read(data, "image/jxl")
    assert value(table, "EXIF IFD0", "0x010F") == "Maker"
    assert value(table, "XMP", TOOL) == "Tool"
    assert (table.end, table.complete, table.notes) == (len(data), True, ())
    packed = make.box(b"brob", b"Exif" + brotli.compress(bytes(4) + EXIF)) + make.box(
        b"brob", b"xml " + brotli.compress(PACKET)
    )
    table = read(head + packed + make.box(b"jxlc", b"\xff\n"), "image/jxl")
    assert value(table, "EXIF IFD0", "0x010F") == "Maker"
    assert value(table, "XMP", TOOL) == "Tool"
    assert table.notes == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"xml \x1b\x03", "early"),
        (b"xml " + b"\xff" * 40, "damaged"),
        (b"jumb" + brotli.compress(b"store"), "Brotli"),
    ],
)
def test_a_compressed_box_that_cannot_be_read_is_said_to_be_unread(body: bytes, words: str) -> None:
    head = make.box(b"JXL ", b"\r\n\x87\n") + make.box(b"ftyp", b"jxl \0\0\0\0jxl ")
    assert any(words in note for note in read(head + make.box(b"brob", body), "image/jxl").unread)


def test_a_compressed_box_inflates_up_to_the_limit_of_the_file() -> None:
    head = make.box(b"JXL ", b"\r\n\x87\n") + make.box(b"ftyp", b"jxl \0\0\0\0jxl ")
    bomb = make.box(b"brob", b"xml " + brotli.compress(bytes(200_000_000), quality=1))
    table = read(head + bomb, "image/jxl")
    assert any("longer than the limit" in note for note in table.notes) or table.limits


# Formats that are not decoded here


def psd(*resources: bytes) -> bytes:
    block = b"".join(resources)
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 8, 8, 8, 3)
    return head + bytes(4) + struct.pack(">I", len(block)) + block + bytes(4) + b"\0\0" + bytes(192)


def test_photoshops_own_files_are_read() -> None:
    table = read(psd(JANE, make.resource(0x0424, PACKET), make.resource(0x0422, EXIF)))
    assert value(table, "XMP", TOOL) == "Tool"
    assert value(table, "EXIF IFD0", "0x010F") == "Maker"
    assert any("Jane" in field.words for field in table.fields)
    assert table.complete and not table.unread
    assert not read(psd(JANE)[:50]).complete


@pytest.mark.parametrize("part", ["x:xmpmeta", "rdf:RDF"])
def test_the_packet_in_a_drawing_is_read(part: str) -> None:
    packet = TEXT[TEXT.index(f"<{part}") : TEXT.index(f"</{part}>") + len(part) + 3]
    drawing = f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><metadata>{packet}</metadata></svg>'
    assert value(read(drawing.encode()), "XMP", TOOL) == "Tool"
    assert read(b"<svg><metadata><rdf:RDF></metadata></svg>").fields == ()


def test_of_a_format_that_is_not_read_nobody_is_told_that_it_says_nothing() -> None:
    for data in (b"\x1aE\xdf\xa3" + bytes(40), b"FLV\1" + bytes(40)):
        assert read(data).unread
    assert not read(b"BM" + bytes(40)).unread

"""A limit that is reached is not "there is nothing": fillers hide no label, and what was left out is said."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

import pytest

from nsfwforensics.core.media import sniff
from nsfwforensics.formats import fields, iptc, jpeg, jumbf, parts, samsung, tiff, xmp
from nsfwforensics.formats.fields import Metadata
from nsfwforensics.formats.read import read_metadata
from tests.analyzers import provenance_files as files
from tests.formats import hostile, make

EXIF = make.exif({0x010F: "Maker"})
PACKET = make.xmp(attributes='xmp:CreatorTool="Tool"')
IPTC = make.resource(0x0404, make.iptc_record(2, 80, b"Jane"))
STORE = b"\0\0\0\x30jumb\0\0\0\x20jumd" + jumbf.C2PA_UUID + b"\3c2pa\0\0\0" + bytes(8)
PLACES, STEPS = 300, 3_000
MANY = PLACES + 10

Filler = Callable[[int], bytes]


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same walks with fewer places, so that the files stay small."""
    monkeypatch.setattr(parts, "MAX_PLACES", PLACES)
    monkeypatch.setattr(parts, "MAX_STEPS", STEPS)
    monkeypatch.setattr(tiff, "MAX_ENTRIES", PLACES)
    monkeypatch.setattr(xmp, "MAX_ELEMENTS", 20_000)


def filled(build: Filler, number: int = MANY) -> bytes:
    return b"".join(map(build, range(number)))


def read(data: bytes) -> Metadata:
    return read_metadata(data, sniff(data[:64]))


def homes(table: Metadata) -> set[str]:
    return {field.group.partition(" ")[0] for field in table.fields} & {"EXIF", "XMP", "IPTC-IIM"}


def jpeg_file(filling: bytes) -> bytes:
    behind = [
        make.exif_segment(EXIF), make.xmp_segment(PACKET), make.photoshop_segment(IPTC),
        make.segment(0xEB, b"JP\0\1\0\0\0\1" + STORE),
    ]  # fmt: skip
    return make.with_segments(make.jpeg(), filling, *behind)


def png_file(filling: bytes) -> bytes:
    profile = f"\niptc\n{len(IPTC):8d}\n{IPTC.hex()}\n".encode()
    behind = [
        make.chunk(b"eXIf", EXIF), make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET),
        make.chunk(b"tEXt", b"Raw profile type iptc\0" + profile), make.chunk(b"caBX", STORE),
    ]  # fmt: skip
    return make.with_chunks(make.png(), filling, *behind)


def riff_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def webp_file(filling: bytes) -> bytes:
    chunks = filling + riff_chunk(b"EXIF", EXIF) + riff_chunk(b"XMP ", PACKET) + riff_chunk(b"C2PA", STORE)
    body = make.webp()[8:] + chunks
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_file(filling: bytes) -> bytes:
    trailer = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    packet = b"!\xff\x0bXMP DataXMP" + PACKET + trailer
    store = b"!\xff\x0bC2PA_GIF\1\0\0" + bytes((len(STORE),)) + STORE + b"\0"
    return b"GIF89a\1\0\1\0\0\0\0" + filling + packet + store + b";"


def boxes_file(filling: bytes) -> bytes:
    """Boxes before and inside ``meta``; the items stay where they are said to be."""
    whole = make.heif(EXIF, PACKET)
    return (
        whole
        + filling
        + make.box(b"uuid", bytes.fromhex(jumbf.BMFF_UUID) + bytes(4) + b"manifest\0" + bytes(8) + STORE)
    )


CONTAINERS: dict[str, tuple[Callable[[bytes], bytes], set[str], dict[str, Filler]]] = {
    "jpeg": (jpeg_file, {"EXIF", "XMP", "IPTC-IIM"}, {
        "comments": lambda n: make.segment(0xFE, b"%d" % n),
        "application segments": lambda n: make.segment(0xE1, b"other\0%d" % n),
        "a header of its own each": lambda n: make.segment(0xEF, b"\x80%d" % n),
        "Photoshop's marker": lambda n: make.segment(0xED, b"Adobe_CM%d" % n),
        "bytes between": lambda n: make.segment(0xFE, b"%d" % n) + b"\0",
    }),
    "png": (png_file, {"EXIF", "XMP", "IPTC-IIM"}, {
        "texts": lambda n: make.chunk(b"tEXt", b"k%d\0v" % n),
        "unknown chunks": lambda n: make.chunk(b"ab" + bytes((65 + n % 26, 97 + n // 26 % 26)), b"%d" % n),
    }),
    "webp": (webp_file, {"EXIF", "XMP"}, {"unknown chunks": lambda n: riff_chunk(b"JUNK", b"%06d" % n)}),
    "gif": (gif_file, {"XMP"}, {"comments": lambda n: b"!\xfe\6%06d\0" % n}),
    "heif": (boxes_file, {"EXIF", "XMP"}, {"boxes": lambda n: make.box(b"free", b"%06d" % n)}),
}  # fmt: skip
FILLERS = [(name, kind) for name, (_, _, fillers) in CONTAINERS.items() for kind in fillers]
EMPTY: dict[str, bytes] = {
    "jpeg": make.segment(0xFE, b""), "png": make.chunk(b"tEXt", b""), "webp": riff_chunk(b"JUNK", b""),
    "gif": b"!\xfe\0", "heif": make.box(b"free", b""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), FILLERS)
def test_many_parts_before_them_hide_no_exif_no_xmp_no_iptc_and_no_credentials(name: str, kind: str) -> None:
    build, wanted, fillers = CONTAINERS[name]
    data = build(filled(fillers[kind]))
    table = read(data)
    assert homes(table) == wanted
    assert table.limits
    assert set(table.limits) <= set(table.notes)
    assert table.complete, "a limit of ours is not that the file is cut short"
    found = jumbf.find_manifest_store(data, sniff(data[:64]))
    assert found is not None
    assert found.data.startswith(STORE)


@pytest.mark.parametrize("name", sorted(CONTAINERS))
@pytest.mark.parametrize("filler", ["empty", "alike"])
def test_empty_and_repeated_parts_count_once(name: str, filler: str) -> None:
    build, wanted, fillers = CONTAINERS[name]
    part = EMPTY[name] if filler == "empty" else next(iter(fillers.values()))(7)
    table = read(build(part * MANY))
    assert homes(table) == wanted
    assert table.limits == ()
    assert table.complete
    assert len(table.fields) < 60


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_more_parts_than_are_walked_over_are_a_limit_and_no_end(name: str) -> None:
    build, _, fillers = CONTAINERS[name]
    table = read(build(filled(next(iter(fillers.values())), STEPS + 1)))
    assert any("nothing after them was read" in limit for limit in table.limits)
    assert table.complete
    assert not any("ends" in note for note in table.notes)


def test_what_pixels_depend_on_is_kept_whatever_else_there_is() -> None:
    layout = jpeg.read_jpeg(jpeg_file(filled(lambda n: make.segment(0xFE, b"%d" % n))))
    assert layout.size == (96, 64)
    assert layout.end is not None
    assert not layout.unread
    assert jpeg.ijg_quality(jpeg.quantisation_tables(layout)) == 90


def test_a_long_picture_of_small_pixel_chunks_is_no_limit() -> None:
    data = make.with_chunks(make.png(), filled(lambda n: make.chunk(b"IDAT", b"%d" % n)), make.chunk(b"eXIf", EXIF))
    table = read(data)
    assert homes(table) == {"EXIF"}
    assert table.limits == ()


def test_long_parts_that_are_alike_all_count_because_data_may_be_split_over_them() -> None:
    part = make.photoshop_segment(bytes(60_000))
    resource = b"8BIM" + (0x0404).to_bytes(2, "big") + b"\0\0" + (120_000 + 20).to_bytes(4, "big")
    record = make.iptc_record(2, 80, b"Jane")
    data = make.with_segments(make.jpeg(), make.photoshop_segment(resource), part, part, make.photoshop_segment(record))
    assert homes(read(data)) == {"IPTC-IIM"}


# Inside the blocks of one standard


def tiff_block(entries: Iterable[tuple[int, int, int, int]], tail: bytes = b"") -> bytes:
    return hostile.tiff(list(entries), tail)


def test_entries_before_it_hide_no_directory_and_no_block_in_a_tiff_entry() -> None:
    fillers = [(0xC000 + n % 9000, 3, 1, n) for n in range(tiff.MAX_ENTRIES + 500)]
    size = 2 + 12 * (len(fillers) + 2) + 4
    sub = hostile.directory([(0x9003, 2, 20, 8)])
    entries = [*fillers, (tiff.EXIF_POINTER, 4, 1, 8 + size), (tiff.XMP_TAG, 7, len(PACKET), 8 + size + len(sub))]
    table = read(tiff_block(entries, sub + PACKET))
    assert homes(table) == {"EXIF", "XMP"}
    assert table.first("EXIF ExifIFD", "0x9003") is not None
    assert any("IFD0" in limit for limit in table.limits)


def test_pages_before_it_hide_no_block_in_a_tiff_entry() -> None:
    pages, size = 300, 2 + 12 + 4
    block = b"II*\0\x08\0\0\0"
    for page in range(pages):
        entry = (tiff.XMP_TAG, 7, len(PACKET), 8 + pages * size) if page == pages - 1 else (0x0100, 3, 1, page)
        block += hostile.directory([entry], 8 + (page + 1) * size if page < pages - 1 else 0)
    table = read(block + PACKET)
    assert "XMP" in homes(table)
    assert table.limits == ()


def test_a_chain_of_directories_without_an_end_is_a_limit() -> None:
    size = 2 + 12 + 4
    chain = b"".join(
        hostile.directory([(0x0100, 3, 1, n)], 8 + (n + 1) * size) for n in range(tiff.MAX_DIRECTORIES + 5)
    )
    table = read(b"II*\0\x08\0\0\0" + chain + bytes(2))
    assert any("parts of the kind IFD" in limit for limit in table.limits)


def test_resources_and_data_sets_before_it_hide_no_caption() -> None:
    resources = [make.resource(0x0BB7, b"%d" % n) for n in range(200)]
    segments = [make.photoshop_segment(*resources), make.photoshop_segment(IPTC)]
    assert homes(read(make.with_segments(make.jpeg(), *segments))) == {"IPTC-IIM"}
    many = filled(lambda n: make.resource(0x0BB7, b"%d" % n))
    found = iptc.resources(many + IPTC)
    assert found.items[-1].id == iptc.IPTC_RESOURCE
    assert found.limits
    unknown = filled(lambda n: make.iptc_record(2, 199, b"%d" % n))
    records = iptc.records(unknown + make.iptc_record(2, 110, b"Edited with Google AI"))
    assert records.items[-1].text == "Edited with Google AI"
    assert records.limits


def test_properties_before_it_hide_no_label() -> None:
    label = files.iptc_ext("DigitalSourceType", files.SOURCE_TYPE + "trainedAlgorithmicMedia")
    for filling in (
        "".join(f'<q:x{n} xmlns:q="http://example.org/">v</q:x{n}>' for n in range(xmp.MAX_PROPERTIES + 9)),
        "".join(f"<dc:x{n}>v</dc:x{n}>" for n in range(xmp.MAX_PROPERTIES + 9)),
        "<photoshop:DocumentAncestors><rdf:Bag>"
        + "".join(f"<rdf:li>{n}</rdf:li>" for n in range(xmp.MAX_SAME + 9))
        + "</rdf:Bag></photoshop:DocumentAncestors>",
        "<q:deep xmlns:q='u'>" + "<q:a>" * 90 + "</q:a>" * 90 + "</q:deep>",
        f"<q:{'n' * 2_000} xmlns:q='u'>v</q:{'n' * 2_000}>",
    ):
        found = xmp.parse(make.xmp(filling + "<photoshop:Credit>Jane</photoshop:Credit>" + _element(label)))
        assert [item.value for item in found.properties[-2:]] == ["Jane", files.SOURCE_TYPE + "trainedAlgorithmicMedia"]
        assert found.limits
        assert found.note == ""


def _element(attribute: str) -> str:
    declaration, _, value = attribute.partition(" ")
    name, _, text = value.partition("=")
    return f"<{name} {declaration}>{text.strip(chr(34))}</{name}>"


def test_a_packet_with_more_elements_than_are_read_is_read_up_to_there() -> None:
    found = xmp.parse(make.xmp("<dc:source>a</dc:source>" + "<q/>" * (xmp.MAX_ELEMENTS + 1)))
    assert [item.value for item in found.properties] == ["a"]
    assert any("too many elements" in limit for limit in found.limits)


def test_many_packets_before_it_hide_no_label(monkeypatch: pytest.MonkeyPatch) -> None:
    packets = [make.xmp_segment(make.xmp(f"<dc:source>{n}</dc:source>")) for n in range(200)]
    assert read(make.with_segments(make.jpeg(), *packets, make.xmp_segment(PACKET))).first(
        "XMP", f"{{{xmp.XMP}}}CreatorTool"
    )
    monkeypatch.setattr(fields, "MAX_BLOCKS", 200)
    endless = [make.xmp_segment(make.xmp(f"<dc:source>{n}</dc:source>")) for n in range(fields.MAX_BLOCKS + 1)]
    table = read(make.with_segments(make.jpeg(), *endless, make.xmp_segment(PACKET)))
    assert any("more XMP than the limits" in limit for limit in table.limits)


def test_compressed_text_before_it_hides_no_compressed_label() -> None:
    import zlib

    bombs = [make.chunk(b"zTXt", b"k%d\0\0" % n + hostile.endless(4)) for n in range(20)]
    label = make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(PACKET))
    table = read(make.with_chunks(make.png(), *bombs, label))
    assert "XMP" in homes(table)
    assert table.limits


def test_values_of_one_standard_take_no_place_from_another() -> None:
    big = make.iptc_record(2, 120, b"x" * 30_000)
    block = make.resource(0x0404, big)
    segments = [make.photoshop_segment(block + make.resource(1, b"%d" % n)) for n in range(600)]
    data = make.with_segments(make.jpeg(), *segments, make.exif_segment(EXIF), make.xmp_segment(PACKET))
    table = read(data)
    assert {"EXIF", "XMP"} <= homes(table)
    assert any("IPTC-IIM" in limit for limit in table.limits)


def test_trailer_entries_and_marks_beyond_the_limits_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samsung, "MAX_CANDIDATES", 200)
    blocks = [(0x0A01, b"N", b"%d" % n) for n in range(samsung.MAX_ENTRIES + 3)]
    found = samsung.read_trailer(make.jpeg() + files.samsung_trailer(*blocks), len(make.jpeg()))
    assert len(found.items) == samsung.MAX_ENTRIES
    assert found.limits
    false = make.jpeg() + files.galaxy() + b"SEFT" * (samsung.MAX_CANDIDATES - 1)
    assert len(samsung.read_trailer(false, len(make.jpeg())).items) == 2
    assert samsung.read_trailer(false + b"SEFT" * 2, len(make.jpeg())).limits


def test_no_note_is_lost_only_counted() -> None:
    broken = [make.chunk(b"zTXt", b"k\0\0not zlib %d" % n) for n in range(fields.MAX_NOTES + 30)]
    table = read(make.with_chunks(make.png(), *broken, make.chunk(b"eXIf", b"nothing"), make.chunk(b"eXIf", EXIF)))
    assert table.unread[-1] == "And 31 more notes like these."
    assert len(table.notes) == fields.MAX_NOTES + 1

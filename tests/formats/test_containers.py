"""WebP, GIF and HEIF: chunks, blocks and boxes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.formats import gif, isobmff, riff
from tests.formats import make

WEBP = make.webp(exif=make.exif({0x010F: "Maker"}), xmp=make.xmp())
HEIF = make.heif(make.exif({0x010F: "Maker"}), make.xmp())
GIF = (
    b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff!\xfe\5hello\1!\0!\xff\x0bNETSCAPE2.0\3\1\0\0\0"
    b"!\xf9\4\0\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
)


def test_webp_chunks_and_the_end_that_the_header_names() -> None:
    layout = riff.read_riff(WEBP + b"trailer")
    kinds = {chunk.fourcc: chunk for chunk in layout.chunks}
    assert {"VP8X", "EXIF", "XMP "} <= set(kinds)
    exif = kinds["EXIF"]
    assert WEBP[exif.offset + 8 : exif.offset + 8 + exif.length] == exif.data
    assert layout.form == "WEBP"
    assert layout.end == len(WEBP)


def test_a_short_webp_has_no_end() -> None:
    layout = riff.read_riff(WEBP[:-3])
    assert layout.end is None
    assert layout.notes


def test_gif_comments_applications_and_end() -> None:
    layout = gif.read_gif(GIF + b"trailer")
    assert [(e.label, e.identifier, e.data) for e in layout.extensions] == [
        (0xFE, "", b"hello!"),
        (0xFF, "NETSCAPE2.0", b"\1\0\0"),
    ]
    assert layout.end == len(GIF)


def test_gif_xmp_is_read_without_its_magic_trailer() -> None:
    packet = make.xmp(attributes='xmp:CreatorTool="Editor"')
    trailer = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    data = GIF[:19] + b"!\xff\x0bXMP DataXMP" + packet + trailer + GIF[19:]
    extension = gif.read_gif(data).extensions[0]
    assert extension.identifier == "XMP DataXMP"
    assert extension.data == packet


def test_heif_items_hold_exif_and_xmp() -> None:
    items = isobmff.read_items(HEIF, isobmff.read_boxes(HEIF).first("meta"))
    found = items.items
    assert items.notes == items.limits == ()
    assert items.reach == len(HEIF)
    assert [(item.type, item.content_type) for item in found] == [("Exif", ""), ("mime", "application/rdf+xml")]
    assert found[0].data[4:6] in (b"II", b"MM")
    assert found[1].data == make.xmp()
    assert found[1].offset == HEIF.index(make.xmp())


def test_boxes_know_their_place_and_whether_they_are_whole() -> None:
    level = isobmff.read_boxes(HEIF)
    assert [box.type for box in level] == ["ftyp", "meta", "mdat"]
    assert level.end == len(HEIF)
    assert level.whole
    short = isobmff.read_boxes(HEIF[:-1])
    assert not short.whole
    assert not short.boxes[-1].whole


def test_a_uuid_box_names_its_identifier() -> None:
    (box,) = isobmff.read_boxes(make.box(b"uuid", bytes(range(16)) + b"data"))
    assert box.uuid == bytes(range(16)).hex()
    assert box.end - box.start == 4


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_are_walked_without_an_exception(noise: bytes, place: int) -> None:
    for base in (WEBP, GIF, HEIF):
        data = base[:place] + noise
        riff.read_riff(data)
        gif.read_gif(data)
        level = isobmff.read_boxes(data)
        found = isobmff.read_items(data, level.first("meta"))
        assert sum(len(item.data) for item in found.items) <= 2 * len(data) + 1
        assert all(box.end <= len(data) for box in level)

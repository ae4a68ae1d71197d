from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms

from nsfwforensics.formats import icc, iptc, xmp
from tests.formats import make


def values(packet: bytes) -> dict[str, str]:
    return {item.path: item.value for item in xmp.parse(packet).properties}


def test_attributes_elements_arrays_and_structures() -> None:
    packet = make.xmp(
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">T</rdf:li></rdf:Alt></dc:title>'
        "<dc:creator><rdf:Seq><rdf:li>A</rdf:li><rdf:li>B</rdf:li></rdf:Seq></dc:creator>"
        '<xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved" stEvt:softwareAgent="Editor 9"/>'
        '<rdf:li rdf:parseType="Resource"><stEvt:softwareAgent>Other</stEvt:softwareAgent></rdf:li>'
        "</rdf:Seq></xmpMM:History>",
        'xmp:CreatorTool="Tool"',
    )
    assert values(packet) == {
        "CreatorTool": "Tool", "title[x-default]": "T", "creator[1]": "A", "creator[2]": "B",
        "History[1].action": "saved", "History[1].softwareAgent": "Editor 9", "History[2].softwareAgent": "Other",
    }  # fmt: skip


def test_properties_are_told_apart_by_namespace_not_by_prefix() -> None:
    packet = (
        make.xmp(attributes='xmp:CreatorTool="Tool"').replace(b"xmp:", b"zzz:").replace(b"xmlns:xmp=", b"xmlns:zzz=")
    )
    assert xmp.parse(packet).properties[0].namespace == xmp.XMP
    foreign = packet.replace(b'http://ns.adobe.com/xap/1.0/"', b'http://example.org/"', 1)
    assert xmp.parse(foreign).properties[0].namespace == "http://example.org/"


def test_utf16_packets_and_padding_are_read() -> None:
    text = make.xmp(attributes='xmp:CreatorTool="Tööl"').decode()
    assert values(text.encode("utf-16"))["CreatorTool"] == "Tööl"
    assert values(b"  \n" + text.encode() + b"\0" * 50)["CreatorTool"] == "Tööl"


@pytest.mark.parametrize(
    "packet",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&a;</x:xmpmeta>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b"<x:xmpmeta",
        b"",
        b"<a>" * 5000,
        b"<a>&b;</a" + b'<!DOCTYPE x [<!ENTITY b "c">]>',
    ],
    ids=["entities", "external", "broken", "empty", "deep", "broken and entities"],
)
def test_hostile_packets_are_refused_with_the_one_error(packet: bytes) -> None:
    with pytest.raises(xmp.XmpError):
        xmp.parse(packet)


def extended(packet: bytes, digest: str, size: int) -> list[bytes]:
    return [
        digest.encode() + len(packet).to_bytes(4, "big") + i.to_bytes(4, "big") + packet[i : i + size]
        for i in range(0, len(packet), size)
    ]


def test_extended_packets_are_put_together_in_any_order() -> None:
    packet = make.xmp(f"<dc:source>{'x' * 5000}</dc:source>")
    digest = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper()
    parts = extended(packet, digest, 1000)
    assert xmp.join_extended(reversed(parts)) == (packet, "")
    assert xmp.join_extended(parts[:-1])[0] == packet[:5000]
    assert "missing" in xmp.join_extended(parts[:-1])[1]
    assert "missing" in xmp.join_extended(parts[1:])[1]
    huge = [digest.encode() + b"\xff\xff\xff\xff" + b"\0\0\0\0" + b"x"]
    assert "limit" in xmp.join_extended(huge)[1]


@given(st.binary(max_size=400), st.integers(0, 1200))
def test_any_packet_parses_or_is_refused(noise: bytes, place: int) -> None:
    base = make.xmp("<dc:source>x</dc:source>")
    try:
        xmp.parse(base[:place] + noise + base[place:])
    except xmp.XmpError:
        return


def test_photoshop_resources_and_iptc_records() -> None:
    block = make.resource(0x040C, b"thumb", b"name") + make.resource(
        0x0404, make.iptc_record(2, 80, b"Jane Doe") + make.iptc_record(2, 40, b"FBMD0123")
    )
    first, second = iptc.resources(block).items
    assert (first.id, first.name, first.data) == (0x040C, "name", b"thumb")
    found = iptc.records(second.data).items
    assert [(r.record, r.dataset, r.name, r.text) for r in found] == [
        (2, 80, "By-line", "Jane Doe"),
        (2, 40, "SpecialInstructions", "FBMD0123"),
    ]


def test_iptc_text_encodings_and_extended_lengths() -> None:
    announced = make.iptc_record(1, 90, b"\x1b%G") + make.iptc_record(2, 5, "grün".encode())
    assert iptc.records(announced).items[1].text == "grün"
    assert iptc.records(make.iptc_record(2, 5, b"gr\xfcn")).items[0].text == "grün"
    long = b"\x1c\x02\x78\x80\x04" + (70_000).to_bytes(4, "big") + b"a" * 70_000
    assert len(iptc.records(long).items[0].data) == 70_000


@given(st.binary(max_size=300))
def test_any_bytes_are_resources_and_records(noise: bytes) -> None:
    for start in (b"", b"8BIM\x04\x04\0\0", b"\x1c\x02\x05"):
        assert all(len(r.data) <= 303 + len(start) for r in iptc.resources(start + noise).items)
        assert all(len(r.data) <= 303 + len(start) for r in iptc.records(start + noise).items)


def test_icc_profile_says_its_name() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert "sRGB" in icc.describe(profile)["ProfileDescription"]
    assert icc.describe(b"no profile") == {}


@given(st.binary(max_size=300))
def test_any_bytes_are_described(noise: bytes) -> None:
    header = bytearray(132)
    header[36:40] = b"acsp"
    header[128:132] = struct.pack(">I", 3)
    assert isinstance(icc.describe(bytes(header) + noise), dict)

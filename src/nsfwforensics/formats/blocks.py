"""Blocks of one standard, wherever a container holds them: EXIF, XMP, IPTC, Photoshop, ICC, Samsung; into the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from nsfwforensics.formats import icc, iptc, png, samsung, tiff, xmp
from nsfwforensics.formats.deflate import MAX_RATIO, Inflated
from nsfwforensics.formats.exif import EXIF_HEADER, read_exif, tiff_start
from nsfwforensics.formats.fields import MAX_VALUE_BYTES, Collector, Field, Thumbnail, decode_text

MAX_TRAILER_TEXT = 64 * 1024
"""Most bytes kept of one block of a trailer."""

T = TypeVar("T", png.Text, Inflated)


def add_block(block: bytes, source: str, out: Collector, offset: int | None = None) -> None:
    """Reads a block whose kind is told by how it begins: EXIF, XMP, Photoshop resources, IPTC or an ICC profile."""
    resources = iptc.photoshop_start(block)
    if tiff_start(block[:16]) in (0, len(EXIF_HEADER)):
        add_exif(block, source, out, offset)
    elif icc.is_profile(block):
        add_icc(block, source, out, offset)
    elif resources is not None:
        add_photoshop(block[resources:], source, out, None if offset is None else offset + resources)
    elif iptc.is_iptc(block):
        add_iptc(block, source, out, offset)
    elif tiff_start(block) is None and xmp.looks_like_packet(block):
        add_xmp(xmp.without_header(block), source, out, offset)
    else:
        add_exif(block, source, out, offset)


def add_exif(block: bytes, source: str, out: Collector, offset: int | None = None) -> None:
    """Reads a TIFF block behind whatever header, and the XMP, IPTC, Photoshop and ICC data in its directories."""
    start = tiff_start(block)
    if start is None:
        out.refuse(f"{source}: this is no EXIF block, or its header is damaged.")
        return
    if start not in (0, len(EXIF_HEADER)):
        out.note(f"{source}: the EXIF block begins {start} bytes behind where it should.")
    tree = read_exif(block[start:], source, out, None if offset is None else offset + start)
    seen: set[bytes] = set()
    for tag, name, use in (
        (tiff.XMP_TAG, "XMP", add_xmp),
        (tiff.IPTC_TAG, "IPTC", add_iptc),
        (tiff.PHOTOSHOP_TAG, "Photoshop", add_photoshop),
        (tiff.ICC_TAG, "ICC", add_icc),
    ):
        for entry in tree.embedded(tag):
            if not out.take_block(f"{name} in TIFF entries", entry.length):
                break
            data = tree.data(entry)
            if data not in seen:  # pages of one document often share a profile
                seen.add(data)
                use(data, f"{source} {name} entry", out)


def add_xmp(packet: bytes, source: str, out: Collector, offset: int | None = None) -> list[xmp.Property]:
    """Reads an XMP packet into the table; a packet that is refused becomes a note."""
    if not out.take_block("XMP", len(packet)):
        return []
    try:
        found = xmp.parse(packet)
    except xmp.XmpError as error:
        out.refuse(f"{source}: {error}.")
        return []
    if found.note:
        out.note(f"{source}: {found.note}; {len(found.properties):,} values of it were read.")
    for limit in found.limits:
        out.limit(f"{source}: of the XMP packet, {limit}.")
    for item in found.properties:
        out.add(Field(source, f"XMP {item.namespace}", item.tag, item.path, item.value, item.value, None, offset))
    return list(found.properties)


def add_iptc(block: bytes, source: str, out: Collector, offset: int | None = None) -> None:
    """Reads IPTC-IIM data sets into the table."""
    if not out.take_block("IPTC", len(block)):
        return
    found = iptc.records(block)
    pass_on(source, found.notes, found.limits, out)
    for record in found.items:
        tag = f"{record.record}:{record.dataset}"
        binary = record.record == 1 or record.dataset == 0
        value = record.data if binary else record.text
        out.add(Field(source, "IPTC-IIM", tag, record.name, value, "" if binary else record.text, record.data, offset))


def add_photoshop(block: bytes, source: str, out: Collector, offset: int | None = None) -> None:
    """Reads Photoshop image resources: IPTC, XMP and EXIF inside them, thumbnails, and which others there are."""
    if not out.take_block("Photoshop resources", len(block)):
        return
    found = iptc.resources(block)
    pass_on(source, found.notes, found.limits, out)
    for resource in found.items:
        place = None if offset is None else offset + resource.offset
        if resource.id == iptc.IPTC_RESOURCE:
            add_iptc(resource.data, source, out, place)
        elif resource.id == iptc.XMP_RESOURCE:
            add_xmp(resource.data, f"{source} resource", out, place)
        elif resource.id in iptc.EXIF_RESOURCES:
            add_exif(resource.data, f"{source} resource", out, place)
        elif resource.id in iptc.THUMBNAIL_RESOURCES and len(resource.data) > 28:
            out.thumbnails.append(Thumbnail(f"Photoshop resource 0x{resource.id:04X}", resource.data[28:]))
        name = resource.name or "Image resource"
        value = f"({len(resource.data)} bytes)"
        out.add(Field(source, "Photoshop", f"0x{resource.id:04X}", name, resource.data[:256], value, None, place))


def add_icc(profile: bytes, source: str, out: Collector, offset: int | None = None) -> None:
    """Reads what an ICC profile says of itself into the table."""
    if not out.take_block("ICC profiles", len(profile)):
        return
    if not icc.is_profile(profile):
        out.note(f"{source}: the colour profile is damaged.")
    for name, text in icc.describe(profile).items():
        out.add(Field(source, "ICC profile", name, name, text, text, None, offset))


def add_trailer(data: bytes, start: int, stop: int | None, out: Collector) -> None:
    """Reads the blocks of a Samsung trailer into the table; other bytes behind the image mean nothing.

    Args:
        data: The whole file.
        start: Where the trailer may begin.
        stop: Where it must end; the end of the file if None.
        out: Where its blocks go.
    """
    if (len(data) if stop is None else stop) - start < 24:
        return
    source = "Samsung trailer"
    found = samsung.read_trailer(data, start, stop)
    pass_on(source, found.notes, found.limits, out)
    for block in found.items:
        text = decode_text(block.data[:MAX_TRAILER_TEXT])
        shown = text if text.isprintable() else f"({len(block.data)} bytes)"
        out.add(Field(source, source, block.name, block.name, text, shown, None, block.offset))


def add_exif_item(block: bytes, source: str, out: Collector, offset: int | None) -> None:
    """Reads EXIF behind four bytes that say how far after them the TIFF header stands (ISO/IEC 23008-12 annex A)."""
    start = 4 + int.from_bytes(block[:4], "big")
    if tiff_start(block[start : start + 16]) not in (0, len(EXIF_HEADER)):
        out.note(f"{source}: what should say where the EXIF block begins is missing or wrong.")
        start = 0
    add_block(block[start:], source, out, None if offset is None else offset + start)


def pass_on(source: str, notes: Iterable[str], limits: Iterable[str], out: Collector) -> None:
    """Passes on what a parser of a part says of it; for a whole container ``source`` is empty."""
    lead = f"{source}: " if source else ""
    for note in notes:
        out.note(lead + note)
    for limit in limits:
        out.limit(lead + limit)


def allowed(out: Collector, size: int, read: Callable[[int], T], *, profile: bool, packed: bool = True) -> T | None:
    """Reads what is compressed, as far as what is left of the file's allowance for text or for profiles allows.

    What sound data does not need of it is given back.

    Args:
        out: Holds the allowance.
        size: Length of the compressed data, in bytes.
        read: Inflates up to a limit, in bytes.
        profile: Whose allowance it is.
        packed: False where the data are not compressed after all, and cost nothing.

    Returns:
        What was read; None where nothing is left of the allowance.
    """
    left = out.inflatable[profile]
    if packed and left <= 0:
        out.dropped += 1
        out.limit("The file holds more compressed data than the limit for one file; the rest was not read.")
        return None
    limit = min(MAX_VALUE_BYTES, left, MAX_RATIO * size) if packed else MAX_VALUE_BYTES
    out.inflatable[profile] -= limit if packed else 0
    found = read(limit)
    out.inflatable[profile] += limit - min(limit, len(found.data)) if packed else 0
    return found

"""One call for every format: the bytes of an image file in, the table of its metadata out."""

from __future__ import annotations

from nsfwforensics.formats import gif, icc, iptc, isobmff, jpeg, pickles, png, riff, samsung, tiff, xmp
from nsfwforensics.formats.exif import read_exif
from nsfwforensics.formats.fields import MAX_VALUE_BYTES, Collector, Field, Metadata, Thumbnail, decode_text

MAX_TRAILER_TEXT = 64 * 1024
"""Most bytes kept of one block of a trailer."""

_EXIF_HEADER = b"Exif\0\0"
_ICC_HEADER = b"ICC_PROFILE\0"
_XMP_ENTRY, _IPTC_ENTRY, _PHOTOSHOP_ENTRY, _ICC_ENTRY = 0x02BC, 0x83BB, 0x8649, 0x8773


def read_metadata(data: bytes, media_type: str | None) -> Metadata:
    """Reads everything a file says about itself. Never raises on any bytes.

    Args:
        data: The whole file.
        media_type: What the bytes are, as :func:`nsfwforensics.core.media.sniff` names it; None reads nothing.
    """
    out = Collector()
    readers = {
        "image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp, "image/gif": _gif, "image/tiff": _tiff,
        "image/heif": _heif, "image/avif": _heif,
    }  # fmt: skip
    reader = readers.get(media_type or "")
    end, complete = reader(data, out) if reader else (None, True)
    return Metadata(tuple(out.fields), tuple(out.notes), tuple(out.thumbnails), out.dropped, end, complete)


def add_exif(block: bytes, source: str, out: Collector, offset: int | None = None) -> None:
    """Reads a TIFF block, and the XMP, IPTC, Photoshop and ICC data that its first directory may hold."""
    if block.startswith(_EXIF_HEADER):
        block, offset = block[6:], None if offset is None else offset + 6
    tree = read_exif(block, source, out, offset)
    for tag, name, use in (
        (_XMP_ENTRY, "XMP", add_xmp),
        (_IPTC_ENTRY, "IPTC", add_iptc),
        (_PHOTOSHOP_ENTRY, "Photoshop", add_photoshop),
        (_ICC_ENTRY, "ICC", add_icc),
    ):
        entry = tree.find("IFD0", tag)
        if entry and entry.length:
            use(tree.data(entry), f"{source} {name} entry", out)


def add_xmp(packet: bytes, source: str, out: Collector, offset: int | None = None) -> list[xmp.Property]:
    """Reads an XMP packet into the table; a packet that is refused becomes a note."""
    if out.xmp_packets <= 0 or not out.room(0):
        out.dropped += 1
        out.note("The file holds more XMP than the limits for one file; the rest was not read.")
        return []
    out.xmp_packets -= 1
    try:
        properties = xmp.parse(packet)
    except xmp.XmpError as error:
        out.note(f"{source}: {error}.")
        return []
    if len(properties) >= xmp.MAX_PROPERTIES:
        out.note(f"{source}: only the first {xmp.MAX_PROPERTIES:,} XMP values were read.")
    for item in properties:
        out.add(Field(source, f"XMP {item.namespace}", item.tag, item.path, item.value, item.value, None, offset))
    return properties


def add_iptc(block: bytes, source: str, out: Collector, offset: int | None = None) -> None:
    """Reads IPTC-IIM data sets into the table."""
    for record in iptc.records(block):
        tag = f"{record.record}:{record.dataset}"
        binary = record.record == 1 or record.dataset == 0
        value = record.data if binary else record.text
        out.add(Field(source, "IPTC-IIM", tag, record.name, value, "" if binary else record.text, record.data, offset))


def add_photoshop(block: bytes, source: str, out: Collector, offset: int | None = None) -> None:
    """Reads Photoshop image resources: IPTC inside them, thumbnails, and which others there are."""
    for resource in iptc.resources(block):
        place = None if offset is None else offset + resource.offset
        if resource.id == iptc.IPTC_RESOURCE:
            add_iptc(resource.data, source, out, place)
        elif resource.id in iptc.THUMBNAIL_RESOURCES and len(resource.data) > 28:
            out.thumbnails.append(Thumbnail(f"Photoshop resource 0x{resource.id:04X}", resource.data[28:]))
        name = resource.name or "Image resource"
        value = f"({len(resource.data)} bytes)"
        out.add(Field(source, "Photoshop", f"0x{resource.id:04X}", name, resource.data[:256], value, None, place))


def add_icc(profile: bytes, source: str, out: Collector, offset: int | None = None) -> None:
    """Reads what an ICC profile says of itself into the table."""
    for name, text in icc.describe(profile).items():
        out.add(Field(source, "ICC profile", name, name, text, text, None, offset))


def add_trailer(data: bytes, end: int | None, out: Collector) -> None:
    """Reads the blocks of a Samsung trailer into the table; other bytes behind the image mean nothing."""
    if end is None or len(data) - end < 24:
        return
    for block in samsung.read_trailer(data, end):
        text = decode_text(block.data[:MAX_TRAILER_TEXT])
        shown = text if text.isprintable() else f"({len(block.data)} bytes)"
        source = "Samsung trailer"
        out.add(Field(source, source, block.name, block.name, text, shown, None, block.offset))


def _jpeg(data: bytes, out: Collector) -> tuple[int | None, bool]:
    layout = jpeg.read_jpeg(data)
    profile: list[bytes] = []
    extensions: list[bytes] = []
    announced: list[str] = []
    photoshop: list[bytes] = []
    for note in layout.notes:
        out.note(note)
    for segment in layout.segments:
        body, where, source = segment.data, segment.offset, f"JPEG {segment.name}"
        if segment.marker == jpeg.COM:
            text = decode_text(body.rstrip(b"\0"))
            out.add(Field(source, "JPEG COM", "COM", "Comment", text, text, body, where))
        elif segment.name == "APP0" and body.startswith((b"JFIF\0", b"JFXX\0")):
            version = f"{body[5]}.{body[6]:02d}" if len(body) > 6 and body[:4] == b"JFIF" else "extension"
            out.add(Field(source, "JFIF", "version", "JFIFVersion", version, version, None, where))
        elif segment.name == "APP1" and body.startswith(_EXIF_HEADER):
            add_exif(body[6:], source, out, where + 10)
        elif segment.name == "APP1" and body.startswith(xmp.JPEG_HEADER):
            found = add_xmp(body[len(xmp.JPEG_HEADER) :], source, out, where)
            announced += [p.value for p in found if p.namespace == xmp.XMP_NOTE and p.path == "HasExtendedXMP"]
        elif segment.name == "APP1" and body.startswith(xmp.JPEG_EXTENSION_HEADER):
            extensions.append(body[len(xmp.JPEG_EXTENSION_HEADER) :])
        elif segment.name == "APP2" and body.startswith(_ICC_HEADER):
            profile.append(body[len(_ICC_HEADER) :])
        elif segment.name == "APP13" and body.startswith(iptc.PHOTOSHOP_HEADER):
            photoshop.append(body[len(iptc.PHOTOSHOP_HEADER) :])
        elif segment.name == "APP12" and body.startswith(b"Ducky"):
            out.add(Field(source, "Ducky", "Ducky", "SaveForWeb", body[:256], "", None, where))
        elif segment.name == "APP14" and body.startswith(b"Adobe") and len(body) >= 12:
            out.add(Field(source, "Adobe", "transform", "ColorTransform", body[11], "", None, where))
        elif segment.name == "APP15" and (names := pickles.pickled_names(body)):
            out.add(Field(source, "JPEG APP15 pickle", "names", "PickledNames", names, "", None, where))
        elif segment.name.startswith("APP") and body.startswith(b"AIGC{"):
            text = decode_text(body[4:].rstrip(b"\0"))
            out.add(Field(source, "JPEG APP label", "AIGC", "AIGC", text, text, None, where))
    if announced:
        packet, reason = xmp.join_extended(extensions, announced[0])
        if packet is None:
            out.note(f"JPEG APP1: {reason}.")
        else:
            add_xmp(packet, "JPEG APP1 (extended XMP)", out)
    if photoshop:
        add_photoshop(b"".join(photoshop), "JPEG APP13", out)
    if profile:
        add_icc(b"".join(part[2:] for part in sorted(profile, key=lambda part: part[:1])), "JPEG APP2", out)
    add_trailer(data, layout.end, out)
    return layout.end, layout.end is not None


_RAW_PROFILES = {"exif": add_exif, "app1": add_exif, "xmp": add_xmp, "iptc": add_photoshop, "8bim": add_photoshop,
                 "icc": add_icc, "icm": add_icc}  # fmt: skip


def _png(data: bytes, out: Collector) -> tuple[int | None, bool]:
    layout = png.read_png(data)
    for note in layout.notes:
        out.note(note)
    for chunk in layout.chunks:
        source = f"PNG {chunk.type}"
        try:
            _png_chunk(chunk, source, out)
        except ValueError as error:
            out.note(f"{source} at offset {chunk.offset}: {error}.")
    add_trailer(data, layout.end, out)
    return layout.end, layout.end is not None


def _take_inflation(chunk: png.Chunk, out: Collector) -> int:
    """How far a chunk may be inflated, taken from the file's allowance; given back where the data proves sound."""
    limit = min(MAX_VALUE_BYTES, out.inflatable, png.MAX_RATIO * len(chunk.data))
    if png.is_compressed(chunk):
        out.inflatable -= limit
    return limit


def _png_chunk(chunk: png.Chunk, source: str, out: Collector) -> None:
    if png.is_compressed(chunk) and out.inflatable <= 0:
        out.dropped += 1
        out.note("The PNG holds more compressed data than the limit for one file; the rest was not read.")
        return
    if chunk.type == "eXIf":
        add_exif(chunk.data, source, out, chunk.offset + 8)
    elif chunk.type in ("tEXt", "zTXt", "iTXt"):
        limit = _take_inflation(chunk, out)
        text = png.read_text(chunk, limit)
        if png.is_compressed(chunk):
            out.inflatable += limit - min(limit, len(text.text))
        if text.cut:
            out.note(f"{source} at offset {chunk.offset}: the text is longer than the limit and was cut.")
        kind = text.keyword.removeprefix("Raw profile type ")
        profile = png.raw_profile(text.text) if kind != text.keyword else None
        if text.keyword == "XML:com.adobe.xmp":
            add_xmp(text.text.encode("utf-8" if chunk.type == "iTXt" else "latin-1"), source, out, chunk.offset)
        elif profile is not None and kind.lower() in _RAW_PROFILES:
            _RAW_PROFILES[kind.lower()](profile, f"{source} ({text.keyword})", out)
        else:
            out.add(Field(source, source, text.keyword, text.keyword, text.text, text.text, None, chunk.offset))
    elif chunk.type == "iCCP":
        name, _, rest = chunk.data.partition(b"\0")
        label = name[:79].decode("latin-1")
        out.add(Field(source, "ICC profile", "name", "ProfileName", label, label, None, chunk.offset))
        limit = _take_inflation(chunk, out)
        profile_data, _ = png.inflate(rest[1:], limit)
        out.inflatable += limit - len(profile_data)
        add_icc(profile_data, source, out, chunk.offset)
    elif chunk.type == "tIME" and len(chunk.data) == 7:
        year, rest = int.from_bytes(chunk.data[:2], "big"), chunk.data[2:]
        text_time = f"{year:04d}:{rest[0]:02d}:{rest[1]:02d} {rest[2]:02d}:{rest[3]:02d}:{rest[4]:02d}"
        out.add(Field(source, source, "tIME", "ModifyDate", text_time, text_time, chunk.data, chunk.offset))


def _webp(data: bytes, out: Collector) -> tuple[int | None, bool]:
    layout = riff.read_riff(data)
    for note in layout.notes:
        out.note(note)
    for chunk in layout.chunks:
        source = f"WebP {chunk.fourcc.strip()}"
        if chunk.fourcc == "EXIF":
            add_exif(chunk.data, source, out, chunk.offset + 8)
        elif chunk.fourcc == "XMP ":
            add_xmp(chunk.data, source, out, chunk.offset + 8)
        elif chunk.fourcc == "ICCP":
            add_icc(chunk.data, source, out, chunk.offset + 8)
    return layout.end, layout.end is not None


def _gif(data: bytes, out: Collector) -> tuple[int | None, bool]:
    layout = gif.read_gif(data)
    for note in layout.notes:
        out.note(note)
    for extension in layout.extensions:
        where, body = extension.offset, extension.data
        if extension.label == 0xFE:
            text = decode_text(body)
            out.add(Field("GIF comment", "GIF comment", "0xFE", "Comment", text, text, body, where))
        elif extension.identifier == "XMP DataXMP":
            add_xmp(body, "GIF XMP extension", out, where)
        elif extension.identifier == "ICCRGBG1012":
            add_icc(body, "GIF ICC extension", out, where)
        elif extension.identifier:
            name = extension.identifier
            out.add(Field("GIF application extension", "GIF application", name, name, body[:256], "", None, where))
    return layout.end, layout.end is not None


def _tiff(data: bytes, out: Collector) -> tuple[int | None, bool]:
    if tiff.is_tiff(data):
        add_exif(data, "TIFF", out, 0)
    else:
        out.note("BigTIFF metadata is not read.")
    return None, True


def _heif(data: bytes, out: Collector) -> tuple[int | None, bool]:
    found, notes = isobmff.items(data)
    for note in notes:
        out.note(note)
    for item in found:
        source = f"HEIF item {item.id}"
        if item.type == "Exif" and len(item.data) > 8:
            start = 4 + int.from_bytes(item.data[:4], "big")  # ISO/IEC 23008-12 annex A: offset to the TIFF header
            add_exif(item.data[start:], source, out, None if item.offset is None else item.offset + start)
        elif item.type == "mime" and item.content_type == "application/rdf+xml":
            add_xmp(item.data, source, out, item.offset)
    level = list(isobmff.boxes(data))
    whole = bool(level) and all(box.whole for box in level)
    if not whole:
        out.note("The file ends inside one of its boxes.")
    return (level[-1].end if whole else None), whole

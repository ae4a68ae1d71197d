"""One call for every format: the bytes of an image file in, the table of its metadata out."""

from __future__ import annotations

from collections.abc import Callable

from nsfwforensics.formats import gif, iptc, isobmff, jpeg, pickles, png, quicktime, riff, tiff, xmp
from nsfwforensics.formats.blocks import (
    add_block,
    add_exif,
    add_exif_item,
    add_icc,
    add_iptc,
    add_photoshop,
    add_trailer,
    add_xmp,
    allowed,
    pass_on,
)
from nsfwforensics.formats.deflate import ANY_HEADER, RAW, Inflated, inflate, inflate_brotli
from nsfwforensics.formats.exif import tiff_start
from nsfwforensics.formats.fields import Collector, Field, Metadata, decode_text
from nsfwforensics.formats.segments import ExifSegments, ExtendedXmp

_CANON = "85c0b687820f11e08111f4ce462b6a48"
_JP2_EXIF, _JP2_IPTC = b"JpgTiffExif->JP2".hex(), "33c7a4d2b81d4723a0baf1a3e097ad38"
_BARE = (b"\xff\x0a", b"\xff\x4f\xff\x51")
"""How JPEG XL and JPEG 2000 pictures begin that stand in no boxes: without metadata, and their end is coded."""
_ICC_HEADER = b"ICC_PROFILE\0"
_XML_TYPES = ("application/rdf+xml", "application/xml", "text/xml")


def read_metadata(data: bytes, media_type: str | None) -> Metadata:
    """Reads everything a file says about itself. Never raises on any bytes.

    Args:
        data: The whole file.
        media_type: What the bytes are, as :func:`nsfwforensics.core.media.sniff` names it; None reads nothing.
    """
    out = Collector()
    readers: dict[str, Callable[[bytes, Collector], tuple[int | None, bool]]] = {
        "image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp, "image/gif": _gif, "image/tiff": _tiff,
        "image/heif": _boxes, "image/avif": _boxes, "image/jxl": _boxes, "image/avci": _boxes,
        "image/jp2": _boxes, "image/x-canon-cr3": _cr3, "image/x-adobe-dng": _tiff, "image/x-nikon-nef": _tiff,
        "image/x-canon-cr2": _tiff, "image/x-sony-arw": _tiff, "image/x-pentax-pef": _tiff,
        "image/x-olympus-orf": _raw_tiff, "image/x-panasonic-rw2": _raw_tiff, "image/x-fuji-raf": _raf,
        "video/mp4": _movie, "video/quicktime": _movie, "video/3gpp": _movie,
        "image/vnd.adobe.photoshop": _psd, "image/svg+xml": _svg,
    }  # fmt: skip
    reader = readers.get(media_type or "")
    if reader is None and media_type not in (None, "image/bmp"):  # the latter has no place for any
        out.refuse("The metadata of this format are not read here.")
    end, complete = reader(data, out) if reader else (None, True)
    if end is not None:
        add_trailer(data, end, None, out)
    return out.result(end, complete=complete)


def _jpeg(data: bytes, out: Collector) -> tuple[int | None, bool]:
    layout = jpeg.read_jpeg(data)
    pass_on("", layout.notes, layout.limits, out)
    exif, extended, profile = ExifSegments(out), ExtendedXmp(out), bytearray()
    photoshop: list[bytes] = []
    chapters: list[bytes] = []
    for segment in layout.segments:
        body, where, source = segment.data, segment.offset, f"JPEG {segment.name}"
        if segment.marker == jpeg.COM:
            text = decode_text(body.rstrip(b"\0"))
            out.add(Field(source, "JPEG COM", "COM", "Comment", text, text, body, where))
        elif segment.name.startswith("APP") and body.startswith(b"AIGC{"):
            text = decode_text(body[4:].rstrip(b"\0"))
            out.add(Field(source, "JPEG APP label", "AIGC", "AIGC", text, text, None, where))
        elif segment.name == "APP0" and body.startswith((b"JFIF\0", b"JFXX\0")):
            version = f"{body[5]}.{body[6]:02d}" if len(body) > 6 and body[:4] == b"JFIF" else "extension"
            out.add(Field(source, "JFIF", "version", "JFIFVersion", version, version, None, where))
        elif segment.name == "APP1" and body[:6].upper().startswith(b"EXIF\0"):
            exif.take(body, where + 4)
        elif segment.name == "APP1" and body.startswith(xmp.JPEG_EXTENSION_HEADER):
            extended.take(body[len(xmp.JPEG_EXTENSION_HEADER) :])
        elif segment.name == "APP1":
            extended.announced += _other_app1(body, source, where + 4, out)
        elif segment.name == "APP2" and body.startswith(_ICC_HEADER):
            chapters.append(body[len(_ICC_HEADER) :])
        elif segment.name == "APP13":
            start = iptc.photoshop_start(body)
            if start is not None:
                photoshop.append(body[start:])
        elif segment.name == "APP12" and body.startswith(b"Ducky"):
            out.add(Field(source, "Ducky", "Ducky", "SaveForWeb", body[:256], "", None, where))
        elif segment.name == "APP14" and body.startswith(b"Adobe") and len(body) >= 12:
            out.add(Field(source, "Adobe", "transform", "ColorTransform", body[11], "", None, where))
        elif segment.name == "APP15" and (names := pickles.pickled_names(body)):
            out.add(Field(source, "JPEG APP15 pickle", "names", "PickledNames", names, "", None, where))
    exif.finish()
    extended.finish()
    if out.take_block("Photoshop resources in JPEG segments", sum(map(len, photoshop))):
        for block in iptc.joined(photoshop):
            add_photoshop(block, "JPEG APP13", out)
    for part in sorted(chapters, key=lambda part: part[:1]):
        profile += part[2:]
    if profile:
        add_icc(bytes(profile), "JPEG APP2", out)
    return layout.end, layout.end is not None or bool(layout.limits)


def _other_app1(body: bytes, source: str, where: int, out: Collector) -> list[str]:
    """Reads an APP1 segment that is not headed as EXIF, and returns the extended packets that it announces."""
    packet = xmp.without_header(body)
    if len(packet) == len(body):
        if tiff_start(body) is not None:
            add_exif(body, source, out, where)
            return []
        if not xmp.looks_like_packet(body):
            return []
        out.note(f"{source}: the XMP packet has an unusual header.")
    found = add_xmp(packet, source, out, where + len(body) - len(packet))
    return [item.value for item in found if item.namespace == xmp.XMP_NOTE and item.path == "HasExtendedXMP"]


def _png(data: bytes, out: Collector) -> tuple[int | None, bool]:
    layout = png.read_png(data)
    pass_on("", layout.notes, layout.limits, out)
    for chunk in layout.chunks:
        source = f"PNG {chunk.type}"
        try:
            _png_chunk(chunk, source, out)
        except ValueError as error:
            tell = out.note if chunk.type == "iCCP" else out.refuse  # a colour profile names no origin
            tell(f"{source} at offset {chunk.offset}: {error}.")
    return layout.end, layout.end is not None or bool(layout.limits)


def _png_chunk(chunk: png.Chunk, source: str, out: Collector) -> None:
    if chunk.type == "eXIf":
        add_block(chunk.data, source, out, chunk.offset + 8)
    elif chunk.type in ("tEXt", "zTXt", "iTXt"):
        _png_text(chunk, source, out)
    elif chunk.type == "iCCP":
        name, _, rest = chunk.data.partition(b"\0")
        label = name[:79].decode("latin-1")
        out.add(Field(source, "ICC profile", "name", "ProfileName", label, label, None, chunk.offset))
        profile = allowed(out, len(rest), lambda limit: inflate(rest[1:], limit), profile=False)
        if profile is not None:
            if profile.cut or profile.fault:
                out.note(f"{source}: {profile.fault or 'the colour profile is longer than the limit'}.")
            add_icc(profile.data, source, out, chunk.offset)
    elif chunk.type == "tIME" and len(chunk.data) == 7:
        year, rest = int.from_bytes(chunk.data[:2], "big"), chunk.data[2:]
        text_time = f"{year:04d}:{rest[0]:02d}:{rest[1]:02d} {rest[2]:02d}:{rest[3]:02d}:{rest[4]:02d}"
        out.add(Field(source, source, "tIME", "ModifyDate", text_time, text_time, chunk.data, chunk.offset))


def _png_text(chunk: png.Chunk, source: str, out: Collector) -> None:
    profile, packed = png.is_profile(chunk), png.is_compressed(chunk)
    text = allowed(
        out, len(chunk.data), lambda limit: png.read_text(chunk, limit), profile=profile, packed=packed
    )  # fmt: skip
    if text is None:
        return
    if text.cut:
        out.limit(f"{source} at offset {chunk.offset}: the text is longer than the limit and was cut.")
    if text.fault:
        out.note(f"{source} at offset {chunk.offset}: {text.fault}.")
    keyword, named = text.keyword.lower(), f"{source} ({text.keyword[:80]})"
    if keyword == png.XMP_KEYWORD:
        add_xmp(text.data, source, out, chunk.offset)
        return
    if keyword.startswith(png.PROFILE_KEYWORD):
        block = png.raw_profile(text.text)
        if block is not None:
            if block[1]:
                out.note(f"{named}: {block[1]}.")
            add_block(block[0], named, out)
            return
        out.refuse(f"{named}: this is no profile in hexadecimal numbers.")
    out.add(Field(source, source, text.keyword, text.keyword, text.text, text.text, None, chunk.offset))


def _webp(data: bytes, out: Collector) -> tuple[int | None, bool]:
    layout = riff.read_riff(data)
    pass_on("", layout.notes, layout.limits, out)
    for chunk in layout.chunks:
        source = f"WebP {chunk.fourcc.strip(' ' + chr(0))}"
        if chunk.fourcc in ("EXIF", "XMP ", "XMP\0"):
            add_block(chunk.data, source, out, chunk.offset + 8)
        elif chunk.fourcc == "ICCP":
            add_icc(chunk.data, source, out, chunk.offset + 8)
    return layout.end, layout.end is not None


def _gif(data: bytes, out: Collector) -> tuple[int | None, bool]:
    layout = gif.read_gif(data)
    pass_on("", layout.notes, layout.limits, out)
    for extension in layout.extensions:
        where, body = extension.offset, extension.data
        if extension.label == gif.COMMENT:
            text = decode_text(body)
            out.add(Field("GIF comment", "GIF comment", "0xFE", "Comment", text, text, body, where))
        elif extension.identifier == gif.XMP:
            add_xmp(body, "GIF XMP extension", out, where)
        elif extension.identifier == "ICCRGBG1012":
            add_icc(body, "GIF ICC extension", out, where)
        elif extension.identifier:
            name = extension.identifier
            out.add(Field("GIF application extension", "GIF application", name, name, body[:256], "", None, where))
    return layout.end, layout.end is not None or bool(layout.limits)


def _tiff(data: bytes, out: Collector) -> tuple[int | None, bool]:
    if tiff.is_tiff(data):
        add_exif(data, "TIFF", out, 0)
    else:
        out.refuse("BigTIFF metadata is not read.")
    return None, True


def _psd(data: bytes, out: Collector) -> tuple[int | None, bool]:
    """Photoshop's own format: behind the header and the colour table stand the image resources."""
    start = 30 + int.from_bytes(data[26:30], "big")
    length = int.from_bytes(data[start : start + 4], "big")
    add_photoshop(data[start + 4 : start + 4 + length], "PSD", out, start + 4)
    return None, start + 4 + length <= len(data)


def _svg(data: bytes, out: Collector) -> tuple[int | None, bool]:
    """SVG, which is XML and may hold a packet of XMP, or its inner part alone."""
    for name in (b"x:xmpmeta", b"rdf:RDF"):
        start = data.find(b"<" + name)
        stop = data.find(b"</" + name, start)
        if 0 <= start < stop:
            add_xmp(data[start:stop] + b"</" + name + b">", "SVG", out, start)
            break
    return None, True


def _raw_tiff(data: bytes, out: Collector) -> tuple[int | None, bool]:
    """Raw files that are TIFF with a number of their own in its header (ORF, RW2)."""
    return _tiff(data[:2] + (b"*\0" if data[:2] == b"II" else b"\0*") + data[4:], out)


def _raf(data: bytes, out: Collector) -> tuple[int | None, bool]:
    """Fujifilm's raw files: the header says where the JPEG stands that has the metadata."""
    start, size = (int.from_bytes(data[place : place + 4], "big") for place in (84, 88))
    preview = data[start : start + size]
    if preview.startswith(b"\xff\xd8\xff"):
        _jpeg(preview, out)
    else:
        out.refuse("The JPEG picture that should hold the metadata is not where the file's header says.")
    return None, True


def _cr3(data: bytes, out: Collector) -> tuple[int | None, bool]:
    """Canon's raw files: boxes, with TIFF blocks in a box of Canon's own."""
    whole = _boxes(data, out)[1]
    movie = isobmff.read_boxes(data).first("moov")
    for box in isobmff.inside(data, movie) if movie else ():
        for block in isobmff.read_boxes(data, box.start, box.end) if box.uuid == _CANON else ():
            if block.type in ("CMT1", "CMT2", "CMT4"):
                add_exif(data[block.start : block.end], f"Canon {block.type} box", out, block.start)
    return None, whole


def _boxes(data: bytes, out: Collector) -> tuple[int | None, bool]:
    """HEIF and AVIF, whose metadata are items of a ``meta`` box, and JPEG XL, whose metadata are boxes themselves."""
    if data.startswith(_BARE):
        return None, True
    level = isobmff.read_boxes(data)
    pass_on("", level.notes, level.limits, out)
    found = isobmff.read_items(data, level.first("meta"))
    for note in found.notes:
        out.refuse(note)
    for limit in found.limits:
        out.limit(limit)
    for item in found.items:
        _item(item, out)
    for box in level.boxes:
        if box.type in ("mpvd", "sefd"):
            add_trailer(data, box.start, box.end, out)
        elif box.type == "Exif":
            add_exif_item(data[box.start : box.end], "Exif box", out, box.start)
        elif box.type == "xml " or box.uuid == isobmff.XMP_UUID:
            add_xmp(data[box.start : box.end], f"{box.type.strip()} box", out, box.start)
        elif box.uuid == _JP2_EXIF:
            add_exif(data[box.start : box.end], "Exif box", out, box.start)
        elif box.uuid == _JP2_IPTC:
            add_iptc(data[box.start : box.end], "IPTC box", out, box.start)
        elif box.type == "brob":
            _packed_box(data[box.start : box.end], out, box.start)
    cut = found.reach > len(data)
    if cut and level.whole:
        out.note("The file ends before the data that its items refer to.")
    whole = level.whole and not cut
    return (level.end if whole else None), whole or bool(level.limits)


def _packed_box(body: bytes, out: Collector, offset: int) -> None:
    """A box of a JPEG XL file that is compressed with Brotli, behind the name of what it is (ISO/IEC 18181-2)."""
    kind, packed = body[:4].decode("latin-1"), body[4:]
    if kind not in ("Exif", "xml "):
        out.refuse(f"The box {kind!r} is compressed with Brotli, and is not read here.")
        return
    source = f"{kind.strip()} box"
    try:
        inflated = allowed(out, len(packed), lambda limit: inflate_brotli(packed, limit), profile=True)
    except ValueError as error:
        out.refuse(f"{source}: {error}.")
        return
    if inflated is None:
        return
    if inflated.cut or inflated.fault:
        out.note(f"{source}: {inflated.fault or 'it is longer than the limit and was cut'}.")
    if kind == "Exif":
        add_exif_item(inflated.data, source, out, offset)
    else:
        add_xmp(inflated.data, source, out, offset)


def _movie(data: bytes, out: Collector) -> tuple[int | None, bool]:
    """Videos: boxes, of which ``moov`` holds a header and what the camera or the program says."""
    for entry in quicktime.read_movie(data):
        out.add(Field("moov box", "QuickTime", entry.tag, entry.name, entry.text, entry.text, None, entry.offset))
    return _boxes(data, out)


def _item(item: isobmff.HeifItem, out: Collector) -> None:
    source, data = f"HEIF item {item.id}", item.data
    if item.type == "Exif":
        add_exif_item(data, source, out, item.offset)
    if item.type != "mime" or item.content_type not in _XML_TYPES:
        return
    if item.encoding:
        try:
            inflated = allowed(out, len(data), lambda limit: _unpacked(data, item.encoding, limit), profile=True)
        except ValueError as error:
            out.refuse(f"{source}: {error}.")
            return
        data = inflated.data if inflated else b""
    if data:
        add_xmp(data, source, out, item.offset)


def _unpacked(data: bytes, encoding: str, limit: int) -> Inflated:
    """Inflates an item by the name of its encoding.

    Raises:
        ValueError: The encoding is not known here, or nothing comes out.
    """
    if encoding not in ("deflate", "gzip", "compress_zlib"):
        raise ValueError(f"it is compressed as {encoding[:40]!r}, which is not read here")
    try:
        return inflate(data, limit, ANY_HEADER)
    except ValueError:
        return inflate(data, limit, RAW)

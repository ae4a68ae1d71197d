"""Files made to crash, hang or fill whatever reads them, each small and made in no time."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import ImageCms

from tests.formats import hostile, make
from tests.formats.make import box, chunk, picture, segment, with_chunks, with_segments, xmp, xmp_segment
from tests.pictures import saved

BOMB = 256
"""MiB to which each compressed bomb inflates."""

HTML = b"<!doctype html><script>document.title='open'</script><img src=x onerror=alert(1)>"
LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, (b"&%c;" % (97 + i)) * 10) for i in range(9))
    + b']><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>&j;</dc:title></rdf:Description>'
    b"</rdf:RDF></x:xmpmeta>"
)
OUTSIDE = LAUGHS.replace(b'<!ENTITY a "ha">', b'<!ENTITY a SYSTEM "file:///etc/passwd">')


def deep_xmp(depth: int) -> bytes:
    return xmp("<dc:title>" + "<rdf:li>" * depth + "</rdf:li>" * depth + "</dc:title>")


def polyglots() -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../escaped.txt", "out")
        archive.writestr("bomb", b"\0" * (1 << 24))
    zipped = packed.getvalue()
    gif = io.BytesIO()
    picture().convert("P").save(gif, "GIF")
    script = b"GIF89a/*" + gif.getvalue()[8:] + b"*/=1;alert(1)//"
    pdf = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF\n"
    return {
        "png-zip.png": make.png() + zipped,
        "zip-in-chunk.png": with_chunks(make.png(), chunk(b"zIPf", zipped)),
        "zip-first.jpg": zipped + make.jpeg(),
        "jpeg-html.jpg": with_segments(make.jpeg(), segment(0xFE, HTML)) + HTML,
        "html-first.jpg": HTML + make.jpeg(),
        "gif-js.gif": script,
        "jpeg-pdf.jpg": with_segments(make.jpeg(), segment(0xFE, pdf)) + pdf,
        "pdf-first.jpg": pdf + make.jpeg(),
        "jpeg-in-jpeg.jpg": make.jpeg() * 40,
        "png-as-jpeg.jpg": make.png(),
        "elf.png": b"\x7fELF" + b"\0" * 500,
    }


def compressed() -> dict[str, bytes]:
    """One bomb in every place where a container holds compressed bytes."""
    bomb = hostile.endless(BOMB)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
    raw_profile = b"\nexif\n%8d\n" % (BOMB << 19)
    whole = make.png()
    huge = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 1, 0, 0, 0, 0))
    return {
        "idat.png": b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", bomb) + chunk(b"IEND", b""),
        "idat-huge.png": b"\x89PNG\r\n\x1a\n" + huge + chunk(b"IDAT", bomb) + chunk(b"IEND", b""),
        "ztxt.png": with_chunks(whole, chunk(b"zTXt", b"Comment\0\0" + bomb)),
        "itxt.png": with_chunks(whole, chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb)),
        "iccp.png": with_chunks(whole, chunk(b"iCCP", b"profile\0\0" + bomb)),
        "raw-profile.png": with_chunks(
            whole, chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile + b"30" * 4000))
        ),
        "raw-profile-bomb.png": with_chunks(whole, chunk(b"zTXt", b"Raw profile type exif\0\0" + bomb)),
        "many-ztxt.png": with_chunks(whole, *[chunk(b"zTXt", b"k%d\0\0" % i + hostile.endless(8)) for i in range(60)]),
        "deflate.tif": tiff_strip(60_000, 60_000, 8, bomb),
        "deflate-small.tif": tiff_strip(64, 64, 8, bomb),
        "lzw.tif": tiff_strip(60_000, 60_000, 5, b"\x80" + b"\0" * 4000),
        "many-frames.gif": gif_frames(30_000),
        "huge-screen.gif": b"GIF89a\xff\xff\xff\xff\x80\0\0"
        + b"\0" * 6
        + b",\0\0\0\0\xff\xff\xff\xff\0\x08\x02L\x01\0;",
        "canvas.webp": riff(b"VP8X" + struct.pack("<IB3x", 10, 0x10) + b"\xff\x3f\0\xff\x3f\0"),
        "chunks.webp": riff(b"".join(b"EXIF" + struct.pack("<I", 0xFFFFFFFF) for _ in range(2000))),
    }


def tiff_strip(width: int, height: int, compression: int, data: bytes) -> bytes:
    entries = [
        (0x0100, 4, 1, width), (0x0101, 4, 1, height), (0x0102, 3, 1, 8), (0x0103, 3, 1, compression),
        (0x0106, 3, 1, 1), (0x0111, 4, 1, 8 + 2 + 12 * 9 + 4), (0x0115, 3, 1, 1), (0x0116, 4, 1, height),
        (0x0117, 4, 1, len(data)),
    ]  # fmt: skip
    return hostile.tiff(entries, data)


def gif_frames(number: int) -> bytes:
    frame = b"!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02L\x01\0"
    return b"GIF89a\x01\0\x01\0\x80\0\0" + b"\0\0\0\xff\xff\xff" + frame * number + b";"


def riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def progressive(side: int, scans: int) -> bytes:
    """A progressive JPEG whose every scan says nothing, at the cost of a walk over all its blocks."""
    frame = segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0")
    quantisation = segment(0xDB, b"\0" + b"\1" * 64)
    # A difference of zero for the DC coefficient; EOB0 to EOB14, runs of up to 32,767 empty blocks, four bits each.
    tables = segment(0xC4, b"\0" + b"\1" + b"\0" * 15 + b"\0")
    tables += segment(0xC4, b"\x10" + b"\0\0\0\x0f" + b"\0" * 12 + bytes(run << 4 for run in range(15)))
    blocks = left = ((side + 7) // 8) ** 2
    bits = ""
    while left:
        run = min(left, 32767)
        power = run.bit_length() - 1
        bits += format(power, "04b") + (format(run - (1 << power), f"0{power}b") if power else "")
        left -= run
    bits += "1" * (-len(bits) % 8)
    packed = int(bits, 2).to_bytes(len(bits) // 8, "big")
    scan = segment(0xDA, b"\1\1\0\1\x3f\0") + packed.replace(b"\xff", b"\xff\0")
    first = segment(0xDA, b"\1\1\0\0\0\0") + b"\0" * (blocks // 8 + 1)
    return b"\xff\xd8" + quantisation + frame + tables + first + scan * scans + b"\xff\xd9"


def structures() -> dict[str, bytes]:
    """Nesting, loops, lengths that lie and parts that overlap."""
    loop = b"II*\0\x08\0\0\0" + hostile.directory([(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0x014A, 4, 1, 8)], 8)
    counts = hostile.tiff([(0x010E, 2, 0xFFFFFFFF, 8), (0x0111, 4, 0xFFFFFFFF, 8), (0x927C, 7, 0x7FFFFFFF, 8)])
    whole = make.jpeg()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = profile[:128] + struct.pack(">I", 0xFFFFFFFF) + profile[132:]
    lying = profile[:128] + struct.pack(">I", 50) + b"desc" + struct.pack(">II", 0, 0xFFFFFFFF) * 50
    app2 = b"ICC_PROFILE\0"
    boxes = b""
    for _ in range(3000):
        boxes = box(b"jumb", boxes)
    nested_cbor = box(b"jumb", box(b"jumd", b"cbor" + b"\0" * 12 + b"\3c2pa\0") + box(b"cbor", b"\x81" * 60_000))
    heic = box(b"ftyp", b"heic\0\0\0\0heicmif1")
    deep = b""
    for _ in range(3000):
        deep = box(b"meta", b"\0\0\0\0" + deep)
    ispe = box(b"iprp", box(b"ipco", box(b"ispe", b"\0\0\0\0" + b"\x7f\xff\xff\xff" * 2)))
    return {
        "ifd-loop.jpg": with_segments(whole, make.exif_segment(loop)),
        "ifd-loop.tif": loop,
        "counts.jpg": with_segments(whole, make.exif_segment(counts)),
        "counts.tif": counts,
        "icc-tags.jpg": with_segments(whole, segment(0xE2, app2 + b"\1\1" + tags[:60_000])),
        "icc-lies.jpg": with_segments(whole, segment(0xE2, app2 + b"\1\1" + lying)),
        "icc-parts.jpg": with_segments(whole, *[segment(0xE2, app2 + bytes((i, 255)) + b"x" * 900) for i in (9, 9, 0)]),
        "icc.png": with_chunks(make.png(), chunk(b"iCCP", b"p\0\0" + zlib.compress(lying))),
        "jumbf.jpg": with_segments(whole, segment(0xEB, b"JP\0\1\0\0\0\1" + boxes[:65_000])),
        "cbor.jpg": with_segments(whole, segment(0xEB, b"JP\0\1\0\0\0\1" + nested_cbor)),
        "cbor.png": with_chunks(make.png(), chunk(b"caBX", nested_cbor)),
        "brob.heic": heic + box(b"brob", b"jumb" + b"\x5b\xff\xff" * 4000) + box(b"mdat", b""),
        "laughs.jpg": with_segments(whole, xmp_segment(LAUGHS)),
        "outside.jpg": with_segments(whole, xmp_segment(OUTSIDE)),
        "laughs.png": with_chunks(make.png(), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + LAUGHS)),
        "deep-xmp.jpg": with_segments(whole, xmp_segment(deep_xmp(3000))),
        "deep-xmp.png": with_chunks(make.png(), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + deep_xmp(90_000))),
        "names.png": with_chunks(
            make.png(), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + hostile.long_names(60_000, 5000))
        ),
        "items.heic": hostile.overlapping_items(2000, 200_000),
        "deep.heic": heic + deep,
        "deep.avif": box(b"ftyp", b"avif\0\0\0\0avifmif1") + deep,
        "ispe.heic": heic + box(b"meta", b"\0\0\0\0" + ispe),
        "sizes.heic": heic + b"\0\0\0\1free\0\0\0\0\0\0\0\0" + b"\0\0\0\0meta",
        "samsung.jpg": hostile.overlapping_trailer(2000, 100_000),
        "empty-segments.jpg": b"\xff\xd8" + segment(0xE1, b"") * 20_000 + whole[2:],
        "scans.jpg": progressive(1000, 300),
        "huge.jpg": whole[:2]
        + segment(0xC0, b"\x08\xff\xff\xff\xff\1\1\x11\0")
        + b"\xff\xda\0\x08\1\1\0\0\x3f\0\xff\xd9",
        "huge.bmp": b"BM"
        + struct.pack("<IIIIiiHHIIiiII", 60, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0, 0, 0, 0, 0),
    }


def truncated() -> dict[str, bytes]:
    found = {}
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"):
        data = saved(picture((200, 140)), kind)
        for share in (0.02, 0.4, 0.97):
            found[f"cut-{share}.{kind.lower()}"] = data[: int(len(data) * share)]
    return found


def all_files() -> dict[str, bytes]:
    return {**polyglots(), **compressed(), **structures(), **truncated()}

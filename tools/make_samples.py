"""Builds the files of samples/ again: ``make samples``.

The photographs come out of two packages that are needed for this script only: scikit-image (astronaut, coffee) and
matplotlib (Grace Hopper). Everything else is drawn here. The same Pillow version writes the same bytes every time.
``resynthesised.png`` also needs the autoencoder weights of the development data (``NSFWFORENSICS_SHARED_DATA``, or
``shared/data`` beside the checkout); without them that one file is left as it is.
"""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from pathlib import Path

import numpy as np
from exif_writer import Value, exif_block
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps
from PIL.PngImagePlugin import PngInfo
from sample_tags import PROMPT, camera_tags

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
DATA = Path(os.environ.get("NSFWFORENSICS_SHARED_DATA", ROOT.parent / "shared" / "data"))

PORTRAIT = (72, 0, 376, 340)
FACE_CROP = (88, 0, 360, 272)
SHUTTLE = (338, 0, 512, 292)
BACKDROP = (306, 96, 352, 176)
COAT = [(92, 512), (78, 420), (110, 330), (176, 286), (226, 330), (272, 292), (352, 320), (408, 400), (424, 512)]
REPOST = (36, 10, 446, 496)
THUMBNAIL = (160, 160)


def package_file(package: str, path: str) -> Path:
    """A data file of an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is needed to build the samples: pip install scikit-image matplotlib")
    return Path(spec.submodule_search_locations[0]) / path


def astronaut() -> Image.Image:
    """Eileen Collins, official portrait, NASA, public domain: RGB, 512 × 512."""
    return Image.open(package_file("skimage", "data/astronaut.png")).convert("RGB")


def grace_hopper() -> Image.Image:
    """Grace Hopper, official portrait, US Navy, public domain: RGB, 512 × 600."""
    return Image.open(package_file("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")).convert("RGB")


def coffee() -> Image.Image:
    """A cup of coffee, photograph by Rachel Michetti, CC0: RGB, 600 × 400."""
    return Image.open(package_file("skimage", "data/coffee.png")).convert("RGB")


def jpeg(image: Image.Image, quality: int, exif: bytes = b"", subsampling: int = 2) -> bytes:
    """The picture as a baseline JPEG, chroma 4:2:0 unless asked otherwise, with no text of its source."""
    buffer = io.BytesIO()
    bare = image.copy()
    bare.info.clear()
    bare.save(buffer, "JPEG", quality=quality, subsampling=subsampling, exif=exif)
    return buffer.getvalue()


def thumbnail(image: Image.Image) -> bytes:
    """A small JPEG of the picture, as a camera embeds it."""
    small = image.copy()
    small.thumbnail(THUMBNAIL, Image.Resampling.LANCZOS)
    return jpeg(small, 80)


def camera_original() -> bytes:
    """As a camera would write it: full EXIF, position, serial numbers, owner, a thumbnail that fits."""
    picture = astronaut()
    return jpeg(picture, 95, exif_block(*camera_tags(), thumbnail(picture)), subsampling=1)


def edited_copy() -> bytes:
    """The shuttle painted over; editor named, changed weeks later, satellite time off, thumbnail of before."""
    picture = astronaut()
    wall = picture.crop(BACKDROP).resize((SHUTTLE[2] - SHUTTLE[0], SHUTTLE[3] - SHUTTLE[1]), Image.Resampling.BICUBIC)
    mask = Image.new("L", wall.size, 0)
    ImageDraw.Draw(mask).rectangle((12, 12, wall.width - 13, wall.height - 13), fill=255)
    edited = picture.copy()
    edited.paste(wall.filter(ImageFilter.GaussianBlur(3)), SHUTTLE[:2], mask.filter(ImageFilter.GaussianBlur(5)))
    ifd0, exif, gps = camera_tags()
    ifd0 |= {0x0131: "GIMP 2.10.36", 0x0132: "2025:08:02 09:11:05"}
    gps |= {0x001D: "2025:06:19"}
    return jpeg(edited, 82, exif_block(ifd0, exif, gps, thumbnail(picture)))


def messenger_copy() -> bytes:
    """Reduced, compressed again and stripped, as messengers do."""
    small = Image.open(io.BytesIO(camera_original())).resize((448, 448), Image.Resampling.BICUBIC)
    return jpeg(small, 72)


def phone_screen(picture: Image.Image) -> Image.Image:
    """The picture at full width in a post on a phone's screen: RGB, 540 × 1170."""
    screen = Image.new("RGB", (540, 1170), (247, 247, 248))
    draw = ImageDraw.Draw(screen)
    ink, pale = (20, 20, 24), (140, 140, 148)
    draw.text((42, 24), "9:41", ink, ImageFont.load_default(26))
    for bar in range(4):
        draw.rectangle((408 + 9 * bar, 46 - 5 * bar, 413 + 9 * bar, 50), fill=ink)
    draw.rounded_rectangle((458, 28, 502, 50), 6, outline=ink, width=2)
    draw.rounded_rectangle((462, 32, 490, 46), 3, fill=ink)
    draw.ellipse((24, 96, 80, 152), fill=(170, 190, 214))
    draw.text((98, 100), "space_museum_sample", ink, ImageFont.load_default(24))
    draw.text((98, 130), "Visitors' gallery", pale, ImageFont.load_default(18))
    height = round(540 * picture.height / picture.width)
    screen.paste(picture.resize((540, height), Image.Resampling.BICUBIC), (0, 180))
    draw.text((24, height + 204), "128 likes", ink, ImageFont.load_default(24))
    draw.text((24, height + 242), "space_museum_sample  Portrait of the day", ink, ImageFont.load_default(20))
    draw.text((24, height + 276), "View all 12 comments", pale, ImageFont.load_default(20))
    draw.rounded_rectangle((190, 1150, 350, 1156), 3, fill=ink)
    return screen


def screenshot() -> bytes:
    """The picture inside a phone's screen, with the mark that iOS leaves."""
    marks = PngInfo()
    marks.add_itxt(
        "XML:com.adobe.xmp",
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/"><exif:UserComment><rdf:Alt>'
        '<rdf:li xml:lang="x-default">Screenshot</rdf:li></rdf:Alt></exif:UserComment></rdf:Description></rdf:RDF>'
        "</x:xmpmeta>",
    )
    return png(phone_screen(astronaut()), marks)


def other_clothes() -> Image.Image:
    """The flight suit repainted as a checked wool coat, its folds kept: clothed before and after."""
    picture = astronaut()
    pixels = np.asarray(picture, np.float32)
    y, x = np.mgrid[0:512, 0:512].astype(np.float32)
    weave = 0.5 + 0.22 * np.sign(np.sin((x + 0.3 * y) / 7.0)) + 0.22 * np.sign(np.sin((y - 0.2 * x) / 9.0))
    wool = weave[..., None] * np.array([92.0, 118, 104]) + (1 - weave[..., None]) * np.array([36.0, 44, 62])
    folds = np.asarray(picture.convert("L").filter(ImageFilter.GaussianBlur(4)), np.float32)[..., None] / 128
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).polygon(COAT, fill=255)
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(4)), np.float32)[..., None] / 255
    return Image.fromarray(np.clip(pixels * (1 - soft) + wool * folds * soft, 0, 255).astype(np.uint8))


def reposted_edit() -> bytes:
    """The repainted picture as it comes back: cropped, mirrored, warmer and paler, compressed, on a phone's screen."""
    part = ImageOps.mirror(other_clothes().crop(REPOST))
    warmed = np.asarray(part, np.float32) / 255
    warmed = warmed ** np.array([0.80, 0.92, 1.12], np.float32) * 0.86 + 0.10
    filtered = Image.fromarray(np.clip(warmed * 255, 0, 255).astype(np.uint8))
    posted = Image.open(io.BytesIO(jpeg(filtered, 74)))
    return png(phone_screen(posted))


def landscape() -> Image.Image:
    """Hills drawn out of sums of waves: RGB, 384 × 384. No photograph and no generator had a part in it."""
    side = 384
    x = np.linspace(0, 1, side)[None, :]
    y = np.linspace(0, 1, side)[:, None]
    pixels = (1 - y)[..., None] * np.array([236.0, 150, 110]) + y[..., None] * np.array([250.0, 214, 160])
    pixels = np.broadcast_to(pixels, (side, side, 3)).copy()
    for layer, (base, colour) in enumerate(((0.5, (120, 110, 150)), (0.63, (84, 92, 120)), (0.78, (44, 60, 72)))):
        ridge = base + 0.05 * np.sin(9 * x + 2 * layer) + 0.03 * np.sin(23 * x + layer) + 0.012 * np.sin(61 * x)
        edge = np.clip((y - ridge) * side, 0, 1)[..., None]
        pixels = pixels * (1 - edge) + np.array(colour, float) * edge
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def generator_metadata() -> bytes:
    """A drawn picture that says, in the structure AUTOMATIC1111 uses, that it was generated."""
    marks = PngInfo()
    marks.add_text("parameters", PROMPT)
    return png(landscape(), marks)


def hostile_text() -> bytes:
    """Metadata that would act in a browser, a terminal or a spreadsheet if a report let it."""
    ifd0: dict[int, Value] = {
        0x010E: "<script>alert(1)</script>",
        0x010F: "[red]x[/red]",
        0x0110: "[link=file:///etc/passwd]model[/link]",
        0x0131: '"><img src=x onerror=alert(1)>',
        0x013B: "=cmd()",
        0x8298: "\x1b[2J\x1b]0;title\x07",
    }
    return jpeg(landscape(), 85, exif_block(ifd0, {0x9286: b"ASCII\0\0\0@SUM(1+1)"}))


def png(image: Image.Image, marks: PngInfo | None = None) -> bytes:
    """The picture as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=marks, optimize=True)
    return buffer.getvalue()


def corrupt() -> bytes:
    """All headers of a JPEG, and then nothing: the picture data is missing from its first byte."""
    whole = jpeg(astronaut(), 90)
    scan = whole.index(b"\xff\xda")
    return whole[: scan + 2 + int.from_bytes(whole[scan + 2 : scan + 4], "big")]


def truncated() -> bytes:
    """The first part of a JPEG, as an interrupted download leaves it."""
    whole = jpeg(astronaut(), 90)
    return whole[: len(whole) * 7 // 10]


def resynthesised() -> bytes | None:
    """Her picture encoded and painted again by the decoder of an image generator; None without its weights."""
    if not (DATA / "models").is_dir():
        return None
    from training.autoencoder import load, roundtrip

    return png(Image.fromarray(roundtrip(load(DATA / "models"), np.asarray(astronaut()))))


def build() -> dict[str, bytes | None]:
    """Every sample's bytes by name; None for one that cannot be built here."""
    return {
        "reference.jpg": jpeg(astronaut().crop(PORTRAIT), 93),
        "camera-original.jpg": camera_original(),
        "IMG-20260112-WA0007.jpg": messenger_copy(),
        "crop.jpg": jpeg(astronaut().crop(FACE_CROP), 88),
        "screenshot.png": screenshot(),
        "edited-copy.jpg": edited_copy(),
        "reposted-edit.png": reposted_edit(),
        "resynthesised.png": resynthesised(),
        "generator-metadata.png": generator_metadata(),
        "other-person.jpg": jpeg(grace_hopper(), 90),
        "no-face.jpg": jpeg(coffee(), 90),
        "corrupt.jpg": corrupt(),
        "truncated.jpg": truncated(),
        "hostile-text.jpg": hostile_text(),
        "wrong-extension.png": jpeg(coffee().crop((150, 40, 450, 340)), 85),
        "not-an-image.txt": b"A note that lies in the same folder as the pictures.\n",
    }


def main() -> int:
    """Writes every sample that can be built here."""
    for name, data in build().items():
        if data is None:
            print(f"{name}: left as it is, the autoencoder weights are not at hand")
        else:
            (SAMPLES / name).write_bytes(data)
            print(f"{name}: {len(data):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

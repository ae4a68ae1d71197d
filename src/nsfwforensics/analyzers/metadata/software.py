"""Programs and services that leave their name in a file, as tables, and where to look for them.

A name counts only in a field that is made for it. Camera firmware also stands in ``Software``; it is no editor, so only
names in the table count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nsfwforensics.core.messages import say
from nsfwforensics.formats import jpeg
from nsfwforensics.formats.fields import Field, Metadata
from nsfwforensics.formats.xmp import EXIF, TIFF, XMP, XMP_MM

EDITOR, RETOUCH, RAW, RESAVER = "photo editor", "retouching app", "raw developer", "program that re-saves pictures"

_PROGRAMS: tuple[tuple[str, str, str], ...] = (
    (r"Photoshop Lightroom|\bLightroom\b", "Adobe Lightroom", RAW),
    (r"Photoshop Camera Raw|Camera Raw", "Adobe Camera Raw", RAW),
    (r"Photoshop Express", "Adobe Photoshop Express", RETOUCH),
    (r"\bPhotoshop\b|Adobe PhotoDeluxe", "Adobe Photoshop", EDITOR),
    (r"Adobe (?:Illustrator|InDesign|Express|Firefly|Bridge)|Fireworks|ImageReady", say("an Adobe program"), EDITOR),
    (r"\bGIMP\b", "GIMP", EDITOR),
    (r"Affinity Photo|Affinity Designer|^Affinity", "Affinity", EDITOR),
    (r"Pixelmator", "Pixelmator", EDITOR),
    (r"Paint\.NET", "Paint.NET", EDITOR),
    (r"Paint ?Shop|PaintShop", "PaintShop Pro", EDITOR),
    (r"PhotoImpact|Ulead", "Ulead PhotoImpact", EDITOR),
    (r"Corel|PHOTO-PAINT", say("a Corel program"), EDITOR),
    (r"\bKrita\b", "Krita", EDITOR),
    (r"Photopea", "Photopea", EDITOR),
    (r"Acorn \d|^Acorn", "Acorn", EDITOR),
    (r"\bCanva\b", "Canva", EDITOR),
    (r"Inkscape", "Inkscape", EDITOR),
    (r"PaintTool|\bSAI\b|CLIP STUDIO", say("a painting program"), EDITOR),
    (r"PhotoScape", "PhotoScape", EDITOR),
    (r"Photo ?Filtre", "PhotoFiltre", EDITOR),
    (r"Luminar|Skylum", "Luminar", EDITOR),
    (r"Topaz|Gigapixel", say("a Topaz Labs program"), EDITOR),
    (r"Snapseed", "Snapseed", RETOUCH),
    (r"PicsArt|Picsart", "Picsart", RETOUCH),
    (r"Facetune", "Facetune", RETOUCH),
    (r"Meitu|BeautyPlus|BeautyCam|\bAirBrush\b", say("a Meitu app"), RETOUCH),
    (r"YouCam|Perfect365", say("a make-up app"), RETOUCH),
    (r"\bVSCO\b", "VSCO", RETOUCH),
    (r"Polarr", "Polarr", RETOUCH),
    (r"Afterlight", "Afterlight", RETOUCH),
    (r"PhotoDirector", "PhotoDirector", RETOUCH),
    (r"Capture One", "Capture One", RAW),
    (r"darktable", "darktable", RAW),
    (r"RawTherapee", "RawTherapee", RAW),
    (r"\bDxO\b", "DxO PhotoLab", RAW),
    (r"Capture NX|NX Studio|ViewNX|Nikon (?:View|Scan)", say("a Nikon program"), RAW),
    (r"Digital Photo Professional|ZoomBrowser|ImageBrowser", say("a Canon program"), RAW),
    (r"OLYMPUS (?:Viewer|Master|CAMEDIA)|CAMEDIA Master", say("an Olympus program"), RAW),
    (r"digiKam", "digiKam", RAW),
    (r"Aperture \d|^Aperture$|iPhoto", say("an Apple program"), RAW),
    (r"\bPicasa\b", "Picasa", EDITOR),
    (r"ACD ?(?:Systems|See)", "ACDSee", EDITOR),
    (r"IrfanView", "IrfanView", RESAVER),
    (r"XnView", "XnView", RESAVER),
    (r"FastStone", "FastStone", RESAVER),
    (r"Windows (?:Live )?Photo|Microsoft (?:Windows )?Photo", say("a Windows photo program"), RESAVER),
    (r"QuickTime", "QuickTime", RESAVER),
    (r"ImageMagick|GraphicsMagick", "ImageMagick", RESAVER),
    (r"gd-jpeg", say("the GD library used by web sites"), RESAVER),
    (r"\bLavc|FFmpeg", "FFmpeg", RESAVER),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), name, kind) for pattern, name, kind in _PROGRAMS)
_COMMENT_PROGRAMS = re.compile(
    r"^(?:CREATOR: gd-jpeg|Created with (?:The )?GIMP|Lavc|File written by Adobe Photoshop|ACD Systems)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that the file names: its usual name, its kind, what the file says word for word, and where."""

    name: str
    kind: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign of a service or of a screenshot. ``stated`` is False where it only fits and is not named."""

    what: str
    text: str
    place: str
    stated: bool = True


def software_fields(table: Metadata) -> Iterator[Field]:
    """The fields that are made to name software."""
    yield from table.find("EXIF IFD0", "0x0131", "0x000B")
    yield from table.find("XMP", f"{{{TIFF}}}Software", f"{{{XMP}}}CreatorTool")
    for field in table.fields:
        in_history = field.group == f"XMP {XMP_MM}" and field.name.endswith(".softwareAgent")
        in_png = field.group.startswith("PNG ") and field.tag in ("Software", "software")
        in_iptc = field.group == "IPTC-IIM" and field.tag == "2:65"
        in_comment = field.group in ("JPEG COM", "GIF comment") and _COMMENT_PROGRAMS.match(field.words.strip())
        if in_history or in_png or in_iptc or in_comment:
            yield field


def programs(table: Metadata) -> list[Program]:
    """Editors and other programs of the table that the file names, each once."""
    found: dict[str, Program] = {}
    for field in software_fields(table):
        text = field.words.strip()[:200]
        for pattern, name, kind in _COMPILED:
            if pattern.search(text):
                place = f"{field.group.split(' http')[0]} {field.name}"
                found.setdefault(name, Program(name, kind, text, place))
                break
    ducky = table.first("Ducky", "Ducky")
    if ducky is not None:
        found.setdefault("Adobe Photoshop", Program("Adobe Photoshop", EDITOR, "Save for Web (Ducky)", ducky.source))
    return list(found.values())


_SHOT_NAME = re.compile(
    r"^(?:Screenshot[ _(-]|Screen Shot \d{4}|Screenshot from |Bildschirmfoto |Captura de pantalla|Capture d.écran"
    r"|Schermata |スクリーンショット|屏幕截图|截屏)",
    re.IGNORECASE,
)  # fmt: skip


def screenshot_marks(table: Metadata, name: str) -> list[Mark]:
    """Signs that the picture is a copy of a screen."""
    in_xmp = (f for f in table.fields if f.group == f"XMP {EXIF}" and f.name.startswith("UserComment"))
    marks = [
        Mark(say("a screenshot made by iOS or macOS"), "Screenshot", f"{field.group} {field.name}")
        for field in (*table.find("EXIF ExifIFD", "0x9286"), *in_xmp)
        if field.words.strip() == "Screenshot"
    ]
    for field in software_fields(table):
        text = field.words.strip()
        if field.group == "EXIF IFD0" and re.match(r"Android [A-Z0-9]", text):
            marks.append(Mark(say("a screenshot made by Android"), text[:100], f"{field.group} {field.name}"))
        elif re.match(r"gnome-screenshot|Spectacle|Greenshot|ShareX|Flameshot", text, re.IGNORECASE):
            marks.append(Mark(say("a screenshot program"), text[:100], f"{field.group} {field.name}"))
    if _SHOT_NAME.match(name):
        marks.append(Mark(say("a screenshot, by its file name"), name[:100], "file name", stated=False))
    return marks


_SERVICE_NAMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^(?:IMG|VID)-\d{8}-WA\d{4}", re.IGNORECASE), "WhatsApp"),
    (re.compile(r"^WhatsApp Image \d{4}-\d\d-\d\d at \d\d\.\d\d\.\d\d", re.IGNORECASE), "WhatsApp"),
    (re.compile(r"^FB_IMG_\d+", re.IGNORECASE), "Facebook"),
    (re.compile(r"^mmexport\d+", re.IGNORECASE), "WeChat"),
)
_FACEBOOK = re.compile(r"^FBMD[0-9a-f]{8,}", re.IGNORECASE)
_TELEGRAM = {(1280, 80), (1280, 87), (2560, 99)}


def service_marks(table: Metadata, name: str, layout: jpeg.JpegFile | None) -> list[Mark]:
    """Signs that a messenger or social network re-encoded the picture.

    Args:
        table: The file's metadata.
        name: The file's name.
        layout: The JPEG structure, or None for another format.
    """
    marks = [
        Mark(say("Facebook or Instagram"), field.words.strip()[:40], "IPTC-IIM SpecialInstructions")
        for field in table.find("IPTC-IIM", "2:40")
        if _FACEBOOK.match(field.words.strip())
    ]
    marks += [
        Mark(service, name[:100], "file name", stated=False)
        for pattern, service in _SERVICE_NAMES
        if pattern.match(name)
    ]
    stripped = not any(field.group.startswith(("EXIF", "XMP", "IPTC")) for field in table.fields)
    if stripped and layout is not None and layout.size:
        quality = jpeg.ijg_quality(jpeg.quantisation_tables(layout))
        if quality is not None and (max(layout.size), quality) in _TELEGRAM:
            text = f"long side {max(layout.size)} pixels, JPEG quality {quality}, no metadata"
            marks.append(Mark("Telegram", text, "JPEG size and quantisation tables", stated=False))
    return marks

"""Programs and services that leave their name in a file, as tables, and where to look for them.

A name counts only in a field that is made for it. Camera firmware also stands in ``Software``; it is no editor, so only
names in the table count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nsfwforensics.analyzers.metadata import names
from nsfwforensics.analyzers.metadata.identity import device, useful
from nsfwforensics.analyzers.provenance.rules.names import NAMES
from nsfwforensics.core.messages import say
from nsfwforensics.formats import jpeg
from nsfwforensics.formats.fields import Field, Metadata
from nsfwforensics.formats.xmp import EXIF, TIFF, XMP, XMP_MM

PDF = "http://ns.adobe.com/pdf/1.3/"

EDITOR, RETOUCH, RAW, RESAVER = "photo editor", "retouching app", "raw developer", "program that re-saves pictures"
GENERATOR, UNKNOWN = "generator of pictures", "unknown program"

_PROGRAMS: tuple[tuple[str, str, str], ...] = (
    (r"Photoshop Lightroom|\bLightroom\b", "Adobe Lightroom", RAW),
    (r"Photoshop Camera Raw|Camera Raw", "Adobe Camera Raw", RAW),
    (r"Photoshop Express", "Adobe Photoshop Express", RETOUCH),
    (r"\bPhotoshop\b|Adobe PhotoDeluxe", "Adobe Photoshop", EDITOR),
    (r"Adobe (?:Illustrator|InDesign|Express|Bridge)|Fireworks|ImageReady", say("an Adobe program"), EDITOR),
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
    (r"FaceApp", "FaceApp", RETOUCH),
    (r"\bRemini\b", "Remini", RETOUCH),
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
    (r"\bLav[cf]|FFmpeg", "FFmpeg", RESAVER),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), name, kind) for pattern, name, kind in _PROGRAMS)
_COMMENT_PROGRAMS = re.compile(
    r"^(?:CREATOR: gd-jpeg|Created with (?:The )?GIMP|Lavc|File written by Adobe Photoshop|ACD Systems)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that the file names: its usual name, its kind, what the file says word for word, where, in which field.

    The usual name of one that is in no table is what the file says.
    """

    name: str
    kind: str
    text: str
    place: str
    field: Field | None = None

    @property
    def stored(self) -> dict[str, str]:
        """As plain values for a report."""
        return {"name": self.name, "kind": self.kind, "text": self.text, "place": self.place}


@dataclass(frozen=True, slots=True)
class CopyMark:
    """A sign of a service or of a screenshot.

    ``stated`` is False where it only fits and is not named; ``date`` is the date that a file's name gives, or empty.
    """

    what: str
    text: str
    place: str
    stated: bool = True
    date: str = ""

    @property
    def stored(self) -> dict[str, Any]:
        """As plain values for a report."""
        kept = {"what": self.what, "text": self.text, "place": self.place, "stated": self.stated}
        return kept | ({"date": self.date} if self.date else {})


_PNG_NAMES = frozenset({"software", "creator", "creatortool", "creator tool", "generator", "application"})


def software_fields(table: Metadata) -> Iterator[Field]:
    """The fields that are made to name software."""
    yield from table.find("EXIF IFD0", "0x0131", "0x000B")
    yield from table.find("XMP", f"{{{TIFF}}}Software", f"{{{XMP}}}CreatorTool")
    yield from table.find("QuickTime", "com.apple.quicktime.software", "©swr", "©too")
    for field in table.fields:
        in_history = field.group == f"XMP {XMP_MM}" and field.name.endswith(".softwareAgent")
        in_png = field.group.startswith("PNG ") and field.tag.lower() in _PNG_NAMES
        in_iptc = field.group == "IPTC-IIM" and field.tag == "2:65"
        in_producer = field.group == f"XMP {PDF}" and field.name == "Producer"
        in_comment = field.group in ("JPEG COM", "GIF comment") and _COMMENT_PROGRAMS.match(field.words.strip())
        if in_history or in_png or in_iptc or in_producer or in_comment:
            yield field


def programs(table: Metadata) -> list[Program]:
    """Every program that the file names, each once: those of the tables first, then what stands in none of them.

    What a camera writes into EXIF's Software is its firmware, and is left out where the camera is named.
    """
    found: dict[str, Program] = {}
    others: dict[str, Program] = {}
    camera = device(table) is not None
    for field in software_fields(table):
        text = useful(field.words)[:200] if not isinstance(field.value, bytes) else ""
        place = f"{field.group.split(' http')[0]} {field.name}"
        named = next(((name, kind) for pattern, name, kind in _COMPILED if pattern.search(text)), None)
        if named is None and (maker := next((name for pattern, name in NAMES if pattern.search(text)), "")):
            named = (text if maker.startswith("a ") else maker, GENERATOR)
        if named is not None:
            found.setdefault(named[0], Program(*named, text, place, field))
        elif _says_something(text) and not (camera and field.group == "EXIF IFD0"):
            others.setdefault(text, Program(text, UNKNOWN, text, place, field))
    ducky = table.first("Ducky", "Ducky")
    if ducky is not None:
        found.setdefault("Adobe Photoshop", Program("Adobe Photoshop", EDITOR, "Save for Web (Ducky)", ducky.source))
    return [*found.values(), *others.values()]


def _says_something(text: str) -> bool:
    """Whether a value may be a program's name: no settings, no number of a version alone, no sign of a screenshot."""
    return bool(re.search(r"[^\W\d_]{2}", text)) and text[:1] not in "{[<" and not _SHOT_PROGRAMS.match(text)


_ANDROID = re.compile(r"Android [A-Z0-9]")
_SHOT_PROGRAMS = re.compile(r"gnome-screenshot|Spectacle|Greenshot|ShareX|Flameshot|Android [A-Z0-9]", re.IGNORECASE)
_EXPOSURE = ("0x829A", "0x829D", "0x8827", "0x9201", "0x9202", "0x920A")


def camera_data(table: Metadata) -> bool:
    """Whether the file names a camera or states an exposure: time, aperture, sensitivity or focal length."""
    return device(table) is not None or any(table.first("EXIF ExifIFD", tag) is not None for tag in _EXPOSURE)


def screenshot_marks(table: Metadata, name: str) -> list[CopyMark]:
    """Signs that the picture is a copy of a screen."""
    in_xmp = (f for f in table.fields if f.group == f"XMP {EXIF}" and f.name.startswith("UserComment"))
    marks = [
        CopyMark(say("a screenshot made by iOS or macOS"), "Screenshot", f"{field.group} {field.name}")
        for field in (*table.find("EXIF ExifIFD", "0x9286"), *in_xmp)
        if field.words.strip() == "Screenshot"
    ]
    for field in software_fields(table):
        text = field.words.strip()
        if _ANDROID.match(text):
            # The build of the system is also what cameras of phones write; a screenshot has no exposure.
            if field.group == "EXIF IFD0" and not camera_data(table):
                marks.append(CopyMark(say("a screenshot made by Android"), text[:100], f"{field.group} {field.name}"))
        elif _SHOT_PROGRAMS.match(text):
            marks.append(CopyMark(say("a screenshot program"), text[:100], f"{field.group} {field.name}"))
    if named := names.screenshot(name):
        what = say("a screenshot, by its file name")
        marks.append(CopyMark(what, name[:100], "file name", stated=False, date=named.date))
    return marks


_FACEBOOK = re.compile(r"^FBMD[0-9a-f]{8,}", re.IGNORECASE)
_TELEGRAM = {(1280, 87), (2560, 99)}
_TELEGRAM_BY_NAME = (1280, 80)
"""Size and quality that many web exporters share, so that they only add to a name."""


def service_marks(table: Metadata, name: str, layout: jpeg.JpegFile | None) -> list[CopyMark]:
    """Signs that a messenger or social network re-encoded the picture.

    Args:
        table: The file's metadata.
        name: The file's name.
        layout: The JPEG structure, or None for another format.
    """
    marks = [
        CopyMark(say("Facebook or Instagram"), field.words.strip()[:40], "IPTC-IIM SpecialInstructions")
        for field in table.find("IPTC-IIM", "2:40")
        if _FACEBOOK.match(field.words.strip())
    ]
    named = names.service(name, camera=camera_data(table))
    if named:
        marks.append(CopyMark(named.what, name[:100], "file name", stated=False, date=named.date))
    stripped = not any(field.group.startswith(("EXIF", "XMP", "IPTC")) for field in table.fields)
    if stripped and layout is not None and layout.size:
        quality = jpeg.ijg_quality(jpeg.quantisation_tables(layout))
        form = (max(layout.size), quality)
        if form in _TELEGRAM or (form == _TELEGRAM_BY_NAME and named and "Telegram" in named.what):
            text = f"long side {max(layout.size)} pixels, JPEG quality {quality}, no metadata"
            marks.append(CopyMark("Telegram", text, "JPEG size and quantisation tables", stated=False))
    return marks

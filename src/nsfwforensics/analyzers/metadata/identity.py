"""What a file says about devices, places and people: the personal data in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nsfwforensics.analyzers.provenance.rules.names import AUTHOR
from nsfwforensics.formats.fields import Field, Metadata, Rational
from nsfwforensics.formats.xmp import AUX, DC, EXIF, EXIF_EX, IPTC_EXT, TIFF

_NO_DEVICE = re.compile(r"^(?:prompt:|workflow:|[{\[<])|AI generated|Black Forest Labs|Ideogram", re.IGNORECASE)
_GENERATOR = re.compile(AUTHOR, re.IGNORECASE)
_BLANK = re.compile(r"^[\s\0.\-_?]*$|^(?:unknown|none|n/a|default|null|0+|owner ?name|x+)$", re.IGNORECASE)
_XMP_GPS = re.compile(r"^(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?\s*([NSEW])$")

_APPLE = "com.apple.quicktime."
_ISO_6709 = re.compile(r"^([+-]\d{2}\.\d+)([+-]\d{3}\.\d+)([+-]\d{1,5}(?:\.\d+)?)?/?")


@dataclass(frozen=True, slots=True)
class Device:
    """The device a file names; empty text for what it does not name."""

    make: str
    model: str
    lens: str
    place: str

    @property
    def words(self) -> str:
        """Make and model without saying the make twice."""
        if self.model.lower().startswith(self.make.split(" ")[0].lower()) and self.make:
            return self.model
        return f"{self.make} {self.model}".strip()


@dataclass(frozen=True, slots=True)
class Position:
    """A position in decimal degrees (north and east positive), altitude in metres above sea level.

    ``hemisphere_stated`` is False where the file leaves out N/S or E/W, so that the sign is a guess.
    """

    latitude: float
    longitude: float
    altitude: float | None
    hemisphere_stated: bool
    place: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One piece of text about a person or a device: what it is, what it says, where it stands."""

    what: str
    text: str
    place: str


def useful(text: str) -> str:
    """The text without its padding; empty where it is only a placeholder."""
    stripped = text.strip(" \t\r\n\0")
    return "" if _BLANK.match(stripped) else stripped


def _text(field: Field | None) -> str:
    return useful(field.words) if field is not None and not isinstance(field.value, bytes) else ""


def device(table: Metadata) -> Device | None:
    """The camera or phone that the file names, or None. Text put there by generators is no device."""
    for group, make_tag, model_tag in (
        ("EXIF IFD0", "0x010F", "0x0110"),
        (f"XMP {TIFF}", f"{{{TIFF}}}Make", f"{{{TIFF}}}Model"),
        ("QuickTime", f"{_APPLE}make", f"{_APPLE}model"),
        ("QuickTime", "©mak", "©mod"),
    ):
        make, model = (_text(table.first(group, tag)) for tag in (make_tag, model_tag))
        if any(len(text) > 100 or _NO_DEVICE.search(text) for text in (make, model)):
            continue
        if make or model:
            lens = _text(table.first("EXIF ExifIFD", "0xA434")) or _text(table.first("XMP", f"{{{AUX}}}Lens"))
            return Device(make, model, lens[:100], group.split(" http")[0])
    return None


def position(table: Metadata) -> Position | None:
    """Where the file says it was taken, or None. Undefined (0/0), impossible and 0°, 0° positions do not count."""
    latitude, north = _degrees(table, "0x0001", "0x0002", "NS")
    longitude, east = _degrees(table, "0x0003", "0x0004", "EW")
    altitude, stated, place = _altitude(table), north and east, "EXIF GPS"
    if latitude is None or longitude is None:
        latitude, longitude = _xmp_degrees(table, "GPSLatitude"), _xmp_degrees(table, "GPSLongitude")
        altitude, stated, place = None, True, "XMP exif"
    if latitude is None or longitude is None:
        (latitude, longitude, altitude), place = _iso_6709(table), "QuickTime"
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    if latitude == 0 and longitude == 0:
        return None
    return Position(round(latitude, 6), round(longitude, 6), altitude, stated, place)


def _iso_6709(table: Metadata) -> tuple[float | None, float | None, float | None]:
    """Where a video was taken: ``+35.6667+139.7500+012/``, degrees, and metres where a third number stands."""
    match = _ISO_6709.match(
        _text(table.first("QuickTime", f"{_APPLE}location.ISO6709") or table.first("QuickTime", "©xyz"))
    )
    if not match:
        return None, None, None
    return float(match[1]), float(match[2]), float(match[3]) if match[3] else None


def _degrees(table: Metadata, ref_tag: str, tag: str, letters: str) -> tuple[float | None, bool]:
    field, ref = table.first("EXIF GPS", tag), _text(table.first("EXIF GPS", ref_tag)).upper()
    value = field.value if field else None
    if isinstance(value, Rational):
        value = (value,)
    parts = [p for p in value if isinstance(p, Rational)] if isinstance(value, tuple) else []
    if not parts or not parts[0].denominator:
        return None, False
    # Seconds of 0/0 are common where the minutes carry the fraction: an undefined smaller part counts as nothing.
    degrees = sum(float(part) / 60**i for i, part in enumerate(parts[:3]) if part.denominator)
    return (-degrees if ref[:1] == letters[1] else degrees), ref[:1] in tuple(letters)


def _xmp_degrees(table: Metadata, name: str) -> float | None:
    field = table.first(f"XMP {EXIF}", f"{{{EXIF}}}{name}")
    match = _XMP_GPS.match(field.words.strip()) if field else None
    if match is None:
        return None
    degrees = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
    return -degrees if match[4] in "SW" else degrees


def _altitude(table: Metadata) -> float | None:
    field, ref = table.first("EXIF GPS", "0x0006"), table.first("EXIF GPS", "0x0005")
    if field is None or not isinstance(field.value, Rational) or not field.value.denominator:
        return None
    metres = float(field.value)
    return round(-metres if ref is not None and ref.value == 1 else metres, 2)


_PEOPLE: tuple[tuple[str, str, str], ...] = (
    ("camera owner", "EXIF ExifIFD", "0xA430"),
    ("artist", "EXIF IFD0", "0x013B"),
    ("author", "EXIF IFD0", "0x9C9D"),
    ("copyright holder", "EXIF IFD0", "0x8298"),
    ("photographer", "IPTC-IIM", "2:80"),
    ("copyright holder", "IPTC-IIM", "2:116"),
    ("contact", "IPTC-IIM", "2:118"),
    ("camera owner", "XMP", f"{{{AUX}}}OwnerName"),
    ("camera owner", "XMP", f"{{{EXIF_EX}}}CameraOwnerName"),
    ("author", "PNG tEXt", "Author"),
    ("author", "PNG iTXt", "Author"),
)
_PEOPLE_PREFIXES: tuple[tuple[str, str, str], ...] = (
    ("creator", DC, "creator["),
    ("copyright holder", DC, "rights["),
    ("person shown", IPTC_EXT, "PersonInImage["),
    ("contact", "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "CreatorContactInfo."),
)
_SERIALS: tuple[tuple[str, str, str], ...] = (
    ("camera", "EXIF ExifIFD", "0xA431"),
    ("lens", "EXIF ExifIFD", "0xA435"),
    ("camera", "EXIF IFD0", "0xC62F"),
    ("camera", "XMP", f"{{{AUX}}}SerialNumber"),
    ("lens", "XMP", f"{{{AUX}}}LensSerialNumber"),
    ("camera", "XMP", f"{{{EXIF_EX}}}BodySerialNumber"),
    ("lens", "XMP", f"{{{EXIF_EX}}}LensSerialNumber"),
)


def people(table: Metadata) -> list[Statement]:
    """Owners, artists, authors and other names that the file states, each text once; no generators of pictures."""
    return [each for each in _unique(_people(table)) if not _GENERATOR.search(each.text)]


def _people(table: Metadata) -> Iterator[Statement]:
    for what, group, tag in _PEOPLE:
        yield from (Statement(what, _text(field), field.place) for field in table.find(group, tag))
    for field in table.fields:
        if field.group == "EXIF MakerNote" and field.name in ("OwnerName", "Owner"):
            yield Statement("camera owner", _text(field), field.place)
        for what, namespace, prefix in _PEOPLE_PREFIXES:
            if field.group == f"XMP {namespace}" and field.name.startswith(prefix):
                yield Statement(what, _text(field), field.place)


def serials(table: Metadata) -> list[Statement]:
    """Serial numbers of camera and lens, each once."""
    return _unique(_serials(table))


def _serials(table: Metadata) -> Iterator[Statement]:
    for what, group, tag in _SERIALS:
        yield from (Statement(what, _text(field), field.place) for field in table.find(group, tag))
    for field in table.fields:
        if field.group == "EXIF MakerNote" and field.name in (
            "SerialNumber",
            "InternalSerialNumber",
            "LensSerialNumber",
        ):
            what = "lens" if field.name.startswith("Lens") else "camera"
            yield Statement(what, _text(field), field.place)


def _unique(found: Iterator[Statement]) -> list[Statement]:
    kept: dict[tuple[str, str], Statement] = {}
    for statement in found:
        if statement.text:
            kept.setdefault((statement.what, statement.text), statement)
    return list(kept.values())


_COMMENTS: tuple[tuple[str, str], ...] = (
    ("EXIF IFD0", "0x010E"), ("EXIF ExifIFD", "0x9286"), ("EXIF IFD0", "0x9286"), ("EXIF IFD0", "0x9C9B"),
    ("EXIF IFD0", "0x9C9C"), ("EXIF IFD0", "0x9C9F"), ("JPEG COM", "COM"), ("GIF comment", "0xFE"),
    ("IPTC-IIM", "2:120"), ("IPTC-IIM", "2:105"),
)  # fmt: skip
_PNG_COMMENTS = ("Comment", "Description", "Title", "Disclaimer", "Warning")


def comments(table: Metadata) -> list[Statement]:
    """Free text: comments, descriptions, captions, each text once."""

    def found() -> Iterator[Statement]:
        for group, tag in _COMMENTS:
            yield from (Statement("comment", _text(f), f.place) for f in table.find(group, tag))
        for field in table.fields:
            in_png = field.group in ("PNG tEXt", "PNG zTXt", "PNG iTXt") and field.tag in _PNG_COMMENTS
            in_xmp = field.group == f"XMP {DC}" and field.name.startswith(("description[", "title["))
            if in_png or in_xmp or (field.group == f"XMP {EXIF}" and field.name.startswith("UserComment[")):
                yield Statement("comment", _text(field), field.place)

    return list({statement.text: statement for statement in reversed(_unique(found()))}.values())[::-1]

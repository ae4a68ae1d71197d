"""How makers write about their cameras, as tables, and what in a file does not look so.

Only what a maker is known never to write is odd: values that programs put in to give a picture another origin mostly
miss such habits. Sources: the makers' files among the metadata test sets; Apple's own list of systems by phone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nsfwforensics.analyzers.metadata.identity import Device
from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.quoting import quote
from nsfwforensics.formats.fields import Metadata, Rational

_MAKES: tuple[tuple[str, str], ...] = (
    ("apple", r"Apple"), ("canon", r"Canon"), ("google", r"Google"), ("fujifilm", r"FUJIFILM"),
    ("nikon", r"NIKON"), ("nikon corporation", r"NIKON CORPORATION"), ("samsung", r"samsung|SAMSUNG"),
    ("sony", r"SONY|Sony"), ("huawei", r"HUAWEI|Huawei"), ("leica", r"LEICA|Leica"),
)  # fmt: skip
"""A maker's name in small letters, and how it writes it."""

_MODELS: tuple[tuple[str, str], ...] = (
    (r"(?:iPhone|iPad|iPod)\b", r"Apple"), (r"Canon (?:EOS|PowerShot|IXUS|DIGITAL)", r"Canon"),
    (r"NIKON [DZ]", r"NIKON"), (r"SM-[A-Z]\d{3}", r"samsung"), (r"Pixel \d", r"Google"),
    (r"(?:ILCE|DSC|SLT|DSLR|ILCA|ZV)-", r"SONY"),
)  # fmt: skip
"""How a model's name begins, and whose it is."""

_APPLE_MODELS = re.compile(r"(?:iPhone|iPad|iPod|QuickTake|Apple|RealityDevice|Vision|Watch|Mac)", re.IGNORECASE)
_SYSTEM_NAME = re.compile(r"^(?:iOS|iPadOS|iPhone ?OS|Apple iOS|Version)\s*\d", re.IGNORECASE)
_SYSTEM = re.compile(r"^(\d{1,2})(?:\.\d+)*$")
_FIRST_SYSTEM: tuple[tuple[str, int], ...] = (
    ("iPhone 17", 26), ("iPhone Air", 26), ("iPhone 16", 18), ("iPhone 15", 17), ("iPhone 14", 16), ("iPhone 13", 15),
    ("iPhone 12", 14), ("iPhone 11", 13), ("iPhone XS", 12), ("iPhone XR", 12), ("iPhone X", 11), ("iPhone 8", 11),
    ("iPhone 7", 10), ("iPhone 6s", 9), ("iPhone 6", 8), ("iPhone 5s", 7), ("iPhone 5", 6),
)  # fmt: skip
"""With which version of its system a phone was first sold; it never had an older one."""
_LENS_PHONE = re.compile(r"^(iPhone \w+(?: (?:mini|Plus|Pro Max|Pro))?) (?:back|front)", re.IGNORECASE)
_MILLIMETRES = re.compile(r"(?<![\d.])(\d{1,4}(?:\.\d+)?)(?:\s?-\s?(\d{1,4}(?:\.\d+)?))?\s?mm\b")
_LONGER, _SHORTER = 2.1, 0.6
"""How far a focal length may lie beyond a lens's own: converters double it or take a third off."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing that a maker does not write so, in words."""

    words: Message


def oddities(table: Metadata, device: Device) -> list[Oddity]:
    """What does not look as the maker of the named device writes it, the clearest first."""
    return [Oddity(each) for each in _oddities(table, device)]


def _oddities(table: Metadata, device: Device) -> Iterator[Message]:
    written = re.sub(r"\s+", " ", device.make).strip()
    usual = dict(_MAKES).get(written.lower())
    if usual and not re.fullmatch(usual, written):
        yield say("the maker's name is spelled {make}", make=quote(written, 40))
    for start, make in _MODELS:
        if device.make and re.match(start, device.model) and make.lower() not in written.lower():
            yield say("the model {model} is not one of {make}", model=quote(device.model, 60), make=quote(written, 40))
    if written.lower() != "apple":
        yield from _lens(table, device)
        return
    if device.model and not _APPLE_MODELS.match(device.model):
        yield say("the model {model} is not one of {make}", model=quote(device.model, 60), make=quote(written, 40))
    software = table.first("EXIF IFD0", "0x0131")
    text = software.words.strip() if software is not None else ""
    if _SYSTEM_NAME.match(text):
        yield say("its software is written {software}, where Apple writes only the number", software=quote(text, 40))
    elif system := _SYSTEM.match(text):
        first = next((number for name, number in _FIRST_SYSTEM if device.model.startswith(name)), 0)
        if int(system[1]) < first:
            yield say(
                "its software is version {software}, older than the first that this device had",
                software=quote(text, 40),
            )
    phone = _LENS_PHONE.match(device.lens)
    own = phone is None or not device.model.startswith("iPhone") or phone[1].lower() == device.model.lower()
    if device.lens and not (own and re.match(r"iPhone|iPad|iPod", device.lens)):
        yield say("its lens {lens} belongs to another device", lens=quote(device.lens, 60))
    else:
        yield from _lens(table, device)


def _lens(table: Metadata, device: Device) -> Iterator[Message]:
    """A focal length that the named lens does not have."""
    field = table.first("EXIF ExifIFD", "0x920A")
    named = _MILLIMETRES.search(device.lens)
    if named is None or field is None or not isinstance(field.value, Rational) or not field.value.denominator:
        return
    length, shortest = float(field.value), float(named[1])
    longest = float(named[2] or named[1])
    if length > 0 and shortest > 0 and not _SHORTER * shortest <= length <= _LONGER * longest:
        yield say(
            "its focal length of {length:g} mm is not one of the lens {lens}",
            length=length,
            lens=quote(device.lens, 60),
        )

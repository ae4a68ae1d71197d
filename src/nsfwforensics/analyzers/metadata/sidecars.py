"""Files beside a picture that hold notes about it: Google Takeout's JSON, XMP sidecars, Apple's adjustments.

They are read as what they are: somebody's notes. Each is opened like evidence, hashed, bounded in size and depth, and
never taken for a statement of the picture itself.
"""

from __future__ import annotations

import os
import plistlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError  # nosec B406

from nsfwforensics.core.decode import Limits
from nsfwforensics.core.evidence import Evidence, now_reading
from nsfwforensics.core.messages import say
from nsfwforensics.core.quoting import cut
from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats import xmp
from nsfwforensics.formats.json_text import json_lines, json_object, one_line

MAX_BYTES = 1024 * 1024
MAX_SIDECARS = 4
MAX_STATEMENTS = 40
"""Most statements that are kept of one sidecar."""
_TAKEOUT_NAME = 46
"""Longest name that Takeout gives to its notes, in characters, without ``.json``."""
_TAKEOUT_ENDING = ".supplemental-metadata"
_NUMBERED = re.compile(r"^(?P<stem>.+)(?P<number>\(\d{1,4}\))$")
_EDITED = re.compile(
    r"[-_](?:edited|bearbeitet|modifié|editado|modificato|edytowane|編集済み|bewerkt|redigeret)$", re.I
)
_APPLE_EDIT = re.compile(r"^(IMG_)E(\d{4}.*)$")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """One file of notes that lies beside a picture (XMP, JSON, AAE).

    Attributes:
        name: The file's name.
        kind: What kind of notes, in words.
        sha256: SHA-256 of its bytes, lowercase hexadecimal.
        says: What it says, as lines ``name: value``.
    """

    name: str
    kind: str
    sha256: str
    says: tuple[str, ...]

    @property
    def stored(self) -> dict[str, Any]:
        """As plain values for a report."""
        return {"file": self.name, "kind": self.kind, "sha256": self.sha256, "says": list(self.says)}


def beside(path: Path) -> list[Sidecar | str]:
    """The notes that lie beside a picture, at most :data:`MAX_SIDECARS`, and why others there could not be read.

    Args:
        path: The picture's.
    """
    found: dict[str, Sidecar] = {}
    unread: list[str] = []
    for candidate in places(path):
        name = candidate.name
        if len(found) == MAX_SIDECARS:
            break
        told = now_reading.set(None)  # should it end the process, it is the picture's examination that ended
        try:
            evidence = Evidence.open(candidate, Limits(max_bytes=MAX_BYTES))
        except EvidenceError as error:
            unread.append(f"{name}: {error}")
            continue
        finally:
            now_reading.reset(told)
        read = _read(evidence)
        if read is not None and evidence.sha256 not in found:  # two spellings of one name on some file systems
            found[evidence.sha256] = Sidecar(name, read[0], evidence.sha256, tuple(read[1]))
    return [*found.values(), *unread]


def places(path: Path) -> Iterator[Path]:
    """The files beside a picture whose names say that they are notes about it."""
    for name in dict.fromkeys(_names(path.name)):
        place = path.with_name(name)
        if place != path and len(os.fsencode(name)) <= 255 and not place.is_symlink() and place.is_file():
            yield place


def _names(name: str) -> Iterator[str]:
    """Every name that notes about a picture of this name may have."""
    stem, _, ending = name.rpartition(".")
    if not stem:
        return
    dotted = f".{ending}"
    stems = [stem, *((plain,) if (plain := _EDITED.sub("", stem)) != stem else ())]
    for each in stems:
        full = f"{each}{dotted}"
        yield from (f"{base}{end}" for base in (full, each) for end in (".xmp", ".XMP", ".aae", ".AAE"))
        numbered = _NUMBERED.match(each)
        bases = [(full, "")]
        if numbered:  # Takeout puts the number behind the picture's whole name
            bases.append((f"{numbered['stem']}{dotted}", numbered["number"]))
        for base, number in bases:
            for size in range(len(_TAKEOUT_ENDING) + 1):
                yield f"{base}{_TAKEOUT_ENDING[:size]}{number}.json"
            for size in (_TAKEOUT_NAME, _TAKEOUT_NAME + 1, _TAKEOUT_NAME - len(number)):
                yield f"{(base + _TAKEOUT_ENDING)[:size]}{number}.json"
        yield f"{each}.json"
        if edited := _APPLE_EDIT.match(each):
            yield from (f"{edited[1]}{letter}{edited[2]}{end}" for letter in ("", "O") for end in (".aae", ".AAE"))


def _read(evidence: Evidence) -> tuple[str, list[str]] | None:
    """What kind of notes a file holds and what it says; None where it holds no notes about pictures."""
    ending = evidence.path.suffix.lower()
    if ending == ".json":
        return _takeout(evidence.data)
    if ending == ".aae":
        return say("Apple's notes about edits in Photos"), _adjustments(evidence.data)
    return say("notes in an XMP file"), _packet(evidence.data)


def _takeout(data: bytes) -> tuple[str, list[str]] | None:
    found = json_object(data.decode("utf-8-sig", "replace"))
    if found is None:
        return None
    known = {"photoTakenTime", "creationTime", "geoData", "googlePhotosOrigin", "imageViews", "geoDataExif"}
    if not known & found.keys():
        return None
    lines = []
    for line in json_lines(found):
        key, _, value = line.partition(": ")
        if key.endswith("imageViews") or not value.strip():
            continue
        if key.endswith(".timestamp"):
            value = _moment(value)
        lines.append(f"{key}: {value}")
    return say("notes by Google Photos (Takeout)"), lines[:MAX_STATEMENTS]


def _moment(text: str) -> str:
    """Seconds since 1970 as a time in UTC, or the text as it is."""
    try:
        return datetime.fromtimestamp(int(text), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return text


def _adjustments(data: bytes) -> list[str]:
    try:
        found = plistlib.loads(data)
    except (ValueError, ExpatError, RecursionError, OverflowError, LookupError, AttributeError, TypeError):
        return []
    if not isinstance(found, Mapping):
        return []
    kept = ((str(key), value) for key, value in found.items() if isinstance(value, (str, int, float, datetime)))
    return [f"{cut(key, 100)}: {one_line(value)}" for key, value in kept][:MAX_STATEMENTS]


def _packet(data: bytes) -> list[str]:
    try:
        packet = xmp.parse(data)
    except xmp.XmpError:
        return []
    return [f"{cut(each.path, 100)}: {one_line(each.value)}" for each in packet.properties if str(each.value).strip()][
        :MAX_STATEMENTS
    ]

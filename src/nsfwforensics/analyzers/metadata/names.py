"""What a file's name says: which messenger, network or system names files so, and the date in the name.

The table of names is data (``names.toml``), with a source for each row.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

MAX_NAME = 255
"""Longest name that is looked at, in characters: file systems hold no longer ones."""
_COPIES = 6
"""How many copies of copies are seen through."""

_DATE = r"(?P<y>(?:19|20)\d\d)[-._/ 年]?\s?(?P<m>\d\d)[-._/ 月]?\s?(?P<d>\d\d)日?"
_TIME = (
    r"(?P<noon>AM|PM|오전|오후|上午|下午|午前|午後)?\s?(?P<h>\d\d?)[-._:h時时 ]?(?P<i>\d\d)(?:[-._:m分 ]?(?P<s>\d\d))?"
)
_EPOCH = r"(?P<epoch>1\d{12})"
_PM = re.compile(r"(?:\bp\.?\s?m\b|PM|오후|下午|午後|\sم(?:\s|$)|μ\.?μ|\bÖS\b|\bCH\b)", re.IGNORECASE)
_AM = re.compile(r"(?:\ba\.?\s?m\b|AM|오전|上午|午前|\sص(?:\s|$)|π\.?μ|\bÖÖ\b|\bSA\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """What a name says: the service, empty for a screenshot, and the date in it, empty where it has none."""

    what: str
    date: str


@dataclass(frozen=True, slots=True)
class _Row:
    what: str
    pattern: re.Pattern[str]
    camera: bool


def table() -> dict[str, Any]:
    """The table of names as it stands in the file."""
    text = resources.files(__package__).joinpath("names.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _rows(kind: str) -> tuple[_Row, ...]:
    found = table()
    words = sorted({_normal(word) for each in found["words"].values() for word in each}, key=len, reverse=True)
    parts = {"WORD": f"(?:{'|'.join(map(re.escape, words))})", "EPOCH": _EPOCH}
    rows = []
    for row in found[kind]:
        pattern = row["pattern"]
        for name, part in parts.items():
            pattern = pattern.replace(name, part)
        rows.append(_Row(row.get("what", ""), _compiled(pattern), row.get("camera", True)))
    return tuple(rows)


def _compiled(pattern: str) -> re.Pattern[str]:
    """With date and time filled in; a group's name may stand only once in a pattern, so later ones lose theirs."""
    for name, part in (("DATE", _DATE), ("TIME", _TIME)):
        first, *others = pattern.split(name)
        unnamed = re.sub(r"\(\?P<\w+>", "(?:", part)
        pattern = first + "".join((part if number == 0 else unnamed) + each for number, each in enumerate(others))
    return re.compile(pattern, re.IGNORECASE)


@cache
def _copies() -> tuple[re.Pattern[str], re.Pattern[str]]:
    found = table()["copies"]
    before, behind = (
        "|".join(re.escape(_normal(word)) for word in sorted(found[key], key=len, reverse=True))
        for key in ("before", "behind")
    )
    return (
        re.compile(rf"^(?:{before})\s*(?:\(\d+\)|\d+)?\s+", re.IGNORECASE),
        re.compile(rf"(?:\s*\(\d{{1,3}}\)|~\d{{1,3}}|\s*[-_ ]\s*(?:{behind})(?:\s*\(?\d{{1,3}}\)?)?)$", re.IGNORECASE),
    )


def _normal(text: str) -> str:
    """One form for letters with marks (macOS takes them apart), plain spaces, no marks of direction."""
    plain = unicodedata.normalize("NFC", text)
    return " ".join("".join(c for c in plain if unicodedata.category(c) != "Cf" or c == "\u200c").split())


def stems(name: str) -> list[str]:
    """A name without its ending, then without what copying added to it, step by step."""
    text = _normal(name[:MAX_NAME])
    stem, dot, ending = text.rpartition(".")
    found = [stem if dot and len(ending) <= 5 and ending.isalnum() and stem else text]
    before, behind = _copies()
    for _ in range(_COPIES):
        shorter = behind.sub("", before.sub("", found[-1])).strip()
        if not shorter or shorter == found[-1]:
            break
        found.append(shorter)
    return found


def service(name: str, *, camera: bool) -> Named | None:
    """The messenger or network that names files so, or None.

    Args:
        name: The file's name.
        camera: Whether the file holds a camera's data: some names are given by cameras too.
    """
    return _found(name, "service", camera)


def screenshot(name: str) -> Named | None:
    """Whether systems name screenshots so."""
    return _found(name, "screenshot", camera=False)


def _found(name: str, kind: str, camera: bool) -> Named | None:
    for stem in stems(name):
        for row in _rows(kind):
            if (row.camera or not camera) and (match := row.pattern.fullmatch(stem)):
                return Named(row.what, _date(match, stem))
    return None


def _date(match: re.Match[str], stem: str) -> str:
    """The date that a name states, as it states it (no time zone), or the moment in UTC that it counts; or empty."""
    parts = {key: value for key, value in match.groupdict().items() if value}
    try:
        if "epoch" in parts:
            return datetime.fromtimestamp(int(parts["epoch"]) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        year = int(parts["y"]) if "y" in parts else 2000 + int(parts["yy"])
        day = datetime(year, int(parts["m"]), int(parts["d"]))
        if "h" not in parts:
            return day.strftime("%Y-%m-%d")
        hour = int(parts["h"])
        if _PM.search(stem) and hour < 12:
            hour += 12
        elif _AM.search(stem) and hour == 12:
            hour = 0
        moment = day.replace(hour=hour, minute=int(parts["i"]), second=int(parts.get("s", 0)))
    except (KeyError, ValueError, OverflowError):
        return ""
    return moment.strftime("%Y-%m-%d %H:%M:%S" if "s" in parts else "%Y-%m-%d %H:%M")

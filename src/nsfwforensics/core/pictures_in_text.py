"""Leaving pictures out of values that were read from a file: by the name that a value has, and by what it spells.

What stands under a name for pictures goes whatever it is, and so does every text that spells one
(:mod:`nsfwforensics.core.spelled_pictures`), also where it was cut into the items of a list or into several fields.
Its length stands in its place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from nsfwforensics.core.messages import restored
from nsfwforensics.core.spelled_pictures import LEAST, are_bytes, begins_picture, is_language, spells_picture

Key = TypeVar("Key", bound=Hashable)

LEAST_NAMED = 40
"""Text up to this length stays even where its name speaks of a picture: ``image/jpeg``, ``160x120``."""

_NAME = re.compile(
    r"thumb|preview|jpg_?from_?raw|(?:other|embedded|alternate|original|raw|input)_?image"
    r"|(?:image|picture|pixel|depth)_?data|raw profile|depth_?(?:map|image)|cover_?art|(?:^|[:}./])maker_?note$",
    re.IGNORECASE,
)
"""Names of fields that hold pictures, or blocks of bytes that may, in any standard and any vendor's extension."""

_ABOUT = re.compile(
    r"(?:ur[il]|path|name|format|type|mime|width|height|size|length|bytes|count|offset|start|date|time|version|digest"
    r"|source|software|settings|space|identifier|id)$",
    re.IGNORECASE,
)
"""Ends of names that say something about a picture and do not hold it: ``Thumb::URI``, ``PreviewImageLength``."""

_NAMESPACES = ("http://ns.adobe.com/xap/1.0/g/img/", "http://ns.google.com/photos/")
"""XMP made for pictures: ``xmpGImg``, ``GImage``, ``GDepth``, ``GCamera`` and the others of dynamic depth."""

_TINY = re.compile(r"(?:blur|thumb)_?hash", re.IGNORECASE)
"""Names of whole pictures in thirty characters, which are long enough to be recognised by."""

_VALUES = frozenset({"value", "values", "text", "data", "image", "content", "bytes", "base64", "raw"})
"""Keys that say nothing of their own: what the value is stands beside it, or above."""

_TITLES = ("name", "tag", "group", "source")
"""Keys beside a value that say what it is."""

_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}|(?:[A-Za-z0-9+/_=-]{32,}\s+){3,}[A-Za-z0-9+/_=-]*")
_NUMBERS = re.compile(r"\d+")
_INDEX = re.compile(r"\[[^\]]*\]|\d+")
_CUT = re.compile(r"… \((\d{1,9}) (?:characters|values) in all\)$")
_GONE = re.compile(r"\[[\d,]{1,20} (?:characters|numbers) left out: a picture, or what may be one\]")


def without_spelled_pictures(value: Any, *, careful: bool = False) -> Any:
    """JSON values without the pictures in them.

    Args:
        value: Dictionaries with text keys, lists, text, numbers, booleans, None.
        careful: Whether long encoded text goes too where it cannot be told to be a picture.

    Returns:
        Values like these; equal to them where there was nothing to leave out.
    """
    return _Sieve(careful).sifted(value, ())


class _Sieve:
    """Goes through values from the inside out."""

    def __init__(self, careful: bool) -> None:
        self._careful = careful

    def sifted(self, value: Any, names: tuple[str, ...]) -> Any:
        if isinstance(value, str):
            return self._text(value, names)
        if isinstance(value, list):
            return self._list(value, names)
        if isinstance(value, dict):
            return self._worded(value) if isinstance(value.get("wording"), dict) else self._dict(value, names)
        return value

    def _text(self, text: str, names: tuple[str, ...]) -> str:
        if _GONE.fullmatch(text):
            return text
        if spells_picture(text) or _is_picture_by_name(names, text):
            return _gone(text)
        return _ENCODED.sub(lambda found: _gone(found[0]), text) if self._careful else text

    def _list(self, values: list[Any], names: tuple[str, ...]) -> list[Any]:
        numbers = [number for value in values for number in (value if isinstance(value, list) else [value])]
        if numbers and isinstance(numbers[-1], str):  # it may say how many more there are
            numbers.pop()
        if are_bytes(numbers):
            found = begins_picture(bytes(value & 255 for value in numbers)) or _is_picture_by_name(names, numbers)
            return [_gone(values)] if found else values
        kept = [self.sifted(value, names) for value in values]
        texts = {at: value for at, value in enumerate(values) if isinstance(value, str)}
        for at in self._pieces(texts, dict.fromkeys(texts, ""), kept):
            kept[at] = _gone(values[at])
        rows = {at: row for at, row in enumerate(values) if isinstance(row, dict)}
        titles = {at: " ".join(str(row.get(title, "")) for title in _TITLES) for at, row in rows.items()}
        for column in dict.fromkeys(key for row in rows.values() for key in row if key not in _TITLES):
            cells = {at: row[column] for at, row in rows.items() if _is_cell(row.get(column))}
            for at in self._pieces(cells, titles, {at: kept[at].get(column) for at in cells}):
                kept[at] = {**kept[at], column: _gone(cells[at])}
        return kept

    def _dict(self, values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        titles = tuple(title for key in _TITLES if isinstance(title := values.get(key), str))
        kept = {
            key: self.sifted(value, (key, *titles, *names) if key in _VALUES else (key,))
            for key, value in values.items()
        }
        cells = {key: value for key, value in values.items() if _is_cell(value) and key not in _TITLES}
        for key in self._pieces(cells, {key: key for key in cells}, kept):
            kept[key] = _gone(values[key])
        return {self._text(key, ()): value for key, value in kept.items()}

    def _worded(self, values: dict[str, Any]) -> dict[str, Any]:
        """A model of a report with sentences: one that was made with a picture is made again without it."""
        wording = self.sifted(values["wording"], ())
        plain = {key: value for key, value in values.items() if key != "wording"}
        for place, how in wording.items():
            if how != values["wording"][place]:
                plain = _put(plain, place.split("."), str(restored(how)))
        kept = self._dict(plain, ())
        places = {place: place.split(".") for place in wording}
        same = {place for place, keys in places.items() if _at(kept, keys) == _at(plain, keys)}
        return {**kept, "wording": {place: how for place, how in wording.items() if place in same}}

    @staticmethod
    def _pieces(cells: Mapping[Key, Any], titles: Mapping[Key, str], kept: Any) -> Iterator[Key]:
        """Which of several values are pieces of one picture: those whose names differ by a number, and encoded ones."""
        groups: defaultdict[str, list[Key]] = defaultdict(list)
        for key, value in cells.items():
            groups[_INDEX.sub("", titles[key])].append(key)
            if isinstance(value, str) and len(value) > LEAST_NAMED and " " not in value.strip():
                groups["\0"].append(key)
        for keys in groups.values():
            by_number = sorted(keys, key=lambda key: [int(part) for part in _NUMBERS.findall(titles[key])])
            orders = [keys] if by_number == keys else [keys, by_number]
            if len(keys) > 1 and any(_spell_picture([cells[key] for key in order]) for order in orders):
                alone = any(kept[key] != cells[key] for key in keys)  # then what are sentences beside it may stay
                yield from (key for key in keys if not (alone and is_language(_CUT.sub("", _flat(cells[key])))))


def _at(value: Any, keys: Sequence[str]) -> Any:
    """What stands at a place in values, or None."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def _put(value: Any, keys: Sequence[str], text: str) -> Any:
    """Values with another text at a place, where there is one."""
    if not keys:
        return text if isinstance(value, str) else value
    if _at(value, keys[:1]) is None:
        return value
    key: Any = int(keys[0]) if isinstance(value, list) else keys[0]
    made = value.copy()
    made[key] = _put(value[key], keys[1:], text)
    return made


def _is_cell(value: Any) -> bool:
    """Whether a value may be a piece of a picture: text, or a list of text and numbers, and not empty."""
    flat = isinstance(value, list) and not any(isinstance(item, (list, dict)) for item in value)
    return bool(value) and (flat or isinstance(value, str))


def _spell_picture(values: Sequence[Any]) -> bool:
    """Whether values spell a picture together: one behind the other, or each in a line where a byte is never cut."""
    texts = [_flat(value) for value in values]
    return sum(map(len, texts)) >= LEAST and any(spells_picture(between.join(texts)) for between in ("\n", ""))


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(map(str, value))


def _is_picture_by_name(names: Sequence[str], value: str | Sequence[Any]) -> bool:
    if len(value) <= LEAST_NAMED:
        return any(map(_TINY.search, names)) and len(value) >= LEAST
    if any(space in name for name in names for space in _NAMESPACES):
        return True
    return any(_NAME.search(name) and not _ABOUT.search(name) for name in names)


def _gone(value: str | Sequence[Any]) -> str:
    last = value if isinstance(value, str) else str(value[-1])
    length = int(cut[1]) if (cut := _CUT.search(last[-60:])) else len(value)
    return (
        f"[{length:,} {'characters' if isinstance(value, str) else 'numbers'} left out: a picture, or what may be one]"
    )

"""Help lines and hotlines by country: data with the month in which each entry was collected, never looked up online.

Example:
    >>> from nsfwforensics.care.helplines import helplines
    >>> [line.name for line in helplines("gb")][:1]
    ['Revenge Porn Helpline']
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from nsfwforensics.core.documents import DocumentError, load_toml
from nsfwforensics.errors import UsageError

VARIABLE = "NSFWFORENSICS_HELPLINES"
"""Environment variable that names a file of the user's own entries."""

EVERYWHERE = "*"

_NEVER_IN_URL = frozenset(' <>"`\\')


class Audience(StrEnum):
    """Whom a line is for."""

    ADULT = "adult"
    MINOR = "minor"
    ANYONE = "anyone"
    PLATFORM = "platform"


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    plain = value.isprintable() and not set(value) & _NEVER_IN_URL
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ValueError("must be a plain http or https address")
    return value


def _visible(value: str) -> str:
    if not value.isprintable():
        raise ValueError("holds a control character")
    return value


_Words = Annotated[str, AfterValidator(_visible), Field(min_length=1, max_length=400)]
_Country = Annotated[str, Field(pattern=r"^(\*|[a-z]{2})$")]
_Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


class HelpLine(BaseModel):
    """One place to turn to.

    Attributes:
        id: Short and stable; an entry of the user's own file with the same id takes its place.
        name: As the service calls itself.
        name_en: The same for readers of English, where the name is in another script.
        url: Its page, http or https; or None.
        phone: Its number; or None.
        countries: Two-letter codes in lower case, or ``*`` for people anywhere.
        audience: Whom it is for.
        languages: Of its pages, as far as known.
        purpose: What it does, in one or two sentences, by language; ``en`` is always there.
        checked_on: When the entry was collected, ``YYYY-MM`` or ``YYYY-MM-DD``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
    name: _Words
    name_en: _Words | None = None
    url: Annotated[str, AfterValidator(_web_address)] | None = None
    phone: Annotated[str, Field(pattern=r"^[#+]?[0-9][0-9 ()-]{1,24}$")] | None = None
    countries: Annotated[tuple[_Country, ...], Field(min_length=1)]
    audience: Annotated[tuple[Audience, ...], Field(min_length=1)]
    languages: tuple[_Language, ...] = ()
    purpose: Mapping[str, _Words]
    checked_on: Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])(-[0-3][0-9])?$")]

    @model_validator(mode="after")
    def _reachable(self) -> HelpLine:
        if self.url is None and self.phone is None:
            raise ValueError("needs a url or a phone number")
        if "en" not in self.purpose:
            raise ValueError("needs a purpose in English (purpose.en)")
        return self

    @property
    def everywhere(self) -> bool:
        """Whether people of any country can turn to it."""
        return EVERYWHERE in self.countries

    def title(self, language: str = "en") -> str:
        """Its name for readers of a language."""
        return self.name_en or self.name if language == "en" else self.name

    def what(self, language: str = "en") -> str:
        """What it does, in a language; in English where there is no other text."""
        return self.purpose.get(language, self.purpose["en"])

    def serves(self, country: str) -> bool:
        """Whether people in a country (two letters) can turn to it."""
        return self.everywhere or country in self.countries


def helplines(country: str | None = None, *, own: Path | None = None) -> tuple[HelpLine, ...]:
    """The help lines, a country's own first and those for people anywhere after them.

    Args:
        country: Two letters such as ``jp`` (``uk`` is taken for ``gb``); all countries if omitted.
        own: A file of the user's entries, laid over the shipped ones; if omitted, the one that the environment
            variable ``NSFWFORENSICS_HELPLINES`` names, if any.

    Raises:
        UsageError: The country is no two-letter code, or the file cannot be read or holds something else.
    """
    named = os.environ.get(VARIABLE)
    place = own or (Path(named) if named else None)
    lines = _merged(place)
    if country is None:
        return lines
    wanted = normal_country(country)
    return tuple(sorted((line for line in lines if line.serves(wanted)), key=lambda line: line.everywhere))


def normal_country(country: str) -> str:
    """A country's code in lower case; ``uk`` becomes ``gb``.

    Raises:
        UsageError: It is no two-letter code.
    """
    code = country.strip().lower()
    if len(code) != 2 or not code.isascii() or not code.isalpha():
        raise UsageError(f"{country!r} is no two-letter country code such as jp, us or gb")
    return "gb" if code == "uk" else code


def for_minors(lines: tuple[HelpLine, ...]) -> tuple[HelpLine, ...]:
    """Those that take pictures which show, or may show, somebody under 18; made for just that first."""
    fitting = [line for line in lines if {Audience.MINOR, Audience.ANYONE} & set(line.audience)]
    return tuple(sorted(fitting, key=lambda line: Audience.MINOR not in line.audience))


def _merged(own: Path | None) -> tuple[HelpLine, ...]:
    found = dict(_shipped())
    if own is not None:
        values = _read(own)
        for entry in _entries(values, str(own)):
            found[entry.id] = entry
        for name in _closed(values):
            found.pop(name, None)
    return tuple(found.values())


@cache
def _shipped() -> Mapping[str, HelpLine]:
    text = files("nsfwforensics.care").joinpath("helplines.toml").read_text("utf-8")
    return {entry.id: entry for entry in _entries(tomllib.loads(text), "helplines.toml")}


def _read(path: Path) -> dict[str, Any]:
    try:
        return load_toml(path)
    except (OSError, DocumentError) as error:
        raise UsageError(f"help lines {path} cannot be read: {error}") from error


def _rows(values: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    rows = values.get("line", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"help lines {where}: entries are written as [[line]]")
    return rows


def _closed(values: Mapping[str, Any]) -> list[str]:
    return [str(row.get("id")) for row in _rows(values, "") if row.get("closed") is True]


def _entries(values: Mapping[str, Any], where: str) -> list[HelpLine]:
    entries = []
    for number, row in enumerate(_rows(values, where), 1):
        if row.get("closed") is True:
            continue
        try:
            entries.append(HelpLine.model_validate(row))
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(part) for part in fault["loc"])
            raise UsageError(f"help lines {where}, entry {number}: {place} {fault['msg']}") from error
    return entries

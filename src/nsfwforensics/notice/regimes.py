"""The laws a request can be drafted under, and what each asks for: read from data files, one for each."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Month = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])(-[0-3][0-9])?$")]


class Law(StrEnum):
    """The laws there is a draft for."""

    US = "us"
    EU = "eu"
    JP = "jp"
    UK = "uk"
    GENERIC = "generic"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Translated(_Data):
    """One text in the languages that covers are made in."""

    en: str
    ja: str

    def say(self, language: str) -> str:
        """The text in a language; English where there is no other."""
        return self.ja if language == "ja" else self.en


class FieldEntry(Translated):
    """One thing that a request holds: how the person is asked for it.

    Attributes:
        kind: Who supplies it: ``words`` and ``text`` the person's file, ``confirm`` her consent to a sentence of the
            draft, ``hand`` a pen, ``given`` the command line.
    """

    kind: Literal["words", "text", "confirm", "hand", "given"]


class Element(_Data):
    """One thing that a law asks for.

    Attributes:
        id: Short and stable.
        asks: What the law asks for.
        source: Where it says so.
        content: Where the draft takes it from.
        checked_on: When that was collected.
        fields: The fields that have to be there for it.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]
    asks: Translated
    source: Translated
    content: str
    checked_on: _Month
    fields: Annotated[tuple[str, ...], Field(min_length=1)]


class Regime(_Data):
    """A law and what it asks for.

    Attributes:
        id: The value of :class:`Law`.
        country: Two letters, ``eu``, or ``*``; whose help lines stand on the cover.
        letters: Languages in which there is a letter, the usual one first.
        citation: The law, as the letter names it.
        checked_on: When it was collected.
        name: For people.
        deadline: What the law says about time.
        where: Where to send it.
        late: What to do if nothing happens.
        elements: What it asks for.
    """

    id: str
    country: Annotated[str, Field(pattern=r"^(\*|[a-z]{2})$")]
    letters: Annotated[tuple[Literal["en", "ja"], ...], Field(min_length=1)]
    citation: Translated
    checked_on: _Month
    name: Translated
    deadline: Translated
    where: Translated
    late: Translated
    elements: Annotated[tuple[Element, ...], Field(alias="element", min_length=1)]


@cache
def regime(law: Law) -> Regime:
    """What a law asks for, read from its data file."""
    return Regime.model_validate(tomllib.loads(_text(f"regimes/{law.value}.toml")))


@cache
def fields() -> dict[str, FieldEntry]:
    """Everything a request may hold, by name, in the order in which people are asked for it."""
    return {name: FieldEntry.model_validate(entry) for name, entry in tomllib.loads(_text("fields.toml")).items()}


def _text(name: str) -> str:
    return files("nsfwforensics.notice").joinpath(name).read_text("utf-8")

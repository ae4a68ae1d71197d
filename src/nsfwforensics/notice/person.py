"""What the person says herself: a TOML file with her own words, nothing of which is ever made up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from nsfwforensics.core.documents import DocumentError, load_toml
from nsfwforensics.errors import UsageError
from nsfwforensics.report.words.text import UNSAFE

LONGEST_URL = 4096

_NEVER_IN_URL = frozenset('<>"`\\')


def _one_line(value: object) -> object:
    if isinstance(value, str):
        if UNSAFE.search(value.strip()):
            raise ValueError("holds a line break or a character that cannot be seen")
        return value.strip() or None
    return value


def _lines(value: object) -> object:
    if isinstance(value, str):
        lines = [line.rstrip() for line in value.strip().splitlines()]
        if any(UNSAFE.search(line) for line in lines):
            raise ValueError("holds a character that cannot be seen")
        return "\n".join(lines) or None
    return value


_Words = Annotated[str | None, BeforeValidator(_one_line), Field(max_length=300)]
_Text = Annotated[str | None, BeforeValidator(_lines), Field(max_length=8000)]


class OwnWords(BaseModel):
    """The person's own words; everything may be left out.

    Attributes:
        recipient: The platform or company that the request goes to.
        name: Hers, as are ``email``, ``phone`` and ``address``.
        acting_for: Whom she acts for, if not for herself.
        found_on: When she found the picture, as she writes dates.
        description: What helps to find it on the page.
        circumstances: How she knows that there was no consent.
        reasons: Why it is unlawful and what it does to her.
        right: Which right it infringes.
        confirmed: The sentences of the draft that she makes her own: ``role``, ``non_consent``, ``accurate``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipient: _Words = None
    name: _Words = None
    email: _Words = None
    phone: _Words = None
    address: _Words = None
    acting_for: _Words = None
    found_on: _Words = None
    description: _Text = None
    circumstances: _Text = None
    reasons: _Text = None
    right: _Words = None
    confirmed: frozenset[str] = frozenset()


CONFIRMABLE = ("role", "non_consent", "accurate")


def read_person(path: Path) -> OwnWords:
    """Reads a person's file.

    Raises:
        UsageError: It cannot be read, or holds something unknown or unprintable.
    """
    try:
        person = OwnWords.model_validate(load_toml(path))
    except (OSError, DocumentError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        raise UsageError(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from error
    if unknown := sorted(person.confirmed - set(CONFIRMABLE)):
        raise UsageError(f"{path}: confirmed: {unknown[0]!r} is none of {', '.join(CONFIRMABLE)}")
    return person


def web_address(text: str) -> str:
    """A URL as it was given, if it is one that can stand in a request; it is never opened.

    Raises:
        UsageError: It is no http or https address, or holds blanks or characters that cannot be seen.
    """
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        named = False
    if not named:
        raise UsageError(f"{text!r} is no web address: give the whole of it, beginning with https://")
    if len(text) > LONGEST_URL:
        raise UsageError(f"a web address of {len(text):,} characters is longer than {LONGEST_URL:,}")
    if UNSAFE.search(text) or any(letter.isspace() or letter in _NEVER_IN_URL for letter in text):
        raise UsageError(f"{text!r} holds blanks, quotes or characters that cannot be seen; copy it from the browser")
    return text

"""Sentences that can be said again in another language.

A :class:`Message` is its English text, a plain ``str`` to whoever only reads it, and remembers the template and the
values that it was made of. Report models keep both beside the text (:class:`nsfwforensics.core.types.Worded`), so that
a view in another language can be made from a saved report, without the evidence.

A placeholder names a value and may say how to write it: ``{software}``, ``{share:.0%}``, ``{size:,}``,
``{taken:moment}`` (ISO 8601), and for lists ``{names:and}``, ``{names:or}``, ``{names:comma}``,
``{reasons:semicolon}``, ``{parts:sentences}``. Nothing else is evaluated: templates of a saved report are not to be
trusted.

Templates are collected from the source by extraction, so the first argument of :func:`say` is one string literal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_PLACE = re.compile(r"\{([A-Za-z_]\w*)(?::([^{}]*))?\}")
_NUMBER_FORMAT = re.compile(r"[+]?0?\d{0,2},?(?:\.\d)?[dfg%]?")
MOST_CHARACTERS = 4_000_000
"""Where a message is cut: far beyond what a file may say, so that only stored ones nested in each other get there."""
_LISTS = ("and", "or", "comma", "semicolon", "sentences")


class Message(str):
    """An English sentence with the template and the values that it was made of.

    Attributes:
        template: The English template, or singular and plural.
        values: By name: text, numbers, None, messages, or lists of these.
    """

    template: str | tuple[str, str]
    values: Mapping[str, Any]

    def __new__(cls, template: str | tuple[str, str], values: Mapping[str, Any]) -> Message:
        """Fills the template in English."""
        message = super().__new__(cls, ENGLISH.fill(template, values))
        message.template = template
        message.values = values
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return (Message, (self.template, dict(self.values)))

    def stored(self) -> dict[str, Any]:
        """Template and values as JSON values, messages among them stored the same way."""
        values = {key: _stored(value) for key, value in self.values.items()}
        return {"template": self.template, "values": values} if values else {"template": self.template}


def say(template: str, /, **values: Any) -> Message:
    """Makes a sentence.

    Args:
        template: English, with placeholders.
        **values: What goes into the placeholders.

    Raises:
        KeyError: A placeholder has no value.
    """
    return Message(template, values)


def say_count(singular: str, plural: str, count: int, /, **values: Any) -> Message:
    """Makes a sentence about a number of things, which is the value ``count``.

    Args:
        singular: English for one.
        plural: English for any other number.
        count: The number.
        **values: What goes into further placeholders.

    Raises:
        KeyError: A placeholder has no value.
    """
    return Message((singular, plural), {"count": count, **values})


def sentences(*parts: str) -> str:
    """Puts sentences one after the other; empty ones fall away."""
    kept = [part for part in parts if part]
    return kept[0] if len(kept) == 1 else Message("{parts:sentences}", {"parts": kept})


def as_message(text: str) -> str:
    """A sentence without values, saved as its text, as the message that it was; text with placeholders as it is."""
    return text if placeholders(text) else Message(text, {})


class Speaker:
    """Fills templates in one language: this one in English; other languages are made from it.

    Attributes:
        code: The language as BCP 47 names it.
    """

    code = "en"

    def fill(self, template: str | tuple[str, str], values: Mapping[str, Any]) -> str:
        """Puts values into a template.

        Args:
            template: English, or English singular and plural.
            values: By name; a dictionary with a ``template`` is a stored message.

        Raises:
            KeyError: A placeholder has no value.
        """
        done: dict[str, str] = {}
        length = 0

        def filled(place: re.Match[str]) -> str:
            nonlocal length
            if place[0] not in done:  # once each: stored messages nested in each other must not multiply
                done[place[0]] = self._filled(place, values)
            room = max(0, MOST_CHARACTERS - length)
            text = done[place[0]] if len(done[place[0]]) <= room else done[place[0]][:room] + "…"
            length += len(text)
            return text

        return _PLACE.sub(filled, self.translated(template, values))

    def translated(self, template: str | tuple[str, str], values: Mapping[str, Any]) -> str:
        """The template in this language; in English, the form for the number ``count``."""
        if isinstance(template, str):
            return template
        return template[values.get("count") != 1]

    def says(self, message: str) -> str:
        """A message in this language; other text as it is."""
        if type(self) is Speaker or not isinstance(message, Message):  # a message is its English text already
            return str(message)
        return self.fill(message.template, message.values)

    def _filled(self, place: re.Match[str], values: Mapping[str, Any]) -> str:
        return self.value(values[place[1]], place[2] or "")

    def value(self, value: Any, how: str = "") -> str:
        """One value as text.

        Args:
            value: Text, a number, a message, a stored message, or a list of these.
            how: The part of its placeholder after the colon.
        """
        if isinstance(value, Message):
            return self.says(value)
        if isinstance(value, Mapping) and "template" in value:
            return self.says(restored(value))
        if isinstance(value, (list, tuple)):
            return self.listed([self.value(item) for item in value], how if how in _LISTS else "comma")
        if isinstance(value, (int, float)) and not isinstance(value, bool) and how:
            return self.number(value, how)
        if how == "moment":
            return self.moment(value)
        return "" if value is None else str(value)

    def listed(self, items: Sequence[str], kind: str) -> str:
        """Joins texts: as sentences, with commas or semicolons, or with "and" or "or" before the last."""
        if kind in ("and", "or") and len(items) > 1:
            return f"{', '.join(items[:-1])} {kind} {items[-1]}"
        return {"semicolon": "; ", "sentences": " "}.get(kind, ", ").join(items)

    def number(self, value: float, how: str) -> str:
        """A number in one of Python's formats for numbers; others, and one that does not suit it, are ignored."""
        try:
            return format(value, how) if _NUMBER_FORMAT.fullmatch(how) else str(value)
        except (ValueError, OverflowError):  # out of a saved report: digits asked of a fraction, a number beyond floats
            return str(value)

    def moment(self, value: object) -> str:
        """A time in ISO 8601, as a person reads it; other text as it is."""
        moment = as_utc(value)
        if moment is None:
            return "not known" if value is None else str(value)
        return f"{moment.day} {moment:%B %Y, %H:%M:%S} UTC"


ENGLISH = Speaker()


def as_utc(value: object) -> datetime | None:
    """An ISO 8601 time with its offset as UTC; None for anything else."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # no time, or one that falls off the calendar in UTC
        return None


def placeholders(template: str) -> set[str]:
    """The names in a template."""
    return {place[1] for place in _PLACE.finditer(template)}


def restored(stored: Mapping[str, Any]) -> Message:
    """A message from template and values as a report stores them.

    Raises:
        KeyError: A placeholder has no value.
        TypeError: It is no stored message.
    """
    template, values = stored["template"], stored.get("values", {})
    if isinstance(template, (list, tuple)) and len(template) == 2:
        template = (str(template[0]), str(template[1]))
    elif not isinstance(template, str):
        raise TypeError("a template is text, or singular and plural")
    return Message(template, values)


def _stored(value: Any) -> Any:
    if isinstance(value, Message):
        return value.stored()
    if isinstance(value, (list, tuple)):
        return [_stored(item) for item in value]
    return value

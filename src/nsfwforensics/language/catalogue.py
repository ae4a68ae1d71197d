"""Catalogues of translated messages, read from ``.po`` files as they are: another language is one more file.

Numbers, dates and lists are written as the Unicode Common Locale Data Repository has it, through Babel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from gettext import c2py
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import Message, Speaker, as_utc, restored
from nsfwforensics.errors import UsageError

if TYPE_CHECKING:
    from babel import Locale
    from babel.messages.catalog import Catalog

    from nsfwforensics.core.types import Worded

SPACELESS = frozenset({"ja", "zh"})
"""Languages that put no space between sentences."""


class Language(Speaker):
    """Says messages in one language.

    Args:
        code: ``en``, or the name of a catalogue.
        catalogue: Its messages; None for English.
    """

    def __init__(self, code: str, catalogue: Catalog | None = None) -> None:
        self.code = code
        self._catalogue = catalogue
        self._form: Callable[[int], int] = c2py(catalogue.plural_expr) if catalogue is not None else lambda _: 0

    @property
    def locale(self) -> Locale:
        """The rules of the language for numbers, dates and lists."""
        from babel import Locale

        return Locale.parse(self.code)

    def translated(self, template: str | tuple[str, str], values: Mapping[str, Any]) -> str:
        """The template in this language, or in English where the catalogue has none."""
        english = super().translated(template, values)
        entry = self._catalogue.get(template) if self._catalogue is not None else None
        if entry is None or not entry.string or entry.fuzzy:
            return english
        if isinstance(entry.string, str):
            return entry.string
        number = values.get("count")
        return entry.string[self._form(number) if isinstance(number, int) else -1] or english

    def says(self, message: str) -> str:
        """A message in this language. Plain text is looked up too: a message without values is stored as its text."""
        if isinstance(message, Message):
            return super().says(message)
        return self.translated(message, {}) if message and self._catalogue is not None else str(message)

    def said(self, model: Worded, field: str) -> str:
        """What a field of a report says, in this language.

        Args:
            model: A model of the report.
            field: Its field, or ``field.0`` for an item of a list.
        """
        name, _, index = field.partition(".")
        text = getattr(model, name)
        text = text[int(index)] if index else text
        stored = model.wording.get(field)
        if stored is None or self._catalogue is None:
            return self.says(text or "")
        try:
            message = restored(stored.model_dump())
        except (KeyError, TypeError):  # a report that was tampered with: its English text still stands
            return str(text)
        return self.says(message) if str(message) == text else str(text)

    def listed(self, items: Sequence[str], kind: str) -> str:
        """Joins texts as the language does."""
        if self._catalogue is None:
            return super().listed(items, kind)
        if kind == "sentences":
            return ("" if self.code in SPACELESS else " ").join(items)
        if kind in ("and", "or"):
            from babel.lists import format_list

            return format_list(list(items), style="standard" if kind == "and" else "or", locale=self.locale)
        marks = {"comma": "、", "semicolon": "／"} if self.code in SPACELESS else {"comma": ", ", "semicolon": "; "}
        return marks[kind].join(items)

    def number(self, value: float, how: str) -> str:
        """A number, with the marks of the language."""
        english = super().number(value, how)
        if self._catalogue is None:
            return english
        symbols = self.locale.number_symbols["latn"]
        return english.translate(str.maketrans({",": symbols["group"], ".": symbols["decimal"]}))

    def moment(self, value: object) -> str:
        """A time in ISO 8601 as a person reads it, in UTC."""
        moment = as_utc(value)
        if self._catalogue is None or moment is None:
            return self.says(super().moment(value))
        from babel.dates import format_date

        return f"{format_date(moment, 'long', locale=self.locale)} {moment:%H:%M:%S} UTC"


def available() -> tuple[str, ...]:
    """The codes of all languages, English first."""
    found = (entry.name.removesuffix(".po") for entry in files(__package__).iterdir() if entry.name.endswith(".po"))
    return ("en", *sorted(found))


@cache
def language(code: str) -> Language:
    """The language with a code.

    Raises:
        UsageError: There is no catalogue for it.
    """
    if code == "en":
        return Language("en")
    if code not in available():
        raise UsageError(f"there is no catalogue for the language {code!r}; there are: {', '.join(available())}")
    from babel.messages.pofile import read_po

    with (files(__package__) / f"{code}.po").open("rb") as stream:
        return Language(code, read_po(stream, locale=code))

"""Catalogues of translated messages, read from ``.po`` files as they are: another language is one more file.

An analyzer of a third party may bring sentences of its own: their translations travel in the header of its reports.
Numbers, dates and lists are written as the Unicode Common Locale Data Repository has it, through Babel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from gettext import c2py
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import Message, Speaker, as_utc, placeholders, restored
from nsfwforensics.errors import ForensicsError, UsageError

if TYPE_CHECKING:
    from babel import Locale
    from babel.messages.catalog import Catalog

    from nsfwforensics.core.types import Worded

Translations = Mapping[str, str | Sequence[str]]
"""By English sentence its translation; by singular the English plural and then the translation in each form."""

SPACELESS = frozenset({"ja", "zh"})
"""Languages that put no space between sentences."""


class Language(Speaker):
    """Says messages in one language.

    Args:
        code: ``en``, or the name of a catalogue.
        catalogue: Its messages; None for English.
        others: Translations that are not in the catalogue, as :func:`brought` gives them.
    """

    def __init__(self, code: str, catalogue: Catalog | None = None, others: Translations | None = None) -> None:
        self.code = code
        self._catalogue = catalogue
        self._others = others or {}
        self._form: Callable[[int], int] = c2py(catalogue.plural_expr) if catalogue is not None else lambda _: 0

    @property
    def locale(self) -> Locale:
        """The rules of the language for numbers, dates and lists."""
        from babel import Locale

        return Locale.parse(self.code)

    def translated(self, template: str | tuple[str, str], values: Mapping[str, Any]) -> str:
        """The template in this language, or in English where the catalogue has none."""
        forms = self._forms(template) if self._catalogue is not None else ()
        if not forms:
            return super().translated(template, values)
        number = values.get("count")
        form = self._form(number) if len(forms) > 1 and isinstance(number, int) else -1
        return forms[min(form, len(forms) - 1)]

    def _forms(self, template: str | tuple[str, str]) -> Sequence[str]:
        """The translation, one text for each plural form; empty where there is none.

        A sentence that was worded anew stands among the obsolete ones of the catalogue: reports that were saved before
        hold it. Other translations come out of reports, so they may name no values that the sentence has not.
        """
        catalogue, singular = self._catalogue, template if isinstance(template, str) else template[0]
        for entry in (catalogue.get(template), catalogue.obsolete.get(singular)) if catalogue is not None else ():
            forms = _texts(entry.string) if entry is not None and not entry.fuzzy else ()
            if forms and all(forms):
                return forms
        forms = _texts(self._others.get(singular, ()))
        forms = forms if isinstance(template, str) else forms[1:]
        known = {name for text in _texts(template) for name in placeholders(text)}
        return forms if all(form and placeholders(form) <= known for form in forms) else ()

    def also(self, translations: Translations) -> Language:
        """The language with further translations; those of its own catalogue go before them."""
        if self._catalogue is None or not translations:
            return self
        return Language(self.code, self._catalogue, {**self._others, **translations})

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
            message = restored(vars(stored))
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
        # spaces of a special width are shown as escapes on a terminal, as in text out of a file
        symbols = {name: " " if mark.isspace() else mark for name, mark in self.locale.number_symbols["latn"].items()}
        return english.translate(str.maketrans({",": symbols["group"], ".": symbols["decimal"]}))

    def moment(self, value: object) -> str:
        """A time in ISO 8601 as a person reads it, in UTC."""
        moment = as_utc(value)
        if self._catalogue is None or moment is None:
            return self.says(super().moment(value))
        from babel.dates import format_date

        return f"{format_date(moment, 'long', locale=self.locale)} {moment:%H:%M:%S} UTC"


def _texts(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


@cache
def brought(package: str) -> dict[str, Translations]:
    """The translations in the catalogues that lie in a package (``ja.po``), by language.

    Args:
        package: Its name.

    Raises:
        ForensicsError: A catalogue cannot be read.
    """
    found: dict[str, Translations] = {}
    for code in available():
        place = files(package) / f"{code}.po"
        if not place.is_file():
            continue
        from babel.messages.pofile import PoFileError, read_po

        try:
            with place.open("rb") as stream:
                catalogue = read_po(stream, locale=code, abort_invalid=True)
        except (OSError, ValueError, PoFileError) as error:
            raise ForensicsError(f"the catalogue {code}.po of {package} cannot be read: {error}") from error
        said = [entry for entry in catalogue if entry.id and not entry.fuzzy and all(_texts(entry.string))]
        found[code] = {
            _texts(entry.id)[0]: str(entry.string)
            if isinstance(entry.id, str)
            else (entry.id[1], *_texts(entry.string))
            for entry in said
        }
    return found


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

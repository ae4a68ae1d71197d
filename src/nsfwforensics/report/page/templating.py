"""What templates say: sentences in the language of the page, everything that is put into them escaped.

Sentences of our own stand in the templates as ``t("… {name} …", name=value)`` and are found there by extraction.
Values may come from a file: each is made harmless and escaped on its own, unless it is markup of our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from nsfwforensics.core.messages import Speaker, say
from nsfwforensics.core.types import Worded
from nsfwforensics.language import Language
from nsfwforensics.report.words import text

LONGEST_TEXT = 4000
"""Longer text is cut in the page; the whole of it is in ``report.json``."""


class TemplateSpeaker(Speaker):
    """Fills templates with markup or with text that it escapes.

    Args:
        language: What it speaks.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self.code = language.code

    def translated(self, template: str | tuple[str, str], values: Mapping[str, Any]) -> str:
        """The template in the language, escaped; placeholders stay."""
        return str(escape(self.language.translated(template, values)))

    def value(self, value: Any, how: str = "") -> str:
        """One value, escaped unless it is markup."""
        if isinstance(value, Markup):
            return str(value)
        return str(escape(self.harmless(self.language.value(value, how))))

    def t(self, template: str, /, **values: Any) -> Markup:
        """A sentence of a template.

        Args:
            template: English, a literal.
            **values: What goes into its placeholders.
        """
        return Markup(self.fill(template, values))  # noqa: S704 - everything in it was escaped by this class

    def t_count(self, singular: str, plural: str, count: int, /, **values: Any) -> Markup:
        """A sentence about a number of things, which is the value ``count``.

        Args:
            singular: English for one, a literal.
            plural: English for any other number, a literal.
            count: The number.
            **values: What goes into further placeholders.
        """
        return Markup(self.fill((singular, plural), {"count": count, **values}))  # noqa: S704 - as above

    def told(self, model: Worded, field: str) -> str:
        """What a field of the report says. Plain text: it is escaped where it is printed."""
        return self.language.said(model, field)

    def says(self, message: str) -> str:
        """A message, or a sentence without values, in the language. Plain text, as above."""
        return self.language.says(message)

    def number(self, value: float, how: str = ",") -> str:
        """A number with the marks of the language."""
        return self.language.number(value, how)

    def names(self) -> dict[str, Any]:
        """What templates find under which name."""
        return {
            "language": self.language,
            "t": self.t,
            "t_count": self.t_count,
            "told": self.told,
            "says": self.says,
            "number": self.number,
            "when": self.language.moment,
            "size": lambda value: self.says(text.size(value)),
            "duration": lambda value: self.says(text.duration(value)),
        }

    def harmless(self, value: Any) -> Any:
        """What every printed expression passes through before it is escaped: nothing in it acts, and it has an end."""
        if isinstance(value, (Markup, text.Shown)):
            return value
        return self.cut(text.visible("" if value is None else value))

    def cut(self, value: text.Shown, limit: int = LONGEST_TEXT) -> text.Shown:
        """Text up to a length, with its full length named where it is longer."""
        if len(value) <= limit:
            return value
        long = say("({count:,} characters in all) The whole text is in report.json.", count=len(value))
        return text.Shown(f"{text.shorten(value, limit)} {self.says(long)}")


LONGEST_FIELD = 600
"""Longer values of a file's own fields are cut likewise."""


@cache
def environment(language: Language) -> Environment:
    """The template engine that speaks a language; values of evidence are escaped and cannot act."""
    voice = TemplateSpeaker(language)
    made = Environment(
        loader=PackageLoader("nsfwforensics.report.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=voice.harmless,
    )
    made.filters |= {
        "short": text.shorten,
        "field": lambda value: voice.cut(text.visible(value), LONGEST_FIELD),
        "path": text.shown_name,
    }
    made.globals |= voice.names()
    return made

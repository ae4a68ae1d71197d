"""Terms that a report uses, explained for readers who are no experts, and linked from where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from markupsafe import Markup, escape

from nsfwforensics.core.messages import Message
from nsfwforensics.language import Language
from nsfwforensics.report.page.templating import TemplateSpeaker
from nsfwforensics.report.page.terms import TERMS, Term


@dataclass(frozen=True, slots=True)
class GlossaryEntry:
    """One term as the page explains it.

    Attributes:
        anchor: Its id in the page.
        name: The term.
        meaning: What it means, in a sentence or two.
    """

    anchor: str
    name: str
    meaning: str


class Glossary:
    """Links terms where they stand in sentences of the report, and remembers which were met.

    Args:
        language: Of the page.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self._voice = TemplateSpeaker(language)
        self._met: set[str] = set()
        self._here: set[str] = set()

    def section(self) -> str:
        """Begins a part of the page in which each term is linked once more. Prints nothing."""
        self._here = set()
        return ""

    def link(self, sentence: str) -> Markup:
        """A sentence of the report with the terms in it linked, each once in a section.

        Args:
            sentence: A message, or text; markup in it is escaped.
        """
        text = str(self._voice.harmless(self._voice.says(sentence)))
        typed = _typed(sentence)
        kept = [match.span() for each in typed for match in re.finditer(re.escape(each), text)]
        pieces, end = [], 0
        for first, last, term in _terms_in(text, self.language):
            if any(start <= first < stop for start, stop in kept):  # a term in what is typed is no term
                continue
            if term.key in self._here:
                continue
            self._here.add(term.key)
            self._met.add(term.key)
            pieces += [escape(text[end:first]), _link(term, text[first:last])]
            end = last
        linked = Markup("").join([*pieces, escape(text[end:])])
        for each in typed:
            linked = linked.replace(escape(each), Markup("<code>{}</code>").format(each))
        return linked

    def entries(self) -> list[GlossaryEntry]:
        """The terms that were met so far, in alphabetical order of the language."""
        met = [term for term in TERMS if term.key in self._met]
        said = [
            GlossaryEntry(_anchor(term), self._voice.says(term.name), self._voice.says(term.meaning)) for term in met
        ]
        return sorted(said, key=lambda entry: entry.name.casefold())


def _anchor(term: Term) -> str:
    return f"term-{term.key}"


def _typed(sentence: str) -> list[str]:
    """What of a sentence is to be typed, and set as code: the values ``command``, ``option`` and ``draft``."""
    values = sentence.values if isinstance(sentence, Message) else {}
    return [typed for name in ("command", "option", "draft") if isinstance(typed := values.get(name), str)]


def _link(term: Term, text: str) -> Markup:
    return Markup('<a class="term" href="#{}">{}</a>').format(_anchor(term), text)


@lru_cache(maxsize=1024)  # the same few hundred sentences are said of most files
def _terms_in(text: str, language: Language) -> tuple[tuple[int, int, Term], ...]:
    """Where terms stand in a text: from, to (exclusive), and which."""
    pattern, terms = _matcher(language)
    found = ((*match.span(), terms.get(match[0].casefold())) for match in pattern.finditer(text))
    # Letters of other scripts may match without being the same word.
    return tuple((first, last, term) for first, last, term in found if term is not None)


@cache
def _matcher(language: Language) -> tuple[re.Pattern[str], dict[str, Term]]:
    """Finds the words of all terms in a language, the longest first, and says which term each belongs to."""
    terms: dict[str, Term] = {}
    for term in TERMS:
        for word in (term.name, *term.words):
            terms.setdefault(language.says(word).casefold(), term)
            terms.setdefault(word.casefold(), term)
    words = sorted(terms, key=lambda word: (-len(word), word))
    return re.compile("|".join(_bounded(word) for word in words), re.IGNORECASE), terms


def _bounded(word: str) -> str:
    """A word as a pattern: where it ends in a Latin letter or digit, no other may follow; likewise before it."""
    before = r"(?<![A-Za-z0-9])" if word[0].isascii() else ""
    after = r"(?![A-Za-z0-9])" if word[-1].isascii() else ""
    return f"{before}{re.escape(word)}{after}"


__all__ = ["Glossary", "GlossaryEntry"]

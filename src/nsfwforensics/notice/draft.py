"""A draft: what the law asks for, what is known, what only the person can add; as a letter and a cover beside it.

The letter holds nothing but what the person gave, what the files are (hashes) and the law's own form. No result of any
examination goes into it: the ground is that there was no consent, and how the picture was made does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from typing import Any

from nsfwforensics.care.helplines import HelpLine, for_minors
from nsfwforensics.notice.person import OwnWords
from nsfwforensics.notice.pictures import Picture
from nsfwforensics.notice.regimes import Element, FieldEntry, Law, Regime, fields, regime


class State(StrEnum):
    """How a field, or an element, stands."""

    FILLED = "filled"
    TO_FILL_IN = "to_fill_in"
    TO_CONFIRM = "to_confirm"
    BY_HAND = "by_hand"


_URGENCY = (State.TO_FILL_IN, State.TO_CONFIRM, State.BY_HAND, State.FILLED)


@dataclass(frozen=True, slots=True)
class Slot:
    """A field with what is known of it.

    Attributes:
        name: As in the data file.
        entry: What it is.
        value: What is known, or None.
        state: How it stands.
    """

    name: str
    entry: FieldEntry
    value: str | None
    state: State


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """Everything that a letter and its cover are made from.

    Attributes:
        law: The law.
        language: Of the cover; the letter is in it where there is one, and else in the law's usual language.
        person: What the person said.
        urls: Where the picture can be seen, as given.
        pictures: What it is.
        lines: Help lines of the country.
        made: When the draft was made, in UTC, ISO 8601.
    """

    law: Law
    language: str = "en"
    person: OwnWords = field(default_factory=OwnWords)
    urls: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    lines: tuple[HelpLine, ...] = ()
    made: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def regime(self) -> Regime:
        """What the law asks for."""
        return regime(self.law)

    @property
    def letter_language(self) -> str:
        """The language of the letter."""
        return self.language if self.language in self.regime.letters else self.regime.letters[0]

    @property
    def hashed(self) -> tuple[Picture, ...]:
        """The pictures whose bytes could be read."""
        return tuple(picture for picture in self.pictures if picture.sha256)

    def slot(self, name: str) -> Slot:
        """A field with its value and state."""
        entry = fields()[name]
        value = self._value(name, entry)
        if entry.kind == "hand":
            return Slot(name, entry, None, State.BY_HAND)
        if value is not None:
            return Slot(name, entry, value, State.FILLED)
        return Slot(name, entry, None, State.TO_CONFIRM if entry.kind == "confirm" else State.TO_FILL_IN)

    def _value(self, name: str, entry: FieldEntry) -> str | None:
        if name == "urls":
            return "\n".join(self.urls) or None
        if name == "files":
            return "\n".join(str(picture.sha256) for picture in self.hashed) or None
        if entry.kind == "confirm":
            return name if name in self.person.confirmed else None
        return getattr(self.person, name, None)

    @property
    def asked(self) -> frozenset[str]:
        """The fields that the letter must hold: the law's, who writes, and to whom."""
        return frozenset({"recipient", "role"}.union(*(element.fields for element in self.regime.elements)))

    def state(self, element: Element) -> State:
        """How an element stands: as its least finished field."""
        return min((self.slot(name).state for name in element.fields), key=_URGENCY.index)

    def missing(self) -> list[Slot]:
        """What the person still has to do, in the order of the fields; each is marked in the letter."""
        return [slot for name in fields() if name in self.asked and (slot := self.slot(name)).state is not State.FILLED]

    @property
    def hotlines(self) -> tuple[HelpLine, ...]:
        """Where to turn if the person shown is or may be under 18."""
        return for_minors(self.lines)

    def record(self, letter: str, cover: str) -> dict[str, Any]:
        """The draft as JSON values, with what is missing."""
        return {
            "law": self.law.value,
            "citation": self.regime.citation.say(self.letter_language),
            "checked_on": self.regime.checked_on,
            "language": self.language,
            "letter_language": self.letter_language,
            "made": self.made,
            "tool": f"nsfwforensics {version('nsfwforensics')}",
            "urls": list(self.urls),
            "pictures": [{"name": one.name, "sha256": one.sha256, "pdq": one.pdq} for one in self.pictures],
            "elements": [
                {
                    "id": element.id,
                    "asks": element.asks.say(self.language),
                    "source": element.source.say(self.language),
                    "checked_on": element.checked_on,
                    "state": self.state(element).value,
                    "fields": {name: self.slot(name).state.value for name in element.fields},
                }
                for element in self.regime.elements
            ],
            "missing": [
                {"field": slot.name, "state": slot.state.value, "what": slot.entry.say(self.language)}
                for slot in self.missing()
            ],
            "letter": letter,
            "cover": cover,
        }


def draft(
    law: Law,
    *,
    language: str = "en",
    person: OwnWords | None = None,
    urls: Sequence[str] = (),
    pictures: Sequence[Picture] = (),
    lines: Sequence[HelpLine] = (),
) -> NoticeDraft:
    """Makes a draft; each address and picture once.

    Args:
        law: Under which law.
        language: ``en`` or ``ja``.
        person: What the person said; nothing if omitted.
        urls: Checked addresses (:func:`nsfwforensics.notice.person.web_address`).
        pictures: The pictures.
        lines: Help lines for the cover.
    """
    return NoticeDraft(law, language, person or OwnWords(), tuple(dict.fromkeys(urls)), tuple(pictures), tuple(lines))

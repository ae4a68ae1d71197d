"""What a report does not mean, and what a person can do next: the same for every picture, whoever or whatever made it.

No step depends on what was found, above all not on a picture being made by a machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from nsfwforensics.care.helplines import EVERYWHERE, HelpLine, for_minors, helplines
from nsfwforensics.core.messages import say
from nsfwforensics.errors import UsageError
from nsfwforensics.language import Language

NOT_MEANT: tuple[str, ...] = (
    say(
        "“No sign found” does not mean that a picture is authentic or untouched, only that these checks saw nothing. "
        "Sharing a picture removes many traces."
    ),
    say(
        "A sign is not proof. This report gives no single verdict; every finding says what could make it wrong: read "
        "that before you act on it."
    ),
    say("“Inconclusive” and “not checked” say nothing in either direction."),
    say(
        "A similar face is a lead for a person to compare, never an identification. It says nothing about the body, "
        "or whether the scene happened."
    ),
    say("Nothing here says who made a picture, who shared it, when or why, or whether anyone agreed to it."),
    say(
        "Whether a picture was made or changed by a machine does not decide whether it may be removed: what counts is "
        "that the person in it did not agree."
    ),
)

KEEP_FILE = say(
    "Keep the original file where it is and as it is: do not open it in an editor, rename it or save it again. "
    "Work with copies. The SHA-256 in this report shows later that it is the same file."
)
NO_FORWARDING = say("Do not forward the picture, not even as proof: every copy that is sent can travel on.")
WRITE_DOWN = say(
    "Write down where you saw it: addresses (URLs), account names, dates and times. A screenshot of the page with "
    "the picture covered is enough."
)
PACK = say(
    "Put what you have into an evidence pack, which shows later that nothing in it was changed. With {option} the "
    "picture itself stays where it is.",
    option="--hash-only",
)
EXPERT = say(
    "If much depends on the answer, ask a human expert, and give them the original file rather than this report alone."
)
TALK = say("Talk to people who help with this every day: they know the ways and are used to such reports.")
MINOR = say(
    "If the person in it is or may be under 18: do not copy, print or send the picture, and report it to a "
    "hotline. You do not need to be sure, and nobody has to confirm it first."
)
UNSURE = say(
    "If it shows a person who did not agree: {command} names who helps, and {draft} says how a request for removal is "
    "drafted.",
    command="nsfwforensics helplines",
    draft="nsfwforensics notice --help",
)
"""Where nobody looked for a person in the picture."""

STOP: tuple[str, ...] = (
    say("Stop here: you do not need to look at the picture again."),
    say(
        "Do not copy, print, upload or send it, not even as proof. Ask the hotline or the police what should become of "
        "the file."
    ),
    say("Its place and its SHA-256 stand in this report. They are enough to report it."),
    say(
        "If the person in it is or may be under 18, report it to a hotline. You do not need to be sure, and nobody has "
        "to confirm it first. This tool never judges age."
    ),
    say("If it is a picture of you: this was done to you, and there is help."),
)
"""What comes first where files are to be handled with care."""


@dataclass(frozen=True, slots=True)
class Help:
    """One service as a page names it.

    Attributes:
        name: As it calls itself.
        purpose: What it does.
        url: Its page, or None.
        phone: Its number, or None.
        place: The countries whose people it serves; empty for anyone anywhere.
        checked: The month in which the entry was collected.
        languages: Of its pages.
    """

    name: str
    purpose: str
    url: str | None
    phone: str | None
    place: str
    checked: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HelpLines:
    """The services of a page.

    Attributes:
        near: For people anywhere, and in the country that speaks the page's language, if one alone does.
        others: All others.
        problem: Why the list is not complete, or None.
    """

    near: tuple[Help, ...]
    others: tuple[Help, ...]
    problem: str | None = None


_HOME = {"ja": "jp"}
"""Languages that are spoken in one country; a page in them names that country's services first."""


def help_lines(language: Language, *, minors_first: bool = False) -> HelpLines:
    """The services, as a page in this language lists them.

    Args:
        language: Of the page.
        minors_first: Whether those come first that take pictures which show, or may show, somebody under 18.
    """
    try:
        lines = helplines()
    except UsageError as error:  # the reader's own list is broken; a report is not lost over it
        return HelpLines((), (), str(error))
    if minors_first:
        first = for_minors(lines)
        lines = (*first, *(line for line in lines if line not in first))
    home = _HOME.get(language.code, "")
    near = [line for line in lines if EVERYWHERE in line.countries or home in line.countries]
    near.sort(key=lambda line: home not in line.countries)
    if minors_first:
        ranks = {line.id: rank for rank, line in enumerate(for_minors(tuple(near)))}
        near.sort(key=lambda line: ranks.get(line.id, len(ranks)))
    return HelpLines(_shown(near, language), _shown((line for line in lines if line not in near), language))


def _shown(lines: Iterable[HelpLine], language: Language) -> tuple[Help, ...]:
    return tuple(
        Help(
            name=line.title(language.code),
            purpose=line.what(language.code),
            url=line.url,
            phone=line.phone,
            place=language.listed([_country(code, language) for code in line.countries if code != EVERYWHERE], "comma"),
            checked=_month(line.checked_on, language),
            languages=line.languages,
        )
        for line in lines
    )


def _month(text: str, language: Language) -> str:
    """``2026-11`` as people write a month."""
    if language.code == "en":
        return text
    from babel.dates import format_skeleton

    return format_skeleton("yMMMM", date.fromisoformat(f"{text[:7]}-01"), locale=language.locale)


def _country(code: str, language: Language) -> str:
    return str(language.locale.territories.get(code.upper(), code.upper()))

"""The provenance analyzer's sentences about unsigned marks, each a message that can be said in another language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nsfwforensics.analyzers.metadata.software import Program
from nsfwforensics.analyzers.provenance.model import NAMES_AUTHOR, Certainty, Meaning, Rule
from nsfwforensics.core.messages import Message, say, say_count
from nsfwforensics.core.quoting import quote

REPORTED_PLACE = say(
    "Unsigned: anyone can write or strip it. That the label is written in this place is known from reports only."
)
HIDDEN_SETTINGS = say(
    "The file claims to be made by NovelAI: settings are hidden in the pixels' alpha channel, as that service writes "
    "them; the claim is unsigned."
)
PROMPT_WRITER = "prompt writer's name"
NOT_LOOKED_FOR = (
    say("labels that generators draw into the picture"),
    say("invisible marks that only their makers can read, such as SynthID"),
)
"""What this analyzer does not look for, and nothing here does."""
_MARKED = say("marked as AI content")
ENTERED: Mapping[str, str] = {
    "prompt": say("prompt"),
    "negative_prompt": say("negative prompt"),
    "user_name": say("user name"),
    PROMPT_WRITER: say("prompt writer's name"),
}
"""What was entered to make a picture, in words."""


def mark(rule: Rule, named: Rule, text: str) -> Message:
    """The sentence about a mark of a generator, an editor or a service.

    Args:
        rule: The mark's rule.
        named: The rule that names the generator: the same, or one that holds for the same field.
        text: What the field that carries the mark says.
    """
    maker = say("{generator} ({detail})", generator=named.name, detail=rule.detail) if rule.detail else named.name
    if rule.certainty is Certainty.NAMED:
        if rule.meaning is Meaning.FACE_SWAP:
            return say(
                "The file names {program} as its software, a program for swapping faces; a bare name is a weak claim, "
                "and unsigned.",
                program=quote(text),
            )
        if rule.conditions[0].homes == NAMES_AUTHOR:
            return say(
                "The file names {program}, which generates pictures, where authors are named; a bare name is a weak "
                "claim, and unsigned.",
                program=quote(text),
            )
        return say(
            "The file names {program} as its software, which generates pictures; a bare name is a weak claim, and "
            "unsigned.",
            program=quote(text),
        )
    if rule.certainty is Certainty.REPORTED:
        return say(
            "The file may claim to be made by {generator}: such a mark has been reported, but is not verified.",
            generator=maker,
        )
    if named.consistent:
        return say(
            "The file carries marks that are consistent with {generator}; it names no maker, and the claim is "
            "unsigned.",
            generator=maker,
        )
    if rule.meaning is Meaning.FACE_SET:
        return say(
            "The file claims to be prepared by {generator}, a program for swapping faces; the claim is unsigned.",
            generator=maker,
        )
    if rule.meaning is Meaning.FACE_GIVEN:
        return say(
            "The file claims to be made by {generator}, to which a person's face was given; the claim is unsigned.",
            generator=maker,
        )
    if rule.meaning is Meaning.GENERATED or rule.family:
        return say("The file claims to be made by {generator}; the claim is unsigned.", generator=maker)
    return say("The file claims to be changed by {generator}; the claim is unsigned.", generator=maker)


def program(found: Sequence[Program]) -> Message:
    """The first program that is named and is no generator, and how many there are besides."""
    if len(found) > 1:
        return say(
            "The file names the program {program} (and {count} more), which is not in our tables of generators.",
            program=quote(found[0].text),
            count=len(found) - 1,
        )
    return say(
        "The file names the program {program}, which is not in our tables of generators.", program=quote(found[0].text)
    )


def source_type(words: str) -> Message:
    """What a digital source type claims."""
    return say("The file claims, in IPTC's terms, to be {source}; the claim is unsigned.", source=words)


def ai_system(name: str | None) -> Message:
    """That an AI system was used; ``name`` is what the file calls it."""
    if name:
        return say(
            "The file claims that the AI system {system} was used for it; the claim is unsigned.", system=quote(name)
        )
    return say("The file claims that an AI system that it does not name was used for it; the claim is unsigned.")


def china_label(words: str, service: str) -> Message:
    """What China's label claims: its value in words, or empty, and the service that wrote it, or empty."""
    if service:
        return say(
            "The file claims to be {label}, by China's mandatory label for AI content, written by the service "
            "{service}; the claim is unsigned.",
            label=words or _MARKED,
            service=quote(service, 60),
        )
    return say(
        "The file claims to be {label}, by China's mandatory label for AI content; the claim is unsigned.",
        label=words or _MARKED,
    )


def entered(kinds: Sequence[str]) -> Message:
    """That prompts or names are stored; they are not repeated."""
    return say(
        "The file stores what was entered to make the picture ({kinds:comma}). This is personal data. The text can be "
        "upsetting, so it is not repeated here; it stands among the values read from the file.",
        kinds=[ENTERED[kind] for kind in kinds],
    )


def not_looked_at(unread: int, limits: int) -> Message:
    """That marks may have been missed: ``unread`` parts could not be read, ``limits`` of ours were reached."""
    if limits:
        return say_count(
            "The file holds more parts than are read ({count} limit was reached), so a mark or label may have been "
            "missed.",
            "The file holds more parts than are read ({count} limits were reached), so a mark or label may have been "
            "missed.",
            limits,
        )
    return say_count(
        "{count} part of the file that may hold marks and labels could not be read, so one may have been missed.",
        "{count} parts of the file that may hold marks and labels could not be read, so one may have been missed.",
        unread,
    )


def unread(problem: str) -> Message:
    """That hidden text could not be read; ``problem`` says what is wrong with it."""
    return say("A generator's signature stands in the alpha channel, but {problem}.", problem=problem)

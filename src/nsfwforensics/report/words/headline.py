"""What a reader sees first: one to a few short sentences, by rules over the findings, in the order of their weight.

What was asked for comes first (an original, what was changed against it, the person of the reference, a known list),
then what calls for care, statements of origin, signs of editing, and what could not be told. Where nothing was found,
one sentence says what that does not mean. Nothing is concluded here that no finding says.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from nsfwforensics.core.assess import reading_order, speaking_to
from nsfwforensics.core.messages import say, say_count
from nsfwforensics.core.triage import ASKED, Sign, altered, sign_of
from nsfwforensics.core.types import (
    Answer,
    FileReport,
    FileStatus,
    Finding,
    Question,
    Summary,
    Support,
)
from nsfwforensics.report.words.wording import failures, told

OF_WHAT_WAS_ASKED = frozenset({Sign.SOURCE, Sign.CHANGED, Sign.PERSON, Sign.LISTED})
"""Signs that only come up where the user supplied something to compare with."""

_MOST_BESIDES = 2
"""So many sentences about what nobody asked for; one, where something that was asked for is said before."""

_LONGEST = 200
"""Longer explanations do not stand in a headline, in characters; the title does."""

_OPEN: Mapping[Question, str] = {
    Question.ORIGIN: say("where it came from"),
    Question.SYNTHESIS: say("whether it was generated"),
    Question.ALTERATION: say("whether it was edited"),
    Question.IDENTITY: say("whether the person in the reference photo is in it"),
    Question.KNOWN: say("whether it is a known image"),
    Question.CONTENT: say("whether it needs careful handling"),
}

_NOT: Mapping[Question, str] = {
    Question.IDENTITY: say("No face in it was found to resemble the reference photo."),
    Question.KNOWN: say("It was not found to be a known image."),
}

NOTHING = say("No clear sign of editing or generation was found; that does not make it authentic.")


def headline(file: FileReport, originals: Container[str] = ()) -> tuple[str, ...]:
    """What one file's report says first.

    Args:
        file: The report; not trusted.
        originals: The names of the analyzers that compare with originals.

    Returns:
        Messages, each a short sentence; never empty.
    """
    if file.error:
        reason = told(file, "error")
        return (
            (say("Passed over: {reason}.", reason=reason),)
            if file.skipped
            else (say("It could not be examined: {reason}.", reason=reason),)
        )
    found = _leading(file, originals)
    asked = [_sentence(found[sign]) for sign in Sign if sign in found and sign in OF_WHAT_WAS_ASKED]
    asked += _unchanged(file, found)
    besides = [_sentence(found[sign]) for sign in Sign if sign in found and sign not in OF_WHAT_WAS_ASKED]
    not_found = _of_asked(file)
    said = [*asked, *besides[: 1 if asked or not_found else _MOST_BESIDES], *not_found]
    if not found:
        minor = _minor(file)
        said += minor + _nothing(file, [Question.ORIGIN] if minor else [])
    return tuple(dict.fromkeys([*said, *_missing(file)]))


def folder_headline(found: Mapping[frozenset[Sign], int], summary: Summary) -> tuple[str, ...]:
    """What the report of several files says first.

    Args:
        found: How many files show exactly which signs, inconclusive ones left out.
        summary: The counts of the report.

    Returns:
        Messages, each a short sentence; never empty.
    """
    said: list[str] = []
    for sign, count_them, and_more in _COUNTED:
        number = _showing(found, sign)
        if number:
            said.append(count_them(number))
            said += and_more(found)
    asked = any(_showing(found, sign) for sign in OF_WHAT_WAS_ASKED)
    said = said[: 3 if asked else _MOST_BESIDES]
    statuses = FileStatus.FAILED, FileStatus.PARTIAL, FileStatus.SKIPPED
    failed, partial, passed = (summary.by_status.get(status, 0) for status in statuses)
    examined = summary.files - failed - passed
    if not said and examined:
        said.append(
            say_count(
                "Nothing stood out in {count:,} file; that does not make it authentic.",
                "Nothing stood out in {count:,} files; that does not make them authentic.",
                examined,
            )
        )
    if failed or partial:
        said.append(
            say_count(
                "{count:,} file could not be examined in full.",
                "{count:,} files could not be examined in full.",
                failed + partial,
            )
        )
    if not summary.files:
        said.append(say("Nothing was examined: no file was found."))
    elif not examined and not failed:
        said.append(
            say_count(
                "Nothing was examined: the {count:,} file that was found is no picture.",
                "Nothing was examined: none of the {count:,} files that were found is a picture.",
                passed,
            )
        )
    return tuple(said)


def _leading(file: FileReport, originals: Container[str]) -> dict[Sign, Finding]:
    """By sign, the finding that carries it; what is only inconclusive is none."""
    found: dict[Sign, Finding] = {}
    for result in file.results:
        for finding in result.findings:
            sign = sign_of(finding, result, originals)
            if sign is None or finding.support is not Support.SUPPORTS:
                continue
            if sign not in found or reading_order(finding) < reading_order(found[sign]):
                found[sign] = finding
    return found


def _sentence(finding: Finding) -> str:
    """A finding in one short sentence: its headline, its explanation where that is one, else its title."""
    if finding.headline:
        return told(finding, "headline")
    explanation = told(finding, "explanation")
    if len(explanation) <= _LONGEST and ". " not in explanation:
        return explanation
    return say("{title}.", title=told(finding, "title"))


def _unchanged(file: FileReport, found: Mapping[Sign, Finding]) -> list[str]:
    """That no change was found in a picture that was made from an original, or that none could be mapped."""
    if Sign.SOURCE not in found or Sign.CHANGED in found:
        return []
    about = (finding for finding in file.findings if finding.question is Question.ALTERATION and finding.headline)
    return [told(finding, "headline") for finding in about if finding.support is not Support.SUPPORTS][:1]


def _of_asked(file: FileReport) -> list[str]:
    """What there is to say of the questions that were asked and have no sign: not found, or could not be told."""
    said: list[str] = []
    for answer in file.answers:
        if answer.question not in ASKED or answer.support not in (Support.INCONCLUSIVE, Support.NO_INDICATION):
            continue
        if finding := _carrying(file, answer):
            said.append(told(finding, "headline"))
        elif answer.support is Support.NO_INDICATION:
            said.append(_NOT[answer.question])
        else:
            said.append(say("It could not be told {what:and}.", what=[_OPEN[answer.question]]))
    return said


def _carrying(file: FileReport, answer: Answer) -> Finding | None:
    """The finding that carries an answer, where it says itself how it stands in a headline."""
    carrying = (f for result in speaking_to(answer.question, file.results) for f in result.about(answer.question))
    first = min(carrying, key=reading_order, default=None)
    return first if first is not None and first.headline and first.support is answer.support else None


def _minor(file: FileReport) -> list[str]:
    """The first plain statement of origin that declares a headline, such as a signature or a camera.

    Where nothing but the origin was asked, the weightiest of whatever there is.
    """
    alone = sum(answer.support is not Support.NOT_CHECKED for answer in file.answers) == 1
    plain = [
        finding
        for result in file.results
        for finding in sorted(result.about(Question.ORIGIN), key=lambda each: (not each.headline, reading_order(each)))
        if finding.support is Support.SUPPORTS and (finding.headline or (alone and finding.severity.rank))
    ]
    return [_sentence(plain[0])] if plain else []


def _nothing(file: FileReport, said: Sequence[Question]) -> list[str]:
    """That there is no clear sign and what that does not mean; of a single question, only what its answer says.

    A plain statement of editing, such as the steps that a signature vouches for, stands in the place of that.
    """
    checked = [answer for answer in file.answers if answer.support is not Support.NOT_CHECKED]
    if not checked:
        return [say("Nothing was checked.")]
    if len(checked) == 1:
        (only,) = checked
        return [] if only.question in (*said, *ASKED) else [told(only, "statement")]
    open_ones = [
        answer.question
        for answer in checked
        if answer.support is Support.INCONCLUSIVE and answer.question not in (*ASKED, *said)
    ]
    own = [answer for answer in checked if answer.question in (Question.SYNTHESIS, Question.ALTERATION)]
    stated = [finding for answer in own if (finding := _carrying(file, answer)) and answer.support is Support.SUPPORTS]
    signs = [told(finding, "headline") for finding in stated] or ([NOTHING] if own else [])
    told_open = [say("It could not be told {what:and}.", what=[_OPEN[question] for question in open_ones])]
    return [*signs, *(told_open if open_ones else [])]


def _missing(file: FileReport) -> list[str]:
    """What of the file was not looked at, in one sentence."""
    if failed := failures(file):
        return [say("A check failed: {what}.", what=failed[0])]
    return [say("Only a part of it was examined.")] if file.status is FileStatus.PARTIAL else []


def _showing(found: Mapping[frozenset[Sign], int], *signs: Sign) -> int:
    """How many files show all of these signs."""
    return sum(number for shown, number in found.items() if shown.issuperset(signs))


def _altered_among(found: Mapping[frozenset[Sign], int], sign: Sign) -> list[str]:
    number = sum(count for shown, count in found.items() if sign in shown and altered(shown))
    if not number:
        return []
    if number == _showing(found, sign) > 1:
        return [say("All of them show signs of having been changed or generated.")]
    return [
        say_count(
            "{count:,} of them shows signs of having been changed or generated.",
            "{count:,} of them show signs of having been changed or generated.",
            number,
        )
    ]


_Counted = tuple[Sign, Callable[[int], str], Callable[[Mapping[frozenset[Sign], int]], list[str]]]

_COUNTED: tuple[_Counted, ...] = (
    (
        Sign.PERSON,
        lambda count: say_count(
            "{count:,} picture shows a face that resembles the reference photo.",
            "{count:,} pictures show a face that resembles the reference photo.",
            count,
        ),
        lambda found: _altered_among(found, Sign.PERSON),
    ),
    (
        Sign.SOURCE,
        lambda count: say_count(
            "{count:,} picture appears to have been made from an original that you supplied.",
            "{count:,} pictures appear to have been made from an original that you supplied.",
            count,
        ),
        lambda found: [] if _showing(found, Sign.PERSON) else _altered_among(found, Sign.SOURCE),
    ),
    (
        Sign.LISTED,
        lambda count: say_count(
            "{count:,} file matches a list of known images.", "{count:,} files match a list of known images.", count
        ),
        lambda found: [],
    ),
    (
        Sign.CONTENT,
        lambda count: say_count(
            "{count:,} picture is to be handled with care.", "{count:,} pictures are to be handled with care.", count
        ),
        lambda found: [],
    ),
    (
        Sign.ORIGIN,
        lambda count: say_count(
            "{count:,} file says something of its origin that matters, such as that it was made with AI.",
            "{count:,} files say something of their origin that matters, such as that they were made with AI.",
            count,
        ),
        lambda found: [],
    ),
    (
        Sign.SYNTHESIS,
        lambda count: say_count(
            "{count:,} picture looks generated to a model.", "{count:,} pictures look generated to a model.", count
        ),
        lambda found: [],
    ),
    (
        Sign.ALTERATION,
        lambda count: say_count(
            "{count:,} picture shows signs of editing.", "{count:,} pictures show signs of editing.", count
        ),
        lambda found: [],
    ),
)

__all__ = ["NOTHING", "folder_headline", "headline"]

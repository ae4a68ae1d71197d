"""A folder at a glance: how many files by priority, and by question and answer, drawn and in figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from nsfwforensics.core.messages import Message, say, say_count
from nsfwforensics.core.types import Priority, Question, Summary, Support
from nsfwforensics.language import Language
from nsfwforensics.report.charts import svg
from nsfwforensics.report.words.wording import QUESTIONS

_WIDTH, _LEFT, _BAR, _ROW = 680.0, 230.0, 26.0, 42.0
_LEAST = 3.0
"""Narrowest part of a bar, so that one file among thousands is seen."""

_PRIORITIES: Mapping[Priority, tuple[Message, str]] = {
    Priority.HIGH: (say("High"), "supports"),
    Priority.MEDIUM: (say("Medium"), "inconclusive"),
    Priority.LOW: (say("Low"), "nothing"),
    Priority.NONE: (say("None"), "not-checked"),
}
_SUPPORTS: Mapping[Support, tuple[Message, str]] = {
    Support.SUPPORTS: (say("Signs found"), "supports"),
    Support.INCONCLUSIVE: (say("Inconclusive"), "inconclusive"),
    Support.NO_INDICATION: (say("No sign found"), "nothing"),
    Support.NOT_CHECKED: (say("Not checked"), "not-checked"),
}
Signs = Mapping[Question, Mapping[Priority, int]]
"""By question, how many files with signs have which priority."""

Part = tuple[str, str, int]
"""Of a bar: what it stands for, its look, how many files."""


def overview(summary: Summary, signs: Signs, language: Language) -> Markup | None:
    """Draws a folder: one bar for the priorities, one for the answers to each question.

    Args:
        summary: The counts over all files.
        signs: As :attr:`nsfwforensics.report.saved.report.SavedReport.signs` has them.
        language: What the chart speaks.

    Returns:
        The chart with its tables, or None for fewer than two files.
    """
    if summary.files < 2:
        return None
    says = language.says
    priorities = [(says(name), look, summary.by_priority.get(key, 0)) for key, (name, look) in _PRIORITIES.items()]
    answers = {question: _answers(summary, question, language) for question in Question}
    parts: list[Markup] = [
        svg.label(_LEFT - 14, 22, says(say("Priority for review")), "strong", "end"),
        *_bar(4, priorities, language),
        *_legend(38, priorities),
        *_legend(84, answers[Question.ORIGIN]),
    ]
    y = 106.0
    for question, bar in answers.items():
        y += _ROW
        parts.append(svg.label(_LEFT - 14, y - 16, says(QUESTIONS[question]), "ink", "end"))
        parts += _bar(y - 34, bar, language)
    title = say_count("{count:,} file at a glance", "{count:,} files at a glance", summary.files)
    drawing = svg.svg(_WIDTH, y + 4, says(title), _description(priorities, answers, language), *parts)
    caption = say(
        "How many files there are of each priority, and how each question was answered. Priority is an order of work, "
        "not a verdict, and a bar of signs says nothing about how strong they are."
    )
    beside = svg.joined(_tables(priorities, answers, signs, language))
    return svg.figure("overview", drawing, says(caption), language, beside)


def _answers(summary: Summary, question: Question, language: Language) -> list[Part]:
    """The parts of one question's bar; a file without an answer was not checked."""
    given = summary.by_question.get(question, {})
    unasked = summary.files - sum(given.values())
    return [
        (language.says(name), look, given.get(key, 0) + (max(0, unasked) if key is Support.NOT_CHECKED else 0))
        for key, (name, look) in _SUPPORTS.items()
    ]


def _bar(y: float, bar: Sequence[Part], language: Language) -> Iterator[Markup]:
    """One bar in parts, each with its number where there is room for it."""
    present = [part for part in bar if part[2]]
    total = sum(count for _, _, count in present) or 1
    room = _WIDTH - _LEFT - 2 - _LEAST * len(present)
    x = _LEFT
    for _, look, count in present:
        width = _LEAST + room * count / total
        yield from svg.box(x, y, width, _BAR, look)
        text = language.number(count, ",d")
        if svg.text_width(text) + 10 < width:
            if look == "inconclusive":  # a clear place for the number among the hatching
                yield svg.shape("rect", "clear", x=x + 3, y=y + 3, width=svg.text_width(text) + 6, height=_BAR - 6)
            yield svg.label(x + 6, y + 18, text, "on-accent" if look == "supports" else "strong")
        x += width


def _legend(y: float, bar: Sequence[Part]) -> Iterator[Markup]:
    widths = [22 + svg.text_width(name) + 16 for name, _, _ in bar]
    x = max(4.0, min(_LEFT, _WIDTH - sum(widths)))
    for (name, look, _), width in zip(bar, widths, strict=True):
        yield from svg.box(x, y, 16, 16, look)
        yield svg.label(x + 22, y + 13, name, "soft")
        x += width


def _description(priorities: Sequence[Part], answers: Mapping[Question, Sequence[Part]], language: Language) -> str:
    """All numbers in words, for who cannot see the bars."""
    rows = {language.says(say("Priority for review")): priorities}
    rows |= {language.says(QUESTIONS[question]): bar for question, bar in answers.items()}
    said = (
        language.says(say("{name}: {numbers:comma}", name=name, numbers=[f"{what} {count}" for what, _, count in bar]))
        for name, bar in rows.items()
    )
    return language.listed(list(said), "semicolon")


def _tables(
    priorities: Sequence[Part], answers: Mapping[Question, Sequence[Part]], signs: Signs, language: Language
) -> Iterator[Markup]:
    says = language.says
    yield svg.table(
        [says(say("Question")), *(name for name, _, _ in answers[Question.ORIGIN])],
        [
            [says(QUESTIONS[question]), *(language.number(count, ",d") for _, _, count in bar)]
            for question, bar in answers.items()
        ],
    )
    yield svg.element("p", says(say("Files with signs, by question and priority:")))
    yield svg.table(
        [says(say("Question")), *(name for name, _, _ in priorities)],
        [
            [says(QUESTIONS[question]), *(language.number(signs.get(question, {}).get(p, 0), ",d") for p in Priority)]
            for question in Question
        ],
    )

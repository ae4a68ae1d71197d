"""The report on a terminal, readable at 80 columns and without colour.

Everything that may come out of a file goes through :func:`plain`: never markup, never a control character.
"""

from __future__ import annotations

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from nsfwforensics.core.messages import say
from nsfwforensics.core.types import AnalyzerStatus, FileReport, FileStatus, Support
from nsfwforensics.language import Language
from nsfwforensics.language import language as language_of
from nsfwforensics.language.catalogue import SPACELESS
from nsfwforensics.report.console.folder import render_folder
from nsfwforensics.report.console.parts import bullet, indent, look, named, plain
from nsfwforensics.report.saved.folder import HTML_NAME
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.words.answers import Check, NumberedFinding, QuestionView, box_text, questions, regions
from nsfwforensics.report.words.rates import rate_sentences
from nsfwforensics.report.words.text import duration, size
from nsfwforensics.report.words.wording import FINDING_SUPPORT, SEVERITY, run_notes, told

DETAILED = 1
"""Up to how many files are shown in full unless asked otherwise."""

_RAN = (AnalyzerStatus.OK, AnalyzerStatus.NOTHING_FOUND)


def render(saved: SavedReport, console: Console, *, details: bool | None = None) -> None:
    """Prints a report, in its language.

    Args:
        saved: The report.
        console: Where to.
        details: Whether every file is shown in full; by default only the one file of a report of one.
    """
    says = saved.language.says
    if details is None:
        details = saved.summary.files <= DETAILED
    for note in run_notes(saved.header):
        console.print(Text(says(say("Note:")) + " ", "bold") + plain(says(note)))
    if saved.sensitive:
        console.print(Text(says(_CARE), "bold"))
    if saved.summary.files == 0:
        console.print(Text(says(say("No files were examined."))))
    if details:
        for file in saved.by_priority():
            render_file(file, console, saved.language)
    if not details or saved.summary.files > 1:
        render_folder(saved, console)
    _render_place(saved, console)


_CARE = say(
    "Some of this is to be handled with care: do not copy, print or send such a picture, not even as proof. The report "
    "in HTML names hotlines and help; so does the command {command}.",
    command="nsfwforensics helplines",
)


def render_file(file: FileReport, console: Console, language: Language | None = None) -> None:
    """Prints one file: what it is, then the questions in their order, each with what carries the answer."""
    language = language or language_of("en")
    console.print(Rule(Text("")))
    console.print(named(file.info.path, "bold"))
    for line in _identity(file, language):
        console.print(line)
    if file.error:
        word = say("Skipped") if file.skipped else say("Failed")
        console.print(Text(f"{language.says(word)}: ", "bold") + plain(language.says(told(file, "error"))))
        if not file.results:
            return
    for number in range(len(file.notes)):
        console.print(plain(language.says(told(file, f"notes.{number}")), "bold"))
    previous: QuestionView | None = None
    for view in questions(file):
        if view.checks or previous is None or previous.checks:
            console.print()  # questions that nobody asked stand close together
        _render_question(view, console, language)
        previous = view
    if regions(file):
        where = say("Regions are x, y, width, height in pixels from the top left corner.")
        console.print(Text("\n" + language.says(where), "dim"))


def _identity(file: FileReport, language: Language) -> list[Text]:
    info = file.info
    facts = [info.media_type or say("unknown type"), size(info.size)]
    if info.width and info.height:
        facts.append(say("{width} × {height} pixels", width=info.width, height=info.height))
    if info.frames and info.frames > 1:
        facts.append(say("{frames} frames", frames=info.frames))
    lines = [plain(language.listed([language.says(fact) for fact in facts], "comma"))]
    if info.sha256:
        lines.append(Text(f"SHA-256 {info.sha256}"))
    if file.status is FileStatus.PARTIAL and info.decoded_share is not None:
        missing = say(
            "Only about {share:.0%} of the picture could be decoded; the rest is missing.", share=info.decoded_share
        )
        lines.append(Text(language.says(missing), "bold"))
    return lines


def _render_question(view: QuestionView, console: Console, language: Language) -> None:
    says = language.says
    console.print(Text(says(view.question.wording), "bold underline" if view.checks else "dim"))
    colon, stop = ("：", "。") if language.code in SPACELESS else (": ", ". ")
    between = colon if view.support is Support.NOT_CHECKED else stop
    badge = (says(view.badge.word), look(view.badge, "bold"))
    console.print(Text.assemble(badge, between, plain(says(view.statement))))
    for numbered in view.findings:
        _render_finding(numbered, console, language, already=view.statement)
    for check in view.checks:
        if check.result.status not in _RAN and view.support is not Support.NOT_CHECKED:
            indent(_check_line(check, language), console)
    for item in view.missing:
        indent(_label(say("Could not be checked:"), "bold", language) + plain(says(item)), console)


def _check_line(check: Check, language: Language) -> Text:
    spaceless = language.code in SPACELESS
    colon = "：" if spaceless else ": "
    line = Text.assemble((language.says(check.badge.word), look(check.badge)), colon, plain(check.result.analyzer))
    if not check.result.error:
        return line
    why = language.says(told(check.result, "error"))
    return line + plain(f"（{why}）" if spaceless else f" ({why})")


def _render_finding(numbered: NumberedFinding, console: Console, language: Language, *, already: str) -> None:
    says, finding = language.says, numbered.finding
    facts = [SEVERITY[finding.severity]]
    if finding.support is not Support.SUPPORTS:
        facts.append(FINDING_SUPPORT[finding.support])
    if finding.likelihood is not None:
        facts.append(say("estimated probability {share:.0%}", share=finding.likelihood))
    if finding.region is not None:
        facts.append(say("region {box}", box=box_text(finding.region)))
    marks = language.listed([finding.code, *(says(fact) for fact in facts)], "comma")
    bullet(Text.assemble(plain(says(told(finding, "title")), "bold"), f"  {marks}"), console)
    if finding.explanation != already:
        indent(plain(says(told(finding, "explanation"))), console, 4)
    for rate in rate_sentences(finding, language):
        indent(plain(says(rate), "dim"), console, 4)
    indent(_label(say("But:"), "italic", language) + plain(says(told(finding, "caveat"))), console, 4)


def _label(words: str, style: str, language: Language) -> Text:
    """What stands before a text, with a space where the language has one there."""
    return Text(language.says(words) + ("" if language.code in SPACELESS else " "), style)


def _render_place(saved: SavedReport, console: Console) -> None:
    says = saved.language.says
    console.print()
    if saved.header.finished and saved.summary.files:
        took = say("The checks took {time} of computing time.", time=duration(saved.summary.seconds))
        console.print(Text(says(took), "dim"))
    if saved.folder is not None:
        # soft_wrap keeps the path in one piece, so that it can be copied
        console.print(Text(says(say("Report:")) + " ") + plain(saved.folder / HTML_NAME, "bold"), soft_wrap=True)


__all__ = ["DETAILED", "plain", "render", "render_file"]

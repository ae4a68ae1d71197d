"""The report on a terminal, readable at 80 and at 40 columns and without colour.

What was found stands first, in a sentence or two; then the questions, those with signs before others. Measured error
rates, minor findings and what could not be checked are one level down, under ``-v``. Everything that may come out of a
file goes through :func:`plain`: never markup, never a control character.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from nsfwforensics.core.messages import Message, as_utc, restored, say
from nsfwforensics.core.types import AnalyzerStatus, FileReport, FileStatus, Question, Severity, Support
from nsfwforensics.language import Language
from nsfwforensics.language import language as language_of
from nsfwforensics.language.catalogue import SPACELESS
from nsfwforensics.report.console.folder import NARROW, render_folder
from nsfwforensics.report.console.parts import bullet, indent, look, named, plain
from nsfwforensics.report.page.next_steps import MOST_TYPED, advise
from nsfwforensics.report.saved.folder import HTML_NAME
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.words.answers import Check, NumberedFinding, QuestionView, box_text, questions, regions
from nsfwforensics.report.words.headline import headline
from nsfwforensics.report.words.rates import rate_sentences
from nsfwforensics.report.words.text import duration, size
from nsfwforensics.report.words.wording import FINDING_SUPPORT, SEVERITY, SUPPLIED, run_notes, told

DETAILED = 1
"""Up to how many files are shown in full unless asked otherwise."""

_RAN = (AnalyzerStatus.OK, AnalyzerStatus.NOTHING_FOUND)


def render(saved: SavedReport, console: Console, *, details: bool | None = None, verbose: bool = False) -> None:
    """Prints a report, in its language.

    Args:
        saved: The report.
        console: Where to.
        details: Whether every file is shown in full; by default only the one file of a report of one.
        verbose: Whether all of it is said: error rates, minor findings, what could not be checked, more rows.
    """
    says = saved.language.says
    if details is None:
        details = saved.summary.files <= DETAILED
    for note in run_notes(saved.header):
        console.print(Text(says(say("Note:")) + " ", "bold") + plain(says(note)))
    if saved.sensitive:
        console.print(Text(says(_CARE), "bold"))
    if details:
        for file in saved.by_priority():
            render_file(file, console, saved.language, originals=saved.originals, verbose=verbose)
    if not details or saved.summary.files != 1:
        render_headline(saved.headline, console, saved.language)
        render_folder(saved, console, verbose=verbose)
    _render_place(saved, console, verbose=verbose)
    _render_next(saved, console)


_CARE = say(
    "Some of this is to be handled with care: do not copy, print or send such a picture, not even as proof. The report "
    "in HTML names hotlines and help; so does the command {command}.",
    command="nsfwforensics helplines",
)


def render_headline(sentences: Sequence[str], console: Console, language: Language) -> None:
    """Prints what a reader is told first."""
    between = "" if language.code in SPACELESS else " "
    console.print(plain(between.join(language.says(sentence) for sentence in sentences), "bold"))


def render_file(
    file: FileReport,
    console: Console,
    language: Language | None = None,
    *,
    originals: Container[str] = (),
    verbose: bool = False,
) -> None:
    """Prints one file: what was found, what it is, then the questions, those with signs first.

    Args:
        file: Its report.
        console: Where to.
        language: Of the words; English if omitted.
        originals: The names of the analyzers that compare with originals.
        verbose: Whether all of it is said.
    """
    language = language or language_of("en")
    if verbose:
        console.print(Rule(Text("")))
    console.print(named(file.info.path, "bold"))
    if file.supplied_as in SUPPLIED:
        console.print(Text(language.says(SUPPLIED[file.supplied_as])))
    render_headline(headline(file, originals), console, language)
    broken = bool(file.error) and not any(result.findings for result in file.results)
    if broken and not verbose:
        return
    for line in _identity(file, language):
        console.print(line)
    if broken and not file.results:
        return
    for number in range(len(file.notes)):
        console.print(plain(language.says(told(file, f"notes.{number}"))))
    if verbose:
        _render_all(file, console, language)
    else:
        _render_short(file, console, language)


def _render_short(file: FileReport, console: Console, language: Language) -> None:
    """The questions that were asked in this run: what carries those with signs, one line for any other."""
    views = [view for view in questions(file) if view.checks]
    for view in views:
        if view.support is Support.SUPPORTS:
            _render_signs(view, console, language)
    others = [view for view in views if view.support is not Support.SUPPORTS]
    if others and len(views) > 1 and not file.error:
        console.print()
        for view in others:
            console.print(_one_line(view, language, console.width))


def _render_signs(view: QuestionView, console: Console, language: Language) -> None:
    says = language.says
    console.print()
    console.print(Text(says(view.question.wording), "bold underline"))
    first, *rest = view.findings
    console.print(plain(says(_first_sentence(view.statement))))
    indent(_label(say("But:"), "italic", language) + plain(says(told(first.finding, "caveat"))), console)
    seen = {first.finding.title}
    least = Severity.MEDIUM if view.question is Question.ORIGIN else Severity.LOW  # of a file's origin there is much
    signs = [each for each in rest if each.finding.support is Support.SUPPORTS]
    weighty = [each for each in signs if each.finding.severity.rank >= least.rank]
    for numbered in weighty:
        if numbered.finding.title not in seen:
            bullet(plain(says(told(numbered.finding, "explanation"))), console)
            seen.add(numbered.finding.title)
    also = dict.fromkeys(says(told(each.finding, "title")) for each in rest if each.finding.title not in seen)
    if also:
        indent(_label(say("Also:"), "dim", language) + plain(language.listed(list(also), "semicolon"), "dim"), console)


def _first_sentence(statement: str) -> str:
    """What an answer says before how often such answers were wrong."""
    if isinstance(statement, Message) and statement.template == "{parts:sentences}":
        first, *_ = statement.values["parts"]
        return restored(first) if isinstance(first, Mapping) else str(first)
    return statement


def _first_reason(statement: str) -> str:
    """The first of the reasons why a question was not checked."""
    reasons = statement.values.get("reasons") if isinstance(statement, Message) else None
    if not isinstance(reasons, (list, tuple)) or not reasons:
        return statement.rstrip(".")
    return restored(reasons[0]) if isinstance(reasons[0], Mapping) else str(reasons[0])


def _one_line(view: QuestionView, language: Language, width: int) -> Text:
    """A question without a sign: inconclusive, nothing found or not checked, and why, where that fits the line."""
    says, spaceless = language.says, language.code in SPACELESS
    line = Text(says(view.short)) + Text("：" if spaceless else ": ")
    line.append(Text(says(view.badge.word).lower(), look(view.badge, "bold")))
    why = ""
    if view.support is Support.INCONCLUSIVE and view.findings and view.findings[0].finding.headline:
        why = says(told(view.findings[0].finding, "headline"))
    elif view.support is Support.NOT_CHECKED:
        why = says(_first_reason(view.statement))
    unasked = view.badge.kind == "not-applicable" and width >= NARROW  # its reason names the option that is missing
    said = plain(f"（{why}）" if spaceless else f" ({why.rstrip('.')})")
    if why and (unasked or line.cell_len + said.cell_len < width):
        line.append(said)
    return line + Text("。" if spaceless else ".")


def _render_all(file: FileReport, console: Console, language: Language) -> None:
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
        lines.append(Text(f"SHA-256 {info.sha256}", no_wrap=True, overflow="ignore"))
    if info.decoded_share is not None and info.decoded_share < 1.0:
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


def _render_place(saved: SavedReport, console: Console, *, verbose: bool) -> None:
    says = saved.language.says
    console.print()
    examined = saved.summary.files - saved.summary.by_status.get(FileStatus.SKIPPED, 0)
    if examined and not verbose:
        more = say("{option} adds error rates, every finding and what could not be checked.", option="-v")
        console.print(Text(says(more), "dim"))
    started, finished = as_utc(saved.header.started), as_utc(saved.header.finished)
    if started and finished and saved.summary.files:
        took = say("It took {time} by the clock.", time=duration((finished - started).total_seconds()))
        console.print(Text(says(took), "dim"))
    if saved.folder is not None:
        # soft_wrap keeps the path in one piece, so that it can be copied
        console.print(Text(says(say("Report:")) + " ") + plain(saved.folder / HTML_NAME, "bold"), soft_wrap=True)


def _render_next(saved: SavedReport, console: Console) -> None:
    """Prints what to do next, whole commands of it; not where one question alone was asked."""
    if len({record.question for record in saved.header.analyzers}) < 2:
        return
    says, given = saved.language.says, advise(saved)
    if given.hint:
        console.print(plain(says(given.hint)))
    for number, step in enumerate(given.typed[:MOST_TYPED]):
        label = Text(says(say("Next:")) + " " if number == 0 else "      ")
        console.print(label + plain(step.command, limit=4000), soft_wrap=True)


__all__ = ["DETAILED", "plain", "render", "render_file", "render_headline"]

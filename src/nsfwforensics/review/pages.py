"""What the browser gets: the page once, and one item after the other, in the words and templates of reports."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import ChoiceLoader, PackageLoader

from nsfwforensics.core.messages import say
from nsfwforensics.core.types import Capability, Header, Priority, Question
from nsfwforensics.language import Language
from nsfwforensics.report.page.html import of_findings
from nsfwforensics.report.page.sections import section
from nsfwforensics.report.page.templating import environment
from nsfwforensics.report.saved.report import Row
from nsfwforensics.report.words import wording
from nsfwforensics.report.words.answers import questions
from nsfwforensics.report.words.declared import Declared
from nsfwforensics.review.desk import LONGEST_NOTE, Desk, ShownItem
from nsfwforensics.review.filters import ALL, DISAGREED, LONGEST_LIST, OPEN, Filters
from nsfwforensics.review.pictures import STEPS
from nsfwforensics.store import marks
from nsfwforensics.store.marks import DECISIONS
from nsfwforensics.store.rows import Decision

KEYS: tuple[tuple[Decision, str], ...] = (
    (Decision.RELEVANT, "1"),
    (Decision.NOT_RELEVANT, "2"),
    (Decision.FALSE_POSITIVE, "3"),
    (Decision.NEEDS_REVIEW, "4"),
    (Decision.UNDECIDED, "5"),
)

_SHOWN: Mapping[str, str] = {
    OPEN: say("to be decided"),
    ALL: say("all files"),
    DISAGREED: say("two people disagree"),
}

MOST_OTHERS = 60
"""Most files of a group that are listed beside the first."""


class _Unlinked:
    """In the place of a report's glossary: this page has none."""

    def __init__(self, language: Language) -> None:
        self.link = language.says


@dataclass(frozen=True, slots=True)
class _Around:
    """What a file's section is arranged with."""

    declared: Declared
    language: Language
    originals: Container[str]
    common_folder: str = ""


class Pages:
    """Makes what the browser gets. Belongs to the desk's thread.

    Args:
        desk: Of the person who reviews.
        language: Of the page.
    """

    def __init__(self, desk: Desk, language: Language) -> None:
        self._desk = desk
        self._language = language
        self._opened = False
        self._known: tuple[Header, _Around] | None = None
        loaders = [
            PackageLoader("nsfwforensics.review", "templates"),
            PackageLoader("nsfwforensics.report.page", "templates"),
        ]
        self._environment = environment(language).overlay(loader=ChoiceLoader(loaders))

    def prepare(self) -> None:
        """Makes ready what takes longest, before anybody waits for it."""
        for name in ("review.html.j2", "item.html.j2", "end.html.j2"):
            self._environment.get_template(name)
        self._desk.prepare()

    def entering(self) -> str:
        """What stands between the printed address and the page: a browser sends the new cookie only from here."""
        return self._environment.get_template("entering.html.j2").render()

    def shell(self, csrf: str) -> str:
        """The page without an item.

        Args:
            csrf: What its script sends with every change.
        """
        if self._opened:  # loaded anew: with what came into the case since
            self._desk.start()
        self._opened = True
        info, rules = self._desk.case.info(), self._desk.rules
        shows = [(show, _SHOWN[show]) for show in (OPEN, ALL, DISAGREED)]
        shows += [(each.value, DECISIONS[each]) for each, _ in KEYS if each is not Decision.UNDECIDED]
        return self._environment.get_template("review.html.j2").render(
            csrf=csrf,
            info=info,
            rules=rules,
            keys=[(each.value, DECISIONS[each], key) for each, key in KEYS],
            shows=shows,
            priorities=[(each.value, wording.PRIORITY[each].word) for each in Priority],
            questions=[(each.value, wording.QUESTIONS[each]) for each in Question],
            longest_note=LONGEST_NOTE,
            steps=len(STEPS),
        )

    def choices(self) -> str:
        """The filters whose choices the case has to be searched for: by person, and by list of known images."""
        return self._environment.get_template("choices.html.j2").render(
            people=self._people(),
            lists=[(name, len(files)) for name, files in sorted(self._desk.lists.items()) if len(name) <= LONGEST_LIST],
        )

    def _people(self) -> list[tuple[int, int, bool]]:
        """The number of each person, on how many contents, and whether it is the one of the reference; most first."""
        found: dict[int, tuple[int, bool]] = {}
        for faces in self._desk.people.values():
            for number, reference in {(face.person, face.reference) for face in faces}:
                found[number] = found.get(number, (0, False))[0] + 1, reference
        ordered = sorted(found.items(), key=lambda each: (not each[1][1], -each[1][0], each[0]))
        return [(number, many, reference) for number, (many, reference) in ordered]

    def item(self, filters: Filters, number: int, way: int, exact: bool, fresh: bool) -> dict[str, Any]:
        """An item as the script wants it: the markup, and what goes back with a decision.

        Args:
            filters: Of the queue.
            number: From which place on.
            way: 1 forward, -1 back.
            exact: Whether the item at that very place is wanted.
            fresh: Whether the queue is made anew.
        """
        desk = self._desk
        if fresh:
            desk.start(filters)
        shown = desk.next(filters, number, way, exact=exact)
        left = desk.left(filters)
        if shown is None:
            markup = self._environment.get_template("end.html.j2").render(filters=filters, left=left)
            return {"number": None, "left": left, "html": markup}
        return {
            "number": shown.item.number,
            "left": left,
            "html": self._markup(shown),
            "file": shown.file.id,
            "contents": shown.contents,
            "earlier": shown.earlier,
            "differ": shown.differ,
            "views": [{"label": self._language.says(view.label), "over": view.lies_on} for view in shown.views],
        }

    def _markup(self, shown: ShownItem) -> str:
        around = self._around()
        made = section(shown.item.number + 1, Row(shown.report, None, ()), [], around)
        if made.look is not None:  # a report's small picture is not shown here: pictures come on request
            made = replace(made, look=replace(made.look, picture=None))
        others = [
            {
                "path": other.path,
                "priority": wording.PRIORITY[other.priority],
                "decision": DECISIONS[decision] if decision else None,
                "more": " ".join(code for code in other.findings if code not in shown.file.findings),
                "less": " ".join(code for code in shown.file.findings if code not in other.findings),
            }
            for other, decision in shown.others[:MOST_OTHERS]
        ]
        return self._environment.get_template("item.html.j2").render(
            section=made,
            shown=shown,
            others=others,
            people=sorted({(face.person, face.reference) for face in shown.people}),
            left_out=len(shown.others) - len(others),
            rules=self._desk.rules,
            glossary=_Unlinked(around.language),
            history=[(DECISIONS[mark.decision], mark) for mark in shown.history],
            dismissable=self._dismissable(shown),
            paper=False,
            **of_findings(around.language),
            NOT_SUPPLIED="not supplied",
        )

    def _around(self) -> _Around:
        """What the analyzers say of themselves, but for charts: those are for reports, and take a third of the time."""
        header = self._desk.header
        if self._known is None or self._known[0] is not header:
            found = Declared.of(header)
            language = self._language.also(found.messages.get(self._language.code, {}))
            plain = {name: record.model_copy(update={"charts": ()}) for name, record in found.records.items()}
            self._known = header, _Around(Declared(plain), language, header.providing(Capability.ORIGINALS))
        return self._known[1]

    def _dismissable(self, shown: ShownItem) -> list[dict[str, Any]]:
        """The findings that can be set aside, or count again, each code once."""
        set_aside = set() if self._desk.rules.blind else set(shown.file.dismissed)
        found: dict[str, str] = {}
        for view in questions(shown.report):
            for numbered in view.findings:
                if numbered.finding.code != marks.MARKED:
                    found.setdefault(numbered.finding.code, wording.told(numbered.finding, "title"))
        return [{"code": code, "title": title, "set_aside": code in set_aside} for code, title in found.items()]

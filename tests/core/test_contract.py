"""The contract refuses an analyzer that does not speak for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from nsfwforensics import Analyzer, AnalyzerContract, Code, Evidence, Figure, Outcome, Question, Scale, Severity, say
from nsfwforensics.core.types import Finding


class Whole(Analyzer):
    """Measures one thing."""

    name = "whole"
    version = "1"
    title = "whole"
    question = Question.ALTERATION
    codes: ClassVar[Mapping[str, Code]] = {"WHOLE-001": Code(say("seen"), Severity.LOW, say("may be wrong"))}
    figures: ClassVar[Any] = {"size": say("size"), "state": Figure(say("state"), {"a": say("as it was")})}

    def examine(self, evidence: Evidence) -> Outcome:
        found: Finding = self.finding("WHOLE-001", say("It was seen."), data={"state": "a"})
        return Outcome.of([found], {"size": evidence.size})


class Contract(AnalyzerContract):
    """Not collected by pytest, which looks for ``Test``."""


def holds(analyzer: type[Analyzer]) -> None:
    contract = type("Of", (Contract,), {"analyzer": analyzer})()
    contract.test_it_describes_itself()
    contract.test_what_is_shown_of_it_can_be_said_in_other_languages()
    contract.test_it_copes_with_every_kind_of_picture("plain.jpg")


def changed(**attributes: Any) -> type[Analyzer]:
    return type("Changed", (Whole,), {"__doc__": "Another.", "__module__": Whole.__module__, **attributes})


def test_an_analyzer_that_speaks_for_itself_passes() -> None:
    holds(Whole)


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"figures": {"size": say("size")}}, "without a name: state"),
        ({"figures": {"state": say("state")}}, "without a name: size"),
        ({"figures": Whole.figures | {"size": ""}}, "size has an empty name"),
        ({"figures": Whole.figures | {"size": "{many}"}}, "values in it"),
        (
            {"charts": (Scale(codes=("OTHER-001",), title="t", unit="u", marks=(), ends=(0.0, 1.0)),)},
            "a chart for OTHER-001",
        ),
    ],
)
def test_one_that_does_not_fails(attributes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        holds(changed(**attributes))

"""Which files of a case a reviewer wants to be shown, as a browser asks for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nsfwforensics.core.messages import say
from nsfwforensics.core.types import Priority, Question
from nsfwforensics.errors import UsageError
from nsfwforensics.store.rows import Decision

OPEN, ALL, DISAGREED = "open", "all", "disagreed"
"""What a queue may hold besides the files of one decision."""

SHOWS = (OPEN, ALL, DISAGREED, *(decision.value for decision in Decision if decision is not Decision.UNDECIDED))

LONGEST_LIST = 300
"""Most characters of the name of a list."""

CODE = re.compile(r"[A-Z][A-Z0-9]{1,9}-[0-9]{3}")
"""How the code of a finding is spelled."""

_NUMBER = re.compile(r"[1-9][0-9]{0,6}")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which files a queue holds.

    Attributes:
        show: One of :data:`SHOWS`.
        priority: Of this priority only.
        question: With a sign, or what may be one, for this question only.
        code: With a finding of this code only.
        groups: Only what stands for several files.
        person: With a face that was joined to this person; 0 for any file.
        listed: On the list of known images of this name.
    """

    show: str = OPEN
    priority: Priority | None = None
    question: Question | None = None
    code: str = ""
    groups: bool = False
    person: int = 0
    listed: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Filters:
        """From text that a browser sent.

        Raises:
            UsageError: There is no such filter.
        """
        try:
            show, code = given.get("show") or OPEN, given.get("code", "").strip().upper()
            if show not in SHOWS or (code and not CODE.fullmatch(code)):
                raise ValueError
            person, listed = given.get("person", ""), given.get("list", "")
            if (person and not _NUMBER.fullmatch(person)) or len(listed) > LONGEST_LIST:
                raise ValueError
            return cls(
                show,
                Priority(given["priority"]) if given.get("priority") else None,
                Question(given["question"]) if given.get("question") else None,
                code,
                bool(given.get("groups")),
                int(person or 0),
                listed,
            )
        except ValueError:
            raise UsageError(say("there is no such filter")) from None

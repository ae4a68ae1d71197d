"""One process, one file after the other; the device stage serves several files at once where there is a device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nsfwforensics.core.discover import Target
from nsfwforensics.core.draft import Draft
from nsfwforensics.core.plan import Plan
from nsfwforensics.core.types import FileReport
from nsfwforensics.execution.base import BATCH_FILES


class InlineEngine:
    """Runs the plan in this process."""

    name = "inline"

    def run(self, plan: Plan, targets: Iterable[Target]) -> Iterator[FileReport]:
        """See :class:`nsfwforensics.execution.base.Engine`."""
        size = 1 if plan.spec.resources.device == "cpu" else BATCH_FILES
        waiting: list[Draft] = []
        for target in targets:
            waiting.append(plan.examine_file(target))
            if len(waiting) >= size:
                yield from plan.infer(waiting)
                waiting = []
        yield from plan.infer(waiting)

    def ready(self) -> bool:
        """Never: whoever asks for the next report waits until it is made."""
        return False

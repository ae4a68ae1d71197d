"""What a method that looks for traces of editing is, what it can find, and where in the picture, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.error_rates import Counted, counted, error_rate
from nsfwforensics.core.messages import Message, say, sentences
from nsfwforensics.core.types import Severity, Support

if TYPE_CHECKING:
    from nsfwforensics.analyzers.traces.picture import StoredPicture
    from nsfwforensics.signals.traces.trace import Trace, TraceRegion


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """False alarms measured: pictures that nobody edited in which the method pointed at something, of how many.

    Attributes:
        untouched: Camera originals, (alarms, pictures).
        resaved: Reduced and saved again once or twice as messengers do, (alarms, pictures).
    """

    untouched: Counted
    resaved: Counted

    @classmethod
    def of(cls, name: str) -> FalseAlarms:
        """Those that were counted.

        Args:
            name: Of the method or of what it found, as ``data/measured.toml`` has it.
        """
        return cls(counted(f"{name}_untouched"), counted(f"{name}_resaved"))

    @property
    def words(self) -> str:
        """As a sentence."""
        return say(
            "In tests it pointed at something in {untouched_alarms} of {untouched} untouched photographs and in "
            "{resaved_alarms} of {resaved} that were only reduced and saved again.",
            untouched_alarms=self.untouched.errors,
            untouched=self.untouched.trials,
            resaved_alarms=self.resaved.errors,
            resaved=self.resaved.trials,
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding that a method can make.

    Attributes:
        code: Of the finding.
        title: In a few words.
        severity: How much it matters if it is right.
        support: What it says to "has it been edited?".
        explanation: Makes one sentence for a person who is no expert, of the ``place`` of a region, or of the figures
            of a trace.
        causes: What else leads to it.
        rates: False alarms measured, or None where they were not.
        kind: The ``kind`` in a region's data that makes it, or None for any region.
        whole: The entry of a trace's data that makes it, for findings about the whole picture.
        missing: False alarms measured on files that are no JPEG, (alarms, files).
    """

    code: str
    title: str
    severity: Severity
    support: Support
    explanation: Callable[..., Message]
    causes: str
    rates: FalseAlarms | None = None
    kind: str | None = None
    whole: str | None = None
    missing: Counted | None = None

    @property
    def error_rates(self) -> tuple[Mapping[str, Any], ...]:
        """The false alarms, for a finding's data."""
        found = []
        if self.rates:
            found = [
                error_rate(say("untouched photographs in which it pointed at something"), *self.rates.untouched),
                error_rate(
                    say("photographs only reduced and saved again in which it pointed at something"),
                    *self.rates.resaved,
                ),
            ]
        if self.missing:
            what = say("files that are no JPEG, of unedited photographs, in which it pointed at something")
            found.append(error_rate(what, *self.missing))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Attributes:
        name: As it is asked for and reported.
        title: What it looks at, in a few words.
        source: Where it is published.
        run: Runs it; the trace is in pixels of the picture as stored.
        destroyed_by: What removes the trace.
        audience: For whom it is useful.
        kinds: The findings it can make; none for a method that only draws a map.
    """

    name: str
    title: str
    source: str
    run: Callable[[StoredPicture], Trace]
    destroyed_by: str
    audience: str
    kinds: tuple[Kind, ...] = ()

    @property
    def maps_only(self) -> bool:
        """Whether it only draws maps, because its false alarms are not known to be rare."""
        return not self.kinds

    def caveat(self, kind: Kind) -> str:
        """What would make a finding wrong, how often it was, and what its absence means."""
        gone = say(
            "{what} removes this trace, so a picture without it is no more and no less genuine.",
            what=self.destroyed_by,
        )
        return sentences(kind.causes, kind.rates.words if kind.rates else "", gone)


_PLACES = (
    (say("at the top on the left"), say("at the top in the middle"), say("at the top on the right")),
    (say("on the left"), say("in the middle"), say("on the right")),
    (say("at the bottom on the left"), say("at the bottom in the middle"), say("at the bottom on the right")),
)


def place(region: TraceRegion, size: tuple[int, int]) -> Message:
    """Where a region lies, in words: position and share of the picture."""
    across, down = region.x + region.width / 2, region.y + region.height / 2
    where = _PLACES[min(2, int(3 * down / max(size[1], 1)))][min(2, int(3 * across / max(size[0], 1)))]
    share = region.width * region.height / max(size[0] * size[1], 1)
    if share < 0.01:
        return say("{where} (less than 1 % of the picture)", where=where)
    return say("{where} (about {percent:.0f} % of the picture)", where=where, percent=100 * share)


def figures(method: Method, trace: Trace) -> dict[str, Any]:
    """What the report keeps of a trace as measurements."""
    if trace.reason is not None:
        return {"not_judged": trace.reason}
    kept: dict[str, Any] = {"score": round(float(trace.score), 4), "regions": len(trace.regions), **trace.data}
    return kept if not method.maps_only else {**kept, "map_only": True}

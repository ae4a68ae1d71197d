"""What figures are called: analyzers name the keys of their data and say what codes in it mean.

The names stand in the report's header, so that a report is shown without the analyzer that measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from nsfwforensics.core.messages import say


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of which more is to be said than its name.

    Attributes:
        name: What it is called, in lower case unless it is a name.
        words: What its values, or the keys inside it, mean, where they are codes: words by code.
        verbatim: Whether what lies inside it is named by the file, and is shown as it stands.
    """

    name: str
    words: Mapping[str, str] = field(default_factory=dict)
    verbatim: bool = False


Figures = Mapping[str, "str | Figure"]
"""Figures by key: a name, or a :class:`Figure`."""

COMMON: Figures = MappingProxyType(
    {
        "error_rates": say("error rates"),
        "what": say("what"),
        "conditions": say("conditions"),
        "errors": say("errors"),
        "trials": say("trials"),
        "rate": say("rate"),
        "upper": say("95 % upper bound"),
        "distribution": say("measured distribution"),
        "start": say("start"),
        "step": say("step"),
        "groups": say("groups"),
        "pictures": say("further pictures in the file"),
        "picture": say("which picture"),
        "place_in_picture": say("place in that picture (x, y, width, height)"),
        "max_frames": say("most further pictures examined"),
        "max_bytes": say("largest file, in bytes"),
        "max_memory": say("most memory, in bytes"),
        "max_pixels": say("largest picture, in pixels"),
        "max_seconds": say("longest time, in seconds"),
    }
)
"""Figures that need no declaration: error rates, measured distributions, the limits of a run."""


def names_of(figures: Figures) -> dict[str, str]:
    """The names of figures, by key, as a report's header keeps them."""
    return {key: figure.name if isinstance(figure, Figure) else figure for key, figure in figures.items()}


def words_of(figures: Figures) -> dict[str, dict[str, str]]:
    """What codes mean, by key and code; keys without codes are left out."""
    return {key: dict(figure.words) for key, figure in figures.items() if isinstance(figure, Figure) and figure.words}


def verbatim_of(figures: Figures) -> tuple[str, ...]:
    """The keys whose inner keys are shown as they stand."""
    return tuple(key for key, figure in figures.items() if isinstance(figure, Figure) and figure.verbatim)


def unnamed(value: object, figures: Figures) -> Iterator[str]:
    """The keys in measured values that have no name.

    Args:
        value: What was measured: mappings and lists of JSON values.
        figures: What the analyzer declares.
    """
    known = figures.keys() | COMMON.keys()
    words, verbatim = words_of(figures), verbatim_of(figures)
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        parent, item = waiting.pop()
        if isinstance(item, Mapping):
            inside = words.get(parent, {})
            yield from (str(key) for key in item if key not in known and key not in inside)
            waiting += [(str(key), inner) for key, inner in item.items() if key not in verbatim]
        elif isinstance(item, (list, tuple)):
            waiting += [(parent, inner) for inner in item]

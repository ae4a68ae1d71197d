"""Finding analyzers through entry points, and saying where each came from.

Ours and a third party's register in the same group. Third-party code runs only when it was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from nsfwforensics.core.analyzer import BaseAnalyzer
from nsfwforensics.errors import ForensicsError, UsageError

GROUP = "nsfwforensics.analyzers"
BUILT_IN = "built-in"
DISTRIBUTION = "nsfwforensics"

ORDER = (
    "provenance",
    "watermark",
    "metadata",
    "deepfake",
    "jpeg",
    "traces",
    "compare",
    "faces",
    "phash",
    "known",
    "intimate",
)
"""Built-in analyzers in the order of the questions they answer; others follow by name.

Of equally strong findings the earlier analyzer's leads the answer: what a file says about its origin outright stands
before what its other metadata lets one infer.
"""


@dataclass(frozen=True, slots=True)
class Registration:
    """One analyzer that is installed, not necessarily loaded.

    Attributes:
        name: The entry point's name.
        origin: ``built-in``, or the name and version of the package it came with.
        entry: Where its class is.
    """

    name: str
    origin: str
    entry: EntryPoint

    @property
    def built_in(self) -> bool:
        """Whether it is part of this package."""
        return self.origin == BUILT_IN

    def load(self) -> type[BaseAnalyzer]:
        """Imports the analyzer's module.

        Raises:
            ForensicsError: It cannot be imported, or is no analyzer, or has another name than its entry point.
        """
        try:
            loaded = self.entry.load()
        except Exception as error:  # a third party's module may raise anything on import
            raise ForensicsError(f"analyzer {self.name} ({self.origin}) cannot be loaded: {error}") from error
        if not (isinstance(loaded, type) and issubclass(loaded, BaseAnalyzer)):
            raise ForensicsError(f"entry point {self.name} ({self.origin}) is not an analyzer class")
        if loaded.name != self.name:
            raise ForensicsError(f"analyzer {loaded.name!r} is registered as {self.name!r} ({self.origin})")
        return loaded


@cache
def installed() -> tuple[Registration, ...]:
    """All registered analyzers, built-in ones first, each name once; ours cannot be replaced."""
    found: dict[str, Registration] = {}
    for entry in entry_points(group=GROUP):
        distribution = entry.dist
        name = distribution.name if distribution else "unknown package"
        ours = name == DISTRIBUTION
        origin = BUILT_IN if ours else f"{name} {distribution.version if distribution else ''}".strip()
        if ours or entry.name not in found:
            found[entry.name] = Registration(entry.name, origin, entry)

    def place(registration: Registration) -> tuple[bool, int, str]:
        rank = ORDER.index(registration.name) if registration.name in ORDER else len(ORDER)
        return (not registration.built_in, rank, registration.name)

    return tuple(sorted(found.values(), key=place))


def select(
    only: Sequence[str] | None = None, skip: Sequence[str] = (), *, allow_plugins: bool = False
) -> tuple[Registration, ...]:
    """Chooses analyzers by name.

    Args:
        only: Names to keep; all if None.
        skip: Names to leave out.
        allow_plugins: Whether third-party analyzers may be chosen.

    Raises:
        UsageError: A name is unknown, or names a third-party analyzer while plugins are not allowed.
    """
    known = {registration.name: registration for registration in installed()}
    for name in (*(only or ()), *skip):
        if name not in known:
            raise UsageError(f"no analyzer named {name!r}; there are: {', '.join(known)}")
        if not known[name].built_in and not allow_plugins and name not in skip:
            raise UsageError(f"{name!r} comes from {known[name].origin}; add --allow-plugins to run it")
    return tuple(
        registration
        for registration in known.values()
        if (only is None or registration.name in only)
        and registration.name not in skip
        and (registration.built_in or allow_plugins)
    )

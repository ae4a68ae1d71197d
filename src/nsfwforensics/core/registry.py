"""Finding analyzers and their commands through entry points, and saying where each came from.

Ours and a third party's register in the same group. Third-party code runs only when it was asked for. Listing what is
there loads no analyzer, so that help is instant.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec
from typing import TYPE_CHECKING

from nsfwforensics.core import installation
from nsfwforensics.core.command import Command
from nsfwforensics.core.failure import reason_of
from nsfwforensics.errors import ForensicsError, UsageError

if TYPE_CHECKING:
    from nsfwforensics.core.analyzer import BaseAnalyzer
    from nsfwforensics.core.vocabulary import Capability

GROUP = "nsfwforensics.analyzers"
BUILT_IN = "built-in"


REQUIRED = ("name", "version", "title", "question", "codes")
"""What every analyzer class declares; everything else has a default."""


@dataclass(frozen=True, slots=True)
class Registration:
    """One analyzer that is installed, not necessarily loaded.

    Attributes:
        name: The entry point's name.
        origin: ``built-in``, or the name and version of the package it came with.
        entry: Where its class is.
        built_in: Whether it is part of this package.
    """

    name: str
    origin: str
    entry: EntryPoint
    built_in: bool

    def load(self) -> type[BaseAnalyzer]:
        """Imports the analyzer's module.

        Raises:
            ForensicsError: It cannot be imported, is no analyzer, declares too little, or has another name than its
                entry point.
        """
        from nsfwforensics.core.analyzer import BaseAnalyzer

        try:
            loaded = self.entry.load()
        except (Exception, SystemExit) as error:  # a third party's module may raise anything on import
            problem = f"analyzer {self.name} ({self.origin}) cannot be loaded: {reason_of(error)}"
            raise ForensicsError(problem) from error
        if not (isinstance(loaded, type) and issubclass(loaded, BaseAnalyzer)):
            raise ForensicsError(f"entry point {self.name} ({self.origin}) is not an analyzer class")
        if missing := [declared for declared in REQUIRED if not hasattr(loaded, declared)]:
            raise ForensicsError(f"analyzer {self.name} ({self.origin}) does not declare its {', '.join(missing)}")
        if loaded.name != self.name:
            raise ForensicsError(f"analyzer {loaded.name!r} is registered as {self.name!r} ({self.origin})")
        return loaded


@cache
def installed() -> tuple[Registration, ...]:
    """All registered analyzers by name, built-in ones first, each name once; ours cannot be replaced."""
    found: dict[str, Registration] = {}
    for package in distributions():  # each of them: of several with one name, asking by name shows the first alone
        for entry in package.entry_points.select(group=GROUP):
            ours = installation.is_own(entry)
            if ours or entry.name not in found:
                origin = BUILT_IN if ours else _origin(package)
                found[entry.name] = Registration(entry.name, origin, entry, ours)

    return tuple(sorted(found.values(), key=lambda registration: (not registration.built_in, registration.name)))


def in_order(registrations: Iterable[Registration]) -> tuple[Registration, ...]:
    """Analyzers in the order that they ask for: built-in ones first, of one place by name. Loads them."""
    return tuple(sorted(registrations, key=lambda each: (not each.built_in, each.load().place, each.name)))


def built_in() -> tuple[Registration, ...]:
    """The analyzers of this package in their order."""
    return in_order(registration for registration in installed() if registration.built_in)


def listed() -> tuple[Registration, ...]:
    """All registered analyzers as lists show them: ours in their order, then third parties', which are not loaded."""
    return (*built_in(), *(registration for registration in installed() if not registration.built_in))


def providing(capability: Capability) -> tuple[str, ...]:
    """The names of the built-in analyzers that may be asked for something."""
    return tuple(each.name for each in built_in() if capability in each.load().provides)


def commands(*, allow_plugins: bool = False) -> dict[str, dict[str, Command]]:
    """The commands that analyzers bring, by name, and what each analyzer that shares one says of it.

    Args:
        allow_plugins: Whether third parties are asked too, which runs their code.
    """
    own = installation.distribution()
    entries = [] if own is None else list(own.entry_points.select(group=GROUP))
    if allow_plugins:
        ours = {entry.name for entry in entries}
        entries += [registration.entry for registration in installed() if registration.name not in ours]
    found: dict[str, dict[str, Command]] = {}
    for entry in entries:
        command = _command_beside(entry.module)
        if command is not None:
            found.setdefault(command.name, {})[entry.name] = command
    return found


def help_of(shares: Mapping[str, Command]) -> str:
    """The line of help of a command that some analyzers share."""
    return " ".join(dict.fromkeys(command.help for command in shares.values()))


def _command_beside(module: str) -> Command | None:
    """What ``command.py`` in the package of an analyzer's module holds."""
    package = module.rpartition(".")[0]
    try:
        if not package or find_spec(f"{package}.command") is None:
            return None
        command = getattr(import_module(f"{package}.command"), "COMMAND", None)
    except (Exception, SystemExit):  # noqa: BLE001 - a third party may raise anything; running its analyzer says what
        return None
    return command if isinstance(command, Command) else None


def _origin(package: Distribution) -> str:
    """A third party's package by name and version, in words that are never those for our own."""
    name, version = package.metadata["Name"] or "unknown package", package.metadata["Version"] or "without a version"
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))
    alike = letters in (installation.NAME, "".join(filter(str.isalnum, BUILT_IN)))
    return f"{name} {version}, another package of that name" if alike else f"{name} {version}"


def select(
    only: Sequence[str] | None = None, skip: Sequence[str] = (), *, allow_plugins: bool = False
) -> tuple[Registration, ...]:
    """Chooses analyzers by name, and puts them in their order.

    Args:
        only: Names to keep; all if None.
        skip: Names to leave out.
        allow_plugins: Whether third-party analyzers may be chosen.

    Raises:
        UsageError: A name is unknown, or names a third-party analyzer while plugins are not allowed.
        ForensicsError: A chosen one cannot be loaded.
    """
    known = {registration.name: registration for registration in installed()}
    for name in (*(only or ()), *skip):
        if name not in known:
            raise UsageError(f"no analyzer named {name!r}; there are: {', '.join(known)}")
        if not known[name].built_in and not allow_plugins and name not in skip:
            raise UsageError(f"{name!r} comes from {known[name].origin}; add --allow-plugins to run it")
    return in_order(
        registration
        for registration in known.values()
        if (only is None or registration.name in only)
        and registration.name not in skip
        and (registration.built_in or allow_plugins)
    )

"""What to examine and how, and the plan that is made of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nsfwforensics.core.analyzer import BaseAnalyzer, Resources, flag
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.registry import Registration, installed
from nsfwforensics.errors import UsageError
from nsfwforensics.execution.prepare import prepared_apart, warm_up_for
from nsfwforensics.formats.pictures import look_inside
from nsfwforensics.settings import Settings


@dataclass(frozen=True, slots=True)
class Request:
    """What to examine and how.

    Attributes:
        paths: Files and folders.
        only: Names of the analyzers to run; all built-in ones if None.
        skip: Names of analyzers to leave out.
        options: Options by analyzer name, over those of ``settings``.
        settings: Device, jobs, limits, operator, what pictures of the evidence may be made.
        quick: Whether the run ends after the first look, that of the analyzers which are quick.
        allow_plugins: Whether third-party analyzers run too.
        exclude: The folder that the report is written to: it may not lie in what is read, nor that in it.
        case: A case database to scan into, made where there is none, and not in a folder that is read. Files that it
            has under the same plan are not examined again; without ``paths``, the files that it holds are examined.
        command: The command line, for the report's header.
    """

    paths: Sequence[Path]
    only: Sequence[str] | None = None
    skip: Sequence[str] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    quick: bool = False
    allow_plugins: bool = False
    exclude: Path | None = None
    case: Path | None = None
    command: str = "nsfwforensics.scan()"


def _merged_options(request: Request, chosen: Sequence[Registration]) -> dict[str, dict[str, Any]]:
    """Lays the request's options over the settings', and refuses sections of analyzers that do not exist."""
    known = {registration.name for registration in installed()}
    for name in (*request.settings.analyzers, *request.options):
        if name not in known:
            raise UsageError(f"options for {name!r}, and there is no such analyzer")
    return {
        registration.name: {
            **request.settings.analyzers.get(registration.name, {}),
            **request.options.get(registration.name, {}),
        }
        for registration in chosen
    }


def _taking_part(chosen: Sequence[Registration], options: Mapping[str, Mapping[str, Any]]) -> Sequence[Registration]:
    """The analyzers without those that nothing asks for, and without those that others stand in for."""

    def told(registration: Registration) -> bool:
        return any(value not in (None, False, (), []) for value in options[registration.name].values())

    asked = {each.name for each in chosen if any(options[each.name].get(name) for name in each.load().asked_by)}
    instead = {capability for each in chosen if each.name in asked for capability in each.load().provides}
    return [
        each
        for each in chosen
        if each.name in asked or (not each.load().asked_by and (told(each) or not instead & each.load().provides))
    ] or chosen


def inputs(request: Request) -> Iterator[Path]:
    """Every file and folder that is read for a request: evidence, and what options name to compare it with.

    Analyzers need not be loaded for this: every text among their options may be a path. What is not there does no harm.
    """
    yield from request.paths
    for options in (*request.settings.analyzers.values(), *request.options.values()):
        for value in options.values():
            named = value if isinstance(value, list | tuple) else (value,)
            yield from (Path(item) for item in named if isinstance(item, str | Path))


def _refuse_own_case(
    case: Path, classes: Iterable[type[BaseAnalyzer]], options: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuses to read a case while it is written: it changes with every file, so nothing would count as done.

    Raises:
        UsageError: An option names the case.
    """
    for analyzer in classes:
        for name, value in options[analyzer.name].items():
            for item in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(item, (str, Path)) and os.path.realpath(item) == os.path.realpath(case):
                    raise UsageError(
                        f"{flag(analyzer, name)} names the case that this scan writes to; look up another case, or "
                        "scan into another"
                    )


def prepared(request: Request, chosen: Sequence[Registration]) -> Plan:
    """The plan with what analyzers enrolled; where files are examined apart, what enrolment reads is read apart too.

    Args:
        request: What to examine and how.
        chosen: The analyzers to run.

    Raises:
        UsageError: The options name something that does not exist, or a reference cannot be enrolled.
        MissingDependencyError: A device asked for by name is missing.
    """
    settings = request.settings
    complete = _is_complete(chosen)
    options = _merged_options(request, chosen)
    chosen = _taking_part(chosen, options)
    classes = [registration.load() for registration in chosen]
    device = settings.device if any(loaded.needs_device for loaded in classes) else None
    apart = settings.isolate and settings.engine != "inline"
    if request.case is not None:
        _refuse_own_case(request.case, classes, options)
    spec = PlanSpec(
        analyzers=tuple(registration.name for registration in chosen),
        options={name: options[name] for name in (registration.name for registration in chosen)},
        limits=settings.limits,
        resources=Resources(
            weights=settings.weights,
            thumbnails=settings.thumbnails and not settings.sensitive,
            sensitive=settings.sensitive,
            isolated=apart and not settings.uses_ray,
            few=_one_file(request.paths),
        ),
        complete=complete,
        inside=look_inside,
    )
    if apart:
        many = () if _one_file(request.paths) else classes
        warm_up_for(
            classes, [name for each in many for name in each.heavy_modules(options[each.name], settings.device)]
        )
        return prepared_apart(spec, device)
    if device is not None:  # only where one is needed: finding it imports torch
        from nsfwforensics.models.device import resolve_device

        spec = replace(spec, resources=replace(spec.resources, device=resolve_device(device)))
    return Plan.prepared(spec)


def _one_file(paths: Sequence[Path]) -> bool:
    return len(paths) == 1 and paths[0].is_file()


def _is_complete(chosen: Sequence[Registration]) -> bool:
    names = {registration.name for registration in chosen}
    return all(registration.name in names for registration in installed() if registration.built_in)

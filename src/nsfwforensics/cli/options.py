"""Command-line options of analysing commands: the common ones, and those that analyzers' ``Options`` become."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nsfwforensics.cli.commands import ALLOW_PLUGINS
from nsfwforensics.core.analyzer import BaseAnalyzer, flag, kept_in_case
from nsfwforensics.core.registry import select
from nsfwforensics.core.vocabulary import Reader


class FailOn(StrEnum):
    """Triage priorities that ``--fail-on`` accepts."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class EngineName(StrEnum):
    """Engines that ``--engine`` accepts."""

    AUTO = "auto"
    INLINE = "inline"
    POOL = "pool"
    RAY = "ray"


class PaperName(StrEnum):
    """Sizes that ``--paper`` accepts."""

    A4 = "a4"
    LETTER = "letter"


REPORT = "Report"
READING = "Reading"
RUNNING = "Running"

Parameter = tuple[Any, Any]
"""An annotated type that Typer reads, and the default value."""


def option(kind: Any, default: Any, *flags: str, text: str, panel: str, **more: Any) -> Parameter:
    """One command-line option: its type, default, flags, help text and help panel."""
    return Annotated[kind, typer.Option(*flags, help=text, rich_help_panel=panel, **more)], default


_COUNT = {"min": 1}
LANGUAGE_HELP = "Language of the report for people: en (default) or ja; JSON and CSV stay English."
_PATHS_HELP = "Files and folders; - reads paths from standard input."

Lang = Annotated[str | None, typer.Option("--lang", help=LANGUAGE_HELP, show_default=False)]
"""``--lang`` of commands that are no analysing ones."""

For = Annotated[
    Reader | None,
    typer.Option("--for", help="Whom the report's advice is for (default: anyone).", show_default=False),
]
"""``--for`` of commands that are no analysing ones."""

COMMON: Mapping[str, Parameter] = {
    "paths": (
        Annotated[list[Path], typer.Argument(help=_PATHS_HELP, show_default=False)],
        inspect.Parameter.empty,
    ),
    "output": option(Path | None, None, "--output", "-o", text="Write the report into this folder.", panel=REPORT),
    "as_json": option(bool, False, "--json", text="Print the report as JSON on standard output.", panel=REPORT),
    "thumbnails": option(
        bool,
        False,
        "--thumbnails",
        text="Put small pictures of the evidence into the HTML, blurred until clicked.",
        panel=REPORT,
    ),
    "sensitive": option(
        bool,
        False,
        "--sensitive",
        text="Handle every file with care: no thumbnails, maps or other pictures of it; the report shows hotlines.",
        panel=REPORT,
    ),
    "lang": option(str | None, None, "--lang", text=LANGUAGE_HELP, panel=REPORT),
    "reader": option(
        Reader | None, None, "--for", text="Whom the report's advice is for (default: anyone).", panel=REPORT
    ),
    "pdf": option(bool, False, "--pdf", text="Write report.pdf into the folder too (extra: pdf).", panel=REPORT),
    "paper": option(PaperName | None, None, "--paper", text="Paper of the PDF: a4 (default) or letter.", panel=REPORT),
    "operator": option(str | None, None, "--operator", text="Who examines; printed in the report.", panel=REPORT),
    "fail_on": option(
        FailOn | None,
        None,
        "--fail-on",
        text="Exit with 5 when a file has this triage priority or a higher one.",
        panel=REPORT,
    ),
    "quiet": option(bool, False, "--quiet", "-q", text="No progress bar and no summary.", panel=REPORT),
    "max_pixels": option(
        int | None,
        None,
        "--max-pixels",
        text="Largest picture to decode, in pixels (default 220 million).",
        panel=READING,
        **_COUNT,
    ),
    "max_frames": option(
        int | None,
        None,
        "--max-frames",
        text="Most further pictures of one file (frames, pages, previews) to examine (default 16).",
        panel=READING,
        min=0,
    ),
    "max_bytes": option(
        int | None,
        None,
        "--max-bytes",
        text="Largest file to read, in bytes (default 512 MiB).",
        panel=READING,
        **_COUNT,
    ),
    "max_seconds": option(
        float | None,
        None,
        "--max-seconds",
        text="Longest time for one file in a worker process (default 300; 0 for no limit).",
        panel=READING,
        min=0,
    ),
    "max_memory": option(
        int | None,
        None,
        "--max-memory",
        text="Most memory for one worker process, in bytes (default 6 GiB; 0 for no limit; Linux).",
        panel=READING,
        min=0,
    ),
    "follow_symlinks": option(bool, False, "--follow-symlinks", text="Follow symbolic links.", panel=READING),
    "device": option(
        str | None,
        None,
        "--device",
        text="auto, cpu, cuda, cuda:N or mps. A device named here must exist.",
        panel=RUNNING,
    ),
    "jobs": option(
        int | None,
        None,
        "--jobs",
        "-j",
        text="Worker processes; 0 chooses by files and cores (default).",
        panel=RUNNING,
        min=0,
    ),
    "engine": option(
        EngineName | None,
        None,
        "--engine",
        text="What runs the workers: inline, pool or ray; auto chooses by files and cores (default).",
        panel=RUNNING,
    ),
    "isolate": option(
        bool | None,
        None,
        "--isolate/--no-isolate",
        text="Read files in confined worker processes, a single one too (default), or in this one.",
        panel=RUNNING,
    ),
    "ray_address": option(
        str | None,
        None,
        "--ray-address",
        text="A running Ray cluster (auto, host:port, ray://host:port) whose machines see the same paths.",
        panel=RUNNING,
    ),
    "weights": option(
        Path | None, None, "--weights", text="Look for model weights in this folder first.", panel=RUNNING
    ),
    "config": option(Path | None, None, "--config", text="Read settings from this TOML file.", panel=RUNNING),
}

SELECTION: Mapping[str, Parameter] = {
    "only": option(list[str] | None, None, "--only", text="Run only this analyzer; may be repeated.", panel=RUNNING),
    "skip": option(list[str] | None, None, "--skip", text="Leave this analyzer out; may be repeated.", panel=RUNNING),
    "allow_plugins": option(bool, False, ALLOW_PLUGINS, text="Run third-party analyzers too.", panel=RUNNING),
}


def command(
    handler: Callable[[dict[str, Any], dict[str, dict[str, Any]]], None],
    preset: Sequence[str] | None,
    extra: Mapping[str, Parameter] | None = None,
    *,
    leading: Mapping[str, Parameter] | None = None,
    fixed: Sequence[str] = (),
    allow_plugins: bool = False,
) -> Callable[..., None]:
    """Makes the function behind an analysing command.

    Args:
        handler: Called with the values of the common options and, by analyzer, those that the user set.
        preset: The analyzers of the command; None for all, which adds ``--only``, ``--skip`` and ``--allow-plugins``.
        extra: Further options, as in :data:`COMMON`.
        leading: Arguments that stand before the paths.
        fixed: Analyzers' options that the command sets itself, as ``analyzer__name``.
        allow_plugins: Whether third-party analyzers have their say too.

    Returns:
        A function whose signature Typer can read.
    """
    own = dict(leading or {}) | dict(COMMON) | (dict(SELECTION) if preset is None else {}) | dict(extra or {})
    classes = [registration.load() for registration in select(preset, allow_plugins=allow_plugins)]
    theirs = {
        key: (annotation, None)
        for analyzer in classes
        for name, annotation in _flags(analyzer)
        if (key := f"{analyzer.name}__{name}") not in fixed and ("case" in own or not kept_in_case(analyzer, name))
    }

    def run(**values: Any) -> None:
        options: dict[str, dict[str, Any]] = {}
        for key in theirs:
            value = values.pop(key)
            if value not in (None, []):
                analyzer, _, name = key.partition("__")
                options.setdefault(analyzer, {})[name] = value
        values["allow_plugins"] = allow_plugins or values.get("allow_plugins", False)
        handler(values, options)

    parameters = own | theirs
    run.__annotations__ = {name: annotation for name, (annotation, _) in parameters.items()}
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in parameters.items()
        ]
    )
    return run


def _flags(analyzer: type[BaseAnalyzer]) -> Iterator[tuple[str, Any]]:
    """Turns the fields of an analyzer's options into annotated Typer options, unset by default."""
    for name, info in analyzer.Options.model_fields.items():
        called = flag(analyzer, name)
        if info.annotation is bool:
            called = f"{called}/--no-{called.removeprefix('--')}"
        help_text = (info.description or "").rstrip(".")
        if not info.is_required() and info.default not in (None, ()):
            help_text += f" (default {getattr(info.default, 'value', info.default)})"
        panel = f"{analyzer.name}: {analyzer.help or analyzer.title}"
        option = typer.Option(called, help=help_text, show_default=False, rich_help_panel=panel)
        yield name, Annotated[_settable(info.annotation), option]


def _settable(annotation: Any) -> Any:
    """The type of an option that may be left unset: tuples become lists, everything may be None."""
    arguments = [part for part in typing.get_args(annotation) if part is not type(None)]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return _settable(arguments[0]) if len(arguments) == 1 else str | None
    if typing.get_origin(annotation) in (tuple, list):
        return list[arguments[0]] | None  # type: ignore[valid-type]
    return annotation | None

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

from nsfwforensics.core.analyzer import BaseAnalyzer
from nsfwforensics.core.registry import select


class FailOn(StrEnum):
    """Triage priorities that ``--fail-on`` accepts."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


_REPORT = "Report"
_LIMITS = "Reading"
_RUN = "Running"

COMMON: Mapping[str, tuple[Any, Any]] = {
    "paths": (
        Annotated[list[Path], typer.Argument(help="Files and folders; - reads paths from standard input.", show_default=False)],
        inspect.Parameter.empty,
    ),
    "output": (
        Annotated[Path | None, typer.Option("--output", "-o", help="Write the report into this folder.", rich_help_panel=_REPORT)],
        None,
    ),
    "as_json": (
        Annotated[bool, typer.Option("--json", help="Print the report as JSON on standard output.", rich_help_panel=_REPORT)],
        False,
    ),
    "thumbnails": (
        Annotated[bool, typer.Option("--thumbnails", help="Put small pictures of the evidence into the HTML, blurred until clicked.", rich_help_panel=_REPORT)],
        False,
    ),
    "operator": (
        Annotated[str | None, typer.Option("--operator", help="Who examines; printed in the report.", rich_help_panel=_REPORT)],
        None,
    ),
    "fail_on": (
        Annotated[FailOn | None, typer.Option("--fail-on", help="Exit with 5 when a file has this triage priority or a higher one.", rich_help_panel=_REPORT)],
        None,
    ),
    "quiet": (
        Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no summary.", rich_help_panel=_REPORT)],
        False,
    ),
    "max_pixels": (
        Annotated[int | None, typer.Option("--max-pixels", min=1, help="Largest picture to decode, in pixels (default 120 million).", rich_help_panel=_LIMITS)],
        None,
    ),
    "max_bytes": (
        Annotated[int | None, typer.Option("--max-bytes", min=1, help="Largest file to read, in bytes (default 512 MiB).", rich_help_panel=_LIMITS)],
        None,
    ),
    "follow_symlinks": (
        Annotated[bool, typer.Option("--follow-symlinks", help="Follow symbolic links.", rich_help_panel=_LIMITS)],
        False,
    ),
    "device": (
        Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps. A device named here must exist.", rich_help_panel=_RUN)],
        None,
    ),
    "jobs": (
        Annotated[int | None, typer.Option("--jobs", "-j", min=0, help="Worker processes; 0 chooses by files and cores (default).", rich_help_panel=_RUN)],
        None,
    ),
    "weights": (
        Annotated[Path | None, typer.Option("--weights", help="Look for model weights in this folder first.", rich_help_panel=_RUN)],
        None,
    ),
    "config": (
        Annotated[Path | None, typer.Option("--config", help="Read settings from this TOML file.", rich_help_panel=_RUN)],
        None,
    ),
}  # fmt: skip

SELECTION: Mapping[str, tuple[Any, Any]] = {
    "only": (
        Annotated[list[str] | None, typer.Option("--only", help="Run only this analyzer; may be repeated.", rich_help_panel=_RUN)],
        None,
    ),
    "skip": (
        Annotated[list[str] | None, typer.Option("--skip", help="Leave this analyzer out; may be repeated.", rich_help_panel=_RUN)],
        None,
    ),
    "allow_plugins": (
        Annotated[bool, typer.Option("--allow-plugins", help="Run third-party analyzers too.", rich_help_panel=_RUN)],
        False,
    ),
}  # fmt: skip


def command(
    handler: Callable[[dict[str, Any], dict[str, dict[str, Any]]], None],
    preset: Sequence[str] | None,
    extra: Mapping[str, tuple[Any, Any]] | None = None,
) -> Callable[..., None]:
    """Makes the function behind an analysing command.

    Args:
        handler: Called with the values of the common options and, by analyzer, those that the user set.
        preset: The analyzers of the command; None for all, which adds ``--only``, ``--skip`` and ``--allow-plugins``.
        extra: Further options, as in :data:`COMMON`.

    Returns:
        A function whose signature Typer can read.
    """
    own = dict(COMMON) | (dict(SELECTION) if preset is None else {}) | dict(extra or {})
    classes = [registration.load() for registration in select(preset)]
    theirs = {
        f"{analyzer.name}__{name}": (annotation, None) for analyzer in classes for name, annotation in _flags(analyzer)
    }

    def run(**values: Any) -> None:
        options: dict[str, dict[str, Any]] = {}
        for key in theirs:
            value = values.pop(key)
            if value not in (None, []):
                analyzer, _, name = key.partition("__")
                options.setdefault(analyzer, {})[name] = value
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
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        flag = str(extra.get("flag") or f"--{analyzer.name}-{name.replace('_', '-')}")
        help_text = info.description or ""
        if not info.is_required() and info.default not in (None, ()):
            help_text += f" (default {getattr(info.default, 'value', info.default)})"
        option = typer.Option(flag, help=help_text, show_default=False, rich_help_panel=f"Analyzer: {analyzer.name}")
        yield name, Annotated[_settable(info.annotation), option]


def _settable(annotation: Any) -> Any:
    """The type of an option that may be left unset: tuples become lists, everything may be None."""
    arguments = [part for part in typing.get_args(annotation) if part is not type(None)]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return _settable(arguments[0]) if len(arguments) == 1 else str | None
    if typing.get_origin(annotation) in (tuple, list):
        return list[arguments[0]] | None  # type: ignore[valid-type]
    return annotation | None

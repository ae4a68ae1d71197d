"""Command-line options of analysing commands: the common ones, and those that analyzers' ``Options`` become."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nsfwforensics.cli.commands import ALLOW_PLUGINS
from nsfwforensics.core.analyzer import kept_in_case
from nsfwforensics.core.registry import select
from nsfwforensics.core.vocabulary import Reader
from nsfwforensics.settings import REPORT, RUNNING, Settings

Parameter = tuple[Any, Any]
"""An annotated type that Typer reads, and the default value."""


def option(kind: Any, default: Any, *flags: str, text: str, panel: str, **more: Any) -> Parameter:
    """One command-line option: its type, default, flags, help text and help panel."""
    return Annotated[kind, typer.Option(*flags, help=text, rich_help_panel=panel, **more)], default


FailOn = Literal["high", "medium", "low"]
"""Triage priorities that ``--fail-on`` accepts."""


def _flags(model: type[BaseModel], prefix: str, panel: str | None) -> Iterator[tuple[str, Any]]:
    """Turns the fields of a model into annotated Typer options that may be left unset.

    Args:
        model: The settings, or an analyzer's options.
        prefix: What an option's name begins with where its field does not say how it is called.
        panel: Heads them in the help; None where each field names its head and says its default in words.
    """
    for name, info in model.model_fields.items():
        if typing.get_origin(info.annotation) is not dict:
            called = _called(info, prefix + name.replace("_", "-"))
            text = (info.description or "") if panel is None else _with_default(info)
            head = _extra(info).get("panel") if panel is None else panel
            yield name, Annotated[_settable(info.annotation), _option(info, called, text, head)]


def _option(info: FieldInfo, flags: list[str], text: str, head: Any) -> Any:
    least = next((int(each.ge) for each in info.metadata if getattr(each, "ge", None) is not None), None)
    return typer.Option(*flags, help=text, show_default=False, rich_help_panel=head, min=least)


def _called(info: FieldInfo, otherwise: str) -> list[str]:
    """How an option is called: its names, a switch also by what turns it off."""
    extra = _extra(info)
    flags = str(extra.get("flag") or otherwise).split()
    if info.annotation is bool and not extra.get("only_on"):
        flags[0] += f"/--no-{flags[0].removeprefix('--')}"
    return flags


def _extra(info: FieldInfo) -> dict[str, Any]:
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def _with_default(info: FieldInfo) -> str:
    text = (info.description or "").rstrip(".")
    if info.is_required() or info.default in (None, ()):
        return text
    return f"{text} (default {getattr(info.default, 'value', info.default)})"


def _settable(annotation: Any) -> Any:
    """The type of an option that may be left unset: tuples become lists, everything may be None."""
    arguments = [part for part in typing.get_args(annotation) if part is not type(None)]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return _settable(arguments[0]) if len(arguments) == 1 else str | None
    if typing.get_origin(annotation) in (tuple, list):
        return list[arguments[0]] | None  # type: ignore[valid-type]
    return annotation | None


def setting(name: str) -> Any:
    """A setting as an option of a command that is no analysing one, for an annotated parameter.

    Args:
        name: A field of :class:`nsfwforensics.settings.Settings`.
    """
    info = Settings.model_fields[name]
    return _option(info, _called(info, "--" + name.replace("_", "-")), info.description or "", None)


Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Lang = Annotated[str | None, setting("language")]
Paper = Annotated[Literal["a4", "letter"] | None, setting("paper")]
For = Annotated[Reader | None, setting("reader")]

COMMON: Mapping[str, Parameter] = {
    "paths": (
        Annotated[
            list[Path], typer.Argument(help="Files and folders; - reads paths from standard input.", show_default=False)
        ],
        inspect.Parameter.empty,
    ),
    "output": option(Path | None, None, "--output", "-o", text="Write the report into this folder.", panel=REPORT),
    "as_json": option(bool, False, "--json", text="Print the report as JSON on standard output.", panel=REPORT),
    "pdf": option(bool, False, "--pdf", text="Write report.pdf into the folder too (extra: pdf).", panel=REPORT),
    "fail_on": option(
        FailOn | None,
        None,
        "--fail-on",
        text="Exit with 5 when a file has this triage priority or a higher one.",
        panel=REPORT,
    ),
    "force": option(bool, False, "--force", text="Write over the report of another run in that folder.", panel=REPORT),
    "unfolded": option(bool, False, "--no-group", text="Show every copy in a row of its own.", panel=REPORT),
    "csv_mark": option(
        bool, False, "--csv-bom", text="Begin summary.csv with a byte order mark, as Excel asks for.", panel=REPORT
    ),
    "verbose": option(
        bool,
        False,
        "--verbose",
        "-v",
        text="Print all of it: error rates, every finding, what could not be checked.",
        panel=REPORT,
    ),
    "quiet": option(bool, False, "--quiet", "-q", text="No progress bar and no summary.", panel=REPORT),
    **{name: (annotation, None) for name, annotation in _flags(Settings, "--", None)},
    "config": option(Path | None, None, "--config", text="Read settings from this TOML file.", panel=RUNNING),
}
"""What every analysing command takes: what is said of one run only, and every setting, unset by default."""

SELECTION: Mapping[str, Parameter] = {
    "only": option(list[str] | None, None, "--only", text="Run only this analyzer; may be repeated.", panel=RUNNING),
    "quick": option(
        bool,
        False,
        "--quick",
        text="Only a first look: what files say of themselves, hashes, known lists; no pixels are examined.",
        panel=RUNNING,
    ),
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
        for name, annotation in _flags(
            analyzer.Options, f"--{analyzer.name}-", f"{analyzer.name}: {analyzer.help or analyzer.title}"
        )
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

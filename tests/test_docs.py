"""Every command and every exit code stands in the README, and the listed help is the command's own."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
import typer

from nsfwforensics.cli.app import build
from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.core.registry import commands
from nsfwforensics.errors import ExitCode

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", [*COMMANDS, *commands()])
def test_every_command_is_documented_and_can_be_loaded(name: str) -> None:
    assert f"| `{name}" in README
    assert isinstance(build(name), typer.Typer)


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_documented(code: ExitCode) -> None:
    assert f"| {int(code)} |" in README


def test_every_analyzer_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    registry = import_module("nsfwforensics.core.registry")
    for registration in registry.installed():
        if registration.built_in:
            assert f"`{registration.name}`" in text


def test_every_source_that_a_report_cites_is_a_page_that_a_user_has() -> None:
    registry = import_module("nsfwforensics.core.registry")
    for registration in registry.installed():
        if registration.built_in:
            for path in re.findall(r"[\w.-]+(?:/[\w.-]+)+\.\w+", registration.load().source):
                assert path.startswith(("docs/", "weights/")), path
                assert (ROOT / path).is_file(), path


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for word in ("demo", "test", "check", "bench", "samples", "train", "faces-rates", "lock"):
        assert f"`make {word}`" in README or f"make {word} " in README
        assert f"\n{word}:" in makefile

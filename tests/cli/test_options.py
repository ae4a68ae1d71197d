"""An analyzer's options become command-line options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nsfwforensics.cli.app import build
from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.core.registry import commands, help_of, installed

RUNNER = CliRunner()


HELP = COMMANDS | {name: help_of(shares) for name, shares in commands().items()}


@pytest.mark.parametrize("command", HELP)
def test_every_command_has_help(command: str) -> None:
    result = RUNNER.invoke(build(command), [command, "--help"])
    assert result.exit_code == 0
    assert HELP[command].rstrip(".") in " ".join(result.output.split())


def test_every_option_of_every_analyzer_is_an_option_of_scan() -> None:
    shown = RUNNER.invoke(build("scan"), ["scan", "--help"], env={"COLUMNS": "200"}).output
    for registration in installed():
        if registration.built_in:
            analyzer = registration.load()
            for name, field in analyzer.Options.model_fields.items():
                extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
                assert str(extra.get("flag") or f"--{analyzer.name}-{name.replace('_', '-')}") in shown


def test_a_value_that_does_not_fit_is_a_usage_error(samples: Path) -> None:
    picture = str(samples / "reference.jpg")
    assert RUNNER.invoke(build("faces"), ["faces", picture, "--face-model", "abacus"]).exit_code == 2
    assert RUNNER.invoke(build("hash"), ["hash", picture, "--max-pixels", "0"]).exit_code == 2
    result = RUNNER.invoke(build("faces"), ["faces", picture, "--reference", picture, "--reference-face", "zero"])
    assert result.exit_code == 2, result.output


@pytest.mark.slow
def test_a_switch_can_be_turned_off(samples: Path) -> None:
    runs = [
        RUNNER.invoke(
            build("detect"), ["detect", str(samples / "reference.jpg"), "--json", "--score-map", *more]
        ).output
        for more in ([], ["--no-score-map"])
    ]
    codes = [
        {finding["code"] for result in json.loads(output)["files"][0]["results"] for finding in result["findings"]}
        for output in runs
    ]
    assert ["SYN-013" in each for each in codes] == [True, False]


def test_an_option_that_needs_a_case_is_refused_without_one(samples: Path) -> None:
    picture = str(samples / "reference.jpg")
    shown = RUNNER.invoke(build("scan"), ["scan", picture, "--signatures"])
    assert shown.exit_code == 2
    assert "--signatures" in shown.output
    assert "--case" in shown.output
    assert RUNNER.invoke(build("hash"), ["hash", picture, "--signatures"]).exit_code == 2


def test_no_option_may_name_the_case_that_is_written(samples: Path, tmp_path: Path) -> None:
    picture, case = str(samples / "reference.jpg"), str(tmp_path / "one.case")
    shown = RUNNER.invoke(build("scan"), ["scan", picture, "--only", "known", "--case", case, "--known", case])
    assert shown.exit_code == 2
    assert "--known names the case" in shown.output
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[analyzers.known]\nknown = ["{case}"]\n')
    shown = RUNNER.invoke(
        build("scan"), ["scan", picture, "--only", "known", "--case", case, "--config", str(settings)]
    )
    assert shown.exit_code == 2
    assert "--known names the case" in shown.output
    assert not (tmp_path / "one.case").exists()

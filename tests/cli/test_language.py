"""``--lang``: what people read is in that language, what programs read stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nsfwforensics.cli.app import build
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import every_outcome, header

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(str(arguments[0])), [str(each) for each in arguments])


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    with ReportWriter(tmp_path / "report") as writer:
        writer.begin(header())
        writer.add(every_outcome())
        writer.finish(header())
    return tmp_path / "report"


def test_a_saved_report_is_shown_and_made_in_another_language(saved: Path) -> None:
    found = run("report", saved, "--lang", "ja")
    assert found.exit_code == 0
    assert "対象外" in found.stdout
    assert "Could not be checked" not in found.stdout
    assert '<html lang="ja">' in (saved / "report.html").read_text(encoding="utf-8")


def test_what_programs_read_stays_english(saved: Path) -> None:
    before = {name: (saved / name).read_bytes() for name in ("report.json", "summary.csv")}
    found = run("report", saved, "--lang", "ja", "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout)["files"][0]["answers"][0]["statement"].startswith("The file says")
    assert {name: (saved / name).read_bytes() for name in before} == before


def test_the_settings_may_name_the_language(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NSFWFORENSICS_LANGUAGE", "ja")
    assert run("report", saved, "--quiet").exit_code == 0
    assert '<html lang="ja">' in (saved / "report.html").read_text(encoding="utf-8")


def test_a_language_without_a_catalogue_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    found = run("metadata", ROOT / "samples" / "no-face.jpg", "--lang", "../ja", "-o", tmp_path / "out")
    assert found.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_metadata_speaks_it_too(tmp_path: Path) -> None:
    found = run("metadata", ROOT / "samples" / "camera-original.jpg", "--lang", "ja", "-o", tmp_path / "out")
    assert found.exit_code == 0
    assert "読み取った場所" in found.stdout
    assert "画像検査報告書" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")

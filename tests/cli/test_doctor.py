"""``doctor``: what is missing, and what an installation may well be without."""

from __future__ import annotations

from importlib import metadata
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from nsfwforensics import libraries
from nsfwforensics.cli.app import build

REQUIRES = [
    "pillow>=11.3",
    "jpeglib>=1.0.2; sys_platform == 'another'",
    "nudenet>=3.4.2; extra == 'intimate'",
    "onnxruntime>=1.20; extra == 'onnx'",
]


def without(monkeypatch: pytest.MonkeyPatch, *names: str, old: str = "") -> None:
    def version(name: str) -> str:
        if name in names:
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == old else metadata.version(name)

    monkeypatch.setattr(libraries, "version", version)
    own = libraries.installation.distribution()
    assert own is not None
    kept = {name: getattr(own, name) for name in ("entry_points", "metadata", "version", "files")}
    told = SimpleNamespace(requires=REQUIRES, locate_file=own.locate_file, read_text=own.read_text, **kept)
    monkeypatch.setattr(libraries.installation, "distribution", lambda: told)


def test_an_installation_without_any_extra_lacks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "nudenet", "onnxruntime", "ray", "weasyprint")
    result = CliRunner().invoke(build("doctor"), ["doctor"])
    assert result.exit_code == 0, result.output
    assert "Everything needed is here." in result.output
    assert "pip install 'nsfwforensics[intimate]'" in " ".join(result.output.split())


def test_what_this_platform_does_not_need_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "jpeglib")
    assert libraries.lacking() == []


def test_a_missing_or_old_library_is_named_and_ends_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "pillow")
    result = CliRunner().invoke(build("doctor"), ["doctor"])
    assert result.exit_code == 3
    assert "MISSING" in result.output
    assert "pillow>=11.3" in result.output
    without(monkeypatch, old="pillow")
    assert libraries.lacking() == ["pillow>=11.3 (found 0.1)"]


def test_each_extra_is_judged_by_what_it_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "nudenet", "pillow")
    assert libraries.lacking("intimate") == ["nudenet>=3.4.2"]
    assert libraries.lacking("onnx") == []


def test_this_installation_lacks_nothing_and_every_extra_adds_something() -> None:
    assert libraries.lacking() == []
    assert {requirement.name for requirement in libraries._needed("pdf")} == {"weasyprint"}
    assert all(list(libraries._needed(extra)) for extra in libraries.EXTRAS if extra != "ray")

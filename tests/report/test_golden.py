"""A saved report of each schema version is shown as it always was: names, words, charts, hashes, in both languages."""

from __future__ import annotations

import gzip
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from nsfwforensics.core.types import READ_VERSIONS, Capability
from nsfwforensics.errors import ReportError
from nsfwforensics.language import language
from nsfwforensics.report.console.file import render
from nsfwforensics.report.documents.hashes import HashFormat, write_hashes
from nsfwforensics.report.saved import digests
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.words import declared
from nsfwforensics.report.writer import write_views

GOLDEN = Path(__file__).parent / "golden"
RAW_KEY = re.compile(r"<dt>(?:<code>)?[a-z]+(?:_[a-z0-9]+)+(?:</code>)?</dt>")


def saved(folder: Path, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "report.json").write_bytes(gzip.decompress((GOLDEN / f"{version}.json.gz").read_bytes()))
    digests.write(folder)
    return folder


def page(folder: Path, version: str, code: str) -> str:
    saved(folder, version)
    write_views(SavedReport.open(folder, language(code)))
    return (folder / "report.html").read_text("utf-8")


def test_there_is_one_of_each_version_that_is_read() -> None:
    assert {path.name.removesuffix(".json.gz") for path in GOLDEN.glob("*.gz")} == set(READ_VERSIONS)


@pytest.mark.parametrize("version", READ_VERSIONS)
def test_it_is_shown_in_english(version: str, tmp_path: Path) -> None:
    shown = page(tmp_path, version, "en")
    assert "<dt>score after re-saving</dt>" in shown
    assert "pictures by publishers never trained on: looks generated" in shown
    assert not RAW_KEY.search(shown)
    assert "What the file says about itself" in shown
    assert "<dt>wavelet hash (wHash)</dt>" in shown
    assert "<dt>Original</dt>" in shown


@pytest.mark.parametrize("version", READ_VERSIONS)
def test_it_is_shown_in_japanese(version: str, tmp_path: Path) -> None:
    shown = page(tmp_path, version, "ja")
    assert "<dt>再保存後のスコア</dt>" in shown
    assert "訓練に使っていない公開元の画像：生成されたように見える" in shown
    assert not RAW_KEY.search(shown)
    for words in ("撮影", "写真編集ソフト", "衛星測位の時刻", "元の写真"):  # codes, and the role of a file
        assert words in shown


@pytest.mark.parametrize("version", READ_VERSIONS)
def test_its_charts_are_drawn(version: str, tmp_path: Path) -> None:
    shown = page(tmp_path, version, "en")
    titles = re.findall(r"<svg[^>]*><title>([^<]*)</title>", shown)
    assert titles.count("The score of this picture among measured scores") == 3
    assert titles.count("The scores of faces among measured scores") == 3
    assert titles.count("The distance of this face among measured distances") == 3
    assert any(title.endswith("dates that this file states") for title in titles)
    assert 'class="conflict"' in shown


@pytest.mark.parametrize("version", READ_VERSIONS)
def test_sentences_inside_its_data_are_said_in_japanese(version: str, tmp_path: Path) -> None:
    shown = page(tmp_path, version, "ja")
    assert "左右反転" in shown
    values = re.findall(r"<bdi>[^<]*元の大きさの[^<]*</bdi>", shown)
    assert bool(values) == (version != "1.0")  # 1.0 did not keep how such a value was made


@pytest.mark.parametrize("version", READ_VERSIONS)
def test_its_other_views_are_made(version: str, tmp_path: Path) -> None:
    report = SavedReport.open(saved(tmp_path, version))
    stream = io.StringIO()
    render(report, Console(file=stream, width=80), details=True, verbose=True)
    assert "SYN-002" in stream.getvalue()
    hashes = io.StringIO()
    providers = report.declared.providing(Capability.HASHES)
    assert write_hashes(report.files(), providers, HashFormat.CSV, hashes) == 0
    assert len(hashes.getvalue().splitlines()) == 5


@pytest.mark.parametrize("version", READ_VERSIONS)
def test_showing_it_again_leaves_the_document_as_it_was(version: str, tmp_path: Path) -> None:
    page(tmp_path, version, "ja")
    document = (tmp_path / "report.json").read_bytes()
    assert document == gzip.decompress((GOLDEN / f"{version}.json.gz").read_bytes())
    assert json.loads(document)["schema_version"] == version


def test_a_report_of_this_version_needs_no_analyzer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = page(tmp_path / "whole", READ_VERSIONS[-1], "ja")
    monkeypatch.setattr(declared, "installed", lambda: pytest.fail("an analyzer was asked for"))
    alone = page(tmp_path / "alone", READ_VERSIONS[-1], "ja")
    assert alone.replace(str(tmp_path / "alone"), str(tmp_path / "whole")) == whole


def test_a_version_that_is_not_known_is_refused(tmp_path: Path) -> None:
    document = json.loads(gzip.decompress((GOLDEN / f"{READ_VERSIONS[-1]}.json.gz").read_bytes()))
    (tmp_path / "report.json").write_text(json.dumps({**document, "schema_version": "1.3"}))
    digests.write(tmp_path)
    with pytest.raises(ReportError, match=r"reads 1\.0, 1\.1, 1\.2"):
        SavedReport.open(tmp_path)

"""The document of a large report: what its files have in common stands once, and it is read as if it did not."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from nsfwforensics.core.types import FileReport
from nsfwforensics.errors import ReportError
from nsfwforensics.report.saved import digests, sharing
from nsfwforensics.report.saved import report as saved_report
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter, write_views
from tests.report.factory import HOSTILE, every_outcome, file, finding, header, hostile_file, result

ODD = ("=5", "==5", '"=5"', '\\"=1",', '["=1"]', "=", '{"=2"}', "a,=3")
"""Text that could be taken for a reference."""


def files() -> list[FileReport]:
    same = finding(explanation="The file says that it was taken with a Nikon D70.", data={"rates": list(range(40))})
    odd = {text: {text: [text, {"value": text}]} for text in ODD}
    return [
        *(file(f"trip/{n:02}.jpg", result(findings=(same,), measurements={"number": n, **odd})) for n in range(6)),
        every_outcome(),
        *(hostile_file(text) for text in HOSTILE.values()),
        file("gone.jpg", error="cannot be read"),
    ]


def written(folder: Path) -> SavedReport:
    with ReportWriter(folder) as writer:
        writer.begin(header())
        for each in files():
            writer.add(each)
        return writer.finish(header())


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_report, "MOST_IN_FULL", 3)


def in_full(saved: SavedReport) -> str:
    stream = io.StringIO()
    saved.write_json(stream)
    return stream.getvalue()


def test_all_views_are_those_of_the_report_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, views = tmp_path / "out", ("report.html", "summary.csv")
    plain = written(out)
    kept, whole, size = list(plain.files()), in_full(plain), (out / "report.json").stat().st_size
    shown = [(out / name).read_bytes() for name in views]
    shutil.rmtree(out)
    monkeypatch.setattr(saved_report, "MOST_IN_FULL", 3)
    for saved in (written(out), SavedReport.open(out)):
        assert list(saved.files()) == kept
        assert list(saved.by_priority()) == list(plain.by_priority()) if plain.source == saved.source else True
        assert in_full(saved) == whole
        assert [(out / name).read_bytes() for name in views] == shown
    assert not (out / "files.jsonl").exists()
    assert (out / "report.json").stat().st_size < size
    for name in views:
        (out / name).unlink()
    before = (out / "report.json").read_bytes()
    write_views(SavedReport.open(out))
    assert [(out / name).read_bytes() for name in views] == shown
    assert (out / "report.json").read_bytes() == before


@pytest.mark.usefixtures("large")
def test_what_files_have_in_common_stands_once(tmp_path: Path) -> None:
    written(tmp_path)
    text = (tmp_path / "report.json").read_text("utf-8")
    assert text.count("was taken with a Nikon D70") <= 3  # in the finding, the answer, and what they are part of
    assert text.count("[0,1,2,3,") == 1
    document = json.loads(text)
    assert document["schema_version"] == "1.2"
    assert len(document["common"]) > 2


@pytest.mark.usefixtures("large")
def test_a_document_that_another_program_has_formatted_says_the_same(tmp_path: Path) -> None:
    saved = written(tmp_path)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1), "utf-8")
    digests.write(tmp_path)
    assert list(SavedReport.open(tmp_path).files()) == list(written(tmp_path / "again").files())
    assert saved.summary == SavedReport.open(tmp_path).summary


@pytest.mark.usefixtures("large")
def test_a_stopped_run_becomes_a_large_report(tmp_path: Path) -> None:
    with ReportWriter(tmp_path) as writer:
        writer.begin(header())
        for each in files():
            writer.add(each)
    stopped = SavedReport.open(tmp_path)
    assert stopped.unfinished
    write_views(stopped)
    assert list(stopped.files()) == list(SavedReport.open(tmp_path).files())
    assert not (tmp_path / "files.jsonl").exists()


@pytest.mark.usefixtures("large")
def test_a_run_killed_while_its_stream_was_taken_away_is_read_from_its_document(tmp_path: Path) -> None:
    with ReportWriter(tmp_path) as writer:
        writer.begin(header())
        for each in files():
            writer.add(each)
        run = (tmp_path / "run.json").read_bytes()
        kept = list(writer.finish(header()).files())
    (tmp_path / "run.json").write_bytes(run)
    assert list(SavedReport.open(tmp_path).files()) == kept


@pytest.mark.usefixtures("large")
def test_a_sentence_changed_where_it_stands_once_is_found(tmp_path: Path) -> None:
    written(tmp_path)
    path = tmp_path / "report.json"
    text = path.read_text("utf-8")
    assert '"support":"no_indication"' in text.partition('"files"')[0]
    path.write_text(text.replace('"support":"no_indication"', '"support":"supports"'), "utf-8")
    with pytest.raises(ReportError, match="changed after it was written"):
        SavedReport.open(tmp_path)
    digests.write(tmp_path)
    with pytest.raises(ReportError, match="is not what its findings say"):
        SavedReport.open(tmp_path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"info":"=2"}', "not there"),
        (b'{"info":"=999999999"}', "not there"),
        (b'{"info":{"=+2":0}}', "not there"),
        (b'{"info":{"=+1":0}}', "fields where there are none"),
        (b'{"a":[' + b'"=1",' * 100_000 + b"1]}", "too often"),
    ],
)
def test_references_that_lead_nowhere_or_grow_without_end_are_refused(line: bytes, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        sharing.expanded(line, [b"1" * sharing.MOST])


FIELD = {"source": "JPEG APP1", "group": "EXIF", "name": "Model"}
HEADED = (
    {**FIELD, "value": "A camera of some length"},
    {**FIELD, "value": ["=+1", 5], "=+1": 0},
    {**FIELD, "": {**FIELD, "value": None}},
    {"source": "JPEG APP1", "group": "EXIF", "value": 7},
    {"source": "JPEG APP1", "group": "=+2", "name": "", "value": {}},
    FIELD,
    {"=+1": 0},
    {},
)


def test_what_objects_begin_with_alike_stands_once() -> None:
    made = [
        file(f"{n}.jpg", result(measurements={"fields": [{**each, "number": n} for each in HEADED], "n": n}))
        for n in range(4)
    ]
    lines = [each.model_dump_json() for each in made]
    found = sharing.Sharing(lines)
    packed = [found.packed(line) for line in lines]
    assert all(line.count('"Model"') == 0 and '"=+' in line for line in packed)
    assert [FileReport.model_validate_json(sharing.expanded(line.encode(), found.common)) for line in packed] == made
    assert [json.loads(line) for line in packed] == [json.loads(json.dumps(json.loads(line))) for line in packed]


def test_a_long_beginning_is_not_shared() -> None:
    long = {"a": "x" * 3000, "b": "y" * 3000}
    lines = [file(f"{n}.jpg", result(measurements={"of": [{**long, "c": n}]})).model_dump_json() for n in range(3)]
    found = sharing.Sharing(lines)
    sharing.read_common([json.loads(value) for value in found.common])
    assert sharing.expanded(found.packed(lines[0]).encode(), found.common).count(b"y" * 3000) == 1


def test_values_that_are_no_list_or_too_long_are_refused() -> None:
    with pytest.raises(ReportError, match="no list"):
        sharing.read_common({"1": 2})
    with pytest.raises(ReportError, match="too long"):
        sharing.read_common(["x" * 20_000])

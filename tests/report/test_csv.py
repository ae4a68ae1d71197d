from __future__ import annotations

import csv
import io
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.core.types import Question
from nsfwforensics.report.documents.csv import COLUMNS, LONGEST_CELL, neutral, row
from nsfwforensics.report.words.text import UNSAFE
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import HOSTILE, every_outcome, file, header, hostile_file, result

FORMULA = tuple("=+-@\t\r＝＋－＠")


def rows(folder: Path, *files: object) -> list[dict[str, str]]:
    with ReportWriter(folder) as writer:
        for made in files:
            writer.add(made)  # type: ignore[arg-type]
        writer.finish(header())
    with (folder / "summary.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_one_row_for_each_file_most_pressing_first(tmp_path: Path) -> None:
    table = rows(tmp_path, file("plain.jpg", result()), every_outcome("all.jpg"))
    assert [line["path"] for line in table] == ["all.jpg", "plain.jpg"]
    assert tuple(table[0]) == COLUMNS
    first = table[0]
    assert (first["status"], first["priority"], first["size_bytes"], first["width"]) == (
        "failed",
        "low",
        "2345678",
        "1600",
    )
    assert first["synthesis_support"] == "inconclusive"
    assert first["synthesis_statement"].startswith("The classifier's answer turns")
    assert first["content_support"] == "not_checked"
    assert first["findings"] == "META-001 DEEP-002"
    assert first["error"] == "jpeg: ValueError: broken table"


def test_the_outcomes_of_checks_are_told_apart(tmp_path: Path) -> None:
    checks = rows(tmp_path, every_outcome())[0]["checks"]
    assert checks == (
        "metadata ok, provenance not_available, deepfake ok, jpeg failed, faces not_applicable, phash nothing_found, "
        "intimate not_available"
    )


def test_the_file_is_rfc_4180_in_utf_8(tmp_path: Path) -> None:
    rows(tmp_path, file('quote"and,comma.jpg', result()))
    raw = (tmp_path / "summary.csv").read_bytes()
    assert raw.startswith(b"path,status,")
    assert raw.count(b"\r\n") == raw.count(b"\n") == 2
    assert b'"quote""and,comma.jpg"' in raw


def test_hostile_text_stays_one_harmless_cell(tmp_path: Path) -> None:
    table = rows(tmp_path, *(hostile_file(text) for text in HOSTILE.values()))
    assert len(table) == len(HOSTILE)
    for line in table:
        for cell in line.values():
            assert not cell.startswith(FORMULA)
            assert not UNSAFE.search(cell)


def test_a_leading_formula_is_neutralised_and_still_readable() -> None:
    assert neutral("=cmd()") == "'=cmd()"
    assert neutral(' "+1') == "' \"+1"
    assert neutral("\t=1") == r"'\t=1"
    assert neutral("a;=cmd()") == "a;'=cmd()"
    assert neutral("-5 °C") == "'-5 °C"
    assert neutral("photo-1.jpg") == "photo-1.jpg"
    assert neutral(-5) == "-5"
    assert neutral(None) == ""


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=60), st.sampled_from(FORMULA))
def test_no_text_can_start_a_formula(text: str, sign: str) -> None:
    for value in (text, sign + text, "x;" + sign + text):
        buffer = io.StringIO()
        csv.writer(buffer).writerow([neutral(value)])
        for separator in (",", ";"):
            for cell in next(csv.reader([buffer.getvalue()], delimiter=separator)):
                assert not cell.lstrip(" '\"").startswith(FORMULA) or cell.lstrip().startswith("'")


def test_a_megabyte_is_cut_to_what_a_cell_takes() -> None:
    assert all(len(cell) <= LONGEST_CELL + 1 for cell in row(hostile_file("A" * 1_000_000)))


def test_every_question_has_its_columns() -> None:
    assert [name for name in COLUMNS if name.endswith("_support")] == [
        f"{question.value}_support" for question in Question
    ]

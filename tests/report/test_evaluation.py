"""The page of an evaluation: self-contained, accessible, harmless whatever folders are called."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from nsfwforensics.errors import ReportError
from nsfwforensics.evaluation.figures import Sourced, figures
from nsfwforensics.evaluation.judging import Judged, Said
from nsfwforensics.models.synthesis.calibration import Verdict
from nsfwforensics.report.documents import evaluation
from nsfwforensics.report.documents.evaluation import Evaluation

HOSTILE = '<script>alert(1)</script>"\u202e=1+1'


def sourced(name: str, count: int, base: float, kind: str) -> list[Sourced]:
    return [
        (
            HOSTILE,
            Judged(
                f"{name}/{HOSTILE}/{n}",
                f"{name}{n}",
                {
                    tier: Said(base + n / 10, Verdict.INCONCLUSIVE, "grey_band")
                    for tier in ("as_is", "768_q60", "512_q40")
                },
                kind,
                (1.0, 1.0, n / 7 + base, 1.0, 1.0, 1.0),
            ),
        )
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def found() -> Evaluation:
    real = [*sourced("real", 25, 0.0, "image/jpeg"), ("x", Judged(f"bad {HOSTILE}", problem=f"no {HOSTILE}"))]
    generated = sourced("fake", 25, 1.0, "image/png")
    detector = {"name": HOSTILE, "version": "1", "sha256": {"model.onnx": "0" * 64}}
    return Evaluation(
        "1.0", "nsfwforensics model evaluate", "2026-01-01T00:00:00.000+00:00", detector, 1.5, real, generated,
        figures(real, generated),
    )  # fmt: skip


def written(found: Evaluation, folder: Path) -> str:
    evaluation.write(found, folder)
    return (folder / "evaluation.html").read_text("utf-8")


def test_the_page_loads_and_runs_nothing(found: Evaluation, tmp_path: Path) -> None:
    page = written(found, tmp_path / "out")
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page


def test_every_plot_is_there_with_its_figures_as_a_table(found: Evaluation, tmp_path: Path) -> None:
    page = written(found, tmp_path / "out")
    for title in ("ROC curve", "DET curve", "Reliability", "Scores by source", "Scores by degradation"):
        assert f"<title>{title}" in page
    assert page.count('role="img"') == page.count("<details>") == 5
    assert page.count("<desc>") == 5


def test_a_leak_is_said_before_any_figure(found: Evaluation, tmp_path: Path) -> None:
    page = written(found, tmp_path / "out")
    assert 0 < page.index("WARNING: the two folders can be told apart without looking") < page.index("Overall")
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert document["leak"] is True
    assert any("file format" in warning for warning in document["warnings"])
    assert document["states"]["as_is"]["auc"]["negatives"] == 25


def test_rows_are_safe_in_a_spreadsheet_and_problems_have_theirs(found: Evaluation, tmp_path: Path) -> None:
    written(found, tmp_path / "out")
    text = (tmp_path / "out" / "evaluation.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 25 * 3 * 2 + 1
    assert {row["state"] for row in rows} == {"as_is", "768_q60", "512_q40", ""}
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    assert sum(bool(row["problem"]) for row in rows) == 1


def test_foreign_files_are_not_overwritten(found: Evaluation, tmp_path: Path) -> None:
    written(found, tmp_path / "out")
    written(found, tmp_path / "out")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "evaluation.html").write_text("mine")
    with pytest.raises(ReportError, match="not of this tool"):
        evaluation.write(found, tmp_path / "other")
    assert (tmp_path / "other" / "evaluation.html").read_text() == "mine"


def test_without_any_score_the_page_is_still_made(tmp_path: Path) -> None:
    empty = [("a", Judged("one", "1", dict.fromkeys(("as_is", "768_q60", "512_q40"), Said(None, Verdict.INCONCLUSIVE,
              "outside_measured")), "image/png", (1.0,) * 6))]  # fmt: skip
    other = [("b", Judged("two", "2", empty[0][1].states, "image/png", (2.0,) * 6))]
    made = Evaluation("1", "c", "2026-01-01T00:00:00+00:00", {"name": "n", "version": "1", "sha256": {}}, None, empty,
                      other, figures(empty, other))  # fmt: skip
    page = written(made, tmp_path / "out")
    assert "not measured" in page
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["states"]["as_is"]["auc"]["value"] is None

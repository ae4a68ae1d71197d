"""Pictures beside a report: stored under names of our own, cleared with the report they belong to, shown blurred."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from nsfwforensics.core.types import AnalyzerStatus, Artifact, FileReport, Question, Region
from nsfwforensics.errors import ReportError
from nsfwforensics.report.page import html
from nsfwforensics.report.saved import digests
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import file as report_of
from tests.report.factory import finding, header, result


def picture(color: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(buffer, "PNG")
    return buffer.getvalue()


def with_artifact(
    data: bytes | None, name: str = "Difference map", digest: str = "ab" * 32, embed: bool = True
) -> FileReport:
    artifact = Artifact(name=name, media_type="image/png", data=data, embed=embed)
    made = result("compare", Question.ALTERATION, AnalyzerStatus.NOTHING_FOUND).model_copy(
        update={"artifacts": (artifact,)}
    )
    return report_of("a.jpg", made, info={"sha256": digest})


def write(folder: Path | None, *files: FileReport) -> list[FileReport]:
    with ReportWriter(folder) as writer:
        writer.begin(header())
        for file in files:
            writer.add(file)
        return list(writer.finish(header()).files())


def test_bytes_become_a_file_beside_the_report_and_never_stand_in_it(tmp_path: Path) -> None:
    (file,) = write(tmp_path, with_artifact(picture()))
    (artifact,) = file.results[0].artifacts
    assert artifact.path == "artifacts/abababababababab-compare-difference-map.png"
    assert (tmp_path / artifact.path).read_bytes() == picture()
    assert (tmp_path / artifact.path).stat().st_mode & 0o777 == 0o600
    assert "data" not in (tmp_path / "report.json").read_text("utf-8").split('"artifacts"')[1][:200]


def test_without_a_folder_nothing_is_promised() -> None:
    (file,) = write(None, with_artifact(picture()))
    assert file.results[0].artifacts == ()


def test_a_new_report_clears_what_the_earlier_one_left_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, with_artifact(picture(), digest="cd" * 32))
    foreign = tmp_path / "artifacts" / "holiday.png"
    foreign.write_bytes(b"mine")
    write(tmp_path, with_artifact(picture()))
    assert {path.name for path in (tmp_path / "artifacts").iterdir()} == {
        "abababababababab-compare-difference-map.png",
        "holiday.png",
    }


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    report = tmp_path / "report"
    (file,) = write(report, with_artifact(picture(), name="../../x"))
    assert Path(file.results[0].artifacts[0].path).parent == Path("artifacts")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    report, outside = tmp_path / "report", tmp_path / "outside"
    report.mkdir()
    outside.mkdir()
    (report / "artifacts").symlink_to(outside)
    with pytest.raises(Exception, match="symbolic link"):
        write(report, with_artifact(picture()))
    assert list(outside.iterdir()) == []


def test_the_page_shows_it_blurred_and_says_so(tmp_path: Path) -> None:
    write(tmp_path, with_artifact(picture()))
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.count('src="data:image/png;base64,') == 1
    assert "Show: Difference map" in page


def test_what_is_not_to_be_embedded_is_only_named(tmp_path: Path) -> None:
    write(tmp_path, with_artifact(picture(), embed=False))
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "data:image/png" not in page
    assert "artifacts/abababababababab-compare-difference-map.png" in page


@pytest.mark.parametrize("path", ["../secret.png", "artifacts/../secret.png", "artifacts/holiday.png", "/etc/passwd"])
def test_a_forged_path_is_not_embedded(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.png").write_bytes(picture())
    folder = tmp_path / "report"
    write(folder, with_artifact(picture()))
    (folder / "artifacts" / "holiday.png").write_bytes(picture())
    for name in ("report.json", "files.jsonl"):
        text = (folder / name).read_text("utf-8")
        (folder / name).write_text(text.replace("artifacts/abababababababab-compare-difference-map.png", path), "utf-8")
    digests.write(folder)
    with pytest.raises(ReportError, match="names a picture that is no part of a report"):
        SavedReport.open(folder)
    shown = SavedReport.open(folder, changed=True)
    page = io.StringIO()
    html.write(shown, page)
    assert "data:image/png" not in page.getvalue()


def test_a_region_with_an_outline_is_drawn_as_a_polygon(tmp_path: Path) -> None:
    region = Region(x=10, y=10, width=200, height=100, outline=((10, 10), (210, 60), (30, 110)))
    made = result(
        "compare",
        Question.ALTERATION,
        AnalyzerStatus.OK,
        findings=(finding("CMP-002", region=region),),
    )
    write(tmp_path, report_of("a.jpg", made))
    assert "<polygon" in (tmp_path / "report.html").read_text("utf-8")

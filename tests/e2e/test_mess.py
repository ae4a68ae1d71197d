"""A folder as it is found: every file accounted for, nothing lost, nothing touched."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from nsfwforensics.testing import contract_file
from tests.e2e.conftest import Runner


@pytest.fixture
def mess(tmp_path: Path) -> Path:
    folder = tmp_path / "mess"
    (folder / "deep" / "er").mkdir(parents=True)
    good = contract_file("plain.jpg")
    (folder / "good.jpg").write_bytes(good)
    (folder / "deep" / "er" / "good.png").write_bytes(contract_file("alpha.png"))
    (folder / "empty.jpg").touch()
    (folder / "truncated.jpg").write_bytes(contract_file("truncated.jpg"))
    (folder / "corrupt.jpg").write_bytes(contract_file("header-only.jpg"))
    (folder / "notes.txt").write_text("not a picture")
    (folder / "text.jpg").write_text("named like a picture")
    (folder / "wrong.png").write_bytes(good)
    (folder / "no-extension").write_bytes(good)
    (folder / "link.jpg").symlink_to(folder / "good.jpg")
    (folder / "dangling.jpg").symlink_to(folder / "nowhere.jpg")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "[red]x[∕red] <img src=x onerror=alert(1)>.jpg").write_bytes(good)
    (folder / "new\nline \x1b[2J.jpg").write_bytes(good)
    Path(os.fsdecode(os.fsencode(folder) + b"/latin-\xe9.jpg")).write_bytes(good)
    (folder / "=cmd().jpg").write_bytes(good)
    return folder


def digest(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        os.fsencode(path).hex(): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_every_file_is_accounted_for_and_none_is_touched(run: Runner, mess: Path, tmp_path: Path) -> None:
    before = digest(mess)
    ran = run("scan", mess, "--json", "-o", tmp_path / "report", "--jobs", "2")
    assert ran.code == 4, ran.err
    assert digest(mess) == before
    statuses = {file["info"]["path"].removeprefix(str(mess) + "/"): file["status"] for file in ran.report["files"]}
    assert len(statuses) == len(list(mess.rglob("*"))) - 2
    assert statuses["good.jpg"] == statuses["deep/er/good.png"] == statuses["no-extension"] == "ok"
    assert statuses["wrong.png"] == statuses["=cmd().jpg"] == "ok"
    assert statuses["truncated.jpg"] == "partial"
    assert statuses["empty.jpg"] == statuses["corrupt.jpg"] == statuses["text.jpg"] == "failed"
    assert statuses["notes.txt"] == statuses["link.jpg"] == statuses["dangling.jpg"] == "skipped"
    assert statuses["pipe.jpg"] == "skipped"
    for file in ran.report["files"]:
        if file["status"] in ("failed", "skipped"):
            assert file["error"] or any(result["error"] for result in file["results"])
    summary = ran.report["summary"]
    assert summary["files"] == len(statuses)
    assert sum(summary["by_status"].values()) == len(statuses)


def test_names_are_inert_everywhere(run: Runner, mess: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    shown = run("metadata", mess, "-o", report, "-v")
    assert "\x1b" not in shown.out
    assert "[red]x" in shown.out.replace("\n", "")
    html = (report / "report.html").read_text()
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html
    rows = (report / "summary.csv").read_text(encoding="utf-8-sig")
    assert "\x1b" not in rows
    assert not any(line.startswith(("=", "+", "-", "@")) for line in rows.splitlines())
    raw = (report / "report.json").read_text()
    assert "\x1b" not in raw
    json.loads(raw)


def test_a_bomb_is_refused_with_its_reason(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    path.write_bytes(contract_file("very-wide.png"))
    ran = run("hash", path, "--max-pixels", "1000", "--json")
    assert ran.code == 4
    assert "--max-pixels" in json.dumps(ran.file("wide.png"))
    assert run("hash", path, "--max-bytes", "10").code == 4


def test_a_named_non_image_is_a_failure_and_a_walked_one_is_not(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert run("metadata", tmp_path / "notes.txt").code == 4
    assert run("metadata", tmp_path).code == 6  # no picture in it


def test_paths_from_standard_input(run: Runner, photos: Path) -> None:
    lines = "\n".join(str(photos / name) for name in ("plain.jpg", "alpha.png")).encode()
    assert len(run("hash", "-", "--json", stdin=lines).report["files"]) == 2
    assert len(run("hash", "-", "--json", stdin=lines.replace(b"\n", b"\0")).report["files"]) == 2


def test_links_are_followed_only_when_asked(run: Runner, mess: Path) -> None:
    assert run("hash", mess, "--json").file("/link.jpg")["status"] == "skipped"
    assert run("hash", mess, "--json", "--follow-symlinks").file("/link.jpg")["status"] == "ok"


def test_a_report_inside_the_evidence_folder_is_refused(run: Runner, photos: Path) -> None:
    ran = run("metadata", photos, "-o", photos / "report")
    assert ran.code == 2 and "would lie inside" in ran.err
    assert len(list(photos.iterdir())) == 3

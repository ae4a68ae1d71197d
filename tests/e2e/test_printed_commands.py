"""Every command that a report prints runs as it is printed: collected from the pages of all situations, and run."""

from __future__ import annotations

import hashlib
import html
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nsfwforensics.cli.app import build
from nsfwforensics.core.types import Reader
from nsfwforensics.custody.verify import verify
from nsfwforensics.report.writer import ReportWriter
from tests.report.situations import SITUATIONS, saved

PRINTED = re.compile(r'<code class="type"[^>]*>(.*?)</code>', re.DOTALL)


def printed(folder: Path) -> list[list[str]]:
    """What stands in boxes on the page, as a shell takes it apart."""
    found = PRINTED.findall((folder / "report.html").read_text("utf-8"))
    return [shlex.split(html.unescape(re.sub("<[^>]*>", "", command))) for command in found]


def run(words: list[str]) -> None:
    assert words[0] == "nsfwforensics"
    ran = CliRunner().invoke(build(words[1]), words[1:])
    assert ran.exit_code == 0, (words, ran.output)


def evidence(name: str) -> None:
    """The files that a made-up report is about, where it says that they are."""
    for one in SITUATIONS[name][0]():
        path = Path(one.info.path)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(path.name.encode())


def inside(name: str, reader: Reader) -> list[list[str]]:
    """A report of files that are what it says they are, in the folder that the user stands in."""
    files, head, _ = SITUATIONS[name]
    evidence(name)
    with ReportWriter(Path("my report"), reader=reader) as writer:
        writer.begin(head)
        for one in files():
            digest = hashlib.sha256(Path(one.info.path).read_bytes()).hexdigest()
            writer.add(one.model_copy(update={"info": one.info.model_copy(update={"sha256": digest})}))
        writer.finish(head)
    return printed(Path("my report"))


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_printed_command_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = inside(name, Reader.ANYONE)
    assert any(words[1:3] == ["evidence", "pack"] for words in commands)
    for words in commands:
        run(words)
    assert verify(tmp_path / "my report-evidence").accepted
    shown = {words[1] for words in commands}
    assert ("notice" in shown) == (
        name in ("made-and-changed", "person-only", "folder-of-200", "folder-with-40-copies")
    )


@pytest.mark.parametrize("reader", [Reader.ADVOCATE, Reader.JOURNALIST, Reader.ANALYST])
def test_those_for_a_reader_run_too(reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evidence("folder-with-40-copies")
    saved(Path("report"), "folder-with-40-copies", reader=reader)
    commands = printed(Path("report"))
    heavy = ("cluster", "pack")
    for words in commands:
        if not set(heavy) & set(words[:3]):
            run(words)
        else:
            assert CliRunner().invoke(build(words[1]), [*words[1:], "--help"]).exit_code == 0
    expected = {Reader.ANALYST: "cluster", Reader.ADVOCATE: "notice", Reader.JOURNALIST: "attach"}[reader]
    assert any(expected in words for words in commands)


def test_the_japanese_ones_run_and_name_japans_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved(Path("report"), "person-only", code="ja")
    commands = printed(Path("report"))
    assert ["nsfwforensics", "notice", "report", "--law", "jp"] in commands
    for words in commands:
        if "pack" not in words:
            run(words)


def test_a_file_that_changed_since_is_not_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = inside("person-only", Reader.ANYONE)
    pack = next(words for words in commands if "pack" in words)
    Path("her/other.jpg").write_bytes(b"another picture")
    ran = CliRunner().invoke(build("evidence"), pack[1:])
    assert ran.exit_code == 4
    assert "not the bytes that were examined" in " ".join(ran.output.split())

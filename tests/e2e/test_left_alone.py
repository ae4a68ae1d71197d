"""No command moves a time of the evidence, writes into it or around it, or leaves anything that others can read."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nsfwforensics.testing import contract_file
from tests.e2e.conftest import COMMAND, Ran, Runner, installed

LONG_AGO = 1_500_000_000

LIGHT = ("--only", "metadata", "--only", "phash", "--only", "provenance", "--only", "jpeg", "--jobs", "1", "-q")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Pictures, a folder, a link, an earlier report; all last accessed long ago."""
    folder = tmp_path / "evidence"
    (folder / "inner" / "report" / "artifacts").mkdir(parents=True)
    for name in ("plain.jpg", "alpha.png", "inner/turned.jpg"):
        (folder / name).write_bytes(contract_file(Path(name).name))
    shutil.copy(ROOT / "samples" / "no-face.jpg", folder / "photo.jpg")
    (folder / "notes.txt").write_text("no picture")
    (folder / "link.jpg").symlink_to("plain.jpg")
    report = folder / "inner" / "report"
    (report / "report.json").write_text('{"schema_version": "1.0", "tool": "nsfwforensics"}')
    (report / "artifacts" / "0123456789abcdef-traces-map.png").write_bytes(contract_file("alpha.png"))
    age(folder)
    return folder


def everything(folder: Path) -> Iterator[Path]:
    """A folder and all that is in it, looked at without moving a time."""
    yield folder
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_NOATIME", 0))
    names = os.listdir(descriptor)  # noqa: PTH208 - a descriptor has no path
    os.close(descriptor)
    for path in (folder / name for name in sorted(names)):
        if stat.S_ISDIR(path.lstat().st_mode):
            yield from everything(path)
        else:
            yield path


def age(folder: Path) -> None:
    for path in everything(folder):
        os.utime(path, (LONG_AGO, path.lstat().st_mtime), follow_symlinks=False)


def state(folder: Path) -> dict[Path, tuple[int, ...]]:
    """What is there, with every time."""
    found = {path: path.lstat() for path in everything(folder)}
    return {
        path: (info.st_mode, info.st_ino, info.st_size, info.st_atime_ns, info.st_mtime_ns, info.st_ctime_ns)
        for path, info in found.items()
    }


def times_move(folder: Path) -> bool:
    """Whether plain reading and listing move the time of last access on this file system."""
    (folder / "plain.jpg").read_bytes()
    (folder / "link.jpg").readlink()
    list((folder / "inner").iterdir())
    moved = all((folder / name).lstat().st_atime != LONG_AGO for name in ("plain.jpg", "link.jpg", "inner"))
    age(folder)
    return moved


Command = Callable[[Path, Path], list[list[object]]]
"""Command lines by the folder of evidence and a folder to write to."""

# Originals and references are followed where they are links, and the system moves the times of links that are.
COMMANDS: dict[str, Command] = {
    "scan": lambda e, o: [["scan", e, *LIGHT, "-o", o / "r", "--thumbnails"]],
    "scan without workers": lambda e, o: [["scan", e, *LIGHT, "--no-isolate", "-o", o / "r"]],
    "scan of names on standard input": lambda e, o: [["scan", e / "plain.jpg", e / "inner", *LIGHT, "--json"]],
    "metadata": lambda e, o: [["metadata", e]],
    "provenance": lambda e, o: [["provenance", e]],
    "hash": lambda e, o: [["hash", e]],
    "compare": lambda e, o: [
        ["compare", e / "photo.jpg", e, "-q", "-o", o / "r"],
        ["compare", e / "photo.jpg", e / "inner", e, "-q"],
    ],
    "cluster": lambda e, o: [["cluster", e, "-q", "-o", o / "c"], ["cluster", e, "-q", "--no-isolate"]],
    "hash lists": lambda e, o: [
        ["hashlist", "import", e, e / "plain.jpg", "-o", o / "index", "--signatures"],
        ["search", e, "--known", o / "index", "-q"],
    ],
    "case": lambda e, o: [
        ["case", "init", o / "c.db"],
        ["case", "add", o / "c.db", e],
        ["scan", "--case", o / "c.db", *LIGHT],
        ["scan", e, "--case", o / "c.db", *LIGHT],
        ["case", "show", o / "c.db", e / "plain.jpg"],
        ["case", "verify", o / "c.db", "--files"],
        ["case", "export", o / "c.db", "-o", o / "x"],
        ["evidence", "pack", o / "c.db", "-o", o / "bag", "-q"],
    ],
    "evidence": lambda e, o: [
        ["evidence", "pack", e, "-o", o / "bag", "--no-report", "-q"],
        ["evidence", "pack", e, "-o", o / "hashes", "--no-report", "--hash-only", "-q"],
        ["evidence", "verify", o / "bag"],
    ],
    "notice": lambda e, o: [
        ["notice", e / "plain.jpg", "--law", "eu", "-o", o / "letter.txt"],
        ["notice", e / "plain.jpg", "--law", "eu", "--pdq"],
    ],
}

SLOW: dict[str, Command] = {
    "scan with everything": lambda e, o: [["scan", e, "-q", "-o", o / "r", "--pdf", "--maps", "--score-map"]],
    "scan on Ray": lambda e, o: [["scan", e, *LIGHT, "--engine", "ray"]],
    "faces": lambda e, o: [["faces", e, "--reference", ROOT / "samples" / "reference.jpg", "-q"]],
    "detect": lambda e, o: [["detect", e, "-q"]],
    "pack with a report": lambda e, o: [["evidence", "pack", e, "-o", o / "bag", "-q"]],
    "model": lambda e, o: [["model", "evaluate", "--real", e, "--fake", e / "inner", "-q", "--output", o / "m"]],
}


def unmasked(*arguments: object, home: Path) -> Ran:
    """Runs the command where everything that is written would be open to everybody."""
    variables = os.environ | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "COLUMNS": "200"}
    return Ran.of(installed([*map(str, arguments)], variables, umask=0))


@pytest.mark.skipif(os.name != "posix", reason="modes and times of last access as POSIX has them")
@pytest.mark.parametrize("name", [*COMMANDS, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_no_time_moves_and_what_is_written_is_for_its_owner_alone(evidence: Path, tmp_path: Path, name: str) -> None:
    moving = hasattr(os, "O_NOATIME") and times_move(evidence)
    out, home = tmp_path / "out", tmp_path / "home"
    out.mkdir()
    home.mkdir()
    for line in (COMMANDS | SLOW)[name](evidence, out):
        before = state(evidence)
        ran = unmasked(*line, home=home)
        assert ran.code in (0, 4), (line, ran.err)
        after = state(evidence)
        assert set(after) == set(before), line
        if moving:
            changed = [str(path) for path in before if before[path] != after[path]]
            assert not changed, (line, changed)
    for path in everything(out):
        if path != out:
            mode = stat.S_IMODE(path.lstat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), (str(path), oct(mode))


def keys(run: Runner, out: Path) -> None:
    assert run("evidence", "keygen", out / "key", "--no-passphrase").code == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_keys_signatures_lists_and_exports_are_for_their_owner_alone(evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for line in (
        ["evidence", "keygen", out / "key", "--no-passphrase"],
        ["evidence", "pack", evidence, "-o", out / "bag", "--no-report", "--key", out / "key", "-q"],
        ["evidence", "sign", out / "bag", "--key", out / "key", "--request", out / "bag.tsq"],
        ["hashlist", "import", evidence, "-o", out / "deep" / "index"],
        ["hashlist", "export", out / "deep" / "index", "-f", "json", "-o", out / "list.jsonl"],
        ["scan", evidence, *LIGHT, "--case", out / "c.db", "-o", out / "one" / "two" / "report"],
        ["case", "export", out / "c.db", "-f", "csv", "-o", out / "table" / "x"],
        ["case", "export", out / "c.db", "-f", "jsonl", "-o", out / "lines"],
    ):
        ran = unmasked(*line, home=tmp_path)
        assert ran.code in (0, 4), (line, ran.err)
    for path in everything(out):
        if path != out:
            mode = stat.S_IMODE(path.lstat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), (str(path), oct(mode))


INTO: dict[str, Command] = {
    "scan": lambda e, o: [["scan", e, *LIGHT, "-o", o]],
    "scan and PDF": lambda e, o: [["scan", e, *LIGHT, "-o", o, "--pdf"]],
    "scan of a folder inside": lambda e, o: [["scan", e / "inner", e, *LIGHT, "-o", o]],
    "case": lambda e, o: [["scan", e, *LIGHT, "--case", o]],
    "metadata": lambda e, o: [["metadata", e, "-o", o]],
    "compare": lambda e, o: [["compare", e, e / "plain.jpg", "-o", o]],
    "compared with": lambda e, o: [["scan", contract(o), *LIGHT[:-1], "--only", "compare", "--original", e, "-o", o]],
    "references": lambda e, o: [["faces", contract(o), "--reference", e, "-o", o]],
    "list": lambda e, o: [["search", contract(o), "--known", e, "-o", o]],
    "cluster": lambda e, o: [["cluster", e, "-o", o]],
    "index": lambda e, o: [["hashlist", "import", e, "-o", o]],
    "exported list": lambda e, o: [["hashlist", "export", e, "-f", "json", "-o", o]],
    "case add": lambda e, o: [["case", "add", o, e]],
    "bag": lambda e, o: [["evidence", "pack", e, "-o", o, "--no-report"]],
    "bag with a report": lambda e, o: [["evidence", "pack", e, "-o", o]],
    "bag in its report": lambda e, o: [["evidence", "pack", contract(o), "-o", o, "--report", e]],
    "notice": lambda e, o: [["notice", e, "--law", "eu", "-o", o.with_suffix(".txt")]],
    "model evaluate": lambda e, o: [["model", "evaluate", "--real", e, "--fake", e / "inner", "--output", o]],
}


def contract(beside: Path) -> Path:
    """A picture that is no part of the folder."""
    path = next(parent for parent in beside.parents if parent.name == "evidence").parent / "suspect.jpg"
    path.write_bytes(contract_file("plain.jpg"))
    return path


@pytest.mark.parametrize("name", INTO)
def test_nothing_is_written_into_evidence(evidence: Path, tmp_path: Path, run: Runner, name: str) -> None:
    before = state(evidence)
    for line in INTO[name](evidence, evidence / "inner" / "new"):
        ran = run(*line, COLUMNS="300")
        assert ran.code == 2, (line, ran.out, ran.err)
        assert ran.err.startswith("error: ")
        assert ran.err.count("\n") == 1
        assert "would lie inside" in ran.err
    assert state(evidence) == before


def test_nor_by_a_way_round(evidence: Path, tmp_path: Path, run: Runner) -> None:
    (tmp_path / "way").symlink_to(evidence / "inner")
    before = state(evidence)
    for place in ("way/new", "way/../new", "evidence/../evidence/new", "evidence"):
        ran = run("scan", evidence, *LIGHT, "-o", f"{tmp_path}/{place}")
        assert ran.code == 2, ran.err
    assert state(evidence) == before


def test_evidence_inside_the_output_is_refused(evidence: Path, tmp_path: Path, run: Runner) -> None:
    for named in (evidence, evidence / "plain.jpg"):
        ran = run("scan", named, *LIGHT, "-o", tmp_path)
        assert ran.code == 2
        assert "which would be written to" in ran.err
    assert not (tmp_path / "report.json").exists()


def test_what_an_earlier_report_left_among_the_evidence_is_skipped_and_said(
    evidence: Path, tmp_path: Path, run: Runner
) -> None:
    assert run("scan", evidence, *LIGHT, "-o", tmp_path / "r").code == 0
    report = json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))
    errors = {Path(file["info"]["path"]).name: file["error"] for file in report["files"] if file["skipped"]}
    assert "an earlier report" in errors["0123456789abcdef-traces-map.png"]
    assert "an earlier report" in errors["report.json"]
    ran = run("cluster", evidence, "--json")
    assert "an earlier report" in ran.out
    assert "0123456789abcdef" not in run("hashlist", "import", evidence, "-o", tmp_path / "index").out


def test_a_link_that_leads_into_the_output_is_not_followed_into_it(evidence: Path, tmp_path: Path, run: Runner) -> None:
    out = tmp_path / "r"
    assert run("scan", evidence, *LIGHT, "-o", out).code == 0
    (out / "picture.jpg").write_bytes(contract_file("plain.jpg"))
    (evidence / "way").symlink_to(out)
    ran = run("scan", evidence, *LIGHT, "-o", out, "--follow-symlinks")
    assert ran.code == 0, ran.err
    report = json.loads((out / "report.json").read_text("utf-8"))
    (reason,) = [file["error"] for file in report["files"] if file["info"]["name"] == "picture.jpg"]
    assert "is being written to" in reason


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a file system that keeps every time of last access")
def test_on_a_file_system_that_keeps_every_time_of_last_access(tmp_path: Path) -> None:
    """Where plain reading moves the time at once, whatever it was before."""
    folder, case = tmp_path / "strict", tmp_path / "c.db"
    folder.mkdir()
    subprocess.run([COMMAND, "case", "init", case], check=True, capture_output=True)
    for line in (
        ["hash", folder],
        ["case", "add", case, folder],
        ["case", "verify", case, "--files"],
        ["evidence", "pack", folder, "-o", tmp_path / "bag", "--no-report", "-q"],
        ["cluster", folder, "-q"],
        ["hashlist", "import", folder, "-o", tmp_path / "index"],
    ):
        ran = subprocess.run(
            ["unshare", "--mount", "--map-root-user", "bash", "-c", STRICT, "-", COMMAND, *line],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ
            | {"HOME": str(tmp_path), "FOLDER": str(folder), "SAMPLE": str(ROOT / "samples/no-face.jpg")},
        )
        if "unshare" in ran.stderr or "mount:" in ran.stderr:
            pytest.skip("nothing can be mounted here")
        assert ran.stdout == "unmoved\nmoves\n", (line, ran.stdout, ran.stderr)


STRICT = """
set -e
times() { stat -c "%x %y %z" "$FOLDER" "$FOLDER/a.jpg"; }
mount -t tmpfs -o strictatime none "$FOLDER"
cp "$SAMPLE" "$FOLDER/a.jpg"
before=$(times)
sleep 0.05
"$@" > /dev/null
test "$before" = "$(times)" && echo unmoved
cat "$FOLDER/a.jpg" > /dev/null
test "$before" != "$(times)" && echo moves
"""

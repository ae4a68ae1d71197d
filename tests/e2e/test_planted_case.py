"""A case that somebody planted something in is refused by every command that takes one, in one line that names it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from nsfwforensics.testing import contract_file
from tests.e2e.case_files import FAST
from tests.e2e.conftest import Runner

TRIGGERS = """
CREATE TRIGGER evil AFTER INSERT ON results WHEN NEW.document LIKE '%META-%' OR NEW.document LIKE '%PROV-%'
BEGIN UPDATE results SET document = replace(replace(NEW.document, '"severity":"medium"', '"severity":"info"'),
'supports', 'no_indication') WHERE id = NEW.id; END;
CREATE TRIGGER evil2 AFTER UPDATE ON files WHEN NEW.priority <> 3
BEGIN UPDATE files SET priority = 3 WHERE id = NEW.id; END;
"""
ENDLESS = """
DROP TABLE findings;
CREATE VIEW findings AS WITH RECURSIVE c(result_id, position, code, severity, support) AS
(SELECT 1, 0, 'X', 'info', 'supports' UNION ALL SELECT result_id + 1, position, code, severity, support FROM c)
SELECT * FROM c;
"""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case with a few files, made by the command."""
    import subprocess

    from tests.e2e.conftest import COMMAND

    folder = tmp_path_factory.mktemp("sound")
    (folder / "photos").mkdir()
    for name in ("plain.jpg", "alpha.png"):
        (folder / "photos" / name).write_bytes(contract_file(name))
    ran = subprocess.run(
        [COMMAND, "scan", folder / "photos", "--case", folder / "c.db", *FAST], check=False, capture_output=True
    )
    assert ran.returncode == 0, ran.stderr
    return folder


def planted(sound: Path, folder: Path, script: str) -> Path:
    for name in ("c.db", "c.db.custody.jsonl"):
        shutil.copy(sound / name, folder / name)
    connection = sqlite3.connect(folder / "c.db")
    connection.executescript(script)
    connection.close()
    return folder / "c.db"


COMMANDS: list[list[str]] = [
    ["case", "list", "CASE"],
    ["case", "list", "CASE", "--json"],
    ["case", "show", "CASE", "plain.jpg"],
    ["case", "mark", "CASE", "plain.jpg", "--decision", "relevant"],
    ["case", "add", "CASE", "PHOTOS"],
    ["case", "export", "CASE", "-o", "OUT"],
    ["case", "verify", "CASE", "--files"],
    ["scan", "PHOTOS", "--case", "CASE", *FAST],
    ["scan", "--case", "CASE", *FAST],
    ["search", "PHOTOS", "--known", "CASE"],
    ["evidence", "log", "CASE"],
    ["evidence", "pack", "CASE", "-o", "OUT"],
    ["notice", "CASE", "--law", "eu"],
]


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: " ".join(line[:2]))
@pytest.mark.parametrize(("script", "named"), [(TRIGGERS, "the trigger 'evil'"), (ENDLESS, "the view 'findings'")])
def test_every_command_refuses_it(
    sound: Path, tmp_path: Path, run: Runner, line: list[str], script: str, named: str
) -> None:
    case = planted(sound, tmp_path, script)
    before = case.read_bytes()
    places = {"CASE": case, "PHOTOS": sound / "photos", "OUT": tmp_path / "out"}
    ran = run(*(places.get(word, word) for word in line), COLUMNS="400")
    assert ran.code in (1, 2), ran.err
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert named in ran.err
    assert case.read_bytes() == before
    assert not (tmp_path / "out").exists()


def test_results_that_were_changed_behind_the_log_are_found_and_said(sound: Path, tmp_path: Path, run: Runner) -> None:
    case = planted(sound, tmp_path, "UPDATE files SET priority = 0; UPDATE contents SET width = 1")
    ran = run("case", "verify", case, COLUMNS="400")
    assert ran.code == 1
    assert "place or error in lists do not follow" in ran.err
    assert "the results in the case are not those of entry" in ran.err
    assert "The case is sound" not in ran.out
    assert "Not covered: whoever can write to the case" in ran.out


@pytest.mark.parametrize("where", ["in the case", "beside it"])
def test_a_broken_chain_is_found_wherever_it_is(sound: Path, tmp_path: Path, run: Runner, where: str) -> None:
    case = planted(sound, tmp_path, "SELECT 1")
    copy = tmp_path / "c.db.custody.jsonl"
    if where == "beside it":
        copy.write_text(copy.read_text("ascii").replace("scan finished", "scan forged"))
    else:
        connection = sqlite3.connect(case)
        rows = "SELECT sql FROM sqlite_master WHERE name = 'custody_log_keep_update'"
        (trigger,) = connection.execute(rows).fetchone()
        connection.execute("DROP TRIGGER custody_log_keep_update")
        connection.execute("UPDATE custody_log SET line = replace(line, 'scan finished', 'scan forged')")
        connection.execute(trigger)
        connection.commit()
        connection.close()
    ran = run("case", "verify", case, COLUMNS="400")
    assert ran.code == 1
    assert "custody" in ran.err or "entry" in ran.err


def test_a_sound_case_is_said_to_be_and_what_that_means(sound: Path, tmp_path: Path, run: Runner) -> None:
    case = planted(sound, tmp_path, "SELECT 1")
    ran = run("case", "verify", case, "--files", COLUMNS="400")
    assert ran.code == 0, ran.err
    assert "The case is sound." in ran.out
    assert "custody log in the database and beside it (2 entries)" in ran.out
    assert "2 same, 0 changed" in ran.out

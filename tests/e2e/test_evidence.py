"""Evidence packed, signed and checked with the installed command, from files and from a case."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from nsfwforensics.testing import contract_file
from tests.custody.authority import Authority
from tests.e2e.case_files import FAST, fill
from tests.e2e.conftest import COMMAND, Runner, listen
from tests.e2e.test_imports import loaded_by


@pytest.fixture
def few(tmp_path: Path) -> Path:
    return fill(tmp_path / "evidence", 8)


def key_of(run: Runner, place: Path) -> Path:
    made = run("evidence", "keygen", place, "--no-passphrase")
    assert made.code == 0, made.err
    return place


def test_files_with_a_saved_report_packed_signed_stamped_and_checked(few: Path, tmp_path: Path, run: Runner) -> None:
    run("scan", few, *FAST, "-o", tmp_path / "report")
    key, bag = key_of(run, tmp_path / "key"), tmp_path / "bag"
    (tmp_path / "who.toml").write_text('name = "Ann [red]x"\n')
    ran = run("evidence", "pack", few, "-o", bag, "--report", tmp_path / "report", "--operator", tmp_path / "who.toml")
    assert ran.code == 0, ran.err
    assert "9 files: 9 copied, 0 described by their hashes only, 0 not packed." in ran.out
    assert "Not signed" in ran.out
    assert {"data", "bagit.txt"} <= {path.name for path in bag.iterdir()}
    ran = run(
        "evidence", "sign", bag, "--key", key, "--operator", tmp_path / "who.toml", "--request", tmp_path / "q.tsq"
    )
    assert ran.code == 0, ran.err
    (statement,) = bag.glob("signatures/*/statement.sig")
    (tmp_path / "t.tsr").write_bytes(Authority.make().response(statement.read_bytes()))
    ran = run("evidence", "sign", bag, "--key", key, "--timestamp", tmp_path / "t.tsr")
    assert ran.code == 0, ran.err
    ran = run("evidence", "verify", bag)
    assert ran.code == 0, ran.out
    assert "not checked against a key that you trust" in ran.out
    assert "Ann [red]x" in ran.out
    assert "2026-11-22T05:06:07" in ran.out
    ran = run("evidence", "verify", bag, "--public-key", tmp_path / "key.pub", "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert found["accepted"]
    assert found["signatures"][0]["trusted"] is True
    done = subprocess.run([sys.executable, "-m", "bagit", "--validate", bag], capture_output=True, check=False)
    assert done.returncode == 0
    (picture,) = bag.glob("data/evidence/000001-*")
    data = bytearray(picture.read_bytes())
    data[len(data) // 2] ^= 1
    picture.write_bytes(data)
    ran = run("evidence", "verify", bag, "--public-key", tmp_path / "key.pub")
    assert ran.code == 1
    assert f"altered: data/evidence/{picture.name}" in ran.out
    ran = run("evidence", "sign", bag, "--key", key)
    assert ran.code == 1
    assert "was not signed" in ran.err


def test_a_case_is_packed_with_its_report_and_its_log(few: Path, tmp_path: Path, run: Runner) -> None:
    case, bag = tmp_path / "c.db", tmp_path / "bag"
    run("case", "init", case, "--name", "Harbour", "--operator", "Ann")
    run("scan", few, "--case", case, *FAST)
    run("case", "mark", case, "001.jpg", "--decision", "relevant")
    (few / "002.jpg").unlink()
    (few / "003.jpg").write_bytes(contract_file("plain.jpg"))
    ran = run("evidence", "pack", case, "-o", bag, "--key", key_of(run, tmp_path / "key"))
    assert ran.code == 4, ran.err
    rows = {Path(row["original_path"]).name: row for row in json.loads((bag / "data/files.json").read_text())["files"]}
    assert "no longer at the place" in rows["002.jpg"]["problem"]
    assert "it was changed since" in rows["003.jpg"]["problem"]
    assert sum(row["copy"] is not None for row in rows.values()) == 7
    report = json.loads((bag / "data/report/report.json").read_text("utf-8"))
    assert any(result["analyzer"] == "case" for file in report["files"] for result in file["results"])
    log = [json.loads(line) for line in (bag / "data/custody.jsonl").read_text().splitlines()]
    kinds = ["case made", "scan started", "scan finished", "decision"]
    assert [entry["kind"] for entry in log] == kinds
    assert [entry["operator"] for entry in log] == ["Ann", "not supplied", "not supplied", "Ann"]
    commands = (bag / "data/command.log").read_text("utf-8").splitlines()
    assert len(commands) == 5
    assert "nsfwforensics case mark" in commands[3]
    assert json.loads((bag / "data/info.json").read_text("utf-8"))["case"]["name"] == "Harbour"
    ran = run("evidence", "verify", bag)
    assert ran.code == 0
    assert "Custody log of the case: 4 entries, unbroken." in ran.out
    shown = json.loads(run("evidence", "log", case, "--json").out)
    assert shown["unbroken"]
    assert [entry["kind"] for entry in shown["entries"]] == [*kinds, "evidence packed"]
    last = shown["entries"][-1]
    assert last["counts"] == {"copied": 7, "not packed": 2, "pointed at": 9, "without a copy": 0}
    assert last["digests"].keys() == {"tagmanifest-sha256.txt", "tagmanifest-sha512.txt"}


def test_every_run_on_a_case_is_in_its_log_and_a_cut_is_found(few: Path, tmp_path: Path, run: Runner) -> None:
    case = tmp_path / "c.db"
    run("scan", few, "--case", case, *FAST, "--operator", "Bea")
    run("case", "add", case, few)
    run("case", "export", case, "-o", tmp_path / "out", "--format", "csv")
    run("case", "verify", case, "--files")
    run("scan", "--case", case, *FAST)
    ran = run("evidence", "log", case)
    assert ran.code == 0, ran.err
    assert "Unbroken" in ran.out
    assert not {"\x1b", "\u202e"} & set(ran.out)
    copy = tmp_path / "c.db.custody.jsonl"
    lines = copy.read_text().splitlines(keepends=True)
    assert [json.loads(line)["kind"] for line in lines] == [
        "scan started", "scan finished", "files registered", "export as csv", "case verified", "scan started",
        "scan finished",
    ]  # fmt: skip
    assert json.loads(lines[1])["counts"] == {"already done": 0, "failed": 1, "ok": 7, "scan": 1, "skipped": 1}
    assert json.loads(lines[0])["operator"] == "Bea"
    copy.write_text("".join(lines[:-2]))
    ran = run("evidence", "log", case)
    assert ran.code == 1
    assert "does not hold entries 6, 7" in ran.err
    copy.write_text("".join([*lines[:2], lines[2].replace("registered", "examined"), *lines[3:]]))
    ran = run("evidence", "log", case, "--json")
    assert ran.code == 1
    assert any("entry 3" in problem for problem in json.loads(ran.out)["problems"])


@pytest.mark.slow
def test_plain_files_are_scanned_for_the_bag_unless_told_otherwise(tmp_path: Path, run: Runner) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "one.jpg").write_bytes(contract_file("plain.jpg"))
    ran = run("evidence", "pack", folder, "-o", tmp_path / "bare", "--no-report")
    assert ran.code == 0, ran.err
    assert not (tmp_path / "bare/data/report").exists()
    ran = run("evidence", "pack", folder, "-o", tmp_path / "bag", "--hash-only")
    assert ran.code == 0, ran.err
    report = json.loads((tmp_path / "bag/data/report/report.json").read_text("utf-8"))
    assert len(report["files"]) == 1
    assert len(report["header"]["analyzers"]) > 5
    info = json.loads((tmp_path / "bag/data/info.json").read_text("utf-8"))
    assert info["models"]
    assert all(len(model["sha256"]) == 64 for model in info["models"])
    everything = b"".join(path.read_bytes() for path in (tmp_path / "bag").rglob("*") if path.is_file())
    assert contract_file("plain.jpg")[:200] not in everything
    assert run("evidence", "verify", tmp_path / "bag").code == 0
    assert run("evidence", "pack", folder, "-o", tmp_path / "bag").code == 1
    assert run("evidence", "pack", folder, "-o", folder / "bag", "--no-report").code == 2
    assert [path.name for path in folder.iterdir()] == ["one.jpg"]


def test_what_cannot_be_packed_is_named_and_the_others_are_packed(few: Path, tmp_path: Path, run: Runner) -> None:
    (few / "link").symlink_to("001.jpg")
    os.mkfifo(few / "pipe")
    ran = run("evidence", "pack", few, "-o", tmp_path / "bag", "--no-report", COLUMNS="200")
    assert ran.code == 4
    assert f"not packed: {few / 'link'}" in ran.out
    assert "a named pipe" in ran.out
    assert "11 files: 9 copied" in ran.out
    assert run("evidence", "verify", tmp_path / "bag").code == 0


def test_ctrl_c_leaves_nothing_half_made(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.bin").write_bytes(os.urandom(4_000_000))
    process = subprocess.Popen(
        [COMMAND, "evidence", "pack", folder, "-o", tmp_path / "bag", "--no-report"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=listen,
    )
    until = time.monotonic() + 60
    while not list(tmp_path.glob(".bag.*.part/evidence/*")) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["evidence"]


def test_a_passphrase_is_asked_for_on_the_terminal_or_read_from_a_file(tmp_path: Path, run: Runner) -> None:
    ran = run("evidence", "keygen", tmp_path / "key")
    assert ran.code == 2
    assert "there is no terminal" in ran.err
    (tmp_path / "pass").write_text("open sesame\nrest\n")
    assert run("evidence", "keygen", tmp_path / "key", "--passphrase-file", tmp_path / "pass").code == 0
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in (tmp_path / "key").read_bytes()
    assert run("evidence", "keygen", tmp_path / "key", "--no-passphrase").code == 1
    (tmp_path / "x.jpg").write_bytes(contract_file("plain.jpg"))
    args = ("evidence", "pack", tmp_path / "x.jpg", "-o", tmp_path / "bag", "--no-report", "--key", tmp_path / "key")
    assert run(*args).code == 2
    assert not (tmp_path / "bag").exists()
    (tmp_path / "wrong").write_text("no")
    assert run(*args, "--passphrase-file", tmp_path / "wrong").code == 2
    main, child = pty.openpty()
    process = subprocess.Popen([COMMAND, *map(str, args)], stdin=child, stdout=child, stderr=child)
    until = time.monotonic() + 120
    while termios.tcgetattr(child)[3] & termios.ECHO and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)  # what is typed before the echo is off is thrown away
    os.close(child)
    os.write(main, b"open sesame\n")
    seen = b""
    try:
        while piece := os.read(main, 1000):
            seen += piece
    except OSError:
        pass
    assert process.wait(60) == 0, seen
    assert b"Passphrase" in seen
    assert b"open sesame" not in seen
    assert run("evidence", "verify", tmp_path / "bag", "--public-key", tmp_path / "key.pub").code == 0


def test_checking_needs_no_models_and_no_picture_library(few: Path, tmp_path: Path, run: Runner) -> None:
    assert run("evidence", "pack", few, "-o", tmp_path / "bag", "--no-report").code == 0
    modules = loaded_by("evidence", "verify", str(tmp_path / "bag"))
    assert "nsfwforensics.custody.verify" in modules
    assert not modules & {"torch", "torchvision", "cv2", "numpy", "PIL", "bagit", "onnxruntime"}


def test_mistakes_cost_nothing(few: Path, tmp_path: Path, run: Runner) -> None:
    case, bag = tmp_path / "c.db", tmp_path / "bag"
    run("case", "init", case)
    assert run("evidence", "pack", case, "-o", bag).code == 2
    assert run("evidence", "pack", case, few, "-o", bag).code == 2
    assert run("evidence", "pack", few, "-o", bag, "--report", tmp_path / "x", "--no-report").code == 2
    assert run("evidence", "pack", few, "-o", bag, "--report", tmp_path / "x").code == 1
    assert run("evidence", "pack", tmp_path / "none", "-o", bag, "--no-report").code == 2
    assert run("evidence", "pack", few, "-o", bag, "--no-report", "--key", tmp_path / "none").code == 1
    (tmp_path / "who.toml").write_text("phone = '1'")
    assert run("evidence", "pack", few, "-o", bag, "--operator", tmp_path / "who.toml").code == 2
    (tmp_path / "foreign.db").write_bytes(b"SQLite format 3\0" + bytes(200))
    assert run("evidence", "log", tmp_path / "foreign.db").code == 1
    assert run("evidence", "verify", few).code == 1
    assert run("evidence", "pack", tmp_path / "foreign.db", "-o", tmp_path / "other", "--no-report").code == 0
    shutil.rmtree(tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "c.db", "c.db.custody.jsonl", "evidence", "foreign.db", "who.toml",
    ]  # fmt: skip

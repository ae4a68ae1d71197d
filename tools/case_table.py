"""Prints what is said of collected inputs beside what is right: ``python tools/case_table.py CASES.csv [ID ...]``.

The table has the columns ``id``, ``file``, ``command`` and ``expected``; files stand beside it. Each command is run
once with ``--json``, and its findings, statements, exit code and error are printed under the expectation, for a person
to judge: expectations are sentences.
"""

from __future__ import annotations

import csv
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def words_of(command: str, file: str, folder: Path) -> list[str] | None:
    """The command line of a row, with its file put in; None where the row is no single command of this tool."""
    first = command.split(";")[0]
    words = shlex.split(first)
    if words[:1] != ["nsfwforensics"] or ("FILE" not in words and "DIR" not in words) or "," in words[1]:
        return None
    place = {"FILE": folder / file, "DIR": folder / file.split(" ")[0]}
    made = []
    for word in words[1:]:
        beside = folder / Path(file).parent / word
        if word in place:
            made.append(str(place[word]))
        elif (ROOT / word).exists():
            made.append(str(ROOT / word))
        elif not word.startswith("-") and ((folder / word).exists() or beside.exists()):
            made.append(str(folder / word if (folder / word).exists() else beside))
        else:
            made.append(word)
    return made


def said(words: list[str]) -> Iterator[str]:
    """What a command says of each file: codes with severity, answers, failures, exit code."""
    command = [sys.executable, "-m", "nsfwforensics", *words, "--json"]
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=scratch)
    yield f"exit code {done.returncode}"
    yield from (line for line in done.stderr.splitlines()[:3])
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return
    for file in document.get("files", ())[:3]:
        if file.get("error"):
            yield f"{file['status']}: {file['error']}"
        yield f"priority {file['priority']}"
        for result in file["results"]:
            for finding in result["findings"]:
                yield f"  {finding['code']} {finding['severity']} {finding['support']}: {finding['explanation'][:220]}"


def main(table: str, *wanted: str) -> int:
    """Prints the table.

    Args:
        table: Path of the CSV file.
        wanted: Only rows with these identifiers; all of them if there are none.

    Returns:
        0.
    """
    folder = Path(table).parent
    with Path(table).open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if wanted and row["id"] not in wanted:
                continue
            print(f"== {row['id']} {row['file']}\n   right: {row['expected']}")
            words = words_of(row["command"], row["file"], folder)
            if words is None:
                print(f"   by hand: {row['command']}")
                continue
            for line in said(words):
                print(f"   {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

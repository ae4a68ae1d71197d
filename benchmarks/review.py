"""How long a reviewer waits in a case of fifty thousand files, and whether the server's memory stays as it is."""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import random
import re
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from benchmarks import corpus
from benchmarks.measure import TOOL
from nsfwforensics.store import custody_log, runs
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.log_copy import LogCopy

WORK = corpus.ROOT / ".work" / "bench"
SAMPLES = corpus.ROOT / "samples"
FILES = 50_000
STEPS = 300
"""So many files are decided about."""

ALIKE = 0.1
"""So large a share of the files looks like an earlier one."""


def review(_: argparse.Namespace) -> str:
    """The review page over a large case: the first item, the next ones, decisions, memory."""
    case = WORK / f"review-{FILES}.db"
    if not case.exists():
        _build(case)
    page = _Page(case)
    try:
        started, busy = time.perf_counter(), page.busy()
        page.enter()
        first = page.item(0)
        opened, first_busy = time.perf_counter() - started, page.busy() - busy
        busy = page.busy()
        nexts, decided = [], []
        before = page.memory()
        item = first
        for step in range(STEPS):
            decided.append(page.timed(page.decide, item))
            nexts.append(page.timed(page.item, item["number"] + 1))
            item = page.last
            if step == STEPS // 10:
                before = page.memory()
        after, work_busy = page.memory(), page.busy() - busy
    finally:
        page.close()
    each_ms = 1000 * work_busy / STEPS
    next_ms, decided_ms = (1000 * statistics.median(found) for found in (nexts, decided))
    return f"""## The review page over {FILES:,} files

A case of {FILES:,} files ({case.stat().st_size / 2**20:,.0f} MiB; the samples examined by `metadata`, `phash` and
`provenance`, and copied under other names, hashes and digests; one in ten looks like an earlier one), the real command,
asked over HTTP one request after the other. "Next" is the whole answer for an item, group and markup included; the page
asks for it while the one before is being read.

| | milliseconds | target |
|---|---|---|
| the command, until its address is printed | {page.began * 1000:.0f} | |
| from there the first page and the first item | {opened * 1000:.0f} | below 1,000 |
| next item, median ({max(nexts) * 1000:.0f} at most, of {STEPS}) | {next_ms:.0f} | below 100 |
| a decision, on the disk and in the log, median ({max(decided) * 1000:.0f} at most) | {decided_ms:.0f} | |

The server process itself was busy for {first_busy * 1000:.0f} ms of the first wait, and for {each_ms:.0f} ms for each
decision with the item after it; the rest is the disk, and waiting for a core. Its memory: {before:.0f} MiB after
{STEPS // 10} decisions, {after:.0f} MiB after {STEPS}."""


def _build(case: Path) -> None:
    """A case as a scan leaves it, with its log: the rows of the samples' own case again and again under other names."""
    seed = WORK / "review-seed.db"
    if not seed.exists():
        chosen = [part for name in ("metadata", "phash", "provenance") for part in ("--only", name)]
        subprocess.run([TOOL, "scan", SAMPLES, "--case", seed, "--quiet", *chosen], check=False)
    with CaseDatabase.open(seed) as opened, opened.reading() as connection:
        header = opened.headers()[0]
        patterns = [_Pattern(connection, file.id) for file in opened.files(statuses=["ok", "partial"])]
    numbers = random.Random(9)
    made = case.with_suffix(".part")
    for left in made.parent.glob(f"{made.name}*"):
        left.unlink()
    earlier: list[int] = []
    with CaseDatabase.create(made, name="fifty thousand", operator="bench") as opened:
        with opened.writing() as connection:
            run = runs.begin(connection, header)
            for number in range(1, FILES + 1):
                bits = numbers.getrandbits(256)
                if earlier and numbers.random() < ALIKE:
                    bits = numbers.choice(earlier) ^ (1 << numbers.randrange(256))
                elif len(earlier) < 1000:
                    earlier.append(bits)
                patterns[number % len(patterns)].write(connection, run.id, number, f"{bits:064x}")
        done = {custody_log.RUN: run.id}
        custody_log.append(opened, custody_log.Happening(custody_log.SCAN_STARTED, header.command, counts=done))
        custody_log.append(opened, custody_log.Happening(custody_log.SCAN_FINISHED, header.command, counts=done))
    made.rename(case)
    LogCopy.place(made).rename(LogCopy.place(case))
    for suffix in ("-wal", "-shm", "-lock"):
        Path(f"{made}{suffix}").unlink(missing_ok=True)


class _Pattern:
    """The rows of one file in a case, to be written again for other files."""

    def __init__(self, connection: sqlite3.Connection, number: int) -> None:
        def rows(what: str, value: int) -> list[Any]:
            return connection.execute(f"SELECT * FROM {what} = ?", (value,)).fetchall()

        (self._file,) = rows("files WHERE id", number)
        (self._content,) = rows("contents WHERE id", self._file[2])
        (self._examination,) = rows("examinations WHERE superseded = 0 AND file_id", number)
        self._results = rows("results WHERE examination_id", self._examination[0])
        self._findings = {row[0]: rows("findings WHERE result_id", row[0]) for row in self._results}
        self._hashes = [row for row in rows("hashes WHERE content_id", self._content[0]) if row[1] != "pdq"]
        self._path = os.fsdecode(self._file[1])

    def write(self, connection: sqlite3.Connection, run: int, number: int, pdq: str) -> None:
        """Writes them for another file: path, digest and PDQ hash are its own, in the documents too."""
        path, digest = f"/evidence/{number % 97:02}/{number:05}.jpg", hashlib.sha256(str(number).encode()).hexdigest()
        own = ((self._path, path), (Path(self._path).name, Path(path).name), (self._content[1], digest))

        def as_own(document: str) -> str:
            for old, new in own:
                document = document.replace(old, new)
            return document

        def insert(table: str, row: Sequence[Any]) -> None:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

        insert("contents", (number, digest, *self._content[2:]))
        insert("files", (number, os.fsencode(path), number, *self._file[3:]))
        done = self._examination
        insert("examinations", (number, number, run, number, *done[4:-1], as_own(done[-1])))
        for result in self._results:
            place = connection.execute(
                "INSERT INTO results VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", (number, *result[2:-1], as_own(result[-1]))
            ).lastrowid
            for finding in self._findings[result[0]]:
                insert("findings", (place, *finding[1:]))
        for row in self._hashes:
            insert("hashes", (number, *row[1:]))
        insert("hashes", (number, "pdq", pdq, 100))


class _Page:
    """The command, and a browser without a face."""

    def __init__(self, case: Path) -> None:
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [str(TOOL), "review", str(case), "--operator", "bench"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._address = urlsplit(self._process.stdout.readline().strip())
        self.began = time.perf_counter() - started
        self._connection = http.client.HTTPConnection(self._address.netloc)
        self._headers: dict[str, str] = {}
        self.last: Any = None

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        method = "GET" if body is None else "POST"
        data = None if body is None else json.dumps(body)
        self._connection.request(method, self._address.path + path, data, self._headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {text}")
        return answer, text

    def enter(self) -> None:
        answer, _ = self._ask(f"?{self._address.query}")
        self._headers = {"Cookie": answer.getheader("Set-Cookie").split(";")[0]}
        _, text = self._ask("")
        found = re.search(r'data-csrf="([^"]+)"', text)
        assert found is not None
        self._headers |= {
            "X-Review": found[1], "Origin": f"http://{self._address.netloc}", "Content-Type": "application/json"
        }  # fmt: skip

    def item(self, number: int, **more: int) -> Any:
        query = "&".join(f"{name}={value}" for name, value in {"at": number, **more}.items())
        _, text = self._ask(f"item?{query}")
        self.last = json.loads(text)
        return self.last

    def decide(self, item: Any) -> None:
        self._ask("decide", {"contents": item["contents"], "earlier": item["earlier"], "decision": "not-relevant"})

    def timed(self, call: Any, *arguments: Any) -> float:
        started = time.perf_counter()
        call(*arguments)
        return time.perf_counter() - started

    def busy(self) -> float:
        """Seconds of processor time that the server process has taken so far."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        return float(psutil.Process(self._process.pid).memory_full_info().pss) / 2**20

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

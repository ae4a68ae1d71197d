"""Cases whose pictures were made for the test, and the real server over them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from nsfwforensics.core.evidence import Limits
from nsfwforensics.core.types import AnalyzerResult, FileReport
from nsfwforensics.language import language
from nsfwforensics.store import custody_log, runs
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.custody_log import Happening
from nsfwforensics.store.rows import Stat
from tests.e2e.conftest import run
from tests.report.factory import file, header
from tests.review.client import Client

RESULTS = custody_log.RESULTS

__all__ = ["Made", "Serve", "made", "run", "serve"]


class Made:
    """A case and the folder of its pictures."""

    def __init__(self, folder: Path, name: str = "One") -> None:
        self.folder = folder / "evidence"
        self.folder.mkdir()
        self.path = folder / "one.db"
        self.case = CaseDatabase.create(self.path, name=name, operator="Ann")
        with self.case.reading() as connection:
            connection.execute("PRAGMA synchronous = OFF")
        with self.case.writing() as connection:
            self._run = runs.begin(connection, header(fingerprint="plan", finished=None, references=()))
        custody_log.append(self.case, Happening("scan started", "scan", counts={custody_log.RUN: self._run.id}))

    def add(self, name: str, *results: AnalyzerResult, pdq: str | None = None, **changes: Any) -> FileReport:
        """A picture of its own colour, with a report of it."""
        path = self.folder / name
        number = len(list(self.folder.iterdir()))
        picture = Image.new("RGB", (400, 300), (number * 37 % 256, number * 91 % 256, 200))
        ImageDraw.Draw(picture).rectangle((100, 100, 200, 180), fill=(255, 255, 255))
        picture.save(path, "JPEG", comment=name)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        report = file(str(path), *results, info={"sha256": sha256, "width": 400, "height": 300}, **changes)
        with self.case.writing() as connection:
            runs.save(connection, self._run, path, report, Stat.of(path))
            if pdq is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO hashes SELECT id, 'pdq', ?, 100 FROM contents WHERE sha256 = ?",
                    (pdq, sha256),
                )
        return report

    def done(self) -> None:
        """Ends the scan in the log, as a scan does."""
        about = Happening("scan finished", "scan", counts={custody_log.RUN: self._run.id}, states=(RESULTS,))
        custody_log.append(self.case, about)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    here = Made(tmp_path)
    yield here
    here.case.close()


Serve = Callable[..., Client]


@pytest.fixture
def serve(made: Made) -> Iterator[Serve]:
    """Serves the case as the command does, in a thread of this process; entered unless told otherwise."""
    pytest.importorskip("uvicorn", reason="the extra `review` is not installed")
    from nsfwforensics.review.app import Reviewing
    from nsfwforensics.review.desk import Desk, Rules
    from nsfwforensics.review.guard import Guard
    from nsfwforensics.review.serving import listening, server

    running: list[Callable[[], None]] = []

    def start(reviewer: str = "Ben", *, enter: bool = True, lang: str = "en", **rules: Any) -> Client:
        opened = listening(None)
        at, host = opened.__enter__()
        guard = Guard(host)
        reviewing = Reviewing(
            lambda: Desk(made.path, Rules(reviewer, "review", **rules)), guard, language(lang), Limits()
        )
        served = server(reviewing)
        thread = threading.Thread(target=served.run, kwargs={"sockets": [at]}, daemon=True)
        thread.start()

        def stop() -> None:
            served.should_exit = True
            thread.join(10)
            reviewing.close()
            opened.__exit__(None, None, None)

        running.append(stop)
        client = Client(f"http://{host}{guard.path}")
        return client.enter() if enter else client

    yield start
    for stop in running:
        stop()

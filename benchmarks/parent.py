"""What the main process itself spends on a file: workers that only hand over answers they have made before."""

from __future__ import annotations

import argparse
import hashlib
import pickle
import shutil
import statistics
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import corpus
from nsfwforensics.api import Run, scan
from nsfwforensics.cli.progress import FirstFindings
from nsfwforensics.cli.run import ExitTally, rare_collections
from nsfwforensics.core.discover import Look, Target
from nsfwforensics.core.plan import Plan
from nsfwforensics.core.types import FileReport
from nsfwforensics.core.written import write
from nsfwforensics.execution.answers import Reply, taken
from nsfwforensics.report.writer import ReportWriter

WORK = corpus.ROOT / ".work" / "bench" / "parent"
_FILES = 640
_WARM = 64
"""The first files also pay for opening the report and the case."""


def parent(_: argparse.Namespace) -> str:
    """Processor time of the main process for a file, both looks, without a case and with one."""
    shutil.rmtree(WORK, ignore_errors=True)
    looked = scan([corpus.ROOT / "samples"], jobs=1)
    first = [file for file in looked.first() if not file.skipped and not file.error]
    whole = {file.info.path: file for file in looked}
    pairs = [(file, whole[file.info.path]) for file in first]
    rows = []
    for case in (False, True):
        looks, size = _spent(pairs, WORK / ("case" if case else "plain"), case=case)
        figures = " | ".join(f"{1000 * each:.2f}" for each in looks)
        rows.append(f"| {'with a case' if case else 'without a case'} | {figures} | {size / 1000:.1f} |")
    return f"""## The main process, for each file

{_FILES} files with the findings in the samples, handed over by workers that do nothing else, so that answers always
wait; mean of processor time in milliseconds (in a case files that wait are committed together). Target: 1.5 in all.

| | first look | second look | kB in `files.jsonl` |
|---|---|---|---|
{chr(10).join(rows)}"""


def _spent(pairs: list[tuple[FileReport, FileReport]], work: Path, *, case: bool) -> tuple[tuple[float, float], float]:
    evidence = work / "evidence"
    evidence.mkdir(parents=True)
    answers: dict[tuple[str, Look], bytes] = {}
    for number in range(_FILES):
        path = evidence / f"{number:05}.jpg"
        path.write_bytes(path.name.encode())
        looks = zip((Look.FIRST, Look.REST), pairs[number % len(pairs)], strict=True)
        answers |= {(str(path), look): _answer(file, path, look) for look, file in looks}
    run = scan([evidence], jobs=2, **({"case": work / "one.nsfcase"} if case else {}))

    def answered(plan: Plan, targets: Iterable[Target]) -> Iterator[FileReport]:
        del plan
        for target in targets:
            pickle.dumps(target)
            yield taken(pickle.loads(answers[str(target.path), target.look]))

    run.engine.run = answered  # type: ignore[method-assign]
    run.engine.ready = lambda: True  # type: ignore[method-assign]
    with ReportWriter(work / "report") as writer, rare_collections():
        writer.begin(run.header())
        times = _looks(run, writer)
        size = (work / "report" / "files.jsonl").stat().st_size / _FILES
    return times, size


def _looks(run: Run, writer: ReportWriter) -> tuple[float, float]:
    shown, tally = FirstFindings(), ExitTally()
    times: list[list[float]] = []
    for look, keep in ((run.first(), writer.add_first), (iter(run), writer.add)):
        spent, before = [], time.process_time()
        for file in look:
            keep(file)
            (shown.add if keep == writer.add_first else tally.add)(file)
            spent.append(time.process_time() - before)
            before += spent[-1]
        times.append(spent)
    first, second = (statistics.fmean(spent[_WARM:]) for spent in times)
    return first, second


def _answer(file: FileReport, path: Path, look: Look) -> bytes:
    digest = hashlib.sha256(path.name.encode()).hexdigest()
    update: dict[str, Any] = {"path": str(path), "name": path.name, "sha256": digest, "after": None}
    made = file.model_copy(update={"info": file.info.model_copy(update=update)})
    write(made, to_complete=look is Look.FIRST)  # as a worker does
    return pickle.dumps(Reply(pickle.dumps(made)))

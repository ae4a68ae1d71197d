"""Runs the evaluation: ``python -m benchmarks.traces --photos FOLDER... --out FILE``."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tools.measured import record

from benchmarks.traces import corpus, page, photos, summary, tampered
from benchmarks.traces.methods import METHODS
from benchmarks.traces.run import judge

GROUPS = ("made", "sent", "untouched")
WORK = Path(__file__).resolve().parents[2] / ".work" / "traces"


def main() -> int:
    """Makes what is missing, judges what is missing, sums up, and writes the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.traces", description=__doc__)
    parser.add_argument("--photos", type=Path, nargs="+", help="folders with untouched camera JPEGs")
    parser.add_argument("--methods", nargs="+", choices=METHODS, help="default: every one that is there")
    parser.add_argument("--limit", type=int, default=1000, help="photographs for the clean groups")
    parser.add_argument("--hosts", type=int, default=40, help="photographs to manipulate")
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=GROUPS)
    parser.add_argument("--tampered", type=Path, help="folder with real tampered pictures and their index.json")
    parser.add_argument("--minutes", type=float, help="stop judging after so long and sum up what there is")
    parser.add_argument("--any-code", action="store_true", help="keep answers of earlier code: for a first look only")
    parser.add_argument("--work", type=Path, default=WORK, help="where made pictures and answers are kept")
    parser.add_argument("--out", type=Path, help="the results, JSON; reports state their false alarms from then on")
    parser.add_argument("--results", type=Path, help="only make the page, from a file that --out wrote")
    parser.add_argument("--page", type=Path, help="the page made from the results")
    arguments = parser.parse_args()
    if arguments.photos or arguments.tampered:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        _judge(arguments)
    if arguments.results:
        result = json.loads(arguments.results.read_text("utf-8"))
    else:
        result = summary.summary(arguments.work / "answers", arguments.methods or list(METHODS))
        if arguments.out:
            record("python -m benchmarks.traces", summary.counts(result))
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    if arguments.page:
        arguments.page.write_text(page.page(result), "utf-8")
    if not arguments.out:
        print(page.figures(result))
    return 0


def _judge(arguments: argparse.Namespace) -> None:
    import cv2

    cv2.setNumThreads(1)
    methods = [METHODS[name] for name in arguments.methods or METHODS]
    listed = photos.listed(arguments.photos or [])
    print(f"{len(listed)} photographs of {len({p.camera or p.key for p in listed})} cameras", file=sys.stderr)
    until = None if arguments.minutes is None else time.time() + 60 * arguments.minutes
    pictures = arguments.work / f"pictures-{corpus.VERSION}"

    def items() -> Iterator[corpus.Item]:
        some = listed[: arguments.limit]
        groups = {
            "made": corpus.made(listed, arguments.hosts, pictures),
            "sent": corpus.sent(some, pictures),
            "untouched": corpus.untouched(some),
        }
        chosen = [groups[name] for name in arguments.groups]
        if arguments.tampered:
            chosen.append(tampered.items(arguments.tampered))
        return itertools.chain.from_iterable(chosen)

    judge(items(), methods, arguments.work / "answers", until=until, any_code=arguments.any_code)


if __name__ == "__main__":
    sys.exit(main())

"""Lets methods judge pictures; every answer is kept, so that a run can be stopped, continued and extended."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2

from benchmarks.traces import score
from benchmarks.traces.corpus import VERSION, Item, truth
from benchmarks.traces.methods import Method
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import ForensicsError

Row = dict[str, Any]
FAULTS = (ArithmeticError, AssertionError, LookupError, MemoryError, ForensicsError, OSError, RuntimeError,
          TypeError, ValueError, AttributeError, NameError, cv2.error)  # fmt: skip


class Answers:
    """One JSON Lines file per method, begun anew when the corpus or (unless told otherwise) its code changes."""

    def __init__(self, folder: Path, method: Method, *, any_code: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{method.name}.jsonl"
        self.rows: dict[str, Row] = {}
        head = {"corpus": VERSION, "code": method.digest}
        if self.path.exists():
            lines = self.path.read_text("utf-8").splitlines()
            old = json.loads(lines[0]) if lines else {}
            if old == head or (any_code and old.get("corpus") == VERSION):
                self.rows = {row["id"]: row for row in map(parsed, lines[1:]) if row}
        if not self.rows:
            self.path.write_text(json.dumps(head) + "\n", "utf-8")

    def add(self, row: Row) -> None:
        """Keeps one answer."""
        self.rows[row["id"]] = row
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def parsed(line: str) -> Row | None:
    """One answer; None where the line was cut off when a run was stopped."""
    try:
        return dict(json.loads(line))
    except ValueError:
        return None


def judge(
    items: Iterable[Item],
    methods: Sequence[Method],
    folder: Path,
    *,
    until: float | None = None,
    any_code: bool = False,
) -> bool:
    """Fills what is missing.

    Args:
        items: The pictures.
        methods: Who judges.
        folder: Where the answers are kept.
        any_code: Whether answers of an earlier version of the methods are kept (for a first look only).
        until: Stop at this time (``time.time()``), with everything so far kept.

    Returns:
        Whether all is judged.
    """
    answers = {method.name: Answers(folder, method, any_code=any_code) for method in methods}
    for number, item in enumerate(items):
        missing = [method for method in methods if item.id not in answers[method.name].rows]
        if not missing:
            continue
        if until is not None and time.time() > until:
            return False
        evidence = Evidence.from_bytes(item.path.read_bytes(), item.path.name)
        height, width = evidence.rgb.shape[:2]
        truths = [] if item.mask is None else [each for each in truth(item, height, width) if each is not None]
        for method in missing:
            row = {"id": item.id, "group": item.group, "kind": item.kind, "saving": item.saving,
                   "history": item.history, "camera": item.camera, "file": item.path.name}  # fmt: skip
            started = time.process_time()
            try:
                trace = method.run(evidence)
            except FAULTS as error:
                row |= {"error": f"{type(error).__name__}: {error}"[:200]}
                print(f"{method.name}: {item.path}: {row['error']}", file=sys.stderr)
            else:
                row |= {"ms_per_megapixel": 1e9 * (time.process_time() - started) / (height * width)}
                row |= score.judged(trace, truths, height, width)
                row["whole"] = any(trace.data.get(name) is not None for name in method.whole)
                if item.kind == "none" and trace.regions:
                    row["boxes"] = [[r.x, r.y, r.width, r.height, round(float(r.score), 2)] for r in trace.regions[:4]]
            answers[method.name].add(row)
        if number % 50 == 0:
            print(f"{number} pictures", file=sys.stderr, flush=True)
    return True

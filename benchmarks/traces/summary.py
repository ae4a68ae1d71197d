"""Sums up the answers of all methods: the figures of the page, as plain data."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.traces.chains import SAVINGS, SENT
from benchmarks.traces.manipulate import KINDS
from benchmarks.traces.run import parsed
from benchmarks.traces.score import auc, upper_bound
from benchmarks.traces.tampered import counted
from nsfwforensics.analyzers.traces.methods import METHODS

Row = dict[str, Any]


def summary(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """The figures of every method that has answers.

    Args:
        folder: Where :class:`benchmarks.traces.run.Answers` keeps them.
        names: Of the methods, in the order of the page.

    Returns:
        Plain data for JSON.
    """
    answers = {}
    for name in names:
        path = folder / f"{name}.jsonl"
        if path.exists():
            answers[name] = _rows(path)
    others = {path.stem: _rows(path) for path in sorted(folder.glob("peer-*.jsonl"))}
    return {
        "methods": {name: of(rows) for name, rows in answers.items()},
        "corpus": _corpus(answers.values()),
        "peers": beside({**others, **answers}, list(others)) if others else {},
    }


def counts(result: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """The false alarms that stand in reports, (alarms, pictures), by their name in ``data/measured.toml``.

    Args:
        result: What :func:`summary` made.
    """
    told = {}
    for method in METHODS:
        figures = result["methods"].get(method.name)
        for group in ("untouched", "resaved") if figures and not method.maps_only else ():
            alarmed, name = figures[group], method.name.replace("-", "_")
            told[f"{name}_{group}"] = (alarmed["alarms"], alarmed["pictures"])
            for kind in method.kinds:
                if kind.whole:
                    told[f"{name}_{kind.whole}_{group}"] = (alarmed["whole"], alarmed["pictures"])
    return {name: count for name, count in told.items() if count[1]}


def _rows(path: Path) -> list[Row]:
    rows = (parsed(line) for line in path.read_text("utf-8").splitlines()[1:])
    return list({row["id"]: row for row in rows if row is not None}.values())


def beside(answers: dict[str, list[Row]], others: Sequence[str]) -> dict[str, Any]:
    """Everybody's figures over those pictures that all of the others have judged.

    Args:
        answers: Rows by name, ours and others'.
        others: Whose pictures decide.

    Returns:
        By name ``clean`` (alarms), ``found`` and ``auc``.
    """
    shared = set.intersection(*({row["id"] for row in answers[name] if "error" not in row} for name in others))
    result = {}
    for name, rows in answers.items():
        same = [row for row in rows if row["id"] in shared and "error" not in row]
        clean = [row for row in same if row["kind"] == "none"]
        changed = [row for row in same if row["kind"] != "none"]
        if changed and len(same) == len(shared):
            area = _mean(areas(changed, clean).values())
            result[name] = {"clean": alarms(clean), "found": found(changed), "auc": area}
    return result


def _corpus(answers: Iterable[Sequence[Row]]) -> dict[str, int]:
    rows = [row for each in answers for row in each]
    clean = [row for row in rows if row["group"] == "untouched"]
    return {
        "photos": len({row["id"] for row in clean}),
        "cameras": len({row["camera"] for row in clean}),
        "hosts": len({row["id"].split("-")[1] for row in rows if row["group"] == "made"}),
        "manipulated": len({row["id"] for row in rows if row["group"] == "made" and row["kind"] != "none"}),
    }


def of(rows: Sequence[Row]) -> dict[str, Any]:
    """The figures of one method.

    Args:
        rows: Its answers.

    Returns:
        False alarms by group, AUC, detection and localisation by kind and saving, time.
    """
    real = [row for row in rows if row["group"] == "real"]
    rows = [row for row in rows if row["group"] != "real"]
    good = [row for row in rows if "error" not in row]
    clean = [row for row in good if row["kind"] == "none"]
    changed = [row for row in good if row["kind"] != "none"]
    resaved = [row for row in clean if row["group"] == "sent" or row["saving"] not in ("original", "PNG")]
    speeds = [row["ms_per_megapixel"] for row in good]
    return {
        "errors": len(rows) - len(good),
        "finds": any(row["regions"] for row in good),
        "real": counted(real),
        "ms_per_megapixel": round(statistics.median(speeds), 1) if speeds else None,
        "untouched": alarms(row for row in clean if row["group"] == "untouched"),
        "resaved": alarms(resaved),
        "sent": {saving: alarms(r for r in clean if r["group"] == "sent" and r["saving"] == saving) for saving in SENT},
        "saved": {s: alarms(r for r in clean if r["group"] == "made" and r["saving"] == s) for s in SAVINGS},
        "auc": _mean(areas(changed, clean).values()),
        "auc_by_saving": areas(changed, clean),
        "auc_by_kind": {
            kind: _mean(areas([row for row in changed if row["kind"] == kind], clean).values()) for kind in KINDS
        },
        "found": found(changed),
        "found_by_kind": {kind: found([row for row in changed if row["kind"] == kind]) for kind in KINDS},
        "found_by_saving": {saving: found([row for row in changed if row["saving"] == saving]) for saving in SAVINGS},
        "found_by_history": {h: found([row for row in changed if row["history"] == h]) for h in ("camera", "shared")},
        "grid": {
            kind: {
                saving: found([row for row in changed if row["kind"] == kind and row["saving"] == saving])
                for saving in SAVINGS
            }
            for kind in KINDS
        },
    }


def alarms(rows: Iterable[Row]) -> dict[str, Any]:
    """False alarms among clean pictures: how many, of how many, the rate's upper bound at 95 %, and cameras.

    An alarm is a picture with any region or any finding about the whole picture.
    """
    cameras: dict[str, int] = defaultdict(int)
    hits = trials = judged = whole = 0
    for row in rows:
        trials += 1
        judged += row["reason"] is None
        wrong = row["regions"] > 0 or row["whole"]
        hits += wrong
        whole += row["whole"]
        cameras[row["camera"]] += wrong
    return {
        "alarms": hits,
        "whole": whole,
        "pictures": trials,
        "judged": judged,
        "rate": round(hits / trials, 5) if trials else None,
        "upper": round(upper_bound(hits, trials), 5) if trials else None,
        "cameras": len(cameras),
        "cameras_with_alarms": sum(count > 0 for count in cameras.values()),
    }


def areas(changed: Sequence[Row], clean: Sequence[Row]) -> dict[str, float | None]:
    """AUC by saving: manipulated against clean pictures of the same hosts, saved alike."""
    result = {}
    for saving in SAVINGS:
        low = [row["score"] for row in clean if row["group"] == "made" and row["saving"] == saving]
        value = auc([row["score"] for row in changed if row["saving"] == saving], low)
        result[saving] = None if math.isnan(value) else round(value, 4)
    return result


def found(rows: Sequence[Row]) -> dict[str, Any]:
    """Detection and localisation over manipulated pictures.

    Returns:
        ``detected``: share with any region. ``hit``: share where what is marked overlaps the truth (IoU of at least
        0.1). ``f1`` and ``iou``: means over all pictures, 0 where nothing was marked. ``f1_detected``: mean over those
        with a region. ``inside``: of these, the mean share of the marked area that was changed. ``map``: mean AUC of
        the raw map.
    """
    if not rows:
        return {"pictures": 0}
    detected = [row for row in rows if row["regions"] > 0]
    return {
        "pictures": len(rows),
        "judged": round(sum(row["reason"] is None for row in rows) / len(rows), 4),
        "detected": round(len(detected) / len(rows), 4),
        "hit": round(sum(row["iou"] >= 0.1 for row in rows) / len(rows), 4),
        "f1": _mean(row["f1"] for row in rows),
        "iou": _mean(row["iou"] for row in rows),
        "f1_detected": _mean(row["f1"] for row in detected),
        "inside": _mean(row["inside"] for row in detected),
        "map": _mean(row["map"] for row in rows),
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None

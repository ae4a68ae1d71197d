"""Real tampered pictures, apart from the made ones: whatever could be had, listed in a file beside them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.traces.corpus import NONE, Item
from benchmarks.traces.markdown import table

GROUP = "real"


def items(folder: Path) -> Iterator[Item]:
    """Every picture of a folder.

    Args:
        folder: Holds ``index.json``: file name to ``{"set": name, "clean": bool, "mask": file name or null}``; a mask
            is bright where the picture was changed.

    Yields:
        Pictures of the group ``real``; their ``history`` is the set's name.
    """
    for name, about in json.loads((folder / "index.json").read_text("utf-8")).items():
        kind = NONE if about["clean"] else "tampered"
        mask = folder / about["mask"] if about["mask"] else None
        yield Item(f"real-{name}", GROUP, kind, "as found", about["set"], name, folder / name, mask)


def counted(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Per set: pictures, how many were pointed at, the same for clean ones, and mean F1 where there are masks."""
    sets: dict[str, dict[str, Any]] = defaultdict(lambda: {"tampered": [0, 0], "clean": [0, 0], "f1": []})
    for row in rows:
        if "error" in row:
            continue
        entry = sets[row["history"]]
        tally = entry["clean" if row["kind"] == NONE else "tampered"]
        tally[0] += row["regions"] > 0
        tally[1] += 1
        if "f1" in row:
            entry["f1"].append(row["f1"])
    return {name: {**entry, "f1": _mean(entry["f1"]), "masks": len(entry["f1"])} for name, entry in sets.items()}


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def section(methods: dict[str, Any]) -> str:
    """The part of the page about real pictures; empty where none were judged."""
    shown = {name: each["real"] for name, each in methods.items() if each.get("real") and each["finds"]}
    sets = list(dict.fromkeys(name for real in shown.values() for name in real))
    if not sets:
        return ""
    rows = [(name, *(_cell(real.get(name)) for real in shown.values())) for name in sets]
    sums = [[sum(entry["tampered"][at] for entry in real.values()) for at in (0, 1)] for real in shown.values()]
    rows.append(("all", *(f"{hits} of {pictures}" for hits, pictures in sums)))
    return (
        "## Real tampered pictures\n\nMade by people with an editor, as far as they could be had with a licence for "
        "research; too few for rates. Pictures that the method pointed at, of how many; clean ones of the same "
        "collection in brackets; mean F1 where there are masks.\n\n"
        + table(("collection", *(f"`{name}`" for name in shown)), rows)
    )


def _cell(entry: dict[str, Any] | None) -> str:
    if entry is None:
        return "–"
    (hits, pictures), (alarms, clean) = entry["tampered"], entry["clean"]
    text = f"{hits} of {pictures}" if pictures else "–"
    if clean:
        text += f" (clean: {alarms} of {clean})"
    return text if entry["f1"] is None else f"{text}, F1 {entry['f1']:.2f} on {entry['masks']}"

"""Makes ``docs/traces.md`` out of the results."""

from __future__ import annotations

from typing import Any

from benchmarks.traces.chains import SAVINGS, SENT
from benchmarks.traces.manipulate import KINDS
from benchmarks.traces.markdown import number, percent, table
from benchmarks.traces.tampered import section
from benchmarks.traces.words import ELA, HOW, INTRODUCTION, LIMITS, PEERS, PEERS_HOW, PUBLISHED, SEES
from nsfwforensics.analyzers.traces.methods import METHODS as TABLE

Figures = dict[str, Any]

MOST_UNTOUCHED, MOST_RESAVED = 0.01, 0.03
"""Highest rate of false alarms with which a method may make findings."""

FEWEST = 100
"""Pictures in each group below which nothing is said about these limits."""


def page(result: Figures) -> str:
    """The page: what every method sees and is worth, as measured.

    Args:
        result: From :func:`benchmarks.traces.summary.summary`.

    Returns:
        Markdown.
    """
    methods: dict[str, Figures] = result["methods"]
    parts = [
        INTRODUCTION,
        _overview(methods),
        "## What each method is worth\n",
        _worth(methods),
        "AUC by how the picture was saved (0.5 is chance):\n",
        _areas(methods),
        "## False alarms\n",
        _alarms(methods),
        "## What is found, by kind of manipulation and how it was saved\n",
        *(_grid(name, methods[name]) for name in methods),
        section(methods),
        peers(result),
        HOW.format(**result["corpus"]),
        LIMITS,
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def _overview(methods: dict[str, Figures]) -> str:
    rows = [
        (f"`{entry.name}`", SEES[entry.name], entry.source, entry.audience, f"{entry.destroyed_by}.".replace(",.", "."),
         "map only" if entry.maps_only else ", ".join(kind.code for kind in entry.kinds))
        for entry in TABLE
    ]  # fmt: skip
    rows.append(("`ela`", *ELA, "map only"))
    return table(("method", "what it sees", "source", "for whom", "what destroys the trace", "findings"), rows)


def _worth(methods: dict[str, Figures]) -> str:
    rows = []
    for name, each in methods.items():
        found = each["found"].get
        shares = percent(found("detected")), percent(found("hit"))
        fits = number(found("f1")), number(found("f1_detected")), percent(found("inside")), number(found("map"))
        counted = each["found"]["pictures"]
        rows.append((f"`{name}`", counted, number(each["auc"]), *shares, *fits, each["ms_per_megapixel"]))
    head = (
        "method",
        "manipulated pictures",
        "AUC",
        "pointed somewhere",
        "at the right place",
        "F1",
        "F1 where it pointed",
        "of that, changed",
        "map AUC",
        "ms per megapixel",
    )
    return table(head, rows)


def _areas(methods: dict[str, Figures]) -> str:
    rows = [
        (f"`{name}`", *(number(each["auc_by_saving"][saving]) for saving in SAVINGS)) for name, each in methods.items()
    ]
    return table(("method", *SAVINGS), rows)


def _alarms(methods: dict[str, Figures]) -> str:
    rows = []
    for name, each in methods.items():
        if name == "ela":
            continue
        few = min(each["untouched"]["pictures"], each["resaved"]["pictures"]) < FEWEST
        verdict = "too few to say" if few else "yes" if allowed(each) else "no"
        rows.append((f"`{name}`", _rate(each["untouched"]), _rate(each["resaved"]),
                     *(_few(each["sent"][saving]) for saving in SENT), verdict))  # fmt: skip
    return table(("method", "untouched", "all re-saved", *SENT, "within the limits"), rows)


def allowed(figures: Figures) -> bool:
    """Whether the measured rates let a method make findings: at most 1 % of untouched, 3 % of re-saved pictures."""
    untouched, resaved = figures["untouched"], figures["resaved"]
    if not untouched["pictures"] or not resaved["pictures"]:
        return False
    return untouched["rate"] <= MOST_UNTOUCHED and resaved["rate"] <= MOST_RESAVED


def _grid(name: str, figures: Figures) -> str:
    """Rate of detection and F1 by kind and saving; for what only draws maps, the AUC of the map."""
    maps = figures["found"].get("detected") == 0
    rows = []
    for kind in KINDS:
        cells = figures["grid"][kind]
        shown = [number(cells[s].get("map")) if maps else _pair(cells[s]) for s in SAVINGS]
        rows.append((kind, number(figures["auc_by_kind"][kind]), *shown))
    what = "AUC of the map" if maps else "share of pictures in which it points somewhere / mean F1"
    clean = "" if maps else f"\nClean pictures saved alike, alarms: {_list(figures['saved'])}.\n"
    return f"### `{name}`: {what}\n\n" + table(("kind", "AUC", *SAVINGS), rows) + clean


def peers(result: Figures) -> str:
    """Other people's implementations on the same pictures, and published figures on others."""
    others: dict[str, Figures] = result.get("peers", {})
    if not others:
        return "## Side by side with others\n\n" + PUBLISHED
    rows = []
    for name, each in others.items():
        found, clean = each["found"], each["clean"]
        fits = percent(found["detected"]), number(found["f1"]), number(found["map"]), number(each["auc"])
        rows.append((PEERS.get(name, f"`{name}`"), found["pictures"], _few(clean), *fits))
    head = ("on the same pictures", "manipulated", "alarms, clean", "pointed somewhere", "F1", "map AUC", "AUC")
    return "\n".join(("## Side by side with others\n", PEERS_HOW, table(head, rows), PUBLISHED))


def _list(saved: dict[str, Figures]) -> str:
    return ", ".join(f"{saving} {_few(each)}" for saving, each in saved.items() if each["pictures"])


def _pair(cell: Figures) -> str:
    return f"{percent(cell.get('detected'))} / {number(cell.get('f1'))}" if cell["pictures"] else "–"


def _few(each: Figures) -> str:
    return f"{each['alarms']} of {each['pictures']}"


def _rate(each: Figures) -> str:
    if not each["pictures"]:
        return "not measured"
    cameras = f"; {each['cameras_with_alarms']} of {each['cameras']} cameras" if each["alarms"] else ""
    return f"{_few(each)} (at most {percent(each['upper'], 1)}{cameras})"


def figures(result: Figures) -> str:
    """A short view for the terminal."""
    methods = result["methods"]
    return "\n".join(
        (_worth(methods), _areas(methods), _alarms(methods), *(_grid(name, each) for name, each in methods.items()))
    )

"""The model card, written from the figures."""

from __future__ import annotations

import argparse
import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nsfwforensics.core.error_rates import percent, upper_percent
from nsfwforensics.models.rates import Rate
from nsfwforensics.models.synthesis.calibration import LARGE, TIERS, Branch, Verdict
from nsfwforensics.models.synthesis.domain_probe import domain_probe
from nsfwforensics.models.weights import weights_folder
from training.bring import Picture

_NAMES = ("as is", "≤ 768 px q60", "≤ 512 px q40")
_CALLED, _CLEARED, _OPEN = (
    verdict.value for verdict in (Verdict.GENERATED, Verdict.NO_INDICATION, Verdict.INCONCLUSIVE)
)


def measured_by(description: str | None, *folders: str) -> tuple[argparse.Namespace, Path]:
    """Reads the command line of a measurement with the installed weights: its arguments, and the card of those."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("run", *folders):
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser.parse_args(), weights_folder() / "synthesis.md"


def fill(card: Path, name: str, text: str) -> None:
    """Puts what a measurement found into its place in a written card, over what stood there.

    Raises:
        ValueError: The card has no such place.
    """
    place = re.compile(rf"(<!-- {name} -->).*?(<!-- /{name} -->)", re.DOTALL)
    written, count = place.subn(lambda found: f"{found[1]}\n{text}{found[2]}", card.read_text("utf-8"))
    if count != 1:
        raise ValueError(f"{card} has {count} places for {name}")
    card.write_text(written, "utf-8")


def prose(*parts: str) -> str:
    """Sentences as an item of a list has them."""
    text, indent = " ".join(parts), "  "
    return textwrap.fill(text, 125, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def area(found: Mapping[str, Any]) -> str:
    """An AUC with its interval."""
    if math.isnan(found["auc"]):
        return "–"
    return f"{found['auc']:.2f} ({found['low']:.2f}–{found['high']:.2f})"


def share(found: Rate) -> str:
    """A share with count and bound."""
    if not found.total:
        return "–"
    return f"{percent(found.share)} ({found.count} of {found.total}, at most {upper_percent(found.upper)})"


def brief(found: Rate) -> str:
    """A share with count."""
    return f"{percent(found.share)} ({found.count} of {found.total})" if found.total else "–"


def plain_share(found: Rate) -> str:
    """Count of total."""
    return f"{found.count}/{found.total}" if found.total else "–"


def domain_table(told: Mapping[str, Mapping[str, Rate]]) -> str:
    """How many of each kind are told to be no photographs, by tier."""

    def tell(name: str, rate: Rate) -> str:
        if name.startswith(("photograph", "generated")):
            return share(rate)
        least = math.floor(1000 * (1 - rate.others.upper)) / 10
        return f"{brief(rate)[:-1]}, at least {least:g} %)"

    rows = [
        (name, *(tell(name, tiers[tier]) if tier in tiers else "–" for tier in TIERS)) for name, tiers in told.items()
    ]
    return table(("told to be no photograph", *_NAMES), rows)


def card(figures: Mapping[str, Any], image: Branch, pictures: Sequence[Picture], text: str) -> str:
    """The whole card.

    Args:
        figures: Of :func:`training.measure.figures`.
        image: The calibration.
        pictures: The catalogue.
        text: The parts that people wrote, with places for the tables in braces.
    """
    matched = figures["content_matched"]
    names = [name for name in matched if name != "ML72"]
    means = [
        sum(matched[name]["tiers"][tier]["auc"] for name in names) / len(names) if names else float("nan")
        for tier in TIERS
    ]
    sets = table(
        ("set, left out whole", "generated, photographs", *_NAMES, "size alone, before → after"),
        [
            (
                name + (" (test)" if name == "ML72" else ""),
                f"{row['tiers'][TIERS[0]]['generated']}, {row['tiers'][TIERS[0]]['photographs']}",
                *(area(row["tiers"][tier]) for tier in TIERS),
                f"{row['size_alone']['before']:.2f} → {row['size_alone']['after']:.2f}",
            )
            for name, row in matched.items()
        ]
        + [("**mean of those of development**", "", *(f"**{mean:.2f}**" for mean in means), "")],
    )
    rates = {**figures["said"], "portrait": figures["portraits"][TIERS[0]]}
    states = (*TIERS, "grey", "small", "portrait")
    said = table(
        ("publishers and sources left out", *_NAMES, "grey", "200–329 px", "portraits, as they are"),
        [
            (words, *(tell(rates[state][name]) for state in states))
            for words, name, tell in (
                ("generated pictures called", "gallery_called", brief),
                ("photographs called", "real_called", share),
                ("generated, no sign said", "gallery_cleared", share),
                ("photographs, no sign said", "real_cleared", brief),
                ("generated, inconclusive", "gallery_inconclusive", brief),
                ("photographs, inconclusive", "real_inconclusive", brief),
            )
        ],
    )

    def publishers(kind: str, verdict: str) -> str:
        return table(
            ("publisher", *_NAMES),
            [(name, *(plain_share(tiers[tier][verdict]) for tier in TIERS)) for name, tiers in figures[kind].items()],
        )

    tests = table(
        ("test only", "", *_NAMES),
        [
            (name, who, *(plain_share(tiers[tier][who][_CALLED]) for tier in TIERS))
            for name, tiers in figures["test"].items()
            for who in ("generated", "photographs")
            if tiers[TIERS[0]][who][_CALLED].total
        ],
    )
    cameras = table(
        ("photographs called; no sign; inconclusive", *_NAMES),
        [
            (name, *(f"{share(tiers[t][_CALLED])}; {tiers[t][_CLEARED].count}; {tiers[t][_OPEN].count}" for t in TIERS))
            for name, tiers in figures["cameras"].items()
        ],
    )
    edited = figures["pairs"]
    editors = table(
        ("editor", "pairs", "edited scores higher", "AUC"),
        [
            (name, str(row["higher"][1]), f"{row['higher'][0]}/{row['higher'][1]}", f"{row['auc']:.2f}")
            for name, row in edited["by_editor"].items()
        ],
    )
    twins = figures["twins"]
    values = {
        "sets": sets,
        "said": said,
        "generated": publishers("generated", _CALLED),
        "photographs": publishers("photographs", _CALLED),
        "tests": tests,
        "cameras": cameras,
        "editors": editors,
        "edited": f"AUC {area(edited['of_photographs'])}; in {edited['of_photographs']['higher'][0]} of "
        f"{edited['of_photographs']['higher'][1]} pairs the edited picture scores above its original",
        "twins": f"AUC {twins['auc']:.2f} over {twins['count']}; called {plain_share(twins['said'][_CALLED])}"
        if twins["count"]
        else "not measured",
        "all": table(
            ("all left-out pictures together", *_NAMES, "grey", "200–329 px"),
            [("AUC", *(area(figures["all"][state]) for state in (*TIERS, "grey", "small")))],
        ),
        "counts": f"{sum(p.label == 1 and p.use == 'develop' for p in pictures):,} generated pictures and "
        f"{sum(p.label == 0 and p.use == 'develop' for p in pictures):,} photographs",
        "portraits": " and ".join(share(figures["portraits"][tier]["real_called"]) for tier in TIERS[1:]),
        "float32": f"{figures['float32']:.3f}",
        "plain": f"{figures['plain_ground']['real_called'].total} photographs and "
        f"{figures['plain_ground']['gallery_called'].total} generated pictures",
        "large": share(image.rate(LARGE, "real_called")),
        "domain": domain_table(domain_probe().told),
        "alpha": ", ".join(f"{100 * alpha:g} % ({state})" for state, alpha in image.alphas.items()),
        "beta": ", ".join(f"{100 * beta:g} % ({state})" for state, beta in image.betas.items()),
    }
    for name, value in values.items():
        text = text.replace("{" + name + "}", value.rstrip("\n"))
    return text

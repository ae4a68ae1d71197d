"""Makes the classifier and its card, from nothing; what a stopped run has done is not done again.

    python -m training --data DATA --galleries GALLERIES --mirrors MIRRORS --out OUT [--weights WEIGHTS]

Brings the pictures, brings them through the one chain, embeds them, fits with every publisher left out in turn,
calibrates, measures, and writes head, calibration and card into WEIGHTS (by default OUT/weights). What is measured with
the finished weights, once they are installed, is put into their card by ``training.formats``, ``training.swaps`` and
``training.places``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nsfwforensics.models.rates import Rate
from nsfwforensics.models.synthesis.calibration import TIERS, Calibration
from nsfwforensics.models.weights import weights_folder
from training import bring, calibrate, card, embed, export, leave_out, measure
from training.bring import Picture
from training.fit import features_of

ALL = 10**9

PLAN: Sequence[tuple[str, str, int, int]] = (
    ("as_is", "all", ALL, ALL),
    ("512_q40", "all", ALL, ALL),
    ("768_q60", "all", ALL, ALL),
    ("small", "all", 20, 60),
    ("grey", "all", 20, 60),
    ("twin", "photographs", 1, 2),
)
"""View, class, and most pictures of a publisher: of any, and of a content-matched one. Network time is what costs."""


def capped(pictures: Sequence[Picture], most: int, content: int) -> list[Picture]:
    """At most so many pictures of each publisher and class, by a hash of their bytes; what is test only stays whole."""
    groups: dict[tuple[str, int], list[Picture]] = defaultdict(list)
    for picture in pictures:
        groups[picture.publisher, picture.label].append(picture)
    kept: list[Picture] = []
    for (publisher, _), group in groups.items():
        limit = content if publisher in bring.CONTENT_MATCHED else most
        limit = len(group) if group[0].use == "test" else limit
        kept += sorted(group, key=lambda picture: bring.hash_rank(picture.key))[:limit]
    return kept


def chosen(pictures: Sequence[Picture], view: str, which: str, most: int, content: int) -> list[Picture]:
    """The pictures that are shown in a view."""
    uses = ("develop", "test") if view in TIERS else ("develop",)
    part = [p for p in pictures if p.use in uses and not (which == "photographs" and p.label)]
    found = capped(part, most, content)
    return found + [p for p in pictures if p.use == "pairs"] if view == "as_is" else found


def plain(value: Any) -> Any:
    """Figures as JSON values."""
    if isinstance(value, Rate):
        return [value.count, value.total, value.series]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value


def run(arguments: argparse.Namespace) -> None:
    """Does what is not done yet."""
    out: Path = arguments.out
    os.environ["DECODERS"] = str(arguments.data / "models")
    catalogue = out / "catalogue.csv"
    if arguments.bring or not catalogue.exists():
        bring.bring(arguments.data, arguments.galleries, arguments.mirrors, out)
    pictures = bring.read_catalogue(catalogue)
    for view, which, most, content in PLAN:
        embed.embed(chosen(pictures, view, which, most, content), view, out, processes=arguments.processes)
    rows, head, probe = leave_out.scored(pictures, embed.Store(out / "features"), [view for view, *_ in PLAN])
    leave_out.write(rows, out / "scores.csv")
    higher = embed.shift(pictures, "as_is", out, lambda whole: head.logits(features_of(whole)).item())
    head = replace(head, bias=head.bias - higher)  # so that scores in use are those that thresholds were made of
    image, judged = calibrate.calibrated(rows)
    figures = measure.figures(rows, judged, {picture.key: picture for picture in pictures}) | {"float32": higher}
    (out / "figures.json").write_text(json.dumps(plain(figures), indent=1), "utf-8")
    weights: Path = arguments.weights or out / "weights"
    if not weights.exists():
        weights.mkdir(parents=True)
        shutil.copy(weights_folder() / "manifest.toml", weights)
    domain = Calibration.loads((weights_folder() / "synthesis.calibration.json").read_text("utf-8")).domain
    export.export(head, probe, image, domain, weights)
    text = Path(__file__).with_name("card.md").read_text("utf-8")
    (weights / "synthesis.md").write_text(card.card(figures, image, pictures, text), "utf-8")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "galleries", "mirrors", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--bring", action="store_true", help="bring again, for what has arrived since")
    run(parser.parse_args())


if __name__ == "__main__":
    main()

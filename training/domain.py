"""Fits the probe that tells photographs from drawings, pages, charts, screenshots and renderings, and measures it.

    python -m training.domain --run OUT --out DOMAIN [--weights WEIGHTS]

OUT is the folder of a run of ``python -m training``, whose photographs and generated pictures and their embeddings are
used; DOMAIN keeps the other pictures. Writes ``domain.toml`` into WEIGHTS (by default DOMAIN/weights) and the tables of
the card into ``DOMAIN/domain.md``. What a stopped run has done is not done again.

Photographs are left out by publisher, other pictures by package, in :data:`FOLDS` folds. The threshold is the score
that :data:`WRONG` of the left-out photographs of development pass at the tier where most do.
"""

from __future__ import annotations

import argparse
import base64
import csv
import datetime
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.models.rates import Rate
from nsfwforensics.models.synthesis.calibration import TIERS, Calibration
from nsfwforensics.models.synthesis.domain import look
from nsfwforensics.models.synthesis.domain_probe import FILE
from nsfwforensics.models.synthesis.preprocess import decoded, flat_share
from nsfwforensics.models.weights import weights_folder
from training import embed
from training.bring import Picture, hash_rank, read_catalogue
from training.card import domain_table, plain_share, table
from training.fit import linear
from training.leave_out import unit
from training.not_photographs import KINDS, bring
from training.saving import tier_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 8

WRONG = 0.0085
"""Share of left-out photographs that may be taken for something else; with the measurements of pixels below 1 %."""

PENALTY = 1e-4
"""Weight of the squared length of the coefficients."""

SHARES = {"photograph": 0.4, "generated": 0.1} | dict.fromkeys(KINDS, 0.5 / len(KINDS))
"""How heavy each kind is in the fit; within it sources by the square root of their number of pictures."""

SURE = 0.001
"""Share of photographs that may be turned away by measurements of their pixels, before the network is asked."""

DRAWN_TOO = (
    "SupaGruen (SD 1.5)",
    "vladmandic (sdnext previews)",
    "songguoxs and X authors it cites",
    "jamez-bondos (GPT-4o gallery)",
    "comfyanonymous (ComfyUI examples)",
    "cheekymohnkey",
)
"""Publishers among whose generated pictures many are illustrations: not among what is no drawing."""

MOST: dict[str, int] = {"as_is": 20, "768_q60": 14, "512_q40": 14}
"""Most pictures of a source at each tier: network time is what costs."""


@dataclass(frozen=True, slots=True)
class Row:
    """A picture at a tier.

    Attributes:
        picture: Of either catalogue.
        tier: The tier.
        kind: ``photograph``, ``generated`` or one of :data:`KINDS`.
        embedding: float32 (512).
    """

    picture: Picture
    tier: str
    kind: str
    embedding: NDArray[np.float32]

    @property
    def fitted(self) -> bool:
        """Whether it takes part in the fit."""
        if self.kind == "generated" and self.picture.publisher in DRAWN_TOO:
            return False
        return self.kind in KINDS or self.picture.use == "develop"

    @property
    def fold(self) -> int:
        """Which fold judges it."""
        return hash_rank(self.picture.publisher)[0] % FOLDS


def rows_of(pictures: Sequence[Picture], tier: str, folder: Path) -> list[Row]:
    """What is embedded of pictures at a tier, below a run's folder."""
    known = {picture.key: picture for picture in pictures}
    seen = embed.Store(folder / "features").known(tier)
    return [Row(known[key], tier, kind_of(known[key]), seen[key].embedding) for key in sorted(seen) if key in known]


def kind_of(picture: Picture) -> str:
    """The kind of a picture of either catalogue."""
    if picture.use == "domain":
        return picture.kind
    return "generated" if picture.label else "photograph"


def balance(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Weights that sum to one."""
    counts = Counter((row.kind, row.picture.publisher) for row in rows)
    weights = np.array([counts[row.kind, row.picture.publisher] ** -0.5 for row in rows])
    for kind, part in SHARES.items():
        chosen = np.array([row.kind == kind for row in rows])
        if chosen.any():
            weights[chosen] *= part / weights[chosen].sum()
    return np.asarray(weights / weights.sum(), np.float64)


def fit(rows: Sequence[Row]) -> tuple[NDArray[np.float64], float]:
    """Weight and bias of the probe, for embeddings of length one."""
    labels = np.array([int(row.kind in KINDS) for row in rows])
    head = linear(unit(np.stack([row.embedding for row in rows])), labels, balance(rows), PENALTY)
    plain = head.weight / head.scale
    return plain, head.bias - float(head.mean @ plain)


def left_out(rows: Sequence[Row]) -> NDArray[np.float64]:
    """The score of every row by a probe that saw nothing of its publisher or package."""
    scores = np.zeros(len(rows))
    folds = np.array([row.fold for row in rows])
    features = unit(np.stack([row.embedding for row in rows])).astype(np.float64)
    for fold in sorted(set(folds.tolist())):
        weight, bias = fit([row for row in rows if row.fitted and row.fold != fold])
        scores[folds == fold] = features[folds == fold] @ weight + bias
    return scores


def limit_of(rows: Sequence[Row], scores: NDArray[np.float64]) -> float:
    """The least score that no more than :data:`WRONG` of the photographs of development pass at any tier."""
    limits = []
    for tier in TIERS:
        chosen = [row.kind == "photograph" and row.picture.use == "develop" and row.tier == tier for row in rows]
        part = np.sort(scores[np.array(chosen)])
        limits.append(part[len(part) - 1 - int(WRONG * len(part))])
    return float(max(limits))


def told(rows: Sequence[Row], outside: NDArray[np.bool_]) -> dict[str, dict[str, Rate]]:
    """By kind (and use, of photographs) and tier, how many are told to be no photographs, of how many and sources."""
    groups: dict[tuple[str, str], list[tuple[str, bool]]] = defaultdict(list)
    for row, said in zip(rows, outside.tolist(), strict=True):
        name = row.kind
        if name == "photograph" and row.picture.use != "develop":
            name = "photograph (measured only)"
        groups[name, row.tier].append((row.picture.publisher, said))
    found: dict[str, dict[str, Rate]] = {}
    for (name, tier), group in sorted(groups.items()):
        # Pictures of one source fare alike, but there are few sources: bounds go by pictures.
        found.setdefault(name, {})[tier] = Rate(sum(said for _, said in group), len(group))
    return found


def pixels(pictures: Sequence[Picture], run: Path, path: Path) -> dict[tuple[str, str], tuple[float, float]]:
    """Score of the measurements of pixels and share without detail, by picture and tier.

    Args:
        pictures: Of the run; at the stronger tiers, whose files are small. Measured is a small copy in any case.
        run: Its folder.
        path: Where they are kept; what is there is not measured again.
    """
    domain = Calibration.loads((weights_folder() / "synthesis.calibration.json").read_text("utf-8")).domain
    if domain is None:
        raise ValueError("the calibration has no measurements of pixels")
    path.touch()
    with path.open(newline="", encoding="utf-8") as stream:
        known = {(key, tier): (float(score), float(flat)) for key, tier, score, flat in csv.reader(stream)}
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        for picture in pictures:
            for tier in TIERS[1:]:
                file = tier_file(picture, tier, run)
                if (picture.key, tier) in known or not file.exists():
                    continue
                rgb = decoded(np.fromfile(file, np.uint8))
                known[picture.key, tier] = domain.score(look(rgb)), flat_share(rgb)
                writer.writerow([picture.key, tier, *(f"{value:.4f}" for value in known[picture.key, tier])])
    return known


def sure_from(values: Sequence[float], steps: float) -> float:
    """The least limit, in steps, that no more than :data:`SURE` of values pass."""
    ordered = np.sort(values)
    return float(np.ceil(ordered[len(ordered) - 1 - int(SURE * len(ordered))] / steps) * steps)


def write(
    weight: NDArray[np.float64], limits: Mapping[str, float], found: dict[str, dict[str, Rate]], path: Path
) -> None:
    """Writes the probe beside the weights."""
    lines = [
        "# Written by python -m training.domain; do not edit.",
        f'measured = "{datetime.datetime.now(datetime.UTC).date().isoformat()}"',
        f'weight = "{base64.b64encode(weight.astype("<f4").tobytes()).decode()}"',
        *(f"{name} = {value:.6g}" for name, value in limits.items()),
        "",
        "# Told to be no photographs, of pictures of left-out sources: count, total, series.",
    ]
    for kind, tiers in found.items():
        lines += ["", f"[told.{json.dumps(kind)}]"]
        lines += [f'"{tier}" = [{rate.count}, {rate.total}, {rate.series}]' for tier, rate in tiers.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]), "utf-8")


def tables(rows: Sequence[Row], outside: NDArray[np.bool_], found: dict[str, dict[str, Rate]]) -> str:
    """What the card says: shares by kind, and by source."""
    groups: dict[tuple[str, str], dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for row, said in zip(rows, outside.tolist(), strict=True):
        groups[row.kind, row.picture.publisher][row.tier].append(said)
    listed = [
        (kind, publisher, *(plain_share(Rate(sum(tiers[t]), len(tiers[t]))) for t in TIERS))
        for (kind, publisher), tiers in sorted(groups.items())
        if kind in KINDS or any(any(said) for said in tiers.values())
    ]
    return f"{domain_table(found)}\n{table(('kind', 'source', *TIERS), listed)}"


def main() -> None:
    """Does what is not done yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    pictures = [picture for picture in read_catalogue(arguments.run / "catalogue.csv") if picture.use != "pairs"]
    photographs = [picture for picture in pictures if not picture.label and picture.use == "develop"]
    others = bring(arguments.out, [Path(picture.file) for picture in photographs[::7]])
    rows = [row for tier in TIERS for row in rows_of(pictures, tier, arguments.run)]
    for tier, most in MOST.items():
        chosen = capped(others, most)
        embed.embed(chosen, tier, arguments.out, processes=arguments.processes)
        rows += rows_of(chosen, tier, arguments.out)
    scores = left_out(rows)
    limit = limit_of(rows, scores)
    weight, bias = fit([row for row in rows if row.fitted])
    measured = pixels(photographs, arguments.run, arguments.out / "pixels.csv")
    values = [measured[key] for key in measured if key[0] in {picture.key for picture in photographs}]
    limits = {
        "bias": bias - limit,
        "sure_from": sure_from([score for score, _ in values], 0.5),
        "flat_from": sure_from([flat for _, flat in values], 0.05),
    }
    first = np.array([_sure(measured.get((row.picture.key, row.tier)), limits) for row in rows])
    outside = (scores > limit) | first
    found = told(rows, outside)
    write(weight, limits, found, (arguments.weights or arguments.out / "weights") / FILE)
    (arguments.out / "domain.md").write_text(tables(rows, outside, found), "utf-8")


def _sure(measured: tuple[float, float] | None, limits: Mapping[str, float]) -> bool:
    """Whether a picture is turned away before the network sees it; of other pictures that is not counted on."""
    return measured is not None and (measured[0] > limits["sure_from"] or measured[1] > limits["flat_from"])


def capped(pictures: Sequence[Picture], most: int) -> list[Picture]:
    """At most so many pictures of each kind and source, by a hash."""
    groups: dict[tuple[str, str], list[Picture]] = defaultdict(list)
    for picture in sorted(pictures, key=lambda picture: hash_rank(picture.key)):
        groups[picture.kind, picture.publisher].append(picture)
    return [picture for group in groups.values() for picture in group[:most]]


if __name__ == "__main__":
    main()

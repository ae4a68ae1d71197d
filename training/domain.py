"""Fits the border between photographs and other pictures, and measures it on pictures of neither fit nor limit.

Inside are photographs and photographic generated pictures in the role *train*, outside the pictures of a folder
``tune`` with one sub-folder per kind (drawings, art, text, screenshots, charts), all in the three measured states. The
limit comes from the role *calibrate*, the figures from the role *test* and from a folder ``test``. No weights of the
classifier are involved, and the measurements take some 60 ms per picture and state.

    python -m training.domain --data DATA --extra EXTRA --others FOLDER --out OUT [--weights WEIGHTS]
    python -m training.domain --fitted OUT/domain.fitted.json --weights WEIGHTS
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nsfwforensics.evaluation.metrics import sigmoid
from nsfwforensics.evaluation.states import TIERS, at_tier
from nsfwforensics.models.synthesis import domain, preprocess
from nsfwforensics.models.synthesis.calibration import Calibration, Rate
from nsfwforensics.models.synthesis.domain import Domain
from training import augment, calibrate
from training.data import Item, load_rgb
from training.patches import saved_quality, seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.workshop import Workshop

    Matrix = NDArray[np.float64]

FOLDER = "others"
"""Where the pictures that are no photographs lie in the folder of more pictures: ``tune`` and ``test``, then kinds."""

PHOTOGRAPHS_LOST = 0.015
"""Most photographs in the role *calibrate* that the limit may rule out, in every state."""

GENERATED_LOST = 0.03
"""Most photographic generated pictures in the roles *train* and *calibrate* that it may rule out, over all states."""

MOST = 300
"""Most training photographs that are measured, chosen by a hash."""

_PENALTY = 2e-4
_STEPS = 4000


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture in one state.

    Attributes:
        look: :func:`nsfwforensics.models.synthesis.domain.look`.
        flat: :func:`nsfwforensics.models.synthesis.preprocess.flat_share`.
    """

    look: Matrix
    flat: float


Pictures = Mapping[str, Sequence[Mapping[str, Seen]]]
"""By kind, each picture's states (those in which it is large enough)."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The border and what it is worth.

    Attributes:
        domain: The border.
        figures: Plain figures of the test.
    """

    domain: Domain
    figures: dict[str, Any]


def fitted(workshop: Workshop, others: Path | None = None) -> Fitted | None:
    """Measures, fits and tests; measurements are cached in the output folder.

    Args:
        workshop: Data and output folder.
        others: The folder of pictures that are no photographs; by default :data:`FOLDER` in the extra folder.

    Returns:
        None where that folder is missing.
    """
    root = others or (workshop.extra / FOLDER if workshop.extra else None)
    if root is None or not (root / "tune").is_dir():
        return None
    cache = Cache(workshop.out / "domain.json")

    def role(label: int, name: str, most: int = 0) -> list[Mapping[str, Seen]]:
        items = [item for item in workshop.items if item.label == label and item.role == name]
        return cache.all(sorted(items, key=lambda item: seed_of(item.key))[: most or None])

    train = {"photograph": role(0, "train", MOST), "generated": role(1, "train")}
    unseen = {"photograph": role(0, "calibrate"), "generated": train["generated"] + role(1, "calibrate")}
    tune = {kind: cache.all(items) for kind, items in kinds(root / "tune").items()}
    test = {"photographs": role(0, "test"), "photographic generated pictures": role(1, "test")}
    test |= {kind: cache.all(items) for kind, items in kinds(root / "test").items()}
    found = limited(fit(train, tune), unseen)
    return Fitted(found, {"kinds": tested(found, test), "fitted_on": {k: len(v) for k, v in {**train, **tune}.items()}})


def kinds(folder: Path) -> dict[str, list[Item]]:
    """Lists the pictures of each sub-folder."""
    found: dict[str, list[Item]] = {}
    for path in sorted(folder.glob("*/*")):
        if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp"):
            kind = path.parent.name
            found.setdefault(kind, []).append(Item(path, 0, f"{folder.name}-{kind}", kind, "test", ""))
    return found


class Cache:
    """Measurements of pictures in every state, kept in a file.

    Args:
        path: The file; begun anew where it holds other measurements.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        stored = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        self._rows: dict[str, Any] = stored["rows"] if stored.get("names") == list(domain.NAMES) else {}

    def all(self, items: Sequence[Item]) -> list[Mapping[str, Seen]]:
        """Measures pictures; those too small as they are fall away."""
        for item in items:
            if item.key not in self._rows:
                self._rows[item.key] = _measured(item)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps({"names": domain.NAMES, "rows": self._rows}), "utf-8")
        rows = (self._rows[item.key] for item in items)
        found = [{tier: Seen(np.array(look), flat) for tier, (look, flat) in row.items()} for row in rows]
        return [row for row in found if "as_is" in row]


def _measured(item: Item) -> dict[str, tuple[list[float], float]]:
    """Generated pictures get the JPEG past of photographs first, others are taken as they are."""
    rgb = load_rgb(item)
    if item.label:
        lossless = saved_quality(item.path) is None
        rgb = augment.equalise_history(rgb, np.random.default_rng(seed_of("unseen", item.key)), lossless=lossless)
    states = {tier: at_tier(rgb, tier) for tier in TIERS}
    return {
        tier: ([round(float(v), 5) for v in domain.look(pixels)], preprocess.flat_share(pixels))
        for tier, pixels in states.items()
        if min(pixels.shape[:2]) >= preprocess.CROP
    }


def fit(inside: Pictures, others: Pictures) -> Domain:
    """Fits a logistic regression in which each measurement may only count in the direction that its name promises.

    Both sides weigh the same, and so do all kinds of other pictures among themselves.

    Args:
        inside: Photographs and photographic generated pictures.
        others: Drawings, text and the like, by kind.

    Returns:
        The border without a limit.
    """
    photographs = [_rows(pictures) for pictures in inside.values()]
    drawn = [rows for pictures in others.values() if len(rows := _rows(pictures))]
    inner = np.vstack(photographs)
    rows = np.vstack([inner, *drawn])
    labels = np.repeat([0.0, 1.0], [len(inner), len(rows) - len(inner)])
    weighing = [np.full(len(inner), 0.5 / len(inner)), *(np.full(len(d), 0.5 / len(drawn) / len(d)) for d in drawn)]
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    standard = np.clip((rows - mean) / scale, -4, 4)
    signs = np.array([-1.0 if name in domain.LOWER_IN_OTHERS else 1.0 for name in domain.NAMES])
    weights, bias = _logistic(standard * signs, labels, np.concatenate(weighing))
    typical = np.clip((photographs[0] - mean) / scale, -4, 4).mean(axis=0)
    numbers = (tuple(float(v) for v in column) for column in (mean, scale, weights * signs, typical))
    means, scales, weighed, typicals = numbers
    return Domain(means, scales, weighed, bias, np.inf, typicals)


def _rows(pictures: Sequence[Mapping[str, Seen]]) -> Matrix:
    looks = [seen.look for picture in pictures for seen in picture.values()]
    return np.array(looks).reshape(-1, len(domain.NAMES))


def _logistic(rows: Matrix, labels: Matrix, weighing: Matrix) -> tuple[Matrix, float]:
    """Accelerated projected gradient descent; no weight below 0."""
    columns = np.column_stack([rows, np.ones(len(rows))])
    step = 1.0 / (0.25 * float(np.linalg.eigvalsh((columns * weighing[:, None]).T @ columns)[-1]) + 2 * _PENALTY)
    now = ahead = np.zeros(columns.shape[1])
    for number in range(_STEPS):
        slope = columns.T @ (weighing * (sigmoid(columns @ ahead) - labels))
        slope[:-1] += 2 * _PENALTY * ahead[:-1]
        following = ahead - step * slope
        following[:-1] = np.maximum(following[:-1], 0.0)
        ahead = following + number / (number + 3) * (following - now)
        now = following
    return now[:-1], float(now[-1])


def limited(found: Domain, unseen: Pictures) -> Domain:
    """Sets the limit: the lowest that loses no more photographs and generated pictures than allowed.

    Args:
        found: The border.
        unseen: Kinds ``photograph`` and ``generated``.
    """

    def scores(kind: str, *tiers: str) -> list[float]:
        return [found.score(picture[tier].look) for picture in unseen[kind] for tier in tiers if tier in picture]

    limits = [np.quantile(scores("photograph", tier), 1 - PHOTOGRAPHS_LOST, method="higher") for tier in TIERS]
    if made := scores("generated", *TIERS):
        limits.append(np.quantile(made, 1 - GENERATED_LOST, method="higher"))
    return replace(found, limit=float(max(limits)))


def tested(found: Domain, pictures: Pictures) -> dict[str, dict[str, dict[str, Rate]]]:
    """Counts what is ruled out, by kind and state: by the border, because it is flat, and by either."""
    figures: dict[str, dict[str, dict[str, Rate]]] = {}
    for kind, rows in pictures.items():
        for tier in TIERS:
            seen = [row[tier] for row in rows if tier in row]
            out = [found.score(one.look) > found.limit for one in seen]
            flat = [one.flat > calibrate.MAX_FLAT_SHARE for one in seen]
            either = [a or b for a, b in zip(out, flat, strict=True)]
            named = {"domain": out, "flat": flat, "either": either}
            figures.setdefault(kind, {})[tier] = {name: Rate(sum(hits), len(seen)) for name, hits in named.items()}
    return figures


def put(found: Domain, weights: Path) -> None:
    """Puts a border into the calibration in a weights folder, and brings its manifest up to date."""
    from training import export

    path = weights / export.CALIBRATION_FILE
    path.write_text(replace(Calibration.loads(path.read_text("utf-8")), domain=found).dumps(), "utf-8")
    export.update_manifest(weights)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fits a border, or takes a fitted one, and puts it into a calibration that stands."""
    parser = argparse.ArgumentParser(prog="python -m training.domain")
    parser.add_argument("--data", type=Path, help="folder of the development data")
    parser.add_argument("--extra", type=Path, help="folder of more public pictures")
    parser.add_argument("--others", type=Path, help="folder of pictures that are no photographs: tune/KIND, test/KIND")
    parser.add_argument("--out", type=Path, help="folder for measurements and figures")
    parser.add_argument("--fitted", type=Path, help="a fitted border, in place of a fit")
    parser.add_argument("--weights", type=Path, help="folder whose calibration and manifest are brought up to date")
    options = parser.parse_args(arguments)
    if options.fitted is not None:
        found = Domain.from_plain(json.loads(options.fitted.read_text("utf-8")))
    elif options.data is None or options.out is None:
        parser.error("a fit needs --data and --out")
    else:
        found = _fit_and_write(options)
    if options.weights is not None:
        put(found, options.weights)
    return 0


def _fit_and_write(options: argparse.Namespace) -> Domain:
    from training import evaluate
    from training.workshop import Workshop

    found = fitted(Workshop(options.data, options.out, extra=options.extra), options.others)
    if found is None:
        raise SystemExit("there are no pictures that are no photographs: the folder has no folder tune")
    (options.out / "domain.figures.json").write_text(json.dumps(evaluate.plain(found.figures), indent=1), "utf-8")
    (options.out / "domain.fitted.json").write_text(json.dumps(found.domain.plain(), indent=1), "utf-8")
    return found.domain


if __name__ == "__main__":
    sys.exit(main())

"""Measures whether the score map shows where a photograph was edited, and writes it into the card.

    python -m training.places --run OUT

OUT is the folder of a run of ``python -m training``; its pairs of originals and edited pictures are used. Where both
differ is where the picture was edited.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.models.synthesis.classifier import SynthesisClassifier, cached_classifier
from nsfwforensics.models.synthesis.windows import cut, windows
from training import saving
from training.bring import Picture, read_catalogue
from training.card import fill, measured_by, prose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rgb = NDArray[np.uint8]

WHOLE = "IC-Light"
"""An editor that changes all of a picture."""

DIFFERENT = 20
"""Levels of a colour, of 255, from which on a smoothed difference is a change."""

_LONGEST = 1600
_SHARES = 0.01, 0.75
_ASPECT = 0.02
_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Places:
    """The windows of one pair.

    Attributes:
        editor: What edited it, and what the original is.
        cover: Share of each window that was changed, float64 (windows).
        edited: Score of each window in the edited picture, float64 (windows).
        original: Score of the same places in the original, float64 (windows).
    """

    editor: str
    cover: NDArray[np.float64]
    edited: NDArray[np.float64]
    original: NDArray[np.float64]

    @property
    def of_photograph(self) -> bool:
        """Whether the original is a photograph."""
        return " of real" in self.editor

    @property
    def on_change(self) -> bool:
        """Whether the window with the highest score is changed more than windows are in the mean."""
        return bool(self.cover[self.edited.argmax()] > self.cover.mean())


def change(original: Rgb, edited: Rgb) -> NDArray[np.float32] | None:
    """Where a picture was changed: 0 or 1 for each pixel, or None where both cannot be laid over each other."""
    height, width = edited.shape[:2]
    if abs(original.shape[1] / original.shape[0] / (width / height) - 1) > _ASPECT:
        return None
    laid = cv2.resize(original, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    apart = cv2.GaussianBlur(np.abs(laid - edited).max(2), (0, 0), 2)
    found = cv2.morphologyEx((apart > DIFFERENT).astype(np.float32), cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    return np.asarray(found, np.float32) if _SHARES[0] < found.mean() < _SHARES[1] else None


def judged(original: Picture, edited: Picture, classifier: SynthesisClassifier) -> Places | None:
    """The windows of a pair, or None where places cannot be compared."""
    before, after = saving.load(original), saving.longest(saving.load(edited), _LONGEST)
    where, laid = change(before, after), windows(*after.shape[:2])
    if where is None or laid is None:
        return None
    before = np.asarray(cv2.resize(before, after.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8)
    cover = [where[y : y + laid.side, x : x + laid.side].mean() for y in laid.ys for x in laid.xs]
    scores = [classifier.logits(cut(rgb, laid)).reshape(-1) for rgb in (after, before)]
    return Places(edited.generator, np.array(cover, np.float64), *scores)


def pairs(pictures: Sequence[Picture]) -> Iterator[tuple[Picture, Picture]]:
    """Original and edited picture of the pairs that were edited in places."""
    found: dict[str, dict[str, Picture]] = defaultdict(dict)
    for picture in pictures:
        if picture.use == "pairs":
            found[picture.series][picture.kind] = picture
    for pair in found.values():
        if len(pair) == 2 and WHOLE not in pair["edited"].generator:
            yield pair["original"], pair["edited"]


def higher(scores: NDArray[np.float64], cover: NDArray[np.float64]) -> float:
    """Chance that a changed place scores above one that is not, places weighted by how much they are."""
    weights = cover[:, None] * (1 - cover)
    np.fill_diagonal(weights, 0)
    above = (scores[:, None] > scores) + 0.5 * (scores[:, None] == scores)
    return float((weights * above).sum() / weights.sum())


def told(found: Sequence[Places], count: int) -> Mapping[str, str]:
    """What the card says: of photographs, and by editor.

    Args:
        found: Of the pairs that could be compared.
        count: How many pairs there were.
    """
    real = [each for each in found if each.of_photograph]
    areas = np.array([[higher(each.edited, each.cover), higher(each.original, each.cover)] for each in real])
    random = np.random.default_rng(0)
    draws = [areas[random.integers(0, len(areas), len(areas)), 0].mean() for _ in range(_DRAWS)]
    low, high = np.quantile(draws, (0.025, 0.975))
    edited, original = areas.mean(0)
    most = max(float(each.original.max() - each.original.mean()) for each in real)
    out = sum(float(each.edited.max() - each.edited.mean()) > most for each in real)
    on = sum(each.on_change for each in real)
    groups: dict[str, list[Places]] = defaultdict(list)
    for each in found:
        groups[each.editor].append(each)
    editors = [
        f"{editor} {np.mean([higher(each.edited, each.cover) for each in group]):.2f} and "
        f"{np.mean([higher(each.original, each.cover) for each in group]):.2f} ({len(group)})"
        for editor, group in sorted(groups.items())
    ]
    return {
        "places": prose(
            f"In {len(real)} edited photographs with known places (where original and edited picture differ)",
            f"a changed place scores above another with AUC {edited:.2f} ({low:.2f}–{high:.2f} drawing pairs;",
            f"the same places in the originals {original:.2f}); {out} of them stand out more than every original",
            f"does, and of the highest windows {on} of {len(real)} lie on the change.",
        ),
        "editors_places": prose(
            "; ".join(editors) + f". {count - len(found)} of {count} pairs could not be compared (another crop,",
            "or under 1 % or over 75 % changed); relighting is not local.",
        ),
    }


def main() -> None:
    """Judges, and writes the sentences."""
    arguments, card = measured_by(__doc__)
    classifier = cached_classifier("cpu", None, 1)
    listed = list(pairs(read_catalogue(arguments.run / "catalogue.csv")))
    found = [places for original, edited in listed if (places := judged(original, edited, classifier)) is not None]
    for name, text in told(found, len(listed)).items():
        fill(card, name, text)


if __name__ == "__main__":
    main()

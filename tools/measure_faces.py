"""Measures how often the face comparison errs, chooses its thresholds, and writes both down.

    python tools/measure_faces.py DATA

writes ``weights/<model>.toml``, which the ``faces`` analyzer reads, and the table in ``weights/<model>.md``.

Pairs of different people come from all faces of unrelated photographs and of labelled people, duplicates of pictures
left out. Pairs of one person come from the labelled people. Only faces that pass the fitness gates are compared, as in
the analyzer. Every picture of a labelled person is then degraded and found, aligned and compared anew.

Rules by which the thresholds are chosen (in steps of 0.05: the set is too small for finer ones to mean anything):

* ``match_below``: the largest at which the upper bound of the false match rate stays within ``--max-false-match``;
* ``unlike_above``: the smallest at which the share of missed pairs of one person, over clean and degraded copies
  together, stays within ``--max-missed``.

Pairs share faces, so they are not independent and the bounds are too narrow: the tables give counts as well.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
import torch
from face_degradations import DEGRADATIONS, Picture
from numpy.typing import NDArray
from scipy.stats import beta

from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import EvidenceError
from nsfwforensics.models.faces.compare import Embedder, distances, templates
from nsfwforensics.models.faces.detector import DetectedFace, FaceDetector
from nsfwforensics.models.faces.embedder import MODELS, cached_embedder
from nsfwforensics.models.faces.template import FaceTemplate

UNRELATED = ("real", "exif", "faces")
"""Folders of the development data that are searched for faces."""

GROUPS = {"kit_with_rose.jpg": ("rose_leslie", "kit_harington"), "obama_and_biden.jpg": ("biden", "obama", "")}
"""Who is in the group pictures, from left to right; an empty name is somebody unknown."""

NEAR_COPY = 6
"""Pictures whose 64-bit perceptual hashes differ in at most so many bits count as copies of each other."""

GRID = np.round(np.arange(0.30, 0.901, 0.01), 2)
STEPS = GRID[::5]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face, whose it is if that is known, and where it was found."""

    template: FaceTemplate
    detected: DetectedFace
    rgb: Picture
    source: str
    person: str


def gather(root: Path, detector: FaceDetector, embedder: Embedder) -> Iterator[Face]:
    """Finds every face in every picture that is not a copy of one seen before."""
    hashes: list[imagehash.ImageHash] = []
    for path in sorted(p for name in UNRELATED for p in (root / name).rglob("*") if p.is_file()):
        try:
            evidence = Evidence.open(path)
            rgb = evidence.rgb
        except EvidenceError:
            continue
        code = imagehash.phash(evidence.image)
        # The labelled people come first in no order that matters, but a crop of one of their photos is kept on purpose.
        if path.parent.parent.name != "faces" and any(code - other <= NEAR_COPY for other in hashes):
            continue
        hashes.append(code)
        found = detector.detect(rgb)
        for face, template in zip(found, templates(embedder, rgb, found), strict=True):
            yield Face(template, face, rgb, str(path.relative_to(root)), _person(path, found, face))


def _person(path: Path, found: Sequence[DetectedFace], face: DetectedFace) -> str:
    if path.parent.name == "groups":
        order = sorted(found, key=lambda other: other.box[0])
        names = GROUPS.get(path.name, ())
        return names[order.index(face)] if len(names) == len(order) else ""
    return path.parent.name if path.parent.parent.name == "faces" and face is found[0] else ""


def degraded(face: Face, copy: Picture, detector: FaceDetector, embedder: Embedder) -> FaceTemplate | None:
    """Finds the same face in a degraded copy of its picture and embeds it; None where it is not found."""
    scale = copy.shape[1] / face.rgb.shape[1]
    x, y, width, height = face.detected.box
    centre = np.array([x + width / 2, y + height / 2]) * scale
    for found in detector.detect(copy):
        corner, extent = np.array(found.box[:2]), np.array(found.box[2:])
        if ((centre > corner) & (centre < corner + extent)).all():
            return templates(embedder, copy, [found])[0]
    return None


@dataclass(frozen=True, slots=True)
class Gates:
    """Which faces are fit to be compared."""

    min_size: float
    max_pose_error: float
    min_sharpness: float

    def fit(self, template: FaceTemplate) -> bool:
        """Whether a face passes."""
        return (
            template.upright
            and template.size >= self.min_size
            and template.pose_error <= self.max_pose_error
            and template.sharpness >= self.min_sharpness
        )


def upper(errors: int, trials: int) -> float:
    """One-sided 95 % Clopper–Pearson bound; the rule of three where nothing went wrong."""
    return 1.0 if errors >= trials else float(beta.ppf(0.95, errors + 1, trials - errors))


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Distances of one condition: pairs of different people, pairs of one person, and how many faces were left."""

    condition: str
    strangers: NDArray[np.float64]
    same: NDArray[np.float64]
    faces: int
    found: int
    fit: int

    def row(self, match_below: float, unlike_above: float) -> dict[str, object]:
        """The counts at both thresholds."""
        return {
            "condition": self.condition,
            "faces": self.faces,
            "found": self.found,
            "fit": self.fit,
            "same_pairs": len(self.same),
            "not_matched": int((self.same >= match_below).sum()),
            "taken_as_unlike": int((self.same > unlike_above).sum()),
            "stranger_pairs": len(self.strangers),
            "false_matches": int((self.strangers < match_below).sum()),
        }


def compare_clean(faces: Sequence[Face], show: int) -> Measured:
    """All pairs of faces as they are; prints the nearest pairs of strangers, to be looked at."""
    table = distances([face.template for face in faces], [face.template for face in faces])
    strangers: list[tuple[float, str, str]] = []
    same = []
    for i, j in itertools.combinations(range(len(faces)), 2):
        a, b = faces[i], faces[j]
        if a.person and a.person == b.person:
            same.append(table[i, j])
        else:
            strangers.append((float(table[i, j]), a.source, b.source))
    for distance, one, other in sorted(strangers)[:show]:
        print(f"  {distance:.3f}  {one}  {other}")
    return Measured("as is", np.array([s[0] for s in strangers]), np.array(same), len(faces), len(faces), len(faces))


def compare_degraded(
    name: str, probes: Sequence[FaceTemplate | None], labelled: Sequence[Face], others: Sequence[Face], gates: Gates
) -> Measured:
    """Degraded copies of the labelled faces against every other face as it is."""
    kept = [(probe, face) for probe, face in zip(probes, labelled, strict=True) if probe and gates.fit(probe)]
    table = distances([probe for probe, _ in kept], [other.template for other in others])
    strangers: list[float] = []
    same: list[float] = []
    for row, (_, face) in zip(table, kept, strict=True):
        for distance, other in zip(row, others, strict=True):
            if other.source != face.source:
                (same if other.person == face.person else strangers).append(distance)
    found = sum(probe is not None for probe in probes)
    return Measured(name, np.array(strangers), np.array(same), len(labelled), found, len(kept))


def choose(clean: Measured, every: Sequence[Measured], max_false: float, max_missed: float) -> tuple[float, float]:
    """The two thresholds, by the rules in the module's description."""
    within = [t for t in STEPS if upper(int((clean.strangers < t).sum()), len(clean.strangers)) <= max_false]
    if not within:
        raise SystemExit("too few pairs of strangers to support that false match rate")
    same = np.concatenate([measured.same for measured in every])
    match_below = float(within[-1])
    unlike = [t for t in STEPS if (same > t).mean() <= max_missed]
    return match_below, float(max(unlike[0], match_below))


def write_rates(path: Path, head: dict[str, str], thresholds: dict[str, float], rows: Sequence[Measured]) -> None:
    """Writes the figures that the analyzer reads."""
    clean, match, unlike = rows[0], thresholds["match_below"], thresholds["unlike_above"]
    lines = ["# Written by tools/measure_faces.py; do not edit."]
    lines += [f'{key} = "{value}"' for key, value in head.items()]
    lines += ["", "[thresholds]", *(f"{key} = {value}" for key, value in thresholds.items())]
    for name, errors, trials in (
        ("false_match", int((clean.strangers < match).sum()), len(clean.strangers)),
        ("false_non_match", int((clean.same >= match).sum()), len(clean.same)),
        ("missed_as_unlike", int((clean.same > unlike).sum()), len(clean.same)),
    ):
        lines += ["", f"[{name}]", f"errors = {errors}", f"trials = {trials}", f"upper = {upper(errors, trials):.5f}"]
    for t in GRID:
        false, missed = int((clean.strangers < t).sum()), int((clean.same >= t).sum())
        lines += ["", "[[curve]]", f"distance = {t}", f"false_matches = {false}", f"misses = {missed}"]
    for measured in rows:
        values = measured.row(match, unlike).items()
        lines += ["", "[[condition]]", *(f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}" for k, v in values)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def write_card(path: Path, thresholds: dict[str, float], rows: Sequence[Measured]) -> None:
    """Puts the table between the marks of the model card, if there is a card."""
    match, unlike = thresholds["match_below"], thresholds["unlike_above"]
    table = [
        f"Thresholds: match below {match:.2f}, no indication above {unlike:.2f}, inconclusive between.",
        "",
        "| condition | faces | found | fit | same pairs | not matched | taken as unlike | strangers | false matches |",
        "|---|" + "--:|" * 8,
    ]
    table += ["| " + " | ".join(str(v) for v in measured.row(match, unlike).values()) + " |" for measured in rows]
    marks = re.compile("(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)
    if path.is_file():
        path.write_text(marks.sub(lambda m: m[1] + "\n".join(table) + "\n" + m[2], path.read_text("utf-8")), "utf-8")


def main() -> None:
    """Measures one model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", choices=sorted(MODELS), default="resnet29")
    parser.add_argument("--weights", type=Path, help="a folder with weights that are not installed")
    parser.add_argument("--output", type=Path, default=Path("weights"))
    parser.add_argument("--max-false-match", type=float, default=0.0025)
    parser.add_argument("--max-missed", type=float, default=0.02)
    parser.add_argument("--min-size", type=float, default=32.0)
    parser.add_argument("--max-pose-error", type=float, default=10.0)
    parser.add_argument("--min-sharpness", type=float, default=0.03)
    parser.add_argument("--show", type=int, default=20, help="how many of the nearest pairs of strangers to list")
    options = parser.parse_args()
    torch.set_num_threads(1)
    embedder, detector = cached_embedder(options.model, "cpu", options.weights), FaceDetector()
    gates = Gates(options.min_size, options.max_pose_error, options.min_sharpness)
    every = list(gather(options.data, detector, embedder))
    faces = [face for face in every if gates.fit(face.template)]
    labelled = [face for face in faces if face.person]
    print(f"{len(every)} faces found, {len(faces)} fit, {len(labelled)} of known people; nearest strangers:")
    rows = [compare_clean(faces, options.show)]
    for name, change, amounts in DEGRADATIONS:
        for amount in amounts:
            copies = (change(face.rgb, face.detected, amount) for face in labelled)
            probes = [degraded(f, copy, detector, embedder) for f, copy in zip(labelled, copies, strict=True)]
            rows.append(compare_degraded(name.format(amount), probes, labelled, faces, gates))
    match_below, unlike_above = choose(rows[0], rows, options.max_false_match, options.max_missed)
    thresholds = {
        "match_below": match_below,
        "unlike_above": unlike_above,
        "min_size": options.min_size,
        "max_pose_error": options.max_pose_error,
        "min_sharpness": options.min_sharpness,
    }
    people = {face.person for face in labelled}
    pictures = {face.source for face in faces}
    head = {
        "model": MODELS[options.model],
        "measured": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "data": f"{len(faces)} faces in {len(pictures)} photographs; pairs of one person from {len(labelled)} faces "
        f"of {len(people)} public figures",
    }
    write_rates(options.output / f"{MODELS[options.model]}.toml", head, thresholds, rows)
    write_card(options.output / f"{MODELS[options.model]}.md", thresholds, rows)
    for measured in rows:
        print(measured.row(match_below, unlike_above))
    print(head["data"], thresholds)


if __name__ == "__main__":
    main()

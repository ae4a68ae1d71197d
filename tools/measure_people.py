"""Chooses how near faces must be to be joined into people, measures how well that goes, and writes both down.

    python tools/measure_people.py FOLDER...

Each folder holds one folder for each person, with photographs of that person; of each photograph the largest face is
taken for the person's. The figures go into ``weights/face-resnet29-people.toml``, which ``faces --group`` reads, and
the table into its card and ``docs/people.md``.

People are put into two halves in the order of their names, every second one. On the first half the rules are chosen:

* ``join_within``: the largest distance (in steps of 0.02) at which the faces of the first half, as they are and saved
  again, are joined with a B-cubed precision of 1, less ``--margin``, since there are more strangers in a collection
  than in this set;
* ``attach_within``: the largest such distance, up to ``join_within``, at which no face that is not fit to be compared
  is put to another person, less the same margin. Of some people every face is too small: they are strangers to all
  groups. ``lead`` is set, not chosen.

What is written was measured on the second half. Copies of one picture within a person (perceptual hash) are left out.
"""

from __future__ import annotations

import argparse
import datetime
import io
import pickle
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import imagehash
import numpy as np
from face_degradations import Picture
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.clustering.joining import Groups, Joining, attached, joined
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import EvidenceError
from nsfwforensics.models.faces.people import ALL_FOUND, AS_IS, FILE, MODEL, direction
from nsfwforensics.models.faces.rates import FaceRates, load_rates, unfit_reason

NEAR_COPY = 6
"""Pictures of one person whose 64-bit perceptual hashes differ in at most so many bits count as copies."""

SAVED_AGAIN = "JPEG 40 at 512 px"
STRANGERS = "faces too small, of further people"
SIDE, QUALITY = 512, 40
LEAD = 0.05
STEPS = np.round(np.arange(0.30, 0.76, 0.02), 2)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one photograph gave under one condition: its person's face, if it was found."""

    person: str
    picture: int
    vector: NDArray[np.float32] | None
    size: float = 0.0
    pose_error: float = 0.0
    unfit: str = ""


def saved_again(rgb: Picture) -> Picture:
    """At most 512 pixels on the longest edge, JPEG at quality 40."""
    scale = min(1.0, SIDE / max(rgb.shape[:2]))
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    buffer = io.BytesIO()
    Image.fromarray(small).save(buffer, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(buffer).convert("RGB"))


def gather(folders: Sequence[Path]) -> Iterator[dict[str, Taken]]:
    """What every photograph of a known person gives, by condition."""
    import torch

    from nsfwforensics.models.faces.compare import templates
    from nsfwforensics.models.faces.detector import FaceDetector
    from nsfwforensics.models.faces.embedder import cached_embedder

    torch.set_num_threads(1)
    embedder, detector = cached_embedder("resnet29", "cpu", None), FaceDetector()
    fitness = load_rates(MODEL)
    if fitness is None:
        raise SystemExit("measure_faces.py comes first")
    seen: dict[str, list[imagehash.ImageHash]] = {}
    files = [path for folder in folders for path in sorted(folder.glob("*/*")) if path.is_file()]
    for number, path in enumerate(files):
        person = path.parent.name
        try:
            evidence = Evidence.open(path)
            rgb = evidence.rgb
        except EvidenceError:
            continue
        code = imagehash.phash(evidence.image)
        if any(code - other <= NEAR_COPY for other in seen.get(person, ())):
            continue
        seen.setdefault(person, []).append(code)

        def taken(picture: Picture, who: str = person, place: int = number, rates: FaceRates = fitness) -> Taken:
            found = detector.detect(picture)[:1]
            made = templates(embedder, picture, found)
            if not made:
                return Taken(who, place, None)
            (one,) = made
            return Taken(who, place, direction(one), one.size, one.pose_error, str(unfit_reason(one, rates) or ""))

        rows = {AS_IS: taken(rgb), SAVED_AGAIN: taken(saved_again(rgb))}
        yield rows


def b_cubed(labels: Sequence[int], people: Sequence[str]) -> tuple[float, float]:
    """B-cubed precision and recall (Bagga and Baldwin 1998)."""
    both, by_label, by_person = Counter(zip(labels, people, strict=True)), Counter(labels), Counter(people)
    pairs = list(zip(labels, people, strict=True))
    precision = np.mean([both[pair] / by_label[pair[0]] for pair in pairs])
    recall = np.mean([both[pair] / by_person[pair[1]] for pair in pairs])
    return float(precision), float(recall)


def grouped(faces: Sequence[Taken], rules: Joining) -> list[int]:
    """The group of each face: faces not found, and those in no group, are alone."""
    fit = [place for place, face in enumerate(faces) if face.vector is not None and not face.unfit]
    other = [place for place, face in enumerate(faces) if face.vector is not None and face.unfit]
    vectors = _vectors([faces[place] for place in fit])
    pictures = [faces[place].picture for place in fit]
    labels = joined(vectors, pictures, rules)
    groups = Groups.of(vectors, pictures, labels)
    near = attached(_vectors([faces[place] for place in other]), [faces[p].picture for p in other], groups, rules)
    found = [-1 - place for place in range(len(faces))]
    for place, label in zip(fit, labels.tolist(), strict=True):
        found[place] = label
    for place, group in zip(other, near.tolist(), strict=True):
        if group >= 0:
            found[place] = groups.numbers[group]
    return found


def _vectors(faces: Sequence[Taken]) -> NDArray[np.float32]:
    made = [face.vector for face in faces if face.vector is not None]
    return np.stack(made) if made else np.zeros((0, 128), np.float32)


def row(
    condition: str, faces: Sequence[Taken], rules: Joining, about: Sequence[bool] | None = None
) -> dict[str, object]:
    """How well faces were joined; over some of them only where ``about`` says so."""
    labels, people = grouped(faces, rules), [face.person for face in faces]
    whole = Counter(labels)
    mixed = sum(len({p for p, each in zip(people, labels, strict=True) if each == label}) > 1 for label in whole)
    both, by_person = Counter(zip(labels, people, strict=True)), Counter(people)
    chosen = [place for place in range(len(faces)) if about is None or about[place]]
    pairs = [(labels[place], people[place]) for place in chosen]
    return {
        "condition": condition,
        "faces": len(chosen),
        "people": len({person for _, person in pairs}),
        "precision": round(float(np.mean([both[pair] / whole[pair[0]] for pair in pairs])), 4) if pairs else 1.0,
        "recall": round(float(np.mean([both[pair] / by_person[pair[1]] for pair in pairs])), 4) if pairs else 0.0,
        "mixed": mixed,
        "groups": sum(number > 1 for number in whole.values()),
    }


def choose(photos: Sequence[dict[str, Taken]], margin: float) -> Joining:
    """The rules, by what the module's description says."""
    fit = {
        name: [p[name] for p in photos if p[name].vector is not None and not p[name].unfit]
        for name in (AS_IS, SAVED_AGAIN)
    }
    pure = [
        step
        for step in STEPS
        if all(
            b_cubed(grouped(faces, Joining(step, 0, 0)), [f.person for f in faces])[0] == 1 for faces in fit.values()
        )
    ]
    rules = Joining(round(float(max(pure)) - margin, 2), 0.0, LEAD)
    faces = [photo[AS_IS] for photo in photos if photo[AS_IS].vector is not None]
    alone = grouped(faces, rules)
    holds = {label: face.person for label, face in zip(alone, faces, strict=True) if not face.unfit}

    def wrong(within: float) -> int:
        labels = grouped(faces, replace(rules, attach_within=within))
        put = [
            (holds[label], face.person) for label, face in zip(labels, faces, strict=True) if face.unfit and label >= 0
        ]
        return sum(one != other for one, other in put)

    safe = [float(step) for step in STEPS if step <= rules.join_within and wrong(float(step)) == 0]
    return replace(rules, attach_within=round(max(safe, default=margin) - margin, 2))


def measure(photos: Sequence[dict[str, Taken]], rules: Joining, gates: FaceRates) -> list[dict[str, object]]:
    """The figures of the other half of the people."""
    rows = []
    for name in (AS_IS, SAVED_AGAIN):
        known = {photo[AS_IS].person for photo in photos if photo[AS_IS].vector is not None and not photo[AS_IS].unfit}
        found = [photo[name] for photo in photos if photo[name].vector is not None and photo[name].person in known]
        fit = [face for face in found if not face.unfit]
        rows.append(row(name, fit, rules))
        rows.append(row(f"{ALL_FOUND}, {name}", found, rules))
        turned = [face.pose_error > gates.max_pose_error for face in found]
        if any(turned):
            rows.append(row(f"faces turned too far, {name}", found, rules, turned))
    unfit = [photo[AS_IS] for photo in photos if photo[AS_IS].vector is not None]
    known = {face.person for face in unfit if not face.unfit}
    strangers = [face.person not in known for face in unfit]
    if any(strangers):  # so small that none of their people's faces can be compared: each must stay out of every group
        rows.append(row(STRANGERS, unfit, rules, strangers))
    return rows


def main() -> None:
    """Chooses, measures, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--kept", type=Path, help="keep what the photographs gave here, or take it from here")
    parser.add_argument("--data", default="photographs of known people", help="what they are, in words")
    parser.add_argument("--output", type=Path, default=Path("weights"))
    parser.add_argument("--margin", type=float, default=0.02)
    options = parser.parse_args()
    gates = load_rates(MODEL)
    if gates is None:
        raise SystemExit("measure_faces.py comes first")
    if options.kept and options.kept.is_file():
        photos = pickle.loads(options.kept.read_bytes())
    else:
        photos = list(gather(options.folders))
        if options.kept:
            options.kept.write_bytes(pickle.dumps(photos))
    people = sorted({photo[AS_IS].person for photo in photos})
    halves = [[photo for photo in photos if people.index(photo[AS_IS].person) % 2 == half] for half in (0, 1)]
    rules = choose(halves[0], options.margin)
    rows = measure(halves[1], rules, gates)
    turned = measure(halves[0], rules, gates)
    print("the first half, on which the rules were chosen:")
    for each in turned:
        print(" ", each)
    print("the second half:")
    for each in rows:
        print(" ", each)
    print(rules, len(people), "people,", len(photos), "photographs")
    head = {
        "model": MODEL,
        "measured": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "data": f"{len(halves[1])} photographs of {len(people) - (len(people) + 1) // 2} people on whom nothing was "
        f"chosen: {options.data}",
    }
    lines = [
        "# Written by tools/measure_people.py; do not edit.",
        *(f'{key} = "{value}"' for key, value in head.items()),
    ]
    lines += ["", "[rules]"]
    lines += [f"{name} = {getattr(rules, name)}" for name in ("join_within", "attach_within", "lead")]
    for each in rows:
        values = (f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in each.items())
        lines += ["", "[[condition]]", *values]
    (options.output / FILE).write_text("\n".join(lines) + "\n", "utf-8")
    table = ["| | " + " | ".join(list(rows[0])[1:]) + " |", "|---|" + "--:|" * (len(rows[0]) - 1)]
    table += ["| " + " | ".join(map(str, each.values())) + " |" for each in rows]
    marks = re.compile("(<!-- people -->\n).*?(<!-- people end -->)", re.DOTALL)
    for page in (options.output / f"{MODEL}.md", options.output.parent / "docs" / "people.md"):
        if page.is_file():
            text = page.read_text("utf-8")
            page.write_text(marks.sub(lambda m: m[1] + "\n".join(table) + "\n" + m[2], text), "utf-8")


if __name__ == "__main__":
    main()

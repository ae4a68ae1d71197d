"""Measures how alike pictures look to the scene comparison, chooses its thresholds, and writes both down.

    python tools/measure_scene.py GALLERIES MIRRORS DATA --kept embeddings.npz

writes ``weights/scene.toml``. GALLERIES holds ``pairs.csv`` (originals and what editors made of them) and ``files.csv``
(photographs), MIRRORS the repositories that they name, DATA further photographs by folder, portraits by person in
``faces``. Embeddings are taken from ``--kept`` where that is there, and kept there otherwise.

Unrelated are pictures of different sources, and an original or its edit and a picture of another source. What
photographs share is measured, for every such pair, without the sources of the two; what is written is of all of them.

* ``alike_from``: the least similarity, in steps of 0.01, that no more than one of 10,000 unrelated pairs reaches;
* ``sure_from``: the least, in steps of 0.05, above all of them.

Different photographs of one public figure are counted on their own: the network has met many of them by name.

Pairs share pictures, so they are not independent: counts stand there, not bounds.
"""

from __future__ import annotations

import argparse
import base64
import csv
import datetime
import io
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import EvidenceError
from nsfwforensics.models.scene import embeddings, unit
from nsfwforensics.models.synthesis import canonical

PER_SOURCE = 60
FOLDERS = ("faces", "real/camera", "real/cc0", "real/coco", "real/imagenet")
ONE_IN = 10_000
SHOWN = {"examples/brushnet/src/example_1.jpg": "mark_zuckerberg"}
"""Originals that show somebody whose portraits are in ``faces``."""

Rows = NDArray[np.float32]


def picture(mirrors: Path, row: dict[str, str], column: str) -> NDArray[np.uint8] | None:
    """The pixels of a file in a snapshot of a repository, at most 1,600 pixels a side."""
    bare = mirrors / row["repo"].replace("/", "+") / "repo"
    place = bare / ".git" if (bare / ".git").is_dir() else bare
    shown = subprocess.run(
        ["git", "--git-dir", place, "show", f"{row['commit']}:{row[column]}"], capture_output=True, check=False
    )
    try:
        image = Image.open(io.BytesIO(shown.stdout)).convert("RGB")
    except OSError:
        return None
    image.thumbnail((1600, 1600))
    return np.asarray(image)


def embedded(rgb: NDArray[np.uint8]) -> Rows:
    """One picture's embedding, (512,)."""
    return np.asarray(embeddings([canonical.whole(rgb)])[0], np.float32)


def edits(galleries: Path, mirrors: Path) -> Iterator[tuple[str, Rows]]:
    """Pairs of an original and an edit as (name, (2, 512)); named by repository, original and editor."""
    for row in csv.DictReader((galleries / "pairs.csv").open(encoding="utf-8")):
        both = [picture(mirrors, row, column) for column in ("original", "edited")]
        if both[0] is not None and both[1] is not None:
            name = f"{row['repo']}|{row['original']}|{row['editor']}"
            yield name, np.stack([embedded(each) for each in both if each is not None])


def photographs(galleries: Path, mirrors: Path, data: Path) -> Iterator[tuple[str, Rows]]:
    """Photographs as (name, (512,)); the name is ``source|path``."""
    rows = [row for row in csv.DictReader((galleries / "files.csv").open(encoding="utf-8")) if row["class"] == "real"]
    random.Random(1).shuffle(rows)
    taken: Counter[str] = Counter()
    for row in rows:
        rgb = picture(mirrors, row, "path") if taken[row["repo"]] < PER_SOURCE else None
        if rgb is not None:
            taken[row["repo"]] += 1
            yield f"{row['repo']}|{row['path']}", embedded(rgb)
    for folder in FOLDERS:
        for path in sorted(each for each in (data / folder).rglob("*") if each.is_file()):
            try:
                yield f"{folder}|{path.relative_to(data / folder)}", embedded(Evidence.open(path).rgb)
            except EvidenceError:
                continue


class Measured:
    """All pairs, each compared without what its own sources share."""

    def __init__(self, pairs: Rows, names: list[str], others: Rows, other_names: list[str]) -> None:
        self.pairs, self.others = unit(pairs), unit(others)
        self.repos = np.array([name.split("|")[0] for name in names])
        self.sources = np.array([name.split("|")[0] for name in other_names])
        self.people = np.array([name.split("|")[1].split("/")[0] for name in other_names])
        self.shown = np.array([SHOWN.get(name.split("|")[1], "") for name in names])
        self.same = self._same()
        self.unrelated = np.concatenate(list(self._unrelated()))
        self.strangers, self.one_person = self._portraits()

    def _without(self, *sources: str) -> Rows:
        return np.asarray(self.others[~np.isin(self.sources, sources)].mean(axis=0), np.float32)

    def _same(self) -> Rows:
        found = np.zeros(len(self.pairs), np.float32)
        for repo in np.unique(self.repos):
            mine = self.repos == repo
            made = unit(self.pairs[mine] - self._without(repo))
            found[mine] = (made[:, 0] * made[:, 1]).sum(axis=1)
        return found

    def _unrelated(self) -> Iterator[Rows]:
        sources = list(np.unique(self.sources))
        for number, one in enumerate(sources):
            for other in sources[number + 1 :]:
                centre = self._without(one, other)
                mine, theirs = (unit(self.others[self.sources == each] - centre) for each in (one, other))
                yield (mine @ theirs.T).ravel()
            for repo in np.unique(self.repos[self.repos != one]):
                centre, with_pairs = self._without(one, repo), self.repos == repo
                mine = unit(self.others[self.sources == one] - centre)
                both = unit(self.pairs[with_pairs] - centre)
                apart = self.people[self.sources == one][:, None] != self.shown[with_pairs]
                for side in (0, 1):
                    yield (mine @ both[:, side].T)[apart]

    def _portraits(self) -> tuple[Rows, Rows]:
        """Portraits of different people, and of one; pictures of several people are left out."""
        mine = (self.sources == "faces") & (self.people != "groups")
        made, people = unit(self.others[mine] - self._without("faces")), self.people[mine]
        alike, one = made @ made.T, people[:, None] == people
        return tuple(np.asarray(alike[np.triu(which, 1)], np.float32) for which in (~one, one))  # type: ignore[return-value]


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("galleries", type=Path)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--kept", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("weights/scene.toml"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.kept.is_file():
        pairs = list(edits(options.galleries, options.mirrors))
        others = list(photographs(options.galleries, options.mirrors, options.data))
        np.savez(
            options.kept,
            pairs=np.stack([rows for _, rows in pairs]), names=np.array([name for name, _ in pairs]),
            d=np.stack([rows for _, rows in others]), dn=np.array([name for name, _ in others]),
        )  # fmt: skip
    kept = np.load(options.kept)
    names, other_names = list(map(str, kept["names"])), list(map(str, kept["dn"]))
    found = Measured(kept["pairs"], names, kept["d"], other_names)
    alike = next(t for t in np.arange(0, 1, 0.01) if (found.unrelated >= t).mean() <= 1 / ONE_IN)
    sure = next(t for t in np.arange(0, 1, 0.05) if not (found.unrelated >= t).any())
    alike, sure = round(float(alike), 2), round(float(sure), 2)
    rows = {
        "unrelated": (found.unrelated >= alike, len(found.unrelated)),
        "unrelated_sure": (found.unrelated >= sure, len(found.unrelated)),
        "strangers": (found.strangers >= alike, len(found.strangers)),
        "one_person": (found.one_person >= alike, len(found.one_person)),
        "missed": (found.same < alike, len(found.same)),
        "missed_sure": (found.same < sure, len(found.same)),
    }
    centre = base64.b64encode(unit(kept["d"]).mean(axis=0).astype("<f2").tobytes()).decode()
    lines = ["# Written by tools/measure_scene.py; do not edit."]
    lines += [f'measured = "{datetime.datetime.now(datetime.UTC).date().isoformat()}"']
    lines += [f"alike_from = {alike}", f"sure_from = {sure}", f'centre = "{centre}"']
    for name, (wrong, total) in rows.items():
        lines += ["", f"[{name}]", f"errors = {int(wrong.sum())}", f"pairs = {total}"]
    options.output.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(line for line in lines if "centre" not in line))
    first = np.array([(found.others @ row).max() for row in found.pairs[:, 1]])
    print("raw cosine: the original ahead of every photograph:", int(((found.pairs.prod(1)).sum(1) > first).sum()))
    for repo in np.unique(found.repos):
        mine = found.same[found.repos == repo]
        print(repo, len(mine), "alike", int((mine >= alike).sum()), "sure", int((mine >= sure).sum()))
    print("strangers, nearest:", np.sort(found.strangers)[-8:].round(2))


if __name__ == "__main__":
    main()

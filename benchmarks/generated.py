"""Other detectors of generated pictures on the files that this one was measured on, each in an environment of its own.

    PEER/bin/python benchmarks/generated.py judge --by sahu65 --catalogue OUT/catalogue.csv --out sahu65.csv
    OLD/bin/python benchmarks/generated.py judge --by nsfwforensics --catalogue OUT/catalogue.csv --out version-4.csv
    python benchmarks/generated.py compare --scores OUT/scores.csv sahu65.csv version-4.csv

``sahu65`` 1.1.0 (PyPI) is a probe of CLIP's final embedding. The files are those of the laboratory's catalogue
(``python -m training``): content-matched sets, at most ``--most`` of each class, as they are.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

SETS = (
    "rolandwolfsgruber (ForRealScan)",
    "kurlyto (AI or Not, daily game)",
    "kaivalyagandhi (AI or Not, Reddit)",
    "Justin-HAL (campus game)",
    "ai-or-human.github.io",
    "ML72",
)
LEAST = 448

Judge = Callable[[str], tuple[float, bool]]


def sahu65_judge() -> Judge:
    """Probability, and whether it says "likely AI"."""
    import sahu65

    def judge(file: str) -> tuple[float, bool]:
        found = sahu65.detect(file)
        score = found.detector_probability if found.detector_probability is not None else found.ai_probability
        return float(score), bool(found.is_ai)

    return judge


def nsfwforensics_judge() -> Judge:
    """The score of the installed version's classifier, and whether it says "looks generated" (withheld or not)."""
    from nsfwforensics.analyzers.deepfake.analyzer import DeepfakeAnalyzer
    from nsfwforensics.core.analyzer import Resources
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.core.types import FileInfo

    analyzer = DeepfakeAnalyzer(DeepfakeAnalyzer.Options(**_without_faces(DeepfakeAnalyzer)), Resources())

    def judge(file: str) -> tuple[float, bool]:
        sample = analyzer.prepare(Evidence.from_bytes(Path(file).read_bytes()))
        outcome = analyzer.conclude(FileInfo(path="x", name="x"), analyzer.infer([sample])[0])
        score = outcome.measurements.get("score")
        return float(score if score is not None else "nan"), any(f.code == "SYN-001" for f in outcome.findings)

    return judge


def _without_faces(analyzer: type) -> dict[str, bool]:
    return {"faces": False} if "faces" in analyzer.Options.model_fields else {}  # type: ignore[attr-defined]


def chosen(catalogue: Path, most: int) -> list[dict[str, str]]:
    """Rows of the catalogue: by set and class at most so many, by a hash of the key."""
    groups: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with catalogue.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if (
                row["publisher"] in SETS
                and row["use"] != "pairs"
                and min(int(row["width"]), int(row["height"])) >= LEAST
            ):
                groups[row["publisher"], row["label"]].append(row)
    ranked = (sorted(rows, key=lambda row: hashlib.sha256(row["key"].encode()).digest()) for rows in groups.values())
    return [row for rows in ranked for row in rows[:most]]


def judge(arguments: argparse.Namespace) -> None:
    """Judges the files one by one and writes key, set, class, score and what was said."""
    ask = {"sahu65": sahu65_judge, "nsfwforensics": nsfwforensics_judge}[arguments.by]()
    with arguments.out.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("key", "set", "label", "score", "called"))
        for row in chosen(arguments.catalogue, arguments.most):
            try:
                score, called = ask(row["file"])
            except Exception as error:  # noqa: BLE001 - another program's
                print(f"{row['key']}: {error}", file=sys.stderr)
                continue
            writer.writerow((row["key"], row["publisher"], row["label"], f"{score:.6f}", int(called)))
            stream.flush()


def compare(arguments: argparse.Namespace) -> None:
    """Prints AUC by set, and how many of each class were called, of this detector and the others on the same files."""
    ours: dict[str, float] = {}
    with arguments.scores.open(newline="", encoding="utf-8") as stream:
        ours = {row["key"]: float(row["score"]) for row in csv.DictReader(stream) if row["view"] == "as_is"}
    for path in arguments.others:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = [row for row in csv.DictReader(stream) if row["key"] in ours and row["score"] != "nan"]
        print(path.stem)
        for name in SETS:
            part = [row for row in rows if row["set"] == name]
            theirs = auc([(float(row["score"]), row["label"]) for row in part])
            mine = auc([(ours[row["key"]], row["label"]) for row in part])
            print(f"  {name}: {len(part)} files, AUC {theirs:.2f}, this one {mine:.2f}")
        for label, what in (("1", "generated"), ("0", "photographs")):
            part = [row for row in rows if row["label"] == label]
            print(f"  {what} called: {sum(row['called'] == '1' for row in part)} of {len(part)}")


def auc(scored: list[tuple[float, str]]) -> float:
    """Chance that a generated picture scores above a photograph."""
    made, taken = ([score for score, found in scored if found == label] for label in ("1", "0"))
    wins = sum((a > b) + 0.5 * (a == b) for a in made for b in taken)
    return wins / (len(made) * len(taken)) if made and taken else float("nan")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("judge")
    one.add_argument("--by", choices=("sahu65", "nsfwforensics"), required=True)
    one.add_argument("--catalogue", type=Path, required=True)
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--most", type=int, default=30)
    one.set_defaults(run=judge)
    two = commands.add_parser("compare")
    two.add_argument("--scores", type=Path, required=True)
    two.add_argument("others", type=Path, nargs="+")
    two.set_defaults(run=compare)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()

"""From a data folder to finished weights, calibration and figures: every stage in order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nsfwforensics.models.calibration import CALIBRATION, Calibration
from nsfwforensics.models.classifier import MODEL, Ensemble
from nsfwforensics.models.weights import file_sha256
from nsfwforensics.training import calibrate, card, evaluate, faces, probes, train, unseen
from nsfwforensics.training.metrics import Estimate

if TYPE_CHECKING:
    from nsfwforensics.training.train import Workshop

WEIGHTS_FILE = "synthesis.safetensors"
CALIBRATION_FILE = "synthesis.calibration.json"
CARD_FILE = "synthesis.md"


def run(workshop: Workshop, weights: Path | None) -> dict[str, Any]:
    """Trains, measures, calibrates and writes.

    Args:
        workshop: Data, output folder, settings.
        weights: A folder that gets the weights, calibration and card, and whose manifest is brought up to date.

    Returns:
        Every figure as plain values.
    """
    subjects = measure_unseen(workshop)
    left_out = workshop.training_decoders[0]
    blind = train.train_image(workshop, without=left_out)
    matched = evaluate.content_matched(score(workshop, subjects, blind), [left_out])[left_out]
    head = train.train_image(workshop)
    calibration, result = judge(workshop, score(workshop, subjects, head), matched)
    face = faces.face_head(workshop)
    if face is not None:
        calibration = replace(calibration, face=face.branch)
        result["faces"] = face.figures
    result["probes"] = probes.run(workshop)
    result["counts"] = card.counts(workshop.items)
    tensors = pack(workshop, head, face.tensors if face else None)
    target = weights or workshop.out
    write(target, tensors, calibration)
    plain: dict[str, Any] = evaluate.plain(result)
    (target / CARD_FILE).write_text(card.render(plain, workshop.items, workshop.settings), "utf-8")
    if weights is not None:
        update_manifest(weights)
    return plain


def measure_unseen(workshop: Workshop) -> list[unseen.Subject]:
    """Measures every picture in the roles calibrate and test, and the content-matched pairs of their photographs."""
    cache = workshop.out / "unseen"
    items = [item for item in workshop.items if item.role != "train"]
    photographs = workshop.photographs("calibrate", "test")
    subjects = list(unseen.pictures(items, workshop.measure, cache))
    subjects += unseen.pairs(photographs, workshop.decoders, workshop.measure, cache)
    workshop.say(f"{len(subjects)} unseen pictures measured")
    return subjects


def score(workshop: Workshop, subjects: Sequence[unseen.Subject], head: Mapping[str, Tensor]) -> list[unseen.Scored]:
    """Judges unseen pictures with a head."""
    return unseen.scored(subjects, Ensemble(head), workshop.columns())


def judge(
    workshop: Workshop, rows: Sequence[unseen.Scored], left_out: Mapping[str, Estimate]
) -> tuple[Calibration, dict[str, Any]]:
    """Calibrates on the calibration roles, and measures the finished rules on everything unseen.

    Args:
        workshop: Data, output folder, settings.
        rows: Scores of everything unseen by the head that is shipped.
        left_out: By state, content-matched AUC of the strongest decoder for a head that was not trained on it. It
            decides whether "no indication" may be said at all.
    """

    def role(kind: str, *roles: str) -> list[unseen.Scored]:
        return [row for row in rows if calibrate.kind_of(row) == kind and row.subject.item.role in roles]

    photographs = role("real", "calibrate")
    painted = [row for name in workshop.training_decoders for row in role(name, "calibrate")]
    generated = {"gallery": role("gallery", "calibrate"), "resynthesised": painted}
    passed = min(estimate.low for estimate in left_out.values()) >= calibrate.CLEAR_GATE
    beta = calibrate.BETA if passed else 0.0
    said = calibrate.verdicts(rows, photographs, generated, beta=beta)
    branch = calibrate.branch(photographs, generated, beta=beta)
    rates = calibrate.rates(rows, said)
    strongest = workshop.training_decoders[0]
    for by_name in rates.values():
        for name in ("called", "cleared", "inconclusive"):
            by_name[f"resynthesised_{name}"] = by_name[f"{strongest}_{name}"]
    kept = {s: {n: r for n, r in by.items() if n.split("_")[0] in _REPORTED} for s, by in rates.items()}
    branch = replace(branch, rates=kept, facts=calibrate.facts({"content_matched_auc": left_out["as_is"]}))
    first = [branch.verdict(row.score) for row in rows]
    result = {
        "content_matched_left_out": {strongest: left_out},
        "content_matched": evaluate.content_matched(rows, list(workshop.decoders)),
        "trained_decoders": list(workshop.training_decoders),
        "may_clear": passed,
        "generators": evaluate.across_generators(rows),
        "rates": rates,
        "by_source": evaluate.by_source(rows, said),
        "reliability": evaluate.reliability(rows),
        "flips": evaluate.flips(rows, said, first),
    }
    return Calibration(branch, None, calibrate.MAX_FLAT_SHARE, calibrate.MIN_QUALITY), result


_REPORTED = ("real", "gallery", "resynthesised")


def pack(workshop: Workshop, image: Mapping[str, Tensor], face: Mapping[str, Tensor] | None) -> dict[str, Tensor]:
    """Collects the tensors that are shipped, in half precision: backbone up to its last tap, and the heads."""
    taps = workshop.settings.taps
    from nsfwforensics.models.features import FeatureExtractor

    wanted = FeatureExtractor(taps).state_dict()
    tensors = {f"backbone.{name}": workshop.backbone[name].half() for name in wanted}
    for name, head in (("image", image), ("face", face or {})):
        tensors |= {f"{name}.{key}": value.float() for key, value in head.items()}
    return tensors | {"taps": torch.tensor(taps, dtype=torch.int32)}


def write(folder: Path, tensors: Mapping[str, Tensor], calibration: Calibration) -> None:
    """Writes weights and calibration."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in tensors.items()}, folder / WEIGHTS_FILE)
    (folder / WEIGHTS_FILE).chmod(0o644)  # safetensors writes through a private temporary file
    (folder / CALIBRATION_FILE).write_text(calibration.dumps(), "utf-8")


def update_manifest(folder: Path) -> None:
    """Puts the new SHA-256 sums into the manifest's tables of the two files.

    Raises:
        ValueError: The manifest has no such table.
    """
    path = folder / "manifest.toml"
    text = path.read_text("utf-8")
    for name, file in ((MODEL, WEIGHTS_FILE), (CALIBRATION, CALIBRATION_FILE)):
        pattern = re.compile(rf'(name = "{re.escape(name)}"\n(?:(?!\[\[).*\n)*?sha256 = ")[0-9a-f]*(")')
        digest = file_sha256(folder / file)
        text, count = pattern.subn(partial(_filled, digest), text)
        if count != 1:
            raise ValueError(f"{path.name} has no table for {name}")
    path.write_text(text, "utf-8")


def _filled(digest: str, match: re.Match[str]) -> str:
    return f"{match[1]}{digest}{match[2]}"

"""From a data folder to finished weights, calibration and figures: every stage in order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from nsfwforensics.evaluation.metrics import Estimate, auc_estimate
from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.synthesis.calibration import CALIBRATION, Calibration, Rate, Verdict
from nsfwforensics.models.synthesis.classifier import MODEL, Ensemble
from nsfwforensics.models.weights import file_sha256
from training import (
    calibrate,
    card,
    criteria,
    data,
    domain,
    evaluate,
    faces,
    formats,
    probes,
    ratios,
    tables,
    train,
    unseen,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.models.synthesis.trace_network import TraceNetwork
    from training.workshop import Workshop

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
    blind = score(workshop, subjects, train.train_image(workshop, without=left_out), BLIND)
    matched = evaluate.content_matched(blind, [left_out])[left_out]
    head = train.train_image(workshop)
    alike = probes.saved_alike(workshop, Blend(workshop, head, SHIPPED))
    rows = score(workshop, subjects, head, SHIPPED)
    saved = score(workshop, formats.subjects(workshop), head, SHIPPED)
    calibration, result = judge(workshop, rows, matched, alike, saved)
    result["parts"] = parts(workshop, subjects, head)
    result["gate"] = gate(workshop, head, calibration)
    result["criteria"].insert(0, criteria.gate(result["gate"]))
    face = faces.face_head(workshop)
    if face is not None:
        calibration = replace(calibration, face=face.branch)
        result["faces"] = face.figures
    border = domain.fitted(workshop)
    if border is not None:
        calibration = replace(calibration, domain=border.domain)
        result["domain"] = border.figures
    result["probes"] = probes.run(workshop)
    result["counts"] = card.counts(workshop.items)
    tensors = pack(workshop, head, face.tensors if face else None, workshop.trace())
    target = weights or workshop.out
    write(target, tensors, calibration)
    plain: dict[str, Any] = evaluate.plain(result)
    (target / CARD_FILE).write_text(card.render(plain, workshop.items, workshop.settings), "utf-8")
    if weights is not None:
        update_manifest(weights)
    return plain


def measure_unseen(workshop: Workshop) -> list[unseen.Subject]:
    """Measures every picture in the roles calibrate and test, and content-matched pairs of some of their photographs.

    The last two columns of the features are the logits of the trace network and of the one trained without the
    strongest decoder (pairs only, else 0).
    """
    items = [item for item in workshop.items if item.role != "train"]
    kept = {name: workshop.decoders[name] for name in workshop.paired_decoders}
    subjects: list[unseen.Subject] = []
    for folder in ("unseen", "unseen-trace"):
        whole, paired = (
            workshop.measure_middle if folder == "unseen" else workshop.traces(blind=blind) for blind in (False, True)
        )
        found = list(unseen.pictures(items, whole, workshop.out / folder))
        found += unseen.pairs(workshop.paired(), kept, paired, workshop.out / folder)
        subjects = unseen.joined(subjects, found) if subjects else found
        workshop.say(f"{len(found)} unseen pictures measured ({folder})")
    return subjects


SHIPPED, BLIND = -2, -1
"""Columns of the features, from the end: logits of the shipped trace network, and of the one trained without the
strongest decoder."""


class Blend:
    """The ensemble's logit over the chosen columns, and one of the trace networks' in the last two, weighted.

    Args:
        workshop: Settings and columns.
        head: The ensemble.
        column: Which of the last columns.
        weights: Of ensemble and trace network; by default the workshop's.
    """

    def __init__(
        self, workshop: Workshop, head: Mapping[str, Tensor], column: int, weights: tuple[float, float] | None = None
    ) -> None:
        self._ensemble = Ensemble(head)
        self._columns = workshop.columns()
        self._column = column
        self._weights = workshop.settings.blend if weights is None else weights

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """float32 (N, width) to float64 (N,)."""
        seen, painted = self._weights
        found = painted * features[:, self._column].astype(np.float64)
        return found + seen * self._ensemble.logits(features[:, self._columns]) if seen else found


def score(
    workshop: Workshop, subjects: Sequence[unseen.Subject], head: Mapping[str, Tensor], column: int
) -> list[unseen.Scored]:
    """Judges unseen pictures with a head and a trace network."""
    return unseen.scored(subjects, Blend(workshop, head, column))


def parts(workshop: Workshop, subjects: Sequence[unseen.Subject], head: Mapping[str, Tensor]) -> dict[str, Any]:
    """What each part is worth alone: content-matched AUC and the mean over test families."""
    found: dict[str, Any] = {}
    for name, weights in (("frozen features alone", (1.0, 0.0)), ("trace network alone", (0.0, 1.0))):
        rows = unseen.scored(subjects, Blend(workshop, head, SHIPPED, weights))
        across = evaluate.across_generators(rows)
        found[name] = {
            "content_matched": evaluate.content_matched(rows, workshop.paired_decoders),
            "mean_over_families": {tier: across[tier]["mean_over_families"] for tier in across},
        }
    return found


def gate(workshop: Workshop, head: Mapping[str, Tensor], calibration: Calibration) -> dict[str, Any]:
    """The release gate: AUC between its photographs and generated pictures, and what the finished rules say."""
    items = data.gate(workshop.extra)
    if not items:
        return {}
    measured = [unseen.pictures(items, m, workshop.out / f"gate-{n}") for n, m in
                (("frozen", workshop.measure_middle), ("trace", workshop.traces(blind=False)))]  # fmt: skip
    subjects = unseen.joined(list(measured[0]), list(measured[1]))
    found: dict[str, Any] = {}
    for name, weights in (
        ("shipped", None),
        ("frozen features alone", (1.0, 0.0)),
        ("trace network alone", (0.0, 1.0)),
    ):
        rows = unseen.scored(subjects, Blend(workshop, head, SHIPPED, weights))
        for tier in TIERS:
            at = [row for row in rows if row.subject.tier == tier]
            real, fake = ([row.score for row in at if row.subject.item.label == label] for label in (0, 1))
            found.setdefault(name, {})[tier] = auc_estimate(real, fake)
            if weights is None:
                large = calibrate.judged(at)
                said = [row.verdict(calibration.image, calibration.max_flat_share) for row in large]
                for label, kind in ((0, "photographs"), (1, "generated")):
                    these = [v for v, row in zip(said, large, strict=True) if row.subject.item.label == label]
                    rate = {v.value: Rate(sum(t is v for t in these), len(these)) for v in Verdict}
                    found.setdefault("said", {}).setdefault(tier, {})[kind] = rate
    return found


def judge(
    workshop: Workshop,
    rows: Sequence[unseen.Scored],
    left_out: Mapping[str, Estimate],
    saved_alike: Mapping[str, Mapping[str, Any]],
    formatted: Sequence[unseen.Scored] = (),
) -> tuple[Calibration, dict[str, Any]]:
    """Calibrates on the calibration roles, and measures the finished rules on everything unseen.

    Args:
        workshop: Data, output folder, settings.
        rows: Scores of everything unseen by the head that is shipped.
        left_out: By state, content-matched AUC of the strongest decoder for a head that was not trained on it. It
            decides whether "no indication" may be said at all.
        saved_alike: Figures across generators where all files were saved alike last.
        formatted: Scores of everything unseen in other formats than JPEG.
    """

    def role(kind: str, *roles: str) -> list[unseen.Scored]:
        return [r for r in (*rows, *formatted) if calibrate.kind_of(r) == kind and r.subject.item.role in roles]

    large = calibrate.judged(rows)
    photographs = role("real", "calibrate")
    painted = [row for name in workshop.paired_decoders[:1] for row in role(name, "calibrate")]
    generated = {"gallery": role("gallery", "calibrate"), "resynthesised": painted}
    tested = calibrate.testable(large, photographs)
    passed = min(estimate.low for estimate in left_out.values()) >= calibrate.CLEAR_GATE
    beta = calibrate.BETA if passed else 0.0
    said = calibrate.verdicts(tested, photographs, generated, beta=beta)
    branch = calibrate.branch(photographs, generated, beta=beta)
    more = calibrate.testable(calibrate.judged(formatted), photographs)
    rates = calibrate.rates([*tested, *more], said + calibrate.verdicts(more, photographs, generated, beta=beta))
    strongest = workshop.training_decoders[0]
    for by_name in rates.values():
        for name in ("called", "cleared", "inconclusive"):
            by_name[f"resynthesised_{name}"] = by_name.get(f"{strongest}_{name}", Rate(0, 0))
    kept = {s: {n: r for n, r in by.items() if n.split("_")[0] in _REPORTED} for s, by in rates.items()}
    branch = replace(branch, rates=kept, facts=calibrate.facts({"content_matched_auc": left_out["as_is"]}),
                     ratios=ratios.curves(rows), claims_ratio=passed)  # fmt: skip
    first = calibrate.verdicts(tested, photographs, generated, beta=beta, alone=True)
    result = {
        "content_matched_left_out": {strongest: left_out},
        "content_matched": evaluate.content_matched(rows, workshop.paired_decoders),
        "trained_decoders": list(workshop.training_decoders),
        "may_clear": passed,
        "generators": evaluate.across_generators(rows),
        "saved_alike": saved_alike,
        "rates": rates,
        "by_source": evaluate.by_source(tested, said),
        "flips": evaluate.flips(tested, said, first),
        "left_aside": {"too_small": calibrate.counted(rows, large), "untestable": calibrate.counted(large, tested)},
    }
    never_trained = [name for name in workshop.paired_decoders if name not in workshop.training_decoders]
    result |= tables.tables(rows, (tested, said), result, branch.ratios, never_trained)
    flat, quality, least = calibrate.MAX_FLAT_SHARE, calibrate.MIN_QUALITY, calibrate.LEAST_SIDE
    return Calibration(branch, None, flat, quality, least_side=least), result


_REPORTED = ("real", "gallery", "strangers", "resynthesised")


def pack(
    workshop: Workshop, image: Mapping[str, Tensor], face: Mapping[str, Tensor] | None, trace: TraceNetwork
) -> dict[str, Tensor]:
    """Collects the tensors that are shipped: backbone up to its last tap (in half precision), trace network, heads."""
    taps = workshop.settings.taps
    from nsfwforensics.models.synthesis.features import FeatureExtractor

    wanted = FeatureExtractor(taps).state_dict()
    tensors = {f"backbone.{name}": workshop.backbone[name].half() for name in wanted}
    for name, head in (("image", image), ("face", face or {})):
        tensors |= {f"{name}.{key}": value.float() for key, value in head.items()}
    counted = "num_batches_tracked"
    tensors |= {f"trace.{key}": value for key, value in trace.state_dict().items() if not key.endswith(counted)}
    tensors["blend"] = torch.tensor(workshop.settings.blend, dtype=torch.float64)
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

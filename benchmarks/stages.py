"""The default scan stage by stage, beside what a user's script does where a library offers the same stage."""

from __future__ import annotations

import argparse
import gc
import io
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import exifread
import imagehash
import numpy as np
import pdqhash
from PIL import Image

from benchmarks import corpus
from benchmarks.naive import in_torch
from nsfwforensics.api import Run
from nsfwforensics.core.analyzer import Analyzer, BatchAnalyzer, Outcome
from nsfwforensics.core.discover import Look, Target
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.plan import Plan
from nsfwforensics.report.saved.json import file_line
from nsfwforensics.request import Request
from nsfwforensics.settings import Settings

MANY = 50_000
CORES = (2, 16, 64)

Milliseconds = dict[str, float]


def stages(arguments: argparse.Namespace) -> str:
    """Processor time of each stage of the default scan on one core, the quick pass, and what fifty thousand cost."""
    photos = arguments.stage_photos or _made(arguments.stage_files)
    files = sorted(path for path in photos.iterdir() if path.is_file())
    plan = Run(Request([photos], settings=Settings(isolate=False, engine="inline", device="cpu"))).plan
    classifier = in_torch(threads=1)
    _warm(plan, files[0])
    _theirs(classifier, files[0], defaultdict(float))
    ours: Milliseconds = defaultdict(float)
    theirs: Milliseconds = defaultdict(float)
    pixels = 0.0
    for path in files:
        pixels += _ours(plan, path, ours)
        _theirs(classifier, path, theirs)
        gc.collect()
    number = len(files)
    whole, quick = ours.pop("whole") / number, ours.pop("quick") / number
    rows = [f"| {stage} | {spent / number:.1f} | {_beside(theirs, stage, number)} |" for stage, spent in ours.items()]
    cost = [f"| {cores} | {whole * MANY / cores / 3.6e6:.1f} | {quick * MANY / cores / 6e4:.1f} |" for cores in CORES]
    return f"""## The default scan, stage by stage

{number} photographs, {pixels:.0f} megapixels in all. Processor time on one core in milliseconds a photo; decoding is
shared by all stages of ours and done by each library for itself in the script. Where no library offers a stage, none is
beside it.

| stage | ours | the user's script |
|---|---|---|
{chr(10).join(rows)}
| **the whole file** | {whole:.1f} | {sum(theirs.values()) / number:.1f} (what it has) |
| **the first look alone (`--quick`)** | {quick:.1f} | |

{whole / quick:.1f} times less for the first look. **Computed, not measured**, from these figures, without start-up and
as if {MANY:,} such photos divided evenly over the cores:

| cores | whole scan, hours | first look, minutes |
|---|---|---|
{chr(10).join(cost)}

On a graphics card: not measured."""


def _made(count: int) -> Path:
    photos = corpus.ROOT / ".work" / "bench" / f"stages-{count}"
    corpus.build(photos, count)
    return photos


def _warm(plan: Plan, path: Path) -> None:
    """Loads libraries and models, which a batch does once."""
    plan.infer([plan.examine_file(Target(path, True))])


def _timed(spent: Milliseconds, stage: str, call: Callable[[], object]) -> object:
    started = time.process_time()
    made = call()
    spent[stage] += 1e3 * (time.process_time() - started)
    return made


def _ours(plan: Plan, path: Path, spent: Milliseconds) -> float:
    evidence = Evidence.open(path, plan.spec.limits)
    _timed(spent, "decoding", lambda: evidence.rgb)
    for name, analyzer in plan.analyzers.items():
        if isinstance(analyzer, BatchAnalyzer):
            sample = _timed(spent, name, lambda one=analyzer: one.prepare(evidence))  # type: ignore[misc]
            if not isinstance(sample, Outcome):
                _timed(spent, name, lambda one=analyzer, it=sample: one.infer([it]))  # type: ignore[misc]
        elif isinstance(analyzer, Analyzer):
            _timed(spent, name, lambda one=analyzer: one.examine(evidence))  # type: ignore[misc]
    for stage, look in (("whole", Look.WHOLE), ("quick", Look.FIRST)):
        _timed(spent, stage, lambda at=look: file_line(plan.infer([plan.examine_file(Target(path, True, look=at))])[0]))  # type: ignore[misc]
    return evidence.rgb.shape[0] * evidence.rgb.shape[1] / 1e6


def _theirs(classifier: BatchAnalyzer[Any, Any], path: Path, spent: Milliseconds) -> None:
    """What example code does for the stages that a library offers; the classifier is ours in both, here by torch."""
    data = path.read_bytes()
    _timed(spent, "metadata", lambda: exifread.process_file(io.BytesIO(data)))
    _timed(spent, "phash", lambda: [hash_(Image.open(path)) for hash_ in (imagehash.phash, imagehash.dhash)])
    _timed(spent, "phash", lambda: pdqhash.compute(np.asarray(Image.open(path).convert("RGB"))))
    sample = _timed(spent, "deepfake", lambda: classifier.prepare(Evidence.open(path)))
    if not isinstance(sample, Outcome):
        _timed(spent, "deepfake", lambda: classifier.infer([sample]))


def _beside(theirs: Mapping[str, float], stage: str, number: int) -> str:
    return f"{theirs[stage] / number:.1f}" if stage in theirs else "–"

"""What ``model evaluate`` and ``model card`` do: judge two folders in worker processes, keep rates, print a card.

The detector runs in confined workers only, a stranger's as well as our own: the pictures are strangers too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsfwforensics.core import installation
from nsfwforensics.core.discover import discover
from nsfwforensics.core.evidence import Limits, utc_iso
from nsfwforensics.core.media import IMAGE_EXTENSIONS
from nsfwforensics.core.report_files import without_reports
from nsfwforensics.errors import NothingFoundError, ReportError, UsageError, WeightsError
from nsfwforensics.evaluation.figures import figures
from nsfwforensics.evaluation.judging import Judged, judge_file
from nsfwforensics.execution.base import Lost
from nsfwforensics.execution.isolation import Staff, isolated
from nsfwforensics.execution.prepare import here
from nsfwforensics.execution.server import warm_up
from nsfwforensics.execution.worker import start_plain
from nsfwforensics.models import weights as weights_files
from nsfwforensics.models.own.detector import probability
from nsfwforensics.models.own.files import DetectorFiles, find_detector
from nsfwforensics.models.own.reading import MEASURED_SUFFIX
from nsfwforensics.models.synthesis.calibration import CALIBRATION, cached_calibration
from nsfwforensics.models.synthesis.distribution import of_scores
from nsfwforensics.report.documents.evaluation import Evaluation
from nsfwforensics.report.saved.folder import replace_file

if TYPE_CHECKING:
    from nsfwforensics.evaluation.figures import Sourced

Told = Callable[[int, int], None]

_NEEDED = (
    "cv2",
    "torch",
    "nsfwforensics.models.own.detector",
    "nsfwforensics.models.synthesis.classifier",
    "PIL.JpegImagePlugin",
)
"""What every worker loads; loaded once, for all of them."""


def evaluated(
    real: Path,
    fake: Path,
    detector: Path | None,
    weights: Path | None,
    *,
    most: int | None,
    jobs: int,
    command: str,
    progress: Told,
) -> tuple[Evaluation, DetectorFiles | None]:
    """Judges both folders.

    Args:
        real: Photographs.
        fake: Generated pictures.
        detector: Card or folder of a model that was brought, or None.
        weights: A folder to look for weights in before the installed one.
        most: Most pictures of each folder.
        jobs: Worker processes.
        command: For the report.
        progress: Told how many are done, of how many.

    Raises:
        NothingFoundError: A folder holds no pictures.
        WeightsError: The detector cannot be used.
    """
    files = find_detector(detector) if detector is not None else None
    listed = [list(_pictures(folder, most)) for folder in (real, fake)]
    for folder, part in zip((real, fake), listed, strict=True):
        if not part:
            raise NothingFoundError(f"{folder} holds no pictures")
    judged = _judged([path for part in listed for _, path in part], files, weights, jobs, progress)
    sides: list[list[Sourced]] = [[(source, judged[path]) for source, path in part] for part in listed]
    stated = partial(probability, files.card.calibration) if files is not None else None
    found = Evaluation(
        version=installation.version(),
        command=command,
        when=utc_iso(time.time()),
        detector=_described(files),
        threshold=_threshold(files, weights),
        real=sides[0],
        generated=sides[1],
        figures=figures(sides[0], sides[1], stated),
        withheld=files is None and cached_calibration(weights).image.withheld is not None,
    )
    return found, files


def _pictures(folder: Path, most: int | None) -> Iterator[tuple[str, Path]]:
    """Sub-folder and path of every picture; evenly chosen over the folder where there are too many."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    paths = [
        target.path
        for target in without_reports(discover([folder]))
        if target.skip is None and target.path.suffix.lower() in IMAGE_EXTENSIONS
    ]
    if most is not None and len(paths) > most:
        paths = [paths[index * len(paths) // most] for index in range(most)]
    for path in paths:
        parts = path.relative_to(folder).parts
        yield parts[0] if len(parts) > 1 else folder.name or "pictures", path


def _judged(
    paths: list[Path], files: DetectorFiles | None, weights: Path | None, jobs: int, progress: Told
) -> dict[Path, Judged]:
    limits = Limits()
    warm_up(_NEEDED)
    staff = Staff(jobs, limits.max_seconds, start_plain, (here(), limits))
    if files is not None:
        _try_apart(files, staff)
    found: dict[Path, Judged] = {}
    tasks = ((path, files, weights, limits) for path in paths)
    for done, (task, judged) in enumerate(isolated(judge_file, tasks, staff), 1):
        path = task[0]
        found[path] = Judged(str(path), problem=judged.reason) if isinstance(judged, Lost) else judged
        progress(done, len(paths))
    return found


def _try_apart(files: DetectorFiles, staff: Staff) -> None:
    """Loads the model in a worker before any picture is judged.

    Raises:
        WeightsError: It cannot be used.
    """
    for _, outcome in isolated(_tried, [(files,)], staff):
        if isinstance(outcome, Lost):
            raise WeightsError(outcome.reason)
        if outcome:
            raise WeightsError(outcome)


def _tried(files: DetectorFiles) -> str:
    from nsfwforensics.models.own.detector import load_detector

    try:
        load_detector(files)
    except WeightsError as error:
        return error.message
    return ""


def _described(files: DetectorFiles | None) -> dict[str, Any]:
    if files is not None:
        about = files.card.detector
        return {
            "name": about.name,
            "version": about.version,
            "sha256": {about.file: about.sha256, files.card_file.name: files.card_sha256},
        }
    known = weights_files.manifest()
    entries = [known["synthesis"], known[CALIBRATION]]
    return {
        "name": "the built-in model",
        "version": f"{entries[0].version}, calibration {entries[1].version}",
        "sha256": {entry.file: entry.sha256 for entry in entries},
    }


def _threshold(files: DetectorFiles | None, weights: Path | None) -> float | None:
    if files is not None:
        return files.card.calibration.generated_from
    found: float | None = of_scores(cached_calibration(weights).image, "as_is").get("generated_from")
    return found


def save_rates(found: Evaluation, files: DetectorFiles, folder: Path) -> Path | None:
    """Writes what was counted for reports to quote, if the card has a threshold: to be put beside the card.

    Raises:
        ReportError: It cannot be written.
    """
    if found.threshold is None:
        return None
    lines = [
        "# Counted by `nsfwforensics model evaluate`. Put it beside the card: reports then quote these rates.",
        f'card_sha256 = "{files.card_sha256}"',
        f'model_sha256 = "{files.card.detector.sha256}"',
        f'when = "{found.when}"',
        f"leak = {str(found.figures.leaks.alarm or bool(found.figures.in_both)).lower()}",
    ]
    rates = []
    for state, figured in found.figures.states.items():
        photographs, made = figured.judged
        if photographs.total and made.total:
            rates += ["", "[[rates]]", f'state = "{state}"']
            rates += [f"real_called = [{photographs.count}, {photographs.total}]"]
            rates += [f"generated_called = [{made.count}, {made.total}]"]
    path = folder / (files.card_file.stem + MEASURED_SUFFIX)
    try:
        replace_file(path, lambda stream: stream.write("\n".join([*lines, *rates]) + "\n"))
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
    return path


def card_text(files: DetectorFiles) -> str:
    """A card in words, with what it claims named as its claim."""
    card = files.card
    about = card.detector
    lines = [
        f"{about.name}, version {about.version}",
        f"licence: {about.licence}",
        f"file: {about.file} ({about.format.value}), SHA-256 {about.sha256}",
        f"card: {files.card_file.name}, SHA-256 {files.card_sha256}",
        f"source: {about.source or 'not stated'}",
        f"trained on: {about.training_data or 'not stated'}",
        f"known failures: {about.known_failures or 'not stated'}",
    ]
    claims = card.calibration
    if claims.generated_from is None:
        lines.append("threshold: none; reports show its score and say nothing from it")
    else:
        lines.append(f"threshold: looks generated from a score of {claims.generated_from:g} on")
    calibrated = "temperature" if claims.temperature else "points" if claims.piecewise else "none stated"
    lines.append(f"calibration: {calibrated}{f', on {claims.on}' if claims.on else ''}")
    for title, rates in (
        ("error rates by its card, not measured here", card.rates),
        ("error rates measured with this tool", files.measured.rates if files.measured else ()),
    ):
        lines.append(f"{title}:{'' if rates else ' not measured'}")
        for entry in rates:
            (wrong, photographs), (found, made) = entry.real_called, entry.generated_called
            lines.append(
                f"  {entry.state}: {wrong} of {photographs} photographs called generated, {found} of {made} generated "
                "pictures found"
            )
    if files.measured is not None and files.measured.leak:
        lines.append("  WARNING: measured on folders that can be told apart by format or size; reports ignore this.")
    return "\n".join(lines)

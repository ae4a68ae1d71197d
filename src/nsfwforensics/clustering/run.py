"""From paths to clusters: walk, look at every file, group, and put into words what was found."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nsfwforensics.clustering.fingerprint import Fingerprint, Unread, embedding, features, fingerprint
from nsfwforensics.clustering.grouping import Clusters, Signatures, grouped
from nsfwforensics.clustering.model import Cluster, Clustering, Member, Problem
from nsfwforensics.clustering.verifying import VerifiedApart, verified_here
from nsfwforensics.clustering.workers import Looking, Progress
from nsfwforensics.core import installation
from nsfwforensics.core.discover import discover, outside
from nsfwforensics.core.evidence import Limits, utc_iso
from nsfwforensics.core.hashes import MATCH_DISTANCE
from nsfwforensics.core.places import keep_apart
from nsfwforensics.core.report_files import without_reports
from nsfwforensics.errors import UsageError
from nsfwforensics.execution.server import EVERY_WORKER, warm_up
from nsfwforensics.signals.matching.alignment import SCORE

if TYPE_CHECKING:
    from nsfwforensics.models.scene import SceneFigures

TOGETHER = 8
"""Files that a worker gets at a time: looking at one takes a few milliseconds."""

_NEEDED = (
    "cv2",
    "nsfwforensics.clustering.workers",
    "nsfwforensics.clustering.fingerprint",
    "nsfwforensics.clustering.verifying",
    "nsfwforensics.hashing.picture.orientations",
    "nsfwforensics.signals.matching.quick_keypoints",
)  # modules that the workers load


def cluster(
    paths: Iterable[str | Path],
    *,
    limits: Limits | None = None,
    jobs: int = 0,
    follow_symlinks: bool = False,
    exclude: Path | None = None,
    command: str = "nsfwforensics.cluster()",
    progress: Progress | None = None,
    isolate: bool = True,
    semantic: bool = False,
    weights: Path | None = None,
) -> Clustering:
    """Groups the pictures under some paths into near-duplicates.

    Files are compared by their bytes, then by PDQ in all eight turns, then by local features with geometry, and on
    request by whether they likely show the same scene. Memory
    grows by a few kilobytes a file; pictures are never held.

    Args:
        paths: Files and folders.
        limits: What a file may ask for.
        jobs: Worker processes; 0 chooses by files, cores and memory.
        follow_symlinks: Whether symbolic links are followed.
        exclude: A folder never to walk into: the one that the result is written to.
        command: For the result's head.
        progress: Is told how far it is.
        isolate: Whether files are read in confined worker processes, a single one too.
        semantic: Whether pictures that nothing else joined are compared by how alike they look to a network, which
            takes about half a second of a core each.
        weights: A folder to look for that network in before the installed one.

    Raises:
        UsageError: A path does not exist, or the result would be written into one.
        WeightsError: The network or its measured figures are missing or altered.
    """
    started = utc_iso(time.time())
    if isolate:
        warm_up([*EVERY_WORKER, *_NEEDED])
    figures = _figures(weights) if semantic else None
    tasks, problems = tasks_under([Path(path) for path in paths], follow_symlinks, exclude)
    looking = Looking(limits or Limits(), jobs, isolate, progress or (lambda what, done, total: None))
    looking = replace(looking, jobs=looking.jobs_for(len(tasks)))  # as many for the fewer files of the later looks
    prints: list[Fingerprint] = []
    for seen in looking.each("looking", fingerprint, tasks, TOGETHER):
        if isinstance(seen, Fingerprint):
            prints.append(seen)
        else:
            problems.append(problem_of(seen))

    def second(what: str, work: Callable[..., bytes | Unread], *more: Path | None) -> Signatures:
        return lambda numbers: looking.each(
            what,
            work,
            [(prints[number].path, prints[number].sha256, follow_symlinks, *more) for number in numbers],
            TOGETHER if work is features else 1,
        )

    verify = VerifiedApart(looking, looking.jobs) if isolate else verified_here
    embeddings = second("comparing what they show", embedding, weights) if figures else None
    groups = grouped(prints, second("comparing", features), embeddings, figures, verify)
    problems += [problem_of(unread) for unread in groups.lost.values()]
    clusters, alone = _worded(prints, groups)
    return Clustering(
        version=installation.version(),
        command=command,
        started=started,
        finished=utc_iso(time.time()),
        pdq_distance=MATCH_DISTANCE,
        feature_score=SCORE,
        similarity=figures.sure_from if figures else None,
        pictures=len(prints),
        clusters=clusters,
        alone=alone,
        problems=tuple(problems),
    )


def _figures(folder: Path | None) -> SceneFigures:
    from nsfwforensics.models import weights
    from nsfwforensics.models.scene import records, scene_figures

    for record in records(""):
        weights.locate(record.name, folder)
    return scene_figures(folder)


def tasks_under(
    paths: Sequence[Path], follow_symlinks: bool, exclude: Path | None
) -> tuple[list[tuple[Path, bool, bool]], list[Problem]]:
    """The files to look at, and those that must not be opened."""
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"no such file or folder: {path}")
    tasks, problems = [], []
    keep_apart([exclude], paths)
    for target in without_reports(outside(discover(paths, follow_symlinks=follow_symlinks), exclude)):
        if target.skip is not None:
            problems.append(Problem(path=str(target.path), reason=target.skip, failed=target.failed))
        else:
            tasks.append((target.path, target.named, target.follow))
    return tasks, problems


def problem_of(unread: Unread) -> Problem:
    """What a result says of a file that could not be looked at."""
    return Problem(path=str(unread.path), reason=unread.reason, failed=unread.failed)


def _worded(prints: Sequence[Fingerprint], groups: Clusters) -> tuple[tuple[Cluster, ...], tuple[Member, ...]]:
    stars: dict[int, list[int]] = {}
    for number in range(len(prints)):
        stars.setdefault(groups.root(number), []).append(number)
    ordered = sorted(stars.items(), key=lambda star: (-len(star[1]), str(prints[star[0]].path)))
    clusters: list[Cluster] = []
    for root, numbers in ordered:
        if len(numbers) > 1:
            members = sorted((number for number in numbers if number != root), key=lambda one: str(prints[one].path))
            clusters.append(
                Cluster(
                    number=len(clusters) + 1,
                    representative=_member(prints[root], root, groups),
                    members=tuple(_member(prints[number], number, groups) for number in members),
                )
            )
    alone = [_member(prints[root], root, groups) for root, numbers in ordered if len(numbers) == 1]
    return tuple(clusters), tuple(alone)


def _member(one: Fingerprint, number: int, groups: Clusters) -> Member:
    return Member(
        path=str(one.path),
        sha256=one.sha256,
        size=one.size,
        modified=one.modified,
        width=one.width,
        height=one.height,
        comparable=number not in groups.plain and number not in groups.lost,
        link=groups.links.get(number),
    )

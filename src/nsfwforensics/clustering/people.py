"""Joins the faces of a folder or a case into people: by number only, and only where the user asked for it."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.clustering import faces as seen
from nsfwforensics.clustering.faces import FacesOfFile, SeenFace, faces_of
from nsfwforensics.clustering.fingerprint import Unread
from nsfwforensics.clustering.joining import Groups, Joining, attached, joined
from nsfwforensics.clustering.model import Problem
from nsfwforensics.clustering.people_model import NearReference, OtherFace, People, Person, PersonFace
from nsfwforensics.clustering.run import problem_of, tasks_under
from nsfwforensics.clustering.workers import Looking
from nsfwforensics.core import installation
from nsfwforensics.core.evidence import utc_iso
from nsfwforensics.errors import CaseError, UsageError
from nsfwforensics.store import custody_log
from nsfwforensics.store import people as kept
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.custody_log import RESULTS, Happening
from nsfwforensics.store.people import ShownPerson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.models.faces.people import PeopleFigures
    from nsfwforensics.models.faces.template import FaceTemplate

GROUPED = "faces grouped"
"""What the custody log calls it."""

_WHAT = "looking for faces"
_AT_ONCE = 500  # contents whose faces are written into a case together, each time with an entry in its log


@dataclass(frozen=True, slots=True)
class Places:
    """Where the same bytes lie."""

    sha256: str
    paths: tuple[Path, ...]


def people_in(
    paths: Iterable[str | Path],
    looking: Looking,
    *,
    follow_symlinks: bool = False,
    exclude: Path | None = None,
    command: str = "nsfwforensics.clustering.people.people_in()",
    weights: Path | None = None,
    references: Mapping[str, FaceTemplate] | None = None,
) -> People:
    """Joins the faces of the pictures under some paths into people.

    Memory grows by half a kilobyte a face; pictures are never held.

    Args:
        paths: Files and folders.
        looking: How the files are looked at.
        follow_symlinks: Whether symbolic links are followed.
        exclude: A folder never to walk into: the one that the result is written to.
        command: For the result's head.
        weights: A folder to look for models in before the installed one.
        references: A face of each reference photo, by the photo's name, all of one person.

    Raises:
        UsageError: A path does not exist, or the result would be written into one.
        WeightsError: The face model or its measured figures are missing or altered.
    """
    started = utc_iso(time.time())
    figures = _figures(weights)
    tasks, problems = tasks_under([Path(path) for path in paths], follow_symlinks, exclude)
    found: dict[str, FacesOfFile] = {}
    places: dict[str, list[Path]] = {}
    work = [(*task, None, weights) for task in tasks]
    for one in looking.each(_WHAT, faces_of, work):
        if isinstance(one, Unread):
            problems.append(problem_of(one))
        else:
            found.setdefault(one.sha256, one)
            places.setdefault(one.sha256, []).append(one.path)
    where = {sha256: Places(sha256, tuple(paths)) for sha256, paths in places.items()}
    made = _Made(list(found.values()), figures, references or {}, {})
    return made.document(where, problems, command=command, started=started, case="")


def people_in_case(
    path: Path,
    looking: Looking,
    *,
    command: str = "nsfwforensics.clustering.people.people_in_case()",
    operator: str = "",
    weights: Path | None = None,
    references: Mapping[str, FaceTemplate] | None = None,
) -> People:
    """Joins the faces of all files of a case into people, and keeps in the case whom each content seems to show.

    Files whose faces the case keeps from before are not opened again. A person keeps the number from before where most
    faces do.

    Args:
        path: Of the case.
        looking: How the files are looked at.
        command: For the result's head and the custody log.
        operator: For the custody log.
        weights: A folder to look for models in before the installed one.
        references: A face of each reference photo, by the photo's name, all of one person.

    Raises:
        CaseError: It cannot be read or written.
        UsageError: It holds no file.
        WeightsError: The face model or its measured figures are missing or altered.
    """
    started = utc_iso(time.time())
    figures = _figures(weights)
    with CaseDatabase.open(path) as case:
        where = _places(case)
        if not where:
            raise UsageError(f"the case {path} holds no file whose bytes are known: scan into it first")
        log = _Log(case, command, operator)
        found: dict[str, FacesOfFile] = {}
        problems: list[Problem] = []
        for sha256, data in case.signatures(seen.METHOD):
            if sha256 in where:
                try:
                    found[sha256] = seen.decode(where[sha256].paths[0], sha256, data)
                except ValueError as error:
                    raise CaseError(f"{path}: what is kept of the faces in {sha256} cannot be used: {error}") from error
        work: list[tuple[Path, bool, bool, str, Path | None]] = []
        for sha256, place in where.items():
            if sha256 in found:
                continue
            here = next((each for each in place.paths if os.path.lexists(each)), None)
            if here is None:
                problems.append(problem_of(Unread(place.paths[0], "not found at the old place", failed=True)))
            else:
                work.append((here, False, False, sha256, weights))
        with ExitStack() as held:
            held.callback(log.write)  # after Ctrl-C too: what was found is kept
            for one in looking.each(_WHAT, faces_of, work):
                if isinstance(one, Unread):
                    problems.append(problem_of(one))
                else:
                    found[one.sha256] = one
                    log.keep(one)
        ordered = [found[sha256] for sha256 in where if sha256 in found]
        made = _Made(ordered, figures, references or {}, kept.people(case))
        result = made.document(where, problems, command=command, started=started, case=str(path))
        log.people(made.shown(), len(result.people))
        return result


class _Log:
    """Writes what was found into a case, each time with an entry in its custody log."""

    def __init__(self, case: CaseDatabase, command: str, operator: str) -> None:
        self._case = case
        self._command, self._operator = command, operator
        self._waiting: list[FacesOfFile] = []

    def keep(self, found: FacesOfFile) -> None:
        self._waiting.append(found)
        if len(self._waiting) >= _AT_ONCE:
            self.write()

    def write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        counts = {"contents": len(waiting), "faces": sum(len(each.faces) for each in waiting)}
        what = Happening("faces looked for", self._command, self._operator, counts=counts, states=(RESULTS,))
        signatures = {each.sha256: seen.encode(each) for each in waiting}
        custody_log.append(
            self._case, what, lambda connection: self._case.put_signatures(connection, seen.METHOD, signatures)
        )

    def people(self, shown: Mapping[str, Sequence[ShownPerson]], number: int) -> None:
        faces = sum(len(each) for each in shown.values())
        counts = {"people": number, "faces": faces, "contents": len(shown)}
        what = Happening(GROUPED, self._command, self._operator, counts=counts, states=(RESULTS,))
        custody_log.append(self._case, what, lambda connection: kept.write(self._case, connection, shown))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a face stands: the number of its content, and of the face in it."""

    content: int
    face: int


class _Made:
    """The groups of all faces.

    Args:
        found: The faces by content.
        figures: How they are joined.
        references: A face of each reference photo.
        before: Whom contents showed when they were grouped last.
    """

    def __init__(
        self,
        found: Sequence[FacesOfFile],
        figures: PeopleFigures,
        references: Mapping[str, FaceTemplate],
        before: Mapping[str, Sequence[ShownPerson]],
    ) -> None:
        self._found = found
        self._figures = figures
        rules = Joining(figures.join_within, figures.attach_within, figures.lead)
        fit: list[_Place] = []
        unfit: list[_Place] = []
        for content, one in enumerate(found):
            for number, face in enumerate(one.faces):
                (unfit if face.unfit else fit).append(_Place(content, number))
        vectors, others = self._vectors(fit), self._vectors(unfit)
        pictures = [place.content for place in fit]
        labels = joined(vectors, pictures, rules)
        groups = Groups.of(vectors, pictures, labels)
        near = attached(others, [place.content for place in unfit], groups, rules)
        row = {label: place for place, label in enumerate(groups.numbers)}
        self._members: list[list[tuple[_Place, float, bool]]] = [[] for _ in groups.numbers]
        self._alone: list[_Place] = []
        away, others_away = groups.distances(vectors), groups.distances(others)
        for at, label in enumerate(labels.tolist()):
            if (group := row.get(label)) is None:
                self._alone.append(fit[at])
            else:
                self._members[group].append((fit[at], float(away[at, group]), True))
        for at, group in enumerate(near.tolist()):
            if group < 0:
                self._alone.append(unfit[at])
            else:
                self._members[group].append((unfit[at], float(others_away[at, group]), False))
        self._numbers = _numbered([self._boxes(members) for members in self._members], before)
        self.reference = self._nearest(references, vectors, labels, groups)

    def shown(self) -> dict[str, list[ShownPerson]]:
        """Whom each content seems to show, by SHA-256."""
        shown: dict[str, list[ShownPerson]] = {}
        chosen = self.reference.person if self.reference else None
        for number, members in zip(self._numbers, self._members, strict=True):
            for place, _, compared in members:
                one = self._found[place.content]
                face = ShownPerson(number, one.faces[place.face].box, compared, number == chosen)
                shown.setdefault(one.sha256, []).append(face)
        return shown

    def document(
        self, where: Mapping[str, Places], problems: Sequence[Problem], *, command: str, started: str, case: str
    ) -> People:
        """The document of what was found.

        Args:
            where: The files of each content.
            problems: Files that were not looked at.
            command: The command line.
            started: When it began.
            case: The path of the case, if it was one.
        """
        figures = self._figures
        chosen = self.reference.person if self.reference else None
        texts = {sha256: tuple(map(str, place.paths)) for sha256, place in where.items()}

        def face(place: _Place) -> tuple[FacesOfFile, SeenFace]:
            one = self._found[place.content]
            return one, one.faces[place.face]

        people = []
        for number, members in sorted(zip(self._numbers, self._members, strict=True), key=lambda each: each[0]):
            ordered = sorted(members, key=lambda member: (not member[2], member[1]))
            faces = tuple(
                PersonFace(
                    paths=texts[one.sha256],
                    sha256=one.sha256,
                    box=found.box,
                    distance=round(distance, 4),
                    compared=compared,
                )
                for place, distance, compared in ordered
                for one, found in [face(place)]
            )
            people.append(Person(number=number, reference=number == chosen, faces=faces))
        others = tuple(
            OtherFace(paths=texts[one.sha256], sha256=one.sha256, box=found.box, unfit=found.unfit)
            for place in sorted(self._alone, key=lambda place: (place.content, place.face))
            for one, found in [face(place)]
        )
        return People(
            version=installation.version(),
            command=command,
            started=started,
            finished=utc_iso(time.time()),
            case=case,
            model=figures.model,
            join_within=figures.join_within,
            attach_within=figures.attach_within,
            measured=figures.measured,
            measured_on=figures.data,
            rates=figures.rows,
            pictures=len(self._found),
            faces=sum(len(one.faces) for one in self._found),
            people=tuple(people),
            others=others,
            left_out=sum(one.left_out for one in self._found),
            reference=self.reference,
            problems=tuple(problems),
        )

    def _vectors(self, places: Sequence[_Place]) -> NDArray[np.float32]:
        made = np.zeros((len(places), seen.LENGTH), np.float32)
        for row, place in enumerate(places):
            made[row] = self._found[place.content].faces[place.face].vector
        return made

    def _boxes(self, members: Sequence[tuple[_Place, float, bool]]) -> set[tuple[str, kept.Box]]:
        return {
            (self._found[place.content].sha256, self._found[place.content].faces[place.face].box)
            for place, _, _ in members
        }

    def _nearest(
        self,
        references: Mapping[str, FaceTemplate],
        vectors: NDArray[np.float32],
        labels: NDArray[np.int64],
        groups: Groups,
    ) -> NearReference | None:
        """Whom the reference photos show: at most one, the one whose faces are nearest on average."""
        if not references:
            return None
        from nsfwforensics.models.faces.people import direction

        directions = np.stack([direction(template) for template in references.values()])
        distances = np.linalg.norm(vectors[:, None] - directions[None], axis=2).min(axis=1, initial=np.inf)
        means = [float(distances[labels == label].mean()) for label in groups.numbers]
        near = sorted(
            (mean, number)
            for mean, number in zip(means, self._numbers, strict=True)
            if mean <= self._figures.join_within
        )
        return NearReference(
            files=tuple(references),
            person=near[0][1] if near else None,
            distance=round(min(means), 4) if means else None,
            others=tuple(number for _, number in near[1:]),
        )


def _numbered(groups: Sequence[set[tuple[str, kept.Box]]], before: Mapping[str, Sequence[ShownPerson]]) -> list[int]:
    """A number for each group: from before where most of its faces had it then, else new ones, the largest first."""
    then = {(sha256, face.box): face.person for sha256, faces in before.items() for face in faces}
    shared: list[tuple[int, int, int]] = []
    for group, faces in enumerate(groups):
        counted = Counter(then[face] for face in faces if face in then)
        shared += [(count, -number, group) for number, count in counted.items()]
    numbers: dict[int, int] = {}
    for _, minus, group in sorted(shared, reverse=True):
        if group not in numbers and -minus not in numbers.values():
            numbers[group] = -minus
    following = max(then.values(), default=0) + 1
    for group in sorted(range(len(groups)), key=lambda each: (-len(groups[each]), min(groups[each]))):
        if group not in numbers:
            numbers[group] = following
            following += 1
    return [numbers[group] for group in range(len(groups))]


def _figures(folder: Path | None) -> PeopleFigures:
    from nsfwforensics.models import weights
    from nsfwforensics.models.faces.files import DETECTOR
    from nsfwforensics.models.faces.people import MODEL, people_figures

    for name in (DETECTOR, MODEL):
        weights.locate(name, folder)
    return people_figures(folder)


def _places(case: CaseDatabase) -> dict[str, Places]:
    """The contents of a case in the order of triage, with the files of each."""
    places: dict[str, list[Path]] = {}
    for file in case.files():
        if file.sha256 is not None:
            places.setdefault(file.sha256, []).append(file.place)
    return {sha256: Places(sha256, tuple(paths)) for sha256, paths in places.items()}


__all__ = ["GROUPED", "people_in", "people_in_case"]

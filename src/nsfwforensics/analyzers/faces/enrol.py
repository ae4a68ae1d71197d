"""Enrolling the reference photos of the faces analyzer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.analyzer import Enrolment, Resources
from nsfwforensics.core.enrol_files import pictures
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import EnrolmentError, EvidenceError
from nsfwforensics.models.faces.rates import FaceRates, unfit_reason

if TYPE_CHECKING:
    from nsfwforensics.models.faces.template import FaceTemplate

LARGEST = "largest"


@dataclass(frozen=True, slots=True)
class Reference:
    """One enrolled photo of the person; picklable.

    Attributes:
        name: The file's name.
        sha256: The file's SHA-256.
        template: The face.
    """

    name: str
    sha256: str
    template: FaceTemplate


def enrol_references(
    paths: Sequence[Path],
    choice: str | None,
    model: str,
    rates: FaceRates | None,
    fitness: FaceRates,
    resources: Resources,
) -> Enrolment:
    """Embeds the chosen face of every reference photo.

    Args:
        paths: Photos, and folders of photos, all of the same person.
        choice: ``largest``, a number counted from the left, or None.
        model: The embedder.
        rates: Its measured figures, or None; part of the digest.
        fitness: Says which faces are fit to be compared.
        resources: Device, threads, weights.

    Raises:
        EnrolmentError: A photo cannot be read, or shows no usable face, or several with no choice made.
        WeightsError: The model's weights are missing or altered.
    """
    from nsfwforensics.models.faces.compare import distances

    references: list[Reference] = []
    records: list[dict[str, Any]] = []
    for evidence in pictures(paths, "reference"):
        template, record = _enrol_one(evidence.path, evidence, choice, model, fitness, resources)
        references.append(Reference(evidence.path.name, evidence.sha256, template))
        records.append(record)
    made = [reference.template for reference in references]
    for index, row in enumerate(distances(made, made)):
        others = [float(distance) for other, distance in enumerate(row) if other != index]
        if others:
            records[index]["nearest_other_reference"] = round(min(others), 4)
    digest = json.dumps([[r.sha256 for r in references], choice, model, rates.digest if rates else fitness.digest])
    return Enrolment(tuple(references), tuple(records), hashlib.sha256(digest.encode()).hexdigest())


def _enrol_one(
    path: Path, evidence: Evidence, choice: str | None, model: str, fitness: FaceRates, resources: Resources
) -> tuple[FaceTemplate, dict[str, Any]]:
    from nsfwforensics.models.faces.compare import templates
    from nsfwforensics.models.faces.detector import shared_faces
    from nsfwforensics.models.faces.embedder import cached_embedder

    embedder = cached_embedder(model, resources.device, resources.weights)
    try:
        rgb = evidence.rgb
    except EvidenceError as error:
        raise EnrolmentError(f"reference {path}: {error}") from error
    faces = sorted(shared_faces(evidence, resources), key=lambda face: face.box)
    if not faces:
        raise EnrolmentError(
            f"reference {path}: no face found in it; use a photo in which the face is seen from the front, uncovered "
            "and not small"
        )
    made = templates(embedder, rgb, faces)
    unfit = [unfit_reason(template, fitness) for template in made]
    index = _choose(path, [face.box for face in faces], unfit, choice)
    if (reason := unfit[index]) is not None:
        raise EnrolmentError(f"reference {path}: the face in it cannot be compared: {reason}")
    box = [round(value) for value in faces[index].box]
    record = {
        "role": "reference",
        "path": str(path),
        "sha256": evidence.sha256,
        "face": index + 1,
        "faces": len(faces),
        "box": box,
        "size": round(made[index].size, 1),
        "confidence": round(faces[index].confidence, 4),
    }
    return made[index], record


def _choose(
    path: Path, boxes: Sequence[tuple[float, float, float, float]], unfit: Sequence[str | None], choice: str | None
) -> int:
    """The index of the face that is meant; faces unfit for comparison do not make a photo ambiguous."""
    usable = [index for index, reason in enumerate(unfit) if reason is None]
    if len(boxes) == 1 or (choice is None and len(usable) == 1):
        return usable[0] if usable else 0
    if choice == LARGEST:
        return max(range(len(boxes)), key=lambda index: boxes[index][2] * boxes[index][3])
    if choice is not None and int(choice) <= len(boxes):
        return int(choice) - 1
    listed = "\n".join(
        f"  {number}: {box[2]:.0f} × {box[3]:.0f} pixels at x {box[0]:.0f}, y {box[1]:.0f}"
        + (f" (cannot be compared: {reason})" if reason else "")
        for number, (box, reason) in enumerate(zip(boxes, unfit, strict=True), start=1)
    )
    ask = f"there is no face {choice}" if choice else "say which one is meant"
    raise EnrolmentError(
        f"reference {path}: {len(boxes)} faces in it; {ask}. From the left:\n{listed}\n"
        "Choose with --reference-face NUMBER or --reference-face largest, or use a photo that shows one person."
    )

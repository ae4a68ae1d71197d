"""What is taken of the faces in one file, and how a case keeps it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.clustering.fingerprint import Unread
from nsfwforensics.core.evidence import Evidence, Limits
from nsfwforensics.core.media import IMAGE_EXTENSIONS
from nsfwforensics.errors import EvidenceError, NotAnImageError

if TYPE_CHECKING:
    from nsfwforensics.models.faces.rates import FaceRates

METHOD = "faces.resnet29.1"
"""What a case calls the faces of a content: where they are and a vector of each."""

MOST_FACES = 200
"""Most faces of one picture that are looked at, the largest first."""

LENGTH, MOST = 128, 16.0
"""Of a vector: how many numbers, and the largest that one may be; the network's are below 1."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """One face; picklable and small.

    Attributes:
        box: Left, top, width and height in pixels of the picture as shown.
        vector: float16 (128,).
        unfit: Why it is not fit to be compared; nothing where it is.
    """

    box: Box
    vector: NDArray[np.float16]
    unfit: str


@dataclass(frozen=True, slots=True)
class FacesOfFile:
    """The faces of a file's main picture.

    Attributes:
        path: The file.
        sha256: Of its bytes.
        faces: Largest first.
        left_out: How many more were found than are looked at.
    """

    path: Path
    sha256: str
    faces: tuple[SeenFace, ...]
    left_out: int = 0


def faces_of(
    path: Path, named: bool, follow: bool, expected: str | None, folder: Path | None, limits: Limits
) -> FacesOfFile | Unread:
    """Finds the faces of a file's main picture.

    Args:
        path: The file.
        named: Whether the user named this very file: one that is no image is then a failure.
        follow: Whether it may be a symbolic link.
        expected: What its bytes must be; None for any.
        folder: A folder to look for weights in before the installed ones.
        limits: What it may ask for.
    """
    from nsfwforensics.models.faces.compare import templates
    from nsfwforensics.models.faces.detector import cached_detector
    from nsfwforensics.models.faces.embedder import cached_embedder
    from nsfwforensics.models.faces.people import direction
    from nsfwforensics.models.faces.rates import unfit_reason

    fails = named or path.suffix.lower() in IMAGE_EXTENSIONS
    try:
        evidence = Evidence.open(path, limits, follow=follow)
        if expected is not None and evidence.sha256 != expected:
            raise EvidenceError("changed since it came into the case")
        picture = evidence.rgb
    except NotAnImageError as error:
        return Unread(path, str(error), failed=fails)
    except EvidenceError as error:
        return Unread(path, str(error), failed=fails)
    fitness = _fitness(folder)
    found = cached_detector("cpu", 1, folder).detect(picture)
    made = templates(cached_embedder("resnet29", "cpu", folder), picture, found[:MOST_FACES])
    faces = tuple(
        SeenFace(_box(face.box), direction(template).astype(np.float16), str(unfit_reason(template, fitness) or ""))
        for face, template in zip(found, made, strict=False)
    )
    return FacesOfFile(path, evidence.sha256, faces, max(0, len(found) - MOST_FACES))


def encode(found: FacesOfFile) -> bytes:
    """The faces of a file as a case keeps them."""
    faces = [
        {
            "box": face.box,
            "vector": base64.b64encode(np.ascontiguousarray(face.vector, "<f2").tobytes()).decode("ascii"),
            "unfit": face.unfit,
        }
        for face in found.faces
    ]
    return json.dumps({"faces": faces, "left_out": found.left_out}).encode()


def decode(path: Path, sha256: str, data: bytes) -> FacesOfFile:
    """Reads the faces that :func:`encode` wrote.

    Args:
        path: Of the file.
        sha256: Of its bytes.
        data: Out of a case.

    Raises:
        ValueError: It is something else.
    """
    try:
        value = json.loads(data)
        faces = tuple(_face(each) for each in value["faces"][:MOST_FACES])
        return FacesOfFile(path, sha256, faces, int(value["left_out"]))
    except (KeyError, TypeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("no faces as they are kept in a case") from error


def _face(value: dict[str, object]) -> SeenFace:
    box, text = value["box"], value["vector"]
    if not (isinstance(box, list) and len(box) == 4 and all(type(each) is int for each in box)):
        raise ValueError("a box of something else")
    vector = np.frombuffer(base64.b64decode(str(text), validate=True), "<f2").astype(np.float16)
    if vector.shape != (LENGTH,) or not np.isfinite(vector).all() or np.abs(vector).max() > MOST:
        raise ValueError("a vector of another length")
    return SeenFace((box[0], box[1], box[2], box[3]), vector, str(value["unfit"]))


def _box(box: tuple[float, float, float, float]) -> Box:
    left, top, width, height = (round(value) for value in box)
    return left, top, width, height


def _fitness(folder: Path | None) -> FaceRates:
    from nsfwforensics.errors import WeightsError
    from nsfwforensics.models.faces.people import MODEL
    from nsfwforensics.models.faces.rates import load_rates

    rates = load_rates(MODEL, folder)
    if rates is None:
        raise WeightsError("the measured error rates of the face model are missing; reinstall nsfwforensics")
    return rates

"""NudeNet's small detector of body parts, an optional extra: the model inside the package, on one thread, no download.

The package's own code prepares the picture and reads the boxes; the session is made here, of bytes that were checked
and on one thread. Faces, which it also marks, with a guess at a person's sex, are dropped unread: this is about
how a file is handled, not about who is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import say
from nsfwforensics.core.types import ModelRecord
from nsfwforensics.errors import MissingDependencyError, WeightsError
from nsfwforensics.models.onnx_session import onnx_session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

MODEL = "320n.onnx"
SHA256 = "c15d8273adad2d0a92f014cc69ab2d6c311a06777a55545f2c4eb46f51911f0f"
"""Of the model in nudenet 3.4.2, with which the error rates were measured."""

EDGE = 640
"""Longest edge, in pixels, that a picture is reduced to first: the model looks at 320 by 320."""

LOWEST_SCORE = 0.25
"""Boxes below this never leave the package."""

_FACES = frozenset({"FACE_FEMALE", "FACE_MALE"})


@dataclass(frozen=True, slots=True)
class Detection:
    """One place that the detector marked.

    Attributes:
        label: The model's class, such as ``BUTTOCKS_EXPOSED``.
        score: The model's score, 0–1; no probability.
        box: Left, top, width and height in pixels of the picture as shown.
    """

    label: str
    score: float
    box: tuple[int, int, int, int]


def model_file() -> Path:
    """The model inside the installed package; the package itself is not imported.

    Raises:
        MissingDependencyError: The extra is not installed.
    """
    found = find_spec("nudenet")
    path = Path(found.origin).parent / MODEL if found is not None and found.origin is not None else None
    if path is None or not path.is_file() or find_spec("onnxruntime") is None:
        raise MissingDependencyError(
            say("the detector is an extra that is not installed: pip install 'nsfwforensics[intimate]'")
        )
    return path


def _read(path: Path) -> bytes:
    """The model's bytes, which are checked."""
    data = path.read_bytes()
    _refuse_another(path, hashlib.sha256(data).hexdigest())
    return data


@cache
def _check(path: Path) -> None:
    with path.open("rb") as stream:
        _refuse_another(path, hashlib.file_digest(stream, "sha256").hexdigest())


def _refuse_another(path: Path, digest: str) -> None:
    if digest != SHA256:
        raise WeightsError(
            say(
                "the detector's model {file} is not the one whose error rates were measured (SHA-256 {digest})",
                file=path.name,
                digest=digest,
            )
        )


def detector_record(used_by: str) -> ModelRecord:
    """The detector, as a report's header names it.

    Args:
        used_by: The analyzer's name.

    Raises:
        MissingDependencyError: The extra is not installed.
        WeightsError: Its model is another than the one that was measured.
    """
    _check(model_file())
    try:
        release = version("nudenet")
    except PackageNotFoundError:
        release = "unknown"
    return ModelRecord(name="nudenet", version=release, file=MODEL, sha256=SHA256, used_by=used_by)


_LEAST_SCORE = 0.2  # what the package asks of a place before it looks further


class IntimateDetector:
    """The detector, loaded. Use :func:`cached_detector`: one for each process."""

    def __init__(self) -> None:
        session = onnx_session(_read(model_file()))  # before the package is imported, which loads the runtime too
        from nudenet import NudeDetector

        self._detector: Any = NudeDetector.__new__(NudeDetector)  # its constructor starts a thread for every core
        self._detector.onnx_session = _Marked(session)
        self._detector.input_name = session.get_inputs()[0].name
        self._detector.input_width = self._detector.input_height = 320

    def detect(self, image: Image.Image, shown: tuple[int, int]) -> tuple[Detection, ...]:
        """Marks body parts, the highest score first.

        Args:
            image: ``RGB`` or ``L``, upright, of any size.
            shown: Width and height of the picture as shown, in whose pixels the boxes are given.
        """
        pixels = _reduced(image)
        height, width = pixels.shape[:2]
        found = [entry for entry in self._detector.detect(pixels) if entry["class"] not in _FACES]
        scale = (shown[0] / width, shown[1] / height)
        made = [Detection(entry["class"], float(entry["score"]), _scaled(entry["box"], scale)) for entry in found]
        return tuple(sorted(made, key=lambda one: (-one.score, one.label, one.box)))


class _Marked:
    """A session of which the package gets only what it does not pass over: it goes through 2,100 places one by one."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, names: Any, given: Any) -> list[Any]:
        """What the session gives, float32 (1, 4 + labels, places), without places below the package's threshold."""
        (found,) = self._session.run(names, given)
        kept = found[0, 4:].max(axis=0) >= _LEAST_SCORE
        kept[:2] = True  # of a single place the package would lose an axis
        return [found[:, :, kept]]


def _scaled(box: Mapping[int, int] | list[int], scale: tuple[float, float]) -> tuple[int, int, int, int]:
    x, y, width, height = (max(0, round(box[index] * scale[index % 2])) for index in range(4))
    return x, y, width, height


def _reduced(image: Image.Image) -> NDArray[np.uint8]:
    """The picture as the package reads one from a file: blue, green, red; made small by averaging."""
    import cv2
    import numpy as np

    pixels = np.asarray(image.convert("RGB"))[:, :, ::-1]
    factor = EDGE / max(pixels.shape[:2])
    if factor >= 1:
        return np.ascontiguousarray(pixels)
    size = tuple(max(1, round(edge * factor)) for edge in (pixels.shape[1], pixels.shape[0]))
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


@cache
def cached_detector() -> IntimateDetector:
    """The detector of this process.

    Raises:
        MissingDependencyError: The extra is not installed.
        WeightsError: Its model is another than the one that was measured.
    """
    return IntimateDetector()

"""Naming the models of the face pipeline for a report's header, without loading any of them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from nsfwforensics.core.messages import say
from nsfwforensics.core.types import ModelRecord
from nsfwforensics.errors import MissingDependencyError
from nsfwforensics.models.weights import locate

_NETWORKS = ("pnet.pt", "rnet.pt", "onet.pt")


def detector_files() -> tuple[Path, ...]:
    """The detector's three weight files inside the installed facenet-pytorch, in the order of the cascade.

    Raises:
        MissingDependencyError: facenet-pytorch is not installed.
    """
    found = find_spec("facenet_pytorch")
    if found is None or found.origin is None:
        raise MissingDependencyError(_not_installed())
    return tuple(Path(found.origin).parent / "data" / name for name in _NETWORKS)


def _not_installed() -> str:
    return say("facenet-pytorch, which holds the face detector, is not installed")


@cache
def detector_digest() -> str:
    """SHA-256 over the detector's three weight files, in the order of the cascade.

    Raises:
        MissingDependencyError: facenet-pytorch is not installed, or without its weights.
    """
    digest = hashlib.sha256()
    for path in detector_files():
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            problem = say("facenet-pytorch lacks its weights file {file}", file=path.name)
            raise MissingDependencyError(problem) from error
    return digest.hexdigest()


def detector_record(used_by: str) -> ModelRecord:
    """The face detector, as a report's header names it.

    Args:
        used_by: The analyzer's name.

    Raises:
        MissingDependencyError: facenet-pytorch is not installed, or without its weights.
    """
    try:
        release = version("facenet-pytorch")
    except PackageNotFoundError as error:
        raise MissingDependencyError(_not_installed()) from error
    return ModelRecord(
        name="mtcnn", version=release, file="+".join(_NETWORKS), sha256=detector_digest(), used_by=used_by
    )


def embedder_record(name: str, used_by: str, folder: Path | None) -> ModelRecord:
    """A face embedder, as a report's header names it; the SHA-256 is checked when it is loaded.

    Raises:
        WeightsError: Its weights are missing.
    """
    entry, path = locate(name, folder)
    return ModelRecord(name=name, version=entry.version, file=path.name, sha256=entry.sha256, used_by=used_by)

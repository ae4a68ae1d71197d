"""Naming the models of the face pipeline for a report's header, without loading any of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from nsfwforensics.core.messages import say
from nsfwforensics.core.types import ModelRecord
from nsfwforensics.errors import MissingDependencyError, WeightsError
from nsfwforensics.models.weights import locate

NETWORKS: Mapping[str, str] = {
    "pnet.pt": "a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f",
    "rnet.pt": "bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86",
    "onet.pt": "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
}
"""The detector's files in facenet-pytorch 2.5.3, in the order of the cascade, and the SHA-256 of each."""


def detector_folder() -> Path:
    """Where the installed facenet-pytorch has the detector's weights.

    Raises:
        MissingDependencyError: facenet-pytorch is not installed.
    """
    found = find_spec("facenet_pytorch")
    if found is None or found.origin is None:
        raise MissingDependencyError(_not_installed())
    return Path(found.origin).parent / "data"


def read_networks() -> tuple[bytes, ...]:
    """Reads the detector's weights once and checks what was read, in the order of the cascade.

    Raises:
        MissingDependencyError: facenet-pytorch is not installed, or without its weights.
        WeightsError: A file is not the one with which everything was measured.
    """
    folder = detector_folder()
    return tuple(_read(folder / name, digest) for name, digest in NETWORKS.items())


def _read(path: Path, expected: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = say("facenet-pytorch lacks its weights file {file}", file=path.name)
        raise MissingDependencyError(problem) from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != expected:
        raise WeightsError(
            say(
                "facenet-pytorch's {file} is not the one that was measured (SHA-256 {actual}, expected {expected})",
                file=path.name,
                actual=actual,
                expected=expected,
            )
        )
    return data


def _not_installed() -> str:
    return say("facenet-pytorch, which holds the face detector, is not installed")


@cache
def detector_digest() -> str:
    """SHA-256 over the detector's three weight files, in the order of the cascade.

    Raises:
        MissingDependencyError: facenet-pytorch is not installed, or without its weights.
        WeightsError: They are others than those that were measured.
    """
    return hashlib.sha256(b"".join(read_networks())).hexdigest()


def detector_record(used_by: str) -> ModelRecord:
    """The face detector, as a report's header names it.

    Args:
        used_by: The analyzer's name.

    Raises:
        MissingDependencyError: facenet-pytorch is not installed, or without its weights.
        WeightsError: They are others than those that were measured.
    """
    try:
        release = version("facenet-pytorch")
    except PackageNotFoundError as error:
        raise MissingDependencyError(_not_installed()) from error
    return ModelRecord(
        name="mtcnn", version=release, file="+".join(NETWORKS), sha256=detector_digest(), used_by=used_by
    )


def embedder_record(name: str, used_by: str, folder: Path | None) -> ModelRecord:
    """A face embedder, as a report's header names it; the SHA-256 is checked when it is loaded.

    Raises:
        WeightsError: Its weights are missing.
    """
    entry, path = locate(name, folder)
    return ModelRecord(name=name, version=entry.version, file=path.name, sha256=entry.sha256, used_by=used_by)

"""Naming the models of the face pipeline for a report's header, without loading any of them."""

from __future__ import annotations

from pathlib import Path

from nsfwforensics.core.types import ModelRecord
from nsfwforensics.models.weights import locate

DETECTOR = "face-detector"
"""What the manifest calls the face detector."""


def model_record(name: str, used_by: str, folder: Path | None) -> ModelRecord:
    """A model of the face pipeline, as a report's header names it; the SHA-256 is checked when it is loaded.

    Args:
        name: The model's name in the manifest.
        used_by: The analyzer's name.
        folder: A folder to look in before the installed one.

    Raises:
        WeightsError: Its weights are missing.
    """
    entry, path = locate(name, folder)
    return ModelRecord(name=name, version=entry.version, file=path.name, sha256=entry.sha256, used_by=used_by)

"""Weights are read only when they are the files that the manifest names."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from nsfwforensics.errors import DeviceUnavailableError, UsageError, WeightsError
from nsfwforensics.models import weights
from nsfwforensics.models.device import resolve_device


def test_every_shipped_file_is_the_one_that_the_manifest_names_and_has_a_card() -> None:
    entries = weights.manifest().values()
    assert entries
    for entry in entries:
        if entry.shipped:
            assert hashlib.sha256(weights.read(entry.name)).hexdigest() == entry.sha256
            card = (weights.weights_folder() / entry.card).read_text("utf-8")
            assert len(card) > 500
            assert entry.license


def test_no_weights_file_is_unknown() -> None:
    named = {entry.file for entry in weights.manifest().values()}
    assert {path.name for path in weights.weights_folder().glob("*.safetensors")} <= named


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    name, entry = next((n, e) for n, e in weights.manifest().items() if e.shipped)
    (tmp_path / entry.file).write_bytes(b"other")
    with pytest.raises(WeightsError, match="not the file that the manifest names"):
        weights.load_tensors(name, tmp_path)


def test_an_unknown_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no model named"):
        weights.locate("nonsense")


def test_only_auto_falls_back() -> None:
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") in ("cpu", "mps") or resolve_device("auto").startswith("cuda")
    with pytest.raises(UsageError, match="abacus"):
        resolve_device("abacus")
    with pytest.raises(DeviceUnavailableError, match="cuda:63"):
        resolve_device("cuda:63")

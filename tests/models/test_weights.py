"""Weights are read only when they are the files that the manifest names."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nsfwforensics.errors import DeviceUnavailableError, UsageError, WeightsError
from nsfwforensics.models import intimate_detector, weights
from nsfwforensics.models.device import resolve_device
from nsfwforensics.models.synthesis.calibration import CALIBRATION, cached_calibration


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


@pytest.fixture
def swapping(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[str]]:
    """Has somebody put another file in the place of one as soon as it has been hashed."""

    def arrange(path: Path) -> list[str]:
        swapped: list[str] = []

        def after(hashing: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **more: Any) -> Any:
                found = hashing(*arguments, **more)
                if path.read_bytes() != b"another model":
                    path.write_bytes(b"another model")
                    swapped.append(path.name)
                return found

            return call

        for name in ("sha256", "file_digest"):
            monkeypatch.setattr(hashlib, name, after(getattr(hashlib, name)))
        return swapped

    return arrange


Swapping = Callable[[Path], list[str]]


@pytest.mark.parametrize("name", ["synthesis", "face-resnet29", "face-detector"])
def test_what_was_checked_is_what_is_loaded(tmp_path: Path, name: str, swapping: Swapping) -> None:
    shutil.copytree(weights.weights_folder(), tmp_path, dirs_exist_ok=True)
    expected = weights.load_tensors(name)
    swapped = swapping(tmp_path / weights.manifest()[name].file)
    loaded = weights.load_tensors(name, tmp_path)
    assert swapped
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in loaded.items())


def test_that_holds_for_the_calibration(tmp_path: Path, swapping: Swapping) -> None:
    shutil.copytree(weights.weights_folder(), tmp_path, dirs_exist_ok=True)
    swapped = swapping(tmp_path / weights.manifest()[CALIBRATION].file)
    assert cached_calibration(tmp_path) == cached_calibration(None)
    assert swapped


def test_and_for_the_detector_of_intimate_content(
    tmp_path: Path, swapping: Swapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nudenet")
    pytest.importorskip("onnxruntime")
    path = tmp_path / intimate_detector.MODEL
    shutil.copy(intimate_detector.model_file(), path)
    monkeypatch.setattr(intimate_detector, "model_file", lambda: path)
    swapped = swapping(path)
    intimate_detector.IntimateDetector()
    assert swapped

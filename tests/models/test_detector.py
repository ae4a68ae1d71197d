"""A model that a user brings: found by its card, checked, run on one picture at a time, always the same."""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from nsfwforensics.errors import WeightsError
from nsfwforensics.models.own.card import CardCalibration, Input
from nsfwforensics.models.own.detector import Detector, inputs, least_side, load_detector, probability
from nsfwforensics.models.own.files import find_detector, read_model
from nsfwforensics.models.synthesis import preprocess
from tests.models.make_onnx import RATES, brightness, card, model, node, tensor, value
from tests.pictures import noise

onnxruntime = pytest.importorskip("onnxruntime")


def grey(level: int, height: int = 200, width: int = 260) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def loaded(folder: Path, data: bytes, replace: Mapping[str, str] | None = None) -> Detector:
    return load_detector(find_detector(card(folder, data, replace=replace)))


# --- cards -------------------------------------------------------------------------------------------------------


def test_a_card_is_found_by_itself_or_by_its_folder(tmp_path: Path) -> None:
    path = card(tmp_path, brightness())
    (tmp_path / "other.measured.toml").write_text("")
    assert find_detector(path) == find_detector(tmp_path)
    renamed = path.rename(tmp_path / "mine.toml")
    assert find_detector(tmp_path).card_file == renamed
    (tmp_path / "yours.toml").write_text("")
    with pytest.raises(WeightsError, match=r"no card named detector\.toml"):
        find_detector(tmp_path)


@pytest.mark.parametrize(
    ("replace", "words"),
    [
        ({"input": ""}, "needs \\[input\\]"),
        ({"input": "width = 64\nheight = 64\nurl = 'x'"}, "Extra inputs"),
        ({"input": "width = 64\nheight = 0"}, "height"),
        ({"input": 'width = 64\nheight = 32\nfit = "crops"'}, "crops are square"),
        ({"input": "width = 64\nheight = 64\nstd = [0.0, 1.0, 1.0]"}, "not above 0"),
        ({"input": "width = 64\nheight = 64\nmean = [nan, 0, 0]"}, "finite"),
        ({"input": "width = 64\nheight = 64\nshorter = 20"}, "less than the input"),
        ({"output": 'kind = "verdict"'}, "output"),
        ({"calibration": "temperature = 0.0"}, "temperature"),
        ({"calibration": "temperature = 1.0\npiecewise = [[0, 0.1], [1, 0.2]]"}, "exclude each other"),
        ({"calibration": "piecewise = [[0, 0.1]]"}, "two or more"),
        ({"calibration": "piecewise = [[0, 0.5], [1, 0.2]]"}, "do not ascend"),
        ({"calibration": "piecewise = [[0, 0.5], [1, 2.0]]"}, "from 0 to 1"),
        ({"rates": RATES.replace("[1, 400]", "[401, 400]")}, "more than there were"),
        ({"rates": RATES.replace("[1, 400]", "[0, 0]")}, "rates"),
        ({"rates": RATES.replace("768_q60", "as_is")}, "rates twice"),
        ({"detector": 'name = "x"'}, "Field required"),
    ],
)
def test_a_card_that_says_something_impossible_is_refused(tmp_path: Path, replace: dict[str, str], words: str) -> None:
    with pytest.raises(WeightsError, match=words):
        find_detector(card(tmp_path, brightness(), replace=replace))


@pytest.mark.parametrize("file", ["../model.onnx", "/etc/passwd", "a\\\\b", ""])
def test_a_card_names_a_file_beside_it_and_nothing_else(tmp_path: Path, file: str) -> None:
    path = card(tmp_path, brightness())
    path.write_text(path.read_text().replace('file = "model.onnx"', f'file = "{file}"'))
    with pytest.raises(WeightsError, match="file"):
        find_detector(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"= [", b"[" * 5000, b"x = 1", b"#" * 1_000_001])
def test_what_is_no_card_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "detector.toml"
    path.write_bytes(content)
    with pytest.raises(WeightsError):
        find_detector(path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        find_detector(tmp_path / "none.toml")
    path = card(tmp_path, brightness())
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(WeightsError, match="missing beside its card"):
        find_detector(path)


# --- files -------------------------------------------------------------------------------------------------------


def _torchscript() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02.")
        archive.writestr("net/code/__torch__.py", "class Net(Module):\n  def forward(self, x): return x\n")
        archive.writestr("net/version", "3\n")
    return buffer.getvalue()


def _saved(value: object, **options: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def _keras() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("config.json", '{"class_name": "Lambda"}')
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
    return buffer.getvalue()


DANGEROUS = {
    "TorchScript": (_torchscript, "TorchScript"),
    "torch.save": (lambda: _saved({"w": torch.zeros(2)}), "PyTorch archive"),
    "old torch.save": (lambda: _saved({"w": torch.zeros(2)}, _use_new_zipfile_serialization=False), "pickle"),
    **{f"pickle {n}": (lambda n=n: pickle.dumps({"w": [1.0]}, protocol=n), "pickle") for n in range(2, 6)},
    "pickle that calls": (lambda: b"cos\nsystem\n(S'true'\ntR.", "pickle"),
    "pickle 0": (lambda: pickle.dumps({"w": [1.0]}, protocol=0), "pickle"),
    "HDF5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(100), "Keras or HDF5"),
    "Keras": (_keras, "Keras or HDF5"),
    "library": (lambda: b"\x7fELF" + bytes(100), "program"),
    "DLL": (lambda: b"MZ" + bytes(100), "program"),
    "script": (lambda: b"#!/usr/bin/env python\nprint(1)\n", "program"),
    "gzip": (lambda: b"\x1f\x8b\x08" + bytes(50), "another runtime"),
    "TFLite": (lambda: b"\x1c\0\0\0TFL3" + bytes(50), "another runtime"),
    "numpy": (lambda: b"\x93NUMPY\x01\0" + bytes(50), "another runtime"),
}


@pytest.mark.parametrize("name", ["model.onnx", "model.safetensors"])
@pytest.mark.parametrize("kind", DANGEROUS)
def test_nothing_that_could_run_is_loaded_whatever_its_name(tmp_path: Path, kind: str, name: str) -> None:
    build, words = DANGEROUS[kind]
    files = find_detector(card(tmp_path, build(), name=name))
    with pytest.raises(WeightsError, match=words):
        read_model(files)


def test_other_bytes_than_the_cards_are_refused(tmp_path: Path) -> None:
    files = find_detector(card(tmp_path, brightness()))
    files.model_file.write_bytes(brightness(gain=11.0))
    with pytest.raises(WeightsError, match="not the file that its card names"):
        load_detector(files)


def test_a_model_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nsfwforensics.models.own.files.MAX_MODEL_BYTES", 100)
    with pytest.raises(WeightsError, match="larger than"):
        read_model(find_detector(card(tmp_path, brightness())))


# --- ONNX --------------------------------------------------------------------------------------------------------


def test_the_score_is_the_models_logit(tmp_path: Path) -> None:
    found = loaded(tmp_path, brightness(gain=10.0, offset=-5.0))
    assert found.score(grey(255)).score == pytest.approx(5.0, abs=1e-4)
    assert found.score(grey(0)).score == pytest.approx(-5.0, abs=1e-4)
    picture = found.score(grey(128))
    assert picture.recompressed == pytest.approx(picture.score, abs=0.05)
    assert picture.resized == pytest.approx(picture.score, abs=0.05)


def test_probabilities_and_classes_become_logits(tmp_path: Path) -> None:
    steps = [
        node("GlobalAveragePool", ["x"], ["p"]),
        node("Flatten", ["p"], ["f"]),
        node("ReduceMean", ["f"], ["y"], axes=[1], keepdims=1),
    ]
    mean = model(steps)
    found = loaded(tmp_path / "p", mean, {"output": 'kind = "probability"'})
    assert found.score(grey(51)).score == pytest.approx(math.log(0.2 / 0.8), abs=1e-3)
    assert math.isfinite(found.score(grey(255)).score)
    turned = loaded(tmp_path / "r", mean, {"output": 'kind = "probability"\nhigher = "real"'})
    assert turned.score(grey(51)).score == pytest.approx(math.log(0.8 / 0.2), abs=1e-3)
    pair = brightness(classes=2)
    one = loaded(tmp_path / "a", pair, {"output": 'kind = "two-class"'})
    other = loaded(tmp_path / "b", pair, {"output": 'kind = "two-class"\ngenerated_index = 0'})
    assert one.score(grey(255)).score == pytest.approx(5.0, abs=1e-4)
    assert other.score(grey(255)).score == pytest.approx(-5.0, abs=1e-4)
    with pytest.raises(WeightsError, match="where its card says probability"):
        loaded(tmp_path / "c", brightness(gain=30.0), {"output": 'kind = "probability"'})


def test_input_is_what_the_card_says(tmp_path: Path) -> None:
    red_only = model(
        [
            node("GlobalAveragePool", ["x"], ["p"]),
            node("Flatten", ["p"], ["f"]),
            node("Gemm", ["f", "w"], ["y"]),
        ],
        tensors=[tensor("w", [[1.0], [0.0], [0.0]])],
    )
    pixels = grey(0)
    pixels[..., 0] = 255
    base = "width = 64\nheight = 64\n"
    assert loaded(tmp_path / "a", red_only).score(pixels).score == pytest.approx(1.0, abs=1e-4)
    bgr = loaded(tmp_path / "b", red_only, {"input": base + 'colour = "bgr"'})
    assert bgr.score(pixels).score == pytest.approx(0.0, abs=1e-4)
    scaled = loaded(
        tmp_path / "c", red_only, {"input": base + "scale = 1.0\nmean = [55.0, 0.0, 0.0]\nstd = [100.0, 1.0, 1.0]"}
    )
    assert scaled.score(pixels).score == pytest.approx(2.0, abs=1e-3)
    last = model([node("Flatten", ["x"], ["f"]), node("ReduceMax", ["f"], ["y"], keepdims=1)], shape=(1, 64, 64, 3))
    assert loaded(tmp_path / "d", last, {"input": base + 'layout = "nhwc"'}).score(pixels).score == 1.0


def test_ways_to_fit_a_picture() -> None:
    rgb = noise(300, 500, 3)
    (stretched,) = inputs(rgb, Input(width=64, height=48, fit="stretch"))  # type: ignore[arg-type]
    (middle,) = inputs(rgb, Input(width=64, height=48, fit="centre", shorter=300))  # type: ignore[arg-type]
    crops = inputs(rgb, Input(width=64, height=64, fit="crops", crops=5))  # type: ignore[arg-type]
    assert stretched.shape == middle.shape == (48, 64, 3)
    assert np.array_equal(middle, rgb[126:174, 218:282])
    assert len(crops) == 5
    assert all(crop.shape == (64, 64, 3) for crop in crops)
    tall = np.zeros((60_000, 17, 3), np.uint8)
    assert inputs(tall, Input(width=1024, height=1024))[0].shape == (1024, 1024, 3)


def test_crops_need_room_for_the_smaller_copy(tmp_path: Path) -> None:
    files = find_detector(card(tmp_path, brightness(), replace={"input": 'width = 64\nheight = 64\nfit = "crops"'}))
    side = least_side(files)
    assert side == 75
    picture = load_detector(files).score(grey(200, side, side))
    assert math.isfinite(picture.resized)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (brightness(size=32), "wants an input of n × 3 × 32 × 32"),
        (brightness(classes=2), "gives 1 × 2 values"),
        (model([node("Flatten", ["x"], ["y"])], out=(1, 12288)), "values, not 1"),
        (model([node("Relu", ["x"], ["y"])], more_inputs=[value("z", (1,))]), "wants 2 inputs"),
        (model([node("Cast", ["x"], ["y"], to=1)], kind=6), "not floating-point"),
        (model([node("Relu", ["nowhere"], ["y"])]), "cannot be loaded"),
        (model([node("Reshape", ["x", "s"], ["y"])], tensors=[tensor("s", [7, 11])]), "cannot be"),
        (model([node("Relu", ["x"], ["y"])])[:40], "breaks off"),
    ],
)
def test_a_model_that_does_not_fit_its_card_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(WeightsError, match=words):
        loaded(tmp_path, data)


def test_a_model_that_gives_no_number_is_refused(tmp_path: Path) -> None:
    steps = [
        node("Flatten", ["x"], ["f"]),
        node("ReduceMax", ["f"], ["m"], keepdims=1),
        node("Sub", ["m", "m"], ["zero"]),
        node("Div", ["zero", "zero"], ["y"]),
    ]
    with pytest.raises(WeightsError, match="no finite number"):
        loaded(tmp_path, model(steps))


def test_scores_are_the_same_every_time_and_in_any_order(tmp_path: Path) -> None:
    files = find_detector(card(tmp_path, brightness(), replace={"input": 'width = 64\nheight = 64\nfit = "crops"'}))
    pictures = [noise(150 + 40 * n, 260, n) for n in range(4)]
    first, second = load_detector(files), load_detector(files)
    forwards = [first.score(picture) for picture in pictures]
    backwards = [second.score(picture) for picture in pictures[::-1]][::-1]
    assert forwards == backwards == [first.score(picture) for picture in pictures]


# --- safetensors -------------------------------------------------------------------------------------------------


def _tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        "blocks": torch.tensor((3, 4), dtype=torch.int32),
        "weight": torch.randn(2, 768),
        "bias": torch.zeros(1),
        "portrait.weight": torch.zeros(512),
        "portrait.bias": torch.zeros(1),
    }


SAFE = {"input": "", "output": "", "limits": ""}


def _safe_card(folder: Path, data: bytes, architecture: str) -> Path:
    path = card(folder, data, name="m.safetensors", replace=SAFE)
    text = path.read_text().replace('format = "onnx"', f'format = "safetensors"\narchitecture = "{architecture}"')
    path.write_text(text)
    return path


@pytest.mark.slow
def test_tensors_of_a_known_architecture_are_judged_as_the_built_in_model_is(tmp_path: Path) -> None:
    found = load_detector(find_detector(_safe_card(tmp_path, save(_tensors()), "synthesis")))
    rgb = noise(300, 300, 1)
    assert found.score(rgb) == found.score(rgb)
    assert math.isfinite(found.score(rgb).score)


@pytest.mark.parametrize(
    ("data", "architecture", "words"),
    [
        (save({"w": torch.zeros(2)}), "synthesis", "unknown layout"),
        (save({"w": torch.zeros(2)}), "resnet50", "no architecture “resnet50”"),
        (save({"w": torch.zeros(2)})[:-4], "synthesis", "not readable safetensors"),
        (brightness(), "synthesis", "is not safetensors, as its card says"),
    ],
)
def test_other_tensors_are_refused(tmp_path: Path, data: bytes, architecture: str, words: str) -> None:
    with pytest.raises(WeightsError, match=words):
        load_detector(find_detector(_safe_card(tmp_path, data, architecture)))


def test_safetensors_are_not_taken_for_onnx(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is not onnx, as its card says"):
        loaded(tmp_path, save({"w": torch.zeros(2)}))


def test_probabilities_by_the_card() -> None:
    assert probability(CardCalibration(), 3.0) is None
    assert probability(CardCalibration(temperature=2.0), 0.0) == 0.5
    assert probability(CardCalibration(temperature=2.0), 4.0) == pytest.approx(1 / (1 + math.exp(-2.0)))
    points = CardCalibration(piecewise=((-1.0, 0.1), (1.0, 0.5)))
    assert [probability(points, score) for score in (-9.0, 0.0, 9.0)] == [0.1, pytest.approx(0.3), 0.5]


def test_a_picture_longer_than_a_jpeg_can_be_is_recompressed_in_pieces() -> None:
    long = noise(66_000, 24, 0)
    assert preprocess.recompressed(long, 80).shape == long.shape
    whole = preprocess.recompressed(long[:65_488], 80)
    assert (preprocess.recompressed(long, 80)[:65_488] == whole).all()
    across = np.ascontiguousarray(long.transpose(1, 0, 2))
    assert preprocess.recompressed(across, 80).shape == across.shape

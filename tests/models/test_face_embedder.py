from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.opening import file_sha256
from nsfwforensics.errors import WeightsError
from nsfwforensics.models import weights
from nsfwforensics.models.faces.align import align
from nsfwforensics.models.faces.compare import distances, sharpness, templates
from nsfwforensics.models.faces.detector import DetectedFace
from nsfwforensics.models.faces.embedder import CHIP, DIMENSIONS, FaceResNet29, ResNet29Embedder, cached_embedder
from nsfwforensics.models.faces.template import FaceTemplate
from nsfwforensics.models.weights import WeightsEntry

REFERENCE = Path(__file__).parent / "data" / "face_resnet29_reference.json"


def weave(k: int) -> np.ndarray:
    """A busy pattern, the same everywhere."""
    y, x = np.mgrid[0:CHIP, 0:CHIP].astype(np.int64)
    planes = [(x * (3 + k) + y * (5 - k) + 40 * c + (x * y * (k + 1)) // (37 + c)) % 256 for c in range(3)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def ellipse(k: int) -> np.ndarray:
    """A smooth bright ellipse, the same everywhere."""
    y, x = np.mgrid[0:CHIP, 0:CHIP].astype(np.int64)
    radius = (x - 75) ** 2 * (2 + k % 2) + (y - 75) ** 2
    planes = [np.clip(220 - 10 * c - radius // (60 + 10 * k) + ((x * (k + 1)) % 7), 0, 255) for c in range(3)]
    return np.stack(planes, axis=-1).astype(np.uint8)


CHIPS = {"weave 0": weave(0), "weave 1": weave(1), "ellipse 0": ellipse(0), "ellipse 1": ellipse(1)}


@pytest.fixture(scope="module")
def embedder() -> ResNet29Embedder:
    loaded = cached_embedder("resnet29", "cpu", None)
    assert isinstance(loaded, ResNet29Embedder)
    return loaded


def test_embeddings_equal_those_of_the_original(embedder: ResNet29Embedder) -> None:
    reference = json.loads(REFERENCE.read_text("utf-8"))
    expected = np.array([reference[name] for name in CHIPS])
    found = embedder.embed(np.stack(list(CHIPS.values())))
    assert found.dtype == np.float32
    # The weights are stored as float16; with the original float32 ones the difference is below 4e-7.
    assert np.abs(found - expected).max() < 1.5e-3
    assert np.linalg.norm(found - expected, axis=1).max() < 5e-3


def test_the_embedding_of_a_real_face_equals_that_of_the_original(embedder: ResNet29Embedder, samples: Path) -> None:
    reference = json.loads(REFERENCE.read_text("utf-8"))
    rgb = Evidence.open(samples / "reference.jpg").rgb
    found = embedder.embed(align(rgb, np.array(reference["landmarks"], np.float32))[None])[0]
    # Decoders and resizers may differ by a grey level, hence the wider bound than above.
    assert np.linalg.norm(found - np.array(reference["portrait"])) < 0.02


def test_an_embedding_does_not_depend_on_its_company(embedder: ResNet29Embedder) -> None:
    chips = np.stack([weave(0), *(ellipse(1) for _ in range(40)), weave(1)])
    together = embedder.embed(chips)
    assert together.shape == (42, DIMENSIONS)
    np.testing.assert_allclose(together[0], embedder.embed(chips[:1])[0], atol=1e-5)
    np.testing.assert_allclose(together[-1], embedder.embed(chips[-1:])[0], atol=1e-5)


def test_no_chips_give_no_embeddings(embedder: ResNet29Embedder) -> None:
    assert embedder.embed(np.empty((0, CHIP, CHIP, 3), np.uint8)).shape == (0, DIMENSIONS)


def test_tensors_of_another_network_are_refused() -> None:
    tensors = FaceResNet29().state_dict()
    del tensors["projection"]
    with pytest.raises(WeightsError, match="ResNet-29"):
        ResNet29Embedder(tensors)


def _template(vectors: np.ndarray) -> FaceTemplate:
    return FaceTemplate(vectors.astype(np.float32), 100.0, 1.0, 0.1)


def test_a_distance_is_the_mean_over_the_nearer_pairing() -> None:
    a, b = np.eye(4)[:2], np.eye(4)[2:] * 2
    (value,) = distances([_template(a)], [_template(b)])[0]
    assert value == pytest.approx(5**0.5)
    assert distances([], [_template(b)]).shape == (0, 1)


def test_a_face_lies_at_nothing_from_itself_and_from_its_mirror_image() -> None:
    vectors = np.random.default_rng(2).normal(size=(2, DIMENSIONS))
    table = distances([_template(vectors)], [_template(vectors), _template(vectors[::-1])])
    np.testing.assert_allclose(table, 0.0, atol=1e-6)


def test_a_mirrored_face_compares_as_the_original_does(embedder: ResNet29Embedder) -> None:
    landmarks = np.array([(60, 60), (110, 62), (85, 90), (62, 115), (108, 116)], np.float32)
    picture = ellipse(0).copy()
    picture[60:70, 50:70] = 20
    mirrored_marks = landmarks[[1, 0, 2, 4, 3]].copy()
    mirrored_marks[:, 0] = CHIP - 1 - mirrored_marks[:, 0]
    box = (40.0, 40.0, 90.0, 90.0)
    (original,) = templates(embedder, picture, [DetectedFace(box, 1.0, landmarks)])
    mirrored_picture = np.ascontiguousarray(picture[:, ::-1])
    (mirrored,) = templates(embedder, mirrored_picture, [DetectedFace(box, 1.0, mirrored_marks)])
    (other,) = templates(embedder, weave(0), [DetectedFace(box, 1.0, landmarks)])
    table = distances([original, mirrored], [other])
    assert table[1, 0] == pytest.approx(table[0, 0], abs=0.02)


def test_blur_lowers_sharpness_and_contrast_does_not() -> None:
    generator = np.random.default_rng(1)
    blocks = generator.integers(0, 256, (10, 10, 3)).repeat(15, axis=0).repeat(15, axis=1).astype(np.uint8)
    shifted = [np.roll(blocks, (i, j), axis=(0, 1)) for i in range(9) for j in range(9)]
    soft = np.asarray(np.mean(shifted, axis=0), np.uint8)
    dim = (blocks // 2 + 60).astype(np.uint8)
    assert sharpness(soft) < 0.5 * sharpness(blocks)
    assert sharpness(dim) == pytest.approx(sharpness(blocks), rel=0.05)
    assert sharpness(np.full((CHIP, CHIP, 3), 90, np.uint8)) == 0.0


def test_the_other_model_is_missing_and_says_where_it_can_be_had(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"20180402-114759-vggface2\.pt.*facenet-pytorch.*--weights"):
        cached_embedder("vggface2", "cpu", tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
def test_the_other_model_runs_from_a_file_that_has_the_right_sha256(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool
) -> None:
    facenet = pytest.importorskip("facenet_pytorch")
    torch.manual_seed(1)
    network = facenet.InceptionResnetV1(pretrained=None, classify=True, num_classes=10).eval()
    path = tmp_path / "facenet.pt"
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=zipped)
    _name_in_manifest(monkeypatch, path, file_sha256(path))
    loaded = cached_embedder("vggface2", "cpu", tmp_path)
    face = DetectedFace((10.0, 5.0, 80.0, 100.0), 1.0, np.zeros((5, 2), np.float32))
    crop = loaded.crop(weave(1), face)
    vectors = loaded.embed(np.stack([crop, crop[:, ::-1]]))
    assert vectors.shape == (2, 512)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    network.classify = False
    with torch.inference_mode():
        tensor = (torch.tensor(crop).permute(2, 0, 1)[None].float() - 127.5) / 128.0
        np.testing.assert_allclose(vectors[0], network(tensor)[0].numpy(), atol=1e-5)


@pytest.mark.parametrize("content", [{"conv": torch.zeros(2)}, [1, 2], Path])
def test_the_other_model_refuses_what_is_no_such_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object
) -> None:
    path = tmp_path / "facenet.pt"
    torch.save(content, path)
    _name_in_manifest(monkeypatch, path, file_sha256(path))
    with pytest.raises(WeightsError, match="InceptionResnetV1"):
        cached_embedder("vggface2", "cpu", tmp_path)


def test_the_other_model_is_not_even_opened_with_another_sha256(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "facenet.pt"
    path.write_bytes(b"anything")
    _name_in_manifest(monkeypatch, path, "0" * 64)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("must not be read"))
    with pytest.raises(WeightsError, match="SHA-256"):
        cached_embedder("vggface2", "cpu", tmp_path)


def _name_in_manifest(monkeypatch: pytest.MonkeyPatch, path: Path, sha256: str) -> None:
    entry = WeightsEntry("face-vggface2", "test", path.name, sha256, "none", shipped=False)
    monkeypatch.setattr(weights, "manifest", lambda: {"face-vggface2": entry})

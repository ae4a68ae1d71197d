from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tools.convert_face_detector import convert

from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import WeightsError
from nsfwforensics.models.faces import mtcnn
from nsfwforensics.models.faces.mtcnn import Mtcnn, suppress
from nsfwforensics.models.weights import load_tensors


@pytest.mark.parametrize("name", ["reference.jpg", "other-person.jpg"])
def test_it_finds_what_facenets_own_cascade_finds(samples: Path, name: str) -> None:
    facenet = pytest.importorskip("facenet_pytorch")
    rgb = np.ascontiguousarray(Evidence.open(samples / name).rgb)
    boxes, scores, points = facenet.MTCNN(keep_all=True, min_face_size=20).detect(rgb, landmarks=True)
    best = int(np.argmax(scores.astype(float)))
    ours = Mtcnn("cpu", 20).detect(rgb)
    assert len(ours.scores) == len(scores)
    width = float(boxes[best][2] - boxes[best][0])
    # The two average the pyramid down differently, so they start from slightly different windows.
    assert np.abs(ours.boxes[0] - boxes[best].astype(float)).max() < 0.08 * width
    assert np.abs(ours.landmarks[0] - points[best].astype(float)).max() < 0.06 * width


def test_the_networks_are_facenets_to_the_last_bit() -> None:
    torch = pytest.importorskip("torch")
    facenet = pytest.importorskip("facenet_pytorch")
    theirs, ours = facenet.MTCNN(), Mtcnn("cpu", 20)
    generator = torch.Generator().manual_seed(4)
    for their, our, side in (
        (theirs.pnet, ours._proposal, 61),
        (theirs.rnet, ours._refinement, 24),
        (theirs.onet, ours._output, 48),
    ):
        x = torch.randn(2, 3, side, side, generator=generator)
        with torch.inference_mode():
            *corrections, score = their(x)
            for a, b in zip(our(x), [score, *corrections], strict=True):
                torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_importing_it_does_not_import_facenet_or_torchvision() -> None:
    script = (
        "import sys; from nsfwforensics.models.faces.detector import cached_detector; cached_detector('cpu', 1); "
        "print([m for m in ('facenet_pytorch', 'torchvision') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_weights_of_another_network_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "face-detector.safetensors").write_bytes(b"not a network")
    with pytest.raises(WeightsError, match=r"face-detector\.safetensors is not the file"):
        Mtcnn("cpu", 20, tmp_path)


def test_the_shipped_weights_are_facenets() -> None:
    torch = pytest.importorskip("torch")
    facenet = pytest.importorskip("facenet_pytorch")
    shipped = load_tensors("face-detector")
    made = convert(Path(facenet.__file__).parent / "data")
    assert made.keys() == shipped.keys()
    assert all(torch.equal(tensor, shipped[name]) for name, tensor in made.items())


def test_a_picture_full_of_proposals_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mtcnn, "THRESHOLDS", (0.0, 1.1, 1.1))
    monkeypatch.setattr(mtcnn, "MAX_PROPOSALS", 200)
    generator = np.random.default_rng(1)
    assert len(Mtcnn("cpu", 20).detect(generator.integers(0, 256, (200, 300, 3), dtype=np.uint8)).scores) == 0


_BOX = st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(0.5, 60), st.floats(0.5, 60), st.floats(0, 1))


@given(st.lists(_BOX, max_size=25), st.booleans())
def test_suppression_keeps_the_best_and_nothing_that_overlaps_it(rows: list[tuple[float, ...]], smaller: bool) -> None:
    table = np.array(rows, np.float64).reshape(-1, 5)
    boxes = np.hstack([table[:, :2], table[:, :2] + table[:, 2:4]])
    kept = suppress(boxes, table[:, 4], 0.5, of_smaller=smaller)
    assert len(set(kept.tolist())) == len(kept)
    assert (np.diff(table[kept, 4]) <= 0).all()
    if len(rows):
        assert table[kept[0], 4] == table[:, 4].max()
    for position, one in enumerate(kept):
        for other in kept[position + 1 :]:
            corner = np.maximum(boxes[one, :2], boxes[other, :2])
            shared = np.prod(np.clip(np.minimum(boxes[one, 2:], boxes[other, 2:]) - corner, 0, None))
            areas = np.prod(boxes[[one, other], 2:] - boxes[[one, other], :2], axis=1)
            whole = areas.min() if smaller else areas.sum() - shared
            assert shared <= 0.5 * whole + 1e-9


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 400])
@pytest.mark.parametrize("smaller", [False, True])
def test_suppression_several_at_a_time_keeps_what_it_keeps_one_by_one(count: int, smaller: bool) -> None:
    made = np.random.default_rng(count)
    corner = made.integers(0, 300, (count, 2)).astype(float)
    boxes = np.hstack([corner, corner + made.choice([20.0, 28.0, 57.0], (count, 1))])
    scores = made.random(count).round(1)  # many alike
    left = np.argsort(-scores, kind="stable").tolist()
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [other for other in left if not _overlaps(boxes[best], boxes[other], 0.5, smaller=smaller)]
    assert suppress(boxes, scores, 0.5, of_smaller=smaller).tolist() == kept


def _overlaps(one: NDArray[np.float64], other: NDArray[np.float64], most: float, *, smaller: bool) -> bool:
    shared = np.prod(np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None))
    areas = [np.prod(each[2:] - each[:2]) for each in (one, other)]
    return bool(shared > most * (min(areas) if smaller else sum(areas) - shared))


@pytest.mark.parametrize("memory", ["channels_last", "contiguous_format"])
@pytest.mark.parametrize("sides", [(1, 1), (2, 2), (3, 4), (9, 9), (22, 21), (21, 22)])
def test_pooling_and_slopes_are_torchs_to_the_last_bit(sides: tuple[int, int], memory: str) -> None:
    import torch

    values = torch.randn((2, 5, *sides), generator=torch.Generator().manual_seed(1))
    values = values.contiguous(memory_format=getattr(torch, memory))
    slope = mtcnn._Slope(5).requires_grad_(False)
    slope.weight.copy_(torch.linspace(-1, 1, 5))
    assert torch.equal(slope(values), torch.nn.functional.prelu(values, slope.weight))
    for window in (2, 3):
        if min(sides) >= window:
            whole = torch.nn.functional.max_pool2d(values, window, 2, ceil_mode=True)
            assert torch.equal(mtcnn._Pool(window)(values), whole)


@pytest.mark.parametrize("shape", [(1, 5, 7, 3), (1, 16, 16, 3), (3, 24, 24, 3)])
def test_a_network_gets_numbers_from_minus_one_to_one(shape: tuple[int, ...]) -> None:
    pictures = np.resize(np.arange(256, dtype=np.uint8), shape)
    made = Mtcnn("cpu", 20)._tensor(pictures).numpy()
    assert np.array_equal(made, ((pictures.astype(np.float64) - 127.5) * 0.0078125).transpose(0, 3, 1, 2))

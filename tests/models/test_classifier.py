from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from nsfwforensics.errors import WeightsError
from nsfwforensics.models.synthesis import preprocess
from nsfwforensics.models.synthesis.classifier import SynthesisClassifier
from nsfwforensics.models.synthesis.face_statistics import WIDTH as FACE_WIDTH
from nsfwforensics.models.synthesis.face_statistics import face_features
from nsfwforensics.models.synthesis.features import RESIDUAL_STATISTICS, TAPS, FeatureExtractor, residual_statistics
from nsfwforensics.models.synthesis.trace_network import middle


def noise(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    taps = (-1, 0, 2, 5)
    extractor = FeatureExtractor(taps)
    made = {f"backbone.{name}": value.half() for name, value in extractor.state_dict().items()}
    for head, width in (("image", extractor.width), ("face", FACE_WIDTH)):
        made |= {
            f"{head}.mean": torch.zeros(width),
            f"{head}.scale": torch.ones(width),
            f"{head}.w1": torch.randn(3, width, 8) * 0.1,
            f"{head}.b1": torch.randn(3, 8),
            f"{head}.w2": torch.randn(3, 8),
            f"{head}.b2": torch.randn(3),
        }
    return made | {"taps": torch.tensor(taps, dtype=torch.int32)}


@pytest.fixture(scope="module")
def classifier(tensors: dict[str, torch.Tensor]) -> SynthesisClassifier:
    return SynthesisClassifier.from_tensors(tensors)


def test_scores_do_not_depend_on_company(classifier: SynthesisClassifier) -> None:
    pictures = [preprocess.crop(noise(n, 300, 700)) for n in range(3)]
    alone = [classifier.score([picture])[0] for picture in pictures]
    together = classifier.score(pictures)
    backwards = classifier.score(pictures[::-1])[::-1]
    assert alone == together == backwards
    assert len({score.score for score in alone}) == 3


def test_scores_do_not_depend_on_the_number_of_threads(
    classifier: SynthesisClassifier, tensors: dict[str, torch.Tensor]
) -> None:
    pictures = [preprocess.crop(noise(n, 300, 700)) for n in range(2)]
    assert SynthesisClassifier.from_tensors(tensors, threads=2).score(pictures) == classifier.score(pictures)


def test_score_is_the_mean_over_crops_and_views_shift_it(classifier: SynthesisClassifier) -> None:
    picture = preprocess.crop(noise(5, 400, 700))
    logits = [float(classifier._image.logits(classifier.features(middle(c[None])))[0]) for c in picture.native]
    again = [float(classifier._image.logits(classifier.features(middle(c[None])))[0]) for c in picture.recompressed]
    score = classifier.score([picture])[0]
    assert score.score == pytest.approx(np.mean(logits), abs=1e-9)
    assert score.spread == pytest.approx(np.std(logits), abs=1e-9)
    shift = np.mean(again) - np.mean([logits[i] for i in picture.viewed])
    assert score.recompressed == pytest.approx(score.score + shift, abs=1e-9)
    assert score.crops == 6


def test_no_pictures_no_scores(classifier: SynthesisClassifier) -> None:
    assert classifier.score([]) == []
    assert classifier.score_faces(np.zeros((0, FACE_WIDTH), np.float32)).shape == (0,)


def test_faces_are_judged_one_by_one(classifier: SynthesisClassifier) -> None:
    faces = np.stack([face_features(noise(n, 300, 300), (90.0, 80.0, 100.0, 120.0)) for n in range(3)])
    scores = classifier.score_faces(faces)
    assert np.isfinite(scores).all()
    assert scores[1] == classifier.score_faces(faces[1:2])[0]


def test_without_a_face_head_that_fits_faces_have_no_score(tensors: dict[str, torch.Tensor]) -> None:
    faces = np.zeros((1, FACE_WIDTH), np.float32)
    bare = {name: value for name, value in tensors.items() if not name.startswith("face.")}
    assert np.isnan(SynthesisClassifier.from_tensors(bare).score_faces(faces)).all()
    other = tensors | {"face.mean": torch.zeros(FACE_WIDTH + 1)}
    assert np.isnan(SynthesisClassifier.from_tensors(other).score_faces(faces)).all()


def test_unknown_layouts_are_refused(tensors: dict[str, torch.Tensor]) -> None:
    for missing in ("backbone.stem.weight", "image.mean"):
        with pytest.raises(WeightsError):
            SynthesisClassifier.from_tensors({k: v for k, v in tensors.items() if k != missing})
    with pytest.raises(WeightsError):
        SynthesisClassifier.from_tensors(tensors | {"taps": torch.tensor([-1], dtype=torch.int32)})


def test_features_have_the_stated_shape() -> None:
    extractor = FeatureExtractor(TAPS[:3])
    crops = torch.from_numpy(noise(1, 64, 64)[None])
    with torch.inference_mode():
        found = extractor(crops)
    assert found.shape == (1, extractor.width)
    assert torch.isfinite(found).all()


@settings(max_examples=15, deadline=None)
@given(hnp.arrays(np.uint8, (1, 32, 32, 3)))
def test_residual_statistics_are_finite_for_any_pixels(pixels: NDArray[np.uint8]) -> None:
    values = residual_statistics(torch.from_numpy(pixels).permute(0, 3, 1, 2).float())
    assert values.shape == (1, RESIDUAL_STATISTICS)
    assert torch.isfinite(values).all()


@pytest.mark.shared_data
def test_folded_backbone_gives_known_shapes(shared_data: object) -> None:
    from pathlib import Path

    from safetensors.torch import load_file

    state = load_file(Path(str(shared_data)) / "models" / "mobilenet_v2_imagenet.safetensors")
    extractor = FeatureExtractor.from_tensors(state)
    with torch.inference_mode():
        rows = extractor(torch.from_numpy(noise(3, 256, 256)[None]))
    assert rows.shape == (1, 1204)


# --- what the classifier is shown -------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.integers(256, 900), st.integers(256, 900))
def test_crops_lie_inside_and_differ(height: int, width: int) -> None:
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 3] = noise(0, height // 2, width // 3)
    places = preprocess.positions(rgb)
    assert 1 <= len(places) <= preprocess.CROPS
    assert len(set(places)) == len(places)
    assert all(0 <= x <= width - 256 and 0 <= y <= height - 256 for x, y in places)
    assert places == preprocess.positions(rgb)


def test_the_first_crop_is_where_the_texture_is() -> None:
    rgb = np.full((1024, 1024, 3), 120, np.uint8)
    rgb[700:1000, 40:340] = noise(1, 300, 300)
    x, y = preprocess.positions(rgb)[0]
    assert 0 <= x <= 110
    assert 640 <= y <= 768
    assert len(preprocess.positions(rgb)) == 6


def test_crops_are_native_pixels_and_too_small_is_refused() -> None:
    rgb = noise(2, 300, 600)
    cut = preprocess.crop(rgb)
    for (x, y), pixels in zip(preprocess.positions(rgb), cut.native, strict=True):
        assert np.array_equal(pixels, rgb[y : y + 256, x : x + 256])
    assert cut.recompressed.shape == (2, 256, 256, 3)
    assert cut.resized.shape == (2, 224, 224, 3)
    with pytest.raises(ValueError, match="smaller than a crop"):
        preprocess.crop(rgb[:255])
    assert preprocess.crop(rgb[:256, :256]).native.shape == (1, 256, 256, 3)


@pytest.mark.parametrize("quality", [10, 30, 49, 50, 60, 75, 90, 95, 100])
def test_quality_of_pillow_jpegs_is_recovered(quality: int) -> None:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(noise(1, 32, 32)).save(buffer, "JPEG", quality=quality)
    tables = Image.open(buffer).quantization  # type: ignore[attr-defined]
    assert preprocess.jpeg_quality(tables) == pytest.approx(quality, abs=2)


def test_quality_needs_a_whole_table() -> None:
    assert preprocess.jpeg_quality({}) is None
    assert preprocess.jpeg_quality({0: [1, 2, 3]}) is None


def test_flat_share_tells_drawings_from_noise() -> None:
    assert preprocess.flat_share(noise(1, 300, 300)) == 0.0
    drawing = np.full((400, 400, 3), 255, np.uint8)
    drawing[100:140, 50:350] = 0
    assert preprocess.flat_share(drawing) > 0.9
    assert preprocess.flat_share(np.zeros((3, 5000, 3), np.uint8)) == 1.0
    assert preprocess.flat_share(noise(1, 3000, 4000)) == 0.0


def test_colourless() -> None:
    grey = np.repeat(noise(1, 300, 300)[..., :1], 3, axis=2)
    assert preprocess.is_colourless(grey)
    assert preprocess.is_colourless((grey * [1.0, 1.0, 1.0] + [0, 0, 0]).astype(np.uint8))
    assert not preprocess.is_colourless(noise(1, 300, 300))

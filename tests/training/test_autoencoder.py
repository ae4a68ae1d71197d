from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training import synthetic
from training import autoencoder, decoders


def test_roundtrip_keeps_any_shape(tmp_path: Path) -> None:
    synthetic.models(tmp_path)
    model = autoencoder.load(tmp_path)
    rgb = synthetic.picture(0, 41, 67)
    out = autoencoder.roundtrip(model, rgb)
    assert out.shape == rgb.shape
    assert out.dtype == np.uint8
    assert np.array_equal(out, autoencoder.roundtrip(model, rgb))


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="taef2_encoder"):
        autoencoder.load(tmp_path)


@pytest.mark.shared_data
def test_published_weights_reconstruct(shared_data: Path) -> None:
    from PIL import Image

    model = autoencoder.load(shared_data / "models")
    path = sorted((shared_data / "real" / "coco").glob("*.jpg"))[2]
    rgb = np.asarray(Image.open(path).convert("RGB"))[:128, :128]
    error = np.mean((autoencoder.roundtrip(model, rgb).astype(float) - rgb) ** 2)
    assert 10 * np.log10(255**2 / error) > 22


@pytest.mark.parametrize("spec", decoders.SPECS, ids=lambda spec: spec.name)
def test_tiny_decoders_train_and_come_back(spec: decoders.TinySpec, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    rgb = synthetic.picture(1, 96, 96)
    model = decoders.train(spec, [rgb], steps=3, seed=0, batch=2)
    path = tmp_path / "tiny.safetensors"
    decoders.save(model, path)
    assert np.array_equal(autoencoder.roundtrip(model, rgb), autoencoder.roundtrip(decoders.load(spec, path), rgb))
    assert autoencoder.roundtrip(model, rgb[:50, :61]).shape == (50, 61, 3)


def test_mix_and_masks() -> None:
    real, fake = synthetic.picture(1), synthetic.picture(2)
    assert np.array_equal(autoencoder.mix(real, fake, 1.0), real)
    assert np.array_equal(autoencoder.mix(real, fake, 0.0), fake)
    for seed in range(10):
        mask = autoencoder.feathered_mask(256, 256, np.random.default_rng(seed))
        assert 0.0 <= mask.min() <= mask.max() <= 1.0001
        assert 0.02 < float(mask.mean()) < 0.9
        blend = autoencoder.mix(real, fake, 1.0 - mask)
        assert np.array_equal(blend[mask == 0], real[mask == 0])

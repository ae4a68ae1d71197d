from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.models.synthesis import domain as border
from nsfwforensics.models.synthesis.calibration import Branch, Calibration, Rate
from training import card_domain, domain, evaluate
from training.domain import Seen


def seen(rng: np.random.Generator, shift: float) -> dict[str, Seen]:
    """A made-up picture whose measurements lie ``shift`` standard deviations from a photograph's."""
    signs = np.array([-1.0 if name in border.LOWER_IN_OTHERS else 1.0 for name in border.NAMES])
    return {tier: Seen(rng.normal(0, 1, len(border.NAMES)) + shift * signs, 0.2) for tier in domain.TIERS}


def pictures(seed: int, count: int, shift: float) -> list[dict[str, Seen]]:
    rng = np.random.default_rng(seed)
    return [seen(rng, shift) for _ in range(count)]


def test_a_fit_tells_apart_and_never_counts_backwards() -> None:
    inside = {"photograph": pictures(0, 80, 0.0), "generated": pictures(1, 20, 0.1)}
    found = domain.fit(inside, {"text": pictures(2, 40, 1.5), "drawing": pictures(3, 10, 1.0)})
    for name, weight in zip(border.NAMES, found.weights, strict=True):
        assert weight <= 0 if name in border.LOWER_IN_OTHERS else weight >= 0
    found = domain.limited(found, {"photograph": pictures(4, 200, 0.0), "generated": pictures(5, 40, 0.1)})
    test = {"photographs": pictures(6, 200, 0.0), "text": pictures(7, 50, 1.5)}
    figures = domain.tested(found, test)
    for tier in domain.TIERS:
        assert figures["photographs"][tier]["domain"].share <= 0.06
        assert figures["text"][tier]["domain"].share >= 0.9


def test_a_measurement_that_points_the_wrong_way_gets_no_weight() -> None:
    backwards = [{t: Seen(-one.look, one.flat) for t, one in row.items()} for row in pictures(2, 40, 1.5)]
    found = domain.fit({"photograph": pictures(0, 80, 0.0)}, {"text": backwards})
    assert max(abs(weight) for weight in found.weights) < 0.05


def test_the_limit_loses_no_more_photographs_than_allowed() -> None:
    unseen = {"photograph": pictures(4, 200, 0.0), "generated": pictures(5, 40, 0.5)}
    found = domain.limited(domain.fit({"photograph": pictures(0, 80, 0.0)}, {"text": pictures(2, 40, 1.0)}), unseen)
    for kind, most in (("photograph", domain.PHOTOGRAPHS_LOST), ("generated", domain.GENERATED_LOST)):
        lost = [found.score(one.look) > found.limit for row in unseen[kind] for one in row.values()]
        assert np.mean(lost) <= most


def test_pictures_are_measured_once_and_small_ones_fall_away(tmp_path: Path) -> None:
    folder = tmp_path / "others" / "tune" / "text"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, side in (("large.png", 600), ("small.png", 100)):
        Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(folder / name)
    items = domain.kinds(folder.parent)["text"]
    assert len(items) == 2
    first = domain.Cache(tmp_path / "cache.json").all(items)
    (folder / "large.png").unlink()
    second = domain.Cache(tmp_path / "cache.json").all(items)
    assert len(first) == len(second) == 1
    assert set(first[0]) == set(domain.TIERS)
    assert np.allclose(first[0]["as_is"].look, second[0]["as_is"].look)


def test_a_border_is_put_into_a_calibration_that_stands(tmp_path: Path) -> None:
    found = domain.fit({"photograph": pictures(0, 80, 0.0)}, {"text": pictures(2, 40, 1.0)})
    found = domain.limited(found, {"photograph": pictures(4, 50, 0.0), "generated": []})
    fitted = tmp_path / "fitted.json"
    fitted.write_text(json.dumps(found.plain()))
    calibration = Calibration(Branch({"as_is": [0.0]}, {}, 0.01, 0.1, True), None, 0.75, 50.0)
    (tmp_path / "synthesis.calibration.json").write_text(calibration.dumps())
    (tmp_path / "synthesis.safetensors").write_bytes(b"weights")
    tables = (("synthesis", "synthesis.safetensors"), ("synthesis-calibration", "synthesis.calibration.json"))
    text = "".join(f'[[weights]]\nname = "{name}"\nfile = "{file}"\nsha256 = "0"\n' for name, file in tables)
    (tmp_path / "manifest.toml").write_text(text)
    assert domain.main(["--fitted", str(fitted), "--weights", str(tmp_path)]) == 0
    again = Calibration.loads((tmp_path / "synthesis.calibration.json").read_text())
    assert again.domain is not None
    assert again.domain.limit == pytest.approx(found.limit, abs=1e-5)
    assert again.image == calibration.image
    assert '"0"' not in (tmp_path / "manifest.toml").read_text()


def test_the_card_gives_counts_and_intervals() -> None:
    state = {"domain": Rate(1, 50), "flat": Rate(1, 50), "either": Rate(2, 50)}
    figures = {"kinds": {"photographs": dict.fromkeys(domain.TIERS, state)}, "fitted_on": {"text": 60}}
    called = {"text": {tier: {"called": Rate(0, 40)} for tier in domain.TIERS}}
    text = card_domain.section(evaluate.plain(figures), evaluate.plain(called))
    assert "| photographs | 2/50 (4%, 0–14 %) |" in text
    assert "| text | 0/40 (0%, 0–9 %) |" in text
    assert "60 of text" in text
    assert "Not measured" in card_domain.section(None)

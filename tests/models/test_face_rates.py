from __future__ import annotations

from pathlib import Path

import pytest

from nsfwforensics.errors import WeightsError
from nsfwforensics.models.faces.rates import FaceRates, load_rates
from nsfwforensics.models.weights import weights_folder


@pytest.fixture(scope="module")
def rates() -> FaceRates:
    loaded = load_rates("face-resnet29")
    assert loaded is not None
    return loaded


def test_the_shipped_figures_agree_with_themselves(rates: FaceRates) -> None:
    assert rates.model == "face-resnet29"
    assert 0 < rates.match_below < rates.unlike_above
    at_match, at_unlike = rates.at(rates.match_below), rates.at(rates.unlike_above)
    assert at_match is not None and at_unlike is not None
    assert at_match.false_matches == rates.false_match.errors
    assert at_match.misses == rates.false_non_match.errors
    assert at_unlike.misses >= rates.missed_as_unlike.errors
    for counted in (rates.false_match, rates.false_non_match, rates.missed_as_unlike):
        assert 0 <= counted.rate < counted.upper < 1


def test_the_claim_is_no_better_than_the_counts_allow(rates: FaceRates) -> None:
    rule_of_three = 3 / rates.false_match.trials
    assert rates.false_match.upper >= rule_of_three * 0.99
    assert rates.false_match.upper <= 0.0025


def test_counts_over_distance_never_turn_back(rates: FaceRates) -> None:
    pairs = list(zip(rates.curve, rates.curve[1:], strict=False))
    assert all(a.distance < b.distance for a, b in pairs)
    assert all(a.false_matches <= b.false_matches and a.misses >= b.misses for a, b in pairs)
    assert rates.at(rates.curve[-1].distance + 1) is None
    assert rates.at(0.0) == rates.curve[0]


def test_the_model_card_shows_the_same_figures(rates: FaceRates) -> None:
    card = (weights_folder() / "face-resnet29.md").read_text("utf-8")
    assert f"match below {rates.match_below:.2f}, no indication above {rates.unlike_above:.2f}" in card
    row = next(line for line in card.splitlines() if line.startswith("| as is |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[4:6] == [str(rates.false_non_match.trials), str(rates.false_non_match.errors)]
    assert cells[-2:] == [str(rates.false_match.trials), str(rates.false_match.errors)]


def test_a_model_that_was_not_measured_has_no_figures(tmp_path: Path) -> None:
    assert load_rates("face-vggface2") is None
    assert load_rates("face-vggface2", tmp_path) is None


def test_a_folder_of_ones_own_comes_first(tmp_path: Path, rates: FaceRates) -> None:
    text = (weights_folder() / "face-resnet29.toml").read_text("utf-8")
    (tmp_path / "face-vggface2.toml").write_text(text.replace("face-resnet29", "face-vggface2"), "utf-8")
    own = load_rates("face-vggface2", tmp_path)
    assert own is not None
    assert own.model == "face-vggface2" and own.digest != rates.digest and own.false_match == rates.false_match


@pytest.mark.parametrize("text", ["", "not toml [", 'model = "x"', "\x00", "[thresholds]\nmatch_below = 'near'\n"])
def test_a_file_that_is_not_understood_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "face-resnet29.toml").write_text(text, "utf-8")
    with pytest.raises(WeightsError, match=r"face-resnet29\.toml"):
        load_rates("face-resnet29", tmp_path)

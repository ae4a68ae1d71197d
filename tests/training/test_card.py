"""The card says first whether the model's calls are passed on."""

from __future__ import annotations

from pathlib import Path

from nsfwforensics.models.rates import Rate
from nsfwforensics.models.synthesis.calibration import Calibration
from nsfwforensics.models.synthesis.withheld import Because, Withheld
from training import card

WEIGHTS = Path(__file__).resolve().parents[2] / "weights"


def test_what_spoke_against_withheld_calls_stands_in_a_table() -> None:
    rates = {"768_q60": {"real_called": Rate(1, 8), "gallery_called": Rate(0, 4)}}
    text = card.calls(Withheld(Because.ERROR_RATES_DO_NOT_HOLD, rates).plain())
    assert text.startswith("**They are withheld")
    assert "| pictures | at most 768 px, JPEG quality 60 |" in text
    assert "| photographs called generated | 1/8 (12 %) |" in text
    assert card.calls(None) == "They are passed on."


def test_the_shipped_card_has_what_the_calibration_beside_it_holds() -> None:
    calibration = Calibration.loads((WEIGHTS / "synthesis.calibration.json").read_text("utf-8"))
    withheld = calibration.image.withheld
    assert card.calls(withheld.plain() if withheld is not None else None) in (
        (WEIGHTS / "synthesis.md").read_text("utf-8")
    )

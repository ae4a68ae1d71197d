"""Every built-in analyzer passes the contract."""

from __future__ import annotations

from nsfwforensics.core.registry import installed
from nsfwforensics.testing import AnalyzerContract

for _registration in installed():
    if _registration.built_in:
        _name = f"Test{_registration.name.title()}Contract"
        globals()[_name] = type(_name, (AnalyzerContract,), {"analyzer": _registration.load()})


def test_all_four_stages_are_covered() -> None:
    names = {
        test.analyzer.name
        for name, test in globals().items()
        if name.endswith("Contract") and name != "AnalyzerContract"
    }
    assert {"metadata", "phash", "faces", "deepfake"} <= names

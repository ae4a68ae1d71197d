"""docs/provenance.md lists every rule and is what the rules make it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from nsfwforensics.analyzers.provenance.codes import CODES
from nsfwforensics.analyzers.provenance.match import RULES
from nsfwforensics.analyzers.provenance.standards import SOURCE_TYPES

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_is_up_to_date_and_lists_everything() -> None:
    page = (ROOT / "docs" / "provenance.md").read_text("utf-8")
    tool = [sys.executable, ROOT / "tools" / "provenance_page.py"]
    made = subprocess.run(tool, capture_output=True, check=True).stdout.decode()
    assert page == made, "run: python tools/provenance_page.py > docs/provenance.md"
    for rule in RULES:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{rule.id}` |")]
        assert rule.source in row and rule.where in row
        assert row.endswith(("| verified |", "| reported |", "| name |"))
    assert all(f"| {code} |" in page for code in CODES)
    assert all(f"| `{name}` |" in page for name in SOURCE_TYPES)

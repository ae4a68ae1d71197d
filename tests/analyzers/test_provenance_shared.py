"""Real files: those with marks give what is expected of them, camera files and photographs give no AI finding."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from nsfwforensics.analyzers.provenance.analyzer import ProvenanceAnalyzer, ProvenanceOptions
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import Support
from nsfwforensics.errors import EvidenceError

pytestmark = pytest.mark.shared_data

SAYS_AI = {
    "PROV-001", "PROV-002", "PROV-003", "PROV-004", "PROV-005", "PROV-006", "PROV-007", "PROV-009", "PROV-010",
    "PROV-011", "PROV-012", "PROV-102", "PROV-103",
}  # fmt: skip


@pytest.fixture(scope="module")
def analyzer() -> ProvenanceAnalyzer:
    return ProvenanceAnalyzer(ProvenanceOptions(), Resources())


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


def test_real_files_with_marks_name_their_generator(analyzer: ProvenanceAnalyzer, shared_data: Path) -> None:
    folder = shared_data / "provenance"
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) > 20
    for row in rows:
        outcome = analyzer.examine(Evidence.open(folder / row["file"]))
        if row["ai"] == "no":
            assert codes(outcome).isdisjoint(SAYS_AI), row["file"]
            continue
        wanted = set(row["generator"].split("|"))
        if "c2pa" in outcome.measurements:
            said = [f.explanation for f in outcome.findings if f.code in SAYS_AI and f.support is Support.SUPPORTS]
            assert any(name in text for name in wanted for text in said), row["file"]
            continue
        named = {finding.data["generator"] for finding in outcome.findings if "generator" in finding.data}
        assert named and named <= wanted, row["file"]
        assert codes(outcome).isdisjoint({"PROV-002", "PROV-003", "PROV-006"}), row["file"]
        assert outcome.measurements["recovered"], row["file"]


@pytest.mark.parametrize("part", ["exif", "real"])
def test_no_camera_file_and_no_photograph_gives_an_ai_finding(
    analyzer: ProvenanceAnalyzer, shared_data: Path, part: str
) -> None:
    found: Counter[str] = Counter()
    examined = 0
    for path in sorted(path for path in (shared_data / part).rglob("*") if path.is_file()):
        try:
            evidence = Evidence.open(path)
        except EvidenceError:
            continue
        if evidence.media_type is None:
            continue
        examined += 1
        found.update(codes(analyzer.examine(evidence)) & SAYS_AI)
    print(f"{part}: {examined} files, AI findings: {dict(found)}")
    assert examined > 150
    assert found == Counter()


def test_fuzzed_files_break_nothing(analyzer: ProvenanceAnalyzer, shared_data: Path) -> None:
    for path in sorted(path for path in (shared_data / "hostile" / "fuzzed").rglob("*") if path.is_file()):
        try:
            evidence = Evidence.open(path)
        except EvidenceError:
            continue
        if evidence.media_type is not None:
            analyzer.examine(evidence)

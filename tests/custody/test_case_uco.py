"""The CASE/UCO document is what ``case_validate`` takes, whatever the evidence is called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nsfwforensics.custody.operator_file import Operator
from tests.custody.conftest import HOSTILE_NAMES, Pack, report_source


def test_it_names_files_tool_person_and_action(evidence: Path, tmp_path: Path, packed: Pack) -> None:
    source = report_source(evidence, tmp_path / "report")
    packed(evidence, source=source, operator=Operator(name="Ann", contact="ann@example.org", case_number="H-7"))
    document = json.loads((tmp_path / "bag" / "data" / "case.jsonld").read_text("utf-8"))
    nodes = document["@graph"]
    assert len({node["@id"] for node in nodes}) == len(nodes)
    by_type: dict[str, list[dict[str, object]]] = {}
    for node in nodes:
        by_type.setdefault(str(node["@type"]), []).append(node)
    number = 5 + len(HOSTILE_NAMES)
    described = by_type["uco-observable:RasterPicture"] + by_type["uco-observable:File"]
    assert len(described) == 2 * number
    assert len(by_type["uco-observable:ObservableRelationship"]) == number
    (person,) = by_type["uco-identity:Person"]
    assert person["uco-core:name"] == "Ann"
    (action,) = by_type["case-investigation:InvestigativeAction"]
    assert action["uco-action:performer"] == {"@id": person["@id"]}
    (record,) = by_type["case-investigation:ProvenanceRecord"]
    assert record["case-investigation:exhibitNumber"] == "H-7"
    text = json.dumps(nodes)
    assert text.count('"uco-observable:pictureWidth": {"@type": "xsd:integer", "@value": "32"}') == 2 * (number - 2)


@pytest.mark.slow
def test_case_validate_passes(evidence: Path, tmp_path: Path, packed: Pack) -> None:
    pytest.importorskip("case_utils")
    source = report_source(evidence, tmp_path / "report")
    who = Operator(name="Ann \u202e\x1b", organisation="=x", authority="\n", contact="ünï")
    packed(evidence, source=source, operator=who)
    packed(evidence, hash_only=True, bag=tmp_path / "hashes")
    done = subprocess.run(
        [Path(sys.executable).with_name("case_validate"), *tmp_path.glob("*/data/case.jsonld")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Conforms: True" in done.stdout
    assert "Result" not in done.stdout  # no warning either

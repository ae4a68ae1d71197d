"""Content Credentials of any shape: hostile values inside a store never raise; the trust-list tool takes only lists."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.analyzers.provenance.c2pa.claims import claims
from nsfwforensics.analyzers.provenance.c2pa.codes import C2PA_CODES
from nsfwforensics.analyzers.provenance.c2pa.read import Reading, list_dates, nested_deeper
from nsfwforensics.analyzers.provenance.c2pa.store import manifests
from tests.analyzers.make_c2pa import authority, codes, read
from tests.conftest import ROOT

_KEYS = [
    "claim_generator", "claim_generator_info", "title", "signature_info", "assertions", "ingredients", "label", "data",
    "actions", "action", "softwareAgent", "digitalSourceType", "parameters", "name", "version", "issuer", "time",
    "relationship", "active_manifest", "validation_status", "validation_results", "activeManifest", "failure", "code",
    "author", "entries", "use", "alg", "format", "description",
]  # fmt: skip
_WORDS = [
    "c2pa.actions", "c2pa.created", "c2pa.edited", "c2pa.opened", "parentOf", "inputTo", "a", "b", "c2pa.soft-binding",
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia", "image/png", "c2pa.training-mining",
    "assertion.dataHash.mismatch", "claimSignature.mismatch", "self#jumbf=/c2pa/a/x", "2026-01-01T00:00:00Z",
]  # fmt: skip
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(_WORDS)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6),
    max_leaves=40,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), _JSON, min_size=1, max_size=3), _JSON, _JSON)
def test_a_store_of_any_shape_gives_known_findings(raw: dict[str, Any], results: Any, detail: Any) -> None:
    store = {"active_manifest": "a", "manifests": raw, "validation_results": results, "validation_status": results}
    found = manifests(Reading(store, {"manifests": detail}))
    assert len({each.label for each in found}) == len(found)
    if found:
        for each in claims(found, list_dates()):
            assert each.code in C2PA_CODES
            assert each.explanation.endswith(".")
            assert "\n" not in each.explanation


def test_a_length_that_would_fill_the_memory_never_reaches_the_library(photo: bytes) -> None:
    place = photo.index(b"\x6cc2pa.created")  # a text string of twelve bytes, made to claim four gigabytes
    found = read(photo[:place] + b"\x7a\xff\xff\xff\xff" + photo[place + 5 :])
    assert codes(found) == {"PROV-108"}
    assert "far longer" in found.measurements["c2pa"]["problem"]
    assert "library" not in found.measurements["c2pa"]


def test_ingredients_that_name_each_other_end() -> None:
    loop = {
        name: {"ingredients": [{"relationship": "parentOf", "active_manifest": other}, {"active_manifest": name}]}
        for name, other in (("a", "b"), ("b", "a"))
    }
    found = manifests(Reading({"active_manifest": "a", "manifests": loop}))
    assert [(each.label, each.role) for each in found] == [("a", "active"), ("b", "parent")]


def test_nesting_is_measured_without_recursion() -> None:
    value: Any = "end"
    for _ in range(5000):
        value = [value]
    assert nested_deeper(value, 100)
    assert not nested_deeper({"a": [{"b": 1}]}, 4)


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("update_trust_list", ROOT / "tools" / "update_trust_list.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tool_takes_over_certificates_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = _tool()
    monkeypatch.setattr(tool, "FOLDER", tmp_path / "out")
    one, two = authority("One").root, authority("Two").root
    given_list = tmp_path / "list.pem"
    given_list.write_text(f"Subject: CN=One, somebody@example.org\n{one}\n# again\n{one}{two}")
    tool.main(["interim", "--signers", str(given_list), "--certificates", str(given_list),
               "--date", "2026-01-02", "--source", 'A "quoted" source'])  # fmt: skip
    written = (tmp_path / "out" / "interim_signers.pem").read_text()
    assert written == one + two
    sources = tomllib.loads((tmp_path / "out" / "sources.toml").read_text())
    entry = sources["interim_signers.pem"]
    assert str(entry.pop("date")) == "2026-01-02"
    assert entry == {
        "source": 'A "quoted" source', "entries": 2, "sha256": hashlib.sha256(written.encode()).hexdigest(),
    }  # fmt: skip
    assert len((tmp_path / "out" / "interim_certificates.sha256").read_text().split()) == 2
    json.dumps(list(sources))


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_the_tool_refuses_what_is_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    tool = _tool()
    monkeypatch.setattr(tool, "FOLDER", tmp_path / "out")
    wrong = tmp_path / "wrong.pem"
    wrong.write_text(text)
    with pytest.raises(SystemExit, match=r"wrong\.pem"):
        tool.main(["official", "--signers", str(wrong), "--date", "2026-01-02", "--source", "x"])
    assert not list((tmp_path / "out").glob("*.pem"))

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsfwforensics.analyzers.known.analyzer import NO_LIST, SHOWN, KnownAnalyzer
from nsfwforensics.core.analyzer import Enrolment, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, Severity, Support
from nsfwforensics.errors import HashListError, UsageError
from nsfwforensics.hashing.index.indexing import IndexWriter
from nsfwforensics.hashing.lists.items import KnownItem, Opinion
from nsfwforensics.hashing.picture.pdq import DIHEDRAL_NAMES, pdq
from nsfwforensics.testing import AnalyzerContract
from tests.pictures import photo_like, saved

PIXELS = photo_like(300, 400, seed=5)
PDQ = pdq(PIXELS)


PNG = saved(PIXELS)


def near(bits: int) -> str:
    whole = int.from_bytes(PDQ.bits, "big")
    for bit in range(bits):
        whole ^= 1 << (37 * bit % 256)
    return whole.to_bytes(32, "big").hex()


@pytest.fixture
def listed(tmp_path: Path) -> Any:
    def make(text: str, name: str = "list.txt") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def enrolled(*paths: Path, **options: Any) -> KnownAnalyzer:
    chosen = KnownAnalyzer.Options.model_validate({"known": paths, **options})
    enrolment = KnownAnalyzer.enrol(chosen, Resources())
    return KnownAnalyzer(chosen, Resources(), pickle.loads(pickle.dumps(enrolment)))


def examine(analyzer: KnownAnalyzer, data: bytes = PNG) -> Outcome:
    return analyzer.examine(Evidence.from_bytes(data))


def record(value: str, signal: str = "ImagePDQ", **more: Any) -> dict[str, Any]:
    return {"signalType": signal, "hashValue": value, "hashStatus": "Active", "caseNumbers": {"C-7": "Active"}, **more}


class TestWithAList(AnalyzerContract):
    analyzer = KnownAnalyzer

    @pytest.fixture(autouse=True)
    def lists(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path_factory.mktemp("known") / "list.txt"
        path.write_text(f"pdq {PDQ}\nmd5 {'00' * 16}\n")
        monkeypatch.setattr(type(self), "options", {"known": (path,)})


def test_without_a_list_nothing_is_checked() -> None:
    outcome = examine(KnownAnalyzer(KnownAnalyzer.Options(), Resources(), Enrolment()))
    assert (outcome.status, outcome.reason) == (AnalyzerStatus.NOT_APPLICABLE, NO_LIST)


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_the_same_file_is_found_by_any_digest(kind: str, listed: Any) -> None:
    path = listed(f"{hashlib.new(kind, PNG).hexdigest()}  known.png\n", "police.md5")
    found, looks = examine(enrolled(path)).findings
    assert (found.code, found.support, found.severity) == ("KNOWN-001", Support.SUPPORTS, Severity.HIGH)
    assert found.data["matches"] == [
        {"known": "police.md5", "list": "police.md5", "hash_kind": kind, "hash": hashlib.new(kind, PNG).hexdigest(),
         "distance": 0, "opinion": None, "name": "known.png"}
    ]  # fmt: skip
    assert kind.upper() in found.explanation and "police.md5" in found.explanation
    assert (looks.code, looks.support) == ("KNOWN-004", Support.INCONCLUSIVE)
    assert "the lists hold no PDQ hashes" in looks.explanation


@pytest.mark.parametrize(("bits", "matched"), [(0, True), (31, True), (32, False)])
def test_pictures_match_up_to_distance_31(bits: int, matched: bool, listed: Any) -> None:
    outcome = examine(enrolled(listed(f"pdq {near(bits)}\n")))
    assert [f.code for f in outcome.findings] == (["KNOWN-002"] if matched else [])
    if matched:
        assert outcome.findings[0].data["matches"][0]["distance"] == bits
        assert f"differs in {bits} of 256 bits" in outcome.findings[0].explanation
        assert "consistent with" in outcome.findings[0].explanation
    else:
        assert outcome.status is AnalyzerStatus.NOTHING_FOUND
        assert outcome.measurements["searched"] == {"pdq": 1, "md5": 0, "sha1": 0, "sha256": 0}


def test_a_smaller_distance_can_be_asked_for(listed: Any) -> None:
    path = listed(f"pdq {near(11)}\n")
    assert examine(enrolled(path, distance=11)).findings
    assert not examine(enrolled(path, distance=10)).findings


@pytest.mark.parametrize("number", range(8))
def test_turned_and_mirrored_copies_are_found_and_the_turn_is_said(number: int, listed: Any) -> None:
    turned = np.rot90(PIXELS[:, ::-1] if number >= 4 else PIXELS, number % 4)
    outcome = examine(enrolled(listed(f"pdq {PDQ}\n")), saved(turned, "JPEG", quality=60))
    (found,) = outcome.findings
    (match,) = found.data["matches"]
    assert match["distance"] <= 16
    back = {"rotate90": "rotate270", "rotate270": "rotate90"}
    assert match["transform"] == back.get(DIHEDRAL_NAMES[number], DIHEDRAL_NAMES[number])
    assert ("compared" in found.explanation) == (number > 0)


@pytest.mark.parametrize(
    ("opinion", "support", "severity", "words"),
    [
        ("POSITIVE", Support.SUPPORTS, Severity.HIGH, "confirmed"),
        ("INVESTIGATION_SEED", Support.SUPPORTS, Severity.MEDIUM, "has not been confirmed"),
        ("DISPUTED", Support.INCONCLUSIVE, Severity.MEDIUM, "opinions differ"),
        ("NEGATIVE", Support.NO_INDICATION, Severity.INFO, "does not belong there"),
    ],
)
def test_opinions_are_kept_and_worded(
    opinion: str, support: Support, severity: Severity, words: str, listed: Any
) -> None:
    path = listed(json.dumps([record(near(3), opinion=opinion)]), "feed.json")
    (found,) = examine(enrolled(path)).findings
    assert (found.support, found.severity, found.data["opinion"]) == (support, severity, opinion)
    assert words in found.explanation and "case C-7" in found.explanation
    assert found.data["matches"][0]["cases"] == {"C-7": "Active"}


def test_each_opinion_is_a_finding_of_its_own(listed: Any) -> None:
    path = listed(json.dumps([record(near(1), opinion="NEGATIVE"), record(near(9), opinion="POSITIVE")]), "feed.json")
    found = examine(enrolled(path)).findings
    assert [(f.data["opinion"], f.data["matches"][0]["distance"]) for f in found] == [("NEGATIVE", 1), ("POSITIVE", 9)]


def test_a_withdrawn_record_matches_nothing(listed: Any) -> None:
    path = listed(json.dumps([record(near(0), hashStatus="Withdrawn"), record("00" * 16, "VideoMD5")]), "feed.json")
    assert [f.code for f in examine(enrolled(path)).findings] == ["KNOWN-004"]


def test_lists_and_indexes_are_searched_together(tmp_path: Path, listed: Any) -> None:
    writer = IndexWriter(tmp_path / "index")
    writer.add(
        [KnownItem(pdq=bytes.fromhex(near(2)), name="x", opinion=Opinion.POSITIVE)], "one.csv", "0" * 64, "pdq-csv"
    )
    writer.commit()
    analyzer = enrolled(tmp_path / "index", listed(f"pdq {near(2)}\npdq {near(4)}\n"))
    records = [dict(r) for r in analyzer.enrolment.records]
    assert [r["format"] for r in records] == ["index", "threatexchange"]
    assert records[1]["sha256"] == hashlib.sha256((tmp_path / "list.txt").read_bytes()).hexdigest()
    assert records[0]["lists"][0]["name"] == "one.csv"
    positive, unsaid = examine(analyzer).findings
    assert (positive.data["opinion"], unsaid.data["opinion"]) == ("POSITIVE", None)
    assert positive.data["total"] == unsaid.data["total"] == 2
    assert [match["known"] for match in unsaid.data["matches"]] == ["list.txt", "list.txt"]


def test_many_matches_are_counted_and_the_nearest_shown(listed: Any) -> None:
    values = {near(bits % 32)[:-4] + f"{bits:04x}" for bits in range(200)}
    (found,) = examine(enrolled(listed("".join(f"pdq {value}\n" for value in sorted(values))))).findings
    assert len(found.data["matches"]) == SHOWN
    distances = [match["distance"] for match in found.data["matches"]]
    assert distances == sorted(distances)
    assert found.data["total"] > SHOWN and f"In all {found.data['total']} known hashes" in found.explanation


def test_a_flat_picture_is_not_compared_and_that_is_said(listed: Any) -> None:
    flat = saved(np.full((200, 200, 3), 128, np.uint8))
    (found,) = examine(enrolled(listed(f"pdq {'00' * 32}\n")), flat).findings
    assert found.code == "KNOWN-004" and "too little structure" in found.explanation


def test_a_broken_picture_is_still_found_by_its_digest(listed: Any) -> None:
    broken = saved(PIXELS, "JPEG")[:300]
    both = f"pdq {PDQ}\nmd5 {hashlib.md5(broken).hexdigest()}\n"
    assert [f.code for f in examine(enrolled(listed(both)), broken).findings] == ["KNOWN-001", "KNOWN-004"]
    outcome = examine(enrolled(listed(f"pdq {PDQ}\n")), broken)
    assert outcome.status is AnalyzerStatus.FAILED
    assert outcome.reason is not None and "digests match nothing" in outcome.reason


@pytest.mark.parametrize("text", ["", "hello\n", "hash,quality,filename\n" + "3d" * 32 + ",4,low\n"])
def test_a_list_without_hashes_is_a_usage_error(text: str, listed: Any) -> None:
    with pytest.raises(UsageError, match=r"--known .*list\.txt"):
        enrolled(listed(text))


def test_a_missing_place_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        enrolled(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="holds no index"):
        enrolled(tmp_path)


def test_the_fingerprint_follows_the_content_and_the_index_is_not_pickled(listed: Any) -> None:
    first = enrolled(listed(f"pdq {near(1)}\n" * 3)).enrolment
    again = enrolled(listed(f"pdq {near(1)}\n" * 3)).enrolment
    other = enrolled(listed("".join(f"pdq {near(bits)}\n" for bits in range(30)))).enrolment
    assert first.digest == again.digest != other.digest
    assert len(pickle.dumps(other)) < 2_000


def test_an_index_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    for value in (near(1), near(2)):
        writer = IndexWriter(tmp_path / "index")
        writer.add([KnownItem(pdq=bytes.fromhex(value))], "l", "0" * 64, "plain")
        writer.commit()
        if value == near(1):
            analyzer = enrolled(tmp_path / "index")
    with pytest.raises(HashListError, match="changed since"):
        examine(analyzer)

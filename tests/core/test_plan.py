"""A plan's fingerprint changes with what can change a finding and nothing else; what no file goes without."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from nsfwforensics.core.analyzer import Enrolment, Resources
from nsfwforensics.core.discover import Target
from nsfwforensics.core.evidence import Limits
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.types import FileStatus, Priority
from nsfwforensics.testing import contract_file


def test_the_fingerprint() -> None:
    spec = PlanSpec(("metadata", "phash"))
    same = Plan(spec).fingerprint()
    assert Plan(pickle.loads(pickle.dumps(spec))).fingerprint() == same
    assert Plan(replace(spec, resources=Resources(thumbnails=True))).fingerprint() == same
    for changed in (
        replace(spec, analyzers=("metadata",)),
        replace(spec, limits=Limits(max_pixels=1)),
        replace(spec, enrolments={"phash": Enrolment(digest="other")}),
    ):
        assert Plan(changed).fingerprint() != same


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("name", ["photo.jpg", "notes.bin"])
def test_a_file_too_large_to_look_into_is_hashed_and_looked_up(digest: str, name: str, tmp_path: Path) -> None:
    data = contract_file("plain.jpg") if name == "photo.jpg" else bytes(range(256)) * 8
    path, other, listed = tmp_path / name, tmp_path / f"other-{name}", tmp_path / "list.txt"
    path.write_bytes(data)
    other.write_bytes(data + b"x")
    listed.write_text(hashlib.new(digest, data).hexdigest() + "\n")
    known = {"known": [str(listed)], "long_hash": "sha256"}
    plan = Plan.prepared(PlanSpec(("metadata", "known", "phash"), {"known": known}, limits=Limits(max_bytes=1000)))
    targets = [Target(each, named=False) for each in (path, other)]
    found, unknown = plan.infer([plan.examine_file(target) for target in targets])
    assert (found.status, found.priority) == (FileStatus.FAILED, Priority.HIGH)
    assert "--max-bytes" in (found.error or "")
    assert "KNOWN-001" in {finding.code for finding in found.findings}
    assert found.info.sha256 == hashlib.sha256(data).hexdigest()
    assert not found.info.changed
    assert unknown.status is (FileStatus.FAILED if name == "photo.jpg" else FileStatus.SKIPPED)
    hashes = next(result for result in unknown.results if result.analyzer == "phash")
    assert hashes.measurements["md5"] == hashlib.md5(data + b"x").hexdigest()


def test_a_file_that_ended_its_worker_is_looked_up_and_stays_failed(tmp_path: Path) -> None:
    data = contract_file("plain.jpg")
    path, listed = tmp_path / "photo.jpg", tmp_path / "list.txt"
    path.write_bytes(data)
    listed.write_text(hashlib.md5(data).hexdigest() + "\n")
    plan = Plan.prepared(PlanSpec(("known",), {"known": {"known": [str(listed)]}}))
    found, gone = plan.infer(
        [plan.unread(Target(each, named=True), "it died") for each in (path, tmp_path / "gone.jpg")]
    )
    assert (found.status, found.priority, found.error) == (FileStatus.FAILED, Priority.HIGH, "it died")
    assert "KNOWN-001" in {finding.code for finding in found.findings}
    assert (gone.status, gone.priority, gone.error) == (FileStatus.FAILED, Priority.LOW, "it died")

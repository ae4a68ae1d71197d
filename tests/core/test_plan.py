"""A plan's fingerprint changes with everything that can change a finding, and with nothing else."""

from __future__ import annotations

import pickle
from dataclasses import replace

from nsfwforensics.core.analyzer import Enrolment, Resources
from nsfwforensics.core.evidence import Limits
from nsfwforensics.core.plan import Plan, PlanSpec


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

"""Reference photos, originals and lists come from strangers too: one that ends its worker is named."""

# ruff: noqa: F811 - fixtures of other folders
from __future__ import annotations

import os
from pathlib import Path

import pytest

from nsfwforensics.testing import contract_file
from tests.e2e.conftest import Runner, photos, plugin, run  # noqa: F401 - fixtures
from tests.hostile.test_workers import GIB, LINUX

ENROLLING = """
import ctypes, os, time
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.analyzer import Enrolment
from nsfwforensics.errors import UsageError
from nsfwforensics import Analyzer, AnalyzerOptions, Outcome, Question
from pathlib import Path


class Options(AnalyzerOptions):
    wanted: Path | None = None


class Probe(Analyzer):
    name = "probe"
    version = "7"
    title = "a probe"
    question = Question.KNOWN
    codes = {}
    Options = Options

    @classmethod
    def enrol(cls, options, resources):
        evidence = Evidence.open(options.wanted)
        if "segfault" in evidence.path.name:
            ctypes.string_at(0)
        if "hanging" in evidence.path.name:
            time.sleep(1000)
        if "greedy" in evidence.path.name:
            kept = [bytearray(64 * 1024 * 1024) for _ in range(200)]
        return Enrolment(state=1, digest=evidence.sha256)

    def examine(self, evidence):
        return Outcome.of()
"""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("segfault.jpg", "SIGSEGV"),
        pytest.param("hanging.jpg", "3 seconds", marks=pytest.mark.skipif(os.name == "nt", reason="no timer there")),
        pytest.param("greedy.jpg", "--max-memory", marks=LINUX),
    ],
)
def test_a_reference_that_ends_its_worker_is_named(
    run: Runner, photos: Path, plugin: Path, name: str, says: str
) -> None:
    (plugin / "probe_package.py").write_text(ENROLLING)
    (photos / name).write_bytes(contract_file("plain.jpg"))
    limits = ("--max-seconds", "3" if "hanging" in name else "100", "--max-memory", str(GIB))
    command = ("scan", photos / "plain.jpg", "--only", "probe", "--allow-plugins", *limits)
    ran = run(*command, path=plugin, NSFWFORENSICS_PROBE__WANTED=str(photos / name))
    assert ran.code == 2, ran.err
    assert name in ran.err
    assert says in ran.err.replace("\n", " ")
    assert run(*command, path=plugin, NSFWFORENSICS_PROBE__WANTED=str(photos / "plain.jpg")).code == 0

"""Two Ray nodes on one machine that see the same files: both work, and what one had when it went the other examines.

The analyzer only waits. So what is shown is that the scheduling grows with the nodes, not what processors add.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.testing import contract_file
from tests.e2e.conftest import COMMAND

pytestmark = [pytest.mark.ray, pytest.mark.slow]

SECONDS, FILES, WORKERS = 0.4, 120, 2

WAITER = f'''
"""An analyzer that waits, and says where."""
import os
import time

import ray
from nsfwforensics import Analyzer, Outcome, Question


class Waiter(Analyzer):
    """Waits."""

    name = "waiter"
    version = "1"
    title = "a wait"
    question = Question.KNOWN
    codes = {{}}

    def examine(self, evidence):
        began = time.time()
        time.sleep({SECONDS})
        node = ray.get_runtime_context().get_node_id()
        return Outcome.of(measurements={{"node": node, "pid": os.getpid(), "began": began, "ended": time.time()}})
'''


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """One node with two workers, whose processes find the analyzer."""
    pytest.importorskip("ray", reason="needs the ray extra")
    from ray.cluster_utils import Cluster

    site = tmp_path / "site"
    info = site / "waiter_package-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "waiter_package.py").write_text(WAITER)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: waiter-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nsfwforensics.analyzers]\nwaiter = waiter_package:Waiter\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": WORKERS, "include_dashboard": False})
    yield made
    made.shutdown()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:03}.jpg").write_bytes(contract_file("plain.jpg") + bytes([number]))
    return folder


@pytest.fixture
def begin(cluster: Any, photos: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts a scan on the cluster."""

    def call(out: str, *more: object) -> subprocess.Popen[bytes]:
        chosen = ("--only", "waiter", "--allow-plugins", "--quiet", "--ray-address", cluster.address)
        command = [COMMAND, "scan", photos, *chosen, "-o", tmp_path / out, *more]
        return subprocess.Popen([*map(str, command)], env={**os.environ, "HOME": str(tmp_path)})

    return call


def looks(folder: Path) -> list[dict[str, Any]]:
    """What the analyzer measured, file by file, as far as it is written."""
    stream = folder / "files.jsonl"
    lines = stream.read_bytes().splitlines(keepends=True) if stream.exists() else []
    files = [json.loads(line) for line in lines if line.endswith(b"\n")]
    return [result["measurements"] for file in files for result in file["results"]]


def wait_for(folder: Path, files: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 300
    while len(looks(folder)) < files:
        assert process.poll() is None, process.returncode
        assert time.monotonic() < until
        time.sleep(0.05)


def rate(found: list[dict[str, Any]], workers: int) -> float:
    """Files in a second while all workers are at work: starting a process takes seconds, whatever it does then."""
    of_worker: dict[int, list[dict[str, Any]]] = {}
    for look in found:
        of_worker.setdefault(look["pid"], []).append(look)
    assert len(of_worker) == workers
    begin = max(min(look["began"] for look in looks) for looks in of_worker.values())
    end = min(max(look["ended"] for look in looks) for looks in of_worker.values())
    return sum(begin <= look["ended"] <= end for look in found) / (end - begin)


def test_a_second_node_nearly_doubles_what_is_done(cluster: Any, begin: Any, tmp_path: Path) -> None:
    assert begin("one").wait(300) == 0
    cluster.add_node(num_cpus=WORKERS)
    cluster.wait_for_nodes()
    assert begin("two").wait(300) == 0
    one, two = looks(tmp_path / "one"), looks(tmp_path / "two")
    assert (len(one), len(two)) == (FILES, FILES)
    assert (len({look["node"] for look in one}), len({look["node"] for look in two})) == (1, 2)
    alone, both = rate(one, WORKERS), rate(two, 2 * WORKERS)
    print(f"files in a second: one node {alone:.2f}, two {both:.2f}, {both / alone:.2f} times")
    assert both >= 1.8 * alone


def test_a_killed_scan_goes_on_and_outlives_the_loss_of_a_node(cluster: Any, begin: Any, tmp_path: Path) -> None:
    second = cluster.add_node(num_cpus=WORKERS)
    cluster.wait_for_nodes()
    case = tmp_path / "shared.case"
    killed = begin("first", "--case", case)
    wait_for(tmp_path / "first", 8, killed)
    killed.kill()
    killed.wait()
    going = begin("again", "--case", case)
    wait_for(tmp_path / "again", 24, going)
    cluster.remove_node(second, allow_graceful=False)
    assert going.wait(300) == 0
    found = looks(tmp_path / "again")
    assert len(found) == FILES
    assert len({look["node"] for look in found}) == 2
    listed = subprocess.run([COMMAND, "case", "list", case, "--json"], capture_output=True, check=True).stdout
    files = json.loads(listed)
    assert len(files) == FILES and {file["status"] for file in files} == {"ok"}
    before = {look["began"] for look in looks(tmp_path / "first")}
    assert before <= {look["began"] for look in found}  # what was done before was read from the case

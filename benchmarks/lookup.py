"""Looking one picture up among millions of known hashes: our index beside brute force and other libraries'.

Each index is built and searched in a process of its own with one thread, so that memory can be told apart; all of them
search for the same hashes and must find the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from nsfwforensics.hashing.index.indexing import IndexWriter
from nsfwforensics.hashing.lists.items import KnownItem

TURNS = 8
DISTANCE = 31
MILLION = 1_000_000
LIBRARIES = ("ours", "numpy", "faiss-flat", "faiss-multi", "threatexchange")
LARGE = ("ours", "numpy", "faiss-flat")
NAMES = {
    "ours": "ours, memory-mapped",
    "numpy": "brute force in NumPy",
    "faiss-flat": "FAISS `IndexBinaryFlat`",
    "faiss-multi": "FAISS `IndexBinaryMultiHash` (16 × 16 bits, 1 flip)",
    "threatexchange": "`threatexchange` `PDQIndex`",
}
TARGETS = {MILLION: "5 ms in at most 300 MB", 10 * MILLION: "at most 2 GB"}

Hashes = NDArray[np.uint8]
Search = Callable[[Hashes], set[int]]


def lookup(arguments: argparse.Namespace) -> str:
    """Milliseconds and memory per index, number of hashes and kind of data."""
    sections = []
    for number in arguments.hashes:
        for kind in ("uniform", "clustered"):
            if kind == "clustered" and number > MILLION:
                continue
            chosen = LIBRARIES if number <= MILLION else LARGE
            costs = {name: _measured(name, kind, number) for name in chosen}
            sections.append(_table(kind, number, costs))
    return f"""## Looking a picture up among known hashes

One picture is the PDQ hashes of its {TURNS} turns and mirrorings; everything within distance {DISTANCE} is asked for.
Processor time of a lookup on one thread, after 10 that warm up (210 pictures, 30 for NumPy). Half of the pictures have
a known copy at distance 0 to 31. `clustered` has 50 near-duplicates, some 12 bits apart from their picture on average,
of each of many pictures, whose bits are set with probabilities of 0.3 to 0.7 instead of one half. Memory is the
proportional set size (PSS) of the process after the lookups, less that with the libraries loaded; for ours it holds the
pages of the mapped files that were touched. Building ours includes writing it to disk.

{chr(10).join(sections)}"""


def _table(kind: str, number: int, costs: dict[str, dict[str, float] | None]) -> str:
    ours = costs["ours"]
    rows = []
    for name, cost in costs.items():
        if cost is None or ours is None:
            rows.append(f"| {NAMES[name]} | not installed | | | | | |")
            continue
        rows.append(
            f"| {NAMES[name]} | {cost['median']:.2f} | {cost['p95']:.2f} | {cost['median'] / ours['median']:.1f}× "
            f"| {cost['mib']:,.0f} | {cost['build']:.0f} | {cost['found']:.0f} of {cost['planted']:.0f} |"
        )
    return f"""
### {number:,} hashes, {kind}

| index | median, ms | 95th percentile, ms | to ours | memory, MiB | built in, s | planted copies found |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}

Target for ours: {TARGETS.get(number, "none")}.
"""


def _measured(name: str, kind: str, number: int) -> dict[str, float] | None:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.lookup", name, kind, str(number)],
        capture_output=True, text=True, check=False, env=os.environ | threads,
    )  # fmt: skip
    if done.returncode == 3:
        return None
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def known_hashes(kind: str, number: int) -> Hashes:
    """Hashes to search among: uint8 (number, 32), the same every time."""
    random = np.random.default_rng(number)
    if kind == "uniform":
        return random.integers(0, 256, (number, 32), np.uint8)
    likely = random.uniform(0.3, 0.7, 256).astype(np.float32)
    found = np.empty((number, 32), np.uint8)
    for start in range(0, number, 50_000):
        part = found[start : start + 50_000]
        centres = random.random((-(-len(part) // 50), 256), np.float32) < likely
        flips = random.random((len(centres) * 50, 256), np.float32) < random.uniform(
            0, 24 / 256, (len(centres) * 50, 1)
        )
        part[:] = np.packbits(centres.repeat(50, axis=0) ^ flips, axis=1)[: len(part)]
    return found


def pictures(hashes: Hashes, number: int) -> list[tuple[Hashes, int | None]]:
    """Pictures to look up, eight hashes each: uint8 (8, 32), and which known hash every second one is a copy of."""
    random = np.random.default_rng(1)
    made: list[tuple[Hashes, int | None]] = []
    for count in range(number):
        turns = hashes[random.integers(0, len(hashes), TURNS)] ^ random.integers(0, 256, (TURNS, 32), np.uint8)
        row = int(random.integers(0, len(hashes))) if count % 2 else None
        if row is not None:
            bits = np.unpackbits(hashes[row])
            bits[random.choice(256, count // 2 % 32, replace=False)] ^= 1
            turns[random.integers(0, TURNS)] = np.packbits(bits)
        made.append((turns, row))
    return made


def _ours(hashes: Hashes, folder: Path) -> Search:
    writer = IndexWriter(folder)
    writer.add((KnownItem(pdq=row.tobytes()) for row in hashes), "made", "0" * 64, "plain")
    index = writer.commit()
    return lambda turns: {_number(match.value) for match in index.search([turn.tobytes() for turn in turns]).nearest}


def _number(value: bytes) -> int:
    return int.from_bytes(value[:8], "big")


def _brute_force(hashes: Hashes, folder: Path) -> Search:
    del folder
    words = hashes.view(np.uint64)

    def search(turns: Hashes) -> set[int]:
        found: set[int] = set()
        for turn in turns.view(np.uint64):
            bits = np.bitwise_count(words ^ turn).sum(axis=1)
            found.update(np.flatnonzero(bits <= DISTANCE).tolist())
        return found

    return search


def _faiss(hashes: Hashes, index: Any) -> Search:
    index.add(hashes)
    return lambda turns: set(index.range_search(turns, DISTANCE + 1)[2].tolist())


def _faiss_flat(hashes: Hashes, folder: Path) -> Search:
    import faiss

    del folder
    return _faiss(hashes, faiss.IndexBinaryFlat(256))


def _faiss_multi(hashes: Hashes, folder: Path) -> Search:
    import faiss

    del folder
    index = faiss.IndexBinaryMultiHash(256, 16, 16)
    index.nflip = 1
    return _faiss(hashes, index)


def _threatexchange(hashes: Hashes, folder: Path) -> Search:
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex

    del folder
    index: Any = PDQIndex()
    for start in range(0, len(hashes), 100_000):
        part = hashes[start : start + 100_000]
        index.add_all((row.tobytes().hex(), start + number) for number, row in enumerate(part))
    return lambda turns: {match.metadata for turn in turns for match in index.query(turn.tobytes().hex())}


_BUILDERS: dict[str, Callable[[Hashes, Path], Search]] = {
    "ours": _ours,
    "numpy": _brute_force,
    "faiss-flat": _faiss_flat,
    "faiss-multi": _faiss_multi,
    "threatexchange": _threatexchange,
}


def _pss() -> float:
    memory = psutil.Process().memory_full_info()
    return float(getattr(memory, "pss", memory.rss)) / 2**20


def main(arguments: Sequence[str]) -> None:
    """One index, in a process of its own: prints what it cost as JSON; exits with 3 where its library is missing."""
    name, kind, number = arguments[0], arguments[1], int(arguments[2])
    if name in ("faiss-flat", "faiss-multi", "threatexchange"):
        try:
            import faiss

            if name == "threatexchange":
                import threatexchange.signal_type.pdq.pdq_index  # noqa: F401
        except ImportError:
            sys.exit(3)
        faiss.omp_set_num_threads(1)
    before = _pss()
    hashes = known_hashes(kind, number)
    asked = pictures(hashes, 40 if name == "numpy" else 220)
    wanted = [None if row is None else (row, _number(hashes[row].tobytes())) for _, row in asked]
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        search = _BUILDERS[name](hashes, Path(folder) / "index")
        built = time.process_time() - started
        del hashes
        times, found = [], 0
        for (turns, _), copy in zip(asked, wanted, strict=True):
            started = time.process_time()
            answer = search(turns)
            times.append(1000 * (time.process_time() - started))
            found += copy is not None and not answer.isdisjoint(copy)
        memory = _pss() - before
    middle, late = np.percentile(times[10:], (50, 95))
    planted = sum(copy is not None for copy in wanted)
    costs = {"median": middle, "p95": late, "mib": memory, "build": built, "found": found, "planted": planted}
    print(json.dumps({name: float(value) for name, value in costs.items()}))


if __name__ == "__main__":
    main(sys.argv[1:])

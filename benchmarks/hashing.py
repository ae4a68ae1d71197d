"""The ``hash`` command on large photographs, beside a script of one's own and beside decoding alone."""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks import corpus
from benchmarks.measure import TOOL, measure
from nsfwforensics.analyzers.phash import REDUCED_EDGE, SURE_QUALITY
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.hashing.picture.perceptual import perceptual_hashes

WORK = corpus.ROOT / ".work" / "bench"
MEGAPIXELS = (8.0, 12.0, 16.0)
COUNT = 24
GRAIN = 4.0
"""Standard deviation of the noise laid over enlarged photographs, so that they compress as a camera's do."""


def hashing(arguments: argparse.Namespace) -> str:
    """Times hashing, and counts the bits by which the reduced decode changes PDQ."""
    folder = WORK / "large"
    _build(folder)
    files = sorted(folder.iterdir())
    ours = measure([TOOL, "hash", folder, "--quiet", "--jobs", "1"])
    pool = measure([TOOL, "hash", folder, "--quiet", "--jobs", str(os.cpu_count() or 1)])
    naive = measure([sys.executable, "-m", "benchmarks.naive_hash", folder])
    cv2.setNumThreads(1)
    full = _seconds(files, lambda data: Image.open(io.BytesIO(data)).load())
    scaled = _seconds(files, _scaled)
    hashes = _seconds(files, _hashed)
    rows = (
        ("the user's script (each library opens each file)", naive.seconds),
        ("full decode alone", full),
        ("scaled decode alone", scaled),
        ("all perceptual hashes in a running process", hashes),
        ("`hash --jobs 1` (start-up, digests and report included)", ours.seconds),
        (f"`hash --jobs {os.cpu_count()}`", pool.seconds),
    )
    table = "\n".join(
        f"| {name} | {seconds * 1000 / COUNT:.0f} | {naive.seconds / seconds:.1f}× | {seconds / scaled:.1f}× |"
        for name, seconds in rows
    )
    weight = sum(file.stat().st_size for file in files) / 2**20 / COUNT
    photos = sorted(path for given in arguments.photos or [] for path in given.rglob("*")) or files
    return f"""## Hashing large photographs

{COUNT} JPEG photographs of 8, 12 and 16 megapixels ({weight:.1f} MiB each on average), one run
each, one after the other. The script (`benchmarks/naive_hash.py`) computes the same digests and hashes with
hashlib, ImageHash and pdqhash.

| | ms per photo | faster than the script | times the scaled decode |
|---|---|---|---|
{table}

Targets: 15 times the script's throughput; within twice the scaled decode.

{_bits(photos)}"""


def _build(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sources = corpus.sources()
    for index in range(COUNT):
        path = folder / f"large-{index:03d}.jpg"
        if path.exists():
            continue
        with Image.open(sources[(index * 11) % len(sources)]) as opened:
            picture = opened.convert("RGB")
        scale = (MEGAPIXELS[index % len(MEGAPIXELS)] * 1e6 / (picture.width * picture.height)) ** 0.5
        large = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
        noise = np.random.default_rng(index).normal(0, GRAIN, (large.height, large.width, 1))
        pixels = np.clip(np.asarray(large, np.float32) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(path, quality=(90, 93, 95)[index % 3])


def _seconds(files: Sequence[Path], work: Callable[[bytes], object]) -> float:
    contents = [path.read_bytes() for path in files]
    started = time.perf_counter()
    for data in contents:
        work(data)
    return time.perf_counter() - started


def _scaled(data: bytes) -> object:
    return Evidence.from_bytes(data).reduced(REDUCED_EDGE)


def _hashed(data: bytes) -> object:
    evidence = Evidence.from_bytes(data)
    picture = evidence.reduced(REDUCED_EDGE)
    info = evidence.info()
    if picture is None:
        return perceptual_hashes(evidence.image)
    return perceptual_hashes(picture, full_size=(info.height or 0, info.width or 0))


def _bits(photos: Sequence[Path]) -> str:
    """How far the hashes from the reduced decode lie from those of the full one."""
    distances, qualities, redone = [], [], 0
    for path in photos:
        if path.suffix.lower() not in (".jpg", ".jpeg"):
            continue
        evidence = Evidence.open(path)
        small = evidence.reduced(REDUCED_EDGE)
        if small is None:
            continue
        full = perceptual_hashes(evidence.image).pdq
        reduced = perceptual_hashes(small, full_size=(evidence.image.height, evidence.image.width)).pdq
        redone += reduced.quality < SURE_QUALITY
        distances.append(full.distance(reduced))
        qualities.append(abs(full.quality - reduced.quality))
    if not distances:
        return "No photograph was large enough for a reduced decode."
    bits = np.array(distances)
    return (
        f"PDQ from the reduced decode against PDQ from the full one, {len(bits)} photographs: equal in "
        f"{(bits == 0).mean():.0%}, within 6 bits in {(bits <= 6).mean():.1%}, at most {bits.max()} bits apart (mean "
        f"{bits.mean():.2f}); quality at most {max(qualities)} of 100 apart; {redone} were below quality "
        f"{SURE_QUALITY} and are hashed in full. Target: within 6 bits in 99 %."
    )

"""Fuzzes every parser of ``formats/``, hash lists, the analyzers of metadata and the decoder for a bounded time.

``python -m tests.fuzz.run --seconds 20`` is the command.

Each target runs in a process of its own with a limit of memory. Hypothesis makes the inputs, new ones each time, from
the same seeds that the tests use; an input that raises, takes longer than its limit, or kills the process is kept in
``.work/fuzz/``, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import multiprocessing
import plistlib
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile, TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nsfwforensics.analyzers.metadata import names, sidecars
from nsfwforensics.core.decode import Limits, decode
from nsfwforensics.core.documents import DocumentError, read_json, read_toml
from nsfwforensics.core.media import SNIFF_BYTES, sniff
from nsfwforensics.core.pictures_in_text import without_spelled_pictures
from nsfwforensics.errors import EvidenceError, HashListError
from nsfwforensics.hashing.lists.lists import HashList
from tests.analyzers.provenance_files import samsung_trailer
from tests.formats import make
from tests.formats.test_fuzz_all import PARSERS, SEEDS
from tests.formats.test_raw import FILES as RAW
from tests.formats.test_raw import dng
from tests.hashing.lists_of_the_trade import hash_lists
from tests.hostile.wrapped import WRAPS, examined

KEPT = Path(".work/fuzz")
LONGEST = 5
"""Seconds that one input may take: far more than any sound one of its size."""

MEMORY = 3 << 30
"""Bytes of data that a target's process may hold."""

EACH = 30
"""Changed files for each of Hypothesis's examples, whose making costs more than most parsers take."""

NUMBERS = (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x00FFFFFF, 0xFFFF, 1, 0)


def _decode(data: bytes) -> None:
    try:
        decode(data, sniff(data[:SNIFF_BYTES]), Limits(max_pixels=4_000_000))
    except EvidenceError:
        return


def _wrapped(data: bytes) -> None:
    """The analyzers on pictures that hold the bytes as a block: one kind of picture for each input."""
    names = sorted(WRAPS)
    examined(WRAPS[names[len(data) % len(names)]](data))


def _hash_list(data: bytes) -> None:
    """Every reader of hash lists, by what the bytes say they are."""
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            for _ in HashList(Path(file.name)):
                pass
        except HashListError:
            return


def _beside(data: bytes) -> None:
    """What lies beside a picture, and the names of files: of each, whatever the bytes are."""
    with TemporaryDirectory() as folder:
        for ending in (".jpg.json", ".xmp", ".aae"):
            Path(folder, f"photo{ending}").write_bytes(data)
        assert len(sidecars.beside(Path(folder, "photo.jpg"))) <= 3
    name = data.decode("utf-8", "surrogateescape")
    names.service(name, camera=False)
    names.screenshot(name)


def _spelled(data: bytes) -> None:
    """The search for pictures that are written as text, in a value of a report."""
    text = data.decode("utf-8", "replace")
    without_spelled_pictures({"value": text, "parts": text.split(" ")[:50]}, careful=len(data) % 2 == 0)


def _document(data: bytes) -> None:
    """The documents that are read back: JSON and TOML within bounds."""
    for read in (read_json, read_toml):
        with contextlib.suppress(DocumentError):
            read(data)


SPELLED = [
    base64.encodebytes(make.jpeg()),
    make.png().hex().encode(),
    base64.b85encode(make.jpeg()),
    b"a plain sentence",
]

GALAXY = samsung_trailer((0x0A01, b"Image_UTC_Data", b"1"), (0x0A30, b"MotionPhoto_Data", make.movie()))

MORE: dict[str, list[bytes]] = {
    "behind": [GALAXY, make.movie() + make.jpeg() + bytes(9) + make.png()],
    "isobmff": [make.movie()],
    "jumbf": [make.movie()],
    "pictures": [*RAW.values(), dng(), make.jpeg() + GALAXY, make.heif(make.exif({}), make.xmp()) + make.movie()],
    "read": [*RAW.values(), make.movie()],
    "samsung": [GALAXY],
}
"""Further beginnings for some of the parsers."""

BESIDE = [
    b'{"title": "photo.jpg", "photoTakenTime": {"timestamp": "1767225600"}, "geoData": {"latitude": 1.5}}',
    make.xmp("<dc:title>t</dc:title>"),
    plistlib.dumps(
        {"adjustmentBaseVersion": 0, "adjustmentEditorBundleID": "com.example", "adjustmentData": b"x" * 40}
    ),
    "WhatsApp Görsel 2026-08-31 saat 15.41.14 (2) – Kopie.jpg".encode(),
    b"Screenshot_20260507-222654_WhatsApp~2.png",
]

TARGETS: dict[str, tuple[Callable[[bytes], object], list[bytes]]] = {
    **{name: (parser, [SEEDS[name], *MORE.get(name, ())]) for name, parser in PARSERS.items()},
    "beside": (_beside, BESIDE),
    "hash lists": (_hash_list, hash_lists()),
    "pictures in text": (_spelled, SPELLED),
    "documents": (_document, [b'{"a": [1, {"b": null}]}', b'[a]\nb = [1, 2]\nc.d = "e"\n']),
    "wrapped": (_wrapped, list(SEEDS.values())),
    "decode": (_decode, [make.jpeg(), make.png(), make.webp(), SEEDS["gif"], make.jpeg(progressive=True)]),
}


def changed(seeds: list[bytes], chance: Random) -> bytes:
    """A sound file with a few things done to it: bytes changed, numbers blown up, parts cut, repeated and moved."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 8)):
        place = chance.randint(0, len(data))
        end = chance.randint(place, min(len(data), place + 64))
        how = chance.choice(("bytes", "number", "cut", "repeat", "move", "truncate"))
        if how == "bytes":
            data[place:end] = chance.randbytes(chance.randint(0, 32))
        elif how == "number":
            number, size = chance.choice(NUMBERS), chance.choice((1, 2, 4))
            data[place : place + size] = (number % 256**size).to_bytes(size, chance.choice(("little", "big")))
        elif how == "cut":
            del data[place:end]
        elif how == "repeat":
            data[place:place] = data[place:end] * chance.randint(1, 40)
        elif how == "move":
            target = chance.randint(0, len(data))
            data[target:target] = data[place:end]
        elif chance.random() < 0.2:
            del data[max(place, 4) :]
    return bytes(data)


def fuzz(name: str, seconds: float, counted: multiprocessing.Queue[int]) -> None:
    """Runs one target; ends this process with 1 at the first input that is a fault, which is then on disk."""
    parser, seeds = TARGETS[name]
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    end, tried, last = time.monotonic() + seconds, 0, KEPT / f"{name}.last"

    @settings(
        max_examples=200, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.integers(0, 2**64), st.binary(max_size=2000))
    def attempt(seed: int, noise: bytes) -> None:
        nonlocal tried
        chance = Random(seed)
        for data in (noise, *(changed(seeds, chance) for _ in range(EACH))):
            if time.monotonic() > end:
                return
            last.write_bytes(data)  # what a crash of the whole process leaves behind
            signal.alarm(LONGEST)
            parser(data)
            signal.alarm(0)
            tried += 1

    try:
        while time.monotonic() < end:
            attempt()
    finally:
        signal.alarm(0)
        counted.put(tried)
    last.unlink(missing_ok=True)


def main() -> int:
    """Runs the targets one after the other and says how each ended."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    arguments.add_argument("--seconds", type=float, default=10.0, help="time for each target")
    arguments.add_argument("targets", nargs="*", help=f"of: {', '.join(TARGETS)}")
    given_ = arguments.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    context, faults = multiprocessing.get_context("spawn"), 0
    for name in given_.targets or TARGETS:
        counted: multiprocessing.Queue[int] = context.Queue()
        process = context.Process(target=fuzz, args=(name, given_.seconds, counted))
        process.start()
        process.join()
        tried = counted.get(timeout=1) if not counted.empty() else 0
        outcome = f"{tried:,} inputs"
        if process.exitcode or not tried:
            last = KEPT / f"{name}.last"
            data = last.read_bytes() if last.exists() else b""
            kept = last.rename(KEPT / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}.bin") if data else None
            outcome += f"; FAULT (exit code {process.exitcode}), input kept as {kept}"
            faults += 1
        print(f"{name:12} {outcome}", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())

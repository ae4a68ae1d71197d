"""Files that change, grow, shrink, vanish or are replaced while they are examined."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.core import evidence as evidence_module
from nsfwforensics.core.evidence import Evidence, Limits
from nsfwforensics.errors import EvidenceError
from tests.formats.make import picture, png
from tests.hostile.watch import watched


def test_the_picture_is_the_one_that_was_hashed(tmp_path: Path) -> None:
    """Replaced between the hash and the decoder: the bytes were read once, and both are of them."""
    path = tmp_path / "a.png"
    path.write_bytes(png(picture(seed=1)))
    opened = Evidence.open(path)
    path.write_bytes(png(Image.new("RGB", (9, 9))))
    assert opened.sha256 == hashlib.sha256(png(picture(seed=1))).hexdigest()
    assert np.array_equal(opened.rgb, np.asarray(picture(seed=1).convert("RGB")))


Meddle = Callable[[Path], None]


def _grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"x" * 50_000)


def _shrink(path: Path) -> None:
    os.truncate(path, 100)


def _rewrite(path: Path) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


@pytest.mark.parametrize("meddle", [_grow, _shrink, _rewrite])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meddle: Meddle
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(picture((300, 300))))
    os.utime(path, ns=(1, 1))
    real = evidence_module.open_evidence

    class Slow:
        """The stream of a file that somebody else writes to before it is read."""

        def __init__(self, stream: object) -> None:
            self.stream = stream

        def __getattr__(self, name: str) -> object:
            return getattr(self.stream, name)

        def __enter__(self) -> Slow:
            return self

        def __exit__(self, *_: object) -> None:
            self.stream.close()  # type: ignore[attr-defined]

        def read(self, size: int) -> bytes:
            meddle(path)
            return self.stream.read(size)  # type: ignore[attr-defined, no-any-return]

    monkeypatch.setattr(evidence_module, "open_evidence", lambda path, **how: Slow(real(path, **how)))
    with pytest.raises(EvidenceError):
        Evidence.open(path, Limits(max_bytes=400_000))


def test_a_folder_that_never_rests_ends_with_one_result_each(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    small, large = png(picture((40, 40))), png(picture((900, 700)))
    for index in range(60):
        (folder / f"{index:02}.png").write_bytes(large)
    stop = threading.Event()

    def meddle() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            for index in range(0, 60, 2):
                path = folder / f"{index:02}.png"
                if (index // 2 + turn) % 3 == 0:
                    path.unlink(missing_ok=True)
                else:
                    path.write_bytes(small if turn % 2 else large)
                if stop.wait(0.001):
                    return

    meddling = threading.Thread(target=meddle)
    meddling.start()
    try:
        ran = watched(tmp_path, "metadata", folder, "--json", "--quiet", "--jobs", "2")
    finally:
        stop.set()
        meddling.join()
    assert ran.code in (0, 4), ran.err
    files = json.loads(ran.out)["files"]
    names = [Path(file["info"]["path"]).name for file in files]
    assert len(names) == len(set(names))
    assert {f"{index:02}.png" for index in range(1, 60, 2)} <= set(names), "those that nobody touches"
    known = {hashlib.sha256(data).hexdigest() for data in (small, large)}
    for file in files:
        if file["status"] == "ok" and int(Path(file["info"]["path"]).stem) % 2:
            assert file["info"]["sha256"] in known
            assert file["info"]["sha256"] == hashlib.sha256(large).hexdigest()

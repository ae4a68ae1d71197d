from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.errors import EvidenceError, LimitExceededError, MissingDependencyError
from nsfwforensics.formats.dct import read_coefficients
from tests.formats import make

jpeglib = pytest.importorskip("jpeglib", reason="jpeglib has no wheel for this platform")

_k = np.arange(8)
DCT = np.cos((2 * _k[None] + 1) * _k[:, None] * np.pi / 16) * np.where(_k[:, None] == 0, np.sqrt(1 / 8), 0.5)


def pixels_of(luma: np.ndarray, table: np.ndarray) -> np.ndarray:
    blocks = DCT.T @ (luma * table.astype(float)) @ DCT + 128
    return blocks.transpose(0, 2, 1, 3).reshape(luma.shape[0] * 8, luma.shape[1] * 8)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}, {"quality": 30}])
def test_the_coefficients_are_those_of_the_picture(options: dict[str, object]) -> None:
    data = make.jpeg(make.picture((90, 61)).convert("L"), **options)
    read = read_coefficients(data)
    assert read.luma.shape == (8, 12, 8, 8)
    assert read.luma.dtype == np.int16 and not read.luma.flags.writeable
    decoded = np.asarray(Image.open(io.BytesIO(data)), float)
    assert np.abs(np.clip(pixels_of(read.luma, read.tables[0]), 0, 255)[:61, :90] - decoded).max() <= 1
    assert read.frame.marker == (0xC2 if "progressive" in options else 0xC0)
    assert (read.frame.width, read.frame.height, read.chroma) == (90, 61, ())


@pytest.mark.parametrize(
    ("subsampling", "factors", "shape"),
    [(0, (1, 1), (8, 12)), (1, (2, 1), (8, 6)), (2, (2, 2), (4, 6)), ("4:1:1", (4, 1), (8, 3))],
)
def test_colour_on_request(subsampling: object, factors: tuple[int, int], shape: tuple[int, int]) -> None:
    if subsampling == "4:1:1":
        data = bytearray(make.jpeg(make.picture((90, 61)), subsampling=1))
        data[data.index(b"\xff\xc0") + 11] = 0x41  # the scan then ends early, which is no error
    else:
        data = bytearray(make.jpeg(make.picture((90, 61)), subsampling=subsampling))
    read = read_coefficients(bytes(data), chroma=True)
    assert read.frame.sampling == (factors, (1, 1), (1, 1))
    assert [plane.shape[:2] for plane in read.chroma] == [shape, shape]
    assert read.chroma[0].any() and (read.tables[1] == read.tables[2]).all()
    assert (read.luma == read_coefficients(bytes(data)).luma).all()


def test_printing_colours_have_four_components() -> None:
    read = read_coefficients(make.jpeg(make.picture().convert("CMYK")), chroma=True)
    assert len(read.frame.components) == 4 and len(read.chroma) == 3


def test_tables_of_sixteen_bits_in_natural_order() -> None:
    data = make.jpeg(make.picture().convert("L"))
    at, steps = data.index(b"\xff\xdb"), range(300, 364)
    table = make.segment(0xDB, b"\x10" + b"".join(step.to_bytes(2, "big") for step in steps))
    table = read_coefficients(data[:at] + table + data[at + 69 :]).tables[0]
    assert sorted(table.ravel().tolist()) == list(steps)
    assert (table[0, 0], table[0, 1], table[1, 0], table[2, 0], table[1, 1]) == (300, 301, 302, 303, 304)


def test_arithmetic_coding_is_refused_with_a_reason() -> None:
    with pytest.raises(EvidenceError, match="arithmetic"):
        read_coefficients(patched(make.jpeg(), b"\xff\xc0", 1, 0xC9))


def test_a_file_cut_short_gives_what_is_there() -> None:
    data = make.jpeg(make.picture((96, 96)).convert("L"))
    whole, part = read_coefficients(data).luma, read_coefficients(data[: len(data) * 2 // 3]).luma
    assert (part[:4] == whole[:4]).all() and not (part[-1] == whole[-1]).all()


def test_metadata_however_much_is_not_handed_over() -> None:
    data = make.with_segments(make.jpeg(), *[make.segment(0xE1, b"x" * 40)] * 500, make.segment(0xFE, b""))
    assert (read_coefficients(data).luma == read_coefficients(make.jpeg()).luma).all()


def patched(data: bytes, marker: bytes, offset: int, *values: int) -> bytes:
    at = data.index(marker) + offset
    return data[:at] + bytes(values) + data[at + len(values) :]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        make.png(),
        make.jpeg()[:200],
        patched(make.jpeg(), b"\xff\xc0", 1, 0xC3),
        patched(make.jpeg(), b"\xff\xc0", 4, 12),
        patched(make.jpeg(), b"\xff\xc0", 5, 0, 0),
        patched(make.jpeg(), b"\xff\xc0", 9, 2),
        patched(make.jpeg(), b"\xff\xc0", 11, 0x55),
        patched(make.jpeg(), b"\xff\xc0", 12, 3),
        patched(make.jpeg(), b"\xff\xda", 5, 77),
        patched(make.jpeg(), b"\xff\xdb", 5, 0),
        patched(make.jpeg(), b"\xff\xc4", 5, *[200] * 16),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        read_coefficients(data)


def test_pictures_beyond_the_limits_are_refused_before_anything_is_allocated() -> None:
    with pytest.raises(LimitExceededError, match="coefficients"):
        read_coefficients(patched(make.jpeg(), b"\xff\xc0", 5, 0xFF, 0xDC, 0xFF, 0xDC))
    with pytest.raises(LimitExceededError, match="coefficients"):
        read_coefficients(make.jpeg(), limit=100)
    data = make.jpeg(progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(LimitExceededError, match="scans"):
        read_coefficients(data[:-2] + scan * 100 + b"\xff\xd9")


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jpeglib", None)
    with pytest.raises(MissingDependencyError, match="jpeglib"):
        read_coefficients(make.jpeg())


@pytest.mark.parametrize("memory", [True, False])
def test_nothing_is_left_behind(memory: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if not memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.is_dir() else 0
    broken = patched(make.jpeg(progressive=True), b"\xff\xda", 2, 0, 13)
    for data in [make.jpeg(), broken, make.jpeg()[:700]] * 3:
        try:
            read_coefficients(data)
        except EvidenceError:
            continue
    assert list(tmp_path.iterdir()) == []
    assert before == (len(list(descriptors.iterdir())) if descriptors.is_dir() else 0)


def test_the_console_stays_clean(capfd: pytest.CaptureFixture[str]) -> None:
    read_coefficients(make.jpeg(make.picture((96, 96)))[:1500])
    assert capfd.readouterr() == ("", "")


FUZZ = """
import random, sys
from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats.dct import read_coefficients
from tests.formats import make
seeds = [make.jpeg(), make.jpeg(progressive=True), make.jpeg(make.picture().convert("CMYK"), restart_marker_blocks=2)]
r = random.Random(11)
for _ in range(300):
    data = bytearray(r.choice(seeds))
    for _ in range(r.choice((1, 2, 5))):
        at = r.randrange(2, len(data) if r.random() < 0.4 else 700)
        kind = r.random()
        if kind < 0.7:
            data[at] = r.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, r.randrange(256)))
        elif kind < 0.85:
            del data[at : at + r.randrange(1, 20)]
        else:
            data[at:at] = bytes(r.randrange(256) for _ in range(r.randrange(1, 8)))
    try:
        read_coefficients(bytes(data), chroma=True)
    except EvidenceError:
        pass
print("alive")
"""


def test_the_c_code_survives_damaged_files() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", FUZZ], capture_output=True, text=True, cwd=root, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-500:]

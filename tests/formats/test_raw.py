"""Cameras' raw files: named, their metadata read where each maker puts them, their preview examined as one."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.media import sniff
from nsfwforensics.core.types import FileStatus, PictureKind, PictureState
from nsfwforensics.formats.pictures import look_inside
from nsfwforensics.formats.read import read_metadata
from tests.formats import make
from tests.formats.test_pictures import report, saved, scene

CAMERA, MODEL, MOMENT = 0x010F, 0x0110, 0x9003
BLOCK = make.exif({CAMERA: "ExampleCam", MODEL: "X1"}, {MOMENT: "2026:07:01 14:02:43"})
PLACE = make.exif({}, gps={1: "N", 2: (35.0, 40.0, 0.0), 3: "E", 4: (139.0, 45.0, 0.0)})
PREVIEW = saved(scene(1, (320, 240)), "JPEG")
CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")


def tiff_like(magic: bytes) -> bytes:
    """A TIFF file under a maker's own number, and a preview behind it."""
    block = Image.Exif()
    block.update({CAMERA: "ExampleCam", MODEL: "X1"})
    block[0x0132] = "2026:07:01 14:02:43"
    whole = saved(Image.new("L", (16, 16)), "TIFF", exif=block)
    assert whole.startswith(b"II*\0")
    return magic + whole[4:] + PREVIEW


def cr3() -> bytes:
    blocks = make.box(b"CMT1", BLOCK) + make.box(b"CMT4", PLACE)
    movie = make.box(b"moov", make.box(b"uuid", CANON + blocks))
    return make.box(b"ftyp", b"crx \0\0\0\1crx isom") + movie + make.box(b"mdat", bytes(64) + PREVIEW)


def raf() -> bytes:
    photo = make.with_segments(PREVIEW, make.exif_segment(BLOCK))
    head = b"FUJIFILMCCD-RAW 0201".ljust(84, b"\0") + struct.pack(">II", 160, len(photo))
    return head.ljust(160, b"\0") + photo + bytes(256)


FILES = {
    "image/x-canon-cr3": cr3(),
    "image/x-fuji-raf": raf(),
    "image/x-olympus-orf": tiff_like(b"IIRO"),
    "image/x-panasonic-rw2": tiff_like(b"IIU\0"),
}


def dng(version: bool = True) -> bytes:
    buffer = io.BytesIO()
    tags = {CAMERA: "ExampleCam", MODEL: "X1", **({0xC612: b"\1\4\0\0"} if version else {})}
    scene(1, (320, 240)).save(buffer, "TIFF", tiffinfo=tags)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", FILES)
def test_a_raw_files_metadata_are_read_and_its_preview_stands_in(kind: str, tmp_path: Path) -> None:
    data = FILES[kind]
    assert sniff(data[:1024]) == kind
    path = tmp_path / "photo.bin"
    path.write_bytes(data)
    found = report(path, "metadata", "phash", "traces")
    said = {finding.code: finding.explanation for finding in found.findings}
    assert "ExampleCam X1" in said["META-002"]
    assert "2026-07-01 14:02:43" in said["META-003"]
    assert found.status is FileStatus.PARTIAL
    assert "Its preview of 320 × 240 pixels was examined in its place" in " ".join(found.notes)
    (inner,) = found.info.pictures
    assert (inner.kind, inner.state, inner.offset) == (
        PictureKind.PREVIEW,
        PictureState.EXAMINED,
        data.find(b"\xff\xd8"),
    )
    hashes = next(result for result in found.results if result.analyzer == "phash")
    assert hashes.measurements["pictures"][0]["pdq"]


def test_a_place_in_a_box_of_canons_is_read() -> None:
    table = read_metadata(cr3(), "image/x-canon-cr3")
    assert table.first("EXIF GPS", "0x0002") is not None


def test_a_dng_shows_its_reduced_picture_where_it_holds_no_other() -> None:
    inside = look_inside(Evidence.from_bytes(dng()))
    assert [(each.kind, each.media_type) for each in inside.embedded] == [(PictureKind.PREVIEW, "image/png")]
    assert sniff(dng(version=False)) == "image/tiff"


@given(st.sampled_from(sorted(FILES)), st.integers(0, 5000), st.binary(min_size=1, max_size=8), st.integers(0, 9000))
@settings(max_examples=150, deadline=None)
def test_no_change_of_a_raw_file_breaks_its_reader(kind: str, place: int, noise: bytes, length: int) -> None:
    data = FILES[kind][: max(length, 16)]
    data = data[: place % len(data)] + noise + data[place % len(data) + len(noise) :]
    evidence = Evidence.from_bytes(data)
    read_metadata(data, kind)
    look_inside(evidence)

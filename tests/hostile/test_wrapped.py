"""Hostile bytes as blocks of metadata inside sound pictures."""

from __future__ import annotations

import io
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from nsfwforensics.core.media import sniff
from nsfwforensics.formats.jumbf import find_manifest_store
from nsfwforensics.formats.read import read_metadata
from tests.formats import make
from tests.formats.test_fuzz_all import SEEDS
from tests.hostile.wrapped import WRAPS, examined, store

LONGEST_SECONDS = 20
"""Processor time that one file may take: far more than any of the kind needs, far less than the limit of a worker."""

EXIF, PACKET = make.exif({0x010F: "Maker"}), make.xmp("<dc:source>Maker</dc:source>")
RECORD = make.iptc_record(2, 80, b"Maker")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SOUND: dict[str, bytes] = {
    "EXIF": EXIF, "EXIF behind a TIFF header": make.exif({0x010F: "Maker"})[8:], "XMP": PACKET, "extended XMP": PACKET,
    "Photoshop": make.resource(0x0404, RECORD), "IPTC": RECORD, "ICC": PROFILE, "eXIf": EXIF,
    "raw profile": b"Exif\0\0" + EXIF, "zTXt": zlib.compress(b"Maker"), "iCCP": PROFILE,
    "APP15": b"\x03X\5\0\0\0Makerq\1.",
}  # fmt: skip

every_wrap = pytest.mark.parametrize("name", sorted(WRAPS))


@every_wrap
def test_what_is_wrapped_is_a_picture_and_reaches_its_parser(name: str) -> None:
    kind = name.partition(", ")[2]
    block = SOUND.get(kind, b"anything")
    data = WRAPS[name](block)
    media_type = sniff(data[:64])
    if not name.startswith("HEIF"):
        Image.open(io.BytesIO(data)).load()
    if kind in ("JUMBF", "caBX"):
        found = find_manifest_store(data, media_type)
        assert found is not None
        assert found.data == store(block)
    elif kind in SOUND and block != PROFILE:
        assert any("Maker" in field.words for field in read_metadata(data, media_type).fields)
    elif block == PROFILE:
        assert read_metadata(data, media_type).first("ICC profile", "ProfileDescription") is not None
    examined(data)


@every_wrap
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_damaged_blocks_break_nothing(name: str, data: st.DataObject) -> None:
    block = bytearray(SEEDS[data.draw(st.sampled_from(sorted(SEEDS)))][:3_000])
    for _ in range(data.draw(st.integers(0, 6))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xFF)))
    examined(WRAPS[name](bytes(block[: data.draw(st.integers(0, len(block)))]) + data.draw(st.binary(max_size=40))))


@pytest.mark.shared_data
@pytest.mark.slow
@every_wrap
def test_files_that_crashed_others_break_nothing_wherever_they_stand(name: str, shared_data: Path) -> None:
    count, slowest = 0, ("", 0.0)
    for path in sorted((shared_data / "hostile" / "fuzzed").iterdir()):
        data = WRAPS[name](path.read_bytes())
        started = time.process_time()
        examined(data)
        slowest = max(slowest, (path.name, time.process_time() - started), key=lambda each: each[1])
        count += 1
    assert count > 600
    assert slowest[1] < LONGEST_SECONDS, slowest

"""Evidence: read once, hashed first, decoded under limits, never written."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.core.evidence import Evidence, Limits
from nsfwforensics.errors import EvidenceError, LimitExceededError, NotAnImageError
from nsfwforensics.testing import PICTURES, UNDECODABLE, contract_file
from tests.pictures import saved


@pytest.mark.parametrize("name", PICTURES)
def test_every_kind_of_picture_decodes_to_eight_bits(name: str) -> None:
    evidence = Evidence.from_bytes(contract_file(name), name)
    assert evidence.image.mode in ("RGB", "L")
    assert evidence.rgb.dtype == np.uint8
    assert evidence.rgb.shape == (evidence.image.height, evidence.image.width, 3)
    assert not evidence.rgb.flags.writeable
    assert evidence.sha256 == hashlib.sha256(contract_file(name)).hexdigest()


@pytest.mark.parametrize("name", UNDECODABLE)
def test_what_cannot_be_decoded_says_so_every_time(name: str) -> None:
    evidence = Evidence.from_bytes(contract_file(name), name)
    for _ in range(2):
        with pytest.raises(EvidenceError, match=r"cannot be decoded|no image format"):
            _ = evidence.image
    assert evidence.info().decoded_share is None


def test_orientation_is_applied() -> None:
    evidence = Evidence.from_bytes(contract_file("turned.jpg"))
    assert (evidence.info().width, evidence.info().height) == (200, 320)
    assert evidence.original.size == (320, 200)
    assert evidence.image.size == (200, 320)


def test_what_another_library_sets_in_pillow_does_not_make_a_file_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    assert Evidence.from_bytes(contract_file("truncated.jpg")).decoded_share < 1


def test_a_truncated_jpeg_is_decoded_in_part_and_says_so() -> None:
    evidence = Evidence.from_bytes(contract_file("truncated.jpg"))
    whole = Evidence.from_bytes(contract_file("plain.jpg"))
    share = evidence.decoded_share
    assert 0.3 < share < 0.7
    rows = int(share * evidence.image.height) - 32
    assert np.array_equal(evidence.rgb[:rows], whole.rgb[:rows])
    assert whole.decoded_share == 1.0


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_truncation_of_any_format_is_partial_or_a_clear_error(kind: str, share: float) -> None:
    data = saved(Image.open(io.BytesIO(contract_file("plain.jpg"))), kind)
    evidence = Evidence.from_bytes(data[: int(len(data) * share)])
    try:
        decoded = evidence.decoded_share
    except EvidenceError as error:
        assert str(error)
    else:
        assert 0.0 < decoded < 1.0


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    pixels = Evidence.from_bytes(contract_file("sixteen-bit.png")).rgb[..., 0]
    assert pixels[0, 0] == 0
    assert pixels[-1, -1] == 255
    assert abs(float(pixels.mean()) - 127.5) < 2


def test_alpha_lies_over_white() -> None:
    assert (Evidence.from_bytes(saved(Image.new("RGBA", (4, 4), (255, 0, 0, 0)))).rgb == 255).all()


def test_the_pixel_limit_stops_a_bomb_before_it_is_decoded() -> None:
    evidence = Evidence.from_bytes(contract_file("very-wide.png"), limits=Limits(max_pixels=1000))
    with pytest.raises(LimitExceededError, match=r"30000 × 10 .*--max-pixels"):
        _ = evidence.rgb


def test_a_bomb_larger_than_pillows_own_limit_is_refused_by_ours() -> None:
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    with pytest.raises(LimitExceededError, match="400 megapixels"):
        _ = Evidence.from_bytes(buffer.getvalue()).image


def test_the_byte_limit(tmp_path: Path) -> None:
    path = tmp_path / "big.jpg"
    path.write_bytes(contract_file("plain.jpg"))
    with pytest.raises(LimitExceededError, match="--max-bytes"):
        Evidence.open(path, Limits(max_bytes=100))


def test_what_is_not_looked_into_has_its_digests(tmp_path: Path) -> None:
    path, data = tmp_path / "big.jpg", contract_file("plain.jpg") + bytes(3_000_000)
    path.write_bytes(data)
    evidence = Evidence.unread(path, "too large", Limits(max_bytes=100))
    assert evidence.digests == Evidence.from_bytes(data).digests
    assert evidence.digests["md5"] == hashlib.md5(data).hexdigest()
    assert (evidence.size, evidence.media_type, evidence.data) == (len(data), "image/jpeg", b"")
    assert not evidence.info().model_copy(update={"after": evidence.after()}).changed
    with pytest.raises(EvidenceError, match="too large"):
        _ = evidence.rgb


def test_an_empty_file_and_a_pipe_and_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(EvidenceError, match="empty"):
        Evidence.open(tmp_path / "empty.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(EvidenceError, match="not a regular file"):
        Evidence.open(tmp_path / "pipe.jpg")
    for path in (tmp_path / "missing.jpg", tmp_path):
        with pytest.raises(EvidenceError, match="cannot be read"):
            Evidence.open(path)


def test_not_an_image() -> None:
    with pytest.raises(NotAnImageError):
        _ = Evidence.from_bytes(b"hello, world").image


def test_derive_builds_once_and_decodes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    opened: list[object] = []
    real = Image.open
    monkeypatch.setattr(Image, "open", lambda *a, **k: opened.append(a) or real(*a, **k))
    evidence = Evidence.from_bytes(contract_file("plain.jpg"))
    for _ in range(3):
        assert evidence.derive("test.once", lambda: calls.append(1) or 42) == 42
        _ = evidence.rgb, evidence.image, evidence.frames
    assert (len(calls), len(opened)) == (1, 1)


def test_a_thumbnail_only_on_request() -> None:
    evidence = Evidence.from_bytes(contract_file("plain.jpg"))
    _ = evidence.image
    assert evidence.info().thumbnail is None
    assert evidence.info(thumbnail=True).thumbnail is not None

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.formats.deflate import inflate
from nsfwforensics.formats.fields import MAX_VALUE_BYTES
from nsfwforensics.formats.png import Chunk, raw_profile, read_png, read_text
from tests.formats import make

PLAIN = make.png()


def chunk(kind: str, data: bytes) -> Chunk:
    return Chunk(kind, 0, len(data), data)


def test_chunks_have_their_place_and_pixel_data_is_not_copied() -> None:
    layout = read_png(make.with_chunks(PLAIN, make.chunk(b"tEXt", b"Title\0x")) + b"trailer")
    assert [c.type for c in layout.chunks][:2] == ["IHDR", "tEXt"]
    assert layout.chunks[1].offset == 33
    assert next(c for c in layout.chunks if c.type == "IDAT").data == b""
    assert layout.end == len(PLAIN) + 12 + 7


def test_a_missing_end_is_noted() -> None:
    layout = read_png(PLAIN[:-12])
    assert layout.end is None
    assert layout.notes


@pytest.mark.parametrize(
    ("kind", "data", "text", "language"),
    [
        ("tEXt", b"k\0caf\xe9", "café", ""),
        ("zTXt", b"k\0\0" + zlib.compress(b"squeezed"), "squeezed", ""),
        ("iTXt", b"k\0\0\0de\0Titel\0" + "grün".encode(), "grün", "de"),
        ("iTXt", b"k\0\1\0\0\0" + zlib.compress("绿".encode()), "绿", ""),
    ],
)
def test_the_three_kinds_of_text(kind: str, data: bytes, text: str, language: str) -> None:
    found = read_text(chunk(kind, data))
    assert (found.keyword, found.text, found.language, found.cut) == ("k", text, language, False)


def test_a_decompression_bomb_is_cut_at_the_limit() -> None:
    found = read_text(chunk("zTXt", b"k\0\0" + zlib.compress(b"A" * (3 * MAX_VALUE_BYTES))))
    assert found.cut
    assert len(found.text) == MAX_VALUE_BYTES


def test_damaged_compression_and_missing_keywords_are_value_errors() -> None:
    with pytest.raises(ValueError, match="damaged"):
        read_text(chunk("zTXt", b"k\0\0not zlib"))
    with pytest.raises(ValueError, match="keyword"):
        read_text(chunk("tEXt", b"no keyword"))


def test_raw_profiles_are_hexadecimal_after_two_lines() -> None:
    assert raw_profile("\nexif\n       3\n414\n243\n") == (b"ABC", "")
    data, fault = raw_profile("\nexif\n 4\n41 4243\n")
    assert data == b"ABC"
    assert "announces 4 bytes" in fault
    assert raw_profile("\nexif\n 3\nzz") is None
    assert raw_profile("plain text") is None


@given(st.binary(max_size=300), st.integers(0, len(PLAIN)))
def test_any_bytes_are_walked_without_an_exception(noise: bytes, place: int) -> None:
    layout = read_png(PLAIN[:place] + noise)
    for found in layout.chunks:
        assert found.offset >= 8
        if found.type in ("tEXt", "zTXt", "iTXt"):
            try:
                read_text(found)
            except ValueError:
                continue


@given(st.binary(max_size=200))
def test_inflate_returns_bytes_or_raises_value_error(data: bytes) -> None:
    try:
        out = inflate(data, limit=1000)
    except ValueError:
        return
    assert len(out.data) <= 1000

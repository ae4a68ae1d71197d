from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.formats.jpeg import ijg_quality, quantisation_tables, read_jpeg
from tests.formats import make

PLAIN = make.jpeg()


def test_segments_come_in_order_with_their_place_and_data() -> None:
    data = make.with_segments(PLAIN, make.segment(0xFE, b"hello"), make.segment(0xE5, b"abc"))
    layout = read_jpeg(data)
    first, second = layout.segments[:2]
    assert (first.name, first.offset, first.data) == ("COM", 2, b"hello")
    assert (second.name, second.offset, second.data) == ("APP5", 11, b"abc")
    assert data[second.offset] == 0xFF
    assert layout.size == (96, 64)
    assert layout.notes == ()


def test_the_end_of_the_image_is_known_so_that_a_trailer_is() -> None:
    layout = read_jpeg(PLAIN + b"a trailer with \xff\xd9 in it")
    assert layout.end == len(PLAIN)


def test_progressive_scans_are_walked_through() -> None:
    data = make.jpeg(progressive=True)
    layout = read_jpeg(data)
    assert sum(segment.name == "SOS" for segment in layout.segments) > 1
    assert layout.end == len(data)


def test_an_early_end_leaves_no_end_and_a_note() -> None:
    layout = read_jpeg(PLAIN[:-40])
    assert layout.end is None
    assert "ends before" in layout.notes[0]


def test_an_impossible_length_stops_the_walk_with_a_note() -> None:
    layout = read_jpeg(b"\xff\xd8\xff\xdb\x00\x01" + PLAIN)
    assert layout.end is None
    assert "impossible length" in layout.notes[0]


@pytest.mark.parametrize("broken", [b"\xff\xfe\0\0", b"\xff\xe1\0\1"])
def test_an_impossible_length_that_decoders_pass_over_hides_nothing(broken: bytes) -> None:
    layout = read_jpeg(make.with_segments(PLAIN, broken, make.segment(0xFE, b"behind")))
    assert layout.segments[0].data == b"behind"
    assert layout.end == len(PLAIN) + len(broken) + 10
    assert "impossible length" in layout.notes[0]


def test_junk_between_segments_is_noted_and_skipped() -> None:
    layout = read_jpeg(PLAIN[:2] + b"junk" + PLAIN[2:])
    assert layout.end == len(PLAIN) + 4
    assert "belong to no JPEG segment" in layout.notes[0]


def test_millions_of_fill_bytes_cost_no_time() -> None:
    assert read_jpeg(b"\xff\xd8\xff" + b"\xff" * 5_000_000).end is None
    assert read_jpeg(b"\xff\xd8" + b"\xff\xd0" * 5_000_000 + PLAIN[2:]).size == (96, 64)


@pytest.mark.parametrize("quality", [10, 49, 50, 75, 80, 87, 95, 99])
def test_the_quality_of_standard_tables_is_found_again(quality: int) -> None:
    assert ijg_quality(quantisation_tables(read_jpeg(make.jpeg(quality=quality)))) == quality


def test_tables_of_another_maker_have_no_quality() -> None:
    tables = [list(range(1, 65)), list(range(2, 66))]
    assert ijg_quality(quantisation_tables(read_jpeg(make.jpeg(qtables=tables)))) is None
    assert ijg_quality({}) is None


@given(st.binary(max_size=400), st.integers(0, len(PLAIN)))
def test_any_bytes_end_the_walk_inside_the_file(noise: bytes, place: int) -> None:
    data = PLAIN[:place] + noise
    layout = read_jpeg(data)
    assert layout.end is None or layout.end <= len(data)
    assert all(segment.offset < len(data) for segment in layout.segments)
    quantisation_tables(layout)

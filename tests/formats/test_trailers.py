"""Samsung trailers, names in pickles, hidden text and JSON lines: never an exception, never more than the limits."""

from __future__ import annotations

import os
import pickle
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsfwforensics.formats import json_text, pickles, samsung, stealth
from nsfwforensics.formats.read import read_metadata
from tests.analyzers import provenance_files as files
from tests.formats import make


def test_a_trailer_is_read_by_its_directory() -> None:
    data = make.jpeg() + files.galaxy()
    end = len(make.jpeg())
    blocks = samsung.read_trailer(data, end).items
    assert [block.name for block in blocks] == ["Image_UTC_Data", "PEg_Info"]
    assert blocks[1].data == b'{"genImageVersion":"v1","genAIType":8}'
    assert data[blocks[1].offset + 8 :].startswith(b"PEg_Info")
    table = read_metadata(data, "image/jpeg")
    assert table.first("Samsung trailer", "Image_UTC_Data").value == "1700000000000"


def test_what_is_appended_later_hides_no_trailer() -> None:
    data = make.png() + files.galaxy()
    assert len(samsung.read_trailer(data + b"SEFT and more", len(make.png())).items) == 2


def test_bytes_without_a_directory_are_no_trailer() -> None:
    for tail in (
        b"SEFHSEFT",
        b'PEg_Info{"genAIType":8}',
        files.galaxy()[:-4],
        files.galaxy().replace(b"SEFH", b"SEFX"),
    ):
        assert samsung.read_trailer(make.jpeg() + tail, len(make.jpeg())).items == ()


def test_a_trailer_before_the_end_of_the_image_does_not_count() -> None:
    data = make.with_segments(make.jpeg(), make.segment(0xFE, files.galaxy()))
    assert read_metadata(data, "image/jpeg").first("Samsung trailer", "PEg_Info") is None


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_the_trailer_reader(noise: bytes, place: int, value: int) -> None:
    trailer = bytearray(files.galaxy())
    trailer[place % len(trailer)] = value
    for data in (noise, noise + b"SEFT", noise + bytes(trailer), bytes(trailer) + noise):
        blocks = samsung.read_trailer(data, 0).items
        assert sum(len(block.data) for block in blocks) <= len(data) * samsung.MAX_ENTRIES


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_the_names_in_a_pickle(protocol: int) -> None:
    names = pickles.pickled_names(pickle.dumps(files.FACE_SET, protocol))
    assert {"face_type", "landmarks", "source_filename", "image_to_face_mat"} <= set(names)


class _Hostile:
    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> object:
        return os.mkdir, (self.folder,)


def test_a_pickle_is_never_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("pickle") / "made"
    data = make.with_segments(
        make.jpeg(), make.segment(0xEF, pickle.dumps({**files.FACE_SET, "x": _Hostile(str(folder))}))
    )
    assert read_metadata(data, "image/jpeg").first("JPEG APP15 pickle", "names") is not None
    assert not folder.exists()


@given(st.binary(max_size=400))
@settings(max_examples=400, deadline=None)
def test_no_bytes_break_the_pickle_reader(noise: bytes) -> None:
    for data in (noise, b"\x80\x04" + noise, pickle.dumps(files.FACE_SET)[: len(noise)] + noise):
        assert all(len(name) <= pickles.MAX_NAME for name in pickles.pickled_names(data))


def test_a_pickle_of_many_opcodes_is_cut_short() -> None:
    started = time.process_time()
    pickles.pickled_names(b"\x80\x04" + b"N0" * 5_000_000)
    assert time.process_time() - started < 2


@given(st.integers(1, 60), st.integers(1, 60), st.binary(max_size=60), st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_pixels_break_the_hidden_text_reader(height: int, width: int, noise: bytes, marked: bool) -> None:
    stream = (stealth.SIGNATURE if marked else b"") + noise
    bits = np.unpackbits(np.frombuffer(stream, np.uint8))[: height * width]
    alpha = np.zeros(height * width, np.uint8)
    alpha[: bits.size] = bits
    try:
        text = stealth.hidden_text(alpha.reshape(width, height).T)
    except stealth.StealthError:
        return
    assert text is None or isinstance(text, str)


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_json_of_any_text_is_an_object_or_nothing(text: str) -> None:
    found = json_text.json_object(text)
    assert found is None or isinstance(found, dict)


def test_json_lines_cannot_be_forged_and_are_bounded() -> None:
    lines = json_text.json_lines(
        {"a\nsoftware: x": "b\nsoftware: RuinedFooocus", "c": [{"d": 1}, "e"], "f": '{"g": 2}'}
    )
    assert lines == ["a software: x: b software: RuinedFooocus", "c.d: 1", "c: e", "f.g: 2"]
    assert len(json_text.json_lines({"x": list(range(100_000))})) <= json_text.MAX_LINES
    nested: object = 1
    for _ in range(500):
        nested = {"k": nested}
    assert json_text.json_lines({"top": nested}) == []

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.report.saved.json import document, dumps, file_line, for_stream
from nsfwforensics.report.saved.tally import Tally
from nsfwforensics.report.words.text import UNSAFE
from tests.report.factory import HOSTILE, file, header, hostile_file

TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=50)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def joined(text: str) -> str:
    """Text as JSON keeps it: two halves of a surrogate pair that met in one string are one character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@given(VALUES)
def test_any_value_comes_back_and_nothing_in_it_acts(value: object) -> None:
    text = dumps(value)
    assert not UNSAFE.search(text)
    text.encode("utf-8")
    assert dumps(json.loads(text)) == dumps(json.loads(dumps(json.loads(text))))
    escaped = for_stream(text, io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert json.loads(escaped) == json.loads(text)
    assert escaped.isascii()
    assert for_stream(text, io.TextIOWrapper(io.BytesIO(), "utf-8")) == text


@given(TEXT)
def test_text_comes_back_exactly(text: str) -> None:
    assert joined(json.loads(dumps(text))) == joined(text)


def test_readable_text_stays_readable() -> None:
    assert dumps({"artist": "Hélène Ōtsuka"}) == '{"artist": "Hélène Ōtsuka"}'
    assert dumps("\x9b\u202e\U000e0041") == '"\\u009b\\u202e\\udb40\\udc41"'


def test_a_hostile_file_is_one_inert_line() -> None:
    for text in HOSTILE.values():
        line = file_line(hostile_file(text))
        assert not UNSAFE.search(line)
        assert json.loads(line)["results"][1]["error"].startswith(text[:3].encode("utf-8", "replace").decode())


def test_the_document_is_streamed_in_one_piece_per_file() -> None:
    tally = Tally()
    files = [file(f"{number}.jpg") for number in range(3)]
    for made in files:
        tally.add(made, 0, 0)
    buffer = io.StringIO()
    buffer.writelines(document(header(), (file_line(made) for made in files), tally.summary()))
    loaded = json.loads(buffer.getvalue())
    assert list(loaded) == ["schema_version", "header", "common", "files", "summary"]
    assert [entry["info"]["path"] for entry in loaded["files"]] == ["0.jpg", "1.jpg", "2.jpg"]
    assert sum(line.startswith('{"info"') for line in buffer.getvalue().splitlines()) == 3

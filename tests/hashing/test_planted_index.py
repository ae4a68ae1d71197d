"""An index that somebody made to hide, hang or crash, with checksums that fit: refused when it is read in full."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.index import arrays, segment
from nsfwforensics.hashing.index.hamming import TABLES_FROM
from nsfwforensics.hashing.index.index import MANIFEST, HashIndex, manifest_digest
from nsfwforensics.hashing.index.indexing import IndexWriter
from nsfwforensics.hashing.lists.formats import ListFormat
from nsfwforensics.hashing.lists.items import HashKind, KnownItem
from nsfwforensics.hashing.lists.write import write_list

Arrays = dict[str, "np.ndarray[Any, Any]"]


def made(folder: Path, number: int = 50) -> Path:
    rows = np.random.default_rng(3).integers(0, 256, (number, 32), dtype=np.uint8)
    with IndexWriter(folder) as writer:
        items = (KnownItem(pdq=row.tobytes(), name=str(at)) for at, row in enumerate(rows))
        writer.add(items, "list", "0" * 64, "plain")
        writer.add([KnownItem(md5=b"\1" * 16, sha256=b"\2" * 32)], "other", "0" * 64, "plain")
        writer.commit()
    return folder


def signed(index: Path, manifest: Mapping[str, Any]) -> None:
    """Writes a contents page with a checksum that fits it."""
    (index / MANIFEST).write_text(json.dumps({**manifest, "digest": manifest_digest(dict(manifest))}))


def manifest_of(index: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((index / MANIFEST).read_text())
    del found["digest"]
    return found


def replaced(index: Path, change: Callable[[Arrays], object]) -> None:
    """Changes what a segment holds and writes all of its checksums anew."""
    manifest = manifest_of(index)
    record = manifest["segments"][-1]
    held = {name: np.array(array) for name, array in arrays.map_arrays(index / record["file"], segment.MAGIC).items()}
    change(held)
    digest = arrays.write_arrays(held, index / "0123456789abcdef.segment", segment.MAGIC)
    record |= {"file": "0123456789abcdef.segment", "sha256": digest}
    signed(index, manifest)


def put(name: str, value: Callable[[np.ndarray[Any, Any]], Any]) -> Callable[[Arrays], object]:
    def change(held: Arrays) -> None:
        held[name] = np.ascontiguousarray(value(held[name]), held[name].dtype)

    return change


PLANTED: dict[str, Callable[[Arrays], object]] = {
    "hashes out of order": put("pdq", lambda rows: rows[::-1]),
    "a hash twice": put("pdq", lambda rows: np.concatenate([rows[:1], rows[:-1]])),
    "hashes of another length": put("pdq", lambda rows: rows[:, :16]),
    "hashes in one row": put("pdq", np.ravel),
    "an owner that is not there": put("pdq.owners", lambda owners: owners + 1000),
    "owners that begin late": put("pdq.first", lambda first: np.maximum(first, 1)),
    "owners that end early": put("pdq.first", lambda first: np.minimum(first, 1)),
    "owners that go back": put("pdq.first", lambda first: np.concatenate([first[:1], first[-1:], first[2:]])),
    "too few owners": put("pdq.first", lambda first: first[:-1]),
    "entries that go back": put("ends", lambda ends: ends[::-1]),
    "entries beyond the end": put("ends", lambda ends: ends + 10**6),
    "no digests": lambda held: held.pop("md5.owners"),
    "no details": put("details", lambda details: details[:0]),
}


@pytest.mark.parametrize("how", PLANTED)
def test_what_cannot_be_found_or_lies_outside_is_refused(tmp_path: Path, how: str) -> None:
    index = made(tmp_path / "index")
    replaced(index, PLANTED[how])
    with pytest.raises(HashListError, match="damaged"):
        HashIndex.open(index, verify=True)
    with pytest.raises(HashListError), IndexWriter(index) as writer:  # nor is it taken over when more is added
        writer.add([KnownItem(pdq=bytes([at]) * 32) for at in range(200)], "more", "0" * 64, "plain")
        writer.commit()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("large") / "index", TABLES_FROM + 10)


@pytest.mark.parametrize(
    "change",
    [
        put("pdq.bounds", np.zeros_like),
        put("pdq.bounds", lambda bounds: bounds[:, ::-1]),
        put("pdq.rows", np.zeros_like),
        put("pdq.rows", lambda rows: rows[:, ::-1]),
        put("pdq.rows", lambda rows: rows + 10**6),
    ],
    ids=["no bounds", "bounds turned", "one row", "rows turned", "rows beyond"],
)
def test_tables_that_lead_past_a_hash_are_refused(
    large: Path, tmp_path: Path, change: Callable[[Arrays], object]
) -> None:
    """With such tables an index would say how many pictures it knows, and find none of them."""
    index = tmp_path / "index"
    shutil.copytree(large, index)
    assert HashIndex.open(index, verify=True).size(HashKind.PDQ) == TABLES_FROM + 10
    replaced(index, change)
    with pytest.raises(HashListError, match="not where they would be looked for"):
        HashIndex.open(index, verify=True)


def used(index: Path) -> None:
    """What is done with an index that was accepted."""
    found = HashIndex.open(index, verify=True)
    for item, _ in found:
        write_list([item], ListFormat.JSON, io.StringIO(newline=""))
        write_list([item], ListFormat.CHECKSUMS, io.StringIO(newline=""))
        for kind, value in item.hashes().items():
            found.lookup(kind, value)
            if kind is HashKind.PDQ:
                found.search([value])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


NAMES = ("source", "hashes", "name", "quality", "size", "opinion", "status", "cases", "feedback", "modified", "more")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("small") / "index", 5)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_contents_page_is_read_or_refused(small: Path, data: st.DataObject) -> None:
    before = (small / MANIFEST).read_bytes()
    manifest = manifest_of(small)
    name = data.draw(st.sampled_from(["sources", "segments", "signatures"]))
    records = manifest.get(name) or [{}]
    field = data.draw(st.sampled_from([*records[0], "more"]))
    where = data.draw(st.sampled_from(["all", "one", "field"]))
    value = data.draw(VALUES)
    record = value if where == "one" else records[0] | {field: value}
    manifest[name] = value if where == "all" else [*records[1:], record]
    try:
        signed(small, manifest)
        used(small)
    except HashListError:
        pass
    finally:
        (small / MANIFEST).write_bytes(before)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_details_are_read_or_refused(small: Path, data: st.DataObject) -> None:
    before = (small / MANIFEST).read_bytes()
    named = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4).map(lambda value: {"source": 0} | value)
    value = data.draw(st.binary(max_size=60) | VALUES | named)
    text = value if isinstance(value, bytes) else json.dumps(value).encode()

    def change(held: Arrays) -> None:
        held["details"] = np.frombuffer(text * len(held["ends"]), np.uint8)
        held["ends"] = np.arange(1, len(held["ends"]) + 1, dtype=np.uint64) * len(text)

    try:
        replaced(small, change)
        used(small)
    except HashListError:
        pass
    finally:
        (small / MANIFEST).write_bytes(before)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
@pytest.mark.parametrize("what", ["segment", "contents page"])
def test_a_pipe_under_the_name_of_a_part_is_not_waited_for(tmp_path: Path, what: str) -> None:
    index = made(tmp_path / "index")
    name = MANIFEST if what == "contents page" else manifest_of(index)["segments"][0]["file"]
    (index / name).unlink()
    os.mkfifo(index / name)
    for verify in (False, True):
        with pytest.raises(HashListError):
            HashIndex.open(index, verify=verify)

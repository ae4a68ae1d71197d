"""The lists of the trade: Project VIC, NSRL, EnCase, Autopsy, NCMEC, HashKeeper, and what Windows prints."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.index.index import HashIndex
from nsfwforensics.hashing.index.known import enrol_known, index_lists
from nsfwforensics.hashing.lists import vics
from nsfwforensics.hashing.lists.formats import ListFormat
from nsfwforensics.hashing.lists.items import KnownItem, Opinion
from nsfwforensics.hashing.lists.lists import HashList
from nsfwforensics.hashing.lists.rows import BadLineError, ListLimitError
from nsfwforensics.hashing.lists.write import write_list
from tests.hashing.lists_of_the_trade import MD5, READ, SHA1, SHA256, encase, item, media, rds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list"


def read(path: Path, content: str | bytes, **options: Any) -> tuple[list[KnownItem], HashList]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    listed = HashList(path, **options)
    return list(listed), listed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", READ)
def test_a_list_of_the_trade_is_told_and_read(name: str, encoding: str, path: Path) -> None:
    text, form, expected = READ[name]
    if form is ListFormat.NCMEC and encoding == "utf-16":
        text = text.replace('<?xml version="1.0"?>', "")
    found, listed = read(path, text.encode(encoding))
    assert (listed.form, found, listed.reading.bad) == (form, expected, 0)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"odata.metadata": "http://x/ProjectVic/DataModels/1.3.xml/US#Media", "value": [media(), media()]}),
        json.dumps(
            {"value": [{"CaseID": "x", "Media": [media()], "Other": {"MD5": "x"}}, {"Media": [media()]}]}, indent=1
        ),
        json.dumps([media(), media()]),
        json.dumps({"value": [{"CaseID": "x", "Media": [media()] * 1, "Notes": "n" * 1_200_000}, media()]}),
    ],
    ids=["1.3", "2.0, cases", "bare", "a case larger than what is looked at"],
)
def test_vics_is_read_in_every_envelope(text: str, path: Path) -> None:
    found, listed = read(path, text)
    assert listed.form is ListFormat.VICS
    assert found == 2 * [item(md5=MD5, sha1=SHA1, name="a.jpg", size=12, category=1)]
    assert (listed.reading.photodna, listed.reading.bad) == (2, 0)


def test_a_medium_s_copies_and_category_are_kept(path: Path) -> None:
    other = {"FileName": "b.jpg", "MD5": "ff" * 16}
    text = json.dumps({"value": [media(MediaFiles=[{"FileName": "a.jpg", "MD5": MD5}, other], Category=0)]})
    found, _ = read(path, text)
    assert [(one.md5, one.name, one.category, one.opinion) for one in found] == [
        (bytes.fromhex(MD5), "a.jpg", 0, Opinion.INVESTIGATION_SEED),
        (b"\xff" * 16, "b.jpg", 0, Opinion.INVESTIGATION_SEED),
    ]
    alone = {"MediaID": 1, "MediaFiles": [{"MD5": MD5}]}
    assert read(path, json.dumps({"value": [alone]}))[0] == [item(md5=MD5)]


def test_a_photodna_set_is_refused_by_name(path: Path) -> None:
    only = media()
    del only["MD5"], only["SHA1"], only["MediaFiles"]
    path.write_text(json.dumps({"value": [only] * 3}))
    with pytest.raises(HashListError, match="a PhotoDNA set of 3; PhotoDNA cannot be computed here"):
        enrol_known([path])


def test_an_index_goes_through_vics_unchanged(tmp_path: Path) -> None:
    first = item(md5=MD5, sha256=SHA256, name="a\u202e.jpg", size=3, category=2)
    second = item(
        pdq=SHA256, sha1=SHA1, quality=70, opinion=Opinion.DISPUTED, status="Active", cases=(("C", "Active"),)
    )
    text = io.StringIO()
    write_list([first, second], ListFormat.VICS, text)
    (tmp_path / "a.json").write_text(text.getvalue())
    index = index_lists([HashList(tmp_path / "a.json")], tmp_path / "index")
    again = io.StringIO()
    write_list((one for one, _ in HashIndex.open(index.path)), ListFormat.VICS, again)
    (tmp_path / "b.json").write_text(again.getvalue())
    assert sorted(HashList(tmp_path / "b.json"), key=str) == sorted([first, second], key=str)


def test_broken_media_cost_themselves_and_endless_ones_end(path: Path) -> None:
    good = json.dumps(media())
    found, listed = read(path, '{"value":[\n' + good + ',\n{"MD5": oops},\n' + good + ",\n{},\n3]}")
    assert (len(found), listed.reading.bad) == (2, 2)
    for hostile in (
        '{"Media":[' * 200_000,
        '{"a":' * 300_000,
        '{"a":\n' * 300_000,
        "[" * 500_000,
        '"' + "x" * 3_000_000,
    ):
        started = time.process_time()
        with pytest.raises(ListLimitError):
            list(vics.media(io.StringIO('{"value":[' + hostile)))
            raise ListLimitError
        assert time.process_time() - started < 20


def test_rds_3_and_autopsy_are_read(path: Path, tmp_path: Path) -> None:
    rds(path, "CREATE TABLE FILE (sha256 VARCHAR, sha1 VARCHAR, md5 VARCHAR, file_name VARCHAR, file_size INTEGER)",
        f"INSERT INTO FILE VALUES ('{SHA256}', '{SHA1}', '{MD5}', 'a.jpg', 5), (NULL, NULL, NULL, 'b', 1)",
        "CREATE VIEW DISTINCT_HASH AS SELECT DISTINCT sha1 FROM FILE")  # fmt: skip
    listed = HashList(path)
    assert list(listed) == [item(sha256=SHA256, sha1=SHA1, md5=MD5, name="a.jpg", size=5)]
    assert (listed.form, listed.reading.bad) == (ListFormat.NSRL_SQLITE, 1)
    autopsy = rds(tmp_path / "x.kdb", "CREATE TABLE db_properties (name TEXT NOT NULL, value TEXT)",
                  "CREATE TABLE hashes (id INTEGER PRIMARY KEY AUTOINCREMENT, md5 BINARY(16) UNIQUE, sha1 BINARY(20), "
                  "sha2_256 BINARY(32))", f"INSERT INTO hashes (md5) VALUES (x'{MD5}')")  # fmt: skip
    listed = HashList(autopsy)
    assert (list(listed), listed.form) == ([item(md5=MD5)], ListFormat.AUTOPSY)


def test_what_a_database_would_run_is_left_alone(path: Path, tmp_path: Path) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT hex(x) AS md5 FROM c"
    rds(path, f"CREATE VIEW FILE AS {endless}")
    with pytest.raises(HashListError, match="without a table of hashes"):
        HashList(path)
    computed = rds(tmp_path / "y", "CREATE TABLE FILE (a INTEGER, md5 TEXT GENERATED ALWAYS AS (hex(zeroblob(16))))",
                   "INSERT INTO FILE (a) VALUES (1)")  # fmt: skip
    with pytest.raises(HashListError, match="without a table of hashes"):
        HashList(computed)
    assert not list(tmp_path.glob("*-wal")) and not list(tmp_path.glob("*-journal"))


def test_pages_that_lead_in_circles_end(path: Path) -> None:
    rds(path, "PRAGMA page_size = 512", "CREATE TABLE FILE (md5 TEXT)",
        "INSERT INTO FILE WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 400) "
        f"SELECT '{MD5}' FROM c")  # fmt: skip
    data = bytearray(path.read_bytes())
    root = 512  # page 2, the table's interior page: every cell points to its first child
    cells = int.from_bytes(data[root + 3 : root + 5], "big")
    assert data[root] == 5 and cells > 1
    places = [int.from_bytes(data[root + 12 + 2 * n : root + 14 + 2 * n], "big") for n in range(cells)]
    for place in places:
        data[root + place : root + place + 4] = (2).to_bytes(4, "big")
    path.write_bytes(data)
    started = time.process_time()
    with pytest.raises(HashListError, match="damaged"):
        list(HashList(path))
    assert time.process_time() - started < 10


def test_encase_sets_are_read(path: Path) -> None:
    found, listed = read(path, encase() + b"12")
    assert found == [item(md5=MD5), item(md5="ff" * 16)]
    assert (listed.form, listed.reading.bad) == (ListFormat.ENCASE, 1)


@pytest.mark.parametrize(
    "hostile",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><fingerprints>&b;</fingerprints>',
        b"<fingerprints>" * 100_000,
        b"<fingerprints><md5>" + b"0" * 3_000_000,
        b'<fingerprints a="' + b"0" * 3_000_000,
        b"<fingerprints></md5>",
    ],
    ids=["entities", "deep", "long text", "long attribute", "not well-formed"],
)
def test_hostile_xml_ends(hostile: bytes, path: Path) -> None:
    with pytest.raises(HashListError, match="its XML"):
        read(path, hostile)


@settings(max_examples=150, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from((MD5, "x", SHA256)), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((
        "value", "Media", "MD5", "SHA1", "MediaFiles", "AlternativeHashes", "HashName", "HashValue", "Category",
        "MediaSize", "FileName", "PhotoDNA", "nsfwforensics", "cases", "feedback", "opinion")), inner, max_size=5)),
    max_leaves=15), st.integers(0, 200), st.sampled_from(("", "{", "]", '"', ",")))  # fmt: skip
def test_no_shape_of_media_makes_the_reader_fail(value: Any, cut: int, put: str) -> None:
    text = json.dumps(value)
    for _, record in vics.media(io.StringIO(text[:cut] + put + text[cut:])):
        for one in () if isinstance(record, BadLineError) else vics.from_medium(record):
            assert isinstance(one, BadLineError) or one.hashes()

"""The index finds what brute force finds, to the last bit of distance, and refuses what it did not write."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.index import hamming, indexing
from nsfwforensics.hashing.index import index as index_module
from nsfwforensics.hashing.index.hamming import LARGEST_DISTANCE, TABLES_FROM, build_tables, search
from nsfwforensics.hashing.index.index import MANIFEST, HashIndex, is_index
from nsfwforensics.hashing.index.indexing import IndexWriter
from nsfwforensics.hashing.lists.items import HashKind, KnownItem, Opinion

Words = NDArray[np.uint64]
DIGEST = "0" * 64


_BITS = np.array([bin(value).count("1") for value in range(1 << 16)], np.uint8)


def random_hashes(number: int, seed: int = 0) -> Words:
    return np.random.default_rng(seed).integers(0, 1 << 64, (number, 4), np.uint64)


def flipped(value: bytes, bits: int, seed: int) -> bytes:
    """Another hash exactly so many bits away."""
    whole = int.from_bytes(value, "big")
    for bit in np.random.default_rng(seed).choice(256, bits, replace=False).tolist():
        whole ^= 1 << bit
    return whole.to_bytes(32, "big")


def words(values: list[bytes]) -> Words:
    return np.frombuffer(b"".join(values), np.uint64).reshape(-1, 4).copy()


def by_brute_force(hashes: Words, queries: Words, distance: int) -> list[tuple[int, int, int]]:
    found = []
    for query, one in enumerate(queries):
        bits = _BITS[(hashes ^ one).view(np.uint16)].sum(axis=1, dtype=int)
        found += sorted((query, int(bits[row]), int(row)) for row in np.flatnonzero(bits <= distance))
    return found


def triples(hits: hamming.Hits) -> list[tuple[int, int, int]]:
    return list(zip(hits.queries.tolist(), hits.distances.tolist(), hits.rows.tolist(), strict=True))


def index_of(path: Path, items: list[KnownItem], batch: int = indexing.BATCH) -> HashIndex:
    writer = IndexWriter(path, batch=batch)
    writer.add(items, "list.txt", DIGEST, "plain")
    return writer.commit()


def test_exact_among_100_000_hashes_with_neighbours_planted_at_every_distance() -> None:
    hashes = random_hashes(100_000)
    queries = random_hashes(41 * 4, seed=1)
    # Half of the flipped bits are spread as evenly over the pieces as can be, the case that is hardest to find.
    for number, query in enumerate(queries):
        distance, way = divmod(number, 4)
        whole = int.from_bytes(query.tobytes(), "big")
        order = np.random.default_rng(number).permutation(256).tolist()
        if way >= 2:
            order = [16 * piece + bit for bit in np.random.default_rng(number).permutation(16) for piece in range(16)]
        for bit in order[:distance]:
            whole ^= 1 << int(bit)
        hashes[number * 601] = np.frombuffer(whole.to_bytes(32, "big"), np.uint64)
    tables = build_tables(hashes)
    near = by_brute_force(hashes, queries, 32)
    for distance in (31, 30, 24, 16, 15, 7, 0):
        expected = [hit for hit in near if hit[1] <= distance]
        assert triples(search(hashes, tables, queries, distance)) == expected
        assert [query // 4 for query, _, _ in expected] == [bits for _, bits, _ in expected]
        assert {bits for _, bits, _ in expected} == set(range(distance + 1))


def test_31_is_found_and_32_is_not() -> None:
    hashes = random_hashes(TABLES_FROM)
    tables = build_tables(hashes)
    even = b"\x03\x00" * 16  # two bits in every piece, 32 in all
    beyond = hashes[:1] ^ np.frombuffer(even, np.uint64)
    within = hashes[:1] ^ np.frombuffer(even[:-2] + b"\x01\x00", np.uint64)
    assert triples(search(hashes, tables, beyond, 31)) == []
    assert triples(search(hashes, tables, within, 31)) == [(0, 31, 0)]
    assert triples(search(hashes, None, beyond, 31)) == []
    with pytest.raises(ValueError, match="not within"):
        search(hashes, tables, beyond, 32)


@pytest.mark.parametrize("kind", ["same piece", "few values", "cluster", "all alike", "complement"])
def test_exact_where_buckets_are_full(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    hashes = random_hashes(20_000)
    if kind == "same piece":
        hashes[:, :2] = 0
    elif kind == "few values":
        hashes = random.integers(0, 2, (20_000, 4), np.uint64)
    elif kind == "cluster":
        noise = random.integers(0, 256, (20_000, 32)) < 8
        hashes = hashes[:1] ^ np.packbits(noise.repeat(8, axis=1), axis=1).view(np.uint64)
    elif kind == "all alike":
        hashes[:] = hashes[0]
    queries = np.concatenate([hashes[:3] ^ np.uint64(5), ~hashes[:1], random_hashes(4, seed=9)])
    measured = []
    whole = hamming._measure_all
    monkeypatch.setattr(hamming, "_measure_all", lambda *given: measured.append(given[2]) or whole(*given))
    found = triples(search(hashes, build_tables(hashes), queries, 31))
    assert found == by_brute_force(hashes, queries, 31)
    assert bool(measured) == (kind in ("same piece", "few values", "cluster", "all alike"))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_few_hashes_are_searched_like_brute_force(data: st.DataObject) -> None:
    values = data.draw(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=8))
    bits = data.draw(st.integers(0, 40))
    queries = words([flipped(values[0], bits, data.draw(st.integers(0, 99)))])
    hashes = words(values * 3)
    for tables in (None, build_tables(hashes)):
        assert triples(search(hashes, tables, queries, 31)) == by_brute_force(hashes, queries, 31)


def test_an_index_finds_entries_by_every_hash(tmp_path: Path) -> None:
    digests = {kind.value: bytes([number]) * kind.size for number, kind in enumerate(HashKind, 1)}
    items = [
        KnownItem(**digests, quality=88, name="a,\u202eb.jpg", size=7, opinion=Opinion.DISPUTED),
        KnownItem(md5=b"\x09" * 16, status="Active", cases=(("C-1", "Active"),), modified=3),
        KnownItem(sha256=b"\x08" * 32, feedback=(("A platform", "Blocked", ("x", "y")),)),
    ]
    index = index_of(tmp_path / "index", items)
    assert is_index(index.path) and not is_index(tmp_path)
    assert [item for item, _ in index] == items
    for kind, value in items[0].hashes().items():
        match = index.lookup(kind, value)
        assert match is not None and [item for item, _ in match.items] == items[:1]
        assert index.lookup(kind, value[:-1] + b"\0") is None
    match = index.search([flipped(digests["pdq"], 31, 1), flipped(digests["pdq"], 20, 2)]).nearest[0]
    assert (match.distance, match.query, match.value) == (20, 1, digests["pdq"])
    assert match.items == ((items[0], index.sources[0]),)
    assert index.search([flipped(digests["pdq"], 32, 1)]).total == 0
    assert index.sources[0].items == 3


def test_the_same_hash_is_found_once_with_all_its_entries(tmp_path: Path) -> None:
    value = bytes(range(32))
    writer = IndexWriter(tmp_path / "index", batch=3)
    writer.add([KnownItem(pdq=value), KnownItem(pdq=value), KnownItem(pdq=value, name="x")], "one", DIGEST, "plain")
    writer.add(
        [KnownItem(pdq=value, name="x")] + [KnownItem(pdq=bytes([n]) * 32) for n in range(9)], "two", "1" * 64, "j"
    )
    index = writer.commit()
    matches = index.search([value, value])
    assert matches.total == 1
    (match,) = matches.nearest
    assert [(item.name, source.name) for item, source in match.items] == [("", "one"), ("x", "one"), ("x", "two")]


def test_the_nearest_come_first_and_all_are_counted(tmp_path: Path) -> None:
    base = random_hashes(1).tobytes()
    items = [KnownItem(pdq=flipped(base, bits, bits)) for bits in range(40)]
    matches = index_of(tmp_path / "index", items, batch=7).search([base], limit=5)
    assert [match.distance for match in matches.nearest] == [0, 1, 2, 3, 4]
    assert matches.total == 32
    assert len(HashIndex.open(tmp_path / "index").search([base], 10).nearest) == 11


def test_crowds_of_matches_are_counted_without_being_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = random_hashes(1).tobytes()
    items = [KnownItem(pdq=base[:-2] + number.to_bytes(2, "big")) for number in range(9_000)]
    index = index_of(tmp_path / "index", items)
    whole = index.search([base, base], limit=7)
    monkeypatch.setattr(index_module, "_FOLLOWED", 50)
    cut = index.search([base, base], limit=7)
    assert whole == cut and whole.total == 9_000
    assert [match.distance for match in cut.nearest] == sorted(match.distance for match in cut.nearest)


def test_adding_in_steps_finds_the_same_and_keeps_few_segments(tmp_path: Path) -> None:
    values = [row.tobytes() for row in random_hashes(3_000)]
    for number in range(30):
        writer = IndexWriter(tmp_path / "steps", batch=60)
        writer.add([KnownItem(pdq=value) for value in values[number * 100 :][:100]], f"{number}.txt", DIGEST, "plain")
        writer.commit()
    steps = HashIndex.open(tmp_path / "steps", verify=True)
    assert len(steps.segments) <= 12
    assert sorted(p.name for p in steps.path.glob("*.segment")) == sorted(s.path.name for s in steps.segments)
    assert len(steps.sources) == 30
    assert {item.pdq for item, _ in steps} == set(values)
    whole = index_of(tmp_path / "whole", [KnownItem(pdq=value) for value in values])
    queries = [flipped(value, 25, 5) for value in values[::100]]
    assert [m.value for m in steps.search(queries).nearest] == [m.value for m in whole.search(queries).nearest]


def test_the_same_lists_give_the_same_bytes(tmp_path: Path) -> None:
    items = [KnownItem(pdq=row.tobytes(), name=str(row[0])) for row in random_hashes(9_000)]
    first, second = (index_of(tmp_path / name, items, batch=5_000) for name in ("first", "second"))
    assert first.digest == second.digest
    files = [{p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in i.path.iterdir()} for i in (first, second)]
    assert files[0] == files[1] and MANIFEST in files[0]


def test_withdrawn_hashes_go_only_from_the_exchange_they_came_from(tmp_path: Path) -> None:
    first, second = b"\1" * 32, b"\2" * 32
    writer = IndexWriter(tmp_path / "index")
    writer.add([KnownItem(pdq=first, status="Active"), KnownItem(pdq=second)], "feed.json", DIGEST, "stopncii")
    writer.add([KnownItem(pdq=first, name="own")], "own.txt", DIGEST, "plain")
    writer.commit()
    writer = IndexWriter(tmp_path / "index")
    assert writer.withdraw([(HashKind.PDQ, first), (HashKind.MD5, b"\3" * 16)]) == 1
    index = writer.commit()
    match = index.lookup(HashKind.PDQ, first)
    assert match is not None and [item.name for item, _ in match.items] == ["own"]
    assert index.lookup(HashKind.PDQ, second) is not None


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "index"
    index_of(path, [KnownItem(pdq=row.tobytes()) for row in random_hashes(9_000)])
    return path


def damage(path: Path, how: str) -> None:
    (segment,) = path.glob("*.segment")
    data = bytearray(segment.read_bytes())
    manifest = path / MANIFEST
    if how == "cut":
        segment.write_bytes(data[:-64])
    elif how == "longer":
        segment.write_bytes(data + bytes(64))
    elif how == "empty":
        segment.write_bytes(b"")
    elif how == "foreign":
        segment.write_bytes(b"SQLite format 3\0" + bytes(1_000))
    elif how == "header":
        data[80] ^= 1
        segment.write_bytes(data)
    elif how == "content":
        data[-1000] ^= 1
        segment.write_bytes(data)
    elif how == "gone":
        segment.unlink()
    elif how == "manifest":
        manifest.write_text(manifest.read_text().replace("9000", "9001"))
    elif how == "manifest cut":
        manifest.write_text(manifest.read_text()[:100])
    elif how == "manifest foreign":
        manifest.write_text("[]")
    elif how == "version":
        manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 2'))
    elif how == "elsewhere":
        content = json.loads(manifest.read_text())
        content["segments"][0]["file"] = "../../secret"
        from nsfwforensics.hashing.index.index import manifest_digest

        del content["digest"]
        manifest.write_text(json.dumps(content | {"digest": manifest_digest(content)}))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("cut", "shorter than its header says"),
        ("longer", "longer or shorter"),
        ("empty", "cannot be read"),
        ("foreign", "not a part of an index"),
        ("header", "header does not match"),
        ("content", "does not match its checksum"),
        ("gone", "cannot be read"),
        ("manifest", "does not match its checksum"),
        ("manifest cut", "damaged"),
        ("manifest foreign", "not the contents page"),
        ("version", "version 2"),
        ("elsewhere", "no segments"),
    ],
)
def test_a_damaged_index_is_refused_in_plain_words(good: Path, tmp_path: Path, how: str, words: str) -> None:
    path = tmp_path / "index"
    shutil.copytree(good, path)
    HashIndex.open(path, verify=True)
    damage(path, how)
    if how == "content":
        with pytest.raises(HashListError, match=words):
            HashIndex.open(path, verify=True)
        return
    with pytest.raises(HashListError, match=words):
        HashIndex.open(path)
    with pytest.raises(HashListError):
        HashIndex.open(path, verify=True)


def test_what_is_no_index_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(HashListError, match="not empty"):
        IndexWriter(tmp_path)
    with pytest.raises(HashListError, match="no index"):
        HashIndex.open(tmp_path)
    with pytest.raises(HashListError, match="cannot be written"):
        IndexWriter(tmp_path / "precious.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]


def test_distance_beyond_the_proof_is_refused(good: Path) -> None:
    with pytest.raises(ValueError, match="not within"):
        HashIndex.open(good).search([bytes(32)], LARGEST_DISTANCE + 1)

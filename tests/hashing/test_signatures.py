"""Files of signatures beside the hashes of an index."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.index import indexing
from nsfwforensics.hashing.index.index import HashIndex
from nsfwforensics.hashing.index.indexing import IndexWriter
from nsfwforensics.hashing.index.signatures import LARGEST_SIGNATURE, SignatureFile, write_signatures
from nsfwforensics.hashing.lists.items import KnownItem


def digest(number: int) -> bytes:
    return hashlib.sha256(bytes([number])).digest()


def add(path: Path, *numbers: int, method: str = "m-1", signature: bytes = b"s") -> HashIndex:
    writer = IndexWriter(path)
    writer.add([KnownItem(sha256=digest(number), name=str(number)) for number in numbers], "list", "", "pictures")
    for number in numbers:
        writer.add_signature(digest(number), method, signature * (number + 1))
    return writer.commit()


@given(st.dictionaries(st.binary(min_size=32, max_size=32), st.binary(max_size=300), max_size=20))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, signatures: dict[bytes, bytes]) -> None:
    path = tmp_path_factory.mktemp("s") / "a.signatures"
    written = write_signatures(signatures, path)
    assert written == hashlib.sha256(path.read_bytes()).hexdigest()
    assert list(SignatureFile.open(path, "m")) == sorted(signatures.items())


@given(st.binary(max_size=400), st.integers(0, 600))
def test_anything_else_is_refused_or_read_within_bounds(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int
) -> None:
    path = tmp_path_factory.mktemp("s") / "a.signatures"
    write_signatures({digest(n): b"abc" * n for n in range(5)}, path)
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    try:
        read = list(SignatureFile.open(path, "m"))
    except HashListError as error:
        assert str(path) in str(error)
    else:
        assert all(len(sha) == 32 and len(signature) <= LARGEST_SIGNATURE for sha, signature in read)


def test_too_long_a_signature_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HashListError, match="more than"):
        write_signatures({digest(1): bytes(LARGEST_SIGNATURE + 1)}, tmp_path / "a.signatures")


def test_an_index_grows_by_signatures_and_keeps_each_once(tmp_path: Path) -> None:
    for numbers in ((1, 2), (3,), (2, 4), (5,)):
        index = add(tmp_path / "index", *numbers)
    found = list(index.signatures("m-1"))
    assert sorted(found) == sorted((digest(n), b"s" * (n + 1)) for n in (1, 2, 3, 4, 5))
    assert len(index.signature_files) < 4
    assert list(index.signatures("m-2")) == []
    reopened = HashIndex.open(tmp_path / "index", verify=True)
    assert list(reopened.signatures("m-1")) == found
    assert {path.name for path in (tmp_path / "index").glob("*.signatures")} == {
        file.path.name for file in reopened.signature_files
    }


def test_methods_are_kept_apart(tmp_path: Path) -> None:
    add(tmp_path / "index", 1, 2)
    index = add(tmp_path / "index", 2, 3, method="m-2", signature=b"t")
    assert [sha for sha, _ in index.signatures("m-1")] == sorted(map(digest, (1, 2)))
    assert [sha for sha, _ in index.signatures("m-2")] == sorted(map(digest, (2, 3)))


def test_large_files_are_not_merged_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "SIGNATURE_BATCH", 100)
    for number in range(40):
        index = add(tmp_path / "index", number, signature=b"0123456789")
    assert 4 < len(index.signature_files) < 40
    assert len(list(index.signatures("m-1"))) == 40


def test_a_signature_without_an_entry_is_passed_over(tmp_path: Path) -> None:
    writer = IndexWriter(tmp_path / "index")
    writer.add([KnownItem(sha256=digest(1))], "list", "", "pictures")
    for number in (1, 2):
        writer.add_signature(digest(number), "m-1", b"s")
    assert [sha for sha, _ in writer.commit().signatures("m-1")] == [digest(1)]
    assert HashIndex.open(tmp_path / "index", verify=True).digest != add(tmp_path / "other", 1).digest


def test_the_same_pictures_give_the_same_index(tmp_path: Path) -> None:
    assert add(tmp_path / "a", 1, 2, 3).digest == add(tmp_path / "b", 1, 2, 3).digest

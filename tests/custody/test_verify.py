"""One flipped byte anywhere is reported with the file's name; so is what was taken away or added."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.core.discover import discover
from nsfwforensics.custody import keys, listing, signing
from nsfwforensics.custody.bag import Order, pack
from nsfwforensics.custody.describe import CaseCopy
from nsfwforensics.custody.verify import Verification, verify
from nsfwforensics.errors import CustodyError
from nsfwforensics.store.chain import GENESIS, LogEntry, digest
from tests.custody.authority import Authority
from tests.custody.conftest import picture, report_source


def log_lines(number: int = 4) -> list[str]:
    lines: list[str] = []
    for sequence in range(1, number + 1):
        previous = digest(lines[-1]) if lines else GENESIS
        entry = LogEntry(sequence, "2026-11-22T05:00:00.000+00:00", "tried", "x", "Ann", "t", "c", previous=previous)
        lines.append(entry.line)
    return lines


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, key: Any, authority: Authority) -> Path:
    """A bag with one of every kind of file: signed, stamped, with a report, its artifacts and a custody log."""
    place = tmp_path_factory.mktemp("whole")
    evidence = place / "evidence"
    evidence.mkdir()
    (evidence / "a.jpg").write_bytes(picture(1))
    (evidence / "b.png").write_bytes(picture(2, "PNG"))
    source = report_source(evidence, place / "report")
    case = CaseCopy("One", "uuid", place / "one.case", log_lines())
    pack(Order(discover([evidence]), place / "bag", "nsfwforensics evidence pack", source=source, case=case, key=key))
    shelf = place / "bag" / signing.folder_of(keys.fingerprint(key.public_key()))
    signing.attach(place / "bag", key, authority.token((shelf / "statement.sig").read_bytes()))
    return place / "bag"


@pytest.fixture(scope="module")
def unsigned(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    bag = Path(shutil.copytree(whole, tmp_path_factory.mktemp("unsigned") / "bag"))
    shutil.rmtree(bag / "signatures")
    return bag


def files(bag: Path) -> list[str]:
    return sorted(path.relative_to(bag).as_posix() for path in bag.rglob("*") if path.is_file())


def named(found: Verification, kind: str) -> set[str]:
    return {problem.path for problem in found.problems if problem.kind == kind}


def flips(path: Path, step: int) -> Iterator[tuple[int, int]]:
    """Flips bytes one at a time, in place, and puts each back."""
    data = path.read_bytes()
    places = sorted({0, len(data) // 2, len(data) - 1, *range(0, len(data), step)})
    try:
        for place in places:
            for bit in (0x01, 0x20):
                path.write_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
                yield place, bit
    finally:
        path.write_bytes(data)


def test_the_whole_bag_is_accepted(whole: Path, key: Any, authority: Authority) -> None:
    found = verify(whole, trusted=key.public_key(), root=authority.pem)
    assert found.problems == []
    assert found.accepted
    assert found.log_entries == 4
    (signature,) = found.signatures
    assert (signature.valid, signature.trusted, signature.stamp_checked) == (True, True, True)
    assert signature.stamped_at == "2026-11-22T05:06:07.000+00:00"
    assert signature.stamped_by == "CN=Clock House"
    assert found.files == len(files(whole)) - len(signing.NAMES) - 2
    assert found.seal == hashlib.sha256((whole / "tagmanifest-sha256.txt").read_bytes()).hexdigest()


def test_every_kind_of_file_is_in_the_bag_that_is_tampered_with(whole: Path) -> None:
    there = {name.rpartition("/")[2] for name in files(whole)}
    assert {
        "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "manifest-sha512.txt", "tagmanifest-sha256.txt",
        "tagmanifest-sha512.txt", "statement.json", "statement.sig", "public.pem", "timestamp.tsr", "timestamp.json",
        "timestamp.sig", "info.json", "command.log", "custody.jsonl", "case.jsonld", "files.json", "files.csv",
        "hashdeep.txt", "about.txt", "report.json", "report.html", "summary.csv",
    } <= there  # fmt: skip
    assert {".jpg", ".png"} <= {Path(name).suffix for name in files(whole) if "/evidence/" in name}
    assert any("/artifacts/" in name for name in files(whole))


@pytest.mark.parametrize("kind", ["signed", "unsigned"])
def test_one_flipped_byte_in_any_file_is_reported_with_its_name(kind: str, whole: Path, unsigned: Path) -> None:
    bag = whole if kind == "signed" else unsigned
    for name in files(bag):
        for place, bit in flips(bag / name, 1 << 30):
            found = verify(bag)
            assert not found.accepted, (name, place, bit)
            assert name in named(found, "altered"), (name, place, bit, found.problems)
    assert verify(bag).accepted


def test_no_byte_of_a_signature_or_a_small_tag_file_is_left_out(whole: Path) -> None:
    for name in files(whole):
        if name.startswith("signatures/") or name in ("bagit.txt", "bag-info.txt"):
            for place, bit in flips(whole / name, 31):
                assert name in named(verify(whole), "altered"), (name, place, bit)


def test_no_byte_of_a_manifest_is_left_out_without_a_signature(unsigned: Path) -> None:
    for name in (*listing.MANIFESTS, *listing.TAG_MANIFESTS):
        for place, bit in flips(unsigned / name, 83):
            assert name in named(verify(unsigned), "altered"), (name, place, bit)


def test_a_flipped_byte_blames_that_file_alone(unsigned: Path) -> None:
    for name in files(unsigned):
        for _ in flips(unsigned / name, 1 << 30):
            altered = named(verify(unsigned), "altered")
            assert altered - {name} <= set(), (name, altered)


def test_a_missing_file_is_named(whole: Path, copied: Callable[[Path], Path]) -> None:
    for name in files(whole):
        bag = copied(whole)
        (bag / name).unlink()
        found = verify(bag)
        assert not found.accepted
        assert name in named(found, "missing"), (name, found.problems)


def test_an_added_file_is_named(whole: Path, copied: Callable[[Path], Path]) -> None:
    for name in ("data/evidence/extra.jpg", "data/new/x", "extra.txt", "signatures/x", "signatures/ab/cd/e", "x/y"):
        bag = copied(whole)
        (bag / name).parent.mkdir(parents=True, exist_ok=True)
        (bag / name).write_text("more")
        found = verify(bag)
        assert not found.accepted
        assert name in named(found, "added"), (name, found.problems)


@pytest.mark.parametrize("name", ["data/evidence/none", "none", "signatures/0123456789abcdef", "data/a/b"])
def test_an_added_folder_is_named_though_nothing_is_in_it(
    name: str, whole: Path, copied: Callable[[Path], Path]
) -> None:
    bag = copied(whole)
    (bag / name).mkdir(parents=True)
    found = verify(bag)
    assert not found.accepted
    assert named(found, "added") == {name}


def test_a_log_with_a_cut_or_edited_entry_is_named_even_under_new_manifests(tmp_path: Path, key: Any) -> None:
    for number, (lines, expected) in enumerate(
        (
            ([*log_lines()[:1], *log_lines()[2:]], "entry 2 is missing"),
            ([log_lines()[0], log_lines()[2], log_lines()[1]], "entry 3 stands in line 2"),
            ([*log_lines()[:2], log_lines()[2].replace("Ann", "Eve"), log_lines()[3]], "entry 3 was altered"),
        )
    ):
        case = CaseCopy("One", "uuid", tmp_path / "one.case", lines)
        pack(Order([], tmp_path / f"bag{number}", "x", case=case))
        found = verify(tmp_path / f"bag{number}")
        assert named(found, "broken") == {"data/custody.jsonl"}
        assert named(found, "altered") == set()
        assert not found.accepted
        assert expected in " ".join(problem.reason for problem in found.problems)


def test_a_stranger_who_writes_everything_anew_cannot_sign_it(whole: Path, copied: Callable[[Path], Path], key: Any,
                                                              tmp_path: Path) -> None:  # fmt: skip
    bag = copied(whole)
    shutil.rmtree(bag / "signatures")
    assert verify(bag).accepted
    assert not verify(bag, trusted=key.public_key()).accepted
    keys.make(tmp_path / "other", None)
    signing.sign(bag, keys.load_private(tmp_path / "other", None), {})
    found = verify(bag)
    assert found.accepted
    assert [signature.trusted for signature in found.signatures] == [None]
    found = verify(bag, trusted=key.public_key())
    assert (found.intact, found.accepted) == (True, False)
    assert [signature.trusted for signature in found.signatures] == [False]


def test_two_signers_stand_side_by_side(whole: Path, copied: Callable[[Path], Path], key: Any, tmp_path: Path) -> None:
    bag = copied(whole)
    keys.make(tmp_path / "other", None)
    signing.sign(bag, keys.load_private(tmp_path / "other", None), {"name": "Bea"})
    found = verify(bag, trusted=key.public_key())
    assert found.accepted
    assert sorted(str(signature.trusted) for signature in found.signatures) == ["False", "True"]


def test_a_signature_moved_from_another_bag_does_not_hold(whole: Path, tmp_path: Path, key: Any) -> None:
    pack(Order([], tmp_path / "bag", "x"))
    shutil.copytree(whole / "signatures", tmp_path / "bag" / "signatures")
    found = verify(tmp_path / "bag", trusted=key.public_key())
    assert not found.accepted
    assert [signature.valid for signature in found.signatures] == [False]
    assert "tagmanifest-sha256.txt" in named(found, "altered")


def test_another_authority_is_not_believed(whole: Path, key: Any) -> None:
    found = verify(whole, trusted=key.public_key(), root=Authority.make().pem)
    assert (found.intact, found.accepted) == (True, False)
    assert found.signatures[0].stamp_checked is False


def test_links_pipes_and_giants_are_named_and_not_opened(
    whole: Path, copied: Callable[[Path], Path], tmp_path: Path
) -> None:
    bag = copied(whole)
    os.mkfifo(bag / "data" / "pipe")
    (bag / "data" / "up").symlink_to("/")
    name = next(name for name in files(bag) if "/evidence/" in name)
    (bag / name).unlink()
    (bag / name).symlink_to(tmp_path / "elsewhere")
    (bag / "bag-info.txt").unlink()
    os.mkfifo(bag / "bag-info.txt")
    with (bag / "tagmanifest-sha512.txt").open("wb") as stream:
        stream.truncate(1 << 40)
    found = verify(bag)
    assert not found.accepted
    assert {"data/pipe", "data/up", name, "bag-info.txt"} <= named(found, "added")
    assert "tagmanifest-sha512.txt" in named(found, "unreadable")
    with (bag / "note.txt").open("wb") as stream:
        stream.truncate(1 << 40)
    (bag / "tagmanifest-sha512.txt").unlink()
    with (bag / "tagmanifest-sha256.txt").open("a") as stream:
        stream.write(f"{'0' * 64} note.txt\n")
    assert "note.txt" in named(verify(bag), "altered")


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "/etc/passwd", "data/../../secret", "data//x", "data/./x", "C:\\x", "data\\..\\x", "c:/x", ""],
)
def test_a_manifest_cannot_point_outside(path: str, unsigned: Path, copied: Callable[[Path], Path]) -> None:
    bag = copied(unsigned)
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        with (bag / name).open("a") as stream:
            stream.write(f"{'0' * 64}  {path}\n")
    found = verify(bag)
    assert {"manifest-sha256.txt", "tagmanifest-sha256.txt"} <= named(found, "altered")
    assert not any("etc" in problem.path or "secret" in problem.path for problem in found.problems)


def test_what_is_no_bag_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"x")
    for place in (tmp_path, tmp_path / "x.jpg", tmp_path / "none"):
        with pytest.raises(CustodyError, match="no bag"):
            verify(place)


def test_a_bag_of_another_tool_may_be_written_in_another_way(unsigned: Path, copied: Callable[[Path], Path]) -> None:
    bag = copied(unsigned)
    (bag / "data" / "info.json").unlink()
    for name in listing.MANIFESTS:
        lines = (bag / name).read_text().splitlines()
        text = "".join(f"{line.split()[0].upper()}\t*{line.split()[1]}\n" for line in lines if "info.json" not in line)
        (bag / name).write_text(text)
        for tag in listing.TAG_MANIFESTS:
            listed = (bag / tag).read_text()
            old = next(line for line in listed.splitlines() if line.endswith(f" {name}"))
            sums = listing.digests(bag, name)[tag.removeprefix("tagmanifest-").removesuffix(".txt")]
            (bag / tag).write_text(listed.replace(old, f"{sums} {name}"))
    assert verify(bag).problems == []


@given(data=st.one_of(st.binary(max_size=400), st.lists(
    st.tuples(st.sampled_from(["0" * 64, "F" * 64, "0" * 63, "x"]), st.sampled_from([" ", "  ", "\t*", ""]),
              st.text(max_size=20)), max_size=5).map(
    lambda rows: "".join(a + b + c + "\n" for a, b, c in rows).encode("utf-8", "surrogateescape"))))  # fmt: skip
def test_any_manifest_is_read_without_a_crash(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.getbasetemp() / "manifests"
    place.mkdir(exist_ok=True)
    (place / "manifest-sha256.txt").write_bytes(data)
    found = listing.read_manifest(place, "manifest-sha256.txt")
    for path in found.entries:
        assert path.startswith("data/")
        assert not {"..", ".", ""} & set(path.split("/"))
    if found.canonical:
        assert "".join(f"{sha}  {path}\n" for path, sha in found.entries.items()).encode() == data

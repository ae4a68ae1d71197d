"""Lists of known hashes: every format reads what it writes, and no line can do harm."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.lists.formats import ListFormat, sniff_format
from nsfwforensics.hashing.lists.items import HashKind, KnownItem, Opinion, opinion_of
from nsfwforensics.hashing.lists.lists import SHOWN_BAD_LINES, HashList
from nsfwforensics.hashing.lists.records import LONGEST_RECORD
from nsfwforensics.hashing.lists.write import WRITTEN, one_line, write_list

PDQ = "3d" * 32
HALF = "00ff" * 16
"""Has 128 bits set, as PDQ hashes have."""
MD5, SHA1, SHA256 = "0a" * 16, "1b" * 20, "2c" * 32


def read(
    path: Path, text: str | bytes, form: ListFormat | None = None, **options: Any
) -> tuple[list[KnownItem], HashList]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    listed = HashList(path, form, **options)
    return list(listed), listed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list"


def item(**fields: Any) -> KnownItem:
    hashes = {kind.value for kind in HashKind}
    return KnownItem(**{name: bytes.fromhex(value) if name in hashes else value for name, value in fields.items()})


READ: dict[str, tuple[str, ListFormat, list[KnownItem]]] = {
    "threatexchange": (f"pdq {PDQ}\npdq\t{HALF.upper()}\nmd5,{MD5},\n", ListFormat.THREATEXCHANGE,
                       [item(pdq=PDQ), item(pdq=HALF), item(md5=MD5)]),
    "threatexchange csv": (f"signal_type,signal_str,opinion\r\npdq,{PDQ},POSITIVE\r\nvideo_md5,{MD5},\r\n",
                           ListFormat.PDQ_CSV, [item(pdq=PDQ, opinion=Opinion.POSITIVE), item(md5=MD5)]),
    "threatexchange json": (
        json.dumps({"data": [{"type": "HASH_PDQ", "indicator": PDQ, "status": "MALICIOUS", "id": "1"},
                             {"type": "HASH_SHA1", "indicator": SHA1}], "paging": {"next": "x"}}),
        ListFormat.THREATEXCHANGE_JSON, [item(pdq=PDQ, opinion=Opinion.POSITIVE), item(sha1=SHA1)]),
    "pdq csv": (f'hash,quality,filename\n{PDQ},88,"a, ""b"".jpg"\n{HALF},,\n', ListFormat.PDQ_CSV,
                [item(pdq=PDQ, quality=88, name='a, "b".jpg'), item(pdq=HALF)]),
    "pdq csv, bare": (f"{PDQ},100,x.jpg\n", ListFormat.PDQ_CSV, [item(pdq=PDQ, quality=100, name="x.jpg")]),
    "plain": (f"\ufeff# a list\n{MD5}\n{SHA1}\n\n{SHA256}\n", ListFormat.PLAIN,
              [item(md5=MD5), item(sha1=SHA1), item(sha256=SHA256)]),
    "plain pdq": (f"{HALF}\n{HALF}\n", ListFormat.PLAIN, [item(pdq=HALF), item(pdq=HALF)]),
    "md5sum": (f"{MD5}  a b.jpg\n{MD5} *c\n\\{MD5}  x\\ny\\\\z\n", ListFormat.CHECKSUMS,
               [item(md5=MD5, name="a b.jpg"), item(md5=MD5, name="c"), item(md5=MD5, name="x\ny\\z")]),
    "sha256sum --tag": (f"SHA256 (a (1).jpg) = {SHA256}\n", ListFormat.CHECKSUMS,
                        [item(sha256=SHA256, name="a (1).jpg")]),
    "hashdeep": (f"%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## $ hashdeep x\n## \n7,{MD5},{SHA256},/a,b.jpg\n",
                 ListFormat.HASHDEEP, [item(size=7, md5=MD5, sha256=SHA256, name="/a,b.jpg")]),
    "nsrl": (('"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\n'
             f'"{SHA1.upper()}","{MD5.upper()}","9B3702B0","wd.exe",34816,228,"WIN",""\n'), ListFormat.NSRL,
             [item(sha1=SHA1, md5=MD5, name="wd.exe", size=34816)]),
    "nsrl 3": (('"sha256","sha1","md5","crc32","file_name","file_size","package_id"\n'
               f'"{SHA256}","{SHA1}","{MD5}","9B3702B0","a",1,2\n'), ListFormat.NSRL,
               [item(sha256=SHA256, sha1=SHA1, md5=MD5, name="a", size=1)]),
    "own json": (json.dumps([{"path": "a\u202e.jpg", "size": 3, "md5": MD5, "pdq": PDQ, "pdq_quality": 90,
                              "phash": "ff"}], indent=1), ListFormat.JSON,
                 [item(pdq=PDQ, md5=MD5, quality=90, name="a\u202e.jpg", size=3)]),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_format_is_told_by_its_content_and_read(name: str, path: Path) -> None:
    text, form, expected = READ[name]
    found, listed = read(path, text)
    assert (listed.form, found) == (form, expected)
    assert (listed.reading.items, listed.reading.bad) == (len(expected), 0)
    again, _ = read(path, text.replace("\r\n", "\n").replace("\n", "\r\n"), form)
    assert again == expected or name in ("md5sum",)


def record(**more: Any) -> dict[str, Any]:
    return {"lastModtimestamp": 17, "signalType": "ImagePDQ", "hashValue": PDQ, "hashStatus": "Active",
            "caseNumbers": {"C-1": "Active"}, "CSPFeedbacks": [], **more}  # fmt: skip


def test_stopncii_records_keep_cases_and_opinions_and_withdrawn_ones_are_purged(path: Path) -> None:
    blocked = {"source": "P", "feedbackValue": "Blocked", "tags": ["a"]}
    other = {"source": "Q", "feedbackValue": "NotBlocked"}
    answer = {
        "count": 8,
        "hashRecords": [
            record(),
            record(signalType="VideoMD5", hashValue=MD5, CSPFeedbacks=[blocked]),
            record(CSPFeedbacks=[blocked, other], caseNumbers={"C-1": "Active", "C-2": "Withdrawn"}),
            record(opinion="NEGATIVE"),
            record(hashStatus="Withdrawn", hashValue=HALF),
            record(hashStatus="Deleted"),
            record(caseNumbers={"C-3": "Deleted"}),
            record(signalType="URL", hashValue="x"),
            record(hashStatus="Bogus"),
            record(hashValue="12"),
        ],
    }
    found, listed = read(path, json.dumps(answer))
    assert listed.form is ListFormat.STOPNCII
    assert [one.opinion for one in found] == [
        Opinion.INVESTIGATION_SEED,
        Opinion.POSITIVE,
        Opinion.DISPUTED,
        Opinion.NEGATIVE,
    ]
    assert found[0] == item(pdq=PDQ, opinion=Opinion.INVESTIGATION_SEED, status="Active",
                            cases=(("C-1", "Active"),), modified=17)  # fmt: skip
    assert found[1].md5 == bytes.fromhex(MD5) and found[1].feedback == (("P", "Blocked", ("a",)),)
    assert found[2].cases == (("C-1", "Active"),)
    reading = listed.reading
    assert (reading.items, reading.withdrawn, reading.other, reading.bad) == (4, 3, 1, 2)
    assert reading.purged[0] == (HashKind.PDQ, bytes.fromhex(HALF))
    assert reading.reasons[0] == (9, "unknown hashStatus: 'Bogus'")


def test_opinions_follow_from_what_was_said() -> None:
    said = {value: ("P", value, ()) for value in ("Blocked", "NotBlocked", "PendingReview")}
    assert opinion_of("Unknown", ()) is None
    assert opinion_of("Active", (said["PendingReview"],)) is Opinion.INVESTIGATION_SEED
    assert opinion_of("", (said["NotBlocked"],)) is Opinion.NEGATIVE


def test_pdq_of_low_quality_is_left_out_and_counted(path: Path) -> None:
    text = f"hash,quality,filename,md5\n{PDQ},49,a,\n{PDQ},50,b,\n{PDQ},,c,\n{PDQ},3,d,{MD5}\n"
    found, listed = read(path, text)
    assert [(one.name, one.pdq is None) for one in found] == [("b", False), ("c", False), ("d", True)]
    assert (listed.reading.low_quality, listed.reading.items) == (2, 3)
    everything, listed = read(path, text, quality=0)
    assert (len(everything), listed.reading.low_quality) == (4, 0)


def test_bad_lines_are_counted_and_the_first_are_named(path: Path) -> None:
    bad = "".join(f"pdq {'g' * 64}\npdq 12\nhello\n" for _ in range(20))
    found, listed = read(path, f"pdq {PDQ}\n{bad}raw_text hello\npdq {HALF}\n")
    assert len(found) == 2
    assert (listed.reading.bad, listed.reading.other) == (60, 1)
    assert len(listed.reading.reasons) == SHOWN_BAD_LINES
    assert listed.reading.reasons[:3] == [
        (2, f"not 64 hexadecimal digits (pdq): '{'g' * 40}'"),
        (3, "not 64 hexadecimal digits (pdq): '12'"),
        (4, "not the name of a signal and a hash"),
    ]
    with pytest.raises(HashListError, match="line 2: not 64"):
        list(HashList(path, strict=True))


def test_what_is_shown_of_a_bad_line_is_harmless(path: Path) -> None:
    _, listed = read(path, f"pdq {PDQ}\npdq \x1b[31m\u202e{'x' * 999}\n")
    ((_, reason),) = listed.reading.reasons
    assert reason.isascii() and reason.isprintable() and len(reason) < 300


def test_64_digits_are_told_by_their_bits_or_by_what_is_said(path: Path) -> None:
    assert read(path, f"{SHA256}\n" * 3)[0][0].sha256
    assert read(path, f"{HALF}\n{SHA256}\n{HALF}\n")[1].long_hash is HashKind.PDQ
    assert read(path, f"{HALF}\n", long_hash=HashKind.SHA256)[0][0].sha256
    for unsure in (f"{HALF}\n", f"{HALF}\n{SHA256}\n", f"hash,filename\n{HALF},a.jpg\n"):
        with pytest.raises(HashListError, match=r"may be PDQ or SHA-256.*--long-hash pdq"):
            read(path, unsure)
        assert read(path, unsure, long_hash=HashKind.PDQ)[0][0].pdq == bytes.fromhex(HALF)
    late = f"{MD5}\n" * 3_000
    assert read(path, f"{late}{SHA256}\n")[0][-1].sha256
    with pytest.raises(HashListError, match="may be PDQ"):
        read(path, f"{late}{HALF}\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be told"),
        (b"hello\nworld\n", "cannot be told"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(100), "no text"),
        (b"SQLite format 3\0" + bytes(100), "SQLite"),
        (b"PK\x03\x04" + bytes(30), "ZIP archive"),
        (b"c3d1e0f0a1b2c3d4\n", "16 digits"),
        (b"A" * 192 + b"\n", "PhotoDNA cannot be computed"),
        (f"{SHA256 * 2}\n".encode(), "SHA-512"),
        (b'"hashset_id","name","vendor","package"\n1,a,b,c\n', "HashKeeper's description"),
        (b"<?xml version='1.0'?><html/>", "XML that is not"),
    ],
)
def test_what_is_no_list_is_refused(content: bytes, words: str, path: Path) -> None:
    with pytest.raises(HashListError, match=words):
        read(path, content)


def test_a_missing_list_is_refused(path: Path) -> None:
    with pytest.raises(HashListError, match="cannot be read"):
        HashList(path)
    with pytest.raises(HashListError, match="cannot be read"):
        HashList(path.parent)


def test_utf16_lists_of_other_systems_are_read(path: Path) -> None:
    assert read(path, f"{MD5}\r\n{SHA1}\r\n".encode("utf-16"))[0] == [item(md5=MD5), item(sha1=SHA1)]


def test_endless_lines_and_records_cost_one_entry(path: Path) -> None:
    found, listed = read(path, f"{MD5}\n{'a' * 300_000}\n{SHA1}\n")
    assert (len(found), listed.reading.bad) == (2, 1)
    long = json.dumps(record(caseNumbers={"x" * (3 * LONGEST_RECORD): "Active"}))
    found, listed = read(path, f"{json.dumps(record())}\n{long}\n{json.dumps(record())}\n")
    assert (len(found), listed.reading.bad >= 1) == (2, True)
    nested = '{"a":' * 60_000
    found, listed = read(path, f"{json.dumps(record())}\n{nested}\n[{json.dumps(record())}]\n")
    assert len(found) == 2


def test_a_long_array_is_read_in_pieces(path: Path) -> None:
    rows = [record(caseNumbers={f"C-{number}": "Active"}) for number in range(3_000)]
    for text in (json.dumps(rows), json.dumps(rows, indent=2), "\n".join(map(json.dumps, rows))):
        found, listed = read(path, text)
        assert [one.cases[0][0] for one in found] == [f"C-{number}" for number in range(3_000)]
        assert listed.reading.bad == 0


def test_the_digest_of_a_list_is_known(path: Path) -> None:
    import hashlib

    _, listed = read(path, f"{MD5}\n")
    assert listed.sha256 == hashlib.sha256(f"{MD5}\n".encode()).hexdigest()


# What each format can hold; the rest is lost on the way and must not change anything else.

QUICK = settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate))

NAMES = st.text(st.sampled_from("aB9 ,;\"'\\/*#=%é\u202e漢"), max_size=8)
TEXTS = st.text(st.sampled_from("aB9 ,{}[]\"'\\\n\té\u202e漢"), max_size=8)
SIZES = st.none() | st.integers(0, 1 << 40)
OPINIONS = st.none() | st.sampled_from(Opinion)


def made(**fields: Any) -> KnownItem:
    """Hypothesis would fill in what is left out of a named tuple."""
    return KnownItem(**fields)


def hashes_of(kind: HashKind) -> st.SearchStrategy[bytes]:
    return st.integers(0, (1 << 8 * kind.size) - 1).map(lambda number: number.to_bytes(kind.size, "big"))


PDQS, MD5S, SHA1S, SHA256S = map(hashes_of, HashKind)
ONE_DIGEST = st.one_of(
    st.builds(made, md5=MD5S, name=NAMES.filter(bool)),
    st.builds(made, sha1=SHA1S, name=NAMES.filter(bool)),
    st.builds(made, sha256=SHA256S, name=NAMES.filter(bool)),
)
FEEDBACK = st.lists(st.tuples(TEXTS, st.sampled_from(("Blocked", "None")), st.lists(TEXTS, max_size=2).map(tuple)))

HELD: dict[ListFormat, st.SearchStrategy[KnownItem]] = {
    ListFormat.THREATEXCHANGE: st.builds(made, pdq=PDQS),
    ListFormat.THREATEXCHANGE_JSON: st.builds(made, pdq=PDQS, opinion=OPINIONS),
    ListFormat.PDQ_CSV: st.builds(made, pdq=PDQS, quality=st.none() | st.integers(50, 100), name=NAMES),
    ListFormat.STOPNCII: st.builds(
        made,
        pdq=PDQS,
        opinion=OPINIONS,
        status=st.sampled_from(("Active", "Received", "Unknown")),
        cases=st.dictionaries(TEXTS, st.just("Active"), max_size=3).map(lambda cases: tuple(cases.items())),
        feedback=FEEDBACK.map(tuple),
        modified=st.none() | st.integers(0, 1 << 33),
    ),
    ListFormat.JSON: st.builds(
        made,
        pdq=PDQS,
        sha1=st.none() | SHA1S,
        quality=st.integers(50, 100),
        name=TEXTS,
        size=SIZES,
        opinion=OPINIONS,
    ),
    ListFormat.CSV: st.builds(
        made,
        pdq=st.none() | PDQS,
        md5=MD5S,
        sha256=st.none() | SHA256S,
        quality=st.none() | st.integers(50, 100),
        name=NAMES,
        size=SIZES,
        opinion=OPINIONS,
        category=st.none() | st.integers(0, 9),
    ),
    ListFormat.VICS: st.builds(
        made,
        pdq=st.none() | PDQS,
        md5=st.none() | MD5S,
        sha1=SHA1S,
        sha256=st.none() | SHA256S,
        quality=st.none() | st.integers(50, 100),
        name=TEXTS,
        size=SIZES,
        opinion=OPINIONS,
        status=TEXTS,
        cases=st.dictionaries(TEXTS, TEXTS, max_size=3).map(lambda cases: tuple(cases.items())),
        feedback=FEEDBACK.map(tuple),
        modified=st.none() | st.integers(0, 1 << 33),
        category=st.none() | st.integers(0, 9),
    ),
    ListFormat.PLAIN: ONE_DIGEST.map(lambda one: one._replace(name="")),
    ListFormat.CHECKSUMS: ONE_DIGEST,
    ListFormat.HASHDEEP: st.builds(made, md5=MD5S, sha256=SHA256S, size=st.integers(0, 1 << 40), name=NAMES),
    ListFormat.NSRL: st.builds(made, md5=MD5S, sha1=SHA1S, sha256=st.none() | SHA256S, name=NAMES, size=SIZES),
}


@pytest.mark.parametrize("form", sorted(WRITTEN))
def test_what_is_written_is_read_again(form: ListFormat, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("lists") / "list"

    @QUICK
    @given(st.lists(HELD[form], max_size=6))
    def check(items: list[KnownItem]) -> None:
        stream = io.StringIO()
        assert write_list(items, form, stream, comments=["made by a test\nof mine"]) == 0
        path.write_text(stream.getvalue(), encoding="utf-8", newline="")
        listed = HashList(path, form, long_hash=HashKind.SHA256)
        assert list(listed) == items
        assert listed.reading.bad == 0

    check()


@pytest.mark.parametrize("form", sorted(WRITTEN))
def test_formats_with_something_in_them_are_told_by_their_content(form: ListFormat, path: Path) -> None:
    full = item(pdq=PDQ, md5=MD5, sha1=SHA1, sha256=SHA256, quality=80, name="a.jpg", size=1, opinion=Opinion.POSITIVE)
    stream = io.StringIO()
    write_list([full], form, stream)
    assert read(path, stream.getvalue())[1].form is form


@pytest.mark.parametrize("form", sorted(WRITTEN))
def test_items_that_a_format_cannot_hold_are_counted(form: ListFormat) -> None:
    stream = io.StringIO()
    empty = KnownItem(name="nothing known of it")
    left_out = write_list([empty], form, stream)
    assert left_out == (0 if form is ListFormat.JSON else 1)
    weak = io.StringIO()
    if form in (ListFormat.THREATEXCHANGE, ListFormat.THREATEXCHANGE_JSON, ListFormat.PLAIN):
        assert write_list([item(pdq=PDQ, quality=49)], form, weak) == 1
        assert PDQ not in weak.getvalue()


def test_names_never_break_a_line() -> None:
    hostile = item(pdq=PDQ, md5=MD5, sha256=SHA256, size=1, name="a\nb\r\x1b[31m\u2028\udcff")
    for form in (ListFormat.PDQ_CSV, ListFormat.CHECKSUMS, ListFormat.HASHDEEP, ListFormat.NSRL, ListFormat.JSON):
        stream = io.StringIO()
        write_list([hostile], form, stream)
        text = stream.getvalue()
        assert len(text.splitlines()) == text.count("\n") and "\x1b" not in text
        text.encode("utf-8")
    assert one_line("a\nb") == "a\\u000ab"


@settings(max_examples=150, deadline=None)
@given(
    content=st.binary(max_size=400),
    form=st.sampled_from(ListFormat),
    head=st.sampled_from(
        (
            b"",
            b"pdq ",
            b"hash,quality,filename\n",
            b"%%%% size,md5,filename\n",
            b'{"signalType":"ImagePDQ","hashValue":',
            b"[",
        )
    ),
)
def test_no_bytes_make_a_reader_fail(
    content: bytes, form: ListFormat, head: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(head + content)
    try:
        for one in HashList(path, form):
            assert one.hashes() and all(len(value) == kind.size for kind, value in one.hashes().items())
    except HashListError as error:
        assert form in (ListFormat.NCMEC, ListFormat.NSRL_SQLITE, ListFormat.AUTOPSY) or "may be PDQ" in str(error)
    try:
        sniff_format(content.decode("utf-8", "replace"), path)
    except HashListError as error:
        assert str(path) in str(error)


@settings(QUICK, max_examples=60)
@given(
    line=st.sampled_from([text for text, _, _ in READ.values()]),
    cut=st.integers(0, 300),
    put=st.text(max_size=5),
)
def test_damaged_lists_are_read_as_far_as_they_go(
    line: str, cut: int, put: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes((line[:cut] + put + line[cut + 3 :]).encode("utf-8", "surrogatepass"))
    try:
        found = list(HashList(path))
    except HashListError:
        return
    assert all(one.hashes() for one in found)


def test_threatexchange_reads_our_lists_and_we_read_its(path: Path) -> None:
    pytest.importorskip("threatexchange", reason="a development dependency")
    from threatexchange.exchanges.impl.file_api import FileCollaborationConfig, LocalFileSignalExchangeAPI
    from threatexchange.signal_type.pdq.signal import PdqSignal

    items = [item(pdq=PDQ), item(pdq=HALF)]
    with path.open("w", newline="") as stream:
        write_list(items, ListFormat.THREATEXCHANGE, stream)
    theirs = LocalFileSignalExchangeAPI.for_collab(FileCollaborationConfig(name="x", filename=str(path)))
    (delta,) = theirs.fetch_iter([PdqSignal], None)
    assert sorted(delta.updates) == [("pdq", HALF), ("pdq", PDQ)]
    assert all(PdqSignal.validate_signal_str(signal) == signal for _, signal in delta.updates)
    mine = path.with_name("theirs")
    mine.write_text("".join(f"{kind} {signal}\n" for kind, signal in delta.updates))
    assert list(HashList(mine)) == items

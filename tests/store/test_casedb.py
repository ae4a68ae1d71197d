"""What goes into a case comes out again: whole, once, under its own name."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from nsfwforensics.core.storable import storable_text
from nsfwforensics.core.types import AnalyzerStatus, Artifact, FileReport, Priority, Question, Severity, Support
from nsfwforensics.errors import CaseError
from nsfwforensics.report.writer import ReportWriter
from nsfwforensics.store import documents, runs
from nsfwforensics.store.casedb import NOT_EXAMINED, CaseDatabase
from nsfwforensics.store.rows import CaseFile, Decision, Stat
from tests.report import situations
from tests.report.factory import HOSTILE, declared, every_outcome, file, finding, header, hostile_file, result
from tests.store.conftest import Save, run_record, sha


def one(case: CaseDatabase, wanted: str) -> CaseFile:
    (found,) = case.find(wanted)
    return found


def count(case: CaseDatabase, table: str) -> int:
    with case.reading() as connection:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(number)


def test_a_report_comes_back_as_it_was(case: CaseDatabase, save: Save) -> None:
    made = every_outcome("/evidence/everything.jpg")
    record = run_record(case)
    with case.writing() as connection:
        runs.save(connection, record, Path(made.info.path), made, Stat(1, 2, 3))
    assert case.report(one(case, made.info.path)) == made
    listed = next(case.files())
    assert (listed.status, listed.priority) == ("failed", made.priority)
    assert listed.findings == ("DEEP-002", "META-001")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_comes_back_as_it_was(case: CaseDatabase, text: str) -> None:
    made = hostile_file(text)
    record = run_record(case)
    with case.writing() as connection:
        runs.save(connection, record, Path("/evidence/x.jpg"), made, None)
    assert case.report(one(case, "/evidence/x.jpg")).results == made.results
    assert case.problems() == []


@pytest.mark.skipif(os.name != "posix", reason="names that are no text")
def test_a_name_that_is_no_text_is_kept_byte_for_byte(case: CaseDatabase) -> None:
    place = Path(os.fsdecode(b"/evidence/caf\xe9\n.jpg"))
    case.register(place, sha("x"), Stat(1, 2, 3))
    (found,) = case.files()
    assert found.raw_path == b"/evidence/caf\xe9\n.jpg"
    assert found.place == place
    assert found.path == "/evidence/caf\\udce9\n.jpg"
    assert case.find(str(place)) == case.find("caf\\udce9\n.jpg") == [found]
    assert list(case.paths()) == [place]


def test_the_same_bytes_under_the_same_plan_stand_once(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", error="cannot be decoded")
    save("/e/a.jpg", result(findings=(finding(),)))
    assert count(case, "files") == count(case, "examinations") == count(case, "results") == 1
    assert one(case, "/e/a.jpg").status == "ok"


def test_what_was_found_in_earlier_bytes_is_history(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", result(findings=(finding(severity=Severity.HIGH),)), content="first")
    save("/e/a.jpg", result(findings=(finding(severity=Severity.LOW),)), content="first", fingerprint="other")
    save("/e/a.jpg", result(), content="second")
    listed = one(case, "/e/a.jpg")
    assert (listed.sha256, listed.priority, listed.findings) == (sha("second"), Priority.NONE, ())
    assert [past.superseded for past in case.examinations(listed)] == [True, True, False]
    assert count(case, "findings") == 2
    assert [file.path for file in case.find(sha("second"))] == ["/e/a.jpg"]
    assert case.find(sha("first")) == []


def test_two_plans_on_one_file_add_up(case: CaseDatabase, save: Save) -> None:
    high = result("faces", Question.IDENTITY, findings=(finding("FACE-001", severity=Severity.HIGH),))
    save("/e/a.jpg", high, fingerprint="with faces")
    save("/e/a.jpg", result(findings=(finding(),)), fingerprint="metadata alone")
    listed = one(case, "/e/a.jpg")
    assert (listed.priority, listed.findings) == (Priority.HIGH, ("FACE-001", "META-001"))
    whole = case.report(listed)
    assert [r.analyzer for r in whole.results] == ["metadata", "faces"]
    answers = {answer.question: answer for answer in whole.answers}
    assert answers[Question.IDENTITY].support is Support.SUPPORTS
    assert answers[Question.ORIGIN].findings == ("META-001",)


def test_a_later_result_of_the_same_setup_replaces_the_earlier(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", result(version="1", findings=(finding(severity=Severity.HIGH),)), fingerprint="version 1")
    save("/e/a.jpg", result(version="2"), fingerprint="version 2")
    whole = case.report(one(case, "/e/a.jpg"))
    assert [r.version for r in whole.results] == ["2"]
    assert whole.priority is Priority.NONE


def test_a_failure_under_one_plan_is_not_covered_up_by_another(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", info={"sha256": None}, error="the worker process that examined it died", fingerprint="all")
    save("/e/a.jpg", result(), fingerprint="metadata alone")
    listed = one(case, "/e/a.jpg")
    assert (listed.status, listed.sha256) == ("failed", sha("/e/a.jpg"))
    assert listed.error == "the worker process that examined it died"


def test_a_file_that_cannot_be_read_any_more_keeps_its_digest(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", result())
    save("/e/a.jpg", info={"sha256": None, "size": None}, error="cannot be read", stat=None)
    listed = one(case, "/e/a.jpg")
    assert (listed.status, listed.sha256, listed.error) == ("failed", sha("/e/a.jpg"), "cannot be read")


def test_files_are_listed_in_the_order_of_triage_and_by_kind(case: CaseDatabase, save: Save) -> None:
    save("/e/z.jpg", result(findings=(finding(severity=Severity.HIGH),)))
    save("/e/b.jpg", result(findings=(finding(severity=Severity.LOW),)))
    save("/e/c.jpg", error="broken")
    save("/e/s.txt", error="no image", skipped=True)
    save("/e/a.jpg", result())
    case.register(Path("/e/p.jpg"), sha("p"), Stat(5, 6, 7))
    case.mark(sha("/e/b.jpg"), decision=Decision.RELEVANT)
    listed = [Path(f.path).name for f in case.files()]
    assert listed == ["z.jpg", "c.jpg", "b.jpg", "a.jpg", "p.jpg", "s.txt"]
    assert [f.path for f in case.files(statuses=["failed", "skipped"])] == ["/e/c.jpg", "/e/s.txt"]
    assert [f.path for f in case.files(priorities=[Priority.LOW])] == ["/e/c.jpg", "/e/b.jpg"]
    assert [f.path for f in case.files(decisions=[Decision.RELEVANT])] == ["/e/b.jpg"]
    assert len(list(case.files(decisions=[Decision.UNDECIDED]))) == 5
    assert [f.path for f in case.files(statuses=["ok"], priorities=[Priority.HIGH])] == ["/e/z.jpg"]
    info = case.info()
    assert (info.files, info.contents, info.runs) == (6, 6, 5)
    assert info.by_status == {"ok": 3, "failed": 1, "skipped": 1, "pending": 1}


def test_a_registered_file_waits_and_is_not_registered_twice(case: CaseDatabase, save: Save) -> None:
    assert case.register(Path("/e/p.jpg"), sha("p"), Stat(5, 6, 7))
    assert not case.register(Path("/e/p.jpg"), sha("other"), Stat(5, 6, 7))
    (waiting,) = case.files()
    assert (waiting.status, waiting.sha256, waiting.size, waiting.examined) == ("pending", sha("p"), 5, None)
    assert case.report(waiting).error == NOT_EXAMINED
    assert case.report(waiting).skipped
    save("/e/p.jpg", result(), content="p")
    assert one(case, "/e/p.jpg").status == "ok"


def test_files_are_found_by_what_a_person_types(case: CaseDatabase, save: Save) -> None:
    save("/e/one/a.jpg", content="same")
    save("/e/two/a.jpg", content="same")
    save("/e/two/b.jpg")
    assert [f.path for f in case.find("/e/one/a.jpg")] == ["/e/one/a.jpg"]
    assert [f.path for f in case.find("/e/one/../two/b.jpg")] == ["/e/two/b.jpg"]
    assert [f.path for f in case.find("a.jpg")] == ["/e/one/a.jpg", "/e/two/a.jpg"]
    assert [f.path for f in case.find("two/a.jpg")] == ["/e/two/a.jpg"]
    for digits in (sha("same"), sha("same").upper(), sha("same")[:8]):
        assert len(case.find(digits)) == 2
    for nothing in ("", ".jpg", "*", sha("same")[:7], sha("none"), "a\0b", "' OR 1 --", "????????", "%%%%%%%%"):
        assert case.find(nothing) == []


def test_hashes_are_kept_by_content(case: CaseDatabase, save: Save) -> None:
    measured = {"md5": "00" * 16, "sha1": "11" * 20, "pdq": "ab" * 32, "pdq_quality": 77, "pdq_usable": True}
    phash = result("phash", Question.KNOWN, AnalyzerStatus.NOT_APPLICABLE, error="no list", measurements=measured)
    save("/e/a.jpg", phash, content="same")
    save("/e/b.jpg", phash, content="same")
    save("/e/c.jpg", result(measurements={"md5": "not the hash analyzer's"}))
    case.mark(sha("same"), decision=Decision.RELEVANT)
    first, second = case.hashes()
    assert (first.sha256, first.path, first.pdq_quality) == (sha("same"), "/e/a.jpg", 77)
    assert first.values == {"md5": "00" * 16, "sha1": "11" * 20, "pdq": "ab" * 32}
    assert first.decision is Decision.RELEVANT
    assert (second.sha256, second.values, second.decision) == (sha("/e/c.jpg"), {}, None)
    assert case.hashes_of(one(case, "/e/b.jpg")) == first.values


def test_signatures_are_kept_by_content_and_method(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg")
    case.add_signature(sha("/e/a.jpg"), "local", b"\0one")
    case.add_signature(sha("/e/a.jpg"), "local", b"\0two")
    case.add_signature(sha("/e/a.jpg"), "other", b"three")
    assert list(case.signatures("local")) == [(sha("/e/a.jpg"), b"\0two")]
    with pytest.raises(CaseError, match="holds no file with the SHA-256"):
        case.add_signature(sha("nothing"), "local", b"")


def test_artifacts_come_back_with_their_bytes(case: CaseDatabase) -> None:
    """Whatever the bytes of an artifact are called, they are no part of the saved document."""
    picture = Artifact(name="map", media_type="image/png", path="artifacts/map.png")
    holding = result().model_copy(update={"artifacts": (picture.model_copy(update={"data": b"\x89PNG"}),)})
    made = file("/e/a.jpg").model_copy(update={"results": (holding,)})
    if "data" not in Artifact.model_fields:  # this version's artifacts have no bytes of their own
        holding = result(artifacts=(picture,))
        made = file("/e/a.jpg", holding)
    record = run_record(case)
    with case.writing() as connection:
        runs.save(connection, record, Path("/e/a.jpg"), made, None)
    assert case.report(one(case, "/e/a.jpg")).results == made.results


def test_a_write_that_fails_leaves_nothing_of_the_file(
    case: CaseDatabase, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(documents, "_insert_hashes", full)
    phash = result("phash", Question.KNOWN, measurements={"md5": "00"})
    with pytest.raises(CaseError):
        save("/e/a.jpg", result(findings=(finding(),)), phash)
    assert [count(case, table) for table in ("files", "contents", "examinations", "results", "findings")] == [0] * 5


def test_the_record_of_a_run(case: CaseDatabase) -> None:
    record = run_record(case)
    assert case.headers()[0].finished is None
    ended = header(finished="2026-11-21T09:14:31.400+00:00", interrupted=True)
    with case.writing() as connection:
        runs.end(connection, record, ended)
    assert case.headers() == [ended]


def test_a_document_that_is_not_understood_is_named(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg")
    with case.writing() as connection:
        connection.execute("UPDATE examinations SET document = '{\"info\": 1}'")
    with pytest.raises(CaseError, match="examination 1 of the case is not understood"):
        case.report(one(case, "/e/a.jpg"))


def test_undecodable_words_of_the_command_line_can_be_stored(tmp_path: Path, save: Save, case: CaseDatabase) -> None:
    broken = os.fsdecode(b"caf\xe9")
    with CaseDatabase.create(tmp_path / "c.db", name=broken, operator=broken) as made:
        assert made.info().name == storable_text(broken)
    save("/e/a.jpg")
    case.mark(sha("/e/a.jpg"), decision=Decision.RELEVANT, note=broken, by=broken)
    assert case.history(sha("/e/a.jpg"))[0].note == "caf\\udce9"


def test_pictures_of_one_examination_only_are_not_mixed_up(case: CaseDatabase, save: Save) -> None:
    first: FileReport = save("/e/a.jpg", result(), info={"thumbnail": "QUFB"}, fingerprint="with")
    save("/e/a.jpg", result(), fingerprint="without")
    assert case.report(one(case, "/e/a.jpg")).info.thumbnail == first.info.thumbnail == "QUFB"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE files SET priority = 99",
        "UPDATE files SET priority = -1",
        "UPDATE files SET priority = 'urgent'",
        "UPDATE files SET path = 1000000000000",
        "UPDATE files SET path = 'text'",
        "UPDATE runs SET header = '{}'",
        "UPDATE runs SET header = '[[['",
        """UPDATE examinations SET document =
        '{"info": {"path": "a", "name": "a", "size": 1' || printf('%0400d', 0) || '}}'""",
        "UPDATE results SET document = x'ff00'",
        "INSERT INTO decisions (content_id, decision, note, decided_by, decided_at) VALUES (1, 'maybe', '', '', '')",
    ],
)
def test_values_that_no_scan_writes_are_refused_by_name(case: CaseDatabase, save: Save, change: str) -> None:
    save("/evidence/a.jpg", result())
    with case.reading() as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(change)
    with pytest.raises(CaseError, match="case"):
        for listed in case.files():
            case.report(listed)
            if listed.sha256:
                case.history(listed.sha256)
        list(case.paths())
        case.headers()


def test_files_come_in_the_order_of_triage_of_a_report(case: CaseDatabase, tmp_path: Path) -> None:
    whole = situations.folder_of_200()
    files = [*whole[:3], *whole[6:9], *whole[16:20], *whole[100:104]]
    head = header(analyzers=declared("compare", "phash"))
    with ReportWriter(None) as writer:
        writer.begin(head)
        for each in files:
            writer.add(each)
        expected = [Path(each.info.path).name for each in writer.finish(head).by_priority()]
    with case.writing() as connection:
        record = runs.begin(connection, header(finished=None, analyzers=head.analyzers))
        for each in reversed(files):
            runs.save(connection, record, Path(each.info.path), each, None)
    listed = [each.place.name for each in case.files()]
    assert listed == expected
    assert listed[0].startswith("altered"), "although its folder comes last by name"
    numbers = {each.id: each.place.name for each in case.files()}
    assert [numbers[row.id] for row in case.triage()] == expected
    with case.writing() as connection:  # as an earlier version of this tool left it
        connection.execute("UPDATE files SET place = NULL WHERE id % 2")
    assert [numbers[row.id] for row in case.triage()] == expected
    case.mark(files[0].info.sha256 or "", dismiss=["FACE-001", "CMP-001"])
    assert [each.place.name for each in case.files()].index(Path(files[0].info.path).name) > 0

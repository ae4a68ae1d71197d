from __future__ import annotations

import csv
import io
import json

import pytest

from nsfwforensics.core.types import AnalyzerResult, AnalyzerStatus, FileInfo, FileReport, Question
from nsfwforensics.report.documents.hashes import HashFormat, write_hashes
from tests.report.factory import HOSTILE

DIGESTS = {"md5": "0a" * 16, "sha1": "1b" * 20, "sha256": "2c" * 32}
PDQ = {"pdq": "3d" * 32, "pdq_quality": 88, "pdq_usable": True}


def file(path: str, measured: dict[str, object] | None, size: int | None = 1234) -> FileReport:
    results = ()
    if measured is not None:
        results = (
            AnalyzerResult(
                analyzer="phash",
                version="1",
                origin="built-in",
                question=Question.KNOWN,
                status=AnalyzerStatus.NOT_APPLICABLE,
                measurements=measured,
                error="hashes computed, not compared",
                seconds=0.1,
            ),
        )
    return FileReport(info=FileInfo(path=path, name=path, size=size), results=results)


FILES = [
    file("photos/a.jpg", DIGESTS | PDQ),
    file("broken.jpg", DIGESTS),
    file("flat.png", DIGESTS | PDQ | {"pdq_quality": 12, "pdq_usable": False}),
    file("unreadable.jpg", None, None),
]


def write(chosen: HashFormat, files: list[FileReport] = FILES) -> tuple[str, int]:
    stream = io.StringIO()
    left_out = write_hashes(files, ("phash",), chosen, stream)
    return stream.getvalue(), left_out


def test_pdq_csv() -> None:
    text, left_out = write(HashFormat.CSV)
    assert text == f"hash,quality,filename\n{PDQ['pdq']},88,photos/a.jpg\n{PDQ['pdq']},12,flat.png\n"
    assert left_out == 2


def test_threatexchange_lines_hold_only_hashes_fit_for_matching() -> None:
    assert write(HashFormat.THREATEXCHANGE) == (f"pdq {PDQ['pdq']}\n", 3)


def test_hashdeep() -> None:
    stream = io.StringIO()
    left_out = write_hashes(FILES, ("phash",), HashFormat.HASHDEEP, stream, comments=["$ nsfwforensics hash photos\nx"])
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["%%%% HASHDEEP-1.0", "%%%% size,md5,sha256,filename"]
    assert lines[2:4] == ["## $ nsfwforensics hash photos\\nx", "## "]
    assert lines[4:] == [f"1234,{DIGESTS['md5']},{DIGESTS['sha256']},{name}" for name in (
        "photos/a.jpg", "broken.jpg", "flat.png"
    )]  # fmt: skip
    assert left_out == 1


def test_json_is_one_array() -> None:
    text, left_out = write(HashFormat.JSON)
    records = json.loads(text)
    assert [record["path"] for record in records] == ["photos/a.jpg", "broken.jpg", "flat.png"]
    assert records[0] == {"path": "photos/a.jpg", "size": 1234, **DIGESTS, **PDQ}
    assert left_out == 1


@pytest.mark.parametrize("chosen", list(HashFormat))
def test_no_files_at_all(chosen: HashFormat) -> None:
    text, left_out = write(chosen, [])
    assert left_out == 0
    if chosen is HashFormat.JSON:
        assert json.loads(text) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_one_harmless_line(name: str) -> None:
    files = [file(HOSTILE[name], DIGESTS | PDQ)]
    for chosen in (HashFormat.CSV, HashFormat.HASHDEEP):
        text, _ = write(chosen, files)
        assert len(text.splitlines()) == text.count("\n")
        assert not any(character in text for character in "\x1b\x00\r\u202e\u2028\x9b")
    rows = list(csv.reader(io.StringIO(write(HashFormat.CSV, files)[0])))
    assert len(rows) == 2 and not rows[1][2].startswith(("=", "+", "-", "@"))
    assert json.loads(write(HashFormat.JSON, files)[0])[0]["path"] == files[0].info.path


@pytest.mark.parametrize("path", ["=cmd()", "+1", "-x.jpg", "@a", "a,b;c.jpg", 'say "hi".jpg', "новый.jpg"])
def test_names_survive_csv(path: str) -> None:
    rows = list(csv.reader(io.StringIO(write(HashFormat.CSV, [file(path, DIGESTS | PDQ)])[0])))
    assert rows[1][2] == (f"'{path}" if path[0] in "=+-@" else path)


def test_a_hashdeep_name_is_last_and_unquoted() -> None:
    text, _ = write(HashFormat.HASHDEEP, [file('a,"b".jpg', DIGESTS)])
    assert text.splitlines()[-1].split(",", 3)[3] == 'a,"b".jpg'

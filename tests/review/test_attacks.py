"""Requests that a page of somebody else's, another program or another person could send; the real server, real HTTP."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nsfwforensics.core.types import Severity
from nsfwforensics.store.casedb import CaseDatabase
from tests.report.factory import HOSTILE, finding, result
from tests.review.client import Client
from tests.review.conftest import Made, Serve


@pytest.fixture
def page(made: Made, serve: Serve) -> Client:
    made.add("a.jpg", result(findings=(finding(severity=Severity.HIGH),)))
    made.add("b.jpg")
    made.done()
    return serve()


def test_the_printed_address_is_good_for_one_use(made: Made, serve: Serve) -> None:
    client = serve(enter=False)
    query = urlsplit(client.address).query
    assert client.ask(client.folder).status == 403
    assert client.ask(f"{client.folder}?token=").status == 403
    assert client.ask(f"{client.folder}?token=x").status == 403
    client.enter()
    again = client.ask(f"{client.folder}?{query}")
    assert again.status == 403
    assert "set-cookie" not in again.headers


def test_the_cookie_goes_to_this_folder_alone_and_no_script_reads_it(made: Made, serve: Serve) -> None:
    client = serve(enter=False)
    cookie = client.ask(f"{client.folder}?{urlsplit(client.address).query}").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert f"path={client.folder}".lower() in cookie
    assert len(client.folder.strip("/")) > 20
    assert "expires" not in cookie
    assert "max-age" not in cookie


ELSEWHERE: list[dict[str, str | None]] = [
    {"Host": "evil.example"},
    {"Host": "evil.example:80"},
    {"Host": "127.0.0.1"},
    {"Host": "127.0.0.1:1"},
    {"Host": "localhost.evil.example"},
    {"Host": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Cookie": None},
    {"Cookie": "review="},
    {"Cookie": "review=x; review=y"},
]


@pytest.mark.parametrize("path", ["", "choices", "item?at=0", "file/review.js"])
def test_nothing_is_told_to_anybody_else(page: Client, path: str) -> None:
    for headers in ELSEWHERE:
        answer = page.get(path, **headers)
        assert answer.status == 403, headers
        assert "a.jpg" not in answer.text
        assert page.csrf not in answer.text


FOREIGN: list[dict[str, str | None]] = [
    {"Origin": None},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"X_Review": None},
    {"X_Review": "x"},
    {"Content_Type": "text/plain"},
    {"Content_Type": "application/x-www-form-urlencoded"},
    {"Cookie": None},
    {"Host": "evil.example", "Origin": "http://evil.example"},
    {"Sec_Fetch_Site": "cross-site"},
]


def test_nobody_else_decides(page: Client, made: Made) -> None:
    item = page.item()
    value = {"contents": item["contents"], "earlier": item["earlier"], "decision": "relevant"}
    for headers in FOREIGN:
        for path in ("decide", "undo", "visible", "picture"):
            assert page.post(path, value, **headers).status == 403, headers
    assert made.case.marks_since(0) == []


PATHS = [
    "../../etc/passwd",
    "file/../../../etc/passwd",
    "file/..%2f..%2f..%2fetc%2fpasswd",
    "file/%2e%2e/app.py",
    "file/review.js%00.css",
    "file//etc/passwd",
    "file/",
    "file/item.html.j2",
    "file/REVIEW.JS",
    "static/review.js",
    "item/../decide",
    "one.db",
]


def test_no_path_leads_anywhere_else(page: Client) -> None:
    for path in PATHS:
        assert page.get(path).status == 404, path
    for address in ("/", "/favicon.ico", "/robots.txt", "//", "/..", f"/x{page.folder}", "http://evil.example/"):
        assert page.ask(address).status == 404


def test_methods_are_as_they_are(page: Client) -> None:
    assert page.get("decide").status in (404, 405)
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"):
        answer = page.ask(f"{page.folder}item?at=0", method)
        assert answer.status in (403, 404, 405), method
        assert "access-control-allow-origin" not in answer.headers
    assert page.post("item", {}).status in (404, 405)


def test_every_answer_is_kept_nowhere_and_does_nothing_else(page: Client) -> None:
    item = page.item()
    answers = [
        page.get(""),
        page.get("item?at=0"),
        page.get("file/review.js"),
        page.post("picture", {"file": item["file"], "view": 0, "step": 0}),
        page.get("", Cookie=None),
    ]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "server" not in answer.headers
    assert "<script>" not in answers[0].text
    assert " style=" not in answers[0].text + item["html"]
    assert " on" + "click" not in answers[0].text + item["html"]


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_and_notes_stay_text(made: Made, serve: Serve, kind: str) -> None:
    text = HOSTILE[kind].replace("/", "_").replace("\0", "").encode("utf-8", "surrogatepass")
    name = text.decode("utf-8", "surrogateescape")[:60] + ".jpg"
    made.add(name.encode("utf-8", "replace").decode(), result(findings=(finding(title=HOSTILE[kind]),)))
    made.done()
    client = serve(reviewer=HOSTILE[kind] if kind != "surrogate" else "Ben")
    item = client.item()
    assert client.decide(item, "relevant", note=HOSTILE[kind]).status == 200
    again = client.item(show="all", exact=1)["html"] + client.get("").text
    for wrong in ("<script>alert", "onmouseover='alert", "\x1b", "\u202e", "\x07", "\u2066"):
        assert wrong not in again
    (mark,) = made.case.marks_since(0)
    assert mark[2].note == HOSTILE[kind].encode("utf-8", "backslashreplace").decode()


BODIES = [
    b"",
    b"[]",
    b"null",
    b"{",
    b"\xff\xfe",
    b'{"contents": "x"}',
    b'{"contents": [1]}',
    b'{"contents": []}',
    b'{"contents": ["x"], "decision": "relevant"}',
    b'{"contents": ["x"], "decision": "gone"}',
    b'{"contents": ["' + b"0" * 64 + b'"], "decision": "relevant"}',
    b'{"contents": ["' + b"0" * 64 + b'"], "dismiss": ["CASE-001"]}',
    b'{"contents": ["' + b"0" * 64 + b'"], "dismiss": ["x; DROP TABLE files"]}',
    b'{"contents": [' + b"[" * 100_000 + b"]",
    b'{"visible": NaN}',
    b'{"visible": -1}',
    b'{"visible": 1e300}',
    b'{"earlier": {"a": "b"}}',
    b'{"note": ' + b'"' + b"x" * 300_000 + b'"}',
]


def test_nonsense_is_refused_and_changes_nothing(page: Client, made: Made) -> None:
    for body in BODIES:
        for path in ("decide", "picture"):
            answer = page.ask(page.folder + path, "POST", body)
            assert answer.status in (400, 404, 503), (path, body[:80], answer.text)
            assert "Traceback" not in answer.text
    assert made.case.marks_since(0) == []
    assert page.item()["number"] == 0


def test_filters_are_of_a_list(page: Client) -> None:
    for query in ("at=-1", "at=x", "at=99999999999", "show=x", "priority=x", "question=x", "code=%27--"):
        assert page.get(f"item?{query}").status == 400, query


def test_too_long_a_note_is_refused(page: Client, made: Made) -> None:
    assert page.decide(page.item(), "relevant", note="x" * 4001).status == 400
    assert made.case.marks_since(0) == []


def test_half_a_request_holds_nobody_up(page: Client) -> None:
    with socket.create_connection(("127.0.0.1", page.port or 0), timeout=5) as slow:
        slow.sendall(b"POST " + page.folder.encode() + b"decide HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert page.item()["number"] == 0
    with socket.create_connection(("127.0.0.1", page.port or 0), timeout=5) as wide:
        wide.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")
        assert wide.recv(100).startswith(b"HTTP/1.1 4")


def test_two_tabs_that_decide_at_once_make_one_decision(page: Client, made: Made) -> None:
    item = page.item()
    answers: list[int] = []

    def one(decision: str) -> None:
        answers.append(page.decide(item, decision).status)

    tabs = [threading.Thread(target=one, args=(each,)) for each in ("relevant", "not-relevant", "needs-review")]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert sorted(answers) == [200, 409, 409]
    assert len(made.case.marks_since(0)) == 1


def test_two_people_at_once_on_one_case(made: Made, serve: Serve) -> None:
    for number in range(6):
        made.add(f"{number}.jpg")
    made.done()
    ben, cem = serve("Ben"), serve("Cem")
    items = [ben.item(number) for number in range(6)]
    theirs = [cem.item(number) for number in range(6)]
    first = threading.Thread(target=lambda: [ben.decide(each, "relevant") for each in items])
    second = threading.Thread(target=lambda: [cem.decide(each, "relevant") for each in reversed(theirs)])
    first.start(), second.start()
    first.join(), second.join()
    marks = made.case.marks_since(0)
    assert len({sha256 for _, sha256, _ in marks}) == len(marks) == 6
    from nsfwforensics.store import custody_log

    check = custody_log.check(made.case)
    assert check.problems == ()
    decided = [entry for entry in check.chain.entries.values() if entry.kind == "decision"]
    assert sum(entry.counts["contents"] for entry in decided) == 6


def test_a_scan_goes_on_beside_it(made: Made, serve: Serve) -> None:
    made.add("first.jpg")
    client = serve()
    item = client.item()
    stop = threading.Event()

    def scan() -> None:
        with CaseDatabase.open(made.path) as other:
            made.case, kept = other, made.case
            for number in range(200):
                if stop.is_set():
                    break
                made.add(f"later-{number}.jpg")
            made.case = kept

    running = threading.Thread(target=scan)
    running.start()
    try:
        assert client.decide(item, "relevant").status == 200
        found = 0
        for _ in range(10):
            later = client.item(fresh=1)
            if later["number"] is not None:
                assert client.decide(later, "not-relevant").status == 200
                found += 1
        assert found >= 5
    finally:
        stop.set()
        running.join()
    assert made.case.problems() == []
    assert len(made.case.marks_since(0)) == found + 1


def test_no_file_is_made_but_the_cases_own(page: Client, made: Made, tmp_path: Path) -> None:
    item = page.item()
    for step in range(3):
        assert page.post("picture", {"file": item["file"], "view": 0, "step": step}).status == 200
    page.decide(item, "relevant")
    names = {path.name for path in tmp_path.iterdir()}
    assert names <= {"evidence", "one.db", "one.db-wal", "one.db-shm", "one.db.custody.jsonl"}
    assert {path.name for path in made.folder.iterdir()} == {"a.jpg", "b.jpg"}


def test_what_is_sent_is_a_picture_and_nothing_else(page: Client) -> None:
    answer = page.post("picture", {"file": page.item()["file"], "view": 0, "step": 0})
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.body.startswith(b"\xff\xd8")
    assert b"a.jpg" not in answer.body  # the comment of the original
    for view, step in ((9, 0), (0, 9), (-1, 0), (0, -1)):
        refused = page.post("picture", {"file": 1, "view": view, "step": step})
        assert refused.status == 404
        assert json.loads(refused.body)["problem"]
    assert page.post("picture", {"file": 10**12, "view": 0, "step": 0}).status == 404
    assert page.post("picture", {"file": "1", "view": 0, "step": 0}).status == 400

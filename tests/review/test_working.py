"""A reviewer's work as the page sends it: the queue, groups, taking back, two people, pictures and their time."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image

from nsfwforensics.core.types import AnalyzerResult, Question, Region, Severity
from nsfwforensics.store import custody_log, people
from nsfwforensics.store.people import ShownPerson
from nsfwforensics.store.rows import Decision
from tests.report.factory import finding, result
from tests.review.client import Client
from tests.review.conftest import Made, Serve

HIGH = result(findings=(finding("META-004", severity=Severity.HIGH),))
MEDIUM = result(findings=(finding("META-006", severity=Severity.MEDIUM),))
INTIMATE = result(
    question=Question.CONTENT, findings=(finding("META-002", severity=Severity.HIGH, question=Question.CONTENT),)
)
ALIKE = ["f" * 64, "f" * 63 + "e", "f" * 60 + "0000"]


def decisions(made: Made) -> list[tuple[str, str]]:
    return [(mark.by, mark.decision.value) for _, _, mark in made.case.marks_since(0)]


def log(made: Made, kind: str = "decision") -> list[custody_log.LogEntry]:
    return [entry for entry in custody_log.check(made.case).chain.entries.values() if entry.kind == kind]


def test_files_come_in_the_order_of_triage_and_go_when_decided(made: Made, serve: Serve) -> None:
    made.add("c.jpg"), made.add("b.jpg", MEDIUM), made.add("a.jpg", HIGH)
    made.done()
    page = serve()
    order = []
    item = page.item()
    while item["number"] is not None:
        order.append(made.case.file(item["file"]).place.name)  # type: ignore[union-attr]
        assert page.decide(item, "not-relevant", note="seen").status == 200
        item = page.item(item["number"] + 1)
    assert order == ["a.jpg", "b.jpg", "c.jpg"]
    assert page.item(0)["number"] is None
    assert page.item(0, exact=1)["number"] == 0
    assert page.item(2, show="not-relevant", way="back", fresh=1)["left"] == 3
    assert {entry.operator for entry in log(made)} == {"Ben"}
    assert [entry.subject.split(": ")[1] for entry in log(made)] == ["not-relevant, picture not seen"] * 3


def test_filters(made: Made, serve: Serve) -> None:
    made.add("a.jpg", HIGH), made.add("b.jpg", MEDIUM), made.add("c.jpg")
    page = serve()
    assert page.item(priority="high")["left"] == 1
    assert page.item(code="meta-006")["left"] == 1
    assert page.item(code="META-999")["left"] == 0
    assert page.item(question="origin")["left"] == 2
    assert page.item(question="known")["left"] == 0
    assert page.item(show="relevant")["left"] == 0
    page.decide(page.item(), "relevant")
    assert page.item(show="relevant", fresh=1)["left"] == 1
    assert page.item(show="open", fresh=1)["left"] == 2


def test_files_of_one_person_and_files_on_one_list(made: Made, serve: Serve) -> None:
    def match(name: str) -> AnalyzerResult:
        data = {"matches": [{"list": name, "distance": 3}], "total": 1}
        return result("phash", Question.KNOWN, findings=(finding("META-004", severity=Severity.HIGH, data=data),))

    reports = [
        made.add("a.jpg", match("=list <b>")),
        made.add("b.jpg", match("other")),
        made.add("c.jpg"),
        made.add("d.jpg"),
    ]
    digests = [str(report.info.sha256) for report in reports]
    shown = {
        digests[0]: [ShownPerson(3, (100, 100, 50, 50)), ShownPerson(7, (10, 10, 40, 40), reference=True)],
        digests[2]: [ShownPerson(3, (90, 90, 60, 60), sure=False)],
    }
    with made.case.writing() as connection:
        people.write(made.case, connection, shown)
    page = serve()
    choices = page.get("choices").text
    assert '<option value="7">person 7 · reference photo (1)</option><option value="3">person 3 (2)</option>' in choices
    assert "=list &lt;b&gt; (1)" in choices
    assert [page.item(person=number)["left"] for number in (3, 7, 8)] == [2, 1, 0]
    assert [page.item(list=name)["left"] for name in ("%3Dlist%20%3Cb%3E", "other", "none")] == [1, 1, 0]
    assert page.item(person=3, list="other")["left"] == 0
    first = page.item(person=7)
    assert 'data-person="3"' in first["html"]
    assert [view["label"] for view in first["views"][-2:]] == ["face of person 3", "face of person 7"]
    for nonsense in ("0", "-1", "3x", "12345678", "%F0%9D%9F%91"):
        assert page.get(f"item?at=0&person={nonsense}").status == 400
    assert page.get(f"item?at=0&list={'x' * 301}").status == 400


def test_a_group_is_one_item_and_may_be_decided_for_one(made: Made, serve: Serve) -> None:
    for number, pdq in enumerate([*ALIKE, "0" * 64]):
        made.add(f"{number}.jpg", pdq=pdq)
    made.done()
    page = serve()
    item = page.item()
    assert len(item["contents"]) == 3
    assert not item["differ"]
    only = {**item, "contents": item["contents"][:1]}
    assert page.decide(only, "relevant").status == 200
    again = page.item(0)
    assert again["number"] == 0  # two of it are left, and the next of them is shown
    assert again["contents"] == item["contents"][1:]
    assert again["file"] != item["file"]
    assert page.decide(again, "not-relevant").status == 200
    assert len(decisions(made)) == 3
    assert [entry.counts["contents"] for entry in log(made)] == [1, 2]
    assert len(page.item(1)["contents"]) == 1
    assert page.item(groups=1, show="all")["left"] == 4


def test_a_group_whose_findings_differ_says_so(made: Made, serve: Serve) -> None:
    made.add("a.jpg", HIGH, pdq=ALIKE[0]), made.add("b.jpg", pdq=ALIKE[1])
    item = serve().item()
    assert item["differ"]
    assert "have other findings" in item["html"]


def test_taking_back_adds_and_removes_nothing(made: Made, serve: Serve) -> None:
    made.add("a.jpg", MEDIUM)
    made.done()
    page = serve()
    before = page.item()
    page.decide(before, "needs-review", note="first")
    page.decide(page.item(0, exact=1), "false-positive")
    assert made.case.find("a.jpg")[0].dismissed == ("META-006",)
    assert page.post("undo", {}).json["contents"] == before["contents"]
    assert made.case.find("a.jpg")[0].dismissed == ()
    assert made.case.find("a.jpg")[0].mark.note == "first"  # type: ignore[union-attr]
    assert page.post("undo", {}).json["contents"] == before["contents"]
    assert page.post("undo", {}).json["contents"] == []
    assert [each for _, each in decisions(made)] == ["needs-review", "false-positive", "needs-review", "undecided"]
    assert page.item()["number"] == 0
    assert custody_log.check(made.case).problems == ()


def test_nobody_takes_back_what_another_decided_after(made: Made, serve: Serve) -> None:
    made.add("a.jpg")
    ben, cem = serve("Ben"), serve("Cem")
    ben.decide(ben.item(), "relevant")
    cem.decide(cem.item(show="all"), "not-relevant")
    assert ben.post("undo", {}).status == 400
    assert decisions(made) == [("Ben", "relevant"), ("Cem", "not-relevant")]


def test_a_finding_is_set_aside_and_counts_again(made: Made, serve: Serve) -> None:
    made.add("a.jpg", MEDIUM)
    page = serve()
    assert page.decide(page.item(), None, dismiss=["META-006"], note="a test chart").status == 200
    item = page.item()
    assert "Dismissed" in item["html"]
    assert "Let it count again" in item["html"]
    assert made.case.find("a.jpg")[0].priority.value == "none"
    assert page.decide(item, None, restore=["META-006"]).status == 200
    assert made.case.find("a.jpg")[0].priority.value == "medium"
    assert page.post("undo", {}).status == 200
    assert made.case.find("a.jpg")[0].dismissed == ("META-006",)


def test_the_second_opinion_is_blind(made: Made, serve: Serve) -> None:
    made.add("a.jpg", MEDIUM), made.add("b.jpg")
    ann, ben = serve("Ann"), serve("Ben", blind=True)
    for number in range(2):
        ann.decide(ann.item(number), "false-positive", note="I know this one")
    assert ann.item(fresh=1)["left"] == 0
    for number in range(2):
        item = ben.item(number, fresh=number == 0 or "")
        assert item["left"] == 2 - number
        for told in ("I know this one", "Ann", "false positive", "Dismissed"):
            assert told not in item["html"]
        assert ben.decide(item, "relevant").status == 200
    assert [mark.by for mark in made.case.history(item["contents"][0])] == ["Ann", "Ben"]


def test_two_disagree_and_a_third_decides(made: Made, serve: Serve) -> None:
    made.add("a.jpg"), made.add("b.jpg"), made.add("c.jpg")
    ann, ben, cem = serve("Ann"), serve("Ben", blind=True), serve("Cem")
    for number, said in enumerate(("relevant", "relevant", "not-relevant")):
        ann.decide(ann.item(number), said)
    for number, said in enumerate(("relevant", "not-relevant", "relevant")):
        ben.decide(ben.item(number), said)
    assert ann.item(show="disagreed", fresh=1)["left"] == 0  # neither of the two settles it
    item = cem.item(show="disagreed", fresh=1)
    assert item["left"] == 2
    assert "Ann" in item["html"]
    assert "Ben" in item["html"]
    assert cem.decide(item, "needs-review").status == 200
    assert cem.item(show="disagreed")["left"] == 1


def test_a_file_to_be_handled_with_care_is_never_rendered(made: Made, serve: Serve) -> None:
    made.add("a.jpg", INTIMATE), made.add("b.jpg", sensitive=True), made.add("c.jpg")
    page = serve()
    answers = []
    for number in range(3):
        item = page.item(number, show="all")
        answers.append((bool(item["views"]), page.post("picture", {"file": item["file"], "view": 0, "step": 4}).status))
    assert answers == [(False, 404), (False, 404), (True, 200)]
    first = page.item(show="all")
    page.decide(first, None, dismiss=["META-002"])  # setting a finding aside opens no way to the picture
    page.decide(page.item(0, show="all", fresh=1), "not-relevant")
    assert page.post("picture", {"file": first["file"], "view": 0, "step": 0}).status == 404
    nothing = serve("Cem", sensitive=True)
    assert nothing.post("picture", {"file": item["file"], "view": 0, "step": 0}).status == 404
    assert nothing.item()["views"] == []


def picture(page: Client, file: int, step: int, view: int = 0) -> Image.Image:
    answer = page.post("picture", {"file": file, "view": view, "step": step})
    assert answer.status == 200, answer.text
    return Image.open(io.BytesIO(answer.body))


def test_pictures_come_small_grey_and_blurred_first(made: Made, serve: Serve) -> None:
    made.add("a.jpg")
    page = serve()
    file = page.item()["file"]
    shown = [picture(page, file, step) for step in range(5)]
    assert [max(each.size) for each in shown][:3] == [96, 160, 320]
    assert all(max(each.size) <= 960 for each in shown)
    assert [each.mode for each in shown] == ["L", "L", "L", "L", "RGB"]
    edges = [max(abs(a - b) for a, b in pairwise(row)) for row in map(_middle, shown[:3])]
    assert edges[0] < edges[1] < edges[2]


def _middle(image: Image.Image) -> list[int]:
    grey = image.convert("L").resize((96, 72))
    return [int(grey.getpixel((x, 33))) for x in range(96)]  # type: ignore[arg-type]


def test_a_file_that_was_changed_is_not_shown(made: Made, serve: Serve) -> None:
    made.add("a.jpg")
    page = serve()
    file = page.item()["file"]
    path = made.folder / "a.jpg"
    path.write_bytes(path.read_bytes() + b"x")
    assert page.post("picture", {"file": file, "view": 0, "step": 0}).status == 404
    path.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    assert page.post("picture", {"file": file, "view": 0, "step": 0}).status == 404
    path.unlink()
    assert page.post("picture", {"file": file, "view": 0, "step": 0}).status == 404
    assert page.item()["number"] == 0


def test_seen_and_not_seen_and_for_how_long_stand_in_the_log(made: Made, serve: Serve, monkeypatch: Any) -> None:
    made.add("a.jpg"), made.add("b.jpg")
    page = serve()
    item = page.item()
    monkeypatch.setattr("nsfwforensics.review.desk.monotonic", lambda: 1e12)
    picture(page, item["file"], 0)
    assert page.post("visible", {"visible": 5}).json == {"visible": 5}
    page.decide(item, "relevant", visible=2.4)
    page.decide(page.item(1), "relevant", visible=0)
    seen, unseen = log(made)
    assert (seen.counts["pictures seen"], seen.counts["seconds with pictures visible"]) == (1, 7)
    assert (unseen.counts["pictures seen"], unseen.counts["seconds with pictures visible"]) == (0, 0)
    assert seen.subject.endswith("relevant, picture seen")
    assert unseen.subject.endswith("relevant, picture not seen")


def test_more_time_than_has_passed_is_not_believed(made: Made, serve: Serve) -> None:
    made.add("a.jpg")
    page = serve()
    assert page.post("visible", {"visible": 86_000}).json["visible"] < 60


def test_what_it_was_compared_with_lies_beside_it(made: Made, serve: Serve) -> None:
    first = made.add("original.jpg")
    sha256 = first.info.sha256
    matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    region = Region(x=100, y=100, width=100, height=80)
    changed = result(
        question=Question.ALTERATION,
        findings=(finding("META-004", severity=Severity.HIGH, data={"sha256": sha256}, region=region),),
        measurements={"original_sha256": sha256, "suspect_to_original": matrix},
    )
    face = result(
        question=Question.IDENTITY,
        findings=(finding("META-005", severity=Severity.LOW, data={"nearest_sha256": sha256}, region=region),),
    )
    made.add("suspect.jpg", changed, face)
    made.done()
    page = serve()
    item = page.item()
    labels = [(view["label"], view["over"]) for view in item["views"]]
    assert labels == [
        ("this file", False),
        ("compared with: original.jpg", False),
        ("laid onto this file: original.jpg", True),
        ("face 1 in this file", False),
        ("reference for face 1: original.jpg", False),
    ]
    assert "<svg" in item["html"]  # where the findings lie, without a pixel
    shown = [picture(page, item["file"], 2, view) for view in range(5)]
    assert shown[2].size == shown[0].size
    whole, face_alone = shown[1], shown[3]
    assert face_alone.width / face_alone.height != pytest.approx(whole.width / whole.height, abs=0.02)


def test_frames_one_by_one(made: Made, serve: Serve) -> None:
    path = made.folder / "moving.gif"
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "white", "black")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    import hashlib

    from nsfwforensics.core.types import InnerPicture
    from nsfwforensics.core.vocabulary import PictureKind, PictureState
    from nsfwforensics.store import runs
    from tests.report.factory import file

    pictures = tuple(
        InnerPicture(kind=PictureKind.FRAME, state=PictureState.EXAMINED, number=number) for number in (1, 2, 3)
    )
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    report = file(str(path), info={"sha256": sha256, "media_type": "image/gif", "pictures": pictures})
    with made.case.writing() as connection:
        runs.save(connection, made._run, path, report, None)
    page = serve()
    item = page.item()
    assert [view["label"] for view in item["views"][1:]] == [f"frame or page {number}" for number in (1, 2, 3)]
    light = [picture(page, item["file"], 2, view).getpixel((20, 20)) for view in (1, 2, 3)]
    assert light[1] > 240  # type: ignore[operator]
    assert light[2] < 15  # type: ignore[operator]


def test_another_language(made: Made, serve: Serve) -> None:
    made.add("a.jpg", HIGH)
    page = serve(lang="ja")
    assert '<html lang="ja">' in page.get("").text
    assert "優先" in page.item()["html"]


def test_every_decision_is_a_value_the_case_knows(made: Made, serve: Serve) -> None:
    made.add("a.jpg")
    page = serve()
    for decision in Decision:
        assert page.decide(page.item(0, exact=1), decision.value).status == 200
    assert [each for _, each in decisions(made)] == [decision.value for decision in Decision]
    assert json.dumps(page.item(0, exact=1)["earlier"]).endswith(": 5}")

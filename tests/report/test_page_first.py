"""What a reader sees first, in the eight situations: structure, not looks."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from nsfwforensics.core.types import Reader, Region
from nsfwforensics.report.page import html
from nsfwforensics.report.page.next_steps import advise, unchanged_part
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import write_views
from tests.report.situations import SITUATIONS, picture, saved
from tests.report.test_html import Page

Made = Callable[[str], Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The folder of a situation's report; each is made once."""

    @cache
    def folder(name: str) -> Path:
        place = tmp_path_factory.mktemp(name)
        saved(place, name)
        return place

    return folder


JARGON = re.compile(r"keypoints|\b1418\b|179, 59|strangers|docs/\w|suspect to original|histogram")


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_headline_comes_first_and_what_to_do_next_is_near(made: Made, name: str) -> None:
    source = (made(name) / "report.html").read_text("utf-8")
    words = Page(source).words
    first = SITUATIONS[name][2]
    assert first in words
    before = words[: words.index(first)]
    assert len(before) < 300, "nothing but the kind of document and the time stands before it"
    assert words.index("What to do next") < words.index("What this does not mean")
    assert Page(source).headings[0] == 1
    assert re.search(r"<h1>\s*<span>", source)


@pytest.mark.parametrize("name", SITUATIONS)
def test_no_jargon_stands_where_people_read(made: Made, name: str) -> None:
    source = (made(name) / "report.html").read_text("utf-8")
    read = re.sub(r'<section class="measured">.*?</section>', "", source, flags=re.DOTALL)
    assert not JARGON.search(Page(read).words)
    assert not re.search(r"(?:\d+, ){20}", Page(source).words), "long rows of numbers are for programs"


@pytest.mark.parametrize("name", ["made-and-changed", "nothing"])
def test_paper_never_shows_raw_keys_or_arrays(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = saved(Path("report"), name)
    stream = io.StringIO()
    html.write(report, stream, html.Extent(40, 2_000_000, rows=500, paper=True))
    words = Page(stream.getvalue()).words
    assert not JARGON.search(words)
    assert not re.search(r"[a-z]_[a-z]+|(?:\d+, ){8}", words)
    assert words.index("What this does not mean") < words.index("Appendix: the picture in detail")


def test_what_was_changed_is_drawn_by_shape_without_a_pixel(tmp_path: Path) -> None:
    saved(tmp_path, "made-and-changed")
    source = (tmp_path / "report.html").read_text("utf-8")
    assert source.count('class="box changed"') == 1
    assert source.count('class="hatch"') > 5
    assert 'class="box face"' in source
    assert "Hatched: changed." in Page(source).words
    assert Page(source).count("img") == 0


def test_a_folder_is_one_list_of_cards_with_what_the_filter_needs(made: Made) -> None:
    page = Page((made("folder-of-200") / "report.html").read_text("utf-8"))
    names = [str(name) for name in page.attributes("data-name")]
    assert len(names) == 200
    assert all("altered" in name for name in names[:6])
    assert all("/her-" in name for name in names[6:16])
    assert page.attributes("data-signs")[0] == "alteration identity known"
    assert {"high", "medium"} <= set(page.attributes("data-priority"))
    assert page.count("summary") >= 200
    for control in ("by-name", "by-priority", "by-question", "order"):
        assert control in page.attributes("id")
    assert "by-decision" not in page.attributes("id"), "nobody decided anything"


def test_copies_are_one_card_that_names_them(tmp_path: Path) -> None:
    report = saved(tmp_path, "folder-with-40-copies")
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert len(page.attributes("data-name")) == 3
    assert "+ 40 copies" in page.words
    assert "copy-33.jpg" in page.words
    report.folds = False
    write_views(report)
    assert len(Page((tmp_path / "report.html").read_text("utf-8")).attributes("data-name")) == 43


def test_many_files_stand_on_several_pages_that_lead_to_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"A_PAGE": 80, "IN_FULL": 30, "DETAILED_FILES": 70}.items():
        monkeypatch.setattr(html, name, value)
    report = saved(tmp_path, "folder-of-200")
    names = ["report.html", *(f"report-{number}.html" for number in range(2, 6))]
    assert sorted(path.name for path in tmp_path.glob("report*.html")) == sorted(names)
    pages = {name: Page((tmp_path / name).read_text("utf-8")) for name in names}
    counts = [len(pages[name].attributes("data-name")) for name in names]
    assert counts == [80, 80, 40, 30, 10], "three lists, and two pages of further files in full"
    assert {"report-2.html", "report-3.html"} <= set(pages["report.html"].attributes("href"))
    links = [str(link) for link in pages["report.html"].attributes("href") if ".html#file-" in str(link)]
    assert (links[0], links[-1], len(links)) == ("report-4.html#file-31", "report-5.html#file-70", 40)
    for link in links:
        name, _, anchor = link.partition("#")
        assert anchor in pages[name].attributes("id")
    assert "report.html" in pages["report-5.html"].attributes("href")
    assert "What to do next" not in pages["report-2.html"].words
    assert "Only the first 70 of 200 files" in pages["report.html"].words
    assert set(names) <= set(SavedReport.open(tmp_path).digests)
    for name in ("A_PAGE", "IN_FULL"):
        monkeypatch.setattr(html, name, 1000)
    write_views(report)
    assert sorted(tmp_path.glob("report*.html")) == [tmp_path / "report.html"]


def test_the_first_files_of_a_folder_stand_before_what_to_do_next(tmp_path: Path) -> None:
    saved(tmp_path, "folder-of-200")
    text = (tmp_path / "report.html").read_text("utf-8")
    start = text.index('<ol class="foremost">')
    assert start < text.index('<h2 id="next">')
    page = Page(text[start : text.index("</ol>", start) + len("</ol>")])
    assert page.attributes("href")[:5] == [f"#file-{number}" for number in range(1, 6)]
    assert set(page.attributes("href")[:5]) <= {f"#{each}" for each in Page(text).attributes("id")}
    assert page.words.count("altered-") == 5, "those of her that were altered"
    saved(tmp_path / "one", "nothing")
    assert "Look at these first" not in (tmp_path / "one" / "report.html").read_text("utf-8")


def test_the_reason_why_a_file_is_broken_is_said_once_above_its_details(tmp_path: Path) -> None:
    saved(tmp_path, "broken")
    words = Page((tmp_path / "report.html").read_text("utf-8")).words
    assert words[: words.index("What to do next", 200)].count("picture data is missing from its start") == 1


def test_a_landscape_names_no_hotline_and_a_picture_of_a_person_does(tmp_path: Path) -> None:
    nothing, person = advise(saved(tmp_path / "a", "nothing")), advise(saved(tmp_path / "b", "person-only"))
    assert (nothing.person, nothing.unsure) == (False, False)
    assert person.person
    words = Page((tmp_path / "a" / "report.html").read_text("utf-8")).words
    assert "StopNCII" not in words
    assert "notice" not in words
    assert "StopNCII" in Page((tmp_path / "b" / "report.html").read_text("utf-8")).words
    unknown = advise(saved(tmp_path / "c", "ai-mark"))
    assert (unknown.person, unknown.unsure) == (False, True), "nobody looked for a person: one sentence"
    assert advise(saved(tmp_path / "d", "ai-mark", reader=Reader.ADVOCATE)).person


def test_the_original_is_asked_for_where_none_was_given(tmp_path: Path) -> None:
    assert "--original" in str(advise(saved(tmp_path / "a", "nothing")).hint)
    assert advise(saved(tmp_path / "b", "made-and-changed")).hint is None


def test_a_journalist_is_told_how_to_verify_it(tmp_path: Path) -> None:
    made = advise(saved(tmp_path / "a", "made-and-changed", reader=Reader.JOURNALIST))
    assert any("1,600 × 520 pixels from 0, 0" in check for check in made.checks)
    nothing = " ".join(advise(saved(tmp_path / "b", "nothing", reader=Reader.JOURNALIST)).checks)
    assert "https://www.openstreetmap.org/?mlat=35.658600&mlon=139.745400" in nothing
    assert "Ann Photographer" in nothing
    for word in ("SynthID", "contentcredentials.org/verify", "An upload gives away"):
        assert word in nothing
    page = (tmp_path / "b" / "report.html").read_text("utf-8")
    assert "openstreetmap" in page
    assert not re.search(r'href="[^"]*openstreetmap', page), "as text: nobody is led there by a click"
    assert advise(saved(tmp_path / "c", "nothing")).checks == ()


@pytest.mark.parametrize(
    ("boxes", "left"),
    [
        ([Region(x=0, y=500, width=1000, height=500)], (0, 0, 1000, 500)),
        ([Region(x=600, y=0, width=400, height=1000)], (0, 0, 600, 1000)),
        ([Region(x=-50, y=-50, width=2000, height=2000)], None),
        ([], None),
    ],
)
def test_the_part_to_search_with_is_what_was_not_changed(boxes: list[Region], left: tuple[int, ...] | None) -> None:
    found = unchanged_part(boxes, 1000, 1000)
    assert (found and (found.x, found.y, found.width, found.height)) == left


def test_no_command_is_given_that_could_not_be_typed(tmp_path: Path) -> None:
    report = saved(tmp_path / "a\u202eb", "made-and-changed")
    assert [step for step in advise(report).typed if "a" in step.command and "evidence pack" in step.command] == []
    report = saved(tmp_path / "it's; $(here)", "made-and-changed")
    pack = next(step.command for step in advise(report).typed if "evidence pack" in step.command)
    assert "'\"'\"'" in pack
    report.moved = True
    assert [step.command for step in advise(report).typed] == ["nsfwforensics helplines"]


def test_a_report_that_was_not_saved_names_the_file_itself(tmp_path: Path) -> None:
    from nsfwforensics.report.writer import ReportWriter

    files, head, _ = SITUATIONS["person-only"]
    with ReportWriter(None) as writer:
        writer.begin(head)
        for one in files():
            writer.add(one)
        commands = [step.command for step in advise(writer.finish(head)).typed]
    assert "nsfwforensics notice her/other.jpg --law generic" in commands
    assert "nsfwforensics evidence pack her/other.jpg -o evidence" in commands


def test_decisions_can_be_filtered_by(tmp_path: Path) -> None:
    from nsfwforensics.report.page.sections import decision
    from tests.report.factory import finding, result

    mark = finding("CASE-001", data={"decision": "relevant"})
    marked = picture("a.jpg", result("case", origin="case", findings=(mark,)))
    assert decision(marked) == "relevant"
    assert decision(picture("b.jpg")) == ""

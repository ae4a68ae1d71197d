"""The Japanese report is Japanese: what stands in it in Latin letters are names, codes, and values out of the files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nsfwforensics import examine
from nsfwforensics.care.helplines import helplines
from nsfwforensics.core.registry import built_in, installed
from nsfwforensics.core.types import AnalyzerStatus, FileReport
from nsfwforensics.language import language
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter, write_views
from tests.report.factory import declared, file, finding, header, result

QUOTED = {"code", "bdi", "kbd", "cite", "script", "style"}
"""What stands in these is not said by the report: values out of files, commands, paths, titles of publications."""

VOID = {"meta", "link", "img", "input", "br", "hr", "rect", "circle", "line", "path", "polygon", "wbr", "col"}
SPOKEN = ("aria-label", "alt", "title", "placeholder")

NAMES = frozenset(
    re.findall(
        r"\S+",
        """
        AI AIGC Android APP C2PA CLIP CMYK Content Credentials DCT EXIF Exif GPS HTML IFD IPTC JPEG kB MB MD5 NCII PDQ
        PNG RAW RGB ROC SHA-1 SNS UTC URL XMP aHash dHash pHash wHash iOS macOS image jpeg png
        DISPUTED INVESTIGATION_SEED NEGATIVE POSITIVE
        Adobe Apple ByteDance Canon Corel Facebook FLUX Black Forest Labs GD GIMP Google Instagram Meitu NovelAI ReActor
        Stable Diffusion SynthID Topaz WhatsApp Windows XL xAI web UI nsfwforensics Python Linux x86_64 pillow torch
        TAKE IT DOWN Act Enter us eu uk generic
        """,
    )
)
"""Every name that the report may say outside quotations."""

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_'’-]+")
_VALUE = re.compile(
    r"「[^「」]*」|--[a-z-]+|[A-Z]{3,5}-\d{3}|https?://\S+|\b[\w/+-]+\.(?:json|csv|safetensors|md|jpg|png)\b"
)


class Said(HTMLParser):
    """What a page says itself: its text and its spoken attributes, without what it quotes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = [""]
        self.lang: str | None = None
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "html":
            self.lang = found.get("lang")
        if not QUOTED.intersection(self.open):
            self.texts += [value for name in SPOKEN if (value := found.get(name))]
            self.texts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not QUOTED.intersection(self.open):
            self.texts.append(data)

    def english(self, allowed: Iterable[str] = ()) -> set[str]:
        """Words in Latin letters that are not names, with the text around them."""
        names = NAMES | set(allowed)
        found = set()
        for text in self.texts:
            plain = _VALUE.sub("", text)
            found |= {f"{word} in {plain.strip()!r}" for word in _WORD.findall(plain) if word not in names}
        return found


def _rendered(folder: Path, files: Iterable[FileReport]) -> Said:
    with ReportWriter(folder) as writer:
        for each in files:
            writer.add(each)
        writer.finish(header(analyzers=declared(*(each.name for each in built_in()))))
    write_views(SavedReport.open(folder, language("ja")))
    return Said((folder / "report.html").read_text(encoding="utf-8"))


def _services() -> set[str]:
    """The names of help lines and their addresses, which stay as they are in every language."""
    return {
        word
        for line in helplines()
        for text in (line.title("ja"), line.what("ja"), line.url or "")
        for word in _WORD.findall(text)
    }


@pytest.fixture(scope="module")
def scanned(samples: Path) -> list[FileReport]:
    only = ("metadata", "provenance", "jpeg", "phash")
    photos = ("edited-copy.jpg", "IMG-20260112-WA0007.jpg", "other-person.jpg", "truncated.jpg", "corrupt.jpg")
    others = ("generator-metadata.png", "screenshot.png", "wrong-extension.png", "not-an-image.txt")
    return [examine(samples / name, only=only) for name in (*photos, *others)]


def test_the_report_of_samples_is_said_in_japanese(tmp_path: Path, scanned: list[FileReport]) -> None:
    seen = {each.code for scanned_file in scanned for each in scanned_file.findings}
    assert {"META-001", "META-004", "META-009", "META-011", "PROV-001", "JPEG-001"} <= seen
    said = _rendered(tmp_path, scanned)
    assert said.lang == "ja"
    fields = {"DateTime", "DateTimeDigitized", "DateTimeOriginal", "ExifIFD", "GPSDate", "GPSTimeStamp", "IFD0", "IFD1"}
    checks = {each.analyzer for scanned_file in scanned for each in scanned_file.results}
    assert said.english(_services() | fields | checks | {"jpg", "UTC-05"}) == set()


@pytest.mark.parametrize("sensitive", [False, True])
def test_every_finding_of_every_check_is_said_in_japanese(tmp_path: Path, sensitive: bool) -> None:
    results = []
    for registration in installed():
        analyzer = registration.load()
        findings = tuple(
            finding(code, title=each.title, severity=each.severity, explanation=each.caveat, caveat=each.caveat)
            for code, each in analyzer.codes.items()
        )
        results.append(result(analyzer.name, analyzer.question, findings=findings))
    assert sum(len(each.findings) for each in results) > 60
    said = _rendered(tmp_path, [file("a.jpg", *results, sensitive=sensitive), file("b.jpg", results[0])])
    assert said.english(_services()) == set()


def test_a_report_of_one_file_is_said_in_japanese(tmp_path: Path) -> None:
    said = _rendered(tmp_path, [file("a.jpg", result("metadata", status=AnalyzerStatus.NOTHING_FOUND))])
    assert said.english(_services()) == set()


def test_an_english_sentence_is_noticed(tmp_path: Path) -> None:
    english = finding(explanation="Nobody has translated this.", title="Untranslated")
    said = _rendered(tmp_path, [file("a.jpg", result(findings=(english,)))])
    words = {found.split(" in ")[0] for found in said.english(_services())}
    assert {"Nobody", "has", "translated", "this", "Untranslated"} <= words

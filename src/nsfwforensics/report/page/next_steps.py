"""What a reader can do next with this report: commands that run as they stand, and advice for whoever reads it.

Nothing of it is done or sent by the tool. A command names only what is there: the report's folder, or the files
themselves where no report was saved; where it could not be typed as it is shown, none is given.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from nsfwforensics.core.fields import field_rows
from nsfwforensics.core.messages import say
from nsfwforensics.core.sensitive import needs_care
from nsfwforensics.core.types import Capability, FileReport, Question, Reader, Region, Support
from nsfwforensics.report.words import advice
from nsfwforensics.report.words.text import shorten, visible

if TYPE_CHECKING:
    from nsfwforensics.report.saved.report import SavedReport

TOOL = "nsfwforensics"
CHECKED = "2026-11"
"""The month in which what is said of services outside was checked."""

MOST_NAMED = 5
"""Most pictures that one command names by their digests."""

_LOOKED_THROUGH = 1000
"""How many of the first files decide what advice a large report gives."""

_LONGEST_CREDIT = 120
_CREDITS = frozenset(
    name.casefold()
    for name in (
        "Artist",
        "Creator",
        "By-line",
        "Credit",
        "Copyright",
        "CopyrightNotice",
        "Rights",
        "Source",
        "Contact",
    )
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the advice, with its command where there is one.

    Attributes:
        text: What, and why.
        command: What to type for it, whole and quoted for the shell of this system; empty where nothing is typed.
    """

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """What comes next, for one report and one reader.

    Attributes:
        typed: What is typed for it, the most pressing first.
        besides: What needs no command.
        hint: What would let the tool say more, or None.
        checks: How a journalist can verify a picture; empty for others.
        person: Whether somebody is, or may be, shown: then help lines are named.
        unsure: Whether nobody looked for a person, so that one sentence names the help there is.
    """

    typed: tuple[Step, ...] = ()
    besides: tuple[str, ...] = ()
    hint: str | None = None
    checks: tuple[str, ...] = ()
    person: bool = False
    unsure: bool = False


def advise(saved: SavedReport) -> Advice:
    """What to do next.

    Args:
        saved: The report; its reader is whom the advice is for.
    """
    reader = saved.reader
    found = _Met.of(saved)
    if not found.first:
        return Advice(person=saved.sensitive)
    person = found.person or saved.sensitive
    unsure = not person and not found.nobody
    if reader is Reader.ADVOCATE and unsure:
        person, unsure = True, False
    steps = [*(_removal(saved, found) if person else ()), *_steps(saved, found)]
    return Advice(
        typed=tuple(step for step in steps if step.command),
        besides=tuple(_besides(saved, person=person)),
        hint=_ORIGINAL if found.unedited else None,
        checks=tuple(_checks(saved, found)) if reader is Reader.JOURNALIST else (),
        person=person,
        unsure=unsure,
    )


MOST_TYPED = 3
"""How many commands a terminal shows."""


_ORIGINAL = say(
    "Have the original? Examine the picture again with {option} and the photo that it may have been made from: then it "
    "is shown what was changed, and where.",
    option="--original",
)


@dataclass(frozen=True, slots=True)
class _Met:
    """What decides the advice.

    Attributes:
        first: The first files in the order of triage.
        persons: Those that show, or may show, somebody.
        nobody: Whether faces were looked for in every picture and none was found.
        unedited: Whether in some picture no sign of editing was found and no original was given.
    """

    first: tuple[FileReport, ...]
    persons: tuple[FileReport, ...]
    nobody: bool
    unedited: bool

    @property
    def person(self) -> bool:
        return bool(self.persons)

    @classmethod
    def of(cls, saved: SavedReport) -> _Met:
        files = [file for file in islice(saved.by_priority(), _LOOKED_THROUGH) if not file.skipped]
        comparing = saved.header.providing(Capability.ORIGINALS)
        originals = any(record.options.get("original") for record in saved.header.analyzers if record.name in comparing)
        return cls(
            first=tuple(files[:MOST_NAMED]),
            persons=tuple(file for file in files if shows_somebody(file))[:MOST_NAMED],
            nobody=bool(files) and all(_without_faces(file) for file in files),
            unedited=not originals and any(_support(file, Question.ALTERATION) in _UNTOLD for file in files),
        )


_UNTOLD = (Support.NO_INDICATION, Support.INCONCLUSIVE)


def shows_somebody(file: FileReport) -> bool:
    """Whether a picture shows a face that was looked at, or may be intimate."""
    faces = (finding for result in file.results for finding in result.about(Question.IDENTITY))
    return file.sensitive or needs_care(file.results) or any(finding.region is not None for finding in faces)


def _without_faces(file: FileReport) -> bool:
    """Whether faces were looked for and none was found."""
    return _support(file, Question.IDENTITY) is not Support.NOT_CHECKED and not shows_somebody(file)


def _support(file: FileReport, question: Question) -> Support:
    return next((answer.support for answer in file.answers if answer.question is question), Support.NOT_CHECKED)


def _steps(saved: SavedReport, found: _Met) -> Iterator[Step]:
    reader = saved.reader
    yield Step(advice.PACK, _pack(saved, found))
    if reader is Reader.ANALYST and saved.folder is not None and not saved.moved:
        yield Step(
            say("Have this report as JSON for other programs."), _command("report", _path(saved.folder), "--json")
        )
    if reader is Reader.ANALYST and saved.summary.files > 1 and saved.common_folder:
        yield Step(
            say("Have copies, crops and screenshots of one picture put into groups."),
            _command("cluster", _path(saved.common_folder)),
        )
    if reader in (Reader.ANALYST, Reader.JOURNALIST):
        yield Step(
            say("What you find outside comes back as evidence of a case, with its digest. This says how."),
            _command("evidence", "attach", "--help"),
        )


def _besides(saved: SavedReport, *, person: bool) -> Iterator[str]:
    yield advice.KEEP_FILE
    if person:
        yield advice.NO_FORWARDING
        yield advice.MINOR
    if saved.reader is not Reader.ANALYST:
        yield advice.WRITE_DOWN
    if saved.reader is not Reader.JOURNALIST:
        yield advice.EXPERT


def _removal(saved: SavedReport, found: _Met) -> Iterator[Step]:
    yield Step(
        say(
            "If it shows somebody intimately without their consent, ask for its removal. This drafts a request, which "
            "does not depend on how the picture was made; you check it and send it yourself. Other laws: {laws:comma}.",
            laws=[law for law in _LAWS if law != _law(saved)],
        ),
        _notice(saved, found),
    )
    japanese = ("--country", "jp", "--lang", "ja") if _law(saved) == "jp" else ()
    yield Step(advice.TALK, _command("helplines", *japanese))


_LAWS = ("us", "eu", "uk", "jp", "generic")


def _law(saved: SavedReport) -> str:
    return "jp" if saved.language.code == "ja" else "generic"


def _pack(saved: SavedReport, found: _Met) -> str:
    if saved.folder is not None:
        place = _path(saved.folder)
        return "" if saved.moved else _command("evidence", "pack", place, "-o", f"{place.rstrip('/')}-evidence")
    places = _files(saved, found)
    return _command("evidence", "pack", *places, "-o", "evidence") if places else ""


def _notice(saved: SavedReport, found: _Met) -> str:
    law = ("--law", _law(saved))
    if saved.folder is None:
        return _command("notice", *_files(saved, found), *law)
    if saved.moved:
        return ""
    chosen: list[str] = []
    if saved.summary.files > 1:
        digests = dict.fromkeys(file.info.sha256 for file in found.persons or found.first if file.info.sha256)
        chosen = [part for digest in digests for part in ("--file", digest[:12])]
        if not chosen:
            return ""
    return _command("notice", _path(saved.folder), *law, *chosen)


def _files(saved: SavedReport, found: _Met) -> list[str]:
    """The files that a command names where no report was saved; all of a few, or none."""
    if saved.summary.files > MOST_NAMED:
        return []
    return [_path(file.info.path) for file in found.first if not file.error]


def _path(path: str | Path) -> str:
    """A path as a command takes it: never one that looks like an option."""
    text = str(path)
    return f"./{text}" if text.startswith("-") else text


def _command(*parts: str) -> str:
    """A command line for the shell of this system; empty where it could not be typed as it is shown."""
    if any(not part or visible(part) != part for part in parts):
        return ""
    return subprocess.list2cmdline((TOOL, *parts)) if sys.platform == "win32" else shlex.join((TOOL, *parts))


def _checks(saved: SavedReport, found: _Met) -> Iterator[str]:
    """How a journalist verifies the first picture."""
    if not found.first:
        return
    from nsfwforensics.report.charts.dates import stated_dates  # with all charts, which other readers' scans do without

    file = found.first[0]
    if saved.summary.files > 1:
        yield say("These steps speak of the first file, {name}.", name=file.info.name or file.info.path)
    yield from _search(file)
    dates = [date for date in stated_dates(file, saved.declared) if date.source != "file system"]
    if dates:
        yield say(
            "The earliest date that the file states is {date} ({source}). An earlier copy elsewhere would contradict "
            "it. Anyone can write a date into a file.",
            date=dates[0].words,
            source=dates[0].source,
        )
    else:
        yield say("The file states no date. The earliest copy that a search finds is the latest that it can be from.")
    if (place := _place(file)) is not None:
        yield say(
            "It states where it was taken. As an address to copy, which shows the place to whoever runs the map: "
            "{address} Compare buildings, signs, shadows and weather with what the picture shows.",
            address=f"https://www.openstreetmap.org/?mlat={place[0]:.6f}&mlon={place[1]:.6f}#map=17/{place[0]:.6f}/{place[1]:.6f}",
        )
    names = _credits(saved, file)
    if names:
        yield say("Names that stand in the file, and can be asked: {names:comma}. They may be false.", names=names)
    yield say(
        "Ask whoever sent it for the file as it left the camera, not for a forwarded copy, and whoever is shown, where "
        "that does not endanger them."
    )
    yield say(
        "Content Credentials are checked here already. The page contentcredentials.org/verify reads them too, and may "
        "find some that are kept online (as of {month}).",
        month=CHECKED,
    )
    yield say(
        "Google’s SynthID watermark cannot be read without Google: the Gemini app answers whether a picture carries it "
        "(as of {month}). It knows Google’s generators only, and “not found” says nothing of others.",
        month=CHECKED,
    )
    yield say(
        "An upload gives away the picture, your network address, the time, and with an account your name; services may "
        "keep it. Never upload an intimate picture or that of a source: search with a crop without the person."
    )


def _search(file: FileReport) -> Iterator[str]:
    info = file.info
    changed = [
        finding.region
        for result in file.results
        for finding in result.about(Question.ALTERATION)
        if finding.region is not None and finding.support is Support.SUPPORTS
    ]
    crop = unchanged_part(changed, info.width or 0, info.height or 0)
    if crop is not None:
        yield say(
            "Search for it by image (TinEye, Google Lens, Bing, Yandex) with the part that was not changed: {width:,} "
            "× {height:,} pixels from {x:,}, {y:,} counted from the top left corner. The picture that it was made from "
            "may be found so.",
            width=crop.width,
            height=crop.height,
            x=crop.x,
            y=crop.y,
        )
    else:
        yield say(
            "Search for it by image (TinEye, Google Lens, Bing, Yandex), whole and then without borders and captions; "
            "then mirrored. Sort by age where that can be done."
        )


def unchanged_part(changed: list[Region], width: int, height: int) -> Region | None:
    """The largest part of a picture that lies beside everything that was changed in it.

    Args:
        changed: Where it was changed.
        width: Of the picture in pixels.
        height: Likewise.

    Returns:
        A box from edge to edge; None where nothing was changed or less than a tenth of the picture is left.
    """
    if not changed or not width or not height:
        return None
    left, top = min(box.x for box in changed), min(box.y for box in changed)
    right, bottom = max(box.x + box.width for box in changed), max(box.y + box.height for box in changed)
    left, right = max(0, min(left, width)), max(0, min(right, width))
    top, bottom = max(0, min(top, height)), max(0, min(bottom, height))
    beside = (
        Region(x=0, y=0, width=width, height=top),
        Region(x=0, y=bottom, width=width, height=height - bottom),
        Region(x=0, y=0, width=left, height=height),
        Region(x=right, y=0, width=width - right, height=height),
    )
    best = max(beside, key=lambda box: box.width * box.height)
    return best if best.width * best.height * 10 >= width * height else None


def _place(file: FileReport) -> tuple[float, float] | None:
    """Where a file says that it was taken, in degrees."""
    for finding in file.findings:
        latitude, longitude = _degrees(finding.data, "latitude", 90), _degrees(finding.data, "longitude", 180)
        if latitude is not None and longitude is not None:
            return latitude, longitude
    return None


def _degrees(data: Mapping[str, object], key: str, most: float) -> float | None:
    value = data.get(key)
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain and abs(float(value)) <= most else None  # type: ignore[arg-type]


def _credits(saved: SavedReport, file: FileReport) -> list[str]:
    rows = field_rows(file, saved.declared.providing(Capability.FIELDS))
    named = (row.value.strip() for row in rows if row.name.replace(" ", "").casefold() in _CREDITS)
    return [shorten(name, _LONGEST_CREDIT) for name in dict.fromkeys(named) if name][:MOST_NAMED]


__all__ = ["CHECKED", "MOST_TYPED", "Advice", "Step", "advise", "shows_somebody", "unchanged_part"]

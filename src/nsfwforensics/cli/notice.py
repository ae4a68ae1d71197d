"""``notice``: drafts a removal request; nothing is sent."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from nsfwforensics.care.helplines import EVERYWHERE, helplines
from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.cli.failures import note
from nsfwforensics.cli.recorded import record
from nsfwforensics.cli.run import read_paths, reporting_errors
from nsfwforensics.core.places import keep_apart
from nsfwforensics.errors import ReportError, UsageError
from nsfwforensics.notice.draft import NoticeDraft, draft
from nsfwforensics.notice.person import read_person, web_address
from nsfwforensics.notice.pictures import is_case, pictures
from nsfwforensics.notice.regimes import Law, regime
from nsfwforensics.notice.rendering import DraftFormat, cover, letter
from nsfwforensics.report.console.file import plain
from nsfwforensics.report.saved.folder import replace_file
from nsfwforensics.store.casedb import CaseDatabase

CUT = "- - - - - - - - - - - - - - -  the letter begins below this line  - - - - - - - - - - - - - - -"


class CoverLanguage(StrEnum):
    """Languages of covers."""

    EN = "en"
    JA = "ja"


@reporting_errors
def notice(
    places: Annotated[
        list[Path] | None,
        typer.Argument(help="A case, the folder of a saved report, or pictures, which are only hashed."),
    ] = None,
    law: Annotated[Law, typer.Option("--law", help="Under which law.", show_default=False)] = ...,  # type: ignore[assignment]
    url: Annotated[list[str] | None, typer.Option("--url", help="Where it can be seen; may be repeated.")] = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", help="Of a case or report: only this picture, by name or SHA-256; may be repeated."),
    ] = None,
    pdq: Annotated[
        bool,
        typer.Option("--pdq", help="Also give perceptual hashes, which find re-saved copies; may be personal data."),
    ] = False,
    lang: Annotated[
        CoverLanguage | None,
        typer.Option("--lang", help="Language: en or ja. A letter stays in English where its law has no Japanese one."),
    ] = None,
    person: Annotated[
        Path | None, typer.Option("--person", help="A TOML file with the person's own words and details.")
    ] = None,
    country: Annotated[
        str | None, typer.Option("--country", help="Whose help lines stand on the cover; that of the law if omitted.")
    ] = None,
    lines: Annotated[
        Path | None, typer.Option("--helplines", help="A file of help lines to lay over the shipped ones.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the letter here (.md, .txt, .html), and its cover beside it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the draft and what is missing as JSON.")] = False,
) -> None:
    """Drafts a removal request."""
    named = read_paths(places or [])
    keep_apart([output], named)
    entry = regime(law)
    wanted = entry.country if country is None else country
    made = draft(
        law,
        language=lang.value if lang else entry.letters[0],
        person=read_person(person) if person else None,
        urls=[web_address(one) for one in url or ()],
        pictures=pictures(named, file or (), pdq=pdq),
        lines=helplines(None if wanted == EVERYWHERE else wanted, own=lines),
    )
    form = _format(output)
    texts = letter(made, form), cover(made, form)
    if output is not None:
        _write(output, *texts)
    for case in filter(is_case, named):
        with CaseDatabase.open(case) as opened:
            record(opened, "notice drafted", subject=law.value, counts={"pictures": len(made.pictures)})
    if as_json:
        sys.stdout.write(json.dumps(made.record(*texts), ensure_ascii=True, indent=2) + "\n")
    elif output is None:
        sys.stdout.write(f"{texts[1]}\n{CUT}\n\n{texts[0]}")
    else:
        _say(made, output)


def _format(output: Path | None) -> DraftFormat:
    if output is None:
        return DraftFormat.TEXT
    try:
        return DraftFormat(output.suffix.lower().removeprefix("."))
    except ValueError:
        raise UsageError(f"{output}: the name of a draft ends in .md, .txt or .html") from None


def _write(place: Path, text: str, cover_text: str) -> None:
    """Writes letter and cover for their owner only; nothing is ever written over.

    Raises:
        ReportError: Something is there already, or it cannot be written.
    """
    beside = _cover_of(place)
    for path in (place, beside):
        if os.path.lexists(path):
            raise ReportError(f"{path} is there already; choose another name")
    try:
        for path, content in ((beside, cover_text), (place, text)):
            replace_file(path, lambda stream, content=content: stream.write(content), over=False)  # type: ignore[misc]
    except FileExistsError:
        raise ReportError(f"{path} is there already; choose another name") from None
    except OSError as error:
        raise ReportError(f"cannot write {place}: {error.strerror}") from error


def _cover_of(place: Path) -> Path:
    return place.with_name(f"{place.stem}.cover{place.suffix}")


def _say(made: NoticeDraft, output: Path) -> None:
    console = Console()
    console.print(Text("Letter: ") + plain(output, "bold"), soft_wrap=True)
    console.print(Text("Cover, for you only: ") + plain(_cover_of(output), "bold"), soft_wrap=True)
    for slot in made.missing():
        console.print(
            Text(f"  still to do ({slot.state.value.replace('_', ' ')}): {slot.entry.say('en')}"), soft_wrap=True
        )
    note("nothing was sent; if the person shown is or may be under 18, read the cover first")


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("notice", help=COMMANDS["notice"])(notice)

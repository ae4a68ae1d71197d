"""Values of files on a terminal: what an analyzer's own command shows, and hashes."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nsfwforensics.core.command import Listing
from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.types import AnalyzerStatus, Capability
from nsfwforensics.language import Language
from nsfwforensics.report.console.parts import indent, named, plain
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.words.answers import hashes
from nsfwforensics.report.words.wording import failures, told


def render_listing(listing: Listing, console: Console, language: Language) -> None:
    """Prints what an analyzer's own command shows of a file."""
    says = language.says
    console.print(named(says(listing.title), "bold"), soft_wrap=True)
    if listing.text:
        console.print(plain(says(listing.text)), soft_wrap=True)
    if listing.head and listing.rows:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        for heading in listing.head:
            table.add_column(says(heading), overflow="fold")
        for row in listing.rows:
            table.add_row(*(plain(cell, limit=200) for cell in row))
        console.print(table)
    for row in listing.rows if not listing.head else ():
        console.print(plain("  " + "  ".join(row), limit=400))


def render_hashes(saved: SavedReport, console: Console) -> None:
    """Prints, for every file, its digests and perceptual hashes, each in one piece so that it can be copied."""
    says = saved.language.says
    providers = saved.declared.providing(Capability.HASHES)
    for file in saved.files():
        console.print(named(file.info.path, "bold"), soft_wrap=True)
        rows = hashes(file, providers)
        if not rows:
            why = [*failures(file)] or [told(file, "error") or say("No hashes were computed.")]
            indent(plain(says(Message("{reasons:semicolon}", {"reasons": why}))), console)
        for name, value in rows:
            console.print(Text(f"  {name:<15}", "dim") + plain(says(value), limit=4000), soft_wrap=True)
        for result in file.results:
            if result.status is AnalyzerStatus.FAILED and rows:
                failed = say("{analyzer} failed: {reason}", analyzer=result.analyzer, reason=told(result, "error"))
                indent(plain(says(failed)), console)
        console.print()

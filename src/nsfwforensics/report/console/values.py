"""Values that stand in files, and their hashes, on a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.types import AnalyzerStatus
from nsfwforensics.report.console.parts import indent, plain
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.words.answers import hashes, metadata_fields
from nsfwforensics.report.words.wording import failures, told


def render_fields(saved: SavedReport, console: Console) -> None:
    """Prints, for every file, the values that stand in it with the place each was read from."""
    says = saved.language.says
    for file in saved.files():
        console.print(plain(file.info.path, "bold"))
        rows = metadata_fields(file)
        if not rows:
            why = told(file, "error") or say("No values were read from this file.")
            indent(plain(says(why)) + Text("\n"), console)
            continue
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        for heading, ratio in ((say("Name"), 3), (say("Value"), 5), (say("Read from"), 3)):
            table.add_column(says(heading), overflow="fold", ratio=ratio)
        for row in rows:
            table.add_row(plain(row.name, limit=120), plain(row.value, limit=200), plain(row.source, "dim", 120))
        console.print(table)


def render_hashes(saved: SavedReport, console: Console) -> None:
    """Prints, for every file, its digests and perceptual hashes, each in one piece so that it can be copied."""
    says = saved.language.says
    for file in saved.files():
        console.print(plain(file.info.path, "bold"), soft_wrap=True)
        rows = hashes(file)
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

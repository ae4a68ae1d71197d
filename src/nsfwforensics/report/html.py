"""The HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from nsfwforensics.report.saved import SavedReport


def write(saved: SavedReport, stream: TextIO) -> None:
    """Writes the page."""
    stream.write(str(saved.summary.files))

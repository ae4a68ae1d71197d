"""``metadata``: what files say about themselves, as a table of fields and as findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nsfwforensics.core.command import Command, Listing
from nsfwforensics.core.messages import say

if TYPE_CHECKING:
    from nsfwforensics.core.types import FileReport


def _fields(file: FileReport) -> Iterator[Listing]:
    from nsfwforensics.core.fields import field_rows

    rows = field_rows(file, ("metadata",))
    missing = file.said("error") if file.error else say("No values were read from this file.")
    yield Listing(
        title=file.info.path,
        text="" if rows else missing,
        head=(say("Name"), say("Value"), say("Read from")),
        rows=tuple(rows),
    )


COMMAND = Command(
    "metadata",
    "Show what files say about themselves: EXIF, XMP, IPTC, comments.",
    listing=_fields,
    examples=("metadata picture.jpg",),
)

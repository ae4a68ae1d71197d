"""The metadata analyzer's table of findings, and its table of fields for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from nsfwforensics.analyzers.metadata.identity import Statement
from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.messages import say
from nsfwforensics.core.quoting import cut
from nsfwforensics.core.types import Question, Severity
from nsfwforensics.formats.fields import MAX_LISTED, Field, Metadata, Rational, plain_text, value_size

MAX_TABLE = 1_000_000
"""Longest table of fields in a report, in characters."""

MAX_STATEMENTS = 20
"""Most statements of one kind that a finding lists."""

_CLAIM = say("Anyone can write, change or copy these values; they are what the file says, not proof.")

CODES: Mapping[str, Code] = {
    "META-001": Code(
        say("File name extension does not fit the content"),
        Severity.LOW,
        say("Apps and web sites often convert a picture and keep its old name; this alone is no sign of tampering."),
    ),
    "META-002": Code(say("Capture device named"), Severity.LOW, _CLAIM),
    "META-003": Code(
        say("Times stated"), Severity.INFO, say("Camera clocks are often wrong, and anyone can change these values.")
    ),
    "META-004": Code(
        say("Times that do not fit together"),
        Severity.MEDIUM,
        say("A wrong camera clock, a scanned photo, or harmless software that re-saved the file can also cause this."),
    ),
    "META-005": Code(
        say("Editing software named"),
        Severity.LOW,
        say("Editors are also used for cropping, rotating or exporting; the name does not say what was changed."),
    ),
    "META-006": Code(
        say("Position stored in the file (personal data)"),
        Severity.LOW,
        say(
            "The position can be wrong by far, or have been written later. Remove it before sharing the file "
            "with others."
        ),
    ),
    "META-007": Code(
        say("Names of people stored in the file (personal data)"),
        Severity.LOW,
        say("A name may belong to the camera's owner, a company or software, not to whoever took or sent the picture."),
    ),
    "META-008": Code(
        say("Serial numbers stored in the file (personal data)"),
        Severity.LOW,
        say("A serial number can link pictures to one device, not to the person who used it; it can be changed."),
    ),
    "META-009": Code(
        say("Embedded thumbnail shows something else"),
        Severity.MEDIUM,
        say("Heavy cropping or filters change the picture too; some software copies thumbnails from another file."),
    ),
    "META-010": Code(
        say("Signs of a screenshot"), Severity.LOW, say("Such marks can be added by anyone, and a file can be renamed.")
    ),
    "META-011": Code(
        say("Signs of a messenger or social network"),
        Severity.LOW,
        say("Names and sizes can be imitated or arise by chance; the mark says nothing about who sent the picture."),
    ),
    "META-012": Code(
        say("Comment or caption in the file"), Severity.INFO, say("Anyone can write such text into a file.")
    ),
    "META-013": Code(
        say("No metadata about the origin"),
        Severity.INFO,
        say("Most messengers and web sites strip metadata, so this is usual and proves nothing either way."),
    ),
    "META-014": Code(
        say("The file is cut short"),
        Severity.LOW,
        say("An interrupted download or a damaged disk causes this far more often than intent."),
    ),
    "META-015": Code(
        say("Metadata could not be read in full"),
        Severity.INFO,
        say("Old cameras and careless software write faulty metadata; what could not be read may or may not matter."),
    ),
    "META-016": Code(
        say("More metadata than is read"),
        Severity.LOW,
        say(
            "Long documents and long editing histories reach such limits too; but a file can also be filled so that a "
            "label in it is not read."
        ),
    ),
    "META-017": Code(
        say("Other program named"),
        Severity.INFO,
        say("Anyone can write a program's name into a file, and it does not say what the program did."),
    ),
    "META-018": Code(
        say("Camera data that do not look as the maker writes them"),
        Severity.LOW,
        say(
            "Programs that copy or convert pictures also rewrite such values; it shows that something other than the "
            "camera wrote them, not what was done to the picture."
        ),
    ),
    "META-019": Code(
        say("Notes beside the picture"),
        Severity.INFO,
        say("Anyone can write, change or rename such a file; it says what somebody noted, not what the picture says."),
    ),
    "META-020": Code(
        say("Data behind the end of the picture"),
        Severity.LOW,
        say(
            "Phones, cameras and programs put data of their own behind a picture; a file can also be joined to it on "
            "purpose, or by a fault in storing it."
        ),
        question=Question.ALTERATION,
    ),
    "META-021": Code(
        say("Remains of a larger picture behind the end"),
        Severity.MEDIUM,
        say(
            "Editors with a known fault leave this when a cropped or drawn-over picture is saved over "
            "its file. Data that merely ends as a picture does looks the same."
        ),
        question=Question.ALTERATION,
    ),
}


def field_table(metadata: Metadata, max_fields: int, max_value: int) -> dict[str, Any]:
    """The fields as plain values for the report, bounded in number and size.

    Args:
        metadata: What was read.
        max_fields: Most rows.
        max_value: Longest value shown, in characters; longer ones are cut and their full length is named.

    Returns:
        ``fields`` (rows with ``source``, ``group``, ``tag``, ``name``, ``value`` and, where it says more, ``text``),
        ``fields_read``, ``fields_left_out``, ``end_of_image`` (offset in bytes or null), ``thumbnails`` and ``notes``.
    """
    rows: list[dict[str, Any]] = []
    size = 0
    for field in metadata.fields[:max_fields]:
        row = _row(field, max_value)
        size += len(str(row))
        if size > MAX_TABLE:
            break
        rows.append(row)
    return {
        "fields": rows,
        "fields_read": len(metadata.fields),
        "fields_left_out": len(metadata.fields) - len(rows) + metadata.dropped,
        "end_of_image": metadata.end,
        "thumbnails": [{"source": each.source, "bytes": len(each.data)} for each in metadata.thumbnails],
        "notes": list(metadata.notes),
    }


def _row(field: Field, limit: int) -> dict[str, Any]:
    row: dict[str, Any] = {"source": field.source, "group": field.group, "tag": cut(field.tag, 200)}
    row |= {"name": cut(field.name, 200), "value": _shown(field, limit)}
    words = cut(field.text, limit)
    if words and words != plain_text(field.value)[: len(words)] and not isinstance(field.value, bytes):
        row["text"] = words
    return row


def _shown(field: Field, limit: int) -> Any:
    value = field.value
    if isinstance(value, bytes):
        return f"({value_size(value)} bytes)"
    if isinstance(value, Rational):
        return str(value)
    if isinstance(value, tuple):
        items = [str(item) if isinstance(item, Rational) else item for item in value[:MAX_LISTED]]
        return items if len(value) <= MAX_LISTED else [*items, f"… ({len(value)} values in all)"]
    return cut(value, limit) if isinstance(value, str) else value


def listed(found: Sequence[Statement]) -> list[dict[str, str]]:
    """The first :data:`MAX_STATEMENTS` statements as plain values, long texts cut."""
    return [asdict(statement) | {"text": cut(statement.text, 1000)} for statement in found[:MAX_STATEMENTS]]

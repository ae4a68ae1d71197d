"""``search``: pictures looked up in lists of known images, every match a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.command import Command, Listing

if TYPE_CHECKING:
    from nsfwforensics.core.types import FileReport

_PART = "part"  # the kind of match where local features agree


def _matches(file: FileReport) -> Iterator[Listing]:
    from nsfwforensics.core.types import Question

    answer = next((one for one in file.answers if one.question is Question.KNOWN), None)
    yield Listing(
        title=file.info.path,
        text=answer.said("statement") if answer else file.error or "not examined",
        head=("match", "distance", "picture", "opinion", "list", "name", "cases"),
        rows=tuple(map(_cells, _entries(file))),
    )


def _cells(entry: Mapping[str, Any]) -> tuple[str, ...]:
    kind = str(entry.get("hash_kind", ""))
    cells = (
        kind if kind == _PART else kind.upper(),
        f"{entry.get('matching_points')} points" if kind == _PART else entry.get("distance", ""),
        _shown(entry) if kind == _PART else entry.get("transform", ""),
        _opinion(entry),
        entry.get("list", ""),
        entry.get("name", ""),
        ", ".join(entry.get("cases", {})),
    )
    return tuple(map(str, cells))


def _opinion(entry: Mapping[str, Any]) -> str:
    category = entry.get("category")
    said = entry.get("opinion") or "none"
    return said if category is None else f"{said}, category {category}"


def _shown(entry: Mapping[str, Any]) -> str:
    """How much of the known picture is seen, and how."""
    share = entry.get("share_of_known_shown")
    shown = f"{share:.0%} of it" if isinstance(share, float | int) else ""
    return f"{shown}, mirrored" if entry.get("mirrored") else shown


def _entries(file: FileReport) -> Iterator[dict[str, Any]]:
    for finding in file.findings:
        matches: Any = finding.data.get("matches")
        yield from (entry for entry in matches or () if isinstance(entry, dict))


COMMAND = Command(
    "search",
    "Look pictures up in lists of known images.",
    needs={"known": "name a list of known images or an index to search in: --known LIST"},
    listing=_matches,
    place="instead",
    examples=("search photos/ --known list.csv",),
)

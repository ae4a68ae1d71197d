"""``provenance``: what files say about where they came from, with the settings that could be recovered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.command import Command, Listing

if TYPE_CHECKING:
    from nsfwforensics.core.types import FileReport

_SHOWN = ("model", "seed", "job_id")


def _recovered(file: FileReport) -> Iterator[Listing]:
    lines = tuple((line,) for line in _lines(file))
    if lines:
        yield Listing(f"Recovered from {file.info.name} (in full with --json):", rows=lines)


def _lines(file: FileReport) -> Iterator[str]:
    """One line for each recovered value; of prompts and names only the length, as they can be upsetting or private."""
    for result in file.results:
        facts: Any = result.measurements.get("recovered", [])
        for fact in facts if isinstance(facts, list) else ():
            yield f"{fact['place']}:"
            for key, value in fact.items():
                if key in fact.get("personal_data", ()):
                    yield f"    {key.replace('_', ' ')}: {_length(value)}, not shown here"
                elif key in _SHOWN:
                    words = ", ".join(map(str, value)) if isinstance(value, list) else value
                    yield f"    {key.replace('_', ' ')}: {words}"
                elif key in ("settings", "workflow", "nodes"):
                    yield f"    {key}: {len(value)} entries"


def _length(value: Any) -> str:
    return f"{sum(map(len, value)) if isinstance(value, list) else len(str(value))} characters"


COMMAND = Command(
    "provenance",
    "Show where files say they came from: marks of AI tools, labels, signed credentials.",
    listing=_recovered,
    place="after",
    examples=("provenance picture.png",),
)

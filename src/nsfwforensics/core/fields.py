"""What stands in a file, value by value, as an analyzer that provides it measures it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import NamedTuple

from nsfwforensics.core.types import FileReport


class FieldRow(NamedTuple):
    """One value that stands in a file, with the name and the place it has there."""

    name: str
    value: str
    source: str


def field_rows(file: FileReport, providers: Container[str]) -> list[FieldRow]:
    """The values that were read from a file, in their order; empty where nobody read them.

    Args:
        file: Its report.
        providers: The names of the analyzers that provide fields.
    """
    for result in file.results:
        fields = result.measurements.get("fields")
        if result.analyzer in providers and isinstance(fields, list):
            return [_row(field) for field in fields if isinstance(field, Mapping)]
    return []


def _row(field: Mapping[str, object]) -> FieldRow:
    name, tag = field.get("name"), field.get("tag")
    value = field.get("text")
    if value is None:
        value = field.get("value")
    place = [str(part) for part in (field.get("source"), field.get("group")) if part]
    return FieldRow(str(name or tag or "unnamed"), one_text(value), ", ".join(place))


def one_text(value: object) -> str:
    """A value, or several of them, in one line."""
    if isinstance(value, list):
        return ", ".join(one_text(item) for item in value)
    return "" if value is None else str(value)

"""Where the files lie that a report names by their digests: references, originals, other files of the case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from nsfwforensics.core.discover import discover
from nsfwforensics.core.opening import file_sha256
from nsfwforensics.core.types import FileReport, Header

MOST_BESIDE = 2000
"""Most files of folders given as references or originals that are looked through for what was compared."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def digests_in(report: FileReport) -> set[str]:
    """Every SHA-256 that stands in what the analyzers found."""
    return {found for result in report.results for found in _digests(result.model_dump(mode="json"))}


def inputs(header: Header, beside: Iterable[Path]) -> dict[str, Path]:
    """Reference photos and originals by SHA-256: those that were named, and those that the scans were given.

    Of the latter only files whose names the scans noted: a case may come from somebody who would have others read.

    Args:
        header: Of the case's report; its analyzers' options name files.
        beside: Files and folders that the reviewer named.
    """
    references = header.references
    names = {str(reference.get("file")) for reference in references}
    named = [
        Path(text)
        for record in header.analyzers
        for value in record.options.values()
        for text in (value if isinstance(value, (list, tuple)) else [value])
        if isinstance(text, str) and "\0" not in text and Path(text).name in names and Path(text).is_file()
    ]
    wanted = {str(reference.get("sha256")) for reference in references}
    own = [target.path for target in islice(discover(beside), MOST_BESIDE) if target.skip is None]
    found: dict[str, Path] = {}
    for place in [*own, *named]:
        try:
            sha256 = file_sha256(place)
        except (OSError, ValueError):
            continue
        if place in own or sha256 in wanted:
            found.setdefault(sha256, place)
    return found


def _digests(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return [value] if _DIGEST.fullmatch(value) else []
    if isinstance(value, Mapping):
        return [found for each in value.values() for found in _digests(each)]
    if isinstance(value, (list, tuple)):
        return [found for each in value for found in _digests(each)]
    return []

"""Compares two saved reports of the same files: ``python tools/same_report.py BEFORE/report.json AFTER/report.json``.

Prints every place where the two differ, other than by the clock and the times of files, and exits with 1
if there is any. Used when code is moved: what a report says must stay the same.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CLOCK = re.compile(
    r"results\[\d+\]\.seconds$|\.info\.(after\.)?modified$|\.data\.times\[\d+\]\.(text|when)$"
    r"|^\.header\.(started|finished)$|^\.summary\.seconds$"
)
"""Fields that the clock decides, or when a copy of a file was made."""


def differences(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """Where two JSON values differ.

    Args:
        before: One value.
        after: The other.
        place: Where both stand, as dotted keys.

    Yields:
        A line for each difference.
    """
    if CLOCK.search(place):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            if key not in before or key not in after:
                if not CLOCK.search(f"{place}.{key}"):
                    yield f"{place}.{key}: only {'before' if key in before else 'after'}"
                continue
            yield from differences(before[key], after[key], f"{place}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif before != after:
        yield f"{place}: {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else text[:157] + "..."


def main(before: str, after: str) -> int:
    """Prints the differences of two documents.

    Args:
        before: Path of one ``report.json``.
        after: Path of the other.

    Returns:
        1 if there is a difference, else 0.
    """
    documents = [json.loads(Path(path).read_text("utf-8")) for path in (before, after)]
    found = list(differences(*documents))
    print("\n".join(found) or "the same")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

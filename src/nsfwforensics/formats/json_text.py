"""JSON inside metadata text: parsed within bounds, and laid out as one line per value so that rules can name them."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

MAX_TEXT = 4 * 1024 * 1024
MAX_LINES = 5_000
MAX_DEPTH = 8
MAX_VALUE = 500


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, or None. Never raises."""
    stripped = text.strip(" \t\r\n\0")
    if len(stripped) > MAX_TEXT or stripped[:1] != "{" or stripped[-1:] != "}":
        return None
    try:
        found = json.loads(stripped)
    except (ValueError, RecursionError):  # malformed, or nested deeper than any honest file
        return None
    return found if isinstance(found, dict) else None


def json_lines(value: dict[str, Any]) -> list[str]:
    """Lays an object out as lines ``path.to.key: value``; text that is itself a JSON object is opened too.

    Args:
        value: A parsed object.

    Returns:
        At most :data:`MAX_LINES` lines, each without line breaks and cut to a bounded length, no deeper than
        :data:`MAX_DEPTH`.
    """
    lines: list[str] = []
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    while waiting and len(lines) < MAX_LINES:
        path, item, depth = waiting.pop()
        if isinstance(item, str) and item[:1] == "{" and depth < MAX_DEPTH:
            item = json_object(item) or item
        if isinstance(item, dict) and depth < MAX_DEPTH:
            room = MAX_LINES - len(waiting)
            kept = islice(item.items(), max(room, 0))  # before the paths are built: each repeats the names above it
            pairs = [(f"{path}.{one_line(key)}" if path else one_line(key), inner) for key, inner in kept]
            waiting.extend((name, inner, depth + 1) for name, inner in reversed(pairs))
        elif isinstance(item, list) and depth < MAX_DEPTH:
            room = MAX_LINES - len(waiting)
            waiting.extend((path, inner, depth + 1) for inner in reversed(item[: max(room, 0)]))
        elif not isinstance(item, (dict, list)):
            lines.append(f"{path}: {one_line(item)}")
    return lines


def one_line(value: object) -> str:
    """A value as text on one line, cut to :data:`MAX_VALUE` characters, so that it cannot pass for another line."""
    return " ".join(str(value)[:MAX_VALUE].split())

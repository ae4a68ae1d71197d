"""The ways in which rules look at one metadata field: its text, JSON, generation settings, or a graph of nodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nsfwforensics.analyzers.provenance.graphs import Flow, Graph, Node, lines, read_graph
from nsfwforensics.analyzers.provenance.model import FieldView
from nsfwforensics.formats.fields import Field
from nsfwforensics.formats.json_text import MAX_LINES, json_lines, json_object, one_line

MAX_JSON = 4 * 1024 * 1024
"""Most characters of JSON parsed for one file."""

MAX_SETTINGS = 500

_LABEL = re.compile(r"^\s*(?:prompt|workflow)\s*:\s*(?=\{)", re.IGNORECASE)
_STEPS = re.compile(r"(?:^|\n)[ \t]*(?=Steps: *\d+(?:,|$))")
_NEGATIVE = re.compile(r"(?:^|\n)[ \t]*Negative prompt: ?")
_KEY = re.compile(r"[\s,]*([A-Za-z][\w .+/()\-]{0,60}?): *")
_OPEN, _CLOSE = "[{", "]}"


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """A generator's text of the kind that the Stable Diffusion web UI writes: prompt, negative prompt, settings."""

    prompt: str
    negative: str
    values: dict[str, str]


@dataclass(slots=True)
class Allowance:
    """How many characters of JSON may still be parsed for one file: parsed, a small file's can fill the memory.

    ``refused`` says that this limit or another of this module was reached, so that a mark may have been missed.
    """

    left: int = MAX_JSON
    refused: bool = False

    def take(self, size: int) -> bool:
        """Whether so much may be parsed; takes it from what is left."""
        if size > self.left:
            self.refused = True
            return False
        self.left -= size
        return True


class Looked:
    """One field with its views, each made once and only when a rule asks for it."""

    def __init__(self, field: Field, text: str | None = None, allowance: Allowance | None = None) -> None:
        self.field = field
        self._text = text
        self._allowance = allowance or Allowance()

    @cached_property
    def text(self) -> str:
        """The value as text; names in a pickle one a line; empty for binary."""
        if self._text is not None:
            return self._text
        value = self.field.value
        if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
            return "\n".join(one_line(item) for item in value)
        if isinstance(value, bytes):
            return value.decode("ascii", "replace").rstrip("\0") if len(value) < 200 else ""
        return _repaired(value) if isinstance(value, str) else self.field.words

    @cached_property
    def object(self) -> dict[str, Any] | None:
        """The JSON object that the text is, after a leading ``prompt:`` or ``workflow:``; else None."""
        text = _LABEL.sub("", self.text, count=1).strip(" \t\r\n\0")
        if not (text.startswith("{") and text.endswith("}")) or not self._allowance.take(len(text)):
            return None
        return json_object(text)

    @cached_property
    def settings(self) -> GenerationSettings | None:
        """The text as prompt and settings; None where it has no line of settings."""
        return read_settings(self.text)

    @cached_property
    def graph(self) -> Graph:
        """The graph of nodes that the text is; one without nodes where it is none."""
        found = read_graph(self.object or {})
        self._allowance.refused |= not found.complete
        return found

    @property
    def nodes(self) -> dict[str, Node]:
        """The nodes of a graph that were switched on, by identifier; empty where it is none."""
        return self.graph.nodes

    def lines(self, view: FieldView) -> str:
        """A view's lines; empty where the field cannot be looked at in this way."""
        return self._lines[view]()

    @property
    def _lines(self) -> dict[FieldView, Callable[[], str]]:
        return {
            FieldView.TEXT: lambda: self.text,
            FieldView.JSON: lambda: self._json_lines,
            FieldView.SETTINGS: lambda: self._settings_lines,
            FieldView.NODES: lambda: self._node_lines,
        }

    @cached_property
    def _json_lines(self) -> str:
        lines = json_lines(self.object) if self.object else []
        self._allowance.refused |= len(lines) >= MAX_LINES
        return "\n".join(lines)

    @cached_property
    def _settings_lines(self) -> str:
        values = self.settings.values if self.settings else {}
        self._allowance.refused |= len(values) >= MAX_SETTINGS
        return "\n".join(f"{key}: {one_line(value)}" for key, value in values.items())

    @cached_property
    def _node_lines(self) -> str:
        flow = Flow(self.nodes)
        text = "\n".join(lines(self.nodes, flow))
        self._allowance.refused |= flow.left <= 0
        return text


def _repaired(text: str) -> str:
    """UTF-8 that a reader had to take for Latin-1 (PNG ``tEXt`` is Latin-1, but generators write UTF-8 into it)."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def read_settings(text: str) -> GenerationSettings | None:
    """Splits text of the form ``prompt``, ``Negative prompt: …``, ``Steps: 20, Sampler: …``.

    Only what follows the last line that begins with ``Steps:`` are settings, so that nothing in a prompt counts.
    """
    starts = [match.end() for match in _STEPS.finditer(text)]
    if not starts:
        return None
    before, tail = text[: starts[-1]], text[starts[-1] :]
    parts = _NEGATIVE.split(before, maxsplit=1)
    negative = parts[1].strip() if len(parts) > 1 else ""
    return GenerationSettings(parts[0].strip(), negative, dict(_pairs(tail)))


def _pairs(tail: str) -> Iterator[tuple[str, str]]:
    position = 0
    for _ in range(MAX_SETTINGS):
        match = _KEY.match(tail, position)
        if match is None:
            return
        end = _value_end(tail, match.end())
        yield one_line(match[1]), tail[match.end() : end].strip()
        position = end


def _value_end(text: str, start: int) -> int:
    """Where a setting's value ends: at a comma outside quotation marks and brackets, or at the end."""
    depth, quoted, escaped = 0, False, False
    for position in range(start, len(text)):
        character = text[position]
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted, escaped = True, False
        elif character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth -= 1
        elif character == "," and depth <= 0:
            return position
    return len(text)

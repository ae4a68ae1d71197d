"""XML that no strict parser accepts: the elements that can be read of it.

Metadata is written by careless software: bytes of another encoding, an ampersand that should be escaped, a prefix that
nobody declared, a tag that nobody closed, an end that is missing. What stands around such a place is kept here.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias
from xml.etree.ElementTree import TreeBuilder

MAX_NESTING = 256
"""Most elements that are open at once; deeper ones are closed as soon as they are opened."""

_TAG = re.compile(r"""<(?P<close>/)?(?P<name>[A-Za-z_][\w.:-]*+)(?P<attributes>(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)>""")
_ATTRIBUTE = re.compile(r"""([^\s"'=/]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
_STRAY = re.compile(r"<(?![A-Za-z_/?!])")
_CDATA = "<![CDATA["
_PASSED = (("<!--", "-->"), ("<?", "?>"))

Scope: TypeAlias = "tuple[Mapping[str, str], Scope | None]"
"""Prefixes that an element declares, and the scope around it."""


def read_elements(text: str, builder: TreeBuilder, namespaces: Mapping[str, str]) -> None:
    """Reads the elements of a text, whatever is wrong between them.

    An end tag closes the innermost open element of its name and all inside it; without one it is passed over. What the
    text leaves open stays open. Entities are those of HTML; no DTD is understood.

    Args:
        text: The packet.
        builder: Takes the elements; may raise to stop.
        namespaces: Prefixes that are understood where the text does not declare them. The namespace of any other is
            ``unknown-prefix:`` and the prefix.
    """
    opened: list[tuple[str, str, Scope]] = []
    names: Counter[str] = Counter()
    outermost: Scope = (namespaces, None)
    for text_between, tag in _tokens(_STRAY.sub("&lt;", text)):
        if tag is None:
            builder.data(text_between)
            continue
        name = tag["name"]
        if tag["close"]:
            while names[name]:
                closed, full, _ = opened.pop()
                names[closed] -= 1
                builder.end(full)
                if closed == name:
                    break
            continue
        scope = opened[-1][2] if opened else outermost
        written = {key: html.unescape(one or other) for key, one, other in _ATTRIBUTE.findall(tag["attributes"])}
        declared = {key[6:]: uri for key, uri in written.items() if key == "xmlns" or key.startswith("xmlns:")}
        if declared:
            scope = declared, scope
        full = _full(name, scope) if ":" in name else _full(f":{name}", scope)
        attributes = {_full(key, scope): value for key, value in written.items() if not key.startswith("xmlns")}
        builder.start(full, attributes)
        if tag["attributes"].endswith("/") or len(opened) >= MAX_NESTING:
            builder.end(full)
        else:
            opened.append((name, full, scope))
            names[name] += 1


def _tokens(text: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """Text and tags in order; comments and instructions are left out."""
    position = 0
    unclosed: set[str] = set()  # of what no end was found, none is looked for again
    while position < len(text):
        if text[position] != "<":
            end = text.find("<", position)
            end = len(text) if end < 0 else end
            yield html.unescape(text[position:end]), None
        elif tag := _TAG.match(text, position):
            end = tag.end()
            yield "", tag
        elif text.startswith(_CDATA, position):
            stop = text.find("]]>", position)
            end = len(text) if stop < 0 else stop + 3
            yield text[position + len(_CDATA) : end - 3 if stop >= 0 else end], None
        else:
            end = position + 1
            for start, stop_mark in _PASSED:
                if text.startswith(start, position) and start not in unclosed:
                    stop = text.find(stop_mark, position)
                    end = stop + len(stop_mark) if stop >= 0 else end
                    unclosed |= {start} if stop < 0 else set()
        position = end


def _full(name: str, scope: Scope) -> str:
    """A name with its namespace in braces; one without a prefix has none, one with an empty prefix the default one."""
    prefix, colon, local = name.partition(":")
    if not colon:
        return name
    around: Scope | None = scope
    while around is not None:
        if prefix in around[0]:
            return f"{{{around[0][prefix]}}}{local}"
        around = around[1]
    return f"{{unknown-prefix:{prefix}}}{local}" if prefix else local


__all__ = ["MAX_NESTING", "read_elements"]

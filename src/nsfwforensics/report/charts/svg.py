"""Elements of SVG and HTML with everything in them escaped, and the frame that all charts share.

Every shape has a look (:data:`LOOKS`) written as attributes, for engines that keep the page's style sheet out of a
drawing, as PDF makers do. In a browser the classes of ``charts.css`` go before them and know the dark scheme.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from markupsafe import Markup, escape

from nsfwforensics.core.messages import Speaker, say
from nsfwforensics.report.words.text import shorten, visible

_ACCENT, _INK, _SOFT, _STRONG, _TINT, _PAPER = "#1d4a6b", "#111111", "#444444", "#777777", "#e3ecf3", "#ffffff"
LOOKS: Mapping[str, Mapping[str, str]] = {
    "supports": {"fill": _ACCENT, "stroke": _ACCENT},
    "inconclusive": {"fill": _PAPER, "stroke": _ACCENT, "stroke_dasharray": "4 3"},
    "nothing": {"fill": _TINT, "stroke": _STRONG},
    "not-checked": {"fill": _PAPER, "stroke": _STRONG, "stroke_dasharray": "1 3"},
    "bar": {"fill": "#a9c3d6", "stroke": _ACCENT},
    "clear": {"fill": _PAPER, "stroke": "none"},
    "hatch": {"fill": "none", "stroke": _ACCENT, "stroke_width": "1"},
    "axis": {"fill": "none", "stroke": _STRONG, "stroke_width": "2"},
    "axis-long": {"fill": "none", "stroke": _STRONG, "stroke_width": "2", "stroke_dasharray": "2 5"},
    "dot": {"fill": _ACCENT, "stroke": _ACCENT, "stroke_width": "2"},
    "dot-open": {"fill": _PAPER, "stroke": _ACCENT, "stroke_width": "2"},
    "conflict": {"fill": _PAPER, "stroke": _INK, "stroke_width": "2"},
    "bracket": {"fill": "none", "stroke": _INK, "stroke_width": "2"},
    "mark": {"fill": "none", "stroke": _INK, "stroke_width": "3"},
    "mark-other": {"fill": "none", "stroke": _INK, "stroke_width": "1.5", "stroke_dasharray": "3 3"},
    "band": {"fill": _TINT, "stroke": "none"},
    "limit": {"fill": "none", "stroke": _STRONG, "stroke_width": "1", "stroke_dasharray": "5 4"},
    "line": {"fill": "none", "stroke": _ACCENT, "stroke_width": "2.5"},
    "line-dashed": {"fill": "none", "stroke": _ACCENT, "stroke_width": "2.5", "stroke_dasharray": "9 4"},
    "line-dotted": {"fill": "none", "stroke": _ACCENT, "stroke_width": "2.5", "stroke_dasharray": "2 4"},
    "ink": {"fill": _INK},
    "strong": {"fill": _INK, "font_weight": "700"},
    "soft": {"fill": _SOFT},
    "on-accent": {"fill": _PAPER, "font_weight": "700"},
}
"""The look of every kind of shape and text on white paper. No two that stand side by side differ by colour alone."""

LONGEST = 90
"""Longer text is cut in a chart; tables and findings have it in full."""


def element(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """One SVG element as text, attributes and content escaped.

    Args:
        name: Its tag; ours, never evidence.
        *children: Markup as it is; other text escaped, with characters that act shown as escapes.
        **attributes: ``class_`` is ``class``, other underscores are hyphens; None is left out, numbers are rounded.
    """
    return _element(name, _pairs(attributes), children)


def _element(name: str, pairs: str, children: Iterable[str] = ()) -> Markup:
    inside = "".join([child if isinstance(child, Markup) else escape(visible(child)) for child in children])
    return Markup(f"<{name}{pairs}>{inside}</{name}>")  # noqa: S704 - names are ours, the rest is escaped above


def _pairs(attributes: Mapping[str, str | float | None]) -> str:
    return "".join([f' {_attribute(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None])


def joined(parts: Iterable[Markup]) -> Markup:
    """Elements one after the other."""
    return Markup("\n").join(parts)


def shape(name: str, look: str, **attributes: str | float | None) -> Markup:
    """A shape with one of :data:`LOOKS`."""
    return _element(name, _pairs(attributes) + _look(look))


def label(x: float, y: float, text: str, look: str = "ink", anchor: str | None = None) -> Markup:
    """Text in a drawing, cut to :data:`LONGEST` characters.

    Args:
        x: Where it starts, or ends for the anchor ``end``.
        y: Its base line.
        text: What it says.
        look: One of :data:`LOOKS`.
        anchor: ``middle`` or ``end``; None for ``start``.
    """
    pairs = _pairs({"x": x, "y": y, "text_anchor": anchor}) + _look(look)
    return _element("text", pairs, [shorten(text, LONGEST)])


def box(x: float, y: float, width: float, height: float, look: str) -> list[Markup]:
    """A rectangle; an inconclusive one is hatched besides."""
    parts = [shape("rect", look, x=x, y=y, width=width, height=height)]
    if look == "inconclusive":
        lines = (
            (x + max(0, t - height), y + min(t, height), x + min(t, width), y + max(0, t - width))
            for t in range(7, int(width + height), 7)
        )
        way = "".join(f"M{left:.1f} {low:.1f}L{right:.1f} {top:.1f}" for left, low, right, top in lines)
        parts += [shape("path", "hatch", d=way)] if way else []
    return parts


def text_width(text: str) -> float:
    """About how wide text is at font size 14: wide characters count double."""
    return sum(14.0 if unicodedata.east_asian_width(character) in "WF" else 7.7 for character in text)


def svg(width: float, height: float, title: str, description: str, *parts: Markup) -> Markup:
    """A drawing that is one picture to a screen reader, named by its title."""
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *parts,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role="img",
        font_size="14",
        font_family="sans-serif",
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str | Markup]], style: str = "plain") -> Markup:
    """A table whose first column names the rows."""
    return element(
        "table",
        element("thead", element("tr", *(element("th", cell, scope="col") for cell in head))),
        element(
            "tbody",
            *(
                element(
                    "tr",
                    element("th", element("bdi", row[0]), scope="row"),
                    *(element("td", element("bdi", cell)) for cell in row[1:]),
                )
                for row in rows
            ),
        ),
        class_=style,
    )


def figure(kind: str, drawing: Markup, caption: str, language: Speaker, beside: Markup) -> Markup:
    """A chart with its caption and, folded away, the same as a table.

    Args:
        kind: Names the chart in the style sheet.
        drawing: The SVG.
        caption: What it shows and how to read it.
        language: Of the summary line.
        beside: The table.
    """
    return element(
        "figure",
        drawing,
        element("figcaption", caption),
        element("details", element("summary", language.says(say("The same as a table"))), beside),
        class_=f"chart {kind}",
    )


@cache
def _look(name: str) -> str:
    return _pairs({"class_": name, **LOOKS[name]})


@cache
def _attribute(key: str) -> str:
    return "class" if key == "class_" else key if key == "viewBox" else key.replace("_", "-")


def _value(value: str | float) -> str:
    return escape(visible(value)) if isinstance(value, str) else f"{round(value, 1):g}"

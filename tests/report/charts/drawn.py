"""Reading a chart back: well-formed XML, its texts, its shapes."""

from __future__ import annotations

from xml.etree import ElementTree

from markupsafe import Markup

SVG_PARTS = {"svg", "title", "desc", "text", "line", "circle", "path", "rect"}
HTML_PARTS = {"figure", "figcaption", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "bdi", "p"}
ATTRIBUTES = {
    "viewBox", "role", "class", "font-size", "font-family", "font-weight", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy",
    "r", "d", "width", "height", "text-anchor", "fill", "stroke", "stroke-width", "stroke-dasharray", "scope",
}  # fmt: skip


def read(chart: Markup | None) -> ElementTree.Element:
    """Parses a chart and checks what holds for all of them: known parts only, named, with a table beside."""
    assert isinstance(chart, Markup)
    root = ElementTree.fromstring(str(chart))
    for element in root.iter():
        assert element.tag in SVG_PARTS | HTML_PARTS, element.tag
        assert set(element.attrib) <= ATTRIBUTES, element.attrib
    drawing = root.find("svg")
    assert drawing is not None
    assert drawing.get("role") == "img"
    assert [child.tag for child in drawing][:2] == ["title", "desc"]
    assert all("".join(child.itertext()).strip() for child in drawing[:2])
    assert root.find("figcaption") is not None
    return root


def texts(root: ElementTree.Element) -> list[str]:
    """The texts in the drawing, in their order."""
    return ["".join(element.itertext()) for element in root.iter("text")]


def cells(root: ElementTree.Element) -> list[list[str]]:
    """All rows of all tables beside the drawing."""
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


def shapes(root: ElementTree.Element, look: str) -> list[ElementTree.Element]:
    """The shapes of one look."""
    return [element for element in root.iter() if element.get("class") == look]


def inside(root: ElementTree.Element) -> None:
    """Checks that every shape lies in the drawing."""
    drawing = root.find("svg")
    assert drawing is not None
    _, _, width, height = map(float, drawing.attrib["viewBox"].split())
    for element in drawing.iter():
        if element.tag in ("text", "rect"):
            assert 0 <= float(element.attrib["x"]) <= width
            assert 0 <= float(element.attrib["y"]) <= height
        if element.tag == "rect":
            assert float(element.attrib["x"]) + float(element.attrib["width"]) <= width + 0.2
            assert float(element.attrib["y"]) + float(element.attrib["height"]) <= height + 0.2
            assert float(element.attrib["width"]) >= 0

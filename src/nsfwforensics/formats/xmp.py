"""XMP packets (ISO 16684-1): properties by namespace URI, never by prefix; JPEG's extended packets put together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError, TreeBuilder

from nsfwforensics.formats.loose_xml import read_elements

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_PACKET = 16 * 1024 * 1024
MAX_ELEMENTS = 200_000
"""Most elements read of one packet."""

MAX_DEPTH = 64
"""Deepest element that is kept; what stands inside deeper ones is passed over."""

MAX_PROPERTIES = 6_000
"""Most values kept of one well-known namespace, and of all others together."""

MAX_SAME = 2_000
"""Most values kept of one top-level property, so that a long list hides nothing that stands behind it."""

MAX_NAME = 1_024
"""Longest name of an element or attribute, with its namespace, in characters."""

MAX_PATH = 4_096
"""Longest path of a property; every property repeats the names above it, so long ones would multiply."""

JPEG_HEADERS = (b"http://ns.adobe.com/xap/1.0/\0", b"XMP\0://ns.adobe.com/xap/1.0/\0")
"""How a JPEG's XMP segment begins: as the specification has it, and as a program wrote it for many photo sites."""
JPEG_EXTENSION_HEADER = b"http://ns.adobe.com/xmp/extension/\0"

XMP = "http://ns.adobe.com/xap/1.0/"
XMP_MM = "http://ns.adobe.com/xap/1.0/mm/"
XMP_NOTE = "http://ns.adobe.com/xmp/note/"
DC = "http://purl.org/dc/elements/1.1/"
EXIF = "http://ns.adobe.com/exif/1.0/"
EXIF_EX = "http://cipa.jp/exif/1.0/"
AUX = "http://ns.adobe.com/exif/1.0/aux/"
TIFF = "http://ns.adobe.com/tiff/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

PREFIXES = {
    "x": "adobe:ns:meta/", "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xml": "http://www.w3.org/XML/1998/namespace", "xmp": XMP, "xap": XMP, "xmpMM": XMP_MM, "xapMM": XMP_MM,
    "xmpNote": XMP_NOTE, "xmpRights": "http://ns.adobe.com/xap/1.0/rights/", "dc": DC,
    "dcterms": "http://purl.org/dc/terms/", "exif": EXIF, "exifEX": EXIF_EX, "aux": AUX, "tiff": TIFF,
    "photoshop": PHOTOSHOP, "Iptc4xmpExt": IPTC_EXT, "iptcExt": IPTC_EXT,
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "stRef": "http://ns.adobe.com/xap/1.0/sType/ResourceRef#", "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
}  # fmt: skip
"""Namespaces by their usual prefix, for packets that forget to declare it."""

WELL_KNOWN = frozenset(PREFIXES.values())
"""Namespaces whose values have places of their own, whatever else fills a packet."""

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ARRAYS = (_RDF + "Seq", _RDF + "Bag", _RDF + "Alt")
_SYNTAX = frozenset(_RDF + name for name in ("about", "ID", "nodeID", "parseType", "datatype", "bagID"))
_NOT_PROPERTIES = _SYNTAX | {_XML_LANG, _RDF + "resource"}
_START = re.compile(rb"<\?xpacket|<\w*:?xmpmeta|<\w*:?xapmeta|<\w*:?RDF|<\?xml")
_LONGEST_LEAD = 4_096
_WIDE = (("utf-32-be", 4, 3), ("utf-32-le", 4, 0), ("utf-16-be", 2, 1), ("utf-16-le", 2, 0))
_PADDING = re.compile(rb"(?<=>)[\0 \t\r\n]++(?=<)")
_DECLARATION = re.compile(r"<\?xml\b.*?\?>", re.DOTALL)
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]++")
_DTD = re.compile(r"<!(?:DOCTYPE|ENTITY)\b")
_LATIN = {0xDC80 + byte: chr(0x80 + byte) for byte in range(0x80)}


class XmpError(ValueError):
    """A packet holds no XMP that can be read, declares a DTD or entities, or is larger than the limit."""


@dataclass(frozen=True, slots=True)
class Property:
    """One simple property of an XMP packet.

    Attributes:
        namespace: URI of the top-level property's namespace.
        path: Where it stands: ``CreatorTool``, ``History[2].softwareAgent``, ``title[x-default]``.
        tag: The same with namespaces in full: ``{uri}History[2]/{uri}softwareAgent``.
        value: The text.
    """

    namespace: str
    path: str
    tag: str
    value: str


@dataclass(frozen=True, slots=True)
class Packet:
    """The content of one XMP packet.

    Attributes:
        properties: Its simple values, in order.
        note: What is wrong with it, else empty; what stands around the fault was read.
        limits: Which limits were reached, one clause each.
    """

    properties: tuple[Property, ...]
    note: str = ""
    limits: tuple[str, ...] = ()


class _EnoughError(Exception):
    """There are more elements than are read."""


class _Bounded(TreeBuilder):
    """Builds the tree within limits; it can be finished wherever the text breaks off."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._count = 0
        self._room = MAX_PACKET  # for names longer than any real one, which cost their length at every element
        self.limits: dict[str, None] = {}

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._count += 1
        self._room -= sum(len(name) for name in (tag, *attrs) if len(name) > MAX_NAME)
        if self._count > MAX_ELEMENTS or self._room < 0:
            self.limits["it has too many elements or names too long, and nothing after them was read"] = None
            raise _EnoughError
        self._open.append(tag)
        if len(self._open) > MAX_DEPTH:
            self.limits[f"elements nested deeper than {MAX_DEPTH} were not read"] = None
            return None  # type: ignore[return-value]
        return super().start(tag, attrs)

    def data(self, text: str, /) -> None:
        if len(self._open) <= MAX_DEPTH:
            super().data(text)

    def end(self, tag: str, /) -> Element:
        self._open.pop()
        return super().end(tag) if len(self._open) < MAX_DEPTH else None  # type: ignore[return-value]

    def finish(self) -> Element:
        """Closes what is open and returns the root."""
        while self._open:
            self.end(self._open[-1])
        return super().close()

    def close(self) -> None:  # type: ignore[override]
        """Does nothing: a parser calls it only where all went well."""


def parse(packet: bytes) -> Packet:
    """Reads all simple values of one packet.

    Args:
        packet: RDF/XML in UTF-8, UTF-16 or UTF-32, with or without a byte order mark and its ``xpacket`` wrapper.
            Bytes that are no UTF-8 are taken for Latin-1; what is not well-formed is read around.

    Raises:
        XmpError: See there. Nothing external is ever fetched.
    """
    if len(packet) > MAX_PACKET:
        raise XmpError(f"the XMP packet has {len(packet):,} bytes, more than the limit of {MAX_PACKET:,}")
    encoding, start = _encoding(packet)
    note = ""
    builder = _Bounded()
    try:
        _strictly(_trimmed(packet, encoding, start), builder)
    except _EnoughError:
        pass
    except ParseError as error:
        note = f"the XMP packet is not well-formed: {error}"
        builder = _loosely(packet[start:], encoding)
    found, root = _Found(), builder.finish()
    outermost = _outermost(root)
    for rdf in outermost:
        for description in rdf:
            _description(description, "", "", "", found)
    if not outermost and len(root) and not builder.limits:
        raise XmpError(note or "the XMP packet holds no RDF")
    if note and not found.properties:
        raise XmpError(f"{note}; nothing of it could be read")
    return Packet(tuple(found.properties), note, (*builder.limits, *found.limits))


def without_header(block: bytes) -> bytes:
    """A packet without the header that it has in a JPEG segment."""
    return block[next((len(header) for header in JPEG_HEADERS if block.startswith(header)), 0) :]


def looks_like_packet(block: bytes) -> bool:
    """Whether a block is an XMP packet, in whichever encoding, by how it begins."""
    encoding, start = _encoding(block)
    if encoding == "utf-8":
        return _START.search(block, 0, 256) is not None
    return start < 256


def _encoding(packet: bytes) -> tuple[str, int]:
    """How a packet is encoded, and where its first angle bracket stands: XMP needs no byte order mark."""
    bracket = packet.find(b"<", 0, _LONGEST_LEAD)
    for encoding, width, before in _WIDE:
        start = bracket - before
        probe = packet[max(start, 0) : max(start, 0) + 8 * width].decode(encoding, "replace")
        if bracket >= before and probe[:1] == "<" and probe[1:].isascii() and probe[1:].isprintable() and probe[1:]:
            return encoding, start
    found = _START.search(packet, 0, _LONGEST_LEAD)
    return "utf-8", found.start() if found else 0


def _trimmed(packet: bytes, encoding: str, start: int) -> bytes:
    """The packet in UTF-8, without what stands around the XML: padding, a stray byte, the NULs some writers leave."""
    if encoding == "utf-8":
        packet = packet[start:].rstrip(b"\0 \t\r\n")
        return _PADDING.sub(b"\n", packet) if b"\0" in packet else packet
    text = packet[start:].decode(encoding, "replace").rstrip("\0 \t\r\n")
    return _DECLARATION.sub("", text, count=1).encode("utf-8", "replace")


def _strictly(packet: bytes, builder: _Bounded) -> None:
    """Reads a well-formed packet.

    Raises:
        ParseError: It is not well-formed.
        XmpError: It declares a DTD or entities.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    parser = DefusedXMLParser(target=builder, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(packet)
        parser.close()
    except DefusedXmlException as error:
        raise XmpError("the XMP packet declares a DTD or entities") from error
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        raise ParseError(str(error)) from error


def _loosely(packet: bytes, encoding: str) -> _Bounded:
    """Reads what can be read of a packet that is not well-formed.

    Raises:
        XmpError: It declares a DTD or entities.
    """
    if encoding == "utf-8":
        text = packet.decode("utf-8", "surrogateescape").translate(_LATIN)
    else:
        text = packet.decode(encoding, "replace")
    if _DTD.search(text):
        raise XmpError("the XMP packet declares a DTD or entities")
    builder = _Bounded()
    builder.start("packet", {})
    with suppress(_EnoughError):
        read_elements(_ILLEGAL.sub(" ", text), builder, PREFIXES)
    return builder


def _outermost(root: Element) -> list[Any]:
    """The ``rdf:RDF`` elements; where there are none, the root itself if descriptions stand in it."""
    found = list(root.iter(_RDF + "RDF"))
    return found or ([root] if root.find(_RDF + "Description") is not None else [])


@dataclass(slots=True)
class _Found:
    """The properties read so far, and how many places of each kind they take."""

    properties: list[Property] = field(default_factory=list)
    limits: dict[str, None] = field(default_factory=dict)
    _taken: Counter[str] = field(default_factory=Counter)
    _same: Counter[str] = field(default_factory=Counter)

    def keep(self, namespace: str, path: str, tag: str, value: str) -> None:
        """Keeps a value that is not empty, or names the limit that it is left out for."""
        text = value.strip()
        if not text:
            return
        if len(path) > MAX_PATH or len(tag) > MAX_PATH:
            self.too_long()
            return
        kind = namespace if namespace in WELL_KNOWN else "other namespaces"
        name = path.partition(".")[0].partition("[")[0]
        same = f"{namespace}{name}"
        if self._taken[kind] >= MAX_PROPERTIES:
            self.limits[f"only the first {MAX_PROPERTIES:,} values of {kind} were read"] = None
        elif self._same[same] >= MAX_SAME:
            self.limits[f"only the first {MAX_SAME:,} values of {name[:100]} were read"] = None
        else:
            self._taken[kind] += 1
            self._same[same] += 1
            self.properties.append(Property(namespace, path, tag, text))

    def too_long(self) -> None:
        """Says that something was left out for its name."""
        self.limits["values with names longer than any real one were not read"] = None


def _description(node: Element, namespace: str, path: str, tag: str, found: _Found) -> None:
    """Reads a node's properties: its attributes and its child elements."""
    for key, value in node.attrib.items():
        if key.startswith("{") and key not in _NOT_PROPERTIES:
            if len(key) > MAX_NAME or len(tag) > MAX_PATH:
                found.too_long()
            else:
                found.keep(*_below(key, namespace, path, tag), value)
    for child in node:
        if len(child.tag) > MAX_NAME or len(tag) > MAX_PATH:
            found.too_long()
        else:
            _property(child, *_below(child.tag, namespace, path, tag), found)


def _property(node: Element, namespace: str, path: str, tag: str, found: _Found) -> None:
    """Reads one property element: simple, array, or structure."""
    resource = node.get(_RDF + "resource")
    children = list(node)
    if children and children[0].tag in _ARRAYS:
        for number, item in enumerate(children[0], 1):
            index = f"[{(item.get(_XML_LANG) or str(number))[:MAX_NAME]}]"
            _property(item, namespace, path + index, tag + index, found)
        return
    if children or any(key.startswith("{") and key not in _NOT_PROPERTIES for key in node.attrib):
        inner = children[0] if len(children) == 1 and children[0].tag == _RDF + "Description" else node
        _description(inner, namespace, path, tag, found)
        return
    found.keep(namespace, path, tag, resource if resource is not None else node.text or "")


def _below(key: str, namespace: str, path: str, tag: str) -> tuple[str, str, str]:
    uri, _, local = key[1:].rpartition("}") if key.startswith("{") else ("", "", key)
    if not path:
        return uri, local, key
    return namespace, f"{path}.{local}", f"{tag}/{key}"


def extension_digest(part: bytes) -> str:
    """The digest of the packet that a part of extended XMP belongs to, uppercase; empty where it is too short."""
    return part[:32].decode("latin-1").upper() if len(part) >= 40 else ""


def join_extended(parts: Iterable[bytes]) -> tuple[bytes, str]:
    """Puts a JPEG's extended XMP together (XMP specification part 3, section 1.1.3.1).

    Args:
        parts: Contents of the APP1 segments after :data:`JPEG_EXTENSION_HEADER`, all of one digest.

    Returns:
        What is there of the packet, and what is missing of it, else empty.
    """
    packet, total, gap = bytearray(), 0, False
    for part in sorted(parts, key=lambda each: each[36:40]):
        offset = int.from_bytes(part[36:40], "big")
        total = max(total, int.from_bytes(part[32:36], "big"))
        gap |= offset > len(packet)
        packet[min(offset, len(packet)) :] = part[40:]
    if total > MAX_PACKET:
        problem = f"the extended XMP announces {total:,} bytes, more than the limit of {MAX_PACKET:,}"
        return bytes(packet[:MAX_PACKET]), problem
    missing = gap or len(packet) < total
    return bytes(packet[:total]), "parts of the extended XMP are missing" if missing else ""


__all__ = ["MAX_PROPERTIES", "Packet", "Property", "XmpError", "extension_digest", "join_extended", "looks_like_packet",
           "parse"]  # fmt: skip

"""XMP packets (ISO 16684-1): properties by namespace URI, never by prefix; JPEG's extended packets put together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError, TreeBuilder

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_PACKET = 16 * 1024 * 1024
MAX_ELEMENTS = 50_000
MAX_DEPTH = 64
MAX_PROPERTIES = 3_000
MAX_NAME = 1_024
"""Longest name of an element or attribute, with its namespace, in characters."""

MAX_PATH = 4_096
"""Longest path of a property; every property repeats the names above it, so long ones would multiply."""

JPEG_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
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

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ARRAYS = (_RDF + "Seq", _RDF + "Bag", _RDF + "Alt")
_SYNTAX = frozenset(_RDF + name for name in ("about", "ID", "nodeID", "parseType", "datatype", "bagID"))
_NOT_PROPERTIES = _SYNTAX | {_XML_LANG, _RDF + "resource"}
_START = re.compile(rb"<\?xpacket|<x:xmpmeta|<\w*:?xmpmeta|<\w*:?RDF|<\?xml")


class XmpError(ValueError):
    """A packet is no well-formed XML, declares a DTD or entities, or is larger or deeper than the limits."""


@dataclass(frozen=True, slots=True)
class Property:
    """One simple value.

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


class _Bounded(TreeBuilder):
    """Builds the tree, and refuses one that is too deep or has too many elements."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise XmpError("the XMP packet is nested too deeply or has too many elements")
        if len(tag) > MAX_NAME or (attrs and max(map(len, attrs)) > MAX_NAME):
            raise XmpError("the XMP packet has names longer than any real one")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse(packet: bytes) -> list[Property]:
    """Reads all simple values of one packet.

    Args:
        packet: RDF/XML in UTF-8 or UTF-16, with or without its ``xpacket`` wrapper.

    Raises:
        XmpError: See there. Nothing external is ever fetched.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    if len(packet) > MAX_PACKET:
        raise XmpError(f"the XMP packet has {len(packet):,} bytes, more than the limit of {MAX_PACKET:,}")
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(_trim(packet))
        root: Any = parser.close()
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        if isinstance(error, XmpError):
            raise
        reason = "it declares a DTD or entities" if isinstance(error, DefusedXmlException) else str(error)
        raise XmpError(f"the XMP packet is not well-formed: {reason}") from error
    found: list[Property] = []
    for rdf in root.iter(_RDF + "RDF"):
        for description in rdf:
            _description(description, "", "", "", found)
    return found


def _trim(packet: bytes) -> bytes:
    """Cuts what stands around the XML: padding, a stray byte before it, the NULs some writers leave behind."""
    if packet[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0<" in packet[:8] or b"<\0" in packet[:8]:
        return packet
    found = _START.search(packet, 0, 4096)
    return packet[found.start() if found else 0 :].rstrip(b"\0 \t\r\n")


def _description(node: Element, namespace: str, path: str, tag: str, found: list[Property]) -> None:
    """Reads a node's properties: its attributes and its child elements."""
    if len(tag) > MAX_PATH or len(path) > MAX_PATH:
        return
    for key, value in node.attrib.items():
        if key.startswith("{") and key not in _NOT_PROPERTIES:
            _keep(found, *_below(key, namespace, path, tag), value)
    for child in node:
        _property(child, *_below(child.tag, namespace, path, tag), found)


def _property(node: Element, namespace: str, path: str, tag: str, found: list[Property]) -> None:
    """Reads one property element: simple, array, or structure."""
    if len(tag) > MAX_PATH or len(path) > MAX_PATH:
        return
    resource = node.get(_RDF + "resource")
    children = list(node)
    if children and children[0].tag in _ARRAYS:
        for number, item in enumerate(children[0], 1):
            index = f"[{item.get(_XML_LANG) or number}]"
            _property(item, namespace, path + index, tag + index, found)
        return
    if children or any(key.startswith("{") and key not in _NOT_PROPERTIES for key in node.attrib):
        inner = children[0] if len(children) == 1 and children[0].tag == _RDF + "Description" else node
        _description(inner, namespace, path, tag, found)
        return
    _keep(found, namespace, path, tag, resource if resource is not None else node.text or "")


def _below(key: str, namespace: str, path: str, tag: str) -> tuple[str, str, str]:
    uri, _, local = key[1:].rpartition("}") if key.startswith("{") else ("", "", key)
    if not path:
        return uri, local, key
    return namespace, f"{path}.{local}", f"{tag}/{key}"


def _keep(found: list[Property], namespace: str, path: str, tag: str, value: str) -> None:
    if len(found) < MAX_PROPERTIES and len(path) <= MAX_PATH >= len(tag) and (text := value.strip()):
        found.append(Property(namespace, path, tag, text))


def join_extended(parts: Iterable[bytes], wanted: str) -> tuple[bytes | None, str | None]:
    """Puts a JPEG's extended XMP together (XMP specification part 3, section 1.1.3.1).

    Args:
        parts: Contents of the APP1 segments after :data:`JPEG_EXTENSION_HEADER`.
        wanted: The digest that the main packet names in ``xmpNote:HasExtendedXMP``; other digests are ignored.

    Returns:
        The packet, or None with the reason.
    """
    pieces: dict[int, bytes] = {}
    total = 0
    for part in parts:
        if len(part) >= 40 and part[:32].decode("latin-1").upper() == wanted.upper():
            total = max(total, int.from_bytes(part[32:36], "big"))
            pieces[int.from_bytes(part[36:40], "big")] = part[40:]
    if not pieces:
        return None, "the extended XMP that the file announces is missing"
    if total > MAX_PACKET:
        return None, f"the extended XMP announces {total:,} bytes, more than the limit of {MAX_PACKET:,}"
    packet, position = bytearray(), 0
    for offset in sorted(pieces):
        if offset != position:
            return None, "parts of the extended XMP are missing"
        packet += pieces[offset]
        position = len(packet)
    if position < total:
        return None, "parts of the extended XMP are missing"
    return bytes(packet[:total]), None

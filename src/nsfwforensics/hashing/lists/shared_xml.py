"""The hash lists of NCMEC's exchange: XML, read in pieces, without document types and entities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from nsfwforensics.hashing.lists.items import KnownItem
from nsfwforensics.hashing.lists.rows import (
    PHOTODNA,
    BadLineError,
    ListLimitError,
    PhotoDnaError,
    column,
    column_kind,
    hash_bytes,
)

_CHUNK = 1 << 16
_DEEPEST = 64
_LONGEST_TEXT = 1 << 12
_SILENCE = 1 << 20
"""So many bytes may pass without an element that begins or ends."""

_ENTRIES = frozenset({"image", "video", "media", "file", "entry", "hashrecord"})
_GONE = frozenset({"deletedimage", "deletedvideo", "deletedfile"})


class GoneError(BadLineError):
    """An entry that was taken off the list."""


def entries(stream: BinaryIO) -> Iterator[tuple[int, KnownItem | BadLineError]]:
    """The entries of a file with their numbers from 1 on; a :class:`BadLineError` stands for one without use.

    Raises:
        ListLimitError: It is not well-formed, declares a document type or entities, or is nested beyond measure.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    builder = _Entries()
    parser = DefusedXMLParser(target=builder, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    number = silent = 0
    try:
        while chunk := stream.read(_CHUNK):
            before = builder.seen
            parser.feed(chunk)
            silent = 0 if builder.seen > before else silent + len(chunk)
            if silent > _SILENCE:
                raise ListLimitError("a part of its XML is longer than any of a list")
            for found in builder.taken():
                number += 1
                yield number, found
        parser.close()
    except DefusedXmlException as error:
        raise ListLimitError("its XML declares a document type or entities") from error
    except ParseError as error:
        raise ListLimitError(f"its XML is not well-formed: line {error.position[0]}") from error
    except (LookupError, ValueError) as error:
        if isinstance(error, ListLimitError):
            raise
        raise ListLimitError("the encoding of its XML is not known here") from error
    for found in builder.taken():
        number += 1
        yield number, found


class _Entries:
    """Takes the events of a parser and puts entries together.

    Attributes:
        seen: How many elements began.
    """

    def __init__(self) -> None:
        self.seen = 0
        self._open: list[str] = []
        self._text = ""
        self._hashes: dict[str, Any] = {}
        self._name = ""
        self._photodna = 0
        self._bad: BadLineError | None = None
        self._done: list[KnownItem | BadLineError] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        del attributes
        self.seen += 1
        if len(self._open) >= _DEEPEST:
            raise ListLimitError("its XML is nested deeper than any list")
        self._open.append(column(tag.rpartition("}")[2][:64]))
        self._text = ""

    def data(self, text: str) -> None:
        """Text within one."""
        if len(self._text) < _LONGEST_TEXT:
            self._text += text[:_LONGEST_TEXT]

    def end(self, tag: str) -> None:
        """An element ends."""
        del tag
        name, text, self._text = self._open.pop(), self._text.strip(), ""
        if name in _ENTRIES or name in _GONE:
            self._entry(gone=name in _GONE)
        elif text and name in PHOTODNA:
            self._photodna += 1
        elif text and (kind := column_kind(name)) is not None:
            try:
                self._hashes[kind.value] = hash_bytes(text, kind)
            except BadLineError as error:
                self._bad = error
        elif text and name == "filename":
            self._name = text

    def close(self) -> None:
        """The document ends; hashes that stand in no entry of a name known here are one each."""
        if self._hashes:
            self._entry(gone=False)

    def taken(self) -> list[KnownItem | BadLineError]:
        """What was put together since the last time."""
        done, self._done = self._done, []
        return done

    def _entry(self, *, gone: bool) -> None:
        self._done += [PhotoDnaError() for _ in range(self._photodna)]
        if gone:
            self._done.append(GoneError("taken off the list"))
        elif self._hashes:
            self._done.append(KnownItem(**self._hashes, name=self._name))
        elif not self._photodna:
            self._done.append(self._bad or BadLineError("no hash"))
        if self._hashes and self._bad and not gone:
            self._done.append(self._bad)
        self._hashes, self._name, self._photodna, self._bad = {}, "", 0, None

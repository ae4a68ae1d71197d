"""Blocks that are spread over several segments of a JPEG: long EXIF, and extended XMP."""

from __future__ import annotations

from nsfwforensics.formats import tiff, xmp
from nsfwforensics.formats.blocks import add_exif, add_xmp
from nsfwforensics.formats.exif import EXIF_HEADER, tiff_start
from nsfwforensics.formats.fields import Collector

MAX_EXIF = 32 * 1024 * 1024
"""Longest EXIF block put together of several segments, in bytes."""

MAX_LOOKS = 8
"""How often a block that is put together is looked through for whether it goes on."""


class ExifSegments:
    """EXIF in APP1 segments: blocks of their own, or one block that was too long for one segment."""

    SOURCE = "JPEG APP1"

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._block, self._where = bytearray(), 0
        self._reach, self._looks = 0, 0

    def take(self, body: bytes, where: int) -> None:
        """Takes the contents of one segment, with its header, and where they begin in the file."""
        content = body[len(EXIF_HEADER) :]
        if self._block and not tiff.is_tiff(content) and self._goes_on():
            self._block += content
            return
        self.finish()
        self._block, self._where = bytearray(body), where
        self._reach, self._looks = 0, MAX_LOOKS

    def _goes_on(self) -> bool:
        """Whether the block refers to more than was taken. What comes later may refer to more still, but not often."""
        if self._reach <= len(self._block) and self._looks:
            start = tiff_start(bytes(self._block[:128])) or 0
            self._looks -= 1
            self._reach = start + tiff.walk(bytes(self._block[start:])).reach
        return len(self._block) < min(self._reach, MAX_EXIF)

    def finish(self) -> None:
        """Reads what was taken."""
        if self._block:
            add_exif(bytes(self._block), self.SOURCE, self._out, self._where)
        self._block = bytearray()


class ExtendedXmp:
    """A JPEG's extended XMP: the parts, and which packets the main ones announce."""

    SOURCE = "JPEG APP1 (extended XMP)"

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._parts: dict[str, list[bytes]] = {}
        self.announced: list[str] = []

    def take(self, part: bytes) -> None:
        """Takes the contents of one segment, without its header."""
        self._parts.setdefault(xmp.extension_digest(part), []).append(part)

    def finish(self) -> None:
        """Reads each packet once, also those that nothing announces: what the file holds is said."""
        if self._parts.pop("", None):
            self._out.refuse("JPEG APP1: a part of the extended XMP is too short.")
        announced = dict.fromkeys(digest.upper() for digest in self.announced)
        for digest in (each for each in announced if each not in self._parts):
            self._out.refuse(f"JPEG APP1: the extended XMP {digest[:32]} that the file announces is missing.")
        for digest, parts in self._parts.items():
            packet, missing = xmp.join_extended(parts)
            if missing:
                self._out.refuse(f"JPEG APP1: {missing}.")
            if digest not in announced:
                self._out.note("JPEG APP1: the file holds extended XMP that its main packet does not announce.")
            add_xmp(packet, self.SOURCE, self._out)

"""The quantised DCT coefficients of a JPEG (ITU-T T.81), read by libjpeg 6b through ``jpeglib``.

A hostile file never reaches the C code as it is. Only what the coefficients depend on is handed over (tables, frame,
scans), after the frame header was checked against limits: the wrapper keeps markers in tables of fixed size, and does
not survive an error in the header.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nsfwforensics.core.messages import say
from nsfwforensics.errors import EvidenceError, LimitExceededError, MissingDependencyError
from nsfwforensics.formats import jpeg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Blocks = NDArray[np.int16]
    Steps = NDArray[np.uint16]

MAX_COEFFICIENTS = 360_000_000
"""Most coefficients of all components together: 120 megapixels in full colour."""

MAX_SCANS = 64
MAX_WORK = 64_000_000
"""Most blocks times scans: a progressive file can ask for all blocks once per scan."""

_LIBRARY = "6b"  # of those that jpeglib carries, the newer ones tried crash on some damaged scans; this one did not
_ARITHMETIC = frozenset((0xC9, 0xCA))
_READABLE = frozenset((0xC0, 0xC1, 0xC2, 0xC9, 0xCA))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_KEPT = frozenset((0xC4, 0xCC, jpeg.DQT, jpeg.DRI))  # tables: Huffman, arithmetic conditioning, quantisation, restarts
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame header says.

    Attributes:
        marker: 0xC0 (baseline), 0xC1 (extended), 0xC2 (progressive), 0xC9 and 0xCA (the same, arithmetic coding).
        width: In pixels.
        height: In pixels.
        components: Identifier, horizontal and vertical sampling factor (1–4) and table number of each.
    """

    marker: int
    width: int
    height: int
    components: tuple[tuple[int, int, int, int], ...]

    @property
    def sampling(self) -> tuple[tuple[int, int], ...]:
        """Horizontal and vertical sampling factor of each component."""
        return tuple((horizontal, vertical) for _, horizontal, vertical, _ in self.components)

    def blocks(self, component: int) -> tuple[int, int]:
        """Rows and columns of 8 × 8 blocks of a component."""
        most_h = max(each[0] for each in self.sampling)
        most_v = max(each[1] for each in self.sampling)
        horizontal, vertical = self.sampling[component]
        return -(-self.height * vertical // (8 * most_v)), -(-self.width * horizontal // (8 * most_h))


@dataclass(frozen=True, slots=True)
class Coefficients:
    """The quantised coefficients of one JPEG.

    Attributes:
        frame: Its header.
        luma: int16 (rows, columns, 8, 8) of the first component, [vertical, horizontal] frequency; read-only.
        chroma: The same of the further components; empty if not asked for or not there.
        tables: uint16 (8, 8) quantisation steps of each component, natural order.
    """

    frame: Frame
    luma: Blocks
    chroma: tuple[Blocks, ...]
    tables: tuple[Steps, ...]


def read_frame(layout: jpeg.JpegFile) -> Frame:
    """Reads and checks the frame header.

    Raises:
        EvidenceError: There is none, there are several, or it is one whose coefficients cannot be read (lossless,
            hierarchical, 12-bit, a number of components other than 1, 3 or 4, impossible factors).
    """
    found = [segment for segment in layout.segments if segment.marker in _FRAMES]
    if len(found) != 1:
        raise EvidenceError(say("more than one JPEG frame header") if found else say("no JPEG frame header"))
    marker, data = found[0].marker, found[0].data
    if marker not in _READABLE:
        raise EvidenceError(say("a lossless or hierarchical JPEG: its coefficients cannot be read"))
    if len(data) < 6 or data[5] not in (1, 3, 4) or len(data) != 6 + 3 * data[5]:
        raise EvidenceError(say("the JPEG frame header is damaged or has an unusual number of components"))
    if data[0] != 8:
        raise EvidenceError(say("{bits} bits per sample: only 8 can be read", bits=data[0]))
    height, width = int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big")
    parts = [data[at : at + 3] for at in range(6, len(data), 3)]
    components = tuple((part[0], part[1] >> 4, part[1] & 15, part[2]) for part in parts)
    sound = all(1 <= h <= 4 and 1 <= v <= 4 and table < 4 for _, h, v, table in components)
    if not (width and height and sound) or len({part[0] for part in components}) != len(components):
        raise EvidenceError(say("the JPEG frame header states an impossible size, sampling or table"))
    return Frame(marker, width, height, components)


def read_coefficients(
    data: bytes, *, chroma: bool = False, layout: jpeg.JpegFile | None = None, limit: int = MAX_COEFFICIENTS
) -> Coefficients:
    """Reads the quantised coefficients of the first picture in a JPEG file.

    Where the file is cut short or damaged, blocks that are missing are zero but for what the decoder makes up, as in
    every viewer.

    Args:
        data: The file.
        chroma: Whether to keep the components after the first too.
        layout: The structure of ``data``, if it was read before.
        limit: Most coefficients of all components together.

    Raises:
        EvidenceError: It is no JPEG whose coefficients can be read.
        LimitExceededError: It has more coefficients or scans than the limits allow.
        MissingDependencyError: ``jpeglib`` is not installed, as on Linux for ARM.
    """
    if data[:2] != b"\xff\xd8":
        raise EvidenceError(say("not a JPEG file"))
    layout = layout or jpeg.read_jpeg(data)
    if layout.unread:
        raise LimitExceededError(say("the JPEG has more parts than are read"))
    frame = read_frame(layout)
    shapes = [frame.blocks(component) for component in range(len(frame.components))]
    if frame.marker in _ARITHMETIC:
        raise EvidenceError(say("arithmetic coding, which the library does not read"))
    blocks = sum(rows * columns for rows, columns in shapes)
    scans = sum(segment.marker == jpeg.SOS for segment in layout.segments)
    if blocks * 64 > limit:
        problem = say("{count:,} coefficients, more than the limit of {limit:,}", count=blocks * 64, limit=limit)
        raise LimitExceededError(problem)
    if scans > MAX_SCANS or blocks * scans > MAX_WORK:
        problem = say("{scans} scans of {blocks:,} blocks, more than the limit", scans=scans, blocks=blocks)
        raise LimitExceededError(problem)
    stream = _essence(data, layout, frame)
    planes: list[Blocks] = [
        np.zeros((rows, columns, 8, 8), np.int16) for rows, columns in (shapes if chroma else shapes[:1])
    ]
    steps, numbers = np.zeros((4, 8, 8), np.uint16), np.zeros(4, np.int16)
    read = _reader()
    with _as_path(stream) as path, _lock, _quiet():
        pointers = [plane.ctypes.data_as(ctypes.c_void_p) for plane in planes]
        pointers += [ctypes.c_void_p(None)] * (4 - len(pointers))
        status = read(
            os.fsencode(path), *pointers, *(each.ctypes.data_as(ctypes.c_void_p) for each in (steps, numbers))
        )
    if not status:
        raise EvidenceError(say("the JPEG data is too damaged for its coefficients to be read"))
    for plane in planes:
        plane.flags.writeable = False
    tables = tuple(steps[table].copy() for *_, table in frame.components)
    if any(not table.all() for table in tables):
        raise EvidenceError(say("a quantisation table of the JPEG holds a zero"))
    return Coefficients(frame, planes[0], tuple(planes[1:]), tables)


def _essence(data: bytes, layout: jpeg.JpegFile, frame: Frame) -> bytes:
    """The stream without anything that the coefficients do not depend on, checked as far as its first scan.

    Raises:
        EvidenceError: There is no scan, or what stands before the first one is damaged.
    """
    parts = [b"\xff\xd8"]
    known = {component[0] for component in frame.components}
    defined: set[int] = set()
    started = seen = False
    for segment in layout.segments:
        body = segment.data
        if segment.marker in _FRAMES:
            seen = True
        elif segment.marker == jpeg.SOS:
            count = body[0] if body else 0
            if not seen or not 1 <= count <= 4 or len(body) != 4 + 2 * count or not known.issuperset(body[1:-3:2]):
                if started:
                    break
                raise EvidenceError(say("the first scan of the JPEG is damaged"))
            if not defined.issuperset(component[3] for component in frame.components):
                raise EvidenceError(say("a quantisation table of the JPEG is missing"))  # it would crash the C code
            started = True
        elif segment.marker not in _KEPT:
            continue
        elif not _sound_table(segment.marker, body):
            if started:
                break
            raise EvidenceError(say("the {segment} segment of the JPEG is damaged", segment=segment.name))
        elif segment.marker == jpeg.DQT and not started:
            defined |= _defined(body)
        parts.append(bytes((0xFF, segment.marker)) + (len(body) + 2).to_bytes(2, "big") + body)
        if segment.marker == jpeg.SOS:
            parts.append(data[segment.offset + 4 + len(body) : segment.end])
    if not started:
        raise EvidenceError(say("the JPEG holds no scan"))
    return b"".join((*parts, b"\xff\xd9"))


def _sound_table(marker: int, data: bytes) -> bool:
    """Whether a segment of tables is well formed, so that the C code raises no error over it."""
    at = 0
    if marker == jpeg.DRI:
        return len(data) == 2
    while at < len(data):
        first = data[at]
        if marker == jpeg.DQT:
            size = 1 + 64 * (1 + (first >> 4))
            sound = first >> 4 <= 1 and first & 15 < 4
        elif marker == 0xC4:
            count = sum(data[at + 1 : at + 17])
            size, sound = 17 + count, first >> 4 <= 1 and first & 15 < 4 and count <= 256
        else:
            value = data[at + 1] if at + 1 < len(data) else 0
            size, sound = 2, first < 32 and (first >= 16 or value & 15 <= value >> 4)
        at += size
        if not sound or at > len(data):
            return False
    return True


def _defined(tables: bytes) -> set[int]:
    """The numbers of the quantisation tables in a well-formed DQT segment."""
    found, at = set(), 0
    while at < len(tables):
        found.add(tables[at] & 15)
        at += 1 + 64 * (1 + (tables[at] >> 4))
    return found


def _reader() -> Any:
    """The C function that reads coefficients into given arrays."""
    try:
        import jpeglib

        with _lock:
            if jpeglib.version.get() != _LIBRARY:
                jpeglib.version.set(_LIBRARY)
            return jpeglib.version._get_lib().read_jpeg_dct
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        problem = say("the library jpeglib, which reads DCT coefficients, is not installed")
        raise MissingDependencyError(problem) from error


@contextlib.contextmanager
def _as_path(data: bytes) -> Iterator[str]:
    """A name under which the C code can open these bytes; they touch no disk where the system allows it."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        with open(os.memfd_create("jpeg", os.MFD_CLOEXEC), "wb", buffering=0) as stream:  # noqa: PTH123
            view = memoryview(data)
            while view:
                view = view[stream.write(view) :]
            yield f"/proc/self/fd/{stream.fileno()}"
        return
    handle, name = tempfile.mkstemp(suffix=".jpg")
    try:
        with open(handle, "wb") as stream:  # noqa: PTH123
            stream.write(data)
        yield name
    finally:
        Path(name).unlink()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the C code's remarks on damaged data off the console."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no console
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)

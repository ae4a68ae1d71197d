"""One image file, opened once, read-only, with everything the analyzers share.

The bytes are hashed before anything else looks at them, decoded at most once, and never written.
"""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from copy import copy
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from nsfwforensics.core.decode import Decoded, Limits, decode, decode_reduced, header_size, thumbnail_base64
from nsfwforensics.core.media import SNIFF_BYTES, sniff
from nsfwforensics.core.messages import say
from nsfwforensics.core.opening import open_evidence
from nsfwforensics.core.types import FileInfo, FileState
from nsfwforensics.errors import EvidenceError, TooLargeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

T = TypeVar("T")

now_reading: ContextVar[Callable[[Path], None] | None] = ContextVar("now_reading", default=None)
"""Told of every file before it is opened: a process that a file may end leaves word of which it was."""


class Evidence:
    """A file under examination. Opened read-only, hashed first, decoded lazily and once.

    Attributes:
        path: Where the file is.
        size: Its size in bytes.
        mtime_ns: Its modification time, nanoseconds since the epoch; None for bytes in memory.
        data: Its bytes.
        sha256: SHA-256 of the bytes, lowercase hexadecimal.
        media_type: What the bytes are (never what the name says).
    """

    __slots__ = ("_decoded", "_derived", "_digests", "_follow", "_limits", "data", "media_type", "mtime_ns", "path",
                 "sha256", "size")  # fmt: skip

    def __init__(self, path: Path, data: bytes, mtime_ns: int | None, limits: Limits, *, follow: bool = False) -> None:
        self.path = path
        self.data = data
        self.size = len(data)
        self.mtime_ns = mtime_ns
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.media_type = sniff(data)
        self._limits = limits
        self._follow = follow
        self._derived: dict[str, Any] = {}
        self._digests: dict[str, str] | None = None
        self._decoded: Decoded | EvidenceError | None = None

    @classmethod
    def open(cls, path: Path, limits: Limits | None = None, *, follow: bool = False) -> Evidence:
        """Reads a file whole; a pipe or a device that took its place meanwhile is refused, not waited for.

        Args:
            path: A regular file.
            limits: What it may ask for; the defaults of :class:`Limits` if omitted.
            follow: Whether it may be a symbolic link.

        Raises:
            EvidenceError: The file cannot be read, is empty or is not a regular file.
            TooLargeError: It is larger than ``limits.max_bytes``.
        """
        limits = limits or Limits()
        with _stream(path, follow=follow) as stream:
            info = os.fstat(stream.fileno())
            if info.st_size > limits.max_bytes:
                raise TooLargeError(
                    say(
                        "{size:,} bytes, more than the limit of {limit:,} (--max-bytes)",
                        size=info.st_size,
                        limit=limits.max_bytes,
                    )
                )
            try:
                data = stream.read(info.st_size + 1)  # so much is allocated at once
                end = os.fstat(stream.fileno())
            except OSError as error:
                raise EvidenceError(say("cannot be read: {error}", error=error.strerror)) from error
        if not data:
            raise EvidenceError(say("the file is empty (0 bytes)"))
        if (end.st_mtime_ns, end.st_size) != (info.st_mtime_ns, len(data)):
            raise EvidenceError(
                say("it was changed while it was being read; examine it again when nothing writes to it")
            )
        return cls(path, data, info.st_mtime_ns, limits, follow=follow)

    @classmethod
    def unread(cls, path: Path, problem: str, limits: Limits | None = None, *, follow: bool = False) -> Evidence:
        """A file of which only the digests are taken, piece by piece: its bytes are not kept, and decode to nothing.

        Args:
            path: A regular file.
            problem: Why it is not looked into.
            limits: Reading it may take half their seconds.
            follow: Whether it may be a symbolic link.

        Raises:
            EvidenceError: The file cannot be read, is not a regular file, or takes too long.
        """
        limits = limits or Limits()
        digests = {name: hashlib.new(name, usedforsecurity=False) for name in _DIGESTS}
        latest = time.monotonic() + limits.max_seconds / 2 if limits.max_seconds else math.inf
        head, size = b"", 0
        with _stream(path, follow=follow) as stream:
            try:
                while piece := stream.read(_PIECE):
                    head = head or piece[:SNIFF_BYTES]
                    size += len(piece)
                    for digest in digests.values():
                        digest.update(piece)
                    if time.monotonic() > latest:
                        raise EvidenceError(problem)
                info = os.fstat(stream.fileno())
            except OSError as error:
                raise EvidenceError(say("cannot be read: {error}", error=error.strerror)) from error
        made = cls(path, b"", info.st_mtime_ns, limits, follow=follow)
        made._digests = {name: digest.hexdigest() for name, digest in digests.items()}
        made.sha256, made.size, made.media_type = made._digests["sha256"], size, sniff(head)
        made._decoded = EvidenceError(problem)
        return made

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "image", limits: Limits | None = None) -> Evidence:
        """Makes evidence of bytes in memory, as tests and libraries need it."""
        return cls(Path(name), data, None, limits or Limits())

    def inner(self, data: bytes) -> Evidence:
        """A picture that stands in this file, bytes of its own, under the same limits."""
        return Evidence(self.path, data, None, self._limits)

    def frame(self, decoded: Decoded) -> Evidence:
        """A frame of this file: the same bytes, and other pixels."""
        made = copy(self)
        made._derived, made._decoded, made.mtime_ns = {}, decoded, None
        return made

    @property
    def digests(self) -> dict[str, str]:
        """``md5``, ``sha1`` and ``sha256`` of the bytes, lowercase hexadecimal.

        MD5 and SHA-1 are what existing lists hold; they identify and protect nothing here.
        """
        if self._digests is None:
            old = {name: hashlib.new(name, self.data, usedforsecurity=False).hexdigest() for name in _DIGESTS[:2]}
            self._digests = {**old, "sha256": self.sha256}
        return self._digests

    @property
    def limits(self) -> Limits:
        """What the file may ask for."""
        return self._limits

    @property
    def full_size(self) -> tuple[int, int] | None:
        """Width and height as shown at full size where :attr:`image` was decoded smaller, else None."""
        return self._decoded.full_size if isinstance(self._decoded, Decoded) else None

    @property
    def image(self) -> Image.Image:
        """The first frame as 8-bit ``RGB`` or ``L``, EXIF orientation applied, alpha laid over white.

        Raises:
            EvidenceError: Nothing of it can be decoded.
            LimitExceededError: It has more pixels than the limits allow.
        """
        return self._decode().image

    @property
    def original(self) -> Image.Image:
        """The first frame just as Pillow decoded it: own mode, alpha kept, orientation not applied."""
        return self._decode().original

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """The picture of :attr:`image` as a read-only uint8 array (height, width, 3), RGB, 0–255."""

        def build() -> NDArray[np.uint8]:
            image = self.image if self.image.mode == "RGB" else self.image.convert("RGB")  # it would copy even then
            pixels = _as_array(image)
            pixels.flags.writeable = False
            return pixels

        return self.derive("rgb", build)

    @property
    def decoded_rows(self) -> NDArray[np.uint8]:
        """The rows of :attr:`rgb` that could be decoded: the others are filled with one colour, which is no picture.

        Of a picture that is stored turned they lie elsewhere: see :attr:`turned`.
        """
        return self.rgb[: max(1, int(self.rgb.shape[0] * self.decoded_share))]

    def reduced(self, least: int, *, grey: bool = False) -> Image.Image | None:
        """A smaller version of :attr:`image`, where the format decodes it at a fraction of the cost.

        It depends on the bytes alone, never on what was decoded before.

        Args:
            least: Shortest edge that is kept, in pixels.
            grey: Leave the colours out, which saves as much again.

        Returns:
            8-bit ``RGB`` or ``L``; None where the picture must be decoded in full.
        """
        return self.derive(
            f"reduced.{least}.{grey}",
            lambda: decode_reduced(self.data, self.media_type, self._limits, least, grey=grey),
        )

    def settle(self) -> None:
        """Finds out how much of the picture can be decoded, where nothing that was asked of it has told by now."""
        known = self._decoded is not None or any(
            made is not None for key, made in self._derived.items() if key.startswith("reduced.")
        )
        if not known and self.reduced(_SETTLED) is None:
            with suppress(EvidenceError):
                self._decode()

    @property
    def frames(self) -> int:
        """How many frames or pages the file holds; 1 for an ordinary picture."""
        return self._decode().frames

    @property
    def decoded_share(self) -> float:
        """Share of the picture's rows that could be decoded, 0–1; below 1 the file is truncated."""
        return self._decode().share

    @property
    def turned(self) -> bool:
        """Whether the picture is stored other than it is shown (EXIF orientation)."""
        return self._decode().turned

    @property
    def problem(self) -> str | None:
        """Why the picture could not be decoded, if that was tried and failed."""
        return self._decoded.message if isinstance(self._decoded, EvidenceError) else None

    def derive(self, key: str, build: Callable[[], T]) -> T:
        """Returns what ``build`` makes, calling it once per key: found once, whoever asks first.

        Args:
            key: A name for the intermediate; prefix it with the module that owns it (``faces.boxes``).
            build: Makes it. An exception is not remembered.
        """
        if key not in self._derived:
            self._derived[key] = build()
        return cast(T, self._derived[key])

    def info(self, *, thumbnail: bool = False) -> FileInfo:
        """Describes the file as far as it has been looked at: its header gives the size, decoding the rest.

        Args:
            thumbnail: Whether to include a small JPEG of the picture (evidence pixels: only on request).
        """
        known = describe_path(self.path).model_copy(
            update={
                "size": self.size,
                "modified": utc_iso(self.mtime_ns / 1e9) if self.mtime_ns is not None else None,
                "sha256": self.sha256,
                "media_type": self.media_type,
            }
        )
        if not isinstance(self._decoded, Decoded):
            width, height = header_size(self.data, self.media_type)
            return known.model_copy(update={"width": width, "height": height})
        picture = self._decoded
        return known.model_copy(
            update={
                "width": (picture.full_size or picture.image.size)[0],
                "height": (picture.full_size or picture.image.size)[1],
                "frames": picture.frames,
                "decoded_share": picture.share,
                "thumbnail": thumbnail_base64(picture.image) if thumbnail else None,
            }
        )

    def after(self) -> FileState | None:
        """Reads the file again, to show that the examination left it as it was; None for bytes in memory."""
        most = max(self.size, self._limits.max_bytes)
        return None if self.mtime_ns is None else file_state(self.path, most, follow=self._follow)

    def _decode(self) -> Decoded:
        if self._decoded is None:
            try:
                self._decoded = decode(self.data, self.media_type, self._limits)
            except EvidenceError as error:
                self._decoded = error
        if isinstance(self._decoded, EvidenceError):
            raise self._decoded
        return self._decoded


_DIGESTS = ("md5", "sha1", "sha256")
_PIECE = 1 << 20
_STRIP = 64  # rows of pixels
_SETTLED = 128  # pixels of the shorter edge that are decoded to find out


def _as_array(image: Image.Image) -> NDArray[np.uint8]:
    """An RGB picture as uint8 (height, width, 3), without the two copies that ``np.asarray`` makes on the way."""
    import numpy as np

    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _STRIP):
        rows = pixels[top : top + _STRIP]
        strip = image.crop((0, top, image.width, top + len(rows)))
        rows[:] = np.frombuffer(strip.tobytes(), np.uint8).reshape(rows.shape)
    return pixels


def _stream(path: Path, *, follow: bool) -> BufferedReader:
    """Opens a file, after telling who wants to know.

    Raises:
        EvidenceError: It cannot be opened or is not a regular file.
    """
    if (told := now_reading.get()) is not None:
        told(path)
    try:
        return open_evidence(path, follow=follow)
    except OSError as error:
        raise EvidenceError(say("cannot be read: {error}", error=error.strerror)) from error


def file_state(path: Path, max_bytes: int, *, follow: bool = False) -> FileState:
    """Size, time and SHA-256 of a file, read piece by piece; empty where it cannot be read or is too large."""
    try:
        with open_evidence(path, follow=follow) as stream:
            info = os.fstat(stream.fileno())
            if info.st_size > max_bytes:
                return FileState()
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return FileState()
    return FileState(size=info.st_size, modified=utc_iso(info.st_mtime_ns / 1e9), sha256=digest)


def describe_path(path: Path) -> FileInfo:
    """A :class:`FileInfo` of a path alone, for files that could not be opened."""
    return FileInfo(path=str(path), name=path.name)


def utc_iso(timestamp: float) -> str:
    """Formats seconds since the epoch as ISO 8601 in UTC, with milliseconds.

    A file system may hold times that no calendar of the library reaches: such a year is written with its sign, as
    ISO 8601 expands it (``+33658-09-27T01:46:40.000+00:00``).

    Args:
        timestamp: Any finite number.
    """
    cycles, within = divmod(timestamp, _CYCLE_SECONDS)
    moment = _EPOCH + timedelta(seconds=within)
    year = moment.year + 400 * int(cycles)
    number = f"{year:04d}" if 0 < year < 10_000 else f"{year:+05d}"
    return number + moment.isoformat(timespec="milliseconds")[4:]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CYCLE_SECONDS = 146_097 * 86_400
"""Seconds in 400 years, after which the calendar repeats itself."""


__all__ = ["Evidence", "Limits", "describe_path", "utc_iso"]

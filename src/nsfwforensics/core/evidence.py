"""One image file, opened once, read-only, with everything the analyzers share.

The bytes are hashed before anything else looks at them, decoded at most once, and never written.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from nsfwforensics.core.media import SNIFF_BYTES, sniff
from nsfwforensics.core.types import FileInfo
from nsfwforensics.errors import EvidenceError, LimitExceededError, NotAnImageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

T = TypeVar("T")

THUMBNAIL_PIXELS = 320


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask for before it is refused.

    Attributes:
        max_bytes: Largest file read, in bytes.
        max_pixels: Largest picture decoded, width times height.
    """

    max_bytes: int = 512 * 1024 * 1024
    max_pixels: int = 120_000_000


class Evidence:
    """A file under examination. Opened read-only, hashed first, decoded lazily and once.

    Attributes:
        path: Where the file is.
        size: Its size in bytes.
        mtime_ns: Its modification time, nanoseconds since the epoch.
        data: Its bytes.
        sha256: SHA-256 of the bytes, lowercase hexadecimal.
        media_type: What the bytes are (never what the name says).
    """

    __slots__ = ("_decoded", "_derived", "_limits", "data", "media_type", "mtime_ns", "path",
                 "sha256", "size")  # fmt: skip

    def __init__(self, path: Path, data: bytes, mtime_ns: int, limits: Limits) -> None:
        self.path = path
        self.data = data
        self.size = len(data)
        self.mtime_ns = mtime_ns
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.media_type = sniff(data[:SNIFF_BYTES])
        self._limits = limits
        self._derived: dict[str, Any] = {}
        self._decoded: _Decoded | EvidenceError | None = None

    @classmethod
    def open(cls, path: Path, limits: Limits | None = None) -> Evidence:
        """Reads a file whole, without following it if it turned into something else meanwhile.

        Args:
            path: A regular file.
            limits: What it may ask for; the defaults of :class:`Limits` if omitted.

        Raises:
            EvidenceError: The file cannot be read, is empty or is not a regular file.
            LimitExceededError: It is larger than ``limits.max_bytes``.
        """
        limits = limits or Limits()
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(path, flags)
        except OSError as error:
            raise EvidenceError(f"cannot be read: {error.strerror}") from error
        with os.fdopen(descriptor, "rb") as stream:
            info = os.fstat(stream.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise EvidenceError("not a regular file")
            if info.st_size > limits.max_bytes:
                raise LimitExceededError(
                    f"{info.st_size:,} bytes, more than the limit of {limits.max_bytes:,} (--max-bytes)"
                )
            try:
                data = stream.read(limits.max_bytes + 1)
            except OSError as error:
                raise EvidenceError(f"cannot be read: {error.strerror}") from error
        if not data:
            raise EvidenceError("the file is empty (0 bytes)")
        if len(data) > limits.max_bytes:
            raise LimitExceededError(f"grew past the limit of {limits.max_bytes:,} bytes")
        return cls(path, data, info.st_mtime_ns, limits)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "image", limits: Limits | None = None) -> Evidence:
        """Makes evidence of bytes in memory, as tests and libraries need it."""
        return cls(Path(name), data, 0, limits or Limits())

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
            import numpy as np

            pixels = np.asarray(self.image.convert("RGB"))
            pixels.flags.writeable = False
            return pixels

        return self.derive("rgb", build)

    @property
    def frames(self) -> int:
        """How many frames or pages the file holds; 1 for an ordinary picture."""
        return self._decode().frames

    @property
    def decoded_share(self) -> float:
        """Share of the picture's rows that could be decoded, 0–1; below 1 the file is truncated."""
        return self._decode().share

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
                "modified": utc_iso(self.mtime_ns / 1e9) if self.mtime_ns else None,
                "sha256": self.sha256,
                "media_type": self.media_type,
            }
        )
        if not isinstance(self._decoded, _Decoded):
            width, height = _header_size(self.data, self.media_type)
            return known.model_copy(update={"width": width, "height": height})
        picture = self._decoded
        return known.model_copy(
            update={
                "width": picture.image.width,
                "height": picture.image.height,
                "frames": picture.frames,
                "decoded_share": picture.share,
                "thumbnail": _thumbnail(picture.image) if thumbnail else None,
            }
        )

    def _decode(self) -> _Decoded:
        if self._decoded is None:
            try:
                self._decoded = _decode(self.data, self.media_type, self._limits)
            except EvidenceError as error:
                self._decoded = error
        if isinstance(self._decoded, EvidenceError):
            raise self._decoded
        return self._decoded


@dataclass(frozen=True, slots=True)
class _Decoded:
    original: Image.Image
    image: Image.Image
    frames: int
    share: float


def describe_path(path: Path) -> FileInfo:
    """A :class:`FileInfo` of a path alone, for files that could not be opened."""
    return FileInfo(path=str(path), name=path.name)


def utc_iso(timestamp: float) -> str:
    """Formats seconds since the epoch as ISO 8601 in UTC, with milliseconds."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds")


def _decode(data: bytes, media_type: str | None, limits: Limits) -> _Decoded:
    """Decodes the first frame under the limits.

    Pillow raises many types on hostile input (struct, value, index and syntax errors among them), so every
    ``Exception`` of the decoder becomes an :class:`EvidenceError` here, at the one place where bytes become pixels.
    """
    if media_type is None:
        raise NotAnImageError("the content is no image format known here")
    from PIL import Image, ImageOps

    if media_type == "image/heif":
        _register_heif()
    with _pillow_limits_off():
        try:
            original = Image.open(io.BytesIO(data))
            width, height = original.size
            if width * height > limits.max_pixels:
                raise LimitExceededError(
                    f"{width} × {height} is {width * height / 1e6:,.0f} megapixels, more than the "
                    f"limit of {limits.max_pixels / 1e6:,.0f} (--max-pixels)"
                )
            frames = int(getattr(original, "n_frames", 1))
            share = _load(original)
            if share is None:
                original = Image.open(io.BytesIO(data))
                share = _load_in_part(original)
            upright = ImageOps.exif_transpose(original)
            image = _eight_bit(upright)
        except EvidenceError:
            raise
        except Exception as error:
            raise EvidenceError(f"cannot be decoded: {type(error).__name__}: {error}") from error
    return _Decoded(original, image, frames, share)


def _header_size(data: bytes, media_type: str | None) -> tuple[int | None, int | None]:
    """Width and height as shown (orientation applied) from the header alone, or (None, None)."""
    if media_type is None:
        return None, None
    from PIL import Image

    if media_type == "image/heif":
        _register_heif()
    with _pillow_limits_off():
        try:
            opened = Image.open(io.BytesIO(data))
            turned = opened.getexif().get(0x0112) in (5, 6, 7, 8)
        except Exception:  # noqa: BLE001 - as in _decode: hostile headers make Pillow raise anything
            return None, None
    return opened.size[::-1] if turned else opened.size


def _load(image: Image.Image) -> float | None:
    """Decodes fully and returns 1.0, or None where the data ends early or breaks off."""
    try:
        image.load()
    except (OSError, SyntaxError, EOFError, ValueError, IndexError):
        return None
    return 1.0


def _load_in_part(image: Image.Image) -> float:
    """Decodes what is there of a broken file and returns the share of rows that hold picture data.

    Raises:
        EvidenceError: Not one row could be decoded.
    """
    from PIL import ImageFile

    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        image.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
    share = _filled_share(image)
    if share == 0.0:
        raise EvidenceError("cannot be decoded: the picture data is missing or broken from its start")
    return min(share, 0.999)


def _filled_share(image: Image.Image) -> float:
    """Share of rows above the constant fill that a decoder leaves where data ran out."""
    import numpy as np

    pixels = np.asarray(image.convert("RGB"))
    fill = pixels[-1, -1]
    rows = np.flatnonzero((pixels != fill).any(axis=(1, 2)))
    return float(rows[-1] + 1) / pixels.shape[0] if rows.size else 0.0


def _eight_bit(image: Image.Image) -> Image.Image:
    """Brings any Pillow mode to 8-bit ``RGB`` or ``L``: 16-bit scaled down, alpha laid over white."""
    from PIL import Image

    if image.mode in ("RGB", "L"):
        return image
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        import numpy as np

        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        scale = 255.0 / 65535.0 if values.max(initial=0.0) > 255.0 else 1.0
        return Image.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8))
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        layer = image.convert("RGBA")
        flat = Image.new("RGB", layer.size, (255, 255, 255))
        flat.paste(layer, mask=layer.getchannel("A"))
        return flat
    return image.convert("L" if image.mode == "1" else "RGB")


def _thumbnail(image: Image.Image) -> str:
    small = image.convert("RGB")
    small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=70)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _register_heif() -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False)


@contextmanager
def _pillow_limits_off() -> Iterator[None]:
    """Leaves the pixel limit to :class:`Limits`, and puts Pillow's own back afterwards."""
    from PIL import Image

    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before

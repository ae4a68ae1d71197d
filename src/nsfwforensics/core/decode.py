"""Bytes to pixels, under limits: the one place where Pillow meets a hostile file."""

from __future__ import annotations

import base64
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nsfwforensics.core.failure import reason_of
from nsfwforensics.core.messages import say
from nsfwforensics.errors import EvidenceError, LimitExceededError, NotAnImageError

if TYPE_CHECKING:
    from PIL import Image

_log = logging.getLogger(__name__)

THUMBNAIL_PIXELS = 320

_ORIENTATION = 0x0112

LEAST_SHARE = 0.05
"""A broken file with a smaller share of its rows than this is not analysed: a strip at the top says nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask for before it is refused.

    Attributes:
        max_bytes: Largest file read, in bytes.
        max_pixels: Largest picture decoded, width times height.
        max_seconds: Longest examination in a worker process, in seconds; 0 for no limit.
        max_memory: Most memory that a worker process may take for data, in bytes; 0 for no limit.
    """

    max_bytes: int = 512 * 1024 * 1024
    max_pixels: int = 120_000_000
    max_seconds: float = 300.0
    max_memory: int = 6 * 1024**3


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded picture.

    Attributes:
        original: The first frame just as Pillow decoded it.
        image: The same as 8-bit ``RGB`` or ``L``, upright, alpha laid over white.
        frames: How many frames the file holds.
        share: Share of the stored rows that could be decoded, 0–1.
        turned: Whether ``image`` was turned upright.
    """

    original: Image.Image
    image: Image.Image
    frames: int
    share: float
    turned: bool


def decode(data: bytes, media_type: str | None, limits: Limits) -> Decoded:
    """Decodes the first frame under the limits.

    Args:
        data: The file's bytes.
        media_type: What they are, as sniffed.
        limits: What they may ask for.

    Raises:
        NotAnImageError: ``media_type`` is None.
        LimitExceededError: There are more pixels than allowed.
        EvidenceError: Nothing can be decoded.

    Pillow raises many types on hostile input (struct, value, index and syntax errors among them), so every
    ``Exception`` of the decoder becomes an :class:`EvidenceError` here, at the one place where bytes become pixels.
    """
    if media_type is None:
        raise NotAnImageError(say("the content is no image format known here"))
    from PIL import ImageOps, UnidentifiedImageError

    if media_type == "image/heif":
        _register_heif()
    with _pillow_tamed():
        try:
            original = _opened(data)
            width, height = original.size
            if width * height > limits.max_pixels:
                raise LimitExceededError(
                    say(
                        "{width} × {height} is {megapixels:,.0f} megapixels, more than the limit of {limit:,.0f} "
                        "(--max-pixels)",
                        width=width,
                        height=height,
                        megapixels=width * height / 1e6,
                        limit=limits.max_pixels / 1e6,
                    )
                )
            frames = int(getattr(original, "n_frames", 1))
            share = _load(original)
            if share is None:
                original = _opened(data)
                share = _load_in_part(original)
            turned = _orientation(original) != 1
            upright = ImageOps.exif_transpose(original) if turned else original  # it would copy even then
            image = _eight_bit(upright)
        except EvidenceError:
            raise
        except UnidentifiedImageError as error:  # its own text names a memory address
            problem = say("cannot be decoded: no {media_type} picture inside", media_type=media_type)
            raise EvidenceError(problem) from error
        except Exception as error:
            _log.debug("decoding failed", exc_info=True)
            problem = say("cannot be decoded: {error}", error=reason_of(error))
            raise EvidenceError(problem) from error
    return Decoded(original, image, frames, share, turned)


def decode_reduced(data: bytes, media_type: str | None, limits: Limits, least: int) -> Image.Image | None:
    """Decodes a large JPEG at a half, a quarter or an eighth of its size, which costs a fraction of the full decode.

    Args:
        data: The file's bytes.
        media_type: What they are, as sniffed.
        limits: What they may ask for.
        least: Shortest edge that the reduced picture must keep, in pixels.

    Returns:
        8-bit ``RGB`` or ``L``, EXIF orientation applied; None where it must be decoded in full (no JPEG, not large
        enough, not whole), which then says why.
    """
    if media_type != "image/jpeg":
        return None
    from PIL import Image, ImageOps

    with _pillow_tamed():
        try:
            picture = Image.open(io.BytesIO(data))
            width, height = picture.size
            factor = min(width, height) // least
            if width * height > limits.max_pixels or factor < 2 or picture.mode not in ("RGB", "L"):
                return None
            scale = 1 << min(3, factor.bit_length() - 1)
            picture.draft(None, (width // scale, height // scale))
            if _load(picture) is None or picture.size == (width, height):
                return None
            turned = _orientation(picture) != 1
            return _eight_bit(ImageOps.exif_transpose(picture) if turned else picture)
        except Exception:  # noqa: BLE001 - as in decode, which is asked next and says what is wrong
            return None


def header_size(data: bytes, media_type: str | None) -> tuple[int | None, int | None]:
    """Width and height as shown (orientation applied) from the header alone, or (None, None)."""
    if media_type is None:
        return None, None

    if media_type == "image/heif":
        _register_heif()
    with _pillow_tamed():
        try:
            opened = _opened(data)
            turned = not _would_load(opened) and _orientation(opened) in (5, 6, 7, 8)
        except Exception:  # noqa: BLE001 - as in decode: hostile headers make Pillow raise anything
            return None, None
    return opened.size[::-1] if turned else opened.size


def _opened(data: bytes) -> Image.Image:
    """Opens a picture; text or a profile in it that inflates to more than Pillow allows does not hide the picture."""
    from PIL import Image

    try:
        return Image.open(io.BytesIO(data))
    except ValueError:
        with _lenient():
            return Image.open(io.BytesIO(data))


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1, which is upright, where the block cannot be read: it must not hide the picture."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - as in decode: hostile blocks make Pillow raise anything
        return 1
    return value if isinstance(value, int) else 1


def _would_load(image: Image.Image) -> bool:
    """Whether asking for EXIF would decode the picture: in a PNG the block may stand behind the pixels."""
    return image.format == "PNG" and not {"exif", "Raw profile type exif"} & set(image.info)


@contextmanager
def _lenient() -> Iterator[None]:
    from PIL import ImageFile

    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


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
        EvidenceError: Fewer rows than :data:`LEAST_SHARE` could be decoded.
    """
    with _lenient():
        image.load()
    share = _filled_share(image)
    if share < LEAST_SHARE:
        raise EvidenceError(
            say(
                "cannot be decoded: picture data is missing or broken from its start ({share:.0%} of its rows are "
                "there)",
                share=share,
            )
        )
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


def thumbnail_base64(image: Image.Image) -> str:
    """A small JPEG of the picture, in base64."""
    small = image.convert("RGB")
    small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=70)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _register_heif() -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False)


@contextmanager
def _pillow_tamed() -> Iterator[None]:
    """Settings of Pillow's that hold for the whole process, as they must be here, and undone afterwards.

    The pixel limit is left to :class:`Limits`, warnings are not printed, and a file that ends early is an error
    whatever another library set: WeasyPrint, for one, has Pillow fill up truncated pictures in silence.
    """
    from PIL import Image, ImageFile

    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = None, False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before

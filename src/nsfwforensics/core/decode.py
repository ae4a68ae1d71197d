"""Bytes to pixels, under limits: the one place where Pillow meets a hostile file."""

from __future__ import annotations

import base64
import io
import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.failure import reason_of
from nsfwforensics.core.media import DECODED, is_video, name_of
from nsfwforensics.core.messages import say
from nsfwforensics.errors import EvidenceError, LimitExceededError, NotAnImageError

if TYPE_CHECKING:
    from PIL import Image

_log = logging.getLogger(__name__)

THUMBNAIL_PIXELS = 320

_ORIENTATION = 0x0112

FULL_PIXELS = 120_000_000
"""Larger pictures are examined at half their edges, with a quarter of the memory.

A JPEG is decoded so. The other formats' libraries decode in full only and are halved afterwards: measured, that takes 7
bytes a pixel for HEIF and 5 for PNG, 1.6 GB at the largest size that is allowed by default.
"""

_MOST_AUXILIARIES = 8

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
        max_frames: Most further pictures of one file (frames, pages, previews) that are examined beside its main one.
    """

    max_bytes: int = 512 * 1024 * 1024
    max_pixels: int = 220_000_000
    max_seconds: float = 300.0
    max_memory: int = 6 * 1024**3
    max_frames: int = 16


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded picture.

    Attributes:
        original: The first frame just as Pillow decoded it.
        image: The same as 8-bit ``RGB`` or ``L``, upright, alpha laid over white.
        frames: How many frames the file holds.
        share: Share of the stored rows that could be decoded, 0–1.
        turned: Whether ``image`` was turned upright.
        full_size: Width and height as shown at full size, where ``image`` is smaller; None where it is not.
    """

    original: Image.Image
    image: Image.Image
    frames: int
    share: float
    turned: bool
    full_size: tuple[int, int] | None = None


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

    Every ``Exception`` of the decoder becomes an :class:`EvidenceError` here, where bytes become pixels.
    """
    if media_type is None:
        raise NotAnImageError(say("the content is no image format known here"))
    refuse_undecoded(media_type)
    from PIL import UnidentifiedImageError

    if media_type == "image/heif":
        _register_heif()
    with _pillow_tamed():
        try:
            original = _opened(data)
            _refuse_large(original, limits)
            large = original.width * original.height > FULL_PIXELS
            full = original.size
            if large:
                original.draft(None, (full[0] // 2, full[1] // 2))
            frames = int(getattr(original, "n_frames", 1))
            share = _load(original)
            if share is None:
                original = _opened(data)
                share = _load_in_part(original)
            if large and original.size == full:
                original = _halved(original)
            return _shown(original, frames, share, full if large else None)
        except EvidenceError:
            raise
        except UnidentifiedImageError as error:  # its own text names a memory address
            problem = say("cannot be decoded: no {media_type} picture inside", media_type=media_type)
            raise EvidenceError(problem) from error
        except Exception as error:  # as in _tried
            _log.debug("decoding failed", exc_info=True)
            problem = say("cannot be decoded: {error}", error=reason_of(error))
            raise EvidenceError(problem) from error


def decode_frames(
    data: bytes, media_type: str, limits: Limits, numbers: Iterable[int]
) -> Iterator[tuple[int, Decoded]]:
    """Decodes frames or pages one after the other, under the same limits for each; those that cannot be are left out.

    Args:
        data: The file's bytes.
        media_type: What they are, as sniffed.
        limits: What each frame may ask for.
        numbers: Which, counted from 0, ascending.
    """
    if media_type == "image/heif":
        _register_heif()
    picture = None
    with _pillow_tamed(), _tried("opening for frames"):
        picture = _opened(data)
    for number in numbers if picture else ():
        made = None
        with _pillow_tamed(), _tried(f"decoding frame {number}"):
            picture.seek(number)
            _refuse_large(picture, limits)
            picture.load()
            made = _shown(picture.copy(), 1, 1.0, None)
        if made:
            yield number, made


def main_frame(data: bytes, media_type: str) -> int:
    """Which frame is the main one: in a HEIF file the primary picture may stand behind others. 0 if it is damaged."""
    if media_type == "image/heif":
        _register_heif()
        with _pillow_tamed(), _tried("looking for the main frame"):
            return int(_opened(data).tell())
    return 0


def heif_auxiliaries(data: bytes, limits: Limits) -> list[tuple[str, bytes]]:
    """The auxiliary pictures of a HEIF file's main picture (gain maps, depth maps), each with its type, as PNG.

    None of a damaged file.
    """
    _register_heif()
    with _pillow_tamed(), _tried("reading auxiliary pictures"):
        from pillow_heif import open_heif

        opened = open_heif(data, convert_hdr_to_8bit=True)
        depths = [("depth", image) for image in opened.info.get("depth_images", [])]
        types = opened.info.get("aux", {}).items()
        reader: Any = opened.get_aux_image
        found = [(str(kind), reader(number)) for kind, numbers in types for number in numbers]
        made = [(kind, image.to_pillow()) for kind, image in (depths + found)[:_MOST_AUXILIARIES]]
        small = [(kind, image) for kind, image in made if image.width * image.height <= limits.max_pixels]
        return [(kind, as_png(_eight_bit(image))) for kind, image in small]
    return []


def as_png(image: Image.Image) -> bytes:
    """The picture as a PNG file, quickly packed."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def refuse_undecoded(media_type: str) -> None:
    """Raises for what is known by name and not decoded here.

    Raises:
        NotAnImageError: It is a video.
        EvidenceError: It is a picture of a format that is not decoded here.
    """
    if is_video(media_type):
        raise NotAnImageError(
            say("a video ({format}): the frames of videos are not examined here", format=name_of(media_type))
        )
    if media_type not in DECODED:
        raise EvidenceError(
            say("a picture in the format {format}, which cannot be decoded here", format=name_of(media_type))
        )


def _refuse_large(picture: Image.Image, limits: Limits) -> None:
    width, height = picture.size
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


def _halved(picture: Image.Image) -> Image.Image:
    """Averaged down to half its edges, what it says of itself kept; modes that cannot be averaged stay as they are."""
    if picture.mode not in ("RGB", "L", "RGBA", "CMYK", "YCbCr"):
        return picture
    orientation = _orientation(picture)
    half = picture.reduce(2)
    half.info = picture.info
    half.getexif()[_ORIENTATION] = orientation
    return half


def _shown(original: Image.Image, frames: int, share: float, full: tuple[int, int] | None) -> Decoded:
    from PIL import ImageOps

    orientation = _orientation(original)
    turned = orientation != 1
    upright = ImageOps.exif_transpose(original) if turned else original  # it would copy even then
    shown = full[::-1] if full and orientation in (5, 6, 7, 8) else full
    return Decoded(original, _eight_bit(upright), frames, share, turned, shown)


def decode_reduced(
    data: bytes, media_type: str | None, limits: Limits, least: int, *, grey: bool = False
) -> Image.Image | None:
    """Decodes a large JPEG at a half, a quarter or an eighth of its size, which costs a fraction of the full decode.

    Args:
        data: The file's bytes.
        media_type: What they are, as sniffed.
        limits: What they may ask for.
        least: Shortest edge that the reduced picture must keep, in pixels.
        grey: Leave the colours out, which saves as much again; of a small JPEG too.

    Returns:
        8-bit ``RGB`` or ``L``, EXIF orientation applied; None where it must be decoded in full (no JPEG, not large
        enough, not whole), which then says why.
    """
    if media_type != "image/jpeg":
        return None
    from PIL import Image, ImageOps

    with _pillow_tamed(), _tried("decoding at a smaller size"):
        picture = Image.open(io.BytesIO(data))
        width, height = picture.size
        factor = min(width, height) // least
        if width * height > limits.max_pixels or factor < 2 - grey or picture.mode not in ("RGB", "L"):
            return None
        scale = 1 << min(3, factor.bit_length() - 1)
        picture.draft("L" if grey else None, (width // scale, height // scale))
        if _load(picture) is None or (picture.mode != "L" if grey else picture.size == (width, height)):
            return None
        turned = _orientation(picture) != 1
        return _eight_bit(ImageOps.exif_transpose(picture) if turned else picture)
    return None


def header_size(data: bytes, media_type: str | None) -> tuple[int | None, int | None]:
    """Width and height as shown (orientation applied) from the header alone, or (None, None)."""
    if media_type not in DECODED:
        return None, None
    if media_type == "image/heif":
        _register_heif()
    with _pillow_tamed(), _tried("reading the header"):
        opened = _opened(data)
        turned = not _would_load(opened) and _orientation(opened) in (5, 6, 7, 8)
        return opened.size[::-1] if turned else opened.size
    return None, None


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
    value = 1
    with _tried("reading the orientation"):
        value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) else 1


def _would_load(image: Image.Image) -> bool:
    """Whether asking for EXIF would decode the picture: in a PNG the block may stand behind the pixels."""
    return image.format == "PNG" and not {"exif", "Raw profile type exif"} & set(image.info)


@contextmanager
def _tried(what: str) -> Iterator[None]:
    """Goes on behind the block where Pillow fails in it; for what :func:`decode` is asked for too, which says why."""
    try:
        yield
    except Exception:  # noqa: BLE001 - hostile files make it raise struct, index, type, key and any other errors
        _log.debug("%s failed", what, exc_info=True)


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

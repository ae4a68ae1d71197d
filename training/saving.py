"""What happens to pictures on their way: sizes, kernels, formats and qualities, and the three tiers of the figures."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.models.synthesis import canonical
from nsfwforensics.models.synthesis.calibration import LEAST_SIDE
from nsfwforensics.models.synthesis.preprocess import decoded, recompressed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.autoencoder import AutoEncoder
    from training.bring import Picture

    Rgb = NDArray[np.uint8]

TIERS: Mapping[str, tuple[int, int] | None] = {"as_is": None, "768_q60": (768, 60), "512_q40": (512, 40)}
"""By name, longer side in pixels and JPEG quality."""


def load(picture: Picture) -> Rgb:
    """Decodes a picture of the catalogue: uint8 (height, width, 3), upright, without transparent bars."""
    import pillow_heif
    from PIL import Image, ImageOps

    pillow_heif.register_heif_opener()
    with warnings.catch_warnings(), Image.open(picture.file) as opened:
        warnings.simplefilter("ignore")
        image = ImageOps.exif_transpose(opened)
        if image.mode in ("RGBA", "LA", "PA") and (box := image.getchannel("A").getbbox()):
            image = image.crop(box)
        rgb = np.asarray(image.convert("RGB"))
    if picture.grid > 1:
        height, width = rgb.shape[0] // picture.grid, rgb.shape[1] // picture.grid
        row, column = divmod(picture.tile, picture.grid)
        rgb = rgb[row * height : (row + 1) * height, column * width : (column + 1) * width]
    return np.ascontiguousarray(rgb)


def longest(rgb: Rgb, side: int) -> Rgb:
    """Reduces a picture to a longer side; smaller ones stay as they are."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def generator_of(key: str, salt: str) -> np.random.Generator:
    """Random numbers that depend on a picture's key and a purpose only."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(f"{salt}/{key}".encode()).digest()[:8], "little"))


def shown(picture: Picture, view: str, out: Path) -> Rgb:
    """What the network is shown of a picture: uint8 (224, 224, 3).

    The files of the tiers are kept below ``out/tiers``, since large pictures take long to decode.

    Args:
        picture: Of the catalogue.
        view: A tier, or one of :data:`OTHERS`.
        out: The run's folder.
    """
    if view in OTHERS:
        return canonical.whole(OTHERS[view](load(picture), generator_of(picture.key, view)))
    if view == "as_is":
        rgb = load(picture)
        for name in TIERS:
            sent(rgb, name, tier_file(picture, name, out))
        return canonical.whole(rgb)
    path = tier_file(picture, view, out)
    if not path.exists():
        sent(load(picture), view, path)
    return canonical.whole(decoded(np.fromfile(path, np.uint8)))


def tier_file(picture: Picture, name: str, out: Path) -> Path:
    """Where the file of a tier is kept."""
    return out / "tiers" / f"{picture.key}.{name}.jpg"


def sent(rgb: Rgb, name: str, path: Path) -> None:
    """Writes the file of a tier, where there is none."""
    known = TIERS[name]
    if known is None or path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = [cv2.IMWRITE_JPEG_QUALITY, known[1], cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(longest(rgb, known[0]), cv2.COLOR_RGB2BGR), flags)
    part = path.with_suffix(f".{os.getpid()}")
    data.tofile(part)
    part.replace(path)


def grey(rgb: Rgb, random: np.random.Generator) -> Rgb:
    """A picture without colour."""
    del random
    return np.asarray(cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)


def small(rgb: Rgb, random: np.random.Generator) -> Rgb:
    """A picture reduced to a shorter side of 200 to 329 pixels and saved at JPEG quality 75."""
    return recompressed(canonical.reduced(rgb, int(random.integers(LEAST_SIDE, 330))), 75)


def twin(rgb: Rgb, random: np.random.Generator) -> Rgb:
    """A picture of at most 768 pixels, painted again by the decoder of a latent generator."""
    del random
    from training.autoencoder import roundtrip

    return roundtrip(_decoder(), longest(rgb, 768), quick=True)


@cache
def _decoder() -> AutoEncoder:
    from training.autoencoder import load as load_decoder

    return load_decoder(Path(os.environ["DECODERS"]))


OTHERS: Mapping[str, Callable[[Rgb, np.random.Generator], Rgb]] = {
    "grey": grey,
    "small": small,
    "twin": twin,
}
"""Views beside the tiers, by name: what is done to a picture before it is shown."""

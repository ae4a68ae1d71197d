"""How a thumbnail may be laid out against its picture: turned, with bars, squeezed, cropped, with thin margins lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Gray = NDArray[np.float32]

GRID = 48
"""Side of the square that views are compared on, in pixels."""


def turned(image: Image.Image, orientation: int) -> Iterator[Image.Image]:
    """The thumbnail as stored, upright, and turned by quarters: viewers rotate pictures and leave the thumbnail."""
    from PIL import Image

    turn = Image.Transpose
    mirrored = {2: turn.FLIP_LEFT_RIGHT, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE, 7: turn.TRANSVERSE}
    yield image
    for way in (turn.ROTATE_90, turn.ROTATE_180, turn.ROTATE_270):
        yield image.transpose(way)
    if orientation in mirrored:
        yield image.transpose(mirrored[orientation])


def layouts(picture: Image.Image, thumbnail: Image.Image) -> Iterator[tuple[Image.Image, Image.Image]]:
    """Pairs that show the same view if the thumbnail was made from the picture in one of the usual ways."""
    yield picture, thumbnail
    trimmed = _without_bars(thumbnail)
    if trimmed.size != thumbnail.size:
        yield picture, trimmed
    bars = _crop_to(thumbnail, picture.width / picture.height)
    if bars.size != thumbnail.size:
        yield picture, bars
    cropped = _crop_to(picture, thumbnail.width / thumbnail.height)
    if cropped.size != picture.size:
        yield cropped, thumbnail


def _without_bars(image: Image.Image) -> Image.Image:
    """The image without the uniform rows and columns along its edges (black bars)."""
    import numpy as np

    gray = np.asarray(image.convert("L"), dtype=np.float32)
    rows = np.flatnonzero((gray.std(axis=1) > 8) | (gray.mean(axis=1) > 32))
    columns = np.flatnonzero((gray.std(axis=0) > 8) | (gray.mean(axis=0) > 32))
    if rows.size < image.height // 3 or columns.size < image.width // 3:
        return image
    return image.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))


def _crop_to(image: Image.Image, aspect: float) -> Image.Image:
    """The centre of the image with this aspect ratio; the image itself where it is within 2 %."""
    width, height = image.size
    if abs(width / height / aspect - 1) < 0.02:
        return image
    if width / height > aspect:
        keep = max(1, round(height * aspect))
        left = (width - keep) // 2
        return image.crop((left, 0, left + keep, height))
    keep = max(1, round(width / aspect))
    top = (height - keep) // 2
    return image.crop((0, top, width, top + keep))


def gray(image: Image.Image, side: int = GRID) -> Gray:
    """Luminance as a float32 square array (side, side), 0–255."""
    import numpy as np
    from PIL import Image

    return np.asarray(image.convert("L").resize((side, side), Image.Resampling.BOX), dtype=np.float32)


def cut(gray: Gray, left: float, top: float, right: float, bottom: float) -> Gray:
    """The array without these fractions of its edges."""
    height, width = gray.shape
    return gray[int(top * height) : height - int(bottom * height), int(left * width) : width - int(right * width)]


def shrink(gray: Gray) -> Gray:
    """The array averaged down to (GRID, GRID)."""
    import numpy as np
    from PIL import Image

    size = (GRID, GRID)
    return np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX), dtype=np.float32)

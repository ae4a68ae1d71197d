"""How a photograph's file was saved, so that a painted copy of it can be saved in just the same way.

The estimated quality alone is not enough: cameras and web sites have quantisation tables of their own, and a third of
the photographs at hand keep colour in full resolution. A copy saved with other tables or less colour than its
photograph could be told from it without any trace of a decoder.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.evaluation.file_facts import sampling_of
from nsfwforensics.models.synthesis.preprocess import decoded, jpeg_quality, recompressed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_ORIENTATION = 274

_QUARTER = 2
"""Pillow's number of 4:2:0."""


@dataclass(frozen=True, slots=True)
class Past:
    """How a JPEG file was saved.

    Attributes:
        tables: Quantisation tables of 64 values each, luminance first.
        sampling: Chroma subsampling by Pillow's number: 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0; -1 where it is another
            one or there is no colour.
        turned: Turned upright by the orientation tag, so that cells and tables lie otherwise than in the file.
    """

    tables: tuple[tuple[int, ...], ...]
    sampling: int
    turned: bool

    @property
    def quality(self) -> int:
        """The IJG quality with the same mean step, 1–100."""
        return round(jpeg_quality(dict(enumerate(self.tables))) or 75)

    @property
    def repeatable(self) -> bool:
        """Whether other pixels can be saved in the same way."""
        return self.sampling >= 0 and not self.turned

    @property
    def quartered(self) -> Past:
        """The same with a quarter of the colour's resolution, as most files on the web have it."""
        return replace(self, sampling=_QUARTER) if self.sampling >= 0 else self

    def saved(self, rgb: Pixels) -> Pixels:
        """Saves pixels in this way and reads them again; by quality alone where that is all that can be repeated."""
        if not self.repeatable:
            return recompressed(rgb, self.quality)
        from PIL import Image

        data = io.BytesIO()
        tables = {number: list(table) for number, table in enumerate(self.tables)}
        Image.fromarray(rgb).save(data, "JPEG", qtables=tables, subsampling=self.sampling)
        return decoded(np.frombuffer(data.getvalue(), np.uint8))


def past_of(path: Path) -> Past | None:
    """How a file was saved; None for formats other than JPEG, whether they lose anything or not."""
    from PIL import Image

    with warnings.catch_warnings(), Image.open(path) as image:
        warnings.simplefilter("ignore")
        tables: dict[int, Sequence[int]] | None = getattr(image, "quantization", None)
        if not tables or 0 not in tables or any(len(table) != 64 for table in tables.values()):
            return None
        sampling = sampling_of(image)
        turned = image.getexif().get(_ORIENTATION, 1) not in (0, 1)
    ordered = tuple(tuple(int(value) for value in tables[number]) for number in sorted(tables))
    return Past(ordered, sampling, turned)


def alike(photograph: Pixels, copy: Pixels, past: Past | None, *, both: bool = True) -> tuple[Pixels, Pixels]:
    """Gives a painted copy the past of its photograph.

    Args:
        photograph: uint8 (height, width, 3), cut along the file's cells of 16 pixels.
        copy: The same, painted.
        past: How the photograph's file was saved; None for a lossless one, which leaves both as they are.
        both: The photograph is saved once more as well, so that saving tells nothing at all. Without, it stays as the
            file is, if that way of saving can be repeated.

    Returns:
        Photograph and copy: what was last done to them is the same.
    """
    if past is None:
        return photograph, copy
    if past.repeatable and not both:
        return photograph, past.saved(copy)
    return past.saved(photograph), past.saved(copy)


def quartered(rgb: Pixels, past: Past | None, quality: int) -> Pixels:
    """Brings the colour of a picture to a quarter of its resolution, where its file kept more.

    Colour that is lost stays lost, and most generated pictures are spread without it: a test in which it must not tell
    the classes apart takes it from all.

    Args:
        rgb: uint8 (height, width, 3).
        past: How its file was saved; None for a lossless one.
        quality: JPEG quality that a lossless picture is saved with.
    """
    if past is None:
        return recompressed(rgb, quality)
    return rgb if past.sampling == _QUARTER else past.quartered.saved(rgb)

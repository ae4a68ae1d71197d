"""Whether an embedded thumbnail shows the same picture as the file it is in.

Editors that do not rebuild the thumbnail leave the earlier picture behind. Cameras make thumbnails of another shape
(black bars, a squeezed or a cropped view), unrotated, softer and with other colours: none of that is a difference.
"""

from __future__ import annotations

import io
import itertools
import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nsfwforensics.analyzers.metadata import layout
from nsfwforensics.analyzers.metadata.layout import GRID
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.messages import say
from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats.fields import Metadata, Thumbnail

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Gray = NDArray[np.float32]

BLOCK = 6
MAX_THUMBNAIL_PIXELS = 4_000_000
SMALL_SIDE = 256

OTHER_CORRELATION = 0.75
"""Below this correlation they are different pictures: 104 genuine thumbnails reach 0.88, 600 swapped ones 0.78."""

SAME_CORRELATION = 0.85
"""At or above this correlation they are the same view, but for a local change."""

LOCAL_RESIDUAL = 7.0
"""A block that is further apart than this was changed: twice the largest value (3.4) of the genuine thumbnails."""

THRESHOLDS = {
    "same_from": SAME_CORRELATION,
    "other_below": OTHER_CORRELATION,
    "block_difference_above": LOCAL_RESIDUAL,
}

FLAT_DEVIATION = 4.0
_MARGINS = (0.0, 0.03, 0.07)
_HOPELESS, _GOOD = 0.5, 0.95
_FINALISTS = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a thumbnail compares with the picture.

    Attributes:
        correlation: Best zero-mean normalised cross-correlation of luminance over the ways a thumbnail may be laid
            out, −1 to 1.
        residual: Largest mean luminance difference of a block (an eighth of each side), 0–255, after brightness and
            contrast are fitted and a shift by one of 48 cells is forgiven.
        region: That block in the upright picture as fractions (x, y, width, height), each 0–1.
    """

    correlation: float
    residual: float
    region: tuple[float, float, float, float]

    @property
    def differs(self) -> bool | None:
        """True, False, or None where it lies between."""
        if self.correlation < OTHER_CORRELATION or self.residual > LOCAL_RESIDUAL:
            return True
        return False if self.correlation >= SAME_CORRELATION else None

    def words(self, source: str) -> str:
        """The sentence for a report; ``source`` is where the thumbnail was found."""
        if self.differs is None:
            return say(
                "The small preview stored in {source} may show another version of the picture; the comparison is "
                "inconclusive.",
                source=source,
            )
        if self.local:
            return say(
                "The small preview stored in {source} differs from the picture in one area, which is consistent with "
                "a later change there.",
                source=source,
            )
        return say(
            "The small preview stored in {source} shows another picture or a wider view, which is consistent with a "
            "later change.",
            source=source,
        )

    @property
    def local(self) -> bool:
        """Whether the views are the same but for one area."""
        return self.correlation >= SAME_CORRELATION

    @property
    def figures(self) -> dict[str, float]:
        """The measured values by name, for a report."""
        return {"correlation": self.correlation, "largest_block_difference": self.residual}


def compare_embedded(evidence: Evidence, table: Metadata, thumbnail: Thumbnail) -> Comparison:
    """Compares one embedded thumbnail with the file's picture.

    Raises:
        EvidenceError: One of them cannot be decoded, is there only in part, or is too plain to compare.
    """
    small = decode_thumbnail(thumbnail)
    picture = small_picture(evidence)
    if evidence.decoded_share < 1.0:
        raise EvidenceError("the picture itself is only there in part")
    stated = table.first("EXIF IFD0", "0x0112")
    orientation = stated.value if stated and isinstance(stated.value, int) else 1
    compared = compare(picture, small, orientation)
    if compared is None:
        raise EvidenceError("the picture or its thumbnail is too plain to compare")
    return compared


def small_picture(evidence: Evidence) -> Image.Image:
    """The upright picture at most :data:`SMALL_SIDE` pixels long, as 8-bit RGB; made once per file.

    Raises:
        EvidenceError: The picture cannot be decoded.
    """

    def build() -> Image.Image:
        picture = evidence.image
        factor = max(1, max(picture.size) // (2 * SMALL_SIDE))
        reduced = picture.reduce(factor).convert("RGB")
        reduced.thumbnail((SMALL_SIDE, SMALL_SIDE))
        return reduced

    return evidence.derive("small_picture", build)


def decode_thumbnail(thumbnail: Thumbnail) -> Image.Image:
    """Decodes an embedded picture.

    Raises:
        EvidenceError: It cannot be decoded, or is no thumbnail by its size.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about what is only damaged evidence
            image = Image.open(io.BytesIO(thumbnail.data), formats=("JPEG",))
            if image.width * image.height > MAX_THUMBNAIL_PIXELS or min(image.size) < 16:
                raise EvidenceError(f"has {image.width} × {image.height} pixels")
            return image.convert("RGB")
    except _PILLOW_FAULTS as error:
        raise EvidenceError("cannot be decoded") from error
    except Image.DecompressionBombError as error:
        raise EvidenceError("is far too large for a thumbnail") from error


# What Pillow raises on damaged JPEG data.
_PILLOW_FAULTS = (ArithmeticError, AttributeError, EOFError, LookupError, OSError, SyntaxError, TypeError, ValueError,
                  struct.error)  # fmt: skip


def compare(picture: Image.Image, thumbnail: Image.Image, orientation: int) -> Comparison | None:
    """Compares over all usual layouts and keeps the best.

    Args:
        picture: The upright picture, small.
        thumbnail: The thumbnail as stored.
        orientation: EXIF orientation of the main picture, 1–8; thumbnails are stored with it applied or not.

    Returns:
        The comparison, or None where either picture is too flat to compare.
    """
    best: Comparison | None = None
    pair: tuple[Image.Image, Image.Image] | None = None
    for turned in layout.turned(thumbnail, orientation):
        for whole, small in layout.layouts(picture, turned):
            found = _compare(layout.gray(whole), layout.gray(small))
            if found and (best is None or found.correlation > best.correlation):
                best, pair = found, (whole, small)
    if best is None or pair is None or best.correlation < _HOPELESS:
        return best
    if best.correlation >= _GOOD and best.residual <= LOCAL_RESIDUAL / 2:
        return best
    return _aligned(*pair, best)


def _aligned(picture: Image.Image, thumbnail: Image.Image, best: Comparison) -> Comparison:
    """Looks for a slightly smaller view of either that fits better: many cameras cut a few per cent off."""
    wide = (layout.gray(picture, 2 * GRID), layout.gray(thumbnail, 2 * GRID))
    whole = (layout.shrink(wide[0]), layout.shrink(wide[1]))
    views = [(whole[0], whole[1])]
    for margins in itertools.product(_MARGINS, repeat=4):
        if any(margins):
            views += [
                (layout.shrink(layout.cut(wide[0], *margins)), whole[1]),
                (whole[0], layout.shrink(layout.cut(wide[1], *margins))),
            ]
    views.sort(key=lambda view: -_correlation(*view))
    found = [best, *filter(None, (_compare(*view) for view in views[:_FINALISTS]))]
    return max(found, key=lambda comparison: comparison.correlation - comparison.residual / 255)


def _correlation(a: Gray, b: Gray) -> float:
    return float(((a - a.mean()) * (b - b.mean())).mean() / max(float(a.std()) * float(b.std()), 1e-6))


def _compare(picture: Gray, thumbnail: Gray) -> Comparison | None:
    import numpy as np

    a, b = picture - picture.mean(), thumbnail - thumbnail.mean()
    spread_a, spread_b = float(a.std()), float(b.std())
    if min(spread_a, spread_b) < FLAT_DEVIATION:
        return None
    correlation = float((a * b).mean() / (spread_a * spread_b))
    fitted = b * (correlation * spread_a / spread_b)
    blocks = GRID // BLOCK
    apart = np.minimum(_apart(a, fitted), _apart(fitted, a))
    residual = apart.reshape(blocks, BLOCK, blocks, BLOCK).mean(axis=(1, 3))
    row, column = divmod(int(residual.argmax()), blocks)
    return Comparison(
        round(correlation, 4),
        round(float(residual.max()), 2),
        (column / blocks, row / blocks, 1 / blocks, 1 / blocks),
    )


def _apart(a: Gray, b: Gray) -> Gray:
    """How far each value of ``a`` lies outside the range of ``b`` around it (3 × 3): forgives blur and small shifts."""
    import numpy as np

    views = np.lib.stride_tricks.sliding_window_view(np.pad(b, 1, mode="edge"), (3, 3))
    apart: Gray = np.maximum(0, np.maximum(views.min(axis=(2, 3)) - a, a - views.max(axis=(2, 3))))
    return apart

"""The picture as it is stored, which is what traces lie in, and the way from there to the picture as shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import say
from nsfwforensics.errors import EvidenceError, MissingDependencyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.formats.dct import Coefficients
    from nsfwforensics.signals.traces.trace import Trace, TraceRegion

_ORIENTATION = 0x0112

# EXIF orientation: how the stored picture becomes the one shown, as (transposed, then mirrored down, then across).
_TURNS = {
    2: (False, False, True), 3: (False, True, True), 4: (False, True, False), 5: (True, False, False),
    6: (True, False, True), 7: (True, True, True), 8: (True, True, False),
}  # fmt: skip

_MODES = ("RGB", "RGBA", "RGBX", "L", "LA")


class StoredPicture:
    """One file's pixels and coefficients in the orientation in which they are stored.

    An EXIF orientation other than 1 moves the grid of blocks, so methods look at the stored picture; :meth:`shown`
    turns what they found. Rows that could not be decoded are cut off: their constant fill is nobody's edit.

    Attributes:
        evidence: The file.
        maps: Whether methods draw maps of it, for which they look at all of it.
        width: Of the stored picture in pixels, with rows that could not be decoded.
        height: The same.
    """

    def __init__(self, evidence: Evidence, *, maps: bool = False) -> None:
        self.evidence, self.maps = evidence, maps
        self.width, self.height = evidence.original.size
        value = evidence.original.getexif().get(_ORIENTATION, 1)
        self._transposed, self._down, self._across = _TURNS.get(value if isinstance(value, int) else 1, (False,) * 3)

    def unsuitable(self) -> str | None:
        """Why no method can judge the picture, or None."""
        mode = self.evidence.original.mode
        if mode not in _MODES:
            return say(
                "the picture's colours are stored in a way that hides or imitates traces (mode {mode})", mode=mode
            )
        return None

    @property
    def luma(self) -> NDArray[np.uint8]:
        """ITU-R 601 luma at full resolution, read-only uint8 (height, width)."""
        return self.evidence.derive("traces.luma", lambda: self._stored(self._gray()))

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """Read-only uint8 (height, width, 3), RGB."""
        return self.evidence.derive("traces.rgb", lambda: self._stored(self.evidence.rgb))

    def shown(self, trace: Trace) -> Trace:
        """The same trace in pixels of the picture as shown."""
        if not (self._transposed or self._down or self._across):
            return trace
        return replace(
            trace,
            regions=tuple(self._shown_region(region) for region in trace.regions),
            mask=None if trace.mask is None else self.turned(trace.mask),
            map=None if trace.map is None else self.turned(trace.map),
        )

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height as shown."""
        return (self.height, self.width) if self._transposed else (self.width, self.height)

    def _shown_region(self, region: TraceRegion) -> TraceRegion:
        x, y, width, height = region.x, region.y, region.width, region.height
        if self._transposed:
            x, y, width, height = y, x, height, width
        if self._down:
            y = self.shown_size[1] - y - height
        if self._across:
            x = self.shown_size[0] - x - width
        return replace(region, x=x, y=y, width=width, height=height)

    def turned(self, plane: NDArray[Any]) -> NDArray[Any]:
        """A plane of the stored picture, turned to what is shown."""
        turned = plane.T if self._transposed else plane
        return turned[:: -1 if self._down else 1, :: -1 if self._across else 1]

    def _stored(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Pixels of the picture as shown, turned back to how they are stored, without rows that were not decoded."""
        import numpy as np

        turned = plane[:: -1 if self._down else 1, :: -1 if self._across else 1]
        if self._transposed:
            turned = turned.swapaxes(0, 1)
        share = self.evidence.decoded_share
        rows = turned.shape[0] if share >= 1.0 else max(1, int(share * turned.shape[0]) // 16 * 16)
        stored = np.ascontiguousarray(turned[:rows])
        stored.flags.writeable = False
        return stored

    def _gray(self) -> NDArray[np.uint8]:
        import numpy as np

        def build() -> NDArray[np.uint8]:
            gray = np.asarray(self.evidence.image.convert("L"))
            gray.flags.writeable = False
            return gray

        return self.evidence.derive("gray", build)  # shared with the perceptual hashes

    def coefficients(self) -> Coefficients | str:
        """The quantised DCT coefficients of a JPEG, or why there are none that count."""
        if self.evidence.media_type != "image/jpeg":
            return say("not a JPEG: there are no stored coefficients to read")
        if self.evidence.decoded_share < 1.0:
            return say("the file is cut short")
        from nsfwforensics.formats.dct import read_coefficients

        try:
            return self.evidence.derive("jpeg.coefficients", lambda: read_coefficients(self.evidence.data))
        except (EvidenceError, MissingDependencyError) as error:
            return error.message


__all__ = ["StoredPicture"]

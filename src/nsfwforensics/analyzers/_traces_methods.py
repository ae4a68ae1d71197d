"""The methods that look for traces of editing, as data: what each measures, is worth, and must be told with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.types import Severity, Support

if TYPE_CHECKING:
    from nsfwforensics.analyzers._traces_picture import StoredPicture
    from nsfwforensics.signals.trace import Trace, TraceRegion


@dataclass(frozen=True, slots=True)
class Rates:
    """False alarms measured: pictures that nobody edited in which the method pointed at something, of how many.

    Attributes:
        untouched: Camera originals, (alarms, pictures).
        resaved: Reduced and saved again once or twice as messengers do, (alarms, pictures).
    """

    untouched: tuple[int, int]
    resaved: tuple[int, int]

    @property
    def words(self) -> str:
        """As a sentence."""
        return (
            f"In tests it pointed at something in {self.untouched[0]} of {self.untouched[1]} untouched photographs and "
            f"in {self.resaved[0]} of {self.resaved[1]} that were only reduced and saved again."
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding that a method can make.

    Attributes:
        code: Of the finding.
        title: In a few words.
        severity: How much it matters if it is right.
        support: What it says to "has it been edited?".
        explanation: One sentence for a person who is no expert; ``{place}`` and the region's or trace's data are
            filled in.
        causes: What else leads to it.
        rates: False alarms measured, or None where they were not.
        kind: The ``kind`` in a region's data that makes it, or None for any region.
        whole: The entry of a trace's data that makes it, for findings about the whole picture.
    """

    code: str
    title: str
    severity: Severity
    support: Support
    explanation: str
    causes: str
    rates: Rates | None = None
    kind: str | None = None
    whole: str | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Attributes:
        name: As it is asked for and reported.
        title: What it looks at, in a few words.
        source: Where it is published.
        run: Runs it; the trace is in pixels of the picture as stored.
        destroyed_by: What removes the trace.
        audience: For whom it is useful.
        kinds: The findings it can make; none for a method that only draws a map.
    """

    name: str
    title: str
    source: str
    run: Callable[[StoredPicture], Trace]
    destroyed_by: str
    audience: str
    kinds: tuple[Kind, ...] = ()

    @property
    def maps_only(self) -> bool:
        """Whether it only draws maps, because its false alarms are not known to be rare."""
        return not self.kinds

    def caveat(self, kind: Kind) -> str:
        """What would make a finding wrong, how often it was, and what its absence means."""
        rates = f" {kind.rates.words}" if kind.rates else ""
        return (
            f"{kind.causes}{rates} {self.destroyed_by} removes this trace, so a picture without it is no more and no "
            "less genuine."
        )


def _jpeg_grid(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.jpeg_grid import grid

    # The last save as JPEG gave every part of a JPEG the grid at the corner: none can lack it.
    return grid(picture.luma, missing=picture.evidence.media_type != "image/jpeg")


def _double_quantisation(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.double_quantisation import LEAST_SCORE, double_quantisation, unclipped_blocks
    from nsfwforensics.signals.recompression import history
    from nsfwforensics.signals.trace import Trace

    read = picture.coefficients()
    if isinstance(read, str):
        return Trace(reason=read)
    past = picture.evidence.derive("jpeg.history", lambda: history(read.luma, read.tables[0]))
    searched = past.reason is None and past.score >= LEAST_SCORE
    unclipped = unclipped_blocks(picture.rgb, read.luma.shape) if searched else None
    return _within(double_quantisation(read.luma, read.tables[0], unclipped=unclipped, known=past), picture)


def _ghosts(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.ghosts import ghosts
    from nsfwforensics.signals.trace import Trace

    read = picture.coefficients()
    return Trace(reason=read) if isinstance(read, str) else ghosts(read.luma, read.tables[0])


def _noise(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.noise import noise_levels

    return noise_levels(picture.rgb)


def _copy_move(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.copy_move import copy_move

    return copy_move(picture.luma)


def _resampling(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.resampling import resampling

    return resampling(picture.luma)


def _within(trace: Trace, picture: StoredPicture) -> Trace:
    """Cuts off what lies in the padding of the last blocks, beyond the picture's edge."""

    def cut(region: TraceRegion) -> TraceRegion:
        width, height = min(region.width, picture.width - region.x), min(region.height, picture.height - region.y)
        return replace(region, width=width, height=height)

    regions = tuple(cut(each) for each in trace.regions if each.x < picture.width and each.y < picture.height)
    return replace(trace, regions=regions)


_COLLAGE = (
    "Text, stickers, logos, frames, collages and screenshots that show several pictures lead to the same trace without "
    "any wish to deceive."
)

METHODS: tuple[Method, ...] = (
    Method(
        name="jpeg-grid",
        title="Grids of 8×8 blocks that earlier saves as JPEG left",
        source="Nikoukhah et al., ZERO, Image Processing On Line 11 (2021)",
        run=_jpeg_grid,
        destroyed_by="Saving the whole picture again as JPEG at a lower quality than before, resizing or blurring it",
        audience="Everybody: the number of false alarms is bounded.",
        kinds=(
            Kind(
                code="TRACE-001",
                title="An area follows another JPEG grid",
                severity=Severity.MEDIUM,
                support=Support.SUPPORTS,
                explanation="The area {place} was saved as JPEG on another grid of blocks than the rest of the "
                "picture, which is consistent with having been pasted in from another picture or moved.",
                causes=_COLLAGE,
                rates=Rates(untouched=(0, 221), resaved=(0, 735)),
                kind="foreign",
            ),
            Kind(
                code="TRACE-002",
                title="Grid of an earlier save does not begin at the corner",
                severity=Severity.LOW,
                support=Support.INCONCLUSIVE,
                explanation="The picture was saved as JPEG before and then cut or turned: the grid of that save begins "
                "{origin_x} pixels from the left and {origin_y} from the top, as after a crop that took {cut_x} and "
                "{cut_y} pixels (or 8, 16, ... more) off the left and the top.",
                causes="Cropping and turning are everyday edits, and screenshots of a photo do the same.",
                rates=Rates(untouched=(0, 156), resaved=(0, 200)),
                whole="offset",
            ),
            Kind(
                code="TRACE-003",
                title="An area lacks the JPEG grid of the rest",
                severity=Severity.MEDIUM,
                support=Support.INCONCLUSIVE,
                explanation="The area {place} does not carry the traces of having been saved as JPEG that the rest of "
                "the picture carries, which is consistent with having been added or painted over later.",
                causes=_COLLAGE
                + " Very fine or very dark texture can hide the traces as well. It is looked for only in "
                "files that are no JPEG; of 242 such files made of 22 unedited photographs none showed it.",
                kind="missing",
            ),
        ),
    ),
    Method(
        name="double-quantisation",
        title="Places that were saved as JPEG once where the rest was saved twice",
        source="Lin et al., Pattern Recognition 42 (2009); Bianchi & Piva, IEEE TIFS 7 (2012)",
        run=_double_quantisation,
        destroyed_by="Saving the whole picture once more at a lower quality, or resizing it",
        audience="Everybody, for JPEG files of which the editor saved a copy of at least the earlier quality.",
        kinds=(
            Kind(
                code="TRACE-004",
                title="An area was saved once where the rest was saved twice",
                severity=Severity.MEDIUM,
                support=Support.INCONCLUSIVE,
                explanation="Most of the picture was saved as JPEG twice but the area {place} shows only one save, "
                "which is consistent with having been changed in between.",
                causes=_COLLAGE,
                rates=Rates(untouched=(0, 221), resaved=(0, 735)),
            ),
        ),
    ),
    Method(
        name="copy-move",
        title="Parts of the picture that repeat one another",
        source="Amerini et al., IEEE TIFS 6 (2011); Lin, Biometrics 45 (1989)",
        run=_copy_move,
        destroyed_by="Changing the brightness of the copy, mirroring it, or strong compression",
        audience="Everybody, to look at the two places side by side.",
        kinds=(
            Kind(
                code="TRACE-005",
                title="Two areas repeat one another",
                severity=Severity.MEDIUM,
                support=Support.INCONCLUSIVE,
                explanation="The area {place} repeats another part of the same picture down to its grey levels, which "
                "is consistent with a part having been copied within it.",
                causes="The same small picture shown twice in a screenshot, printed patterns, repeated parts of "
                "buildings and mirrored collages can do the same.",
                rates=Rates(untouched=(0, 221), resaved=(0, 735)),
            ),
        ),
    ),
    Method(
        name="resampling",
        title="A part of the picture that was scaled or turned",
        source="Gallagher, CRV (2005); Mahdian & Saic, IEEE TIFS 3 (2008)",
        run=_resampling,
        destroyed_by="Resizing the whole picture, or saving it as JPEG at a low quality,",
        audience="Analysts: it needs a high quality that was never resized, and found too little to make findings.",
    ),
    Method(
        name="jpeg-ghosts",
        title="Places that were once saved at another JPEG quality",
        source="Farid, IEEE TIFS 4 (2009)",
        run=_ghosts,
        destroyed_by="Moving the grid of blocks, or saving at a lower quality,",
        audience="Experts: a map, never a finding, because content alone can look like a ghost.",
    ),
    Method(
        name="noise",
        title="Noise levels that brightness and texture do not explain",
        source="after Liu et al., IEEE TPAMI 30 (2008)",
        run=_noise,
        destroyed_by="Compression below a quality of about 80, resizing or denoising",
        audience="Experts: a map, never a finding, because depth of field and texture vary from place to place.",
    ),
)

BY_NAME: Mapping[str, Method] = {method.name: method for method in METHODS}


def place(region: TraceRegion, size: tuple[int, int]) -> str:
    """Where a region lies, in words: position and share of the picture."""
    across, down = region.x + region.width / 2, region.y + region.height / 2
    column = ("on the left", "in the middle", "on the right")[min(2, int(3 * across / max(size[0], 1)))]
    row = ("at the top", "", "at the bottom")[min(2, int(3 * down / max(size[1], 1)))]
    where = " ".join(part for part in (row, column) if part)
    share = region.width * region.height / max(size[0] * size[1], 1)
    amount = "less than 1 %" if share < 0.01 else f"about {share:.0%}".replace("%", " %")
    return f"{where} ({amount} of the picture)"


def figures(method: Method, trace: Trace) -> dict[str, Any]:
    """What the report keeps of a trace as measurements."""
    if trace.reason is not None:
        return {"not_judged": trace.reason}
    kept: dict[str, Any] = {"score": round(float(trace.score), 4), "regions": len(trace.regions), **trace.data}
    return kept if not method.maps_only else {**kept, "map_only": True}


__all__ = ["BY_NAME", "METHODS", "Kind", "Method", "Rates", "figures", "place"]

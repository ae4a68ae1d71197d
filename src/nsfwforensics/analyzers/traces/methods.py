"""The methods that look for traces of editing, as data: what each measures, is worth, and must be told with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nsfwforensics.analyzers.traces.model import FalseAlarms, Kind, Method, figures, place
from nsfwforensics.core.error_rates import counted
from nsfwforensics.core.messages import say, sentences
from nsfwforensics.core.types import Severity, Support

if TYPE_CHECKING:
    from nsfwforensics.analyzers.traces.picture import StoredPicture
    from nsfwforensics.signals.traces.trace import Trace, TraceRegion


def _jpeg_grid(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.traces.jpeg_grid import grid

    # The last save as JPEG gave every part of a JPEG the grid at the corner: none can lack it.
    return grid(picture.luma, missing=picture.evidence.media_type != "image/jpeg", glance=not picture.maps)


def _double_quantisation(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.traces.double_quantisation import LEAST_SCORE, double_quantisation, unclipped_blocks
    from nsfwforensics.signals.traces.recompression import history
    from nsfwforensics.signals.traces.trace import Trace

    read = picture.coefficients()
    if isinstance(read, str):
        return Trace(reason=read)
    past = picture.evidence.derive("jpeg.history", lambda: history(read.luma, read.tables[0]))
    searched = past.reason is None and past.score >= LEAST_SCORE
    unclipped = unclipped_blocks(picture.rgb, read.luma.shape) if searched else None
    return _within(double_quantisation(read.luma, read.tables[0], unclipped=unclipped, known=past), picture)


def _ghosts(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.traces.ghosts import ghosts
    from nsfwforensics.signals.traces.trace import Trace

    read = picture.coefficients()
    return Trace(reason=read) if isinstance(read, str) else ghosts(read.luma, read.tables[0])


def _noise(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.traces.noise import noise_levels

    return noise_levels(picture.rgb)


def _copy_move(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.traces.copy_move import copy_move

    return copy_move(picture.luma)


def _resampling(picture: StoredPicture) -> Trace:
    from nsfwforensics.signals.traces.resampling import resampling

    return resampling(picture.luma)


def _within(trace: Trace, picture: StoredPicture) -> Trace:
    """Cuts off what lies in the padding of the last blocks, beyond the picture's edge."""

    def cut(region: TraceRegion) -> TraceRegion:
        width, height = min(region.width, picture.width - region.x), min(region.height, picture.height - region.y)
        return replace(region, width=width, height=height)

    regions = tuple(cut(each) for each in trace.regions if each.x < picture.width and each.y < picture.height)
    return replace(trace, regions=regions)


_COLLAGE = say(
    "Text, stickers, logos, frames, collages and screenshots that show several pictures lead to the same trace without "
    "any wish to deceive."
)

METHODS: tuple[Method, ...] = (
    Method(
        name="jpeg-grid",
        title="Grids of 8×8 blocks that earlier saves as JPEG left",
        source="Nikoukhah et al., ZERO, Image Processing On Line 11 (2021)",
        run=_jpeg_grid,
        destroyed_by=say(
            "Saving the whole picture again as JPEG at a lower quality than before, resizing or blurring it"
        ),
        audience="Everybody: the number of false alarms is bounded.",
        kinds=(
            Kind(
                code="TRACE-001",
                title=say("An area follows another JPEG grid"),
                severity=Severity.MEDIUM,
                support=Support.SUPPORTS,
                explanation=lambda place: say(
                    "The area {place} was saved as JPEG on another grid of blocks than the rest of the "
                    "picture, which is consistent with having been pasted in from another picture or moved.",
                    place=place,
                ),
                causes=_COLLAGE,
                rates=FalseAlarms.of("jpeg_grid"),
                kind="foreign",
            ),
            Kind(
                code="TRACE-002",
                title=say("Grid of an earlier save does not begin at the corner"),
                severity=Severity.LOW,
                support=Support.INCONCLUSIVE,
                explanation=lambda **figures: say(
                    "The picture was saved as JPEG before and then cut or turned: the grid of that save begins "
                    "{origin_x} pixels from the left and {origin_y} from the top, as after a crop that took {cut_x} "
                    "and {cut_y} pixels (or 8, 16, ... more) off the left and the top.",
                    **figures,
                ),
                causes=say("Cropping and turning are everyday edits, and screenshots of a photo do the same."),
                rates=FalseAlarms.of("jpeg_grid_offset"),
                whole="offset",
            ),
            Kind(
                code="TRACE-003",
                title=say("An area lacks the JPEG grid of the rest"),
                severity=Severity.MEDIUM,
                support=Support.INCONCLUSIVE,
                explanation=lambda place: say(
                    "The area {place} does not carry the traces of having been saved as JPEG that the rest of "
                    "the picture carries, which is consistent with having been added or painted over later.",
                    place=place,
                ),
                causes=sentences(
                    _COLLAGE,
                    say(
                        "Very fine or very dark texture can hide the traces as well. It is looked for only in files "
                        "that are no JPEG; of 242 such files made of 22 unedited photographs none showed it."
                    ),
                ),
                kind="missing",
                missing=counted("jpeg_grid_missing"),
            ),
        ),
    ),
    Method(
        name="double-quantisation",
        title="Places that were saved as JPEG once where the rest was saved twice",
        source="Lin et al., Pattern Recognition 42 (2009); Bianchi & Piva, IEEE TIFS 7 (2012)",
        run=_double_quantisation,
        destroyed_by=say("Saving the whole picture once more at a lower quality, or resizing it"),
        audience="Everybody, for JPEG files of which the editor saved a copy of at least the earlier quality.",
        kinds=(
            Kind(
                code="TRACE-004",
                title=say("An area was saved once where the rest was saved twice"),
                severity=Severity.MEDIUM,
                support=Support.INCONCLUSIVE,
                explanation=lambda place: say(
                    "Most of the picture was saved as JPEG twice but the area {place} shows only one save, "
                    "which is consistent with having been changed in between.",
                    place=place,
                ),
                causes=_COLLAGE,
                rates=FalseAlarms.of("double_quantisation"),
            ),
        ),
    ),
    Method(
        name="copy-move",
        title="Parts of the picture that repeat one another",
        source="Amerini et al., IEEE TIFS 6 (2011); Lin, Biometrics 45 (1989)",
        run=_copy_move,
        destroyed_by=say("Changing the brightness of the copy, mirroring it, or strong compression"),
        audience="Everybody, to look at the two places side by side.",
        kinds=(
            Kind(
                code="TRACE-005",
                title=say("Two areas repeat one another"),
                severity=Severity.MEDIUM,
                support=Support.INCONCLUSIVE,
                explanation=lambda place: say(
                    "The area {place} repeats another part of the same picture down to its grey levels, which "
                    "is consistent with a part having been copied within it.",
                    place=place,
                ),
                causes=say(
                    "The same small picture shown twice in a screenshot, printed patterns, repeated parts of "
                    "buildings and mirrored collages can do the same."
                ),
                rates=FalseAlarms.of("copy_move"),
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


__all__ = ["BY_NAME", "METHODS", "FalseAlarms", "Kind", "Method", "figures", "place"]

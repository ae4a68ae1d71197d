"""How a JPEG was compressed: by whose tables, at which quality, and whether that happened before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from nsfwforensics.analyzers.jpeg import tables as known
from nsfwforensics.analyzers.jpeg.figures import FIGURES
from nsfwforensics.analyzers.metadata import identity
from nsfwforensics.core.analyzer import Analyzer, Code, Outcome
from nsfwforensics.core.error_rates import counted, error_rate
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.messages import say, sentences
from nsfwforensics.core.types import Finding, Question, Severity, Support
from nsfwforensics.errors import EvidenceError, MissingDependencyError
from nsfwforensics.formats import jpeg
from nsfwforensics.formats.read import read_metadata

if TYPE_CHECKING:
    from nsfwforensics.formats.dct import Coefficients, Frame
    from nsfwforensics.formats.fields import Metadata
    from nsfwforensics.signals.traces.recompression import History

_RESAVED = say(
    "Saving again is not manipulation: messengers, web sites and phones do it with every picture they pass on."
)

_SUBSAMPLINGS: Mapping[tuple[tuple[int, int], ...], str] = {
    ((1, 1),) * 3: "4:4:4", ((2, 1), (1, 1), (1, 1)): "4:2:2", ((2, 2), (1, 1), (1, 1)): "4:2:0",
    ((1, 2), (1, 1), (1, 1)): "4:4:0", ((4, 1), (1, 1), (1, 1)): "4:1:1", ((4, 2), (1, 1), (1, 1)): "4:1:0",
}  # fmt: skip

_PROCESSES = {
    0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive",
    0xC9: "extended, arithmetic coding", 0xCA: "progressive, arithmetic coding",
}  # fmt: skip


_ORIGINALS, _ONCE = counted("originals_saved_twice"), counted("saved_once_saved_twice")


class JpegAnalyzer(Analyzer):
    """Reads how a JPEG was compressed and whether it was compressed before.

    None of it says that a picture was manipulated. It says whether a file can be what left a camera, which matters
    when somebody calls it an original.
    """

    name = "jpeg"
    version = "2"
    title = "JPEG compression: tables, quality, earlier savings"
    question = Question.ALTERATION
    method = say(
        "Reads how the file was compressed, and looks in its coefficients for the steps that an earlier saving left."
    )
    source = "docs/jpeg.md; JPEG (ITU-T T.81, ISO/IEC 10918-1)"
    figures = FIGURES
    place = 50
    codes: ClassVar[Mapping[str, Code]] = {
        "JPEG-001": Code(
            say("Saved as JPEG more than once"),
            Severity.LOW,
            sentences(
                _RESAVED,
                say(
                    "The earlier quality is the nearest of a standard scale; pictures of very regular patterns can "
                    "look as if saved twice. In tests {camera} of {originals:,} camera originals and {once} of "
                    "{files:,} files saved once looked so.",
                    camera=_ORIGINALS.errors,
                    originals=_ORIGINALS.trials,
                    once=_ONCE.errors,
                    files=_ONCE.trials,
                ),
            ),
            rates=(
                error_rate(say("untouched camera originals that looked saved twice"), *_ORIGINALS),
                error_rate(say("files saved once that looked saved twice"), *_ONCE),
            ),
        ),
        "JPEG-002": Code(
            say("Compression tables of an editing program"),
            Severity.LOW,
            say(
                "Such programs are also used for cropping, developing or exporting, and other software may have copied "
                "the tables; they do not say what was changed, if anything. The table of programs was made so that "
                "none of 220 camera originals has such tables; how often others do was not measured."
            ),
        ),
        "JPEG-003": Code(
            say("Compression tables do not fit the camera named"),
            Severity.LOW,
            sentences(
                _RESAVED,
                say(
                    "Only some models of each maker were measured, and the name of the camera in a file can be "
                    "changed by anyone."
                ),
            ),
        ),
        "JPEG-004": Code(
            say("More parts than are read"),
            Severity.LOW,
            say("No camera and no known program writes so many parts; a file can be filled so that it is not read."),
        ),
    }

    def examine(self, evidence: Evidence) -> Outcome:
        """Examines one file.

        Measurements: ``quality``, ``tables``, ``frame``, ``compressions``, ``thumbnail``, ``bytes_after_image`` and
        ``not_checked``, what could not be found out and why.
        """
        if evidence.media_type != "image/jpeg":
            return Outcome.not_applicable(say("not a JPEG file"))
        layout = evidence.derive("jpeg.layout", lambda: jpeg.read_jpeg(evidence.data))
        if layout.unread:
            explanation = say("The JPEG has more parts than are read, so nothing can be said about its compression.")
            data = {"limits": list(layout.limits)}
            return Outcome.of([self.finding("JPEG-004", explanation, support=Support.INCONCLUSIVE, data=data)])
        tables = jpeg.quantisation_tables(layout)
        found = known.family(tables)
        if found is None:
            raise EvidenceError(say("the JPEG holds no quantisation table"))
        metadata = evidence.derive("metadata.table", lambda: read_metadata(evidence.data, evidence.media_type))
        earlier, not_told = _earlier(evidence, layout)
        frame, unread = _frame(layout)
        unchecked = [reason for reason in (not_told, unread) if reason is not None]
        measurements: dict[str, Any] = {
            "quality": {"standard": found.quality, "nearest_standard": found.nearest, "distance": found.distance},
            "tables": {
                "family": found.kind, "names": found.names, "files_measured": found.files, "digest": found.digest,
                "steps_zigzag": {str(number): table for number, table in sorted(tables.items())},
            },
            "frame": frame,
            "compressions": None if earlier is None else _figures(earlier),
            "thumbnail": _thumbnail(metadata, found),
            "bytes_after_image": None if layout.end is None else evidence.size - layout.end,
            "not_checked": unchecked,
        }  # fmt: skip
        findings = [*self._savings(earlier, found), *self._tables(found, metadata)]
        if earlier is None and not findings:  # tables alone cannot say that nothing was found
            return Outcome.not_applicable(say("{reasons:semicolon}", reasons=unchecked), measurements)
        return Outcome.of(findings, measurements)

    def _savings(self, earlier: History | None, found: known.Family) -> Iterator[Finding]:
        if earlier is None or not _seen(earlier):
            return
        if found.quality:
            saved = say(
                "The picture appears to have been saved as JPEG at least twice, consistent with quality {first} first "
                "and {last} last.",
                first=earlier.quality,
                last=found.quality,
            )
        else:
            saved = say(
                "The picture appears to have been saved as JPEG at least twice, consistent with quality {first} first "
                "and {last} (the nearest on the standard scale) last.",
                first=earlier.quality,
                last=found.nearest,
            )
        usual = say(
            "A file straight from a camera is usually saved once; every messenger and most web sites save pictures "
            "again."
        )
        yield self.finding("JPEG-001", sentences(saved, usual), data=_figures(earlier))

    def _tables(self, found: known.Family, metadata: Metadata) -> Iterator[Finding]:
        device = identity.device(metadata)
        data: dict[str, Any] = {"family": found.kind, "names": list(found.names), "digest": found.digest}
        if found.kind == known.PROGRAM:
            yield self.finding(
                "JPEG-002",
                say(
                    "The file was compressed with {tables}, so it is consistent with having been saved by such a "
                    "program after it was taken.",
                    tables=found.words,
                ),
                data=data,
            )
        if device is None:
            return
        originals = known.unusual_for(device, found)
        if originals is not None:
            yield self.finding(
                "JPEG-003",
                say(
                    "The file names a camera of {maker} but was compressed with {tables}, as none of {originals} "
                    "originals of that maker was; it may have been saved again by software that kept the camera's "
                    "name.",
                    maker=device.make.split()[0][:40],
                    tables=found.words,
                    originals=originals,
                ),
                support=Support.INCONCLUSIVE,
                data=data | {"quality": found.quality, "originals_measured": originals, "make": device.make[:100]},
            )


def _earlier(evidence: Evidence, layout: jpeg.JpegFile) -> tuple[History | None, str | None]:
    """What the histograms of the coefficients say; or None, and why they say nothing."""
    try:
        read = read_shared(evidence)
    except (EvidenceError, MissingDependencyError) as error:
        return None, _not_told(error.message)
    if layout.end is None:
        return None, _not_told(say("the file is cut short"))
    if len(read.frame.components) == 4:
        return None, _not_told(say("not known for pictures in printing colours (CMYK)"))
    from nsfwforensics.signals.traces.recompression import history

    earlier = evidence.derive("jpeg.history", lambda: history(read.luma, read.tables[0]))
    return (earlier, None) if earlier.reason is None else (None, _not_told(earlier.reason))


def _not_told(reason: str) -> str:
    return say("earlier savings: {reason}", reason=reason)


def read_shared(evidence: Evidence) -> Coefficients:
    """The luma coefficients of a JPEG, read once for all analyzers.

    Raises:
        EvidenceError: They cannot be read.
        MissingDependencyError: The library for it is not installed.
    """
    from nsfwforensics.formats.dct import read_coefficients

    return evidence.derive("jpeg.coefficients", lambda: read_coefficients(evidence.data))


def _seen(earlier: History) -> bool:
    from nsfwforensics.signals.traces.recompression import LEAST_AGREEING, LEAST_SCORE

    return earlier.score >= LEAST_SCORE and earlier.agreeing >= LEAST_AGREEING


def _figures(earlier: History) -> dict[str, Any]:
    from nsfwforensics.signals.traces.recompression import LEAST_AGREEING, LEAST_SCORE, MODES

    return {
        "statement": "at least two" if _seen(earlier) else "no sign of more than one",
        "log_likelihood_ratio": round(earlier.score, 4),
        "threshold": LEAST_SCORE,
        "earlier_quality": earlier.quality if _seen(earlier) else None,
        "frequencies_agreeing": earlier.agreeing,
        "frequencies": len(MODES),
        "frequencies_needed": LEAST_AGREEING,
        "coefficients": earlier.coefficients,
    }


def _frame(layout: jpeg.JpegFile) -> tuple[dict[str, Any] | None, str | None]:
    """How the picture is coded; or None, and why that cannot be read."""
    from nsfwforensics.formats.dct import read_frame

    try:
        frame: Frame = read_frame(layout)
    except EvidenceError as error:
        return None, say("frame header: {reason}", reason=error.message)
    restarts = [segment.data for segment in layout.segments if segment.marker == jpeg.DRI and len(segment.data) == 2]
    described = {
        "process": _PROCESSES[frame.marker],
        "components": len(frame.components),
        "sampling_factors": [list(pair) for pair in frame.sampling],
        "subsampling": "none (one component)" if len(frame.components) == 1 else _SUBSAMPLINGS.get(frame.sampling),
        "scans": sum(segment.marker == jpeg.SOS for segment in layout.segments),
        "restart_interval": int.from_bytes(restarts[-1], "big") if restarts else 0,
    }
    return described, None


def _thumbnail(metadata: Metadata, found: known.Family) -> dict[str, Any] | None:
    """How the first embedded thumbnail was compressed; whether it shows the same is the metadata analyzer's matter."""
    for thumbnail in metadata.thumbnails:
        if thumbnail.data[:2] == b"\xff\xd8":
            small = jpeg.read_jpeg(thumbnail.data)
            own = known.family(jpeg.quantisation_tables(small))
            if own is not None:
                return {
                    "source": thumbnail.source,
                    "size": small.size,
                    "quality": own.quality,
                    "family": own.kind,
                    "names": own.names,
                    "digest": own.digest,
                    "same_tables_as_picture": own.digest == found.digest,
                }
    return None


__all__ = ["JpegAnalyzer", "read_shared"]

"""Traces of editing inside one file: methods with known false alarms make findings, the others only maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, field_validator

from nsfwforensics.analyzers.traces.figures import FIGURES
from nsfwforensics.analyzers.traces.methods import BY_NAME, METHODS, Kind, Method, figures, place
from nsfwforensics.analyzers.traces.picture import StoredPicture
from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Code, Outcome
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import Artifact, Finding, Question, Region

if TYPE_CHECKING:
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.signals.traces.trace import Trace, TraceRegion

MOST_FINDINGS = 4
"""Most places of one kind that are reported, strongest first; how many there were is among the measurements."""

_EXPERTS = say(
    "Error level and noise maps always show edges, texture and strong colours; no error rate is known for reading them."
)


class TracesOptions(AnalyzerOptions):
    """Which methods look at the picture, and whether their maps are kept."""

    maps: bool = Field(
        default=False,
        description="Keep the maps of the methods, error level analysis and the noise residual as pictures beside the "
        "report: for experts; parts of the evidence can be recognised in them",
        json_schema_extra={"flag": "--maps"},
    )
    methods: tuple[str, ...] = Field(
        default=(),
        description=f"Method to use, all if omitted: {', '.join(BY_NAME)}; may be repeated or separated by commas",
    )

    @field_validator("methods")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.strip() for entry in value for name in entry.split(",") if name.strip())
        for name in names:
            if name not in BY_NAME:
                raise ValueError(f"there is no such method; there are {', '.join(BY_NAME)}")
        return tuple(dict.fromkeys(names))


class TracesAnalyzer(Analyzer):
    """Looks for traces of editing: JPEG grids, double quantisation, copied parts.

    Each finding names its method, where that is published, what it was measured to be worth and what destroys it.
    """

    name = "traces"
    version = "3"
    title = "Traces of editing inside the file"
    question = Question.ALTERATION
    method = say(
        "Measures patterns that saving, resizing and copying leave in the pixels, and looks for places that do "
        "not fit the rest."
    )
    source = "docs/traces.md"
    Options = TracesOptions
    figures = FIGURES
    place = 60
    help = "traces of editing"
    codes: ClassVar[Mapping[str, Code]] = {
        kind.code: Code(
            kind.title,
            kind.severity,
            method.caveat(kind),
            rates=kind.error_rates,
            source=f"{method.source}; docs/traces.md",
        )
        for method in METHODS
        for kind in method.kinds
    }

    def examine(self, evidence: Evidence) -> Outcome:
        """Runs the methods on the picture as stored; findings are in pixels of the picture as shown.

        Measurements are, by method, its ``score``, number of ``regions`` and figures, or ``not_judged`` with a reason.
        """
        picture = StoredPicture(evidence, maps=self.options.maps)
        unsuitable = picture.unsuitable()
        if unsuitable is not None:
            return Outcome.not_applicable(unsuitable)
        findings: list[Finding] = []
        measurements: dict[str, Any] = {}
        artifacts: list[Artifact] = []
        for method in self._chosen():
            trace = picture.shown(method.run(picture))
            measurements[method.name] = figures(method, trace)
            for kind in method.kinds:
                findings += self._findings(method, kind, trace, picture)
            if self.options.maps and trace.map is not None:
                artifacts.append(_drawn(say("map of {method}", method=method.name), trace.map, picture))
        if all("not_judged" in entry for entry in measurements.values()):
            reasons = list(dict.fromkeys(entry["not_judged"] for entry in measurements.values()))
            return Outcome.not_applicable(say("{reasons:semicolon}", reasons=reasons), measurements)
        if self.options.maps:
            artifacts += _expert_maps(evidence, picture)
            measurements["maps"] = _EXPERTS
        embed = self.resources.thumbnails
        return Outcome.of(findings, measurements, [each.model_copy(update={"embed": embed}) for each in artifacts])

    def _chosen(self) -> Iterator[Method]:
        """The methods asked for; of all methods those that only draw maps are left out where no maps are kept."""
        for method in METHODS:
            if method.name in self.options.methods or (
                not self.options.methods and (self.options.maps or not method.maps_only)
            ):
                yield method

    def _findings(self, method: Method, kind: Kind, trace: Trace, picture: StoredPicture) -> Iterator[Finding]:
        about: dict[str, Any] = {
            "method": method.name,
            "source": method.source,
            "destroyed_by": method.destroyed_by,
        }
        if kind.whole is not None:
            origin = trace.data.get(kind.whole)
            if origin is not None:
                x, y = origin
                words = {"origin_x": x, "origin_y": y, "cut_x": -x % 8, "cut_y": -y % 8}
                explanation = kind.explanation(**words)
                yield self.finding(kind.code, explanation, support=kind.support, data={**about, **words})
            return
        regions = [each for each in trace.regions if kind.kind in (None, each.data.get("kind"))]
        for region in regions[:MOST_FINDINGS]:
            yield self.finding(
                kind.code,
                kind.explanation(place=place(region, picture.shown_size)),
                support=kind.support,
                data={**about, "score": round(float(region.score), 3), **region.data},
                region=_region(region, trace),
            )


def _region(region: TraceRegion, trace: Trace) -> Region:
    from nsfwforensics.signals.traces.visualisation import outline

    box = (region.x, region.y, region.width, region.height)
    corners = () if trace.mask is None else outline(trace.mask, trace.cell, box)
    return Region(x=region.x, y=region.y, width=region.width, height=region.height, outline=corners)


def _drawn(name: str, values: Any, picture: StoredPicture) -> Artifact:
    from nsfwforensics.signals.traces.visualisation import map_png

    return Artifact(name=name, media_type="image/png", data=map_png(values, picture.shown_size))


def _expert_maps(evidence: Evidence, picture: StoredPicture) -> Iterator[Artifact]:
    """Error level analysis, of the picture as stored so that a JPEG's own grid is met, and the noise residual."""
    from nsfwforensics.signals.traces.visualisation import ela, noise_residual

    if max(picture.rgb.shape[:2]) <= 65_500:
        yield _drawn(say("error level analysis"), picture.turned(ela(picture.rgb)), picture)
    yield _drawn(say("noise residual"), noise_residual(evidence.rgb), picture)

"""One file half-way through the analyzers, and what comes of its main picture and the further ones in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nsfwforensics.core.discover import Look
from nsfwforensics.core.pictures import placed
from nsfwforensics.core.types import AnalyzerResult, AnalyzerStatus, FileInfo, FileReport, Support


@dataclass(slots=True)
class Draft:
    """One file half-way, or a further picture in it: finished results, and for each batch analyzer what it prepared.

    ``first`` is what a first look at the same bytes found. A further picture has a ``place`` in words, and
    ``stands_in`` where the main one cannot be decoded; it is ``lesser`` where it is a small copy beside the main one.
    """

    info: FileInfo
    results: dict[str, AnalyzerResult]
    pending: dict[str, Any]
    error: str | None = None
    skipped: bool = False
    left_out: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    further: list[Draft] = field(default_factory=list)
    place: str = ""
    lesser: bool = False
    stands_in: bool = False
    look: Look = Look.WHOLE
    first: FileReport | None = None


def merged(draft: Draft, name: str) -> AnalyzerResult:
    """What an analyzer found in a file: in its main picture, and in the further ones, each with its place.

    What supports its question is kept from every picture; of anything else, each kind once, the gravest.
    """
    main = draft.results[name]
    parts = [(each, each.results[name]) for each in draft.further if name in each.results]
    if not parts:
        return main
    findings = list(main.findings)
    said = {(finding.code, str(finding.explanation)) for finding in findings}
    ranks = {finding.code: finding.severity.rank for finding in findings if finding.support is not Support.SUPPORTS}
    for each, result in parts:
        for finding in result.findings:
            if each.lesser and finding.support is not Support.SUPPORTS:
                continue  # that a thumbnail shows no sign takes nothing from what the picture itself shows
            if finding.support is not Support.SUPPORTS:
                if ranks.get(finding.code, -1) >= finding.severity.rank:
                    continue
                ranks[finding.code] = finding.severity.rank
            if (finding.code, str(finding.explanation)) not in said:
                said.add((finding.code, str(finding.explanation)))
                findings.append(placed(finding, each.place))
    update: dict[str, Any] = {
        "findings": tuple(findings),
        "seconds": round(main.seconds + sum(result.seconds for _, result in parts), 4),
    }
    hashes = [{"picture": each.place, **result.measurements} for each, result in parts if "pdq" in result.measurements]
    if hashes:
        update["measurements"] = {**main.measurements, "pictures": hashes}
    stand_in = next((result for each, result in parts if each.stands_in), None)
    status = stand_in.status if stand_in else main.status
    error = (stand_in or main).said("error") if (stand_in or main).error else None
    if findings and status in (AnalyzerStatus.NOTHING_FOUND, AnalyzerStatus.MEASURED, AnalyzerStatus.NOT_APPLICABLE):
        status, error = AnalyzerStatus.OK, None
    return AnalyzerResult(**{**_fields(main), **update, "status": status, "error": error})


def _fields(result: AnalyzerResult) -> dict[str, Any]:
    """A result's fields as they are, its findings still models."""
    return {name: getattr(result, name) for name in AnalyzerResult.model_fields}

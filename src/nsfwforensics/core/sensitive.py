"""Files to be handled with care: which they are, and a report of one without a single pixel of it.

A run may ask for it (``--sensitive``); otherwise a file becomes one by what is found in it. Hash and path are kept, so
that it can be named to a hotline; pictures made of it are not.
"""

from __future__ import annotations

from collections.abc import Iterable

from nsfwforensics.core.messages import say
from nsfwforensics.core.types import AnalyzerResult, FileReport, Question, Severity, Support

LEFT_OUT = say("Pictures made of this file were left out of the report, because it is to be handled with care.")

_SIGNS = (Support.SUPPORTS, Support.INCONCLUSIVE)


def needs_care(results: Iterable[AnalyzerResult]) -> bool:
    """Whether a finding says that the picture shows, or may show, intimate content: plain information never does."""
    return any(
        finding.support in _SIGNS and finding.severity.rank >= Severity.MEDIUM.rank
        for result in results
        for finding in result.about(Question.CONTENT)
    )


def has_pictures(results: Iterable[AnalyzerResult]) -> bool:
    """Whether anything that was made beside the report shows the picture."""
    return any(_is_picture(artifact.media_type) for result in results for artifact in result.artifacts)


def without_pictures(result: AnalyzerResult) -> AnalyzerResult:
    """A result without the pictures made with it; what is no picture (a signature for a case) stays."""
    if not has_pictures((result,)):
        return result
    kept = tuple(artifact for artifact in result.artifacts if not _is_picture(artifact.media_type))
    return result.model_copy(update={"artifacts": kept})


def handled(file: FileReport, *, asked: bool = False) -> FileReport:
    """A file's report as it may be kept and shown: of a file to be handled with care, nothing that shows it.

    Args:
        file: The report of one file.
        asked: Whether the run asked for all of its files to be handled with care.
    """
    if not (asked or file.sensitive or needs_care(file.results)):
        return file
    update: dict[str, object] = {} if file.sensitive else {"sensitive": True}
    if file.info.thumbnail is not None or has_pictures(file.results):
        update["info"] = file.info.model_copy(update={"thumbnail": None})
        update["results"] = tuple(without_pictures(result) for result in file.results)
        if LEFT_OUT not in file.notes:
            update["notes"] = (*file.notes, str(LEFT_OUT))
    return file.model_copy(update=update) if update else file


def _is_picture(media_type: str) -> bool:
    return media_type.startswith("image/")

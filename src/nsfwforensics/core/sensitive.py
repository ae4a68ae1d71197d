"""Files to be handled with care: which they are, and a report of one without a single pixel of it.

A run may ask for it (``--sensitive``); otherwise a file becomes one by what is found in it. Hash and path are kept, so
that it can be named to a hotline; pictures made of it are not, nor are those that stand as text in what it says of
itself. The latter stand in no report, asked for or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nsfwforensics.core import assess
from nsfwforensics.core.messages import say
from nsfwforensics.core.pictures_in_text import without_spelled_pictures
from nsfwforensics.core.types import AnalyzerResult, FileInfo, FileReport, Header, Question, Severity, Support

LEFT_OUT = say("Pictures made of this file were left out of the report, because it is to be handled with care.")
TEXT_LEFT_OUT = say(
    "What the file says of itself holds a picture, or what may be one, as text. It was left out of the report; its "
    "length stands in its place."
)

_SIGNS = (Support.SUPPORTS, Support.INCONCLUSIVE)
_NAMES = frozenset({"path", "name", "sha256", "after", "thumbnail"})
"""What identifies a file stays, whatever it looks like."""


def needs_care(results: Iterable[AnalyzerResult]) -> bool:
    """Whether a finding says that the picture shows, or may show, intimate content: plain information never does."""
    return any(
        finding.support in _SIGNS and finding.severity.rank >= Severity.MEDIUM.rank
        for result in results
        if result.findings  # asked of every file
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


def without_text_pictures(file: FileReport, *, careful: bool = False) -> FileReport:
    """A file's report without pictures that stand in it as text; what they change in its answers is made again.

    Args:
        file: The report of one file.
        careful: Whether long encoded text goes too where it cannot be told to be a picture.

    Returns:
        The report itself where there was nothing to leave out.
    """
    exclude: Any = {"status": True, "info": _NAMES, "answers": True}
    stored = file.model_dump(mode="json", exclude=exclude)
    kept = without_spelled_pictures(stored, careful=careful)
    if kept == stored:
        return file
    results = tuple(
        was if new == old else _with_data(AnalyzerResult.model_validate(new), was)
        for was, old, new in zip(file.results, stored["results"], kept["results"], strict=True)
    )
    info = FileInfo.model_validate(kept.pop("info") | {name: getattr(file.info, name) for name in _NAMES})
    notes = kept["notes"] if TEXT_LEFT_OUT in kept["notes"] else [*kept["notes"], TEXT_LEFT_OUT]
    made = FileReport.model_validate(kept | {"info": info, "results": results, "notes": notes})
    return made.model_copy(update={"answers": assess.answers_again(file.answers, made)})


def without_pixels(file: FileReport) -> FileReport:
    """A file's report without its thumbnail, the pictures made with it, and text that is a picture or may be one."""
    if file.info.thumbnail is not None or has_pictures(file.results):
        info = file.info.model_copy(update={"thumbnail": None})
        file = file.model_copy(update={"info": info, "results": tuple(map(without_pictures, file.results))})
    return without_text_pictures(file, careful=True)


def header_without_pictures(header: Header) -> Header:
    """A run's header without pictures that stand in it as text, as one may that somebody else wrote."""
    stored = header.model_dump(mode="json")
    kept = without_spelled_pictures(stored)
    return header if kept == stored else Header.model_validate(kept)


def handled(file: FileReport, *, asked: bool = False) -> FileReport:
    """A file's report as it may be kept and shown: of a file to be handled with care, nothing that shows it.

    Args:
        file: The report of one file.
        asked: Whether the run asked for all of its files to be handled with care.
    """
    if not (asked or file.sensitive or needs_care(file.results)):
        return file
    kept = without_pixels(file)
    update: dict[str, Any] = {} if file.sensitive else {"sensitive": True}
    if (file.info.thumbnail is not None or has_pictures(file.results)) and LEFT_OUT not in file.notes:
        update["notes"] = (*kept.notes, str(LEFT_OUT))
    return kept.model_copy(update=update) if update else kept


def _with_data(result: AnalyzerResult, was: AnalyzerResult) -> AnalyzerResult:
    """A result that was read back, with the bytes of what was made with it, which are never stored in it."""
    if not was.artifacts:
        return result
    pairs = zip(result.artifacts, was.artifacts, strict=True)
    return result.model_copy(
        update={"artifacts": tuple(new.model_copy(update={"data": old.data}) for new, old in pairs)}
    )


def _is_picture(media_type: str) -> bool:
    return media_type.startswith("image/")

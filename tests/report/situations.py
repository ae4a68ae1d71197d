"""The eight situations in which people read a report, made up: what a reader must see first, and what must run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nsfwforensics.core.error_rates import ERROR_RATES, error_rate
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import (
    AnalyzerResult,
    AnalyzerStatus,
    FileReport,
    Header,
    Question,
    Reader,
    Region,
    Severity,
    Support,
)
from nsfwforensics.language import language
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import declared, file, finding, header, result

ALL = ("metadata", "provenance", "deepfake", "jpeg", "compare", "faces", "phash", "intimate")
FACE_BOX = Region(x=600, y=100, width=300, height=360)
CHANGED_BOX = Region(x=400, y=520, width=700, height=640)


def run(*, original: bool = False, reference: bool = False) -> Header:
    """A header that says what the user supplied."""
    given = {"compare": {"original": ["her-original.jpg"]} if original else {}}
    given["faces"] = {"reference": ["her.jpg"]} if reference else {}
    records = tuple(record.model_copy(update={"options": given.get(record.name, {})}) for record in declared(*ALL))
    references: list[dict[str, Any]] = []
    if original:
        references.append({"role": "original", "path": "her-original.jpg", "sha256": "ab" * 32, "keypoints": 1418})
    if reference:
        references.append({"role": "reference", "path": "her.jpg", "sha256": "cd" * 32, "box": [179, 59, 90, 118]})
    return header(analyzers=records, references=tuple(references), models=())


def rated(code: str, question: Question, **changes: Any) -> AnalyzerResult:
    """A finding with a measured rate, as most have one."""
    rates = {ERROR_RATES: [error_rate(say("pictures taken for others"), 4, 3789)]}
    return result(
        "faces" if question is Question.IDENTITY else "compare",
        question,
        findings=(finding(code, data=rates, **changes),),
    )


FACE = rated(
    "FACE-001",
    Question.IDENTITY,
    title=say("Face similar to the reference photo"),
    headline=say("A face in it resembles the reference photo."),
    explanation=say(
        "A face in the picture resembles the reference photo (distance 0.09; below 0.50 counts as similar)."
    ),
    severity=Severity.HIGH,
    region=FACE_BOX,
)
MADE = result(
    "compare",
    Question.KNOWN,
    findings=(
        finding(
            "CMP-001",
            title=say("Matches an original"),
            headline=say("Made from {name}.", name="her-original.jpg"),
            explanation=say(
                "The picture appears to have been made from “{name}”: 816 points.", name="her-original.jpg"
            ),
            severity=Severity.MEDIUM,
            data={"matching_points": 816},
        ),
        finding(
            "CMP-002",
            title=say("Changed region"),
            headline=say("27 % of it was changed, below the face, where the body would be."),
            explanation=say("Changed region: 27 % of the photo as shown here, below the face."),
            severity=Severity.HIGH,
            question=Question.ALTERATION,
            region=CHANGED_BOX,
        ),
    ),
    measurements={"suspect_to_original": [[1.0, 0.0, 0.0]] * 3},
)
UNTOLD = result(
    "deepfake",
    Question.SYNTHESIS,
    findings=(
        finding(
            "SYN-002",
            title=say("Pixels: inconclusive"),
            support=Support.INCONCLUSIVE,
            explanation=say("The pixels alone do not say whether this picture was generated."),
            data={"score": -2.37, "counts": list(range(500))},
        ),
    ),
)
EDITED = result("jpeg", Question.ALTERATION, AnalyzerStatus.NOTHING_FOUND)
CAREFUL = result("intimate", Question.CONTENT, AnalyzerStatus.NOTHING_FOUND)
NOBODY = result("faces", Question.IDENTITY, AnalyzerStatus.NOT_APPLICABLE, error=say("no reference photo was given"))
NO_FACE = result(
    "faces",
    Question.IDENTITY,
    findings=(
        finding(
            "FACE-005",
            title=say("No face found"),
            support=Support.INCONCLUSIVE,
            severity=Severity.INFO,
            explanation=say("No face found in the picture, so nobody could be compared."),
        ),
    ),
)
MARK = result(
    "provenance",
    findings=(
        finding(
            "PROV-003",
            title=say("The file claims to be made with an AI generator"),
            headline=say("The file claims to be made by Stable Diffusion web UI; the claim is unsigned."),
            explanation=say("The file claims to be made by Stable Diffusion web UI."),
            severity=Severity.MEDIUM,
        ),
    ),
)
SIGNED = result(
    "provenance",
    findings=(
        finding(
            "PROV-001",
            title=say("Content Credentials"),
            headline=say("It carries Content Credentials signed by “{name}”.", name="Camera Maker"),
            explanation=say("The file carries Content Credentials with an intact signature."),
            severity=Severity.LOW,
        ),
    ),
)
PLACE = result(
    "metadata",
    findings=(
        finding("META-006", title=say("Place stored"), data={"latitude": 35.6586, "longitude": 139.7454}),
        finding("META-003", title=say("Dates"), data={"dates": []}),
    ),
    measurements={
        "fields": [{"source": "JPEG APP1", "group": "EXIF IFD0", "name": "Artist", "value": "Ann Photographer"}]
    },
)


def picture(path: str, *results: AnalyzerResult, **info: Any) -> FileReport:
    """A file with a digest of its own."""
    return file(path, *results, info={"sha256": hashlib.sha256(path.encode()).hexdigest(), **info})


def folder_of_200() -> list[FileReport]:
    """Six pictures of her that were altered, ten of her, and all sorts."""
    made = [picture(f"zz/altered-{n}.jpg", FACE, MADE, UNTOLD) for n in range(6)]
    made += [picture(f"zz/her-{n}.jpg", FACE, EDITED) for n in range(10)]
    made += [picture(f"aa/mark-{n}.png", MARK, NO_FACE, EDITED) for n in range(84)]
    return made + [picture(f"aa/photo-{n}.jpg", NO_FACE, EDITED, PLACE) for n in range(100)]


def with_copies() -> list[FileReport]:
    """One altered picture with 40 copies of it under other names, and two others."""
    same = {"sha256": "ef" * 32}
    copies = [picture(f"copies/copy-{n:02}.jpg", FACE, MADE, **same) for n in range(41)]
    return [*copies, picture("copies/a.jpg", NO_FACE, EDITED), picture("copies/b.jpg", MARK, NO_FACE)]


SITUATIONS: dict[str, tuple[Callable[[], list[FileReport]], Header, str]] = {
    "made-and-changed": (
        lambda: [picture("her/post.jpg", FACE, MADE, UNTOLD, CAREFUL)],
        run(original=True, reference=True),
        "Made from her-original.jpg. 27 % of it was changed, below the face, where the body would be.",
    ),
    "person-only": (
        lambda: [picture("her/other.jpg", FACE, UNTOLD, EDITED, CAREFUL)],
        run(reference=True),
        "A face in it resembles the reference photo.",
    ),
    "ai-mark": (
        lambda: [picture("x/mark.png", MARK, UNTOLD, EDITED, NOBODY)],
        run(),
        "The file claims to be made by Stable Diffusion web UI; the claim is unsigned.",
    ),
    "signed": (lambda: [picture("x/signed.jpg", SIGNED, EDITED, NOBODY)], run(), "Content Credentials"),
    "nothing": (
        lambda: [picture("x/landscape.jpg", PLACE, UNTOLD, EDITED, NO_FACE, CAREFUL)],
        run(reference=True),
        "does not make it authentic",
    ),
    "broken": (
        lambda: [file("x/broken.jpg", error="picture data is missing from its start")],
        run(),
        "It could not be examined",
    ),
    "folder-of-200": (
        folder_of_200,
        run(original=True, reference=True),
        "16 pictures show a face that resembles the reference photo.",
    ),
    "folder-with-40-copies": (
        with_copies,
        run(original=True, reference=True),
        "41 pictures show a face that resembles the reference photo.",
    ),
}
"""By name: the files, the run, and what a reader sees first."""


def saved(folder: Path, name: str, code: str = "en", reader: Reader = Reader.ANYONE) -> SavedReport:
    """The report of a situation, with its views, in a folder."""
    files, head, _ = SITUATIONS[name]
    with ReportWriter(folder, language(code), reader=reader) as writer:
        writer.begin(head)
        for one in files():
            writer.add(one)
        return writer.finish(head)

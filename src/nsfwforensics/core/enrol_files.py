"""Opening the pictures that a run is prepared with: reference photos, originals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from nsfwforensics.core.discover import discover
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import EnrolmentError, EvidenceError


def pictures(paths: Sequence[Path], role: str) -> Iterator[Evidence]:
    """Opens pictures one by one: a file that was named must be one, other files of a folder are passed over.

    Args:
        paths: Files and folders.
        role: What they are to the run (``reference``), for messages.

    Raises:
        EnrolmentError: A named file is no picture or cannot be read, or a folder holds none.
    """
    found = False
    for target in discover(paths, follow_symlinks=True):
        try:
            if target.skip is not None:
                raise EvidenceError(target.skip)
            evidence = Evidence.open(target.path, follow=target.follow)
            if evidence.media_type is None:
                raise EvidenceError("the content is no image format known here")
        except EvidenceError as error:
            if target.named:
                raise EnrolmentError(f"{role} {target.path}: {error}") from error
            continue
        found = True
        yield evidence
    if not found:
        raise EnrolmentError(f"no pictures in the {role} folder {', '.join(str(path) for path in paths)}")

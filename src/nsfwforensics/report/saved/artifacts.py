"""Pictures made beside a report, such as difference maps: kept under ``artifacts/``, where nothing else is touched.

Their names come from digests and our own words alone, never from evidence, so that a saved report cannot name a file
outside its folder.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
from pathlib import Path

from nsfwforensics.core.private import make_folder, replacing
from nsfwforensics.core.report_files import ARTIFACT_NAME, ARTIFACTS
from nsfwforensics.core.types import AnalyzerResult, Artifact, FileReport

EMBED_BYTES = 60_000_000
"""Most bytes of pictures that one page embeds; the files beside it stay."""

_SUFFIX = {"image/png": ".png", "image/jpeg": ".jpg"}


class ArtifactShelf:
    """Stores what analyzers made for one report, and clears away what an earlier report in the folder left."""

    def __init__(self) -> None:
        self._kept: set[str] = set()

    def store(self, file: FileReport, folder: Path | None) -> FileReport:
        """Writes a file's artifacts and names them in its report; without a folder they are dropped.

        Args:
            file: The report of one file, its artifacts holding their bytes.
            folder: The report's folder, or None where the report is only shown.

        Raises:
            OSError: They cannot be written.
        """
        if not any(result.artifacts for result in file.results):
            return file
        digest = (file.info.sha256 or "0" * 64)[:16]
        results = tuple(
            result.model_copy(update={"artifacts": self._store(result, digest, folder)}) for result in file.results
        )
        return file.model_copy(update={"results": results})

    def _store(self, result: AnalyzerResult, digest: str, folder: Path | None) -> tuple[Artifact, ...]:
        if folder is None:
            return ()
        stored = []
        for artifact in result.artifacts:
            if artifact.data is None or artifact.media_type not in _SUFFIX:
                continue
            words = re.sub(r"[^a-z0-9]+", "-", artifact.name.lower()).strip("-")[:40].strip("-") or "picture"
            analyzer = re.sub(r"[^a-z0-9]", "", result.analyzer.lower())[:24] or "analyzer"
            name = f"{digest}-{analyzer}-{words}{_SUFFIX[artifact.media_type]}"
            _write(folder / ARTIFACTS, name, artifact.data)
            self._kept.add(name)
            sha256 = hashlib.sha256(artifact.data).hexdigest()
            stored.append(artifact.model_copy(update={"path": f"{ARTIFACTS}/{name}", "sha256": sha256, "data": None}))
        return tuple(stored)

    def tidy(self, folder: Path) -> None:
        """Removes artifacts that an earlier report in this folder left, and nothing that is not ours."""
        shelf = folder / ARTIFACTS
        if shelf.is_symlink() or not shelf.is_dir():
            return
        for path in shelf.iterdir():
            if ARTIFACT_NAME.fullmatch(path.name) and path.name not in self._kept:
                with contextlib.suppress(OSError):
                    path.unlink()
        with contextlib.suppress(OSError):
            shelf.rmdir()  # only where nothing is left in it


def data_address(folder: Path, artifact: Artifact) -> str | None:
    """A ``data:`` address of a stored picture, or None where the saved report names none, or not this one.

    Args:
        folder: The report's folder.
        artifact: As saved; its path is not trusted.
    """
    shelf, _, name = artifact.path.partition("/")
    path = folder / ARTIFACTS / name
    if shelf != ARTIFACTS or not ARTIFACT_NAME.fullmatch(name) or path.is_symlink() or not path.is_file():
        return None
    kind = "image/png" if name.endswith(".png") else "image/jpeg"
    data = path.read_bytes()
    if artifact.sha256 not in (None, hashlib.sha256(data).hexdigest()):
        return None
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _write(shelf: Path, name: str, data: bytes) -> None:
    """Writes under a temporary name, for the owner only, and renames: a planted link is replaced, not followed."""
    if shelf.is_symlink():
        raise OSError(0, "the artifacts folder is a symbolic link")
    make_folder(shelf)
    with replacing(shelf / name) as descriptor, os.fdopen(descriptor, "wb") as stream:
        stream.write(data)

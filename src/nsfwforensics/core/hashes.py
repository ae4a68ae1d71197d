"""The hashes that lists of known images are searched with, as an analyzer that provides them measures them."""

from __future__ import annotations

from collections.abc import Container, Mapping

from nsfwforensics.core.types import FileReport

HASHES = ("md5", "sha1", "sha256", "pdq", "phash", "dhash", "whash", "ahash", "colorhash", "crop_resistant")
"""Digests and perceptual hashes, in the order in which they are shown."""

QUALITY = "pdq_quality"
"""How much there is to hash in a picture, 0 to 100."""


def measured_hashes(file: FileReport, providers: Container[str]) -> Mapping[str, object]:
    """What was measured on a file by the analyzer that hashes; empty where none ran.

    Args:
        file: Its report.
        providers: The names of the analyzers that provide hashes.
    """
    return next((result.measurements for result in file.results if result.analyzer in providers), {})

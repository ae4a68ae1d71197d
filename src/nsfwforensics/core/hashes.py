"""The hashes that lists of known images are searched with, as an analyzer that provides them measures them."""

from __future__ import annotations

from collections.abc import Container, Mapping

from nsfwforensics.core.types import FileReport

HASHES = ("md5", "sha1", "sha256", "pdq", "phash", "dhash", "whash", "ahash", "colorhash", "crop_resistant")
"""Digests and perceptual hashes, in the order in which they are shown."""

QUALITY_USABLE = 50
"""Below this quality of PDQ a picture has too little structure: its hash matches unrelated ones and is left out."""

MATCH_DISTANCE = 31
"""Largest distance of two PDQ hashes, in bits of 256, at which two pictures are near-duplicates: for lists of known
images, clusters, the rows of a report and the items of a review alike.

It is the usual one, and what our own measurements back (docs/known.md): among 636,096 pairs of photographs of different
scenes none was so near, while JPEG at quality 30, greyscale and a colour filter stayed within it in all of 200 copies,
a quarter of the size in 96.5 %, a crop of 2 % in 98.5 %.
"""

QUALITY = "pdq_quality"
"""How much there is to hash in a picture, 0 to 100."""


def measured_hashes(file: FileReport, providers: Container[str]) -> Mapping[str, object]:
    """What was measured on a file by the analyzer that hashes; empty where none ran.

    Args:
        file: Its report.
        providers: The names of the analyzers that provide hashes.
    """
    return next((result.measurements for result in file.results if result.analyzer in providers), {})

"""The script that a user would write instead: each library opens each file for itself, one file after the other.

Run as ``python -m benchmarks.naive FOLDER REFERENCE``; prints one line per file. The embedder and the classifier are
the same networks that the tool runs, on the same number of crops, so that the difference is the plumbing alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import exifread
import imagehash
import numpy as np
import pdqhash
from facenet_pytorch import MTCNN
from PIL import Image

from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.registry import select
from nsfwforensics.models.faces.align import align
from nsfwforensics.models.faces.embedder import ResNet29Embedder, cached_embedder

HASHES = (imagehash.phash, imagehash.dhash)


def main(folder: Path, reference: Path) -> None:
    """Goes through the folder once per library and file, as example code does."""
    detector = MTCNN(keep_all=True)
    embedder = cached_embedder("resnet29", "cpu", None)
    (entry,) = select(["deepfake"])
    loaded = entry.load()
    classifier = loaded(loaded.Options(), Resources(threads=2))
    known = faces(detector, embedder, reference)[0]
    for path in sorted(folder.iterdir()):
        with path.open("rb") as stream:
            tags = exifread.process_file(stream)
        hashes = [str(hash_(Image.open(path))) for hash_ in HASHES]
        pdq, quality = pdqhash.compute(np.asarray(Image.open(path).convert("RGB")))
        found = faces(detector, embedder, path)
        nearest = min((float(np.linalg.norm(known - face)) for face in found), default=float("nan"))
        evidence = Evidence.open(path)
        evidence.derive("faces.detected", tuple)  # the faces were sought above; not a second time here
        samples = classifier.prepare(evidence)
        scores = samples if isinstance(samples, Outcome) else classifier.infer([samples])[0]
        print(path.name, len(tags), hashes[0], int(pdq.sum()), quality, len(found), nearest, type(scores).__name__)


def faces(detector: MTCNN, embedder: ResNet29Embedder, path: Path) -> np.ndarray:
    """Detects at full size and embeds each face from its landmarks."""
    picture = Image.open(path).convert("RGB")
    boxes, _, landmarks = detector.detect(picture, landmarks=True)
    if boxes is None:
        return np.empty((0, 128), np.float32)
    pixels = np.asarray(picture)
    return embedder.embed(np.stack([align(pixels, face) for face in np.asarray(landmarks, np.float32)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

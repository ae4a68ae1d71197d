"""The script that a user would write instead: each library opens each file for itself, one file after the other.

Run as ``python -m benchmarks.naive FOLDER REFERENCE [--all FILE]``; prints one line per file. The embedder and the
classifier are the same networks that the tool runs, on the same views; the classifier's is run by torch in float32, as
a script would run it. With ``--all`` it does what public example code does for the other stages too: SIFT matched with
itself for copies within a picture, JPEG ghosts, error levels, Content Credentials, NudeNet, and, where
``invisible-watermark`` is installed (``pip install --no-deps``: it asks for an OpenCV that would take the place of the
one here), the watermarks of the first Stable Diffusion and of SDXL; into ``FILE`` go the seconds that those took. For
JPEG grids it has nothing.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import exifread
import imagehash
import numpy as np
import pdqhash
import torch
from facenet_pytorch import MTCNN
from PIL import Image, ImageChops

from nsfwforensics.core.analyzer import BatchAnalyzer, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.registry import select
from nsfwforensics.models import weights
from nsfwforensics.models.faces.align import align
from nsfwforensics.models.faces.embedder import ResNet29Embedder, cached_embedder
from nsfwforensics.models.synthesis import clip
from nsfwforensics.models.synthesis.classifier import Head, SynthesisClassifier

HASHES = (imagehash.phash, imagehash.dhash)


QUALITIES = range(50, 100, 5)
"""At which a picture is saved again to look for ghosts."""

RATIO = 0.6
"""Between the distances of the second and the third of the closest keypoints, the first being the keypoint itself."""


def main(folder: Path, reference: Path, on_watermarks: Path | None) -> None:
    """Goes through the folder once per library and file, as example code does."""
    others = Others() if on_watermarks is not None else None
    detector = MTCNN(keep_all=True)
    embedder = cached_embedder("resnet29", "cpu", None)
    classifier = in_torch(threads=2)
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
        if others is not None:
            print(" ", *others(path))
    if others is not None and on_watermarks is not None:
        on_watermarks.write_text(f"{others.on_watermarks:.1f}")


def in_torch(threads: int) -> BatchAnalyzer[Any, Any]:
    """The analyzer, with the classifier's network in torch and float32 wherever it runs."""
    (entry,) = select(["deepfake"])
    loaded: type[BatchAnalyzer[Any, Any]] = entry.load()  # type: ignore[assignment]
    torch.set_num_threads(threads)
    body = SynthesisClassifier(clip.cached_clip("cpu", None), Head(weights.load_arrays("synthesis")))
    made = type("InTorch", (loaded,), {"_classifier": body})
    return made(loaded.Options(), Resources(threads=threads))


class Others:
    """The stages for which there is example code but no library that does them whole."""

    def __init__(self) -> None:
        from nudenet import NudeDetector

        self._intimate = NudeDetector()
        self._sift = cv2.SIFT_create()
        self._matcher = cv2.FlannBasedMatcher({"algorithm": 1, "trees": 5}, {"checks": 50})
        self._watermarks: list[Any] = []
        if find_spec("imwatermark") is not None:
            from imwatermark import WatermarkDecoder

            self._watermarks = [WatermarkDecoder("bytes", 136), WatermarkDecoder("bits", 48)]
        self.on_watermarks = 0.0

    def __call__(self, path: Path) -> tuple[object, ...]:
        """Opens the file for each of them."""
        found = self._copies(path), self._ghosts(path), self._credentials(path), len(self._intimate.detect(str(path)))
        began = time.thread_time()
        marks = [decoder.decode(cv2.imread(str(path)), "dwtDct") for decoder in self._watermarks]
        self.on_watermarks += time.thread_time() - began
        return *found, *map(str, marks)

    def _copies(self, path: Path) -> int:
        _, described = self._sift.detectAndCompute(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), None)
        if described is None or len(described) < 3:
            return 0
        close = self._matcher.knnMatch(described, described, k=3)
        return sum(len(near) == 3 and near[1].distance < RATIO * near[2].distance for near in close)

    def _ghosts(self, path: Path) -> list[float]:
        """The error level at 90 and the mean difference at each quality."""
        picture = Image.open(path).convert("RGB")
        found = []
        for quality in (90, *QUALITIES):
            stream = BytesIO()
            picture.save(stream, "JPEG", quality=quality)
            found.append(float(np.asarray(ImageChops.difference(picture, Image.open(stream))).mean()))
        return found

    def _credentials(self, path: Path) -> str:
        from c2pa import C2paError, Reader

        try:
            return Reader(str(path)).json()
        except C2paError:
            return ""


def faces(detector: MTCNN, embedder: ResNet29Embedder, path: Path) -> np.ndarray:
    """Detects at full size and embeds each face from its landmarks."""
    picture = Image.open(path).convert("RGB")
    boxes, _, landmarks = detector.detect(picture, landmarks=True)
    if boxes is None:
        return np.empty((0, 128), np.float32)
    pixels = np.asarray(picture)
    return embedder.embed(np.stack([align(pixels, face) for face in np.asarray(landmarks, np.float32)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[4]) if "--all" in sys.argv else None)

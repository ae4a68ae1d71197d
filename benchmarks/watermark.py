"""What looking for invisible watermarks adds to a picture that is decoded anyway."""

from __future__ import annotations

import argparse
import io
import statistics
import time

import cv2
from PIL import Image

from benchmarks import corpus
from nsfwforensics.analyzers.watermark import WatermarkAnalyzer
from nsfwforensics.core.analyzer import AnalyzerOptions, Resources
from nsfwforensics.core.evidence import Evidence

SIZES = ((512, 512), (1024, 1024), (1536, 1024), (2048, 2048), (4000, 3000))
TARGET_MS = 60
PASSES = 9


def watermark(_: argparse.Namespace) -> str:
    """Milliseconds per megapixel on one core, decoding of the file not counted."""
    cv2.setNumThreads(1)
    with Image.open(corpus.sources()[0]) as opened:
        photograph = opened.convert("RGB")
    rows = "\n".join(_row(photograph.resize(size, Image.Resampling.LANCZOS)) for size in SIZES)
    return f"""## Invisible watermarks

Processor time on one core, median of {PASSES} runs of the `watermark` analyzer over a picture that is already decoded
(the analyzers share one decoding). Pictures above 4 megapixels are read from their top. Target: at most {TARGET_MS} ms
per megapixel.

| picture | megapixels | ms | ms per megapixel |
|---|---|---|---|
{rows}"""


def _row(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92)
    analyzer = WatermarkAnalyzer(AnalyzerOptions(), Resources())
    times = []
    for _ in range(PASSES):
        evidence = Evidence.from_bytes(buffer.getvalue())
        evidence.original.load()
        started = time.process_time()
        analyzer.examine(evidence)
        times.append(1000 * (time.process_time() - started))
    middle, megapixels = statistics.median(times), picture.width * picture.height / 1e6
    return f"| {picture.width} × {picture.height} | {megapixels:.2f} | {middle:.1f} | {middle / megapixels:.1f} |"

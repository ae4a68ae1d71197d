"""Measures how often the ``intimate`` analyzer reacts to pictures without intimate content, for docs/intimate.md.

Run by hand: ``python tools/measure_intimate.py DATA``, DATA being a folder of folders of screened pictures. Each is
looked at as it is, and made small and saved again, as platforms do. How often the detector misses cannot be measured
this way, and no intimate pictures are used to.
"""

from __future__ import annotations

import io
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from PIL import Image

from nsfwforensics.analyzers.intimate import EXPOSED, LIKELY, REDUCED_EDGE
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import EvidenceError
from nsfwforensics.models.intimate_detector import cached_detector

LEAST_EDGE = 64
STATES = {"as it is": None, "768 px, JPEG 60": (768, 60), "512 px, JPEG 40": (512, 40)}


def states(evidence: Evidence) -> Iterator[tuple[str, Evidence]]:
    """The file, and smaller copies of it."""
    for name, how in STATES.items():
        if how is None:
            yield name, evidence
            continue
        copy = evidence.image.convert("RGB")
        copy.thumbnail((how[0], how[0]), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        copy.save(buffer, "JPEG", quality=how[1])
        yield name, Evidence.from_bytes(buffer.getvalue(), "copy.jpg")


def main(folder: Path) -> None:
    """Prints one line for each set and state."""
    detector = cached_detector()
    times = []
    for group in sorted(path for path in folder.iterdir() if path.is_dir()):
        counts: Counter[tuple[str, str]] = Counter()
        for path in sorted(path for path in group.rglob("*") if path.is_file()):
            try:
                evidence = Evidence.open(path)
                if evidence.media_type is None or min(evidence.image.size) < LEAST_EDGE:
                    continue
            except EvidenceError:
                continue
            for state, looked_at in states(evidence):
                image = looked_at.reduced(REDUCED_EDGE) or looked_at.image
                started = time.perf_counter()
                marked = detector.detect(image, image.size)
                times.append(time.perf_counter() - started)
                scores = [one.score for one in marked if one.label in EXPOSED]
                counts[state, "pictures"] += 1
                counts[state, "possible"] += bool(scores)
                counts[state, "likely"] += any(score >= LIKELY for score in scores)
                if scores:
                    print(f"  {path.relative_to(folder)} ({state}): {max(scores):.2f}")
        for state in STATES:
            figures = ", ".join(f"{counts[state, what]} {what}" for what in ("pictures", "possible", "likely"))
            print(f"{group.name}, {state}: {figures}")
    if not times:
        sys.exit(f"{folder} holds no folders with pictures")
    print(f"{1000 * median(times):.0f} ms for a picture (median of {len(times)})")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

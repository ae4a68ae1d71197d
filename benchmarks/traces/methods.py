"""Every method of the analyzer behind one call, and what users would pick instead."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from nsfwforensics.analyzers.traces.methods import METHODS as TABLE
from nsfwforensics.analyzers.traces.methods import Method as TraceMethod
from nsfwforensics.analyzers.traces.picture import StoredPicture
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.signals.traces.trace import Trace

SOURCE = Path(__file__).resolve().parents[2] / "src"
_IMPORT = re.compile(
    r"^\s*(?:from|import) (nsfwforensics\.(?:signals|formats)[\w.]*)(?: import ([^#\n]+))?", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Method:
    """One way to look for traces.

    Attributes:
        name: As in the report.
        code: The function that runs it; what it imports counts as its code too.
        run: Picture to trace, in pixels of the picture as shown.
        whole: Entries of the trace's data that make findings about the whole picture.
    """

    name: str
    code: Callable[..., Trace]
    run: Callable[[Evidence], Trace]
    whole: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over the code that it depends on, so that old answers are not taken for new ones."""
        text = inspect.getsource(self.code)
        seen = {"": text.encode()}
        _follow(text, seen)
        return hashlib.sha256(b"".join(seen[name] for name in sorted(seen))).hexdigest()[:16]


def _follow(text: str, seen: dict[str, bytes]) -> None:
    for parent, names in _IMPORT.findall(text):
        for module in (parent, *(f"{parent}.{name}" for name in re.findall(r"\w+", names))):
            path = SOURCE.joinpath(*module.split(".")).with_suffix(".py")
            if module not in seen and path.exists():
                seen[module] = path.read_bytes()
                _follow(seen[module].decode("utf-8"), seen)


def _of(entry: TraceMethod) -> Method:
    def run(evidence: Evidence) -> Trace:
        picture = StoredPicture(evidence, maps=True)
        unsuitable = picture.unsuitable()
        return Trace(reason=unsuitable) if unsuitable else picture.shown(entry.run(picture))

    return Method(entry.name, entry.run, run, tuple(kind.whole for kind in entry.kinds if kind.whole))


def _ela(evidence: Evidence) -> Trace:
    """Error level analysis, judged by how far the brightest hundredth of its 16-pixel cells stands out."""
    from nsfwforensics.signals.traces.visualisation import ela

    level = ela(evidence.rgb)
    rows, columns = (max(1, side // 16) for side in level.shape)
    cells = cv2.resize(level[: rows * 16, : columns * 16], (columns, rows), interpolation=cv2.INTER_AREA)
    high, middle = np.percentile(cells, (99, 50))
    return Trace(score=float(high / (middle + 0.5)), map=cells.astype(np.float32), cell=16)


METHODS = {method.name: method for method in (*map(_of, TABLE), Method("ela", _ela, _ela))}
"""By name: those of the analyzer, and error level analysis."""

"""The photographs to measure on, spread over cameras so that no single one decides."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

LEAST_SIDE = 480
MOST_PER_CAMERA = 12
MOST_PIXELS = 60_000_000


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph as the camera wrote it.

    Attributes:
        path: The file.
        key: The first half of its SHA-256.
        camera: Make and model; empty where the file does not say.
        pixels: How many it has.
    """

    path: Path
    key: str
    camera: str
    pixels: int


def shared_data() -> Path:
    """The development data beside the checkout, or where ``NSFWFORENSICS_SHARED_DATA`` points."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("NSFWFORENSICS_SHARED_DATA", beside))


def listed(folders: Iterable[Path]) -> list[Photo]:
    """Every distinct readable JPEG of at least 480 pixels a side, at most 12 per camera, cameras taking turns.

    Whether a photograph is untouched is the caller's to know: the folders are trusted.
    """
    cameras: dict[str, list[Photo]] = defaultdict(list)
    seen: set[str] = set()
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        key = hashlib.sha256(path.read_bytes()).hexdigest()[:32]
        if key in seen:
            continue
        photo = _read(path, key)
        if photo is not None:
            seen.add(key)
            cameras[photo.camera or key].append(photo)
    ordered = [sorted(group, key=lambda photo: photo.key)[:MOST_PER_CAMERA] for group in cameras.values()]
    ordered.sort(key=lambda group: group[0].key)
    turns = max((len(group) for group in ordered), default=0)
    return [group[turn] for turn in range(turns) for group in ordered if turn < len(group)]


def _read(path: Path, key: str) -> Photo | None:
    try:
        with Image.open(path) as opened:
            if opened.format not in ("JPEG", "MPO") or opened.mode != "RGB":
                return None
            exif = opened.getexif()
            if min(opened.size) < LEAST_SIDE or opened.width * opened.height > MOST_PIXELS:
                return None
            camera = " ".join(str(exif.get(tag, "")).strip("\0 ") for tag in (271, 272)).strip()
            return Photo(path, key, camera, opened.width * opened.height)
    except (OSError, ValueError, SyntaxError):
        return None

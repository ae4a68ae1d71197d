"""Which pictures train, calibrate and test the classifier: sources, licences, roles, splits.

A picture's role follows from its *source* and, for camera files, from the camera's make, for generated pictures from
the generator's family; never from a crop. Near-duplicates are kept once, in the role that comes first in
:data:`training.sources.ROLES`, so that nothing seen in training turns up again in a test.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.sources import EXTRA, FAMILIES, GATE, ONE_PLACE, ONE_SUBJECT, ROLES, SOURCES, Role, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_SIDE = 256
"""Smaller pictures are not used (and not judged at run time)."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp"})

DUPLICATE_DISTANCE = 6
"""Two pictures whose 64-bit DCT hashes differ in at most this many bits count as one."""


@dataclass(frozen=True, slots=True)
class Item:
    """One picture and what is known of it.

    Attributes:
        path: The file.
        label: 0 photograph, 1 generated.
        source: Name of its :class:`Source`.
        group: Camera make, generator family, person, or the source's name.
        role: Where it may be used.
        licence: As its publisher states it.
        tile: Row-major index into the file's grid and the grid's size, or None for the whole file.
    """

    path: Path
    label: int
    source: str
    group: str
    role: Role
    licence: str
    tile: tuple[int, int] | None = None

    @property
    def key(self) -> str:
        """Stable across machines: the folder, the file's name and the tile."""
        tile = f"#{self.tile[0]}" if self.tile else ""
        return f"{self.source}/{self.path.parent.name}/{self.path.name}{tile}"


def series_of(item: Item) -> str:
    """The series that a picture belongs to: pictures of one place, object or person fare alike.

    Photographs of one person, of sources that show one place, and of public repositories whose photographs show one
    place or object; everything else stands for itself.
    """
    if item.label == 0:
        if item.source in ONE_PLACE:
            return item.source
        if item.source == "portraits":
            return f"portraits/{item.group}"
        if item.source == "camera":
            found = next((name for name in ONE_SUBJECT if f"_{name}__" in item.path.name), "")
            found = found or (item.path.parent.name if item.path.parent.name in ONE_SUBJECT else "")
            return f"camera/{found}" if found else item.key
    return item.key


def catalogue(data: Path, sources: Sequence[Source] = (*SOURCES, *EXTRA), extra: Path | None = None) -> list[Item]:
    """Lists the usable pictures below a data folder, screened and without near-duplicates.

    Args:
        data: The data folder; sources whose folder is absent are left out.
        sources: What to look for.
        extra: A folder of more public pictures, or None.

    Returns:
        Items in a stable order.
    """
    roots = {False: data, True: extra}
    found = ((root, source) for source in sources if (root := roots[source.extra]) is not None)
    return without_duplicates([item for root, source in found for item in _items(root, source)])


def gate(extra: Path | None) -> list[Item]:
    """The pictures of the release gate (test only), or none where they are absent."""
    return [item for source in GATE for item in _items(extra, source)] if extra is not None else []


def _items(data: Path, source: Source) -> Iterator[Item]:
    folder = data / source.folder
    keep, excluded = _screening()
    wanted = keep.get(source.name)
    paths = sorted(folder.rglob("*")) if folder.is_dir() else []
    found = (item for path in paths for item in _pictures(data, source, path, wanted, excluded))
    if source.most:
        items = sorted(found, key=lambda item: hashlib.sha256(item.path.name.encode()).digest())
        yield from sorted(items[: source.most], key=lambda item: item.path)
    else:
        yield from found


def _pictures(
    data: Path, source: Source, path: Path, wanted: frozenset[str] | None, excluded: frozenset[str]
) -> Iterator[Item]:
    if path.suffix.lower() not in SUFFIXES or path.relative_to(data).as_posix() in excluded:
        return
    if wanted is not None and path.name not in wanted:
        return
    head = _head(path, strict_jpeg=source.folder.startswith("exif"))
    if head is None or min(head.size) // source.grid < MIN_SIDE:
        return
    group = group_of(path, source, head.make)
    item = Item(path, source.label, source.name, group, _role(source, group, path), source.licence)
    if source.grid == 1:
        yield item
    else:
        yield from (replace(item, tile=(index, source.grid)) for index in range(source.grid**2))


def _role(source: Source, group: str, path: Path) -> Role:
    if source.name == "portraits" and person_third(path.parent.name) == 0:
        return source.roles["third"]
    return source.roles.get(group, source.roles["*"])


def person_third(person: str) -> int:
    """A fixed third (0, 1, 2) for a person's folder name: people are split, never their photos."""
    return hashlib.sha256(person.encode()).digest()[0] % 3


def group_of(path: Path, source: Source, make: str) -> str:
    """The unit that is split: generator family, camera make, person; else the source's name."""
    if source.name == "mixed-models":
        name = path.name.lower()
        return next((family for family, pattern in FAMILIES if re.search(pattern, name)), "other")
    if source.name == "camera":
        return make
    return path.parent.name if source.name == "portraits" else source.name


@dataclass(frozen=True, slots=True)
class _Head:
    size: tuple[int, int]
    make: str


def _head(path: Path, *, strict_jpeg: bool) -> _Head | None:
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path) as image:
                if strict_jpeg and image.format not in ("JPEG", "MPO"):
                    return None
                image.load()
                make = str(image.getexif().get(271, ""))
                return _Head(image.size, _make(make))
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
            return None


def _make(text: str) -> str:
    words = re.findall(r"[a-z]+", text.lower())
    if not words:
        return "unknown"
    first: str = words[0]
    return {"eastman": "kodak", "jk": "kodak", "digital": "olympus"}.get(first, first)


@cache
def _screening() -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    tables = tomllib.loads(Path(__file__).with_name("screening.toml").read_text("utf-8"))
    keep = {source: frozenset(names) for source, names in tables["photographic"].items()}
    return keep, frozenset(tables["excluded"]["names"])


@cache
def screened_faces() -> frozenset[str]:
    """What the face detector takes for a face and is none of a person: an item's key, ``#``, the number of the face."""
    tables = tomllib.loads(Path(__file__).with_name("screening.toml").read_text("utf-8"))
    return frozenset(tables["faces"]["excluded"])


def load_rgb(item: Item) -> NDArray[np.uint8]:
    """Decodes an item to uint8 (height, width, 3), upright, its tile only."""
    from PIL import Image, ImageOps

    with warnings.catch_warnings(), Image.open(item.path) as image:
        warnings.simplefilter("ignore")
        rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    if item.tile is not None:
        index, grid = item.tile
        height, width = rgb.shape[0] // grid, rgb.shape[1] // grid
        row, column = divmod(index, grid)
        rgb = rgb[row * height : (row + 1) * height, column * width : (column + 1) * width]
    return np.ascontiguousarray(rgb)


@cache
def size_of(item: Item) -> tuple[int, int]:
    """Two sides of an item in pixels, as its file's header gives them, of its tile only; not turned upright."""
    from PIL import Image

    with warnings.catch_warnings(), Image.open(item.path) as image:
        warnings.simplefilter("ignore")
        width, height = image.size
    grid = item.tile[1] if item.tile is not None else 1
    return width // grid, height // grid


def without_duplicates(items: Iterable[Item]) -> list[Item]:
    """Keeps each picture once; a copy in a later role yields to the one in an earlier role."""
    order = {role: index for index, role in enumerate(ROLES)}
    ranked = sorted(enumerate(items), key=lambda pair: (order[pair[1].role], pair[0]))
    kept: list[tuple[int, Item]] = []
    hashes = np.zeros((0, 64), bool)
    for place, item in ranked:
        digest = dct_hash(load_rgb(item))
        # Only across sources or among photographs: sibling models paint one prompt alike, and are not copies.
        if len(hashes) and item.label == 0 and int((hashes != digest).sum(axis=1).min()) <= DUPLICATE_DISTANCE:
            continue
        if item.label == 0:
            hashes = np.vstack([hashes, digest])
        kept.append((place, item))
    return [item for _, item in sorted(kept, key=lambda pair: pair[0])]


def dct_hash(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """A 64-bit perceptual hash: signs about the median of the lowest 8×8 DCT coefficients of a 32×32 grey copy."""
    import cv2

    grey = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(grey.astype(np.float32))[:8, :8].ravel()
    return np.asarray(low > np.median(low[1:]))

"""The pictures that methods are judged on: untouched, merely re-saved, and manipulated, kept in a folder once made."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.traces import chains
from benchmarks.traces.manipulate import KINDS, Manipulated, Pixels
from benchmarks.traces.photos import Photo

VERSION = 4
"""Raised whenever made pictures would come out otherwise, so that nothing old is judged."""

NONE = "none"
LEAST_PIXELS = 1_200_000
CROP = (1504, 1120)
"""Width and height of a host cut out of a camera's original, multiples of 16 so that its JPEG grid stays in phase."""


@dataclass(frozen=True, slots=True)
class Item:
    """One picture to be judged.

    Attributes:
        id: Unique, stable between runs.
        group: ``untouched`` (the camera's file), ``sent`` (through messengers) or ``made`` (of one host).
        kind: The manipulation, or ``none``.
        saving: How it was saved; ``original`` for untouched files.
        history: What the host was before: ``camera`` or ``shared``; empty otherwise.
        camera: Make and model of the photograph (of the host), or its key where unknown.
        path: The file.
        mask: Where it was manipulated (PNG: bit 0 changed, bit 1 copied from); None for clean pictures.
    """

    id: str
    group: str
    kind: str
    saving: str
    history: str
    camera: str
    path: Path
    mask: Path | None = None


def untouched(photos: Sequence[Photo]) -> Iterator[Item]:
    """The photographs as they are, byte for byte."""
    for photo in photos:
        camera = photo.camera or photo.key
        yield Item(f"untouched-{photo.key[:16]}", "untouched", NONE, "original", "", camera, photo.path)


def sent(photos: Sequence[Photo], folder: Path) -> Iterator[Item]:
    """Every photograph through every messenger; made on the way."""
    (folder / "sent").mkdir(parents=True, exist_ok=True)
    for photo in photos:
        for number, saving in enumerate(chains.SENT):
            path = folder / "sent" / f"{photo.key[:16]}-{number}.jpg"
            if not path.exists():
                _write(path, chains.save(upright(photo.path), saving))
            camera = photo.camera or photo.key
            yield Item(f"sent-{photo.key[:16]}-{number}", "sent", NONE, saving, "", camera, path)


def made(
    photos: Sequence[Photo],
    hosts: int,
    folder: Path,
    kinds: dict[str, Callable[[Pixels, Pixels, np.random.Generator], Manipulated]] = KINDS,
) -> Iterator[Item]:
    """Hosts as they are and manipulated in every way, saved in several ways; made on the way and kept.

    Args:
        photos: To take hosts and donors from, in this order.
        hosts: How many hosts.
        folder: Where made pictures are kept.
        kinds: The manipulations by name.

    Yields:
        Host by host, so that any beginning of it is balanced.
    """
    usable = [photo for photo in photos if photo.pixels >= LEAST_PIXELS]
    for number, photo in enumerate(usable[:hosts]):
        donor = usable[(number + 7) % len(usable)]
        place = folder / "made" / photo.key[:16]
        index = place / "index.json"
        if not index.exists():
            place.mkdir(parents=True, exist_ok=True)
            rows = list(_make(photo, donor, number, place, kinds))
            _write(index, json.dumps(rows).encode())
        for row in json.loads(index.read_text("utf-8")):
            if row["kind"] in (NONE, *kinds):
                mask = place / row["mask"] if row["mask"] else None
                camera = photo.camera or photo.key
                name = f"made-{photo.key[:16]}-{row['file']}"
                yield Item(name, "made", row["kind"], row["saving"], row["history"], camera, place / row["file"], mask)


def _make(photo: Photo, donor: Photo, number: int, place: Path, kinds: dict) -> Iterator[dict]:  # type: ignore[type-arg]
    rng = generator(photo.key, "host")
    history = ("camera", "shared")[number % 2]
    host = host_of(photo.path, history, rng)
    other = donor_of(donor.path, rng)
    left_out = {*chains.QUALITIES} - {chains.QUALITIES[number // 2 % len(chains.QUALITIES)]}
    savings = [saving for saving in chains.SAVINGS if saving not in left_out]
    for code, kind in enumerate((NONE, *kinds)):
        done = Manipulated(host, np.zeros(host.shape[:2], bool))
        mask = None
        if kind != NONE:
            done = kinds[kind](host, other, generator(photo.key, kind))
            mask = f"mask-{code}.png"
            bits = done.mask.astype(np.uint8) + (0 if done.source is None else 2 * done.source.astype(np.uint8))
            cv2.imwrite(str(place / mask), bits)
        for saving in savings:
            name = f"{code}-{chains.SAVINGS.index(saving)}.{'png' if saving == 'PNG' else 'jpg'}"
            _write(place / name, chains.save(done.pixels, saving))
            yield {"kind": kind, "saving": saving, "history": history, "file": name, "mask": mask}


def generator(key: str, purpose: str) -> np.random.Generator:
    """The same numbers for the same photograph and purpose on every machine."""
    return np.random.default_rng([VERSION, int(key[:12], 16), zlib.crc32(purpose.encode())])


def upright(path: Path) -> Pixels:
    """Pixels as shown."""
    with Image.open(path) as opened:
        return np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))


def host_of(path: Path, history: str, rng: np.random.Generator) -> Pixels:
    """What a manipulation starts from.

    Args:
        path: A camera's original.
        history: ``camera``: a cut of the original in phase with its JPEG grid, pixels as decoded. ``shared``: the whole
            picture scaled to 1600 pixels and saved at a quality of 75–90, as somebody finds it on the web.
        rng: Draws the quality.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    with Image.open(path) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    if history == "shared":
        return chains.decoded(chains.sent(pixels, 1600, int(rng.integers(75, 91))))
    height, width = pixels.shape[:2]
    longest, shortest = CROP
    wide, high = (longest, shortest) if width >= height else (shortest, longest)
    wide, high = min(wide, width // 16 * 16), min(high, height // 16 * 16)
    x, y = (width - wide) // 32 * 16, (height - high) // 32 * 16
    return np.ascontiguousarray(pixels[y : y + high, x : x + wide])


def donor_of(path: Path, rng: np.random.Generator) -> Pixels:
    """Another photograph, half of the time after a JPEG life of its own (1200–2000 pixels, quality 60–95)."""
    pixels = upright(path)
    if rng.random() < 0.5:
        return chains.decoded(chains.sent(pixels, int(rng.integers(1200, 2001)), int(rng.integers(60, 96))))
    return pixels


def truth(item: Item, height: int, width: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
    """The mask of a manipulated picture at the size that it was saved in.

    Returns:
        Where it was changed, and that together with where it was copied from (None for other kinds); bool
        (height, width).

    Raises:
        ValueError: The picture is clean.
    """
    if item.mask is None:
        raise ValueError(f"{item.id} is not manipulated")
    bits = cv2.imread(str(item.mask), cv2.IMREAD_GRAYSCALE)
    bits = cv2.resize(bits, (width, height), interpolation=cv2.INTER_NEAREST)
    if item.group != "made":  # somebody else's mask: bright where changed
        return bits > 127, None
    return (bits & 1).astype(bool), bits > 0 if (bits & 2).any() else None


def _write(path: Path, data: bytes) -> None:
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(data)
    part.replace(path)

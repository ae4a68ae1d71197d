"""Measures quantisation tables and writes ``src/nsfwforensics/data/jpeg_tables.toml``: digests and counts, no pictures.

    python tools/jpeg_tables.py ORIGINALS [MORE ...]

ORIGINALS is a folder of untouched camera originals; a table's maker is the one that the file names. In all folders,
files whose software field names an editor say what its tables are. Standard tables are not listed, only counted.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from nsfwforensics.analyzers.jpeg.tables import digest, maker
from nsfwforensics.analyzers.metadata import identity, software
from nsfwforensics.formats.fields import Metadata
from nsfwforensics.formats.jpeg import ijg_quality, quantisation_tables, read_jpeg
from nsfwforensics.formats.read import read_metadata

TARGET = Path(__file__).parents[1] / "src" / "nsfwforensics" / "data" / "jpeg_tables.toml"
KEPT = re.compile(r"Photoshop|Lightroom", re.IGNORECASE)  # others write standard tables, or keep the camera's
LEAST_FILES = 2
"""A program's tables must be seen in that many files, and in no camera original: metadata can be edited alone."""

SPELT = {"eastman": "Kodak", "asahi": "Pentax", "nikon": "Nikon", "canon": "Canon", "sony": "Sony", "apple": "Apple"}


def pictures(folder: Path, seen: set[bytes]) -> Iterator[tuple[dict[int, tuple[int, ...]], Metadata]]:
    """Tables and metadata of every different JPEG in a folder."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".jpeg"):
            continue
        data = path.read_bytes()
        layout = read_jpeg(data)
        tables = quantisation_tables(layout)
        name = hashlib.sha256(data).digest()
        if data[:2] == b"\xff\xd8" and 0 in tables and layout.size and name not in seen:
            seen.add(name)
            yield tables, read_metadata(data, "image/jpeg")


def main() -> None:
    """Reads all folders and writes the data file."""
    seen: set[bytes] = set()
    cameras: dict[str, Counter[str]] = defaultdict(Counter)
    seen_in: dict[str, Counter[str]] = defaultdict(Counter)
    originals: Counter[str] = Counter()
    standard: Counter[str] = Counter()
    for number, folder in enumerate(sys.argv[1:]):
        for tables, metadata in pictures(Path(folder), seen):
            quality = ijg_quality(tables)
            device = identity.device(metadata)
            edited = [program.name for program in software.programs(metadata) if KEPT.search(program.name)]
            if edited and quality is None:
                seen_in[digest(tables)][edited[0]] += 1
            elif number == 0 and device and device.make and not software.programs(metadata):
                name = maker(device.make)
                originals[name] += 1
                standard[name] += quality is not None
                if quality is None:
                    cameras[digest(tables)][SPELT.get(name, name.title())] += 1
    programs = {key: names for key, names in seen_in.items() if names.total() >= LEAST_FILES and key not in cameras}
    lines = [
        "# Written by tools/jpeg_tables.py: digests of quantisation tables and in how many files they were seen.",
        "",
    ]
    for name in sorted(originals):
        lines += [f"[maker.{name!r}]" if not name.isalnum() else f"[maker.{name}]"]
        lines += [f"originals = {originals[name]}", f"standard = {standard[name]}", ""]
    for key in sorted({**cameras, **programs}):
        kind, names = ("program", programs[key]) if key in programs else ("camera", cameras[key])
        quoted = ", ".join(f'"{each}"' for each in sorted(names))
        lines += ["[[table]]", f'digest = "{key}"', f'kind = "{kind}"', f"names = [{quoted}]"]
        lines += [f"files = {names.total()}", ""]
    TARGET.write_text("\n".join(lines).rstrip() + "\n", "utf-8")
    print(f"{len(seen)} files, {len(cameras)} tables of cameras, {len(programs)} of programs")


if __name__ == "__main__":
    main()

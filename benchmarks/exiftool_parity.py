"""Compares the EXIF and GPS tags that exiftool reads with those that this package reads, value by value.

    python benchmarks/exiftool_parity.py FOLDER [--output benchmarks/exiftool_parity.md]

exiftool is run once as ``exiftool -j -G0:1:4 -n -a -u -e -D -r FOLDER``: values without print conversion (``-n``),
duplicates and unknown tags included (``-a -u``), no composite tags (``-e``), with tag numbers (``-D``). A tag counts
when exiftool puts it into its family ``EXIF`` and one of the directories of :data:`GROUPS`. It counts as read the same
when this package has the same directory and tag number with the same value, after the value conversions that the EXIF
standard defines and that exiftool makes even with ``-n`` (APEX to seconds and f-numbers, degrees to decimal, rationals
to decimal). Nothing is left out but what is printed as left out, with its count and reason.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from nsfwforensics.core.media import SNIFF_BYTES, sniff
from nsfwforensics.formats.fields import Field, Metadata, Rational
from nsfwforensics.formats.read import read_metadata

GROUPS = ("IFD0", "IFD1", "IFD2", "IFD3", "ExifIFD", "GPS", "InteropIFD", "SubIFD", "SubIFD0", "SubIFD1")
_APEX_TIME, _APEX_APERTURE = {0x9201}, {0x9202, 0x9205}
_GPS_DEGREES, _GPS_TIME = {2, 4, 0x14, 0x16}, {7}
_OFFSETS = {0x0111, 0x0201}
_CFA_PATTERN = 0xA302
_BINARY = re.compile(r"\(Binary data (\d+) bytes")
GOAL = 0.97


@dataclass(frozen=True)
class Difference:
    """One tag that was not read the same, with the reason in words."""

    file: str
    group: str
    tag: int
    name: str
    theirs: str
    ours: str
    reason: str


def numbers(value: object) -> list[float] | None:
    """A value as a list of numbers, or None where it is text."""
    if isinstance(value, bool):
        return [float(value)]
    if isinstance(value, (int, float)):
        return [float(value)]
    if isinstance(value, Rational):
        if value.denominator == 0:
            return [math.nan if value.numerator == 0 else math.inf]
        return [float(value)]
    if isinstance(value, (tuple, list)):
        parts = [numbers(item) for item in value]
        return None if any(part is None for part in parts) else [n for part in parts if part for n in part]
    if isinstance(value, str):
        try:
            return [float({"undef": "nan"}.get(item, item)) for item in value.split()] or None
        except ValueError:
            return None
    return None


def close(a: list[float], b: list[float]) -> bool:
    """Whether two lists of numbers are the same to the ten digits exiftool prints."""
    return len(a) == len(b) and all(
        (math.isnan(x) and math.isnan(y)) or x == y or math.isclose(x, y, rel_tol=1e-6, abs_tol=1e-9)
        for x, y in zip(a, b, strict=True)
    )


def converted(field: Field, tag: int, group: str) -> list[list[float]]:
    """Our value as numbers: as stored, and after the conversion that the EXIF standard defines for the tag."""
    forms = []
    plain = numbers(field.value)
    if plain is not None:
        forms.append(plain)
        if tag in _OFFSETS and field.offset is not None:
            forms.append([n + field.offset for n in plain])
        if tag in _APEX_TIME and group == "ExifIFD":
            forms.append([2.0**-n if abs(n) < 100 else 0.0 for n in plain])
        if tag in _APEX_APERTURE and group == "ExifIFD":
            forms.append([2.0 ** (n / 2) if abs(n) < 100 else math.nan for n in plain])
        if tag in _GPS_DEGREES and group == "GPS" and plain:
            finite = [0.0 if math.isnan(n) else n for n in plain]
            forms.append([sum(n / 60**i for i, n in enumerate(finite[:3]))])
    data = field.raw if field.raw is not None else field.value
    if isinstance(data, bytes) and len(data) <= 4096:
        forms.append([float(byte) for byte in data])
        if tag == _CFA_PATTERN:
            forms += [[float(int.from_bytes(data[i : i + 2], o)) for i in (0, 2)] + [*map(float, data[4:])]
                      for o in ("big", "little")]  # fmt: skip
    return forms


def same(theirs: object, field: Field, tag: int, group: str) -> bool:
    """Whether exiftool's value and ours are the same value."""
    binary = _BINARY.match(theirs) if isinstance(theirs, str) else None
    data = field.raw if field.raw is not None else field.value
    if binary:
        size = int(binary[1])
        if isinstance(data, (bytes, str)):
            return len(data) == size or len(str(data).encode()) == size
        return len(" ".join(str(v) for v in data)) == size if isinstance(data, tuple) else False
    wanted = numbers(theirs)
    if wanted is not None and any(close(wanted, form) for form in converted(field, tag, group)):
        return True
    if tag in _GPS_TIME and group == "GPS" and isinstance(field.value, tuple):
        parts = numbers(field.value) or []
        stamp = [float(part) for part in str(theirs).split(":")] if re.fullmatch(r"[\d:.]+", str(theirs)) else []
        return close(stamp, parts)
    text = str(theirs).strip().rstrip("\0")
    candidates = {str(field.value), field.text}
    if isinstance(data, bytes):
        candidates |= {data.split(b"\0")[0].decode(code, "replace") for code in ("utf-8", "latin-1")}
    return text in {candidate.strip() for candidate in candidates}


def compare(item: dict, folder: Path, tally: Counter, differences: list[Difference], extra: Counter) -> None:
    """Compares one file and adds to the tally by media type."""
    path = Path(item["SourceFile"])
    data = path.read_bytes()
    media_type = sniff(data[:SNIFF_BYTES])
    wanted: dict[tuple[str, int], list[tuple[str, object]]] = defaultdict(list)
    for key, entry in item.items():
        family, _, rest = key.partition(":")
        group, name = rest.split(":")[0], rest.split(":")[-1]
        if family != "EXIF" or not isinstance(entry, dict):
            continue
        if group not in GROUPS:
            extra[f"{group}: not an EXIF or GPS directory"] += 1
            continue
        if not isinstance(entry["id"], int):
            extra[f"{group} value made by exiftool out of another tag (no tag number)"] += 1
            continue
        wanted[(group, entry["id"])].append((name, entry["val"]))
    if not wanted:
        return
    if media_type is None:
        extra["tags in files that are none of the image formats analysed"] += sum(map(len, wanted.values()))
        return
    table = read_metadata(data, media_type)
    ours: dict[tuple[str, int], list[Field]] = defaultdict(list)
    for field in table.fields:
        if field.group.startswith("EXIF ") and field.tag.startswith("0x"):
            ours[(field.group[5:].replace("SubIFD0", "SubIFD"), int(field.tag, 16))].append(field)
    tally[(media_type, "files")] += 1
    for (group, tag), values in wanted.items():
        here = list(ours.get((group.replace("SubIFD0", "SubIFD"), tag), ()))
        for name, value in values:
            tally[(media_type, "tags")] += 1
            match = next((field for field in here if same(value, field, tag, group)), None)
            if match is not None:
                here.remove(match)
                tally[(media_type, "same")] += 1
                continue
            shown = " / ".join(str(field.value)[:60] for field in here)
            reason = explain(group, tag, value, here, table)
            where = str(path.relative_to(folder))
            differences.append(Difference(where, group, tag, name, str(value)[:60], shown or "(not read)", reason))


def explain(group: str, tag: int, theirs: object, ours: list[Field], table: Metadata) -> str:
    """Why a tag differs, in words; the classes are printed with their counts."""
    if ours and group == "GPS" and theirs == "":
        return "exiftool leaves the value empty because one part is 0/0; the others are read here"
    if ours:
        return "read, with another value"
    if not table.fields or any("not valid" in n or "impossible" in n or "ends inside" in n for n in table.notes):
        return "not read: the container is broken before it"
    return "not read"


def report(tally: Counter, differences: list[Difference], extra: Counter, files: Counter, skipped: list[str]) -> str:
    """The comparison as a Markdown document."""
    lines = [
        "# EXIF and GPS tags: exiftool compared",
        "",
        "Made by `benchmarks/exiftool_parity.py`; its docstring says what is compared and how.",
        "A location inside a file (`StripOffsets`, `ThumbnailOffset`) counts as the same when it is the same place:",
        "exiftool counts from the start of the file, EXIF from its own header.",
        "",
        "| format | files | files with such tags | tags exiftool reads | read the same here | share |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    types = sorted({media for media, _ in files})
    rows = [(media, *(tally[(media, what)] for what in ("files", "tags", "same"))) for media in types]
    rows.append(("**all**", *(sum(row[i] for row in rows) for i in (1, 2, 3))))
    for media, with_tags, tags, matched in rows:
        count = files.total() if media == "**all**" else files[(media, "files")]
        share = f"{matched / tags:.2%}" if tags else "no such tags"
        lines.append(f"| {media} | {count} | {with_tags} | {tags} | {matched} | {share} |")
    lines += ["", f"Goal: at least {GOAL:.0%}.", "", "## Every difference", ""]
    for reason, number in Counter(d.reason for d in differences).most_common():
        lines.append(f"- {number} × {reason}")
    lines += ["", "| file | place | tag | exiftool | here | reason |", "|---|---|---|---|---|---|"]
    for d in differences:
        cells = (d.file, d.group, f"0x{d.tag:04X} {d.name}", d.theirs, d.ours, d.reason)
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    lines += ["", "## Left out", ""]
    lines += [f"- {number} × {reason}" for reason, number in extra.most_common()] or ["No tag was left out."]
    lines += ["", f"{len(skipped)} files are none of the image formats analysed (exiftool reads no tag of these groups"]
    lines += ["from them unless a count stands above): their first bytes match no known image format.", ""]
    lines += [f"- {name}" for name in skipped]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Runs the comparison, prints the table and writes it; 0 when the goal is met."""
    parser = argparse.ArgumentParser(description="Compares EXIF and GPS tags with exiftool's.")
    parser.add_argument("folder", type=Path, help="a folder of images")
    parser.add_argument("--output", type=Path, help="where to write the Markdown table")
    options = parser.parse_args()
    program = shutil.which("exiftool")
    if program is None:
        print("exiftool is not installed (Debian package libimage-exiftool-perl)", file=sys.stderr)
        return 2
    run = subprocess.run(
        [program, "-j", "-G0:1:4", "-n", "-a", "-u", "-e", "-D", "-r", str(options.folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    tally: Counter = Counter()
    files: Counter = Counter()
    differences: list[Difference] = []
    extra: Counter = Counter()
    skipped: list[str] = []
    for item in sorted(json.loads(run.stdout), key=lambda item: item["SourceFile"]):
        media_type = sniff(Path(item["SourceFile"]).read_bytes()[:SNIFF_BYTES])
        if media_type:
            files[(media_type, "files")] += 1
        else:
            skipped.append(str(Path(item["SourceFile"]).relative_to(options.folder)))
        compare(item, options.folder, tally, differences, extra)
    text = report(tally, differences, extra, files, skipped)
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    tags = sum(count for (_, what), count in tally.items() if what == "tags")
    matched = sum(count for (_, what), count in tally.items() if what == "same")
    return 0 if tags and matched / tags >= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())

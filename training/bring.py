"""Brings the pictures: out of bare snapshots of public repositories and the data folder, into one catalogue.

``files.csv`` of the galleries names commit, path and SHA-256 of each picture; ``sources.toml`` names the folders and
repositories beside them. What is missing is said and left out, and brought by a later run. Nothing of it is part of
this project.
"""

from __future__ import annotations

import csv
import hashlib
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path
from typing import Any

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif", ".bmp", ".mpo")

LEAST_SIDE = 200
"""Pictures with a shorter side below this, in pixels, are not used."""

MOST_PHOTOGRAPHS = 150
"""Most photographs of one publisher, chosen by a hash: a large one would drown the others."""

CONTENT_MATCHED = (
    "rolandwolfsgruber (ForRealScan)",
    "kurlyto (AI or Not, daily game)",
    "kaivalyagandhi (AI or Not, Reddit)",
    "Justin-HAL (campus game)",
    "ai-or-human.github.io",
)
"""Publishers whose photographs and generated pictures show the same kinds of things."""

WITHOUT_LICENCE = frozenset({"livia"})
"""Photographs whose licence forbids commercial use and that are not brought at all."""

NON_COMMERCIAL = (
    "AFHQ samples (StarGAN v2)",
    "CelebA-HQ samples (StarGAN v2)",
    "DressCode/VITON-HD samples (OOTDiffusion)",
    "MAT test pictures",
    "VITON-HD samples (IDM-VTON)",
    "levihsu OOTDiffusion",
)
"""Publishers under a non-commercial licence: measured only, in no fit and no threshold.

Both classes of a publisher go together: with generated catalogue pictures alone in training, catalogue photographs were
taken for generated.
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the catalogue.

    Attributes:
        key: Of its bytes (SHA-256, 16 digits) and, for a part of a grid, the part's number.
        file: Where it lies.
        label: 1 generated, 0 photograph.
        publisher: Who published it: the unit that is left out.
        series: Pictures that fare alike (one place, person, prompt) share it.
        use: ``develop`` or ``test``.
        kind: ``picture``, or what it was made for: ``original``, ``edited``, ``twin``, a domain.
        generator: Generator or camera, as stated.
        form: Pillow's name of the format.
        width: In pixels.
        height: In pixels.
        size: Bytes.
        tile: Row-major number in a grid of ``grid`` by ``grid``.
        grid: 1 for the whole file.
    """

    key: str
    file: str
    label: int
    publisher: str
    series: str
    use: str
    kind: str
    generator: str
    form: str
    width: int
    height: int
    size: int
    tile: int = 0
    grid: int = 1


def write_catalogue(pictures: Sequence[Picture], path: Path) -> None:
    """Writes the catalogue as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Picture)])
        writer.writeheader()
        writer.writerows(asdict(picture) for picture in pictures)


def read_catalogue(path: Path) -> list[Picture]:
    """Reads what :func:`write_catalogue` wrote."""
    numbers = {field.name for field in fields(Picture) if field.type == "int"}
    with path.open(newline="", encoding="utf-8") as stream:
        rows = csv.DictReader(stream)
        return [Picture(**{k: int(v) if k in numbers else v for k, v in row.items()}) for row in rows]  # type: ignore[arg-type]


def snapshot(mirrors: Path, repo: str) -> Path | None:
    """The bare git directory of a repository, or None where it was not brought."""
    folder = mirrors / repo.replace("/", "+")
    return next(
        (path for path in (folder / "repo", folder / "repo" / ".git", folder) if (path / "objects").is_dir()), None
    )


def _git(folder: Path) -> list[str]:
    return ["git", "-c", "safe.directory=*", "--git-dir", str(folder)]


def tree(git: Path, commit: str) -> dict[str, str]:
    """Object names by path; empty where the commit is absent."""
    done = subprocess.run([*_git(git), "ls-tree", "-r", "-z", commit], capture_output=True, check=False)  # noqa: S603
    entries = (entry.split("\t", 1) for entry in done.stdout.decode("utf-8", "surrogateescape").split("\0") if entry)
    return {path: meta.split()[2] for meta, path in entries}


def blobs(git: Path, names: Sequence[str]) -> Iterator[bytes | None]:
    """The contents of objects, None for absent ones."""
    command = [*_git(git), "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        if process.stdin is None or process.stdout is None:
            raise OSError("git has no pipes")
        for name in names:
            process.stdin.write(name.encode() + b"\n")
            process.stdin.flush()
            head = process.stdout.readline().split()
            if len(head) < 3:
                yield None
                continue
            data = process.stdout.read(int(head[2]))
            process.stdout.read(1)
            yield data
        process.stdin.close()


def written(data: bytes, out: Path) -> Path:
    """Writes a file under the hash of its bytes, once."""
    path = out / hashlib.sha256(data).hexdigest()[:16]
    if not path.exists():
        path.write_bytes(data)
    return path


def hash_rank(name: str) -> bytes:
    """A fixed order without meaning."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()


def gallery_pictures(galleries: Path, mirrors: Path, out: Path) -> tuple[list[Picture], list[str]]:
    """The pictures of ``files.csv``, and what could not be had."""
    with (galleries / "files.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as stream:
        rows = list(csv.DictReader(stream))
    by_publisher: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_publisher[row["publisher"], row["class"]].append(row)
    wanted: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for (_, label), group in by_publisher.items():
        if label == "real":
            group = sorted(group, key=lambda row: row["sha256"])[:MOST_PHOTOGRAPHS]
        for row in group:
            wanted[row["repo"], row["commit"]].append(row)
    found, missing = [], []
    for (repo, commit), group in sorted(wanted.items()):
        git = snapshot(mirrors, repo)
        objects = tree(git, commit) if git else {}
        have = [row for row in group if row["path"] in objects]
        missing += [f"{repo}: {row['path']}" for row in group if row["path"] not in objects]
        for row, data in zip(have, blobs(git, [objects[row["path"]] for row in have]) if git else (), strict=False):
            if data is None or hashlib.sha256(data).hexdigest() != row["sha256"]:
                missing.append(f"{repo}: {row['path']}")
                continue
            path = written(data, out)
            found.append(
                Picture(path.name, str(path), int(row["class"] == "ai"), row["publisher"],
                        series_of(row["publisher"], row["path"]), "develop", "picture",
                        row["camera"] or row["generator"], row["format"], int(row["width"]), int(row["height"]),
                        len(data))
            )  # fmt: skip
    return found, missing


def series_of(publisher: str, path: str) -> str:
    """The series that a gallery's picture belongs to, where its path says so."""
    by_folder = ("Google DreamBooth", "bytedance InfiniteYou (project page)", "ScanNet samples (SuperGlue)")
    if publisher in by_folder:
        return f"{publisher}/{Path(path).parent.name or path}"
    return f"{publisher}/{path}"


def other_pictures(data: Path, mirrors: Path, out: Path) -> tuple[list[Picture], list[str]]:
    """The pictures of ``sources.toml``."""
    tables = tomllib.loads(Path(__file__).with_name("sources.toml").read_text("utf-8"))
    lists = tomllib.loads(Path(__file__).with_name("screening.toml").read_text("utf-8"))
    excluded = frozenset(lists["excluded"]["names"])
    found: list[Picture] = []
    missing: list[str] = []
    for source in tables["source"]:
        files = list(_files(source, data, mirrors))
        if not files:
            missing.append(str(source.get("repo", source.get("folder"))))
        keep = frozenset(lists["photographic"].get(source["list"], ())) if "list" in source else None
        files = [
            (name, content)
            for name, content in files
            if name not in excluded and (keep is None or Path(name).name in keep or name in keep)
        ]
        files = sorted(files, key=lambda pair: hash_rank(pair[0]))[: source.get("most", 10**9)]
        for name, content in files:
            found += _pictures(source, name, content(), out)
    return found, missing


def _files(source: dict[str, Any], data: Path, mirrors: Path) -> Iterator[tuple[str, Any]]:
    if "folder" in source:
        for path in sorted((data / source["folder"]).rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                yield path.relative_to(data).as_posix(), path.read_bytes
        return
    git = snapshot(mirrors, source["repo"])
    for name, blob in (tree(git, "HEAD") if git else {}).items():
        if git and fnmatch(name, source["glob"]) and name.lower().endswith(SUFFIXES):
            yield name, lambda git=git, blob=blob: next(blobs(git, [blob])) or b""


def _pictures(source: dict[str, Any], name: str, content: bytes, out: Path) -> Iterator[Picture]:
    from PIL import Image

    if any(part in name for part in WITHOUT_LICENCE):
        return
    try:
        with Image.open(BytesIO(content)) as image:
            image.load()
            form, (width, height) = image.format or "", image.size
            exif = image.getexif()
            camera = " ".join(str(exif.get(tag, "")).strip("\0 ") for tag in (271, 272)).strip()
    except (OSError, SyntaxError, ValueError):
        return
    grid = int(source.get("grid", 1))
    if min(width, height) // grid < source.get("least", LEAST_SIDE):
        return
    if source.get("jpeg") and form not in ("JPEG", "MPO"):
        return
    path = written(content, out)
    series = Path(name).parent.as_posix() if source.get("series") == "folder" else name
    for tile in range(grid * grid):
        key = f"{path.name}-{tile}" if grid > 1 else path.name
        yield Picture(
            key, str(path), int(source["class"] == "ai"), source["publisher"], f"{source['publisher']}/{series}",
            source.get("use", "develop"), "picture", camera, form, width // grid, height // grid, len(content), tile,
            grid,
        )  # fmt: skip


def pair_pictures(galleries: Path, mirrors: Path, out: Path) -> tuple[list[Picture], list[str]]:
    """Originals (label 0) and their edited versions (label 1) of ``pairs.csv``; a pair shares its series."""
    from PIL import Image

    with (galleries / "pairs.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as stream:
        rows = list(csv.DictReader(stream))
    found, missing = [], []
    for number, row in enumerate(rows):
        git = snapshot(mirrors, row["repo"])
        objects = tree(git, row["commit"]) if git else {}
        for label, kind in ((0, "original"), (1, "edited")):
            blob = objects.get(row[kind])
            data = next(blobs(git, [blob])) if git and blob else None
            if data is None or hashlib.sha256(data).hexdigest() != row[f"{kind}_sha256"]:
                missing.append(f"{row['repo']}: {row[kind]}")
                continue
            path = written(data, out)
            with Image.open(path) as image:
                form, (width, height) = image.format or "", image.size
            generator = f"{row['editor']} of {row['original_is']}"
            found.append(
                Picture(f"{path.name}-{number}", str(path), label, row["publisher"], f"pair {number}", "pairs", kind,
                        generator, form, width, height, len(data))
            )  # fmt: skip
    return found, missing


def measured_only(picture: Picture) -> Picture:
    """The picture, set aside where its licence keeps it out of the training."""
    apart = picture.use == "develop" and picture.publisher in NON_COMMERCIAL
    return replace(picture, use="test") if apart else picture


def without_copies(pictures: Sequence[Picture]) -> list[Picture]:
    """Keeps each picture once, by its bytes."""
    seen: set[str] = set()
    kept = []
    for picture in pictures:
        if picture.key not in seen:
            seen.add(picture.key)
            kept.append(picture)
    return kept


def bring(data: Path, galleries: Path, mirrors: Path, out: Path) -> list[Picture]:
    """Brings all, writes ``catalogue.csv`` and ``missing.txt`` into ``out``, and the files below ``out/pictures``."""
    folder = out / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    listed, missing = gallery_pictures(galleries, mirrors, folder)
    others, absent = other_pictures(data, mirrors, folder)
    pairs, lost = pair_pictures(galleries, mirrors, folder)
    pictures = [measured_only(picture) for picture in without_copies([*listed, *others, *pairs])]
    write_catalogue(pictures, out / "catalogue.csv")
    (out / "missing.txt").write_text("".join(f"{line}\n" for line in [*missing, *absent, *lost]), "utf-8")
    return pictures

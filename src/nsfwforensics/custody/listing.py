"""What is in a bag's folder, and what its manifests say is in it; both read without trusting either.

The BagIt library makes our bags and could check them, but its check follows symbolic links, waits at a named pipe and
loads tag files whole. A bag from somebody else may hold any of these, so the reading here is our own.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from nsfwforensics.core.opening import open_evidence

PAYLOAD = "data"
ALGORITHMS = ("sha256", "sha512")
MANIFESTS = tuple(f"manifest-{name}.txt" for name in ALGORITHMS)
TAG_MANIFESTS = tuple(f"tagmanifest-{name}.txt" for name in ALGORITHMS)
SIGNATURES = "signatures"
"""Folder of signatures. Tag manifests cannot list it: it is made after them, and signs them."""

MOST_TAG_BYTES = 256 * 1024 * 1024
"""Longest tag file that is read: a manifest of a million files."""

MOST_FILES = 2_000_000
LONGEST_LINE = 8 * 1024
BLOCK = 1024 * 1024
EMPTY_FOLDER = "an empty folder"

_LINE = re.compile(rb"([0-9A-Fa-f]{32,128})([ \t]+\*?)([^\r\n]+)\n?")


@dataclass(frozen=True, slots=True)
class BagListing:
    """A bag's folder as it is.

    Attributes:
        files: Size in bytes of each regular file, by its path in the bag with ``/`` between parts.
        others: What else lies there, by path: "a symbolic link", "a named pipe", "an empty folder" ...
    """

    files: Mapping[str, int]
    others: Mapping[str, str]


@dataclass(slots=True)
class BagManifest:
    """A manifest as it was read.

    Attributes:
        entries: Digest in lowercase hexadecimal by path.
        faults: Lines that are none, name a path outside the bag or name one twice.
        canonical: Whether every byte is as the BagIt library writes it.
    """

    entries: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    canonical: bool = True


def walk(bag: Path) -> BagListing:
    """Lists a bag without opening or following anything in it.

    Raises:
        OSError: A folder cannot be read, or there are more files than anything of ours has.
    """
    files: dict[str, int] = {}
    others: dict[str, str] = {}
    folders = [""]
    while folders:
        inside = folders.pop()
        empty = True
        with os.scandir(os.path.join(bag, inside)) as entries:  # noqa: PTH118 - "" is the bag itself
            for entry in entries:
                empty = False
                name = f"{inside}/{entry.name}" if inside else entry.name
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(info.st_mode):
                    folders.append(name)
                elif stat.S_ISREG(info.st_mode):
                    files[name] = info.st_size
                else:
                    others[name] = _kind(info.st_mode)
                if len(files) + len(others) + len(folders) > MOST_FILES:
                    raise OSError(0, f"more than {MOST_FILES:,} files")
        if empty and inside:
            others[inside] = EMPTY_FOLDER
    return BagListing(files, others)


def opened(bag: Path, name: str) -> BinaryIO:
    """Opens a regular file of a bag for reading.

    Raises:
        OSError: It cannot be opened, or is a link or no regular file (any more).
    """
    return open_evidence(bag / name)


def content(bag: Path, name: str, most: int) -> bytes:
    """The bytes of a small file.

    Raises:
        OSError: It cannot be read or is longer than ``most`` bytes.
    """
    with opened(bag, name) as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise OSError(0, f"longer than {most:,} bytes")
    return data


def digests(bag: Path, name: str) -> dict[str, str]:
    """SHA-256 and SHA-512 of a file, read once.

    Raises:
        OSError: It cannot be read.
    """
    hashers = {name: hashlib.new(name) for name in ALGORITHMS}
    with opened(bag, name) as stream:
        while block := stream.read(BLOCK):
            for hasher in hashers.values():
                hasher.update(block)
    return {name: hasher.hexdigest() for name, hasher in hashers.items()}


def read_manifest(bag: Path, name: str) -> BagManifest:
    """Reads a manifest line by line.

    Raises:
        OSError: It cannot be read or is longer than any of ours.
    """
    found = BagManifest()
    payload = name in MANIFESTS
    digits = hashlib.new(name.removeprefix("tag").removeprefix("manifest-").removesuffix(".txt")).digest_size * 2
    for number, line in enumerate(_lines(bag, name), 1):
        match = _LINE.fullmatch(line)
        path = match[3].decode("utf-8", "surrogateescape") if match else ""
        if match is None or len(match[1]) != digits:
            fault = "is no entry"
        elif not _inside(path) or path.startswith(f"{PAYLOAD}/") is not payload:
            fault = "names a path that it may not name"
        elif path in found.entries:
            fault = "names a file a second time"
        else:
            fault = ""
            found.entries[path] = match[1].decode("ascii").lower()
            usual = match[1].lower() + (b"  " if payload else b" ") + match[3] + b"\n"
            found.canonical &= line == usual
        if fault:
            found.canonical = False
            found.faults.append(f"line {number} {fault}")
            if len(found.faults) >= 20:
                break
    return found


def _lines(bag: Path, name: str) -> Iterator[bytes]:
    with opened(bag, name) as stream:
        if os.fstat(stream.fileno()).st_size > MOST_TAG_BYTES:
            raise OSError(0, f"longer than {MOST_TAG_BYTES:,} bytes")
        while line := stream.readline(LONGEST_LINE):
            yield line


def _inside(path: str) -> bool:
    """Whether a path stays in the bag on every system."""
    parts = path.split("/")
    return not any(part in ("", ".", "..") for part in parts) and not set(path) & set("\\\0") and ":" not in parts[0]


def _kind(mode: int) -> str:
    for test, name in ((stat.S_ISLNK, "a symbolic link"), (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket")):
        if test(mode):
            return name
    return "a device"

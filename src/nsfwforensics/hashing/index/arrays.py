"""A file of arrays behind a checked header, written once, never changed, and read through a memory map.

The header names the arrays and holds the SHA-256 of everything after it; its own SHA-256 stands before it. The same
arrays give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.core.documents import read_json
from nsfwforensics.core.opening import open_evidence
from nsfwforensics.core.private import replacing
from nsfwforensics.errors import HashListError

_HEADER = struct.Struct("<8sI32s")
_ALIGN = 64
_TYPES: Mapping[str, np.dtype[Any]] = {"u1": np.dtype("u1"), "u4": np.dtype("<u4"), "u8": np.dtype("<u8")}
_LARGEST_HEADER = 1 << 16


def write_arrays(arrays: Mapping[str, NDArray[Any]], path: Path, magic: bytes) -> str:
    """Writes arrays and returns the SHA-256 of the file. The file appears whole or not at all.

    Args:
        arrays: Of one, four or eight bytes unsigned, little-endian, in their order.
        path: The file.
        magic: Eight bytes that say what it is.

    Raises:
        OSError: It cannot be written.
    """
    layout = {name: [array.dtype.str[1:], list(array.shape)] for name, array in arrays.items()}
    content = hashlib.sha256()
    for array in arrays.values():
        for part in _padded(array):
            content.update(part)
    header = json.dumps({"arrays": layout, "sha256": content.hexdigest()}, separators=(",", ":")).encode()
    header += b" " * (-(len(header) + _HEADER.size) % _ALIGN)
    head = _HEADER.pack(magic, len(header), hashlib.sha256(header).digest()) + header
    whole = hashlib.sha256(head)
    with replacing(path) as descriptor, os.fdopen(descriptor, "wb") as stream:
        stream.write(head)
        for array in arrays.values():
            for part in _padded(array):
                whole.update(part)
                stream.write(part)
        stream.flush()
        os.fsync(stream.fileno())
    return whole.hexdigest()


def map_arrays(path: Path, magic: bytes) -> dict[str, NDArray[Any]]:
    """Maps a file after checking its header and size; what the arrays hold is read only when it is looked at.

    Raises:
        HashListError: It cannot be read, is no such file, or is damaged.
    """
    try:
        with open_evidence(path, follow=True) as stream:  # a pipe under its name is not waited for
            raw = np.memmap(stream, np.uint8, "r")
    except (OSError, ValueError) as error:
        raise HashListError(f"{path}: cannot be read: {error}") from error
    try:
        return _arrays(raw, _header(raw, path, magic), path)
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise damaged(path, "a header of an unknown shape") from error


def damaged(path: Path, how: str) -> HashListError:
    """The error for a file whose content cannot be right."""
    return HashListError(f"{path}: damaged: {how}")


def _padded(array: NDArray[Any]) -> tuple[memoryview, bytes]:
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return data.data, bytes(-len(data) % _ALIGN)


def _header(raw: NDArray[np.uint8], path: Path, magic: bytes) -> dict[str, Any]:
    if len(raw) < _HEADER.size:
        raise HashListError(f"{path}: not a part of an index of known hashes")
    found, length, digest = _HEADER.unpack(raw[: _HEADER.size].tobytes())
    if found != magic:
        raise HashListError(f"{path}: not a part of an index of known hashes, or of another version")
    text = raw[_HEADER.size : _HEADER.size + min(length, _LARGEST_HEADER)].tobytes()
    if hashlib.sha256(text).digest() != digest:
        raise damaged(path, "the header does not match its checksum")
    header: dict[str, Any] = read_json(text)
    header["start"] = _HEADER.size + length
    return header


def _arrays(raw: NDArray[np.uint8], header: Mapping[str, Any], path: Path) -> dict[str, NDArray[Any]]:
    arrays = {}
    place = header["start"]
    for name, (code, shape) in header["arrays"].items():
        kind = _TYPES[code]
        size = kind.itemsize * int(np.prod(shape, dtype=np.int64))
        if place + size > len(raw):
            raise damaged(path, "shorter than its header says")
        arrays[name] = np.asarray(raw[place : place + size]).view(kind).reshape(shape)
        place += size + -size % _ALIGN
    if place != len(raw):
        raise damaged(path, "longer or shorter than its header says")
    return arrays

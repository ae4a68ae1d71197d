"""Files of signatures: for pictures, by SHA-256, what a method computed from each, in the method's own form.

What a signature holds is the method's business and not looked into here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.index.arrays import damaged, map_arrays, write_arrays

MAGIC = b"NSFWFSG1"
SUFFIX = ".signatures"

LARGEST_SIGNATURE = 1 << 16
"""Most bytes of one signature."""

_DIGEST = 32


@dataclass(frozen=True, slots=True)
class SignatureFile:
    """An open file of signatures, memory-mapped.

    Attributes:
        path: The file.
        method: Name and version of the method that made them.
        digests: uint8 (n, 32), SHA-256 of the pictures' files, sorted.
        ends: uint64 (n,), where each signature ends in ``data``.
        data: uint8, the signatures one after the other.
    """

    path: Path
    method: str
    digests: NDArray[np.uint8]
    ends: NDArray[np.uint64]
    data: NDArray[np.uint8]

    @classmethod
    def open(cls, path: Path, method: str) -> SignatureFile:
        """Maps a file after checking its header and size.

        Raises:
            HashListError: It cannot be read, is no such file, or is damaged.
        """
        arrays = map_arrays(path, MAGIC)
        try:
            digests, ends, data = (arrays[name] for name in ("digests", "ends", "data"))
        except KeyError as error:
            raise damaged(path, "a header of an unknown shape") from error
        if digests.shape != (len(ends), _DIGEST) or ends.ndim != 1 or data.ndim != 1:
            raise damaged(path, "its arrays do not fit")
        lengths = np.diff(ends.astype(np.int64), prepend=0)
        if len(ends) and (lengths.min() < 0 or lengths.max() > LARGEST_SIGNATURE or int(ends[-1]) != len(data)):
            raise damaged(path, "its signatures do not fit")
        return cls(path, method, digests, ends, data)

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """SHA-256 of the picture's file, and its signature, in the order of the former."""
        start = 0
        for digest, end in zip(self.digests, self.ends.tolist(), strict=True):
            yield digest.tobytes(), self.data[start:end].tobytes()
            start = end


def write_signatures(signatures: Mapping[bytes, bytes], path: Path) -> str:
    """Writes signatures by the SHA-256 of their pictures' files, and returns the SHA-256 of the file.

    Raises:
        HashListError: A digest or a signature has a length that cannot be.
        OSError: It cannot be written.
    """
    order = sorted(signatures)
    if any(len(digest) != _DIGEST or len(signatures[digest]) > LARGEST_SIGNATURE for digest in order):
        raise HashListError(f"{path}: a signature of more than {LARGEST_SIGNATURE:,} bytes, or not by SHA-256")
    arrays: dict[str, NDArray[Any]] = {
        "digests": np.frombuffer(b"".join(order), np.uint8).reshape(-1, _DIGEST),
        "ends": np.cumsum([len(signatures[digest]) for digest in order], dtype=np.uint64),
        "data": np.frombuffer(b"".join(signatures[digest] for digest in order), np.uint8),
    }
    return write_arrays(arrays, path, MAGIC)

"""The script that a user would write to hash a folder: each library opens each file for itself.

Run as ``python -m benchmarks.naive_hash FOLDER``; prints one line per file.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import imagehash
import numpy as np
import pdqhash
from PIL import Image

HASHES = (imagehash.phash, imagehash.dhash)


def main(folder: Path) -> None:
    """Hashes every file with every library, as example code does."""
    for path in sorted(folder.iterdir()):
        digests = [hashlib.new(name, path.read_bytes()).hexdigest() for name in ("md5", "sha1", "sha256")]
        hashes = [str(hash_(Image.open(path))) for hash_ in HASHES]
        bits, quality = pdqhash.compute(np.asarray(Image.open(path).convert("RGB")))
        print(path.name, *digests, *hashes, np.packbits(bits).tobytes().hex(), quality)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""EnCase's hash sets (``.hash``): a binary head, then MD5 digests in records of 18 bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from nsfwforensics.hashing.lists.items import HashKind, KnownItem
from nsfwforensics.hashing.lists.rows import BadLineError

MAGIC = b"HASH\r\n\xff\0"
_HEAD = 1152
_RECORD = 18
_BATCH = 4096


def entries(stream: BinaryIO) -> Iterator[tuple[int, KnownItem | BadLineError]]:
    """The digests with their numbers from 1 on; a :class:`BadLineError` stands for a last one that is cut short."""
    stream.seek(_HEAD)
    number = 0
    while batch := stream.read(_RECORD * _BATCH):
        for start in range(0, len(batch), _RECORD):
            number += 1
            digest = batch[start : start + HashKind.MD5.size]
            if len(batch) - start < _RECORD:
                yield number, BadLineError("cut short")
            else:
                yield number, KnownItem(md5=digest)

"""Writing lists of known hashes in the formats that other tools read.

Every format is a stream of items. An item without the hash that a format asks for is left out and counted. Names come
from files or other lists: the caller says how they are made harmless, and none may break a line.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO

from nsfwforensics.core.hashes import QUALITY_USABLE
from nsfwforensics.hashing.lists.formats import ListFormat
from nsfwforensics.hashing.lists.items import KnownItem
from nsfwforensics.hashing.lists.vics import medium

Clean = Callable[[str], str]
Writer = Callable[[Iterable[KnownItem], TextIO, Clean, Sequence[str]], int]

_BREAKS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def one_line(name: str) -> str:
    """A name with what would break a line, or cannot be written, shown as an escape."""
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", name)


def write_list(
    items: Iterable[KnownItem],
    form: ListFormat,
    stream: TextIO,
    clean: Clean = one_line,
    comments: Sequence[str] = (),
) -> int:
    """Writes a list and returns how many items were left out.

    ThreatExchange lines and bare hashes carry no quality, so PDQ hashes whose quality is known to be too low to be
    matched are left out there.

    Args:
        items: What to write.
        form: The format.
        stream: Text in UTF-8, opened with ``newline=""``.
        clean: Makes a name harmless for whoever reads the format.
        comments: Lines for the head of a hashdeep list, without their ``##``.
    """
    return _WRITERS[form](items, stream, clean, comments)


def _threatexchange(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    del clean, comments
    left_out = 0
    for item in items:
        if item.pdq is None or _unfit(item):
            left_out += 1
        else:
            stream.write(f"pdq {item.pdq.hex()}\n")
    return left_out


def _pdq_csv(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    del comments
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("hash", "quality", "filename"))
    left_out = 0
    for item in items:
        if item.pdq is None:
            left_out += 1
        else:
            writer.writerow((item.pdq.hex(), "" if item.quality is None else item.quality, clean(item.name)))
    return left_out


def _plain(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    """One hash of each item: the PDQ hash, or else the longest digest."""
    del clean, comments
    left_out = 0
    for item in items:
        value = item.pdq if item.pdq is not None and not _unfit(item) else _longest(item)
        if value is None:
            left_out += 1
        else:
            stream.write(f"{value.hex()}\n")
    return left_out


def _checksums(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    """What ``sha256sum``, ``sha1sum`` or ``md5sum`` print and ``--check`` reads; a name must be there."""
    del comments
    left_out = 0
    for item in items:
        value = _longest(item)
        if value is None or not item.name:
            left_out += 1
            continue
        name = clean(item.name)
        escaped = name.replace("\\", "\\\\")
        mark = "\\" if escaped != name else ""
        stream.write(f"{mark}{value.hex()}  {escaped}\n")
    return left_out


def _hashdeep(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    stream.write("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n")
    for comment in comments:
        stream.write(f"## {one_line(clean(comment))}\n")
    stream.write("## \n")
    left_out = 0
    for item in items:
        if item.size is None or item.md5 is None or item.sha256 is None:
            left_out += 1
        else:
            stream.write(f"{item.size},{item.md5.hex()},{item.sha256.hex()},{clean(item.name)}\n")
    return left_out


def _nsrl(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    del comments
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(
        ("SHA-256", "SHA-1", "MD5", "CRC32", "FileName", "FileSize", "ProductCode", "OpSystemCode", "SpecialCode")
    )
    left_out = 0
    for item in items:
        if _longest(item) is None:
            left_out += 1
            continue
        digests = ((value or b"").hex() for value in (item.sha256, item.sha1, item.md5))
        size = "" if item.size is None else item.size
        writer.writerow((*digests, "", clean(item.name), size, "", "", ""))
    return left_out


def _stopncii(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    """One record a line. MD5 is StopNCII's ``VideoMD5``, whatever it is of."""
    del clean, comments
    left_out = 0
    for item in items:
        if item.pdq is None and item.md5 is None:
            left_out += 1
            continue
        signal, value = ("ImagePDQ", item.pdq) if item.pdq is not None else ("VideoMD5", item.md5)
        record: dict[str, Any] = {"signalType": signal, "hashValue": (value or b"").hex()}
        if item.status:
            record["hashStatus"] = item.status
        record["caseNumbers"] = dict(item.cases)
        record["CSPFeedbacks"] = [
            {"source": source, "feedbackValue": said, "tags": list(tags)} for source, said, tags in item.feedback
        ]
        if item.modified is not None:
            record["lastModtimestamp"] = item.modified
        record["opinion"] = item.opinion
        _write_record(record, stream)
    return left_out


def _threatexchange_json(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    del clean, comments
    left_out = 0
    for item in items:
        hashes = item.hashes()
        if not hashes or (item.pdq is not None and _unfit(item)):
            left_out += 1
            continue
        for kind, value in hashes.items():
            record = {"type": f"HASH_{kind.upper()}", "indicator": value.hex()}
            _write_record(record | ({"opinion": item.opinion.value} if item.opinion else {}), stream)
    return left_out


def _json(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    """One record a line, with everything that this tool's own lists hold; names as they are, escaped by JSON."""
    del clean, comments
    left_out = 0
    for item in items:
        record: dict[str, Any] = {"path": item.name} if item.name else {}
        if item.size is not None:
            record["size"] = item.size
        record |= {kind.value: value.hex() for kind, value in item.hashes().items()}
        if item.quality is not None:
            record["pdq_quality"] = item.quality
        if item.opinion is not None:
            record["opinion"] = item.opinion
        _write_record(record, stream)
    return left_out


def _vics(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    """VICS 2.0 in OData's envelope, a medium a line; nothing that an index holds is lost."""
    del clean, comments
    left_out, number = 0, 0
    stream.write(f'{{"@odata.context":{json.dumps(_VICS_CONTEXT)},"value":[')
    for item in items:
        if not item.hashes():
            left_out += 1
            continue
        stream.write(",\n" if number else "\n")
        number += 1
        stream.write(json.dumps(medium(item, number), ensure_ascii=True))
    stream.write("\n]}\n")
    return left_out


_VICS_CONTEXT = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/Default/$metadata#Media"


def _csv(items: Iterable[KnownItem], stream: TextIO, clean: Clean, comments: Sequence[str]) -> int:
    """Every hash in a column of its name."""
    del comments
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("md5", "sha1", "sha256", "pdq", "pdq_quality", "file_name", "file_size", "opinion", "category"))
    left_out = 0
    for item in items:
        if not item.hashes():
            left_out += 1
            continue
        hashes = ((value or b"").hex() for value in (item.md5, item.sha1, item.sha256, item.pdq))
        plain = ("" if value is None else value for value in (item.size, item.opinion, item.category))
        quality = "" if item.quality is None else item.quality
        writer.writerow((*hashes, quality, clean(item.name), *plain))
    return left_out


def _write_record(record: Mapping[str, Any], stream: TextIO) -> None:
    # ASCII only: JSON's own escapes keep control and bidirectional characters off the terminal.
    stream.write(json.dumps(record, ensure_ascii=True) + "\n")


def _unfit(item: KnownItem) -> bool:
    return item.quality is not None and item.quality < QUALITY_USABLE


def _longest(item: KnownItem) -> bytes | None:
    return item.sha256 or item.sha1 or item.md5


_WRITERS: Mapping[ListFormat, Writer] = {
    ListFormat.THREATEXCHANGE: _threatexchange,
    ListFormat.THREATEXCHANGE_JSON: _threatexchange_json,
    ListFormat.PDQ_CSV: _pdq_csv,
    ListFormat.CSV: _csv,
    ListFormat.STOPNCII: _stopncii,
    ListFormat.VICS: _vics,
    ListFormat.JSON: _json,
    ListFormat.PLAIN: _plain,
    ListFormat.CHECKSUMS: _checksums,
    ListFormat.HASHDEEP: _hashdeep,
    ListFormat.NSRL: _nsrl,
}

WRITTEN = frozenset(_WRITERS)
"""The formats that lists are written in; the others are only read."""

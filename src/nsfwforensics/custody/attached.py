"""Results from outside (a screenshot, an answer in JSON, a web archive) kept with a case, each with where and when.

They lie in a folder beside the case, as the copy of its custody log does: each in a folder of its own, with a statement
of what it is (``about.json``). The custody log holds the digests of both, so that a change of either is found. A time
stamp (RFC 3161) is one on the statement, and with it on the content that the statement names.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nsfwforensics.core import installation
from nsfwforensics.core.documents import DocumentError, read_json
from nsfwforensics.core.evidence import utc_iso
from nsfwforensics.core.opening import open_evidence
from nsfwforensics.core.private import close_to_others, create, make_folder
from nsfwforensics.core.storable import storable_text
from nsfwforensics.custody import timestamps, wacz
from nsfwforensics.custody.originals import measure
from nsfwforensics.errors import CustodyError, UsageError
from nsfwforensics.report.saved.json import dumps
from nsfwforensics.store.chain import Chain
from nsfwforensics.store.custody_log import LogCheck

FOLDER = ".attached"
"""What the name of a case is followed by in that of the folder."""

ABOUT, STAMP = "about.json", "about.json.tsr"
KIND = "evidence attached"
SCHEMA_VERSION = "1.0"
MOST_BYTES = 2 << 30
MOST_ABOUT = 4 << 20
_BLOCK = 1 << 20
_LATE = timedelta(minutes=10)
"""How far a clock may be wrong before a time counts as one to come."""

_NAME = re.compile(r"[0-9]{4}-[0-9a-f]{16}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Attached:
    """One result from outside that was attached to a case.

    Attributes:
        folder: Where it lies.
        about: What its statement says.
        sha256: Digests of content and statement, by name.
        archive: What the check of a web archive found, or None for anything else.
        stamped: The time of its time stamp; empty without one.
    """

    folder: Path
    about: dict[str, Any]
    sha256: dict[str, str]
    archive: wacz.WebArchive | None = None
    stamped: str = ""

    @property
    def content(self) -> Path:
        """The path of the copy."""
        return self.folder / f"content{_suffix(str(self.about.get('name', '')))}"


def address(text: str) -> str:
    """A web address as it was given.

    Raises:
        UsageError: It is none.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or not text.isprintable() or " " in text:
        raise UsageError(f"{text!r} is no web address: it begins with https:// or http://")
    return text


def moment(text: str, now: datetime | None = None) -> str:
    """A time with its zone, in UTC, ISO 8601.

    Raises:
        UsageError: It is none, names no zone, or is still to come.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time; write it as 2026-11-29T14:05+01:00 or 2026-11-29T13:05Z") from None
    if found.tzinfo is None:
        raise UsageError(f"{text!r} names no time zone; add Z for UTC or the difference from it, such as +01:00")
    if found > (now or datetime.now(UTC)) + _LATE:
        raise UsageError(f"{text!r} is still to come")
    return utc_iso(found.timestamp())


def place(case: Path) -> Path:
    """The folder of a case's results from outside."""
    return case.with_name(case.name + FOLDER)


def attach(case: Path, path: Path, *, source: str, at: str, operator: str, note: str = "") -> Attached:
    """Copies a result from outside to the case; the file itself is only read.

    Args:
        case: The case database.
        path: The file.
        source: The web address that it comes from.
        at: When it was taken there, in UTC.
        operator: Who attaches it.
        note: What it is, in their words.

    Raises:
        CustodyError: It cannot be read or kept, or is attached already.
    """
    found = measure(1, path)
    if found.problem is not None or found.sha256 is None or found.size is None:
        raise CustodyError(f"{path}: {found.problem or 'cannot be read'}")
    if found.size > MOST_BYTES:
        raise CustodyError(f"{path} is longer than {MOST_BYTES:,} bytes")
    if any(one.sha256["content"] == found.sha256 for one in attached(case)):
        raise CustodyError(f"{path} is attached to the case already")
    try:
        archive = wacz.check(path) if wacz.is_web_archive(path) else None
    except OSError as error:
        raise CustodyError(f"{path} cannot be read: {error.strerror}") from error
    about = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "name": str(storable_text(path.name)),
        "source": source,
        "taken": at,
        "attached": utc_iso(datetime.now(UTC).timestamp()),
        "by": str(storable_text(operator)),
        "note": str(storable_text(note)),
        "size": found.size,
        "sha256": found.sha256,
        "media_type": _media_type(path, found.media_type, archive),
        "tool": f"nsfwforensics {installation.version()}",
        "web_archive": None if archive is None else asdict(archive),
    }
    words = (dumps(about, indent=2) + "\n").encode()
    try:
        folder = _kept(place(case), path, about, words)
    except OSError as error:
        raise CustodyError(f"{path} cannot be kept beside the case: {error.strerror}") from error
    return Attached(folder, about, {"content": found.sha256, "about": hashlib.sha256(words).hexdigest()}, archive)


def attached(case: Path) -> Iterator[Attached]:
    """What is attached to a case, in the order in which it was; what cannot be read is passed over."""
    folder = place(case)
    if folder.is_symlink() or not folder.is_dir():
        return
    for inside in sorted(folder.iterdir()):
        if _NAME.fullmatch(inside.name) and not inside.is_symlink():
            with suppress(OSError, CustodyError):
                yield _read(inside)


def find(case: Path, path: Path) -> Attached:
    """What a file was attached as, told by its bytes.

    Raises:
        CustodyError: It cannot be read, or is not attached.
    """
    sha256 = measure(1, path).sha256
    for one in attached(case):
        if one.sha256["content"] == sha256:
            return one
    raise CustodyError(f"{path} is not attached to this case")


def stamp(one: Attached, token: bytes) -> timestamps.Stamp:
    """Keeps a time stamp on the statement of what was attached.

    Raises:
        CustodyError: It is none, is about something else, or there is one already.
    """
    words = (one.folder / ABOUT).read_bytes()
    read = timestamps.read(token, words)
    try:
        with os.fdopen(create(one.folder / STAMP), "wb") as stream:
            stream.write(token)
    except FileExistsError:
        raise CustodyError("it has a time stamp already") from None
    except OSError as error:
        raise CustodyError(f"the time stamp cannot be kept: {error.strerror}") from error
    return read


def checked(log: LogCheck, case: Path) -> LogCheck:
    """The check of a custody log, with what of the results from outside is not as it says."""
    return replace(log, problems=(*log.problems, *_problems(case, log.chain)))


def _problems(case: Path, log: Chain) -> list[str]:
    said = {
        entry.digests["content"]: entry.digests.get("about")
        for entry in log.entries.values()
        if entry.kind == KIND and "content" in entry.digests
    }
    there: dict[str, Attached] = {one.sha256["content"]: one for one in attached(case)}
    found = [f"a result from outside is missing: SHA-256 {sha256}" for sha256 in said if sha256 not in there]
    for sha256, one in there.items():
        if sha256 not in said:
            found.append(f"{one.folder.name} lies among the results from outside, and no entry says so")
        elif said[sha256] != one.sha256["about"]:
            found.append(f"what is said of {one.folder.name} was changed since it was attached")
    return found


def copy(case: Path, payload: Path, *, pixels: bool) -> int:
    """Copies what is attached into a folder ``attached``; what lies there already as it is, is left.

    Args:
        case: The case database.
        payload: The payload of a bag, or where a case is exported to.
        pixels: Whether the contents go too, or only what is said of them.

    Returns:
        How many there are.

    Raises:
        OSError: It cannot be read or written, or something else lies there under its name.
    """
    count = 0
    for one in attached(case):
        target = payload / "attached" / one.folder.name
        make_folder(target)
        for name in (ABOUT, STAMP, *((one.content.name,) if pixels else ())):
            there = target / name
            if (one.folder / name).is_file() and not (there.is_file() and _same(one.folder / name, there)):
                _copy(one.folder / name, target / name)
        count += 1
    return count


def _kept(shelf: Path, path: Path, about: dict[str, Any], words: bytes) -> Path:
    """Writes content and statement to a folder beside, which then gets its name: whole or not at all."""
    make_folder(shelf)
    made = Path(tempfile.mkdtemp(dir=shelf, prefix=".", suffix=".part"))
    try:
        close_to_others(made)
        _copy(path, made / f"content{_suffix(str(about['name']))}", expected=str(about["sha256"]))
        with os.fdopen(create(made / ABOUT), "wb") as stream:
            stream.write(words)
        while True:
            taken = [int(one.name[:4]) for one in shelf.iterdir() if _NAME.fullmatch(one.name)]
            folder = shelf / f"{max(taken, default=0) + 1:04d}-{str(about['sha256'])[:16]}"
            if not folder.exists():
                made.rename(folder)
                return folder
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _same(one: Path, other: Path) -> bool:
    return measure(1, one).sha256 == measure(1, other).sha256 is not None


def _copy(path: Path, target: Path, *, expected: str | None = None) -> None:
    hasher = hashlib.sha256()
    with open_evidence(path) as stream, os.fdopen(create(target), "wb") as written:
        while block := stream.read(_BLOCK):
            hasher.update(block)
            written.write(block)
    if expected is not None and hasher.hexdigest() != expected:
        raise CustodyError(f"{path} was changed while it was read")


def _read(folder: Path) -> Attached:
    with open_evidence(folder / ABOUT) as stream:
        words = stream.read(MOST_ABOUT + 1)
    try:
        about = read_json(words[:MOST_ABOUT])
    except DocumentError as error:
        about = {"name": "", "problem": str(error)}
    if not isinstance(about, dict):
        about = {"name": ""}
    one = Attached(folder, about, {})
    token = folder / STAMP
    stamped = ""
    if token.is_file() and not token.is_symlink():
        with suppress(CustodyError):
            stamped = timestamps.read(token.read_bytes()[: timestamps.MOST_BYTES], words).time
    content = measure(1, one.content).sha256 or ""
    return Attached(folder, about, {"content": content, "about": hashlib.sha256(words).hexdigest()}, stamped=stamped)


def _media_type(path: Path, sniffed: str | None, archive: wacz.WebArchive | None) -> str:
    if archive is not None:
        return "application/wacz"
    if sniffed is not None:
        return sniffed
    return {".json": "application/json", ".html": "text/html", ".pdf": "application/pdf", ".txt": "text/plain"}.get(
        path.suffix.lower(), "application/octet-stream"
    )


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) else ".bin"

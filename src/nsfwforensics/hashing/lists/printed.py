"""What programs print of files' digests: ``md5sum`` and its kin, ``openssl dgst``, ``certutil``, ``Get-FileHash``."""

from __future__ import annotations

import re

from nsfwforensics.hashing.lists.items import HashKind, KnownItem
from nsfwforensics.hashing.lists.rows import BadLineError, LongHash, hash_bytes, shown, signal_kind

_BY_LENGTH = {32: HashKind.MD5, 40: HashKind.SHA1, 64: HashKind.SHA256}
_DIGEST = "[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}"
_CHECKSUM = re.compile(rf"(\\?)({_DIGEST}) [ *]?(.+)", re.DOTALL)
_TAGGED = re.compile(r"(?:HMAC-)?([A-Za-z0-9/-]*?) ?\((.+)\) ?= ?([0-9a-fA-F]+)", re.DOTALL)
_ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}
_OPENSSL = re.compile(r"sha2?-?(1|224|256|384|512)", re.IGNORECASE)


def checksums(line: str) -> KnownItem | None:
    """What ``md5sum`` and its kin print, plain or with ``--tag``, names escaped as they do, and ``openssl dgst``.

    ``openssl`` prints ``SHA256(name)= digest``, since version 3 ``SHA2-256(name)= digest``, of its standard input
    ``(stdin)= digest``, and with ``-r`` what ``sha256sum`` does.
    """
    if match := _TAGGED.fullmatch(line):
        kind = _algorithm(match[1], match[3])
        return KnownItem.single(kind, hash_bytes(match[3], kind), name=match[2])
    match = _CHECKSUM.fullmatch(line)
    if match is None:
        raise BadLineError(f"not a digest, two characters and a name: {shown(line)}")
    kind = _BY_LENGTH[len(match[2])]
    name = re.sub(r"\\[\\nr]", lambda found: _ESCAPES[found[0]], match[3]) if match[1] else match[3]
    return KnownItem.single(kind, hash_bytes(match[2], kind), name=name)


def _algorithm(name: str, digest: str) -> HashKind:
    if not name:
        if (kind := _BY_LENGTH.get(len(digest))) is None:
            raise BadLineError(f"not 32, 40 or 64 hexadecimal digits: {shown(digest)}")
        return kind
    return signal_kind(f"sha{found[1]}" if (found := _OPENSSL.fullmatch(name)) else name)


_SPACED = re.compile(r"[0-9a-fA-F]{2}(?: ?[0-9a-fA-F]{2})*")


class Certutil:
    """``certutil -hashfile``: a line with algorithm and name, one with the digest, one that says how it ended.

    The words are the system's language's, so that the digest is known by its digits; older systems put a space after
    every other one.
    """

    def __init__(self) -> None:
        self._kind: str = ""
        self._name = ""

    def __call__(self, line: str) -> KnownItem | None:
        """Takes one line; None for one without a digest."""
        text = line.strip()
        if not _SPACED.fullmatch(text):
            if match := CERTUTIL.match(text):
                self._kind, self._name = match[1], _certutil_name(text[match.end() :])
            return None
        digits = text.replace(" ", "")
        kind = _algorithm(self._kind, digits)
        name, self._kind, self._name = self._name, "", ""
        return KnownItem.single(kind, hash_bytes(digits, kind), name=name)


CERTUTIL = re.compile(r"(MD2|MD4|MD5|SHA-?1|SHA-?256|SHA-?384|SHA-?512)\b(?=[^(=]*:\s*$)", re.IGNORECASE)
"""How the line before a digest begins, in every language seen."""


def _certutil_name(rest: str) -> str:
    """The name in ``hash of file NAME:`` or ``hash of NAME:``; all that follows the algorithm in other languages."""
    text = rest.strip().removesuffix(":").strip()
    return re.sub(r"^hash of (?:file )?", "", text, flags=re.IGNORECASE)


class GetFileHash:
    """PowerShell's ``Get-FileHash`` as it shows on the screen: a table, or a list of ``Hash : value`` (``| fl``).

    An empty line ends an entry of the list. Values that go on in the next line are put together.
    """

    def __init__(self, long_hash: LongHash) -> None:
        self._fields: dict[str, str] = {}
        self._last = ""
        self._long = long_hash

    def __call__(self, line: str) -> KnownItem | None:
        """Takes one line; an empty one too."""
        if match := _FIELD.fullmatch(line):
            before = self._ended() if match[1].lower() in self._fields else None
            self._last = match[1].lower()
            self._fields[self._last] = match[2].strip()
            return before
        if not line.strip():
            return self._ended()
        if self._fields and line[:1].isspace():
            self._fields[self._last] = (self._fields[self._last] + line.strip())[:_LONGEST_VALUE]
            return None
        return self._row(line)

    def _row(self, line: str) -> KnownItem | None:
        if TABLE_HEAD.match(line) or re.fullmatch(r"[\s-]*", line):
            return None
        parts = line.split(maxsplit=2)
        if len(parts) < 2:
            raise BadLineError(f"not an algorithm, a hash and a path: {shown(line)}")
        kind = signal_kind(parts[0])
        return KnownItem.single(kind, hash_bytes(parts[1], kind), name=parts[2].strip() if len(parts) > 2 else "")

    def _ended(self) -> KnownItem | None:
        fields, self._fields = self._fields, {}
        if not fields:
            return None
        if not (digest := fields.get("hash", "")):
            raise BadLineError("no hash")
        kind = signal_kind(fields["algorithm"]) if fields.get("algorithm") else self._long.of(digest)
        return KnownItem.single(kind, hash_bytes(digest, kind), name=fields.get("path", ""))


_FIELD = re.compile(r"\s*(Algorithm|Hash|Path)\s*:(.*)", re.IGNORECASE)
_LONGEST_VALUE = 1 << 15
TABLE_HEAD = re.compile(r"Algorithm\s+Hash\b", re.IGNORECASE)
"""How the table begins."""

LIST_HEAD = re.compile(r"(?:Algorithm|Hash)\s+:", re.IGNORECASE)
"""How the list begins."""

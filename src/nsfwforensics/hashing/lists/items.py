"""One known picture as a list of hashes describes it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class HashKind(StrEnum):
    """What a hash is of: PDQ of how a picture looks, the others of a file's bytes."""

    PDQ = "pdq"
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"

    @property
    def size(self) -> int:
        """Length of such a hash, in bytes."""
        return _SIZES[self]


_SIZES = {HashKind.PDQ: 32, HashKind.MD5: 16, HashKind.SHA1: 20, HashKind.SHA256: 32}

KINDS = tuple(HashKind)


class Opinion(StrEnum):
    """What whoever keeps the list thinks of an entry, in ThreatExchange's words.

    ``POSITIVE`` was confirmed to belong on the list, ``INVESTIGATION_SEED`` was reported and not confirmed,
    ``NEGATIVE`` was found not to belong there, and on ``DISPUTED`` opinions differ.
    """

    POSITIVE = "POSITIVE"
    INVESTIGATION_SEED = "INVESTIGATION_SEED"
    NEGATIVE = "NEGATIVE"
    DISPUTED = "DISPUTED"


class KnownItem(NamedTuple):
    """One known picture. At least one of the hashes is there; everything else may be missing.

    Attributes:
        pdq: PDQ hash, 32 bytes.
        md5: 16 bytes.
        sha1: 20 bytes.
        sha256: 32 bytes.
        quality: PDQ quality, 0–100.
        name: The file's name on the list; text of unknown origin.
        size: The file's size in bytes.
        opinion: What the list says of it.
        status: StopNCII's ``hashStatus``.
        cases: Case numbers with the status of each.
        feedback: What platforms said: source, value, tags.
        modified: When the entry was last changed, seconds since the epoch.
        category: Project VIC's or CAID's; what a number means is for the country that keeps the list.
    """

    pdq: bytes | None = None
    md5: bytes | None = None
    sha1: bytes | None = None
    sha256: bytes | None = None
    quality: int | None = None
    name: str = ""
    size: int | None = None
    opinion: Opinion | None = None
    status: str = ""
    cases: tuple[tuple[str, str], ...] = ()
    feedback: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    modified: int | None = None
    category: int | None = None

    def hashes(self) -> dict[HashKind, Any]:
        """The hashes that are there, PDQ first."""
        return {kind: value for kind, value in zip(KINDS, self, strict=False) if value is not None}

    def details(self) -> dict[str, Any]:
        """Everything but the hashes as plain values, without what is missing."""
        own = self[len(KINDS) :]
        if own == _NO_DETAILS:
            return {}
        rows = zip(self._fields[len(KINDS) :], own, _NO_DETAILS, strict=True)
        return {field: value for field, value, missing in rows if value != missing}

    @classmethod
    def single(cls, kind: HashKind, value: bytes, **details: Any) -> KnownItem:
        """An item with one hash."""
        fields: dict[str, Any] = {kind.value: value, **details}
        return cls(**fields)

    @classmethod
    def of(cls, hashes: Mapping[HashKind, bytes], details: Mapping[str, Any]) -> KnownItem:
        """Puts together what :meth:`hashes` and :meth:`details` took apart, the latter also after a trip through JSON.

        Raises:
            ValueError: The opinion is none of :class:`Opinion`, or a hash has another length than its kind.
            TypeError: There is a detail of an unknown name or of another kind.
        """
        values = dict(details)
        if any(type(values.get(name, kind())) is not kind for name, kind in _PLAIN.items()):
            raise TypeError("a detail of another kind")
        if any(len(value) != kind.size for kind, value in hashes.items()):
            raise ValueError("a hash of another length")
        if "opinion" in values:
            values["opinion"] = Opinion(values["opinion"])
        if "cases" in values:
            values["cases"] = tuple((str(number), str(status)) for number, status in values["cases"])
        if "feedback" in values:
            values["feedback"] = tuple((str(s), str(v), tuple(map(str, tags))) for s, v, tags in values["feedback"])
        values |= {kind.value: value for kind, value in hashes.items()}
        return cls(**values)


_PLAIN: Mapping[str, type] = {"quality": int, "name": str, "size": int, "status": str, "modified": int}

_NO_DETAILS = tuple(KnownItem()[len(KINDS) :])


def opinion_of(status: str, feedback: tuple[tuple[str, str, tuple[str, ...]], ...]) -> Opinion | None:
    """The opinion that a StopNCII record amounts to.

    A person submitted it, so it is a seed; platforms that looked either blocked it or did not, and may differ.
    """
    values = {value for _, value, _ in feedback}
    blocked, kept = "Blocked" in values, "NotBlocked" in values
    if blocked and kept:
        return Opinion.DISPUTED
    if blocked:
        return Opinion.POSITIVE
    if kept:
        return Opinion.NEGATIVE
    return Opinion.INVESTIGATION_SEED if status in ("Active", "Received") else None

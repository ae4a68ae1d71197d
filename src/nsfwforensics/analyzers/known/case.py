"""A case as a list of known images: its hashes, with what was decided about each file as the opinion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nsfwforensics.core.hashes import QUALITY_USABLE
from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.index.known import KnownPlace, Signature, enrol_items, enrol_known
from nsfwforensics.hashing.lists.items import HashKind, KnownItem, Opinion
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.connection import is_case
from nsfwforensics.store.rows import CaseHashes, Decision

OPINIONS: Mapping[Decision | None, Opinion | None] = {
    Decision.RELEVANT: Opinion.POSITIVE,
    Decision.NEEDS_REVIEW: Opinion.INVESTIGATION_SEED,
    Decision.NOT_RELEVANT: Opinion.NEGATIVE,
    Decision.FALSE_POSITIVE: Opinion.NEGATIVE,
    Decision.UNDECIDED: None,
    None: None,
}
"""What a decision says to somebody who finds the picture again."""


def enrol_places(paths: Sequence[Path], long_hash: HashKind | None = None) -> tuple[KnownPlace, ...]:
    """Opens lists, indexes and cases alike, in their order.

    Args:
        paths: What the user named.
        long_hash: What 64 digits without a name are; told by their bits if None.

    Raises:
        HashListError: A list or an index cannot be read, or a place holds no hash.
        CaseError: A case cannot be read.
    """
    return tuple(
        _case(path) if path.is_file() and is_case(path) else enrol_known([path], long_hash)[0] for path in paths
    )


def _case(path: Path) -> KnownPlace:
    with CaseDatabase.open(path) as case:
        return enrol_items(path, _items(case.hashes()), "case", _signatures(path, case))


def _signatures(path: Path, case: CaseDatabase) -> Iterator[Signature]:
    """The signatures that the case kept, each looked at before a worker meets it."""
    from nsfwforensics.signals.matching.parts import METHOD
    from nsfwforensics.signals.matching.signature import decode

    for sha256, signature in case.signatures(METHOD):
        try:
            decode(signature)
        except ValueError as error:
            raise HashListError(f"{path}: the signature of {sha256} cannot be used: {error}") from error
        yield bytes.fromhex(sha256), METHOD, signature


def _items(contents: Iterator[CaseHashes]) -> Iterator[KnownItem]:
    """The contents of a case; as from a list, a PDQ hash of too little quality is left out."""
    for content in contents:
        digests = {name: bytes.fromhex(content.values[name]) for name in ("md5", "sha1") if name in content.values}
        pdq = content.values.get("pdq")
        usable = pdq is not None and (content.pdq_quality is None or content.pdq_quality >= QUALITY_USABLE)
        yield KnownItem(
            pdq=bytes.fromhex(pdq) if pdq is not None and usable else None,
            md5=digests.get("md5"),
            sha1=digests.get("sha1"),
            sha256=bytes.fromhex(content.sha256),
            quality=content.pdq_quality,
            name=content.path,
            opinion=OPINIONS[content.decision],
        )

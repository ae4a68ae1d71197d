"""What clustering finds, as frozen documents: the shape of ``clusters.json``."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from nsfwforensics.core.worded import Text

SCHEMA_VERSION: Literal["1.0"] = "1.0"


class Stage(StrEnum):
    """How two pictures were found to belong together."""

    BYTES = "bytes"
    LOOKS = "looks"
    FEATURES = "features"
    SEMANTIC = "semantic"


class Sureness(StrEnum):
    """How sure a link is, in words; the error rates behind them are in ``docs/near-duplicates.md``."""

    CERTAIN = "certain"
    VERY_LIKELY = "very likely"
    LIKELY = "likely"


class Document(BaseModel):
    """A part of a result: frozen, closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Link(Document):
    """Why a file is in its cluster.

    Attributes:
        stage: What joined it.
        to: Path of the file that it was compared with: the representative, or a member that was joined before.
        sureness: How sure that is.
        distance: PDQ distance in bits of 256, where looks joined it.
        transform: How the picture was turned or mirrored when its looks were compared; names of PDQ's transforms.
        score: -log10 of the expected number of chance agreements, where local features joined it.
        shown: Share of the other picture's area that lies inside this one, 0–1; an upper bound.
        mirrored: Whether it is mirrored against the other, where local features joined it.
        similarity: How alike the two look to a network, at most 1, where that joined them: likely the same scene, which
            does not make one a copy of the other.
    """

    stage: Stage
    to: Text
    sureness: Sureness
    distance: int | None = None
    transform: str | None = None
    score: float | None = None
    shown: float | None = None
    mirrored: bool | None = None
    similarity: float | None = None


class Member(Document):
    """One file that was compared.

    Attributes:
        path: Where it is.
        sha256: Of its bytes.
        size: In bytes.
        modified: When it was last changed, ISO 8601 in UTC.
        width: Of the picture as shown, in pixels.
        height: Of the picture as shown, in pixels.
        comparable: Whether its looks or its local features could be compared; False for pictures with next to no
            structure, of which only exact copies are found.
        link: Why it is in its cluster; None for the representative and for a file that is alone.
    """

    path: Text
    sha256: str
    size: int
    modified: str | None
    width: int | None
    height: int | None
    comparable: bool
    link: Link | None = None


class Cluster(Document):
    """Files that are near-duplicates of one another.

    Attributes:
        number: From 1 up, largest cluster first.
        representative: The file with the most pixels; of these the one with most bytes, then the earliest.
        members: The others.
    """

    number: int
    representative: Member
    members: tuple[Member, ...]


class Problem(Document):
    """A file that was not compared.

    Attributes:
        path: Where it is.
        reason: Why.
        failed: True where it should have been compared and could not be; False for what is no image.
    """

    path: Text
    reason: Text
    failed: bool


class Result(Document):
    """What every result of a run says of the run.

    Attributes:
        schema_version: Of this document.
        tool: Name of the tool.
        version: Of the tool.
        command: The command line, or the call.
        started: ISO 8601 in UTC.
        finished: ISO 8601 in UTC.
        problems: Files that were not looked at.
    """

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    tool: Literal["nsfwforensics"] = "nsfwforensics"
    version: str
    command: Text
    started: str
    finished: str
    problems: tuple[Problem, ...]

    @property
    def failed(self) -> bool:
        """Whether a file that should have been looked at could not be."""
        return any(problem.failed for problem in self.problems)


class Clustering(Result):
    """What ``clusters.json`` holds: clusters, files that are alone, problems.

    Attributes:
        pdq_distance: Largest PDQ distance that joins, in bits.
        feature_score: Least score of an alignment that joins.
        similarity: Least likeness to a network that joins; None where that was not asked for.
        pictures: How many files were compared.
        clusters: Clusters of two files or more.
        alone: Files without a near-duplicate here.
    """

    pdq_distance: int
    feature_score: float
    similarity: float | None = None
    pictures: int
    clusters: tuple[Cluster, ...]
    alone: tuple[Member, ...]


__all__ = ["Cluster", "Clustering", "Link", "Member", "Problem", "Result", "Stage", "Sureness"]

"""Does it show the same scene as a picture that you have? What a network sees in both, compared; a lead, never a proof.

Hashes and local features find what was made from a photo and kept some of its details. Where an editor painted a new
background, new light or most of the picture anew, what the picture shows may still look alike to a network. Runs only
where it was asked for: a picture takes about half a second of a core.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nsfwforensics.analyzers.scene.words import CODES, FIGURES, alike_words, rates, unlike_words
from nsfwforensics.core.analyzer import AnalyzerOptions, BatchAnalyzer, Code, Enrolment, Outcome, Resources
from nsfwforensics.core.enrol_files import pictures
from nsfwforensics.core.error_rates import ERROR_RATES
from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.types import Artifact, FileInfo, ModelRecord, Question
from nsfwforensics.core.vocabulary import SCENES
from nsfwforensics.errors import EnrolmentError, EvidenceError, WeightsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.core.evidence import Evidence

    View = NDArray[np.uint8]
    Embedding = NDArray[np.float32]


class SceneOptions(AnalyzerOptions):
    """What is looked for, and what is kept."""

    like: tuple[Path, ...] = Field(
        default=(),
        description="A picture whose scene to look for in the others, or a folder of such pictures; may be repeated",
        json_schema_extra={"flag": "--like"},
    )
    embeddings: bool = Field(
        default=False,
        description="With --case: keep what the network makes of each picture (1 kB), by which `case like` finds it "
        "again. What pictures of people look like is personal data",
        json_schema_extra={"flag": "--embeddings", "case": True},
    )


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledPictures:
    """The pictures that are looked for: names, SHA-256, and float32 (n, 512)."""

    names: tuple[str, ...]
    digests: tuple[str, ...]
    rows: Embedding


class SceneAnalyzer(BatchAnalyzer["View", "Embedding"]):
    """Compares what a network makes of each picture with what it makes of those that are looked for."""

    name = "scene"
    version = "1"
    title = "Pictures that look like the same scene"
    question = Question.KNOWN
    method = say(
        "Compares what CLIP, a network trained on what pictures show, makes of the picture's middle square with what "
        "it makes of the pictures that are looked for."
    )
    source = "docs/near-duplicates.md; Radford et al., arXiv 2103.00020 (2021)"
    codes: ClassVar[Mapping[str, Code]] = CODES
    figures = FIGURES
    place = 105
    looks_at = SCENES
    help = "pictures that look like the same scene"
    needs_device = True
    asked_by = ("like", "embeddings")
    Options = SceneOptions

    @classmethod
    def enrol(cls, options: Any, resources: Resources) -> Enrolment:
        """Embeds the pictures that are looked for.

        Raises:
            EnrolmentError: A named one cannot be read or compared, or none can.
            WeightsError: The weights or the measured figures are missing or altered.
        """
        if not options.like:
            return Enrolment()
        from nsfwforensics.models.scene import embeddings, scene_figures, view

        figures = scene_figures(resources.weights)
        named = {path.absolute() for path in options.like}
        views: dict[str, tuple[str, View]] = {}
        records = []
        for evidence in pictures(options.like, "picture"):
            record: dict[str, Any] = {"role": "like", "path": str(evidence.path), "sha256": evidence.sha256}
            seen: View | str
            try:
                seen = view(evidence, resources.weights)
            except EvidenceError as error:
                seen = error.message
            if not isinstance(seen, str):
                views.setdefault(evidence.sha256, (evidence.path.name, seen))
            elif evidence.path.absolute() in named:
                raise EnrolmentError(f"picture {evidence.path}: it cannot be looked for: {seen}")
            else:
                record["left_out"] = seen
            records.append(record)
        if not views:
            raise EnrolmentError("none of the pictures can be looked for")
        rows = embeddings([seen for _, seen in views.values()], resources.device, resources.weights)
        wanted = EnrolledPictures(tuple(name for name, _ in views.values()), tuple(views), rows)
        digest = hashlib.sha256("".join([*sorted(views), figures.digest]).encode()).hexdigest()
        return Enrolment(wanted, tuple(records), digest)

    @property
    def _asked(self) -> bool:
        return bool(self.options.like or self.options.embeddings)

    def unavailable(self) -> str | None:
        """Names the weights or figures that are missing, if any."""
        if not self._asked:
            return None
        from nsfwforensics.models import weights
        from nsfwforensics.models.scene import scene_figures

        try:
            for record in self.models():
                weights.locate(record.name, self.resources.weights)
            scene_figures(self.resources.weights)
        except WeightsError as error:
            return error.message
        return None

    def models(self) -> tuple[ModelRecord, ...]:
        """The network, where it was asked for."""
        if not self._asked:
            return ()
        from nsfwforensics.models.scene import records

        return records(self.name)

    def prepare(self, evidence: Evidence) -> View | Outcome:
        """Takes the picture's middle square, as the network sees it.

        Raises:
            EvidenceError: The picture cannot be decoded.
        """
        if not self._asked:
            return Outcome.not_applicable(say("no picture to look for was given (--like)"))
        from nsfwforensics.models.scene import view

        seen = view(evidence, self.resources.weights)
        return Outcome.not_applicable(seen) if isinstance(seen, Message) else seen

    def infer(self, batch: Sequence[View]) -> Sequence[Embedding]:
        """Embeds many pictures."""
        from nsfwforensics.models.scene import embeddings

        return list(embeddings(batch, self.resources.device, self.resources.weights))

    def conclude(self, info: FileInfo, scores: Embedding) -> Outcome:
        """Says which of the pictures it looks most like, and whether that is enough to be named."""
        del info
        kept = (self._kept(scores),) if self.options.embeddings else ()
        wanted: EnrolledPictures | None = self.enrolment.state
        if wanted is None:
            return Outcome.measured(
                say("what the network makes of it is kept, and was compared with nothing"), {}, kept
            )
        from nsfwforensics.models.scene import scene_figures

        figures = scene_figures(self.resources.weights)
        alike = figures.similarities(scores[None], wanted.rows)[0]
        best = int(alike.argmax())
        similarity, name = round(float(alike[best]), 4), wanted.names[best]
        measured = {
            "similarity": similarity,
            "nearest": name,
            "nearest_sha256": wanted.digests[best],
            "alike_from": figures.alike_from,
        }
        if similarity < figures.alike_from:
            return Outcome.measured(unlike_words(similarity, name, figures), measured, kept)
        data = {**measured, ERROR_RATES: rates(figures)}
        return Outcome.of(
            [self.finding("SCENE-001", alike_words(similarity, name, figures), data=data)], measured, kept
        )

    @staticmethod
    def _kept(embedding: Embedding) -> Artifact:
        from nsfwforensics.models.scene import METHOD, encode
        from nsfwforensics.store.signatures import as_artifact

        return as_artifact(METHOD, encode(embedding))

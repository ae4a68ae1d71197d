"""Invisible watermarks that image generators write into the pixels and that can be read without their makers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from nsfwforensics.core.analyzer import Analyzer, Code, Outcome
from nsfwforensics.core.error_rates import counted, error_rate
from nsfwforensics.core.figures import Figures
from nsfwforensics.core.messages import say, sentences
from nsfwforensics.core.types import Finding, Question, Severity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.signals.dwtdct import BlockVotes, PayloadMatch

LEAST_CONTRAST = 0.10
"""Least contrast of a :class:`~nsfwforensics.signals.dwtdct.PayloadMatch`; ``docs/watermark.md`` has the figures."""

_COLOUR = ("RGB", "RGBA", "RGBX", "P", "PA")


@dataclass(frozen=True)
class Producer:
    """One payload and who writes it.

    Attributes:
        code: Of the finding.
        name: Of the generator, as its makers write it.
        writers: What writes it, in the plural, for a sentence.
        mark: The payload, as a string of 0 and 1 or as bytes.
        threshold: Least correlation reported, from ``docs/watermark.md``: with :data:`LEAST_CONTRAST`, far above what
            is exceeded once in a million trials where nothing was written.
        source: Where the payload is published.
    """

    code: str
    name: str
    writers: str
    mark: str | bytes
    threshold: float
    source: str

    @cached_property
    def payload(self) -> NDArray[np.uint8]:
        """The payload's bits, uint8 (length,)."""
        from nsfwforensics.signals.dwtdct import bits

        return bits(self.mark)

    def spelt_by(self, match: PayloadMatch) -> bool:
        """Whether a match is good enough to be reported."""
        return match.correlation >= self.threshold and match.contrast >= LEAST_CONTRAST


PRODUCERS = (
    Producer(
        "WMK-001",
        "Stable Diffusion XL",
        say("Stable Diffusion XL pipelines"),
        "101100111110110010010000011110111011000110011110",
        0.80,
        "diffusers, pipelines/stable_diffusion_xl/watermark.py; Stability AI generative-models",
    ),
    Producer(
        "WMK-002",
        "FLUX",
        say("FLUX pipelines of Black Forest Labs"),
        "1010101111111010000111100111001111010100101110",  # of the 48 bits meant, two leading zeros are lost
        0.80,
        "flux, src/flux/util.py",
    ),
    Producer(
        "WMK-003",
        "Stable Diffusion 1",
        say("the first Stable Diffusion scripts"),
        b"StableDiffusionV1",
        0.70,
        "stable-diffusion, scripts/txt2img.py and img2img.py",
    ),
    Producer(
        "WMK-004",
        "Stable Diffusion 2",
        say("Stable Diffusion 2 scripts"),
        b"SDV2",
        0.90,
        "stablediffusion, scripts/txt2img.py and img2img.py",
    ),
)

_CAVEAT = say(
    "Anyone can write this watermark into any picture with a public library. The same software also writes it into "
    "existing pictures that it changes, so it does not say whether the whole picture was made by it. Cropping, "
    "resizing and most re-saving remove it: a picture without it is no more and no less genuine."
)

_COUNTED = counted("watermark_without_one")
_MEASURED = say(
    "In tests {errors} were found in {trials:,} trials on pictures without one; many trials were made on the same "
    "pictures, so this is no exact bound.",
    **_COUNTED._asdict(),
)
_RATE = error_rate(say("trials on pictures without a watermark in which one was found"), *_COUNTED)


class WatermarkAnalyzer(Analyzer):
    """Looks for the invisible watermarks of Stable Diffusion 1, 2, XL and FLUX (method ``dwtDct``).

    They are fixed patterns, the same in every picture of one producer, hidden in the colour of the pixels. Finding one
    is evidence; not finding one is none, because nearly every way of sharing a picture removes it. The watermarks of
    OpenAI, Google, Amazon and others cannot be read by anyone but them.
    """

    name = "watermark"
    version = "1"
    title = "Invisible watermarks of Stable Diffusion and FLUX (dwtDct)"
    question = Question.ORIGIN
    method = say(
        "Reads the bits that some image generators hide in the pixels and compares them with the marks that are known."
    )
    source = "docs/watermark.md; invisible-watermark (dwtDct)"
    figures: ClassVar[Figures] = {
        **{producer.code: producer.name for producer in PRODUCERS},
        "producer": say("producer"),
        "correlation": say("correlation"),
        "contrast": say("contrast"),
        "bits": say("bits"),
        "length": say("length"),
        "threshold": say("threshold"),
        "channel_order": say("order of the colours"),
        "arithmetic": say("arithmetic"),
        "payload_source": say("where the mark is published"),
    }
    place = 20
    codes: ClassVar[Mapping[str, Code]] = {
        producer.code: Code(
            say("Invisible watermark of {generator}", generator=producer.name),
            Severity.MEDIUM,
            sentences(_CAVEAT, _MEASURED),
            rates=(_RATE,),
        )
        for producer in PRODUCERS
    }

    def examine(self, evidence: Evidence) -> Outcome:
        """Reads one picture at its native size, as stored: neither turned nor laid over white.

        Measurements are, for each producer, the best ``correlation`` (−1 to 1) with its ``contrast`` and ``bits``.
        """
        from nsfwforensics.signals.dwtdct import LEAST_PIXELS

        picture = evidence.original
        if picture.mode not in _COLOUR:
            return Outcome.not_applicable(
                say("the picture is not stored in RGB colour (mode {mode})", mode=picture.mode)
            )
        if picture.width * picture.height < LEAST_PIXELS:
            return Outcome.not_applicable(say("smaller than 256 × 256 pixels: these watermarks are not written to it"))
        found = _readings(evidence)
        if not found:
            return Outcome.not_applicable(say("too narrow to hold these watermarks"))
        findings: list[Finding] = []
        measurements: dict[str, Any] = {}
        for producer in PRODUCERS:
            reading, best = _best(found, producer)
            figures = {
                "correlation": round(best.correlation, 3),
                "contrast": round(best.contrast, 3),
                "bits": best.bits,
                "length": best.length,
            }
            measurements[producer.code] = {"producer": producer.name, **figures}
            if producer.spelt_by(best):
                how = {"channel_order": reading.order, "arithmetic": reading.arithmetic}
                findings.append(self._finding(producer, {**figures, **how, "threshold": producer.threshold}))
        return Outcome.of(findings, measurements)

    def _finding(self, producer: Producer, data: Mapping[str, Any]) -> Finding:
        return self.finding(
            producer.code,
            say(
                "The pixels carry the invisible watermark that {software} write; this is consistent with having been "
                "generated or changed by such software.",
                software=producer.writers,
            ),
            data={**data, "producer": producer.name, "payload_source": producer.source},
        )


def _readings(evidence: Evidence) -> tuple[BlockVotes, ...]:
    import numpy as np

    from nsfwforensics.signals.dwtdct import MOST_PIXELS, readings

    picture = evidence.original
    rows = max(8, MOST_PIXELS // picture.width)
    if picture is evidence.image and picture.mode == "RGB":  # these pixels are asked for by others too
        return readings(evidence.rgb[:rows])
    top = picture.crop((0, 0, picture.width, min(picture.height, rows)))  # before converting: bounded work
    return readings(np.asarray(top.convert("RGB")))


def _best(found: tuple[BlockVotes, ...], producer: Producer) -> tuple[BlockVotes, PayloadMatch]:
    """The reading that spells a payload best, one that reaches the rule first."""
    from nsfwforensics.signals.dwtdct import match

    matches = [(reading, match(reading.votes, producer.payload)) for reading in found]
    return max(matches, key=lambda pair: (producer.spelt_by(pair[1]), pair[1].correlation))

"""The card of a model that a user brings: what it is, what it wants to see, what its numbers mean.

A card is a TOML file beside the model. It is data and never runs anything. What it claims of itself (error rates,
calibration) is repeated in reports as its claim; figures that ``model evaluate`` measured stand in a second file beside
it, ``<card>.measured.toml``, which is bound to the bytes of card and model.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nsfwforensics.models.synthesis.calibration import AS_IS, MEDIUM, SMALL, Rate

Name = Annotated[str, Field(min_length=1, max_length=100)]
Text = Annotated[str, Field(max_length=4000)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Three = tuple[float, float, float]
Counted = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(gt=0)]]
State = Literal["as_is", "768_q60", "512_q40"]

STATES: tuple[str, ...] = (AS_IS, MEDIUM, SMALL)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelFormat(StrEnum):
    """Formats that hold numbers and nothing that could run."""

    ONNX = "onnx"
    SAFETENSORS = "safetensors"


class Fit(StrEnum):
    """How a picture becomes inputs."""

    CROPS = "crops"
    """Several crops in native pixels, scores averaged."""
    CENTRE = "centre"
    """The shorter side reduced or enlarged to ``shorter``, the middle cut out."""
    STRETCH = "stretch"
    """The whole picture resized to the input, whatever its proportions."""


class About(_Part):
    """``[detector]``: what the model is.

    Attributes:
        name: Of the model.
        version: Of the model.
        licence: Its terms.
        format: How its numbers are stored.
        file: The model's file, beside the card.
        sha256: Of that file.
        architecture: For safetensors, a registered architecture.
        source: Where it comes from.
        training_data: What it was trained on.
        known_failures: What is known to go wrong.
    """

    name: Name
    version: Name
    licence: Name
    format: ModelFormat
    file: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^/\\\x00]+$")]
    sha256: Sha256
    architecture: Name | None = None
    source: Text = ""
    training_data: Text = ""
    known_failures: Text = ""


class Input(_Part):
    """``[input]``: what it wants to see (ONNX only; a registered architecture knows).

    Attributes:
        width: In pixels.
        height: In pixels.
        fit: How a picture becomes inputs.
        shorter: For ``centre``: the shorter side before cutting, in pixels.
        crops: For ``crops``: most crops of a picture.
        layout: Order of the axes.
        colour: Order of the channels.
        scale: What 0–255 is divided by.
        mean: Subtracted after that, by channel in the order of ``colour``.
        std: Divided by after that.
    """

    width: int = Field(ge=16, le=1024)
    height: int = Field(ge=16, le=1024)
    fit: Fit = Fit.CENTRE
    shorter: int | None = Field(default=None, ge=16, le=2048)
    crops: int = Field(default=6, ge=1, le=16)
    layout: Literal["nchw", "nhwc"] = "nchw"
    colour: Literal["rgb", "bgr"] = "rgb"
    scale: float = Field(default=255.0, gt=0)
    mean: Three = (0.0, 0.0, 0.0)
    std: Three = (1.0, 1.0, 1.0)

    @model_validator(mode="after")
    def _possible(self) -> Input:
        if self.fit is Fit.CROPS and self.width != self.height:
            raise ValueError("crops are square: width and height differ")
        if self.shorter is not None and self.shorter < max(self.width, self.height):
            raise ValueError("shorter is less than the input's own sides")
        if any(value <= 0 for value in self.std):
            raise ValueError("std has a value that is not above 0")
        return self


class Output(_Part):
    """``[output]``: what its numbers are.

    Attributes:
        kind: One logit, one probability, or one number for each of two classes.
        values: For two classes: whether they are logits or probabilities.
        higher: For one number: what a higher one means.
        generated_index: For two classes: which of them is "generated".
    """

    kind: Literal["logit", "probability", "two-class"]
    values: Literal["logits", "probabilities"] = "logits"
    higher: Literal["generated", "real"] = "generated"
    generated_index: Literal[0, 1] = 1


class CardCalibration(_Part):
    """``[calibration]``: what its score means, by its card. The score is a logit; a probability becomes one.

    Attributes:
        temperature: The score is divided by it before it becomes a probability.
        piecewise: Instead: points (score, probability), both ascending, with straight lines between.
        generated_from: A score from here on may be said to look generated.
        on: What that was found on.
    """

    temperature: float | None = Field(default=None, gt=0)
    piecewise: tuple[tuple[float, float], ...] = Field(default=(), max_length=1000)
    generated_from: float | None = None
    on: Text = ""

    @field_validator("piecewise")
    @classmethod
    def _ascending(cls, points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if len(points) == 1 or any(not 0 <= p <= 1 for _, p in points):
            raise ValueError("piecewise needs two or more points with probabilities from 0 to 1")
        if any(b[0] <= a[0] or b[1] < a[1] for a, b in pairwise(points)):
            raise ValueError("the points of piecewise do not ascend")
        return points

    @model_validator(mode="after")
    def _one_way(self) -> CardCalibration:
        if self.temperature is not None and self.piecewise:
            raise ValueError("temperature and piecewise exclude each other")
        return self


class CardLimits(_Part):
    """``[limits]``: what pictures it is meant for; others are inconclusive.

    Attributes:
        min_side: Shorter side in pixels.
        min_quality: Least JPEG quality, estimated.
        max_flat_share: Share without visible detail, 0–1.
    """

    min_side: int = Field(default=256, ge=16, le=4096)
    min_quality: float = Field(default=50.0, ge=0, le=100)
    max_flat_share: float = Field(default=0.75, ge=0, le=1)


class Rates(_Part):
    """``[[rates]]``: what was counted in one state, each as [count, of how many].

    Attributes:
        state: ``as_is``, ``768_q60`` (at most 768 px, JPEG quality 60) or ``512_q40``.
        real_called: Photographs that it called generated.
        generated_called: Generated pictures that it called so.
    """

    state: State
    real_called: Counted
    generated_called: Counted

    @model_validator(mode="after")
    def _shares(self) -> Rates:
        if any(count > total for count, total in (self.real_called, self.generated_called)):
            raise ValueError("a rate counts more than there were")
        return self


class DetectorCard(_Part):
    """A whole card. ``rates`` is empty where its author measured none."""

    detector: About
    input: Input | None = None
    output: Output = Output(kind="logit")
    calibration: CardCalibration = CardCalibration()
    limits: CardLimits = CardLimits()
    rates: tuple[Rates, ...] = Field(default=(), max_length=3)

    @model_validator(mode="after")
    def _whole(self) -> DetectorCard:
        if self.detector.format is ModelFormat.ONNX and self.input is None:
            raise ValueError("an ONNX model needs [input]")
        if (self.detector.format is ModelFormat.SAFETENSORS) == (self.detector.architecture is None):
            raise ValueError("architecture belongs to safetensors, and only there")
        if len({entry.state for entry in self.rates}) != len(self.rates):
            raise ValueError("a state has rates twice")
        return self


class Measurement(_Part):
    """``<card>.measured.toml``: rates that ``model evaluate`` counted with this very card and model.

    Attributes:
        card_sha256: Of the card's bytes.
        model_sha256: Of the model's bytes.
        when: When it was measured, in ISO 8601.
        leak: Whether the two folders could be told apart without looking at pixels; then the rates carry nothing.
        rates: What was counted.
    """

    card_sha256: Sha256
    model_sha256: Sha256
    when: Name
    leak: bool
    rates: tuple[Rates, ...] = Field(max_length=3)


def counted(rates: tuple[Rates, ...]) -> dict[str, dict[str, Rate]]:
    """Rates by state and name, as a calibration holds them."""
    return {
        entry.state: {"real_called": Rate(*entry.real_called), "generated_called": Rate(*entry.generated_called)}
        for entry in rates
    }

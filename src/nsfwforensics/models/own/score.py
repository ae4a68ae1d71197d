"""The scores of one picture by a model that a user brought."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PictureScore:
    """What the model says of one picture.

    Attributes:
        score: Mean logit over crops; higher looks more generated.
        spread: Standard deviation of the crops' logits.
        recompressed: The score had the picture been mildly recompressed.
        resized: The score had it been made a little smaller.
        crops: How many inputs were judged.
    """

    score: float
    spread: float
    recompressed: float
    resized: float
    crops: int

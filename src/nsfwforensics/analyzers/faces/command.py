"""``faces``: the search for one person's face alone."""

from __future__ import annotations

from nsfwforensics.core.command import Command

COMMAND = Command(
    "faces", "Look for one person's face, given reference photos.", examples=("faces photos/ --reference her.jpg",)
)

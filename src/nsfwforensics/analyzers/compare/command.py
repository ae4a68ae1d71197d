"""``compare``: pictures against the original photograph that they may have been made from."""

from __future__ import annotations

from nsfwforensics.core.command import Command

COMMAND = Command(
    "compare",
    "Show whether pictures were made from an original photo, and what was changed.",
    argument="original",
    metavar="ORIGINAL",
    examples=("compare her-original.jpg suspect.jpg", "compare originals/ photos/ -o report"),
)

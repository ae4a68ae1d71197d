"""``detect``: the classifier alone."""

from __future__ import annotations

from nsfwforensics.core.command import Command

COMMAND = Command("detect", "Ask the classifier whether pixels look generated.", examples=("detect picture.jpg",))

"""``detect``: the classifier alone, or a model that a user brought in its place."""

from __future__ import annotations

from nsfwforensics.core.command import Command

COMMAND = Command("detect", "Ask the classifier whether pixels look generated.")

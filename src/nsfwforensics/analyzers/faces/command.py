"""``faces``: the search for one person's face alone, and on request all faces joined into people."""

from __future__ import annotations

from nsfwforensics.core.command import Command

COMMAND = Command(
    "faces",
    "Look for one person's face, given reference photos.",
    examples=(
        "faces photos/ --reference her.jpg",
        "faces photos/ --group -o people/",
        "faces harbour.db --group",
    ),
    instead={
        "group": "Join the faces of files and folders, or of a case, into people instead: by number, never by name."
    },
)

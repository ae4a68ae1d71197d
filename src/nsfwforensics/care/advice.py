"""What a person should know before a picture that needs careful handling goes any further: the stop path.

The same sentences stand in the report, on the terminal and on the cover of a removal request. No age is ever said: it
is enough that somebody may be under 18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nsfwforensics.core.messages import Message, say

if TYPE_CHECKING:
    from nsfwforensics.care.helplines import HelpLine

STOP_TITLE = say("Before this picture goes any further")

MINOR = say("If the person shown is under 18, or may be, the steps below come first. This tool says nothing about age.")

STOP_PATH: tuple[Message, ...] = (
    say(
        "Do not copy, print, forward or embed the picture, and do not show it to others, not even to help or to prove."
    ),
    say("Keep only its hash (SHA-256) and where it is. Both stand in this report, and they are enough to report it."),
    say("Report it to a hotline. No one needs to confirm first what the picture shows or how old somebody is."),
    say("Ask the hotline or the police what should become of the original."),
)

ADULT = say(
    "If the person shown is an adult who did not agree to it, this is image-based sexual abuse, however the picture "
    "was made. The help lines below are for that too."
)

WHY_FOUND = say("The check for intimate content reacted to this file, so no picture of it was kept. It can be wrong.")

WHY_ASKED = say("This run was asked to handle every file with care (--sensitive), so no picture of any was kept.")


def checked(line: HelpLine) -> Message:
    """When an entry was collected, as it must stand beside it."""
    return say("checked on {date}", date=line.checked_on)

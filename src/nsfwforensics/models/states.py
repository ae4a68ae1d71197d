"""The states of pictures in which a detector's error rates are measured, in words."""

from __future__ import annotations

from collections.abc import Mapping

from nsfwforensics.core.messages import Message, say

STATES: Mapping[str, Message] = {
    "as_is": say("pictures in their original files"),
    "768_q60": say("pictures reduced to 768 pixels and saved at JPEG quality 60"),
    "512_q40": say("pictures reduced to 512 pixels and saved at JPEG quality 40"),
    "grey": say("pictures without colour"),
    "large": say("pictures of more than 840 pixels in their original files"),
    "plain_ground": say("pictures with plain, light ground around what they show"),
    "portrait": say("portraits in their original files"),
    "small": say("pictures with a shorter side of 200 to 330 pixels"),
}
"""The states in which error rates were measured, as noun phrases."""

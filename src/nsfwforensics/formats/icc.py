"""ICC profiles (ICC.1): the profile's own name and who made it."""

from __future__ import annotations

_MAX_TAGS = 200


def is_profile(profile: bytes) -> bool:
    """Whether bytes begin as an ICC profile does."""
    return len(profile) >= 132 and profile[36:40] == b"acsp"


def describe(profile: bytes) -> dict[str, str]:
    """Reads what an ICC profile says of itself.

    Args:
        profile: The whole profile.

    Returns:
        ``ProfileDescription``, ``ProfileCopyright``, ``DeviceManufacturer`` and ``ProfileCreator`` where present; empty
        for what is no profile.
    """
    if not is_profile(profile):
        return {}
    found: dict[str, str] = {}
    for index in range(min(int.from_bytes(profile[128:132], "big"), _MAX_TAGS)):
        entry = profile[132 + 12 * index : 144 + 12 * index]
        name = {b"desc": "ProfileDescription", b"cprt": "ProfileCopyright"}.get(entry[:4])
        if name and name not in found and len(entry) == 12:
            offset, size = int.from_bytes(entry[4:8], "big"), int.from_bytes(entry[8:12], "big")
            text = _text(profile[offset : offset + min(size, 65_536)])
            if text:
                found[name] = text
    for name, place in (("DeviceManufacturer", 48), ("ProfileCreator", 80)):
        code = profile[place : place + 4].decode("latin-1").strip("\0 ")
        if code:
            found[name] = code
    return found


def _text(tag: bytes) -> str:
    """The first text of a ``desc``, ``text`` or ``mluc`` element."""
    kind = tag[:4]
    if kind == b"desc":
        size = int.from_bytes(tag[8:12], "big")
        return tag[12 : 12 + size].split(b"\0", 1)[0].decode("latin-1")
    if kind == b"text":
        return tag[8:].split(b"\0", 1)[0].decode("latin-1")
    if kind == b"mluc" and len(tag) >= 28:
        size, offset = int.from_bytes(tag[20:24], "big"), int.from_bytes(tag[24:28], "big")
        return tag[offset : offset + size].decode("utf-16-be", "replace").strip("\0")
    return ""

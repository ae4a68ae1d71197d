"""Python pickles inside image files: the names in them, by reading opcodes. Nothing is ever unpickled."""

from __future__ import annotations

MAX_OPCODES = 20_000
MAX_NAMES = 200
MAX_NAME = 100

_TEXT = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "SHORT_BINSTRING", "BINSTRING",
                   "STRING"})  # fmt: skip


def pickled_names(data: bytes) -> tuple[str, ...]:
    """The short texts that a pickle holds, such as the keys of its dictionaries.

    Only the stream of opcodes is read (``pickletools.genops``), so that nothing in it can run.

    Args:
        data: What should be a pickle of protocol 2 or later.

    Returns:
        Each text once, in order; empty where the bytes are no complete pickle. Never raises.
    """
    if data[:1] != b"\x80":
        return ()
    from pickletools import genops

    names: dict[str, None] = {}
    last = ""
    try:
        for count, (opcode, argument, _) in enumerate(genops(data)):
            last = opcode.name
            if count >= MAX_OPCODES or len(names) >= MAX_NAMES:
                break
            if last in _TEXT and isinstance(argument, str) and len(argument) <= MAX_NAME:
                names[argument] = None
    except (ValueError, OverflowError, IndexError, TypeError):
        return ()
    return tuple(names) if last else ()

"""Copies the pins of some packages, with their hashes, from a lock file on standard input to standard output."""

from __future__ import annotations

import re
import sys


def only_pins(text: str, names: set[str]) -> str:
    """Keeps the entries of the named packages.

    Args:
        text: A requirements file in which an entry goes on over lines that end with a backslash.
        names: Package names, as written there.

    Returns:
        The kept entries, in their order.
    """
    entries = re.findall(r"^(?=\S)(?:[^\n]*\\\n)*[^\n]*\n?", text, flags=re.MULTILINE)
    return "".join(entry for entry in entries if re.split(r"[=<>~ ]", entry, maxsplit=1)[0] in names)


if __name__ == "__main__":
    sys.stdout.write(only_pins(sys.stdin.read(), set(sys.argv[1:])))

"""Checks a lock file: everything pinned to one version, with SHA-256, and nothing said about where it comes from.

``python tools/check_lock.py requirements.lock``. Known vulnerabilities are another question, which needs the network:
``make audit`` asks it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_PLACE = re.compile(
    r"://|^\s*(?:-i|--index-url|--extra-index-url|--find-links|-f|--trusted-host)\b|@\s*file:|/home/|/opt/"
)


def problems(lock: str, wanted: list[str]) -> list[str]:
    """What is wrong with a lock file, one line each; empty where nothing is.

    Args:
        lock: Its text.
        wanted: Requirements that it must satisfy, as ``pyproject.toml`` states them.
    """
    lines = enumerate(lock.splitlines(), 1)
    found = [f"line {number}: says where a package comes from" for number, line in lines if _PLACE.search(line)]
    pinned: dict[str, list[str]] = {}
    for entry in lock.replace("\\\n", " ").splitlines():
        words = entry.split(" --hash=", 1)[0].strip()
        if not words or words.startswith(("#", "--hash")):
            continue
        try:
            requirement = Requirement(words)
        except InvalidRequirement as error:
            found.append(f"{words}: {error}")
            continue
        name, pins = canonicalize_name(requirement.name), list(requirement.specifier)
        if requirement.url or len(pins) != 1 or pins[0].operator != "==" or "*" in pins[0].version:
            found.append(f"{name}: not pinned to one version")
        elif not _HASH.search(entry):
            found.append(f"{name}: no SHA-256")
        else:
            pinned.setdefault(name, []).append(pins[0].version)
    for text in wanted:
        requirement = Requirement(text)
        versions = pinned.get(canonicalize_name(requirement.name), [])
        if not any(requirement.specifier.contains(version, prereleases=True) for version in versions):
            locked = ", ".join(versions) or "nothing"
            found.append(f"{requirement.name}: {locked} is locked, {requirement.specifier} wanted")
    return found


def main() -> int:
    """Checks the lock files named on the command line against the default dependencies."""
    root = Path(__file__).resolve().parent.parent
    wanted = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    wrong = [f"{name}: {line}" for name in sys.argv[1:] for line in problems(Path(name).read_text("utf-8"), wanted)]
    print("\n".join(wrong) or "every package is pinned, with SHA-256")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())

"""The commands of the package itself, and how this process was called; analyzers' commands lie with them."""

from __future__ import annotations

import shlex
import sys

COMMANDS: dict[str, str] = {
    "scan": "Examine pictures or folders with every analyzer and write one report.",
    "hash": "Print cryptographic and perceptual hashes.",
    "hashlist": "Import, export and describe lists of known hashes, and index them for searching.",
    "cluster": "Group near-duplicates in folders: copies, crops, borders, tilts, screenshots.",
    "case": "Keep a case: files, results and decisions in one database that scans resume from.",
    "review": "Decide about the files of a case, on a page that only this machine opens.",
    "evidence": "Pack evidence into bags that others can check, sign them, keep a custody log.",
    "notice": "Draft a request to remove a picture under a law, for a person to finish and send.",
    "helplines": "List help lines and hotlines by country, with the month they were checked.",
    "report": "Make every view of a saved report again, without the evidence.",
    "analyzers": "List the analyzers, what they can find and where they come from.",
    "model": "Measure a detector on your own folders, show a model's card.",
    "weights": "List or verify the model weights.",
    "doctor": "Show Python, libraries, devices, weights and extras in one screen.",
}
"""The package's own commands with their one line of help; ``cli/<name>.py`` holds each. Analyzers bring more."""

ALLOW_PLUGINS = "--allow-plugins"
"""Looked for before anything is parsed: third parties' options and commands are there only where they may run."""


def command_line() -> str:
    """The command line as it was typed, quoted for a shell."""
    return shlex.join(["nsfwforensics", *sys.argv[1:]])

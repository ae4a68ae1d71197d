"""What goes into a bag beside evidence and report: tables, ``info.json``, ``command.log``, custody log, CASE/UCO."""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TextIO

from nsfwforensics.core import installation
from nsfwforensics.core.evidence import utc_iso
from nsfwforensics.core.opening import file_sha256
from nsfwforensics.core.private import create
from nsfwforensics.custody import case_uco, tables
from nsfwforensics.custody.operator_file import Operator
from nsfwforensics.custody.originals import BaggedFile
from nsfwforensics.custody.report_copy import Covered, Source
from nsfwforensics.libraries import library_versions
from nsfwforensics.report.saved.json import dumps
from nsfwforensics.report.words.text import visible
from nsfwforensics.store import chain

SCHEMA_VERSION = "1.0"
OWN_LIBRARIES = ("bagit", "cryptography", "rfc3161-client")

INFO = "info.json"
COMMANDS = "command.log"
TABLE = "files.json"
CSV = "files.csv"
HASHDEEP = "hashdeep.txt"
LOG = "custody.jsonl"
CASE_UCO = "case.jsonld"
ABOUT = "about.txt"

_ABOUT = """\
This is a bag of evidence made with nsfwforensics: a folder in the BagIt format (RFC 8493).

  data/evidence/         copies of the original files, byte for byte, under names of our own
  data/files.csv, .json  which copy is which original, with size, time and hashes
  data/report/           what was found in them: report.html, report.json, summary.csv
  data/hashdeep.txt      a list to audit the originals with: hashdeep -r -a -k hashdeep.txt FOLDER
  data/info.json         tool, libraries, models with SHA-256, who packed and when
  data/command.log       the commands that were run, with their times
  data/custody.jsonl     the custody log of the case, if the bag was packed from a case
  data/attached/         results from outside, each with where and when it was taken (about.json)
  data/case.jsonld       the same in CASE/UCO, for other tools
  signatures/            signatures, if the bag was signed

Not every bag has all of these. Where copies were left out, data/files.csv says why.

Check it with nsfwforensics, which names every file that was altered, lost or added:
  nsfwforensics evidence verify BAG --public-key KEY.pub

or without it:
  python -m bagit --validate BAG
  openssl pkeyutl -verify -pubin -inkey KEY.pub -rawin -in statement.json -sigfile statement.sig
and compare the SHA-256 values in statement.json with those of the files it names.

A key is worth what you know about whose it is: ask its owner for its fingerprint by another way.
A signature adds a name and a time. It does not make what the pictures show true.
"""


@dataclass(frozen=True, slots=True)
class CaseCopy:
    """What a bag takes from a case.

    Attributes:
        name: The case's name.
        uuid: Its number.
        path: Where it is.
        log: Its custody log, one line for each entry.
    """

    name: str
    uuid: str
    path: Path
    log: Sequence[str]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that the description of a bag is made from.

    Attributes:
        files: What became of each file.
        operator: Who packs.
        command: The command line.
        hash_only: Whether copies were left out on request.
        started: When packing began, seconds since the epoch.
        source: The report, or None.
        covered: What that report is about.
        case: The case that it is packed from, or None.
    """

    files: tuple[BaggedFile, ...]
    operator: Operator
    command: str
    hash_only: bool
    started: float
    source: Source | None
    covered: Covered
    case: CaseCopy | None


def write(payload: Path, contents: Contents) -> None:
    """Writes all of it into the payload.

    Raises:
        OSError: It cannot be written.
    """
    head = {"schema_version": SCHEMA_VERSION}
    _text(payload / TABLE, lambda stream: tables.write_json(contents.files, stream, head))
    _text(payload / CSV, lambda stream: tables.write_csv(contents.files, stream))
    comments = [f"nsfwforensics {version('nsfwforensics')}", f"$ {contents.command}"]
    _text(payload / HASHDEEP, lambda stream: tables.write_hashdeep(contents.files, stream, comments))
    if contents.case is not None:
        log = contents.case.log
        _text(payload / LOG, lambda stream: stream.writelines(f"{line}\n" for line in log))
    _text(payload / COMMANDS, lambda stream: stream.writelines(_commands(contents)))
    _text(payload / ABOUT, lambda stream: stream.write(_ABOUT))
    finished = utc_iso(time.time())
    packing = case_uco.Packing(
        installation.version(),
        _libraries(),
        utc_iso(contents.started),
        finished,
        contents.operator,
        contents.case.name if contents.case else "",
        contents.covered.sizes,
    )
    _text(payload / CASE_UCO, lambda stream: case_uco.write(contents.files, packing, stream))
    report = payload / "report" / "report.json"
    sha256 = file_sha256(report) if contents.source is not None else None
    _text(payload / INFO, lambda stream: stream.write(dumps(info(contents, sha256, finished), indent=2) + "\n"))


def info(contents: Contents, report_sha256: str | None, finished: str) -> dict[str, Any]:
    """What ``info.json`` says."""
    source, case = contents.source, contents.case
    became = Counter(_became(found) for found in contents.files)
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "nsfwforensics evidence bag",
        "tool": {"name": "nsfwforensics", "version": installation.version()},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": _libraries(),
        "packing": {
            "command": contents.command,
            "started": utc_iso(contents.started),
            "finished": finished,
            "operator": contents.operator.said(),
            "copies": "none: hashes only" if contents.hash_only else "of every file but those named in files.json",
        },
        "files": {"pointed_at": len(contents.files), **became},
        "sensitive": became["left out, to be handled with care"] > 0 or contents.covered.all_sensitive,
        "case": None
        if case is None
        else {
            "name": case.name,
            "uuid": case.uuid,
            "path": str(case.path),
            "log_entries": len(case.log),
            "log_head_sha256": chain.digest(case.log[-1]) if case.log else None,
        },
        "report": None
        if source is None
        else {
            "from": source.origin,
            "sha256": report_sha256,
            "sha256_of_its_source": source.sha256,
            "plan": source.header.fingerprint,
            "command": source.header.command,
            "operator": source.header.operator,
            "started": source.header.started,
            "finished": source.header.finished,
            "interrupted": source.header.interrupted,
            "tool_version": source.header.version,
            "libraries": source.header.libraries,
        },
        "models": [] if source is None else [model.model_dump(mode="json") for model in source.header.models],
        "analyzers": [] if source is None else [record.model_dump(mode="json") for record in source.header.analyzers],
    }


def _became(found: BaggedFile) -> str:
    if found.problem is not None:
        return "not packed"
    if found.stored is not None:
        return "copied"
    return (
        "hashes only" if found.left_out and found.left_out.startswith("hashes") else "left out, to be handled with care"
    )


def _commands(contents: Contents) -> list[str]:
    """The case's commands by its log, or the report's own, then the packing."""
    lines = []
    if contents.case is not None:
        for line in contents.case.log:
            try:
                entry = chain.parse(line)
            except ValueError:
                lines.append("(an entry of the custody log that cannot be read)\n")
                continue
            lines.append(f"{visible(entry.time)}  {visible(entry.kind)}: {visible(entry.command)}\n")
    elif contents.source is not None:
        head = contents.source.header
        lines.append(f"{visible(head.started)}  scan: {visible(head.command)}\n")
    lines.append(f"{utc_iso(contents.started)}  evidence packed: {visible(contents.command)}\n")
    return lines


def _libraries() -> dict[str, str]:
    found = dict(library_versions())
    for name in OWN_LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return dict(sorted(found.items()))


def _text(path: Path, write_to: Callable[[TextIO], object]) -> None:
    with os.fdopen(create(path), "w", encoding="utf-8", newline="") as stream:
        write_to(stream)

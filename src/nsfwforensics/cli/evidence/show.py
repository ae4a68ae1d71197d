"""What ``evidence`` prints: for people in plain words, for programs as JSON."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from nsfwforensics.core.private import create
from nsfwforensics.errors import CustodyError
from nsfwforensics.report.console.parts import named, plain
from nsfwforensics.report.saved.json import dumps
from nsfwforensics.report.words.text import count, shorten, visible

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from nsfwforensics.custody.bag import Packed
    from nsfwforensics.custody.signatures import Signature
    from nsfwforensics.custody.verify import Verification
    from nsfwforensics.store.custody_log import LogCheck

MOST_SHOWN = 40
_SHA256 = re.compile(r"\b([0-9a-f]{16})[0-9a-f]{48}\b")
MEANING = "A signature adds a name and a time. It does not make what the pictures show true."
UNSIGNED = (
    "Not signed: whoever changes a file can write the digests anew. If the SHA-256 of tagmanifest-sha256.txt was "
    "written down when the bag was made, compare it:"
)


def counts(packed: Packed) -> dict[str, int]:
    """How many files became what."""
    files = packed.files
    return {
        "pointed at": len(files),
        "copied": sum(found.stored is not None for found in files),
        "without a copy": sum(found.left_out is not None for found in files),
        "not packed": sum(found.problem is not None for found in files),
    }


def show_packed(console: Console, bag: Path, packed: Packed, *, reported: bool) -> None:
    """Says what was packed and what was not."""
    from nsfwforensics.custody.bag import SENSITIVE

    console.print(Text("Packed into ") + plain(bag, "bold"), soft_wrap=True)
    found = counts(packed)
    careful = sum(one.left_out == SENSITIVE for one in packed.files)
    console.print(
        Text(
            f"{count(found['pointed at'], 'file')}: {found['copied']:,} copied, "
            f"{found['without a copy']:,} described by their hashes only, {found['not packed']:,} not packed."
        )
    )
    if careful:
        console.print(Text(f"{count(careful, 'file')} to be handled with care: no copy, no picture in the report."))
    _list(console, [(one.place, str(one.problem)) for one in packed.files if one.problem], "not packed")
    outside = sum(not one.in_report and one.problem is None for one in packed.files)
    if reported and outside:
        console.print(Text(f"The report says nothing about {count(outside, 'file')} of them; see data/files.csv."))
    for name, sha256 in packed.digests.items():
        if "sha256" in name:
            console.print(Text(f"SHA-256 of {name}, which stands for the whole bag:"))
            console.print(Text(f"  {sha256}"), soft_wrap=True)
    if packed.signed_by is None:
        console.print(Text("Not signed. Write that number down in another place, or sign the bag.", "dim"))
    else:
        show_fingerprint(console, "Signed by key", packed.signed_by)
        console.print(Text(MEANING, "dim"))


def show_verification(console: Console, found: Verification) -> None:
    """Says what a check of a bag found."""
    if found.intact:
        console.print(Text("Intact: ", "bold") + Text(f"{count(found.files, 'file')}, none altered, missing or added."))
    else:
        show_problems(console, found)
    if found.log_entries is not None:
        broken = any(problem.path.endswith("/custody.jsonl") for problem in found.problems)
        console.print(
            Text(f"Custody log of the case: {found.log_entries:,} entries, {'BROKEN' if broken else 'unbroken'}.")
        )
    for signature in found.signatures:
        _show_signature(console, signature, intact=found.intact)
    if not found.signatures:
        console.print(Text(UNSIGNED))
        console.print(Text(f"  {found.seal or 'tagmanifest-sha256.txt is missing'}"), soft_wrap=True)
    if found.trusted_key is not None and not found.relevant:
        console.print(Text("NOT signed with the key that you gave.", "bold"))
    if found.stamp_wanted and not any(signature.stamp_checked for signature in found.relevant):
        console.print(Text("No timestamp leads to the certificate that you gave.", "bold"))
    if found.signatures:
        console.print(Text(MEANING, "dim"))


def show_problems(console: Console, found: Verification) -> None:
    """Names every file that is not as it was packed."""
    paths = {problem.path for problem in found.problems}
    console.print(Text("NOT as it was packed: ", "bold") + Text(f"{count(len(paths), 'file')} concerned."))
    shown: dict[tuple[str, str], list[str]] = {}
    for problem in found.problems:
        shown.setdefault((problem.kind, problem.path), []).append(problem.reason)
    for number, ((kind, path), reasons) in enumerate(shown.items()):
        if number == MOST_SHOWN:
            console.print(Text(f"and {len(shown) - MOST_SHOWN:,} more; --json names all"))
            break
        console.print(Text(f"  {kind}: ") + named(path, "bold"), soft_wrap=True)
        for reason in reasons[:3]:
            _indented(console, 4, reason, "dim")


def _show_signature(console: Console, signature: Signature, *, intact: bool) -> None:
    state = "Signature does NOT hold"
    if signature.valid:
        state = "Signature holds" if intact else "Signature holds for the bag as it was signed, not as it is now"
    if not signature.fingerprint:
        console.print(Text("Signature in ") + plain(signature.folder) + Text(": cannot be checked", "bold"))
        return
    show_fingerprint(console, f"{state}; signed by key", signature.fingerprint)
    told = {
        None: "which was not checked against a key that you trust (--public-key)",
        True: "which is the key that you gave",
        False: "which is NOT the key that you gave",
    }
    console.print(Text(f"  {told[signature.trusted]}"))
    if signature.valid:
        at = visible(signature.signed_at)[:19].replace("T", " ")
        console.print(Text(f"  at {at} UTC by the signer's own clock"))
        said = [f"{field.replace('_', ' ')} {value}" for field, value in (signature.signer or {}).items()]
        supplied = [text for text in said if not text.endswith(" not supplied")]
        if supplied:
            _indented(console, 2, f"as the signer says: {'; '.join(sorted(supplied))}")
    if signature.stamped_at is not None:
        checked = {None: "not checked against a certificate that you trust (--timestamp-root)", True: "checked"}
        trust = checked.get(signature.stamp_checked, "which does NOT lead to the certificate that you gave")
        console.print(Text(f"  timestamp: {signature.stamped_at}, ") + plain(signature.stamped_by or "unnamed"))
        console.print(Text(f"    {trust}"))


def show_fingerprint(console: Console, what: str, fingerprint: str) -> None:
    """A key's fingerprint in two lines of groups that can be read out and compared."""
    groups = [fingerprint[place : place + 4] for place in range(0, len(fingerprint), 4)]
    console.print(Text(f"{what}:"))
    for start in range(0, len(groups), 8):
        console.print(Text(f"  {' '.join(groups[start : start + 8])}"), soft_wrap=True)


def show_request(console: Console, signature: bytes, path: Path | None) -> None:
    """Says what a timestamping authority would have to confirm, and writes a request for it."""
    from nsfwforensics.custody import timestamps

    if path is not None:
        data = timestamps.request(signature)
        try:
            with os.fdopen(create(path), "wb") as stream:
                stream.write(data)
        except OSError as error:
            raise CustodyError(f"the request {path} cannot be written: {error.strerror}") from error
        console.print(Text("Timestamp request written: ") + named(path, "bold"), soft_wrap=True)
    console.print(Text("SHA-256 of the signature, for a timestamping authority:"))
    console.print(Text(f"  {hashlib.sha256(signature).hexdigest()}"), soft_wrap=True)


def show_log(console: Console, found: LogCheck) -> None:
    """Lists the entries of a custody log and what the check found."""
    from nsfwforensics.store.custody_log import RUN

    for number, entry in sorted(found.chain.entries.items()):
        at = visible(entry.time)[:19].replace("T", " ")
        console.print(Text(f"{number:>5}  {at} UTC  ") + plain(entry.kind, "bold"))
        amounts = {name: value for name, value in entry.counts.items() if name != RUN}
        about = [f"scan {entry.counts[RUN]}" if RUN in entry.counts else "", entry.subject]
        about += [f"{value:,} {name}" for name, value in sorted(amounts.items())]
        about += [f"operator {entry.operator}"]
        _indented(console, 7, _SHA256.sub(r"\1…", "; ".join(filter(None, about))))
        _indented(console, 7, f"$ {entry.command}", "dim")
    console.print()
    if not found.chain.entries:
        console.print(Text("The log is empty."))
    elif not found.problems:
        console.print(Text("Unbroken: ", "bold") + Text("no entry was changed, removed or added."))
    for remark in found.remarks:
        console.print(Text("Remark: ") + plain(remark))
    if found.chain.entries:
        console.print(
            Text(
                f"Digest of entry {found.chain.last}, which stands for all of them; "
                "written down in another place, it shows later that none was changed:"
            )
        )
        console.print(Text(f"  {found.chain.digests[found.chain.last]}"), soft_wrap=True)


def verification_json(found: Verification) -> str:
    """The result of a check of a bag."""
    value: dict[str, Any] = {
        "schema_version": "1.0",
        "bag": str(found.bag),
        "accepted": found.accepted,
        "intact": found.intact,
        "files": found.files,
        "problems": [asdict(problem) for problem in found.problems],
        "signatures": [asdict(signature) for signature in found.signatures],
        "trusted_key": found.trusted_key,
        "tagmanifest_sha256": found.seal,
        "custody_log_entries": found.log_entries,
    }
    return dumps(value, indent=2)


def log_json(found: LogCheck) -> str:
    """The entries of a custody log and what the check found."""
    entries = [asdict(entry) for _, entry in sorted(found.chain.entries.items())]
    head = found.chain.digests.get(found.chain.last)
    value = {
        "schema_version": "1.0",
        "unbroken": not found.problems,
        "problems": list(found.problems),
        "remarks": list(found.remarks),
        "head_sha256": head,
        "entries": entries,
    }
    return dumps(value, indent=2)


def read_file(path: Path, most: int) -> bytes:
    """A small file that was named on the command line.

    Raises:
        CustodyError: It cannot be read or is too long.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except OSError as error:
        raise CustodyError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > most:
        raise CustodyError(f"{path} is longer than {most:,} bytes")
    return data


def fingerprint_of(private: Ed25519PrivateKey) -> str:
    """Fingerprint of the public half of a key."""
    from nsfwforensics.custody.keys import fingerprint

    return fingerprint(private.public_key())


def _indented(console: Console, by: int, text: str, style: str = "") -> None:
    """A paragraph of at most a few lines, each as far in as the first."""
    console.print(Padding(Text(shorten(visible(text), 300), style), (0, 0, 0, by), expand=False))


def _list(console: Console, rows: list[tuple[str, str]], what: str) -> None:
    for place, reason in rows[:MOST_SHOWN]:
        console.print(Text(f"  {what}: ") + named(place), soft_wrap=True)
        _indented(console, 4, reason, "dim")
    if len(rows) > MOST_SHOWN:
        console.print(Text(f"  and {len(rows) - MOST_SHOWN:,} more; see data/files.csv"))

"""``hashlist``: lists of known hashes in and out of an index, and what is in them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.cli.failures import note
from nsfwforensics.cli.options import Quiet
from nsfwforensics.cli.run import reporting_errors
from nsfwforensics.core.places import keep_apart
from nsfwforensics.core.private import create
from nsfwforensics.errors import HashListError, UsageError
from nsfwforensics.hashing.index.index import HashIndex, is_index
from nsfwforensics.hashing.index.known import index_lists, reading_record
from nsfwforensics.hashing.lists.formats import ListFormat
from nsfwforensics.hashing.lists.items import HashKind, KnownItem, Opinion
from nsfwforensics.hashing.lists.lists import HashList
from nsfwforensics.hashing.lists.picture_list import PictureList, PictureRead, Tasks, holds_pictures
from nsfwforensics.hashing.lists.write import WRITTEN, write_list
from nsfwforensics.report.console.file import plain
from nsfwforensics.report.documents.csv import neutral
from nsfwforensics.report.words.text import count, inert

_MOST_WORKERS = 8
_SPREADSHEETS = (ListFormat.PDQ_CSV, ListFormat.NSRL, ListFormat.CSV)

Form = Annotated[ListFormat | None, typer.Option("--format", "-f", help="Its format; told by the content if omitted.")]
LongHash = Annotated[
    HashKind | None,
    typer.Option(
        "--long-hash", help="What 64 digits without a name are, pdq or sha256; told by their bits if omitted."
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first line that cannot be used.")]
LowQuality = Annotated[
    bool, typer.Option("--keep-low-quality", help="Keep PDQ hashes whose quality is given as less than 50.")
]
Signatures = Annotated[
    bool,
    typer.Option(
        "--signatures", help="Keep a signature of each picture (at most 21 kB), by which parts of it are found too."
    ),
]


@reporting_errors
def import_(
    lists: Annotated[
        list[Path], typer.Argument(help="Lists of hashes; pictures, and folders of them.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The index: a folder, new or made by this command.")],
    form: Form = None,
    long_hash: LongHash = None,
    opinion: Annotated[Opinion | None, typer.Option("--opinion", help="For entries that have none.")] = None,
    strict: Strict = False,
    keep_low_quality: LowQuality = False,
    signatures: Signatures = False,
    quiet: Quiet = False,
) -> None:
    """Adds lists and pictures to an index for searching, makes it if missing, and purges what a list withdraws."""
    keep_apart([output], lists)
    common: dict[str, Any] = {"opinion": opinion, "strict": strict} | ({"quality": 0} if keep_low_quality else {})
    pictures = {path for path in lists if form is None and holds_pictures(path)}
    if signatures and not pictures:
        raise UsageError("--signatures are made of pictures, and none of these is a picture or a folder of pictures")
    sign = _signing() if signatures else {}
    read = [
        PictureList(path, **common, **sign, read_each=_apart)
        if path in pictures
        else HashList(path, form, long_hash=long_hash, **common)
        for path in lists
    ]
    index = index_lists(read, output)
    for listed in read:
        _tell_pictures(listed) if isinstance(listed, PictureList) else _tell(listed)
    made = sum(map(len, index.signature_files))
    sizes = ", ".join(f"{index.size(kind):,} {kind.upper()}" for kind in HashKind if index.size(kind))
    sizes += f", {made:,} signatures" if made else ""
    Console(quiet=quiet).print(plain(f"{output}: {sizes or 'no hashes'}, SHA-256 {index.digest}"), soft_wrap=True)


@reporting_errors
def export(
    source: Annotated[Path, typer.Argument(help="A list of hashes or an index.", show_default=False)],
    form: Annotated[ListFormat, typer.Option("--format", "-f", help="The format to write.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A new file; standard output if omitted.")
    ] = None,
    long_hash: LongHash = None,
    keep_low_quality: LowQuality = False,
) -> None:
    """Writes a list or an index in a format that other tools read. Hashes of pictures may be personal data."""
    if form not in WRITTEN:
        raise UsageError(f"--format {form} is only read; what is written: {', '.join(sorted(WRITTEN))}")
    keep_apart([output], [source])
    quality: dict[str, Any] = {"quality": 0} if keep_low_quality else {}
    listed = None if source.is_dir() else HashList(source, long_hash=long_hash, **quality)
    items = _items(HashIndex.open(source, verify=True)) if listed is None else iter(listed)
    clean = neutral if form in _SPREADSHEETS else inert
    if output is None:
        left_out = write_list(items, form, sys.stdout, clean)
    else:
        try:
            with os.fdopen(create(output), "w", encoding="utf-8", newline="") as stream:
                left_out = write_list(items, form, stream, clean)
        except FileExistsError as error:
            raise UsageError(f"{output} exists; nothing is written over") from error
        except OSError as error:
            raise HashListError(f"{output}: cannot be written: {error.strerror}") from error
    if listed is not None:
        _tell(listed)
    if left_out:
        note(f"{count(left_out, 'entry', 'entries')} left out: this format cannot hold them")


@reporting_errors
def info(
    source: Annotated[Path, typer.Argument(help="A list of hashes or an index.", show_default=False)],
    form: Form = None,
    long_hash: LongHash = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Says what a list or an index holds, reading all of it and comparing an index with its checksums."""
    found = _index_info(source) if source.is_dir() else _list_info(source, form, long_hash)
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=True))
        return
    table = Table.grid(padding=(0, 2))
    for name, value in _rows(found):
        table.add_row(plain(name.replace("_", " "), "bold"), plain(value))
    Console().print(table)


def _items(index: HashIndex) -> Iterator[KnownItem]:
    return (item for item, _ in index)


def _tell(listed: HashList) -> None:
    """What became of a list's lines, on standard error."""
    reading = listed.reading
    name = listed.path.name
    taken = listed.long_hash
    kind = f"{listed.form.value}, 64 digits taken for {taken.upper()}" if taken else listed.form.value
    note(f"{name} ({kind}): {count(reading.items, 'entry', 'entries')}")
    if reading.low_quality:
        note(f"{name}: {count(reading.low_quality, 'PDQ hash', 'PDQ hashes')} left out, quality below 50")
    if reading.withdrawn:
        note(f"{name}: {count(reading.withdrawn, 'record')} withdrawn or deleted, and purged")
    if reading.photodna:
        note(f"{name}: {count(reading.photodna, 'PhotoDNA hash', 'PhotoDNA hashes')} passed over, not computed here")
    if reading.other > reading.photodna:
        note(f"{name}: {count(reading.other - reading.photodna, 'signal')} of other kinds passed over")
    if reading.bad:
        note(f"{name}: {count(reading.bad, 'line')} could not be used:", _reasons(reading.reasons, reading.bad))


def _apart(read: Callable[..., PictureRead], tasks: Tasks) -> Iterator[PictureRead]:
    """Reads pictures in confined worker processes: one that ends its worker or takes too long is one left out."""
    from nsfwforensics.core.evidence import Limits
    from nsfwforensics.execution.base import Lost
    from nsfwforensics.execution.isolation import Staff, isolated
    from nsfwforensics.execution.prepare import here
    from nsfwforensics.execution.worker import start_plain

    limits = Limits()
    staff = Staff(min(os.cpu_count() or 1, _MOST_WORKERS), limits.max_seconds, start_plain, (here(), limits))
    for _, done in isolated(read, tasks, staff):
        yield PictureRead(problem=done.reason) if isinstance(done, Lost) else done


def _signing() -> dict[str, Any]:
    from nsfwforensics.signals.matching.parts import METHOD, picture_signature

    return {"sign": picture_signature, "method": METHOD}


def _tell_pictures(listed: PictureList) -> None:
    """What became of the pictures, on standard error."""
    reading = listed.reading
    name = listed.path.name
    signed = f", {count(reading.signatures, 'signature')}" if reading.signatures else ""
    note(f"{name}: {count(reading.items, 'picture')}{signed}")
    if reading.low_quality:
        note(f"{name}: {count(reading.low_quality, 'PDQ hash', 'PDQ hashes')} left out, too little structure")
    if reading.other:
        note(f"{name}: {count(reading.other, 'file')} passed over, not pictures")
    if reading.bad:
        note(f"{name}: {count(reading.bad, 'file')} could not be used:", _reasons(reading.reasons, reading.bad))


def _reasons(told: Sequence[tuple[object, str]], bad: int) -> list[str]:
    """Why the first of so many could not be used, one line each."""
    more = [f"  and {bad - len(told):,} more"] if bad > len(told) else []
    return [f"  {what}: {why}" for what, why in told] + more


def _index_info(path: Path) -> dict[str, Any]:
    if not is_index(path):
        raise HashListError(f"{path}: a folder that holds no index of known hashes")
    index = HashIndex.open(path, verify=True)
    return {
        "format": "index",
        "sha256": index.digest,
        "checksums": "as they should be",
        "hashes": {kind.value: index.size(kind) for kind in HashKind},
        "signatures": sum(map(len, index.signature_files)),
        "segments": len(index.segments),
        "lists": [
            {"name": source.name, "sha256": source.sha256, "format": source.format, "entries": source.items}
            for source in index.sources
        ],
    }


def _list_info(path: Path, form: ListFormat | None, long_hash: HashKind | None) -> dict[str, Any]:
    listed = HashList(path, form, long_hash=long_hash)
    hashes = dict.fromkeys((kind.value for kind in HashKind), 0)
    opinions: dict[str, int] = {}
    for item in listed:
        for kind in item.hashes():
            hashes[kind.value] += 1
        said = item.opinion.value if item.opinion else "none"
        opinions[said] = opinions.get(said, 0) + 1
    found: dict[str, Any] = {"format": listed.form.value, "sha256": listed.sha256, "hashes": hashes}
    if listed.long_hash is not None:
        found["hashes_of_64_digits_taken_for"] = listed.long_hash.value
    return found | {"opinions": opinions, **reading_record(listed.reading), "reasons": listed.reading.reasons}


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield name, ", ".join(f"{key} {number:,}" for key, number in value.items())
        elif isinstance(value, list):
            for entry in value:
                text = ", ".join(
                    str(part) for part in (entry.values() if isinstance(entry, dict) else entry) if part != ""
                )
                yield name, text
        else:
            yield name, f"{value:,}" if isinstance(value, int) else str(value)


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=COMMANDS["hashlist"])
    group.command("import")(import_)
    group.command("export")(export)
    group.command("info")(info)
    app.add_typer(group, name="hashlist")

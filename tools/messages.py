"""Collects the messages of the source into the catalogues, and puts translations into them.

    python tools/messages.py                     bring every catalogue up to date with the source
    python tools/messages.py --merge FILE.json   put translations in: {"english": "..."} or {"one": ["many", "..."]}
    python tools/messages.py --missing           print what has no translation yet, in the same form
    python tools/messages.py --check             change nothing; exit with 1 where something is missing or outdated

Messages are the literals of ``say`` and ``say_count`` in Python and of ``t`` and ``t_count`` in templates. Catalogues
hold no line numbers, so that only what changed is seen to change.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from nsfwforensics.core.messages import placeholders

SOURCE = Path(__file__).resolve().parent.parent / "src" / "nsfwforensics"
METHODS = [("**.py", "python"), ("**.j2", "jinja2.ext.babel_extract")]
KEYWORDS: dict[str, tuple[int, ...] | None] = {"say": None, "say_count": (1, 2), "t": None, "t_count": (1, 2)}
OPTIONS = {"**.j2": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false", "encoding": "utf-8"}}

MessageId = str | tuple[str, str]


def catalogues() -> list[Path]:
    """The catalogue files."""
    return sorted((SOURCE / "language").glob("*.po"))


def extracted() -> list[MessageId]:
    """Every message of the source, sorted."""
    found: set[MessageId] = set()
    for _, _, message, _, _ in extract_from_dir(
        str(SOURCE), METHODS, OPTIONS, keywords=KEYWORDS, directory_filter=lambda path: "__pycache__" not in path
    ):
        found.add(message if isinstance(message, str) else (message[0], message[1]))
    return sorted(found, key=_singular)


def read(path: Path) -> Catalog:
    """Reads a catalogue."""
    with path.open("rb") as stream:
        return read_po(stream, locale=path.stem)


def brought_up_to_date(old: Catalog, messages: Iterable[MessageId]) -> Catalog:
    """A catalogue of exactly these messages, with the translations that the old one has for them.

    Translations of messages that are gone are kept apart as obsolete, in case the messages come back.
    """
    new = Catalog(locale=old.locale)
    known = {
        _key(entry.id): entry for entry in (*old.obsolete.values(), *old) if entry.id and any(_texts(entry.string))
    }
    for message in messages:
        entry = known.pop(_key(message), None)
        new.add(message, entry.string if entry else None, flags=entry.flags & {"fuzzy"} if entry else ())
    new.obsolete.update({_singular(entry.id): entry for entry in known.values()})
    return new


def merged(catalogue: Catalog, pairs: Mapping[str, object]) -> list[str]:
    """Puts translations into a catalogue.

    Args:
        catalogue: Changed in place.
        pairs: Translation by English, or plural with translation (one for each plural form) by singular.

    Returns:
        What could not be put in, one line each.
    """
    problems = []
    for singular, value in pairs.items():
        entry = catalogue.get(singular)
        text: list[Any] = value[1:] if isinstance(value, list) else [value]
        if entry is None:
            problems.append(f"not in the source: {singular}")
        elif isinstance(entry.id, str) == isinstance(value, list):
            problems.append(f"plural here or there only: {singular}")
        elif isinstance(value, list) and entry.id[1] != value[0]:
            problems.append(f"another plural: {value[0]}")
        elif isinstance(value, list) and len(text) != catalogue.num_plurals:
            problems.append(f"{len(text)} forms instead of {catalogue.num_plurals}: {singular}")
        elif not all(isinstance(one, str) and one.strip() for one in text):
            problems.append(f"no text: {singular}")
        else:
            if faults := placeholder_faults(entry.id, text):
                problems.append(f"{faults}: {singular}")
                continue
            entry.string = tuple(text) if isinstance(value, list) else text[0]
            entry.flags.discard("fuzzy")
    return problems


def placeholder_faults(message: object, translation: object) -> str:
    """What is wrong with the placeholders of a translation, or nothing."""
    named = {name for text in _texts(message) for name in placeholders(text)}
    used = {name for text in _texts(translation) for name in placeholders(text)}
    if used == named:
        return ""
    return f"placeholders {', '.join(sorted(used)) or 'none'} instead of {', '.join(sorted(named)) or 'none'}"


def missing(catalogue: Catalog) -> dict[str, object]:
    """What a catalogue has no translation for, as :func:`merged` takes it with empty translations."""
    lacking: dict[str, object] = {}
    for entry in catalogue:
        if entry.id and (entry.fuzzy or not all(_texts(entry.string))):
            plural = isinstance(entry.id, tuple)
            lacking[_singular(entry.id)] = [entry.id[1], *[""] * catalogue.num_plurals] if plural else ""
    return lacking


def written(catalogue: Catalog) -> str:
    """A catalogue as the text of its file."""
    for entry in catalogue:
        entry.flags &= {"fuzzy"}
    body = io.BytesIO()
    write_po(body, catalogue, width=118, omit_header=True, no_location=True)
    head = {
        "Project-Id-Version": "nsfwforensics",
        "Language": catalogue.locale_identifier,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": catalogue.plural_forms,
    }
    lines = "".join(f'"{name}: {value}\\n"\n' for name, value in head.items())
    return f'msgid ""\nmsgstr ""\n{lines}\n{body.getvalue().decode().rstrip()}\n'


def _texts(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (str(value or ""),)


def _singular(message: object) -> str:
    return _texts(message)[0]


def _key(message: object) -> MessageId:
    texts = _texts(message)
    return texts[0] if isinstance(message, str) else (texts[0], texts[1])


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--language", help="only this catalogue")
    parser.add_argument("--merge", type=Path, nargs="+", default=[], metavar="FILE", help="put these translations in")
    parser.add_argument("--missing", action="store_true", help="print what has no translation")
    parser.add_argument("--check", action="store_true", help="change nothing")
    given = parser.parse_args()
    code = 0
    messages = extracted()
    for path in catalogues():
        if given.language not in (None, path.stem):
            continue
        catalogue = brought_up_to_date(read(path), messages)
        for source in given.merge:
            for problem in merged(catalogue, json.loads(source.read_text(encoding="utf-8"))):
                print(f"{source.name}: {problem}", file=sys.stderr)
                code = 1
        text, lacking = written(catalogue), missing(catalogue)
        if given.check:
            code |= bool(lacking) or text != path.read_text(encoding="utf-8")
        else:
            path.write_text(text, encoding="utf-8")
        if given.missing:
            print(json.dumps(lacking, ensure_ascii=False, indent=1))
        print(f"{path.name}: {len(messages)} messages, {len(lacking)} without translation", file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main())

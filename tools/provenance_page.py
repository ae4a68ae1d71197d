"""Writes docs/provenance.md from the rules: ``python tools/provenance_page.py > docs/provenance.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from nsfwforensics.analyzers.metadata import names
from nsfwforensics.analyzers.provenance import standards
from nsfwforensics.analyzers.provenance.codes import CODES
from nsfwforensics.analyzers.provenance.match import RULES
from nsfwforensics.analyzers.provenance.model import Certainty, Rule

INTRODUCTION = """# What the file says about where it came from

Written by `tools/provenance_page.py` from the rules themselves; a test checks that it is up to date.

The analyzer `provenance` reads marks that generators, editors, phones and services leave in a file. A mark counts only
in the place that is made for it: the same bytes behind the end of the file, in a comment or in the pixels change
nothing. Unsigned marks are reported as what *the file claims*, because anyone can write, copy or strip them. That no
mark is found proves nothing: most platforms remove them.

How sure a rule is:

- **verified**: {verified}. It gives its finding in full.
- **reported**: {reported}. It gives PROV-012, inconclusive and of low importance.
- **name**: {named}. It gives PROV-012 too.

Graphs of nodes (ComfyUI as run and as its editor keeps them, InvokeAI) are judged by what flows into what: a picture
from any loader that reaches a sampler's start, an inpainting or instruction node, or a node that makes a picture of one
that it is given, is an edit; a picture that only guides (ControlNet, IP-Adapter, style) is not, and a face that is
given (PuLID, InstantID and others) is said (PROV-015). What nodes do is data too: `rules/nodes.py`.

What is known to leave no mark, or is only guessed at, is not a rule. Labels that generators draw into the picture, and
invisible marks that only their makers can read (SynthID), are not looked for; every answer says so."""

STANDARDS = """## Published standards

| mark | where | source | sure |
|---|---|---|---|
| Digital source type | XMP `DigitalSourceType` in the IPTC Extension namespace | IPTC NewsCodes; C2PA | verified |
| AI properties {properties} | XMP, IPTC Extension namespace | IPTC Photo Metadata Standard 2025.1 | verified |
| China's AIGC label | XMP `AIGC` in the namespace of TC260 | GB 45438-2025; real file | verified |
| China's AIGC label | PNG text `AIGC`; EXIF UserComment `{{"AIGC": ...}}`; `AIGC{{...}}` in a JPEG APP segment | \
third party's report | reported |
| NovelAI's hidden settings | lowest bits of the alpha channel, `stealth_pngcomp` | real files | verified |
| Content Credentials (C2PA) | JUMBF in the file; a link to credentials held elsewhere | C2PA specification | verified |

The reported places of China's label give PROV-010, inconclusive and of low importance. Values of the digital source
type:

| value | what it says | kind |
|---|---|---|"""

CONTEXT = """## Why marks may be missing

The analyzer `metadata` reports signs that explain missing marks: screenshots (META-010: `Screenshot` in UserComment,
AOSP's `Android` + build in Software of a file without camera or exposure, screenshot programs, file names) and
messengers or social networks (META-011: IPTC SpecialInstructions `FBMD…`, file names, Telegram's sizes and JPEG
qualities where they are not also common elsewhere). The names are a table, `analyzers/metadata/names.toml`, with a
source for each row: WhatsApp in any language, Signal, Telegram, Messenger, Facebook, Instagram, X, Snapchat, Viber,
LINE, WeChat, QQ, KakaoTalk and others; screenshots in {languages} languages; with the date in the name, and seen
through what copying adds to it. Any other program that a file names is quoted (META-017, PROV-016), camera data that do
not look as the maker writes them are said to be odd (META-018), and notes beside a picture (Takeout's JSON, XMP
sidecars, Apple's adjustments) are listed with their digest as somebody's notes (META-019), never as what the picture
says.
The analyzer `watermark` looks for invisible watermarks in the pixels."""


_SURE = {Certainty.VERIFIED: "verified", Certainty.REPORTED: "reported", Certainty.NAMED: "name"}


def page() -> str:
    """The whole page as Markdown."""
    sections = [
        INTRODUCTION.format(
            verified=Certainty.VERIFIED.value, reported=Certainty.REPORTED.value, named=Certainty.NAMED.value
        ),
        "## Generators, editors and services\n\n" + "\n".join(_rules(RULES)),
        STANDARDS.format(properties=", ".join(f"`{name}`" for name in standards.AI_PROPERTIES)) + "\n" + _sources(),
        "## Findings\n\n| code | finding | importance |\n|---|---|---|\n" + "\n".join(_findings()),
        CONTEXT.format(languages=len(names.table()["words"])),
    ]
    return "\n\n".join(sections) + "\n"


def _rules(rules: Iterable[Rule]) -> Iterator[str]:
    yield "| rule | generator | where | what it looks like | what it says | source | sure |"
    yield "|---|---|---|---|---|---|---|"
    for rule in sorted(rules, key=lambda rule: (rule.generator.lower(), rule.id)):
        example = rule.example.replace("\n", " ⏎ ").replace("|", "\\|")
        says = f"{rule.meaning.value}: {rule.detail}" if rule.detail else rule.meaning.value
        sure = _SURE[rule.certainty]
        yield f"| `{rule.id}` | {rule.generator} | {rule.where} | `{example}` | {says} | {rule.source} | {sure} |"


def _sources() -> str:
    return "\n".join(f"| `{name}` | {words} | {kind} |" for name, (kind, words) in standards.SOURCE_TYPES.items())


def _findings() -> Iterator[str]:
    for code, entry in CODES.items():
        yield f"| {code} | {entry.title} | {entry.severity.value} |"


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(page())

"""Help as people read it: words where typer shows Python's types, examples, and a form for narrow terminals."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from nsfwforensics.core.registry import commands

NARROW = 60
"""Below so many columns the frames of the usual help leave no room for words."""

_WORDS = {"bool": "", "int": "NUMBER", "int range": "NUMBER", "float": "NUMBER", "float range": "NUMBER"}
_WORDS |= {"str": "TEXT", "path": "PATH", "Path": "PATH"}

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "": ("scan picture.jpg", "scan photos/ --reference her.jpg --original her-original.jpg -o report"),
    "scan": (
        "scan picture.jpg",
        "scan photos/ --reference her.jpg --original originals/ -o report",
        "scan phone/ --case phone.db -o report --pdf",
    ),
    "hash": ("hash picture.jpg", "hash photos/ --format hashdeep > hashes.txt"),
    "hashlist": ("hashlist import list.csv -o list.index", "hashlist info list.csv"),
    "hashlist import": ("hashlist import list.csv -o list.index",),
    "hashlist export": ("hashlist export list.index -o list.json --format vics",),
    "hashlist info": ("hashlist info list.csv",),
    "cluster": ("cluster photos/ -o clusters",),
    "case": ("case init phone.db --name Phone", "scan phone/ --case phone.db -o report", "case list phone.db"),
    "case init": ("case init phone.db --name Phone --operator Ann",),
    "case add": ("case add phone.db phone/",),
    "case list": ("case list phone.db", "case list phone.db --priority high --decision undecided"),
    "case show": ("case show phone.db IMG_0001.jpg",),
    "case like": ("case like c.db picture.jpg",),
    "case mark": ("case mark phone.db IMG_0001.jpg --decision relevant --note 'seen online on 2 May'",),
    "case export": ("case export phone.db -o exported", "case export phone.db -o exported --format csv"),
    "case verify": ("case verify phone.db --files",),
    "evidence": ("evidence pack photos/ -o bag", "evidence verify bag"),
    "evidence pack": ("evidence pack photos/ -o bag --report report", "evidence pack phone.db -o bag --key my.key"),
    "evidence attach": (
        "evidence attach phone.db search.png --source https://images.example/search --at 2026-11-29T14:05+01:00",
    ),
    "review": ("review phone.db", "review phone.db --operator Ann --blind"),
    "evidence verify": ("evidence verify bag",),
    "evidence keygen": ("evidence keygen my.key",),
    "evidence sign": ("evidence sign bag --key my.key",),
    "evidence log": ("evidence log phone.db",),
    "notice": ("notice report --law eu --file IMG_0001.jpg -o letter.md", "notice picture.jpg --law jp --lang ja"),
    "helplines": ("helplines --country jp",),
    "report": ("report report", "report report --lang ja --pdf"),
    "analyzers": ("analyzers",),
    "model": ("model evaluate --real photos/ --fake made/ -o evaluation", "model card"),
    "model evaluate": ("model evaluate --real photos/ --fake made/ -o evaluation",),
    "model card": ("model card", "model card --detector own-model/"),
    "weights list": ("weights list",),
    "weights verify": ("weights verify",),
    "weights": ("weights list", "weights verify"),
    "doctor": ("doctor",),
}
"""By command, lines that can be typed, without the name of the program."""


def dress(root: Any, program: str, *, allow_plugins: bool) -> None:
    """Gives every command its examples and every option its words.

    Args:
        root: The application as typer made it.
        program: Its name.
        allow_plugins: Whether third parties' analyzers bring commands.
    """
    brought = {
        name: [example for share in shares.values() for example in share.examples]
        for name, shares in commands(allow_plugins=allow_plugins).items()
    }
    narrow = shutil.get_terminal_size().columns < NARROW
    for path, command in _walk(root, ""):
        own = command.get_help_option(command.context_class(command))
        for parameter in [*command.params, *([own] if own else [])]:
            _say(parameter)
        examples = EXAMPLES.get(path) or brought.get(path) or ()
        if examples:
            lines = "\n".join(f"  {program} {example}" for example in examples)
            command.epilog = f"Examples:\n{lines}" + (f"\n\n{command.epilog}" if command.epilog else "")
        if narrow:
            command.format_help = _narrow(command)


def _walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _walk(child, f"{path} {name}".strip())


def _say(parameter: Any) -> None:
    """Has a parameter say in a word what it takes; a choice names its choices as it is."""
    shown = parameter.display_type(None)
    if shown is None:
        return
    kind = str(shown).strip("<>").removeprefix("list[").removesuffix("]").removesuffix("...")
    word = _WORDS.get(kind, kind)
    parameter.display_type_rich = lambda ctx: word  # arguments have no other way to say it


def _narrow(command: Any) -> Any:
    """Help without frames: each option on a line of its own, what it does under it."""

    def format_help(ctx: Any, formatter: Any) -> None:
        width = max(20, shutil.get_terminal_size().columns)

        def tell(text: str, indent: int = 0) -> None:
            formatter.write(textwrap.fill(text, width, initial_indent=" " * indent, subsequent_indent=" " * indent))
            formatter.write("\n")

        tell(f"Usage: {ctx.command_path} {' '.join(command.collect_usage_pieces(ctx))}")
        formatter.write("\n")
        tell(command.help or "")
        panel = None
        for parameter in sorted(command.get_params(ctx), key=lambda each: str(_panel(each))):
            if getattr(parameter, "hidden", False):
                continue
            if _panel(parameter) != panel:
                panel = _panel(parameter)
                tell(f"\n{panel}:" if panel else "")
            names = [*parameter.opts, *parameter.secondary_opts]
            tell(f"{', '.join(names)} {parameter.display_type_rich(ctx) or ''}".rstrip(), 2)
            if parameter.help:
                tell(parameter.help, 6)
        for name, child in getattr(command, "commands", {}).items():
            tell(name, 2)
            tell(child.get_short_help_str(limit=200), 6)
        for line in (command.epilog or "").splitlines():
            tell(line.strip(), 2 if line.startswith(" ") else 0)

    return format_help


def _panel(parameter: Any) -> str:
    return getattr(parameter, "rich_help_panel", None) or ""

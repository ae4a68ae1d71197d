"""Help as people read it: words for types, examples that can be typed, lines that fit 80 and 40 columns."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from nsfwforensics.cli import app
from nsfwforensics.cli.help import EXAMPLES
from nsfwforensics.core.registry import commands

TYPES = re.compile(r"<(?:bool|int|str|path|float|list)|int range|float range")


@pytest.fixture(scope="module")
def root() -> Any:
    return app._command("*")


def every_command(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from every_command(child, f"{path} {name}".strip())


def test_every_command_has_examples_and_every_example_can_be_typed(root: Any) -> None:
    known = dict(every_command(root))
    brought = {
        name: [one for share in shares.values() for one in share.examples] for name, shares in commands().items()
    }
    for path in known:
        examples = EXAMPLES.get(path) or brought.get(path)
        assert examples, f"{path} has no example"
        for example in examples:
            words = shlex.split(example.partition(">")[0])
            command = root
            context = command.context_class(command, info_name="nsfwforensics")
            while words and words[0] in getattr(command, "commands", {}):
                command = command.commands[words.pop(0)]
                context = command.context_class(command, info_name="x", parent=context)
            command.parse_args(context, words)  # an unknown option or a missing argument ends it


@pytest.mark.parametrize("width", [80, 40])
def test_help_fits_and_speaks_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    made = app._command("*")
    for path, _ in every_command(made):
        with pytest.raises(SystemExit):
            made.main([*path.split(), "--help"], prog_name="nsfwforensics")
        text = capsys.readouterr().out
        assert "Examples:" in text, path
        assert not TYPES.search(text), (path, TYPES.search(text))
        assert max(map(len, text.splitlines())) <= width, path

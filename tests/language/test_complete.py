"""Every sentence that people read has its translation in every catalogue, with the same values in it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nsfwforensics.core.messages import placeholders
from tools import messages

SOURCE = messages.SOURCE


@pytest.mark.parametrize("path", messages.catalogues(), ids=lambda path: path.stem)
def test_no_message_is_missing_or_left_over(path: Path) -> None:
    catalogue = messages.read(path)
    current = messages.brought_up_to_date(catalogue, messages.extracted())
    assert messages.missing(current) == {}, "run tools/messages.py --missing, translate, and --merge"
    assert {entry.id for entry in catalogue if entry.id} == {entry.id for entry in current if entry.id}


@pytest.mark.parametrize("path", messages.catalogues(), ids=lambda path: path.stem)
def test_translations_hold_the_same_values(path: Path) -> None:
    faults = {
        str(entry.id): fault
        for entry in messages.read(path)
        if entry.id and any(entry.string or ()) and (fault := messages.placeholder_faults(entry.id, entry.string))
    }
    assert faults == {}


@pytest.mark.parametrize("path", messages.catalogues(), ids=lambda path: path.stem)
def test_plural_forms_are_as_many_as_the_language_has(path: Path) -> None:
    catalogue = messages.read(path)
    for entry in catalogue:
        if entry.id and not isinstance(entry.id, str):
            assert len(entry.string) == catalogue.num_plurals, entry.id


def test_messages_are_literals_that_can_be_found() -> None:
    unseen = []
    for path in SOURCE.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            wanted = {"say": 1, "say_count": 2}.get(call.func.id, 0)
            literal = [isinstance(each, ast.Constant) and isinstance(each.value, str) for each in call.args[:wanted]]
            if not all(literal):
                unseen.append(f"{path.relative_to(SOURCE)}:{call.lineno}")
    assert unseen == []


def test_the_values_of_a_sentence_are_those_it_is_given() -> None:
    wrong = []
    for path in SOURCE.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "say":
                if any(word.arg is None for word in call.keywords) or not isinstance(call.args[0], ast.Constant):
                    continue  # values from a mapping are only known when it runs
                if placeholders(str(call.args[0].value)) != {word.arg for word in call.keywords}:
                    wrong.append(f"{path.relative_to(SOURCE)}:{call.lineno}")
    assert wrong == []

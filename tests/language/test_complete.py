"""Every sentence that people read has its translation in every catalogue, with the same values in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from nsfwforensics.core.messages import placeholders
from tools import messages

SOURCE = messages.SOURCE
extracted = cache(messages.extracted)


@cache
def calls() -> tuple[tuple[str, str, ast.Call], ...]:
    """Every call by a mere name in the source: where it stands, the name, and the call."""

    def found() -> Iterator[tuple[str, str, ast.Call]]:
        for path in SOURCE.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield f"{path.relative_to(SOURCE)}:{node.lineno}", node.func.id, node

    return tuple(found())


@pytest.mark.parametrize("path", messages.catalogues(), ids=lambda path: path.stem)
def test_no_message_is_missing_or_left_over(path: Path) -> None:
    catalogue = messages.read(path)
    current = messages.brought_up_to_date(catalogue, extracted())
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
    for place, name, call in calls():
        wanted = {"say": 1, "say_count": 2}.get(name, 0)
        literal = [isinstance(each, ast.Constant) and isinstance(each.value, str) for each in call.args[:wanted]]
        if not all(literal):
            unseen.append(place)
    assert unseen == []


def test_the_values_of_a_sentence_are_those_it_is_given() -> None:
    wrong = []
    for place, name, call in calls():
        if name == "say":
            if any(word.arg is None for word in call.keywords) or not isinstance(call.args[0], ast.Constant):
                continue  # values from a mapping are only known when it runs
            if placeholders(str(call.args[0].value)) != {word.arg for word in call.keywords}:
                wrong.append(place)
    assert wrong == []

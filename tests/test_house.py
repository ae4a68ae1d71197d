"""How the source lies: no circle of files, the rooms of the report go one way, no analyzer is known by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from nsfwforensics.core.registry import built_in, commands

SOURCE = Path(__file__).resolve().parent.parent / "src"
ANALYZERS = SOURCE / "nsfwforensics" / "analyzers"

ROOMS = ("words", "saved", "charts", "page", "console", "documents", "pdf")
"""The rooms of the report, from what is imported by others to what imports them; ``writer.py`` stands above all."""


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for path in SOURCE.rglob("*.py"):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        found[name] = parsed(path)
    return found


def imported(tree: ast.Module) -> Iterator[str]:
    """What a file imports, anywhere in it: at its top, for types only, or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules() else node.module


@cache
def graph() -> dict[str, set[str]]:
    return {
        name: {other for other in imported(tree) if other in modules()} - {name} for name, tree in modules().items()
    }


def circles() -> list[set[str]]:
    """Files that import one another, whether at once or by way of others."""
    left = {name: set(others) for name, others in graph().items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            new = (left[waiting.pop()] & left.keys()) - seen
            seen |= new
            waiting += new
        return seen

    ways = {name: reached(name) for name in left}
    return [{name} | {other for other in ways[name] if name in ways[other]} for name in ways if name in ways[name]]


def test_no_files_import_one_another() -> None:
    assert [sorted(circle) for circle in circles()] == []


def test_the_rooms_of_the_report_go_one_way() -> None:
    wrong = []
    for name, others in graph().items():
        rooms = [other.split(".")[2] for other in (name, *others) if other.startswith("nsfwforensics.report.")]
        if name.startswith("nsfwforensics.report.") and rooms[0] in ROOMS:
            wrong += [
                (name, other) for other in rooms[1:] if other not in ROOMS or ROOMS.index(other) > ROOMS.index(rooms[0])
            ]
    assert wrong == []


NAMES = frozenset(registration.name for registration in built_in())
CODES = re.compile(
    rf"\b(?:{'|'.join(sorted({code.split('-')[0] for each in built_in() for code in each.load().codes}))})-\d{{3}}\b"
)

OTHERWISE = {
    "__init__.py": {"compare"},  # a function of the library
    "api.py": {"compare"},
    "cli/evidence/pack.py": {"known"},  # digests that a case knows
    "cli/faces_group.py": {"faces"},  # the command that it is a part of
    "clustering/faces.py": {"faces"},  # a field of what is kept
    "clustering/people.py": {"faces"},  # a count in the custody log
    "core/hashes.py": {"phash"},  # a hash
    "core/vocabulary.py": {"known"},  # a question
    "formats/dct.py": {"jpeg"},  # a format
    "hashing/index/known.py": {"known"},  # what a record calls the list that was given
    "hashing/lists/rows.py": {"phash"},  # a kind of signal in a list
    "libraries.py": {"intimate"},  # an extra
    "report/page/terms.py": {"metadata", "watermark"},  # words of the glossary
}
"""Where a word that is also the name of an analyzer stands for something else."""


def elsewhere() -> list[Path]:
    """All files of the package that belong to no analyzer."""
    return [
        path
        for path in (SOURCE / "nsfwforensics").rglob("*")
        if path.suffix in (".py", ".j2", ".js", ".css") and ANALYZERS not in path.parents
    ]


def literals(path: Path) -> set[str]:
    """Texts in the code, but for documentation; of a template every quoted word."""
    if path.suffix != ".py":
        return set(re.findall(r"['\"]([a-z0-9_-]+)['\"]", path.read_text("utf-8")))
    return {
        node.value for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("path", elsewhere(), ids=lambda path: path.relative_to(SOURCE / "nsfwforensics").as_posix())
def test_no_file_outside_its_folder_knows_an_analyzer(path: Path) -> None:
    place = path.relative_to(SOURCE / "nsfwforensics").as_posix()
    assert not (literals(path) & NAMES) - OTHERWISE.get(place, set())
    assert not CODES.findall(path.read_text("utf-8"))


def test_every_word_that_is_let_through_is_there() -> None:
    for place, words in OTHERWISE.items():
        assert words <= literals(SOURCE / "nsfwforensics" / place), place


def test_no_file_imports_an_analyzer_but_its_neighbours() -> None:
    prefix = "nsfwforensics.analyzers"
    others = {name for name in graph() if not name.startswith(prefix)}
    assert [(name, other) for name in others for other in graph()[name] if other.startswith(prefix)] == []


def test_every_built_in_analyzer_has_a_place_of_its_own() -> None:
    places = [registration.load().place for registration in built_in()]
    assert places == sorted(set(places))
    assert [registration.name for registration in built_in()][:3] == ["provenance", "watermark", "metadata"]


def test_commands_of_analyzers_are_listed_without_loading_one() -> None:
    assert commands().keys() == {"compare", "detect", "faces", "metadata", "provenance", "search"}
    for shares in commands().values():
        assert all(command.help.endswith(".") for command in shares.values())
        assert shares.keys() <= NAMES

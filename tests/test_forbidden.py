"""What the source must never do with what comes from outside: unpickle it, evaluate it, hand it to a shell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "nsfwforensics"
LABORATORY = ROOT / "training"

BESIDE = {"training", "benchmarks", "tools", "tests"}
"""Folders of the repository that are in no wheel."""

MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "telnetlib", "ftplib"}
NETWORK = {"socket", "urllib.request", "http.client", "requests", "httpx", "aiohttp", "smtplib", "webbrowser"}
CALLS = {"eval", "exec", "__import__"}
ATTRIBUTES = {("os", "system"), ("os", "popen"), ("tempfile", "mktemp"), ("yaml", "load"), ("torch.jit", "load")}

ALLOWED = {
    ("core/written.py", "import pickle"): "writes what a process of ours reads again, and reads nothing",
    ("models/faces/vggface2.py", "import pickle"): "names the error of torch's restricted reader",
    ("execution/answers.py", "import pickle"): "between our own processes, as the pool itself does",
    ("execution/first_look.py", "import pickle"): "reads what a process of ours wrote into a file without a name",
    ("execution/server.py", "exec()"): "does in a fork the line that multiprocessing would start an interpreter with",
    ("review/serving.py", "import socket"): "listens on this machine's own address, and opens nothing",
    ("testing.py", "import pickle"): "shows that samples can travel between our own processes",
}


def _files() -> list[Path]:
    return sorted([*SOURCE.rglob("*.py"), *LABORATORY.rglob("*.py")])


def _name(path: Path) -> str:
    return path.relative_to(SOURCE if path.is_relative_to(SOURCE) else ROOT).as_posix()


def _found(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        yield from (f"import {name}" for name in _modules(node) if name.split(".")[0] in MODULES or name in NETWORK)
        if isinstance(node, ast.Call):
            yield from _calls(node)


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _calls(node: ast.Call) -> Iterator[str]:
    keywords = {word.arg: word.value for word in node.keywords}
    if isinstance(node.func, ast.Name) and node.func.id in CALLS:
        yield f"{node.func.id}()"
    shell = keywords.get("shell")
    if shell is not None and not (isinstance(shell, ast.Constant) and shell.value is False):
        yield "shell=True"
    if isinstance(node.func, ast.Attribute):
        owner = ast.unparse(node.func.value)
        if (owner, node.func.attr) in ATTRIBUTES:
            yield f"{owner}.{node.func.attr}()"
        restricted = keywords.get("weights_only")
        safe = isinstance(restricted, ast.Constant) and restricted.value is True
        if (owner, node.func.attr) == ("torch", "load") and not safe:
            yield "torch.load() without weights_only"
        if node.func.attr == "load" and "allow_pickle" in keywords:
            allowed = keywords["allow_pickle"]
            if not (isinstance(allowed, ast.Constant) and allowed.value is False):
                yield "numpy.load(allow_pickle=True)"


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_nothing_from_outside_is_run(path: Path) -> None:
    name = _name(path)
    found = {what for what in _found(ast.parse(path.read_text("utf-8"))) if (name, what) not in ALLOWED}
    assert not found


def _caught_without_a_word(source: str) -> list[int]:
    """Lines that catch any error, neither raise it again nor say beside it why."""
    lines = source.splitlines()
    handlers = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler))
    return [
        node.lineno
        for node in handlers
        if (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
        and not re.search(r"(?:BLE001 -|#) (?!noqa)[A-Za-z]", lines[node.lineno - 1])
    ]


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_whoever_catches_anything_says_why(path: Path) -> None:
    assert not _caught_without_a_word(path.read_text("utf-8"))


def test_the_package_needs_nothing_that_stays_in_the_repository() -> None:
    found = {
        f"{_name(path)}: {module}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for module in _modules(node)
        if module.split(".")[0] in BESIDE
    }
    assert not found


def test_the_search_finds_what_it_looks_for() -> None:
    code = (
        "import pickle, urllib.request\nfrom socket import socket\neval(x)\nos.system(x)\nrun(x, shell=True)\n"
        "torch.load(x)\ntorch.load(x, weights_only=True)\nnumpy.load(x, allow_pickle=True)\nrun(x, shell=False)\n"
    )
    assert sorted(_found(ast.parse(code))) == sorted([
        "import pickle", "import urllib.request", "import socket", "eval()", "os.system()", "shell=True",
        "torch.load() without weights_only", "numpy.load(allow_pickle=True)",
    ])  # fmt: skip


def test_the_search_finds_errors_that_are_caught_without_a_word() -> None:
    tried = "try:\n    f()\nexcept Exception:{}\n    {}\n"
    assert _caught_without_a_word(tried.format("", "pass")) == [3]
    assert _caught_without_a_word(tried.format("  # noqa: BLE001", "pass")) == [3]
    assert not _caught_without_a_word(tried.format("  # noqa: BLE001 - a boundary", "pass"))
    assert not _caught_without_a_word(tried.format("", "raise"))


def test_what_is_allowed_is_still_there() -> None:
    for name, what in ALLOWED:
        assert what in set(_found(ast.parse((SOURCE / name).read_text("utf-8"))))

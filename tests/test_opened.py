"""Evidence is opened in one way, and what is written is written in one way: no module goes round either."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "nsfwforensics"

READERS = {"open", "read_bytes", "read_text", "iterdir", "glob", "rglob", "imread", "memmap", "fromfile", "loadtxt"}
WRITERS = {"write_bytes", "write_text", "imwrite", "mkdir", "makedirs", "touch", "savez", "mkstemp", "mkdtemp"}
SYSTEM = {"open", "listdir", "scandir", "walk", "mkdir", "makedirs", "copy", "copy2", "copyfile", "copytree", "move"}
OWNERS = {"os", "shutil", "io"}

ALLOWED: dict[str, tuple[str, str]] = {
    "analyzers/jpeg/tables.py": ("read_text", "what ships with the package"),
    "analyzers/provenance/c2pa/credentials.py": ("read_bytes", "certificates that its user trusts"),
    "analyzers/provenance/c2pa/read.py": ("read_text", "certificates: ours, and those that its user trusts"),
    "cli/evidence/attach.py": ("read_bytes", "what the case says of a result from outside"),
    "cli/evidence/keys.py": ("open", "a passphrase"),
    "cli/evidence/show.py": ("open", "a time stamp, a certificate"),
    "cli/model/commands.py": ("read_text", "a model's card; the folder of results"),
    "cli/streams.py": ("os.open", "the null device"),
    "core/documents.py": ("open", "settings, cards, words: documents that are no evidence"),
    "core/installation.py": ("read_text", "what is installed"),
    "core/locks.py": ("os.open", "a lock"),
    "core/opening.py": ("iterdir open os.listdir os.open", "the one opener"),
    "core/places.py": ("read_text", "the system's list of mounts"),
    "core/private.py": ("glob mkdir mkstemp os.open os.walk", "the one writer"),
    "custody/attached.py": ("iterdir mkdtemp read_bytes", "results from outside, as a case keeps them"),
    "custody/bag.py": ("mkdtemp write_bytes", "a bag that is being made"),
    "custody/keys.py": ("os.open", "a key"),
    "custody/listing.py": ("os.scandir", "the folders of a bag, which holds copies"),
    "custody/wacz.py": ("open", "a part of an archive that is open"),
    "execution/confine.py": ("os.open", "the null device"),
    "execution/machine.py": ("read_text", "how much memory the system has"),
    "execution/prepare.py": ("read_bytes", "word that a worker left"),
    "execution/ray_pool.py": ("write_text", "settings for Ray, in the run's own folder"),
    "execution/server.py": ("os.listdir", "this process's threads and descriptors, as the system lists them"),
    "execution/worker.py": ("write_bytes", "word for the main process"),
    "formats/dct.py": ("mkstemp open os.open", "a copy in memory; the null device"),
    "formats/read.py": ("read_text", "a chunk that is in memory"),
    "hashing/index/arrays.py": ("memmap", "a part of an index, opened by the one opener"),
    "hashing/index/indexing.py": ("glob iterdir", "the folder of an index"),
    "hashing/index/known.py": ("mkdtemp", "an index for one run"),
    "hashing/lists/lists.py": ("open", "a list of hashes, which may come through a pipe"),
    "language/catalogue.py": ("open", "what ships with the package"),
    "libraries.py": ("read_text", "what is installed"),
    "models/device.py": ("glob", "which graphics cards the system names"),
    "models/faces/files.py": ("read_bytes", "weights"),
    "models/faces/people.py": ("read_bytes", "measured figures"),
    "models/faces/rates.py": ("read_bytes", "weights"),
    "models/intimate_detector.py": ("open read_bytes", "weights"),
    "models/own/files.py": ("open", "a model that its user brings"),
    "models/own/reading.py": ("glob open", "the card of such a model"),
    "models/runtime.py": ("read_text", "what the processor can do"),
    "models/scene.py": ("read_bytes", "measured figures"),
    "models/weights.py": ("open read_bytes", "weights"),
    "report/pdf/making.py": ("open write_text", "a report; where fonts are, in the run's own folder"),
    "report/saved/artifacts.py": ("iterdir read_bytes", "a report"),
    "report/saved/digests.py": ("glob iterdir open", "a report"),
    "report/saved/earlier.py": ("open", "a report"),
    "report/saved/reading.py": ("open read_bytes", "a report"),
    "report/writer.py": ("glob mkdtemp open", "a report and its spool"),
    "seclusion.py": ("glob mkdir mkdtemp os.open", "the run's own folder, and those that killed runs left"),
    "signals/matching/near_index.py": ("memmap", "tables of an index, in files of the run's own"),
    "store/claims.py": ("os.open", "the lock of a case"),
    "store/connection.py": ("mkstemp", "a case that is being made"),
    "store/log_copy.py": ("os.open", "the custody log"),
    "store/scanning.py": ("touch", "a row, touched"),
    "testing.py": ("iterdir read_bytes write_bytes", "files of a test"),
}
"""What else is opened, listed or made, by module, and what it is."""


def _modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def _calls(tree: ast.AST) -> Iterator[str]:
    """Every call that opens, lists or makes something by its path."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
            yield "open"
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner, name = ast.unparse(node.func.value), node.func.attr
        if owner in OWNERS:
            if name in SYSTEM:
                yield f"{owner}.{name}"
        elif name in READERS | WRITERS and not _harmless(owner, node.args):
            yield name


def _harmless(owner: str, arguments: list[ast.expr]) -> bool:
    """Whether it opens what ships with the package, bytes in memory, or is a class method of ours."""
    ours = owner == "cls" or (owner.isidentifier() and owner[0].isupper() and owner not in ("Path", "Image"))
    in_memory = bool(arguments) and ast.unparse(arguments[0]).startswith("io.BytesIO(")
    return ours or in_memory or "files(" in owner


def _found(name: str) -> set[str]:
    return set(_calls(ast.parse((SOURCE / name).read_text("utf-8"))))


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_nothing_is_opened_or_made_in_another_way(path: Path) -> None:
    name = path.relative_to(SOURCE).as_posix()
    allowed, _ = ALLOWED.get(name, ("", ""))
    assert _found(name) <= set(allowed.split()), "open evidence with core.opening, and write with core.private"


def test_the_list_names_modules_that_are_there() -> None:
    assert {path.relative_to(SOURCE).as_posix() for path in _modules()} >= set(ALLOWED)


def test_the_search_finds_what_it_looks_for() -> None:
    code = (
        "open(p)\nos.open(p, f)\np.open('rb')\nPath(p).open()\np.read_bytes()\nos.scandir(p)\np.iterdir()\n"
        "Image.open(p)\ncv2.imread(p)\nnp.memmap(p)\nshutil.copyfile(a, b)\np.mkdir()\np.write_text('')\n"
        "Image.open(io.BytesIO(data))\nEvidence.open(p)\ncls.open(p)\ntext.copy()\nfiles('x').open()\n"
    )
    assert sorted(_calls(ast.parse(code))) == sorted([
        "open", "os.open", "open", "open", "read_bytes", "os.scandir", "iterdir", "open", "imread", "memmap",
        "shutil.copyfile", "mkdir", "write_text",
    ])  # fmt: skip

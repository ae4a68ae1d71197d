"""Finding weights, checking them against the manifest, and reading them: safetensors only, never a pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nsfwforensics.core.documents import DocumentError, load_toml, read_toml
from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

T = TypeVar("T")

MANIFEST = "manifest.toml"


@dataclass(frozen=True, slots=True)
class WeightsEntry:
    """One ``[[model]]`` table of the manifest.

    Attributes:
        name: The model's name.
        version: Changes whenever the numbers do.
        file: File name inside the weights folder.
        sha256: Expected SHA-256, lowercase hexadecimal.
        license: SPDX identifier, or words where there is none.
        card: File name of the model card, or an empty text.
        shipped: Whether the file comes with this package; otherwise the user has to supply it.
        note: Where a file that is not shipped can be obtained.
    """

    name: str
    version: str
    file: str
    sha256: str
    license: str
    card: str = ""
    shipped: bool = True
    note: str = ""


def weights_folder() -> Path:
    """The folder of the installed weights: inside the package, or beside the sources in a checkout.

    Raises:
        WeightsError: Neither holds a manifest.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_weights", package.parent.parent / "weights"):
        if (folder / MANIFEST).is_file():
            return folder
    raise WeightsError(say("the installed package has no weights folder; reinstall nsfwforensics"))


@cache
def manifest() -> Mapping[str, WeightsEntry]:
    """The shipped manifest, by model name.

    Raises:
        WeightsError: It cannot be read.
    """
    path = weights_folder() / MANIFEST
    try:
        tables = load_toml(path)["model"]
        entries = [WeightsEntry(**table) for table in tables]
    except (OSError, DocumentError, KeyError, TypeError) as error:
        problem = say("{path} is not a weights manifest: {error}", path=str(path), error=str(error))
        raise WeightsError(problem) from error
    return {entry.name: entry for entry in entries}


def locate(name: str, folder: Path | None = None) -> tuple[WeightsEntry, Path]:
    """Finds a model's file without reading it.

    Args:
        name: The model's name in the manifest.
        folder: A folder to look in before the installed one.

    Raises:
        WeightsError: The manifest does not name it, or the file is in neither folder.
    """
    entry = manifest().get(name)
    if entry is None:
        raise WeightsError(say("no model named “{name}” in the weights manifest", name=name))
    path = beside(entry.file, folder)
    if path.is_file():
        return entry, path
    if entry.note:
        raise WeightsError(say("{file} ({name}) is missing; {note}", file=entry.file, name=name, note=entry.note))
    raise WeightsError(say("{file} ({name}) is missing", file=entry.file, name=name))


def beside(file: str, folder: Path | None = None) -> Path:
    """Where a file of weights, or of figures about them, lies, or would lie.

    Args:
        file: Its name.
        folder: A folder to look in before the installed one.

    Raises:
        WeightsError: There is no installed one.
    """
    installed = weights_folder() / file
    return folder / file if folder and (folder / file).is_file() else installed


def measured(file: str, make: Callable[[dict[str, Any], str], T], folder: Path | None = None) -> T:
    """Reads figures that a measuring tool wrote beside the weights.

    Args:
        file: A TOML file's name.
        make: Makes the figures of its tables and its SHA-256.
        folder: A folder to look in before the installed one.

    Raises:
        WeightsError: It is missing, or ``make`` finds other things in it.
    """
    try:
        content = beside(file, folder).read_bytes()
        return make(read_toml(content), hashlib.sha256(content).hexdigest())
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        problem = say("{file} does not hold the figures that were measured: {error}", file=file, error=str(error))
        raise WeightsError(problem) from error


def read(name: str, folder: Path | None = None) -> bytes:
    """Reads a model's file once and checks the SHA-256 of what was read, so that nothing else can be loaded.

    Args:
        name: The model's name in the manifest.
        folder: A folder to look in before the installed one.

    Raises:
        WeightsError: The file is missing, unreadable, or not the one the manifest names.
    """
    entry, path = locate(name, folder)
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = say("{path} cannot be read: {error}", path=str(path), error=error.strerror)
        raise WeightsError(problem) from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != entry.sha256:
        raise WeightsError(
            say(
                "{file} is not the file that the manifest names (SHA-256 {actual}, expected {expected})",
                file=path.name,
                actual=actual,
                expected=entry.sha256,
            )
        )
    return data


def load_tensors(name: str, folder: Path | None = None) -> dict[str, torch.Tensor]:
    """Reads a model's tensors to the CPU after checking its SHA-256.

    Raises:
        WeightsError: The file is missing, altered or not safetensors.
    """
    from safetensors.torch import load

    return _loaded(load, name, folder)


def load_arrays(name: str, folder: Path | None = None) -> dict[str, NDArray[Any]]:
    """Like :func:`load_tensors`, as NumPy arrays and without torch.

    Raises:
        WeightsError: The file is missing, altered or not safetensors.
    """
    from safetensors.numpy import load

    return _loaded(load, name, folder)


def _loaded(load: Callable[[bytes], dict[str, T]], name: str, folder: Path | None) -> dict[str, T]:
    from safetensors import SafetensorError

    data = read(name, folder)
    try:
        return load(data)
    except SafetensorError as error:
        file = manifest()[name].file
        problem = say("{file} is not a readable safetensors file: {error}", file=file, error=str(error))
        raise WeightsError(problem) from error

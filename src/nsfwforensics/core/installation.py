"""How this very package was installed, told by where its files lie and never by what a package calls itself.

Names prove nothing: any package may bear any name, and of several with one name the first on Python's path hides the
others from whoever asks by name.
"""

from __future__ import annotations

import json
import os
from functools import cache
from importlib import metadata
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from urllib.parse import unquote, urlsplit

PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of this package."""

NAME = "nsfwforensics"


@cache
def distribution() -> Distribution | None:
    """The installed distribution that this package's own files belong to; None where it was not installed."""
    found = metadata.distributions(name=NAME)
    return next((each for each in found if _holds(each, PACKAGE / "__init__.py")), None)


@cache
def version() -> str:
    """The version of this package."""
    found = distribution()
    return found.version if found is not None else metadata.version(NAME)


def is_own(entry: EntryPoint) -> bool:
    """Whether an entry point leads into this package: its module is a file of ours, and its distribution brought it."""
    top, *inside = entry.value.partition(":")[0].strip().split(".")
    if top != PACKAGE.name or entry.dist is None:
        return False
    place = PACKAGE.joinpath(*inside)
    files = (place.with_name(f"{place.name}.py"), place / "__init__.py")
    return any(file.is_file() and file.resolve() == file and _holds(entry.dist, file) for file in files)


def _holds(found: Distribution, file: Path) -> bool:
    """Whether a distribution's own records say that it installed a file of this package, or its source as it stands."""
    root = _source(found)
    if root is not None:
        return file.is_relative_to(root)
    if found.files is None:  # some systems' packages come without a record; then the metadata lies beside the package
        return Path(str(found.locate_file(NAME))).resolve() == PACKAGE
    inside = (NAME, *file.relative_to(PACKAGE).parts)
    return any(each.parts == inside and Path(str(each.locate())).resolve() == file for each in found.files)


def _source(found: Distribution) -> Path | None:
    """The project's folder, where a distribution was installed for work on it (PEP 610)."""
    try:
        record = json.loads(found.read_text("direct_url.json") or "{}")
        if not record.get("dir_info", {}).get("editable"):
            return None
        path = unquote(urlsplit(record["url"]).path)  # as url2pathname, whose module takes long to load
        return Path(path.lstrip("/") if os.name == "nt" else path).resolve()
    except (ValueError, KeyError, AttributeError, TypeError):
        return None

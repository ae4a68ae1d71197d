"""The libraries whose version can change what is found; the report's header names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from types import MappingProxyType
from typing import TYPE_CHECKING

from nsfwforensics.core import installation

if TYPE_CHECKING:
    from packaging.requirements import Requirement

LIBRARIES = (
    "c2pa-python",
    "defusedxml",
    "exifread",
    "facenet-pytorch",
    "imagehash",
    "jinja2",
    "jpeglib",
    "nudenet",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pebble",
    "pillow",
    "pillow-heif",
    "pydantic",
    "pywavelets",
    "ray",
    "rich",
    "safetensors",
    "torch",
    "torchvision",
    "typer",
)

EXTRAS = ("intimate", "onnx", "pdf", "ray", "review")
"""What a user can choose to install as well."""


@cache
def library_versions() -> Mapping[str, str]:
    """The installed versions by name, as this process found them first; what is not installed is left out."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = _stated(distribution(name))
        except PackageNotFoundError:
            continue
    return MappingProxyType(found)


def _stated(package: Distribution) -> str:
    """The version of a distribution, without reading the pages of description behind it in the same file."""
    head = (package.read_text("METADATA") or "").partition("\n\n")[0]
    return next((line[9:] for line in head.splitlines() if line.startswith("Version: ")), None) or package.version


def lacking(extra: str = "") -> list[str]:
    """What this installation needs on this machine and does not have, as the package's own metadata says.

    Args:
        extra: One of ``EXTRAS``: what that adds. Empty: what every installation needs.

    Returns:
        One text for each requirement that is not met: ``name>=version``, with the version found where there is one.
    """
    return [text for requirement in _needed(extra) if (text := _unmet(requirement))]


def _needed(extra: str) -> Iterator[Requirement]:
    from packaging.requirements import Requirement  # slow to load, and of no use to a scan

    own = installation.distribution()
    for requirement in map(Requirement, (own.requires if own is not None else None) or ()):
        marker = requirement.marker
        always = marker is None or marker.evaluate({"extra": ""})
        with_extra = marker is None or marker.evaluate({"extra": extra})
        if always != bool(extra) and with_extra:
            yield requirement


def _unmet(requirement: Requirement) -> str:
    wanted = f"{requirement.name}{requirement.specifier}"
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return wanted
    return "" if requirement.specifier.contains(found, prereleases=True) else f"{wanted} (found {found})"

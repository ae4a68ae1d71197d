"""The libraries whose version can change what is found; the report's header names them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

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

OF_EXTRAS = frozenset({"onnxruntime", "ray"})
"""Those that come with an extra: an installation without them lacks nothing."""


def library_versions() -> dict[str, str]:
    """The installed versions by name; what is not installed is left out."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

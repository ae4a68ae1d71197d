"""Evidence with awkward names, reports about it, and bags packed from it."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from nsfwforensics.core.discover import discover
from nsfwforensics.core.types import Artifact, FileReport
from nsfwforensics.custody import keys, report_copy
from nsfwforensics.custody.bag import Order, Packed, pack
from nsfwforensics.custody.report_copy import Source
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import file, finding, header, result, thumbnail

HOSTILE_NAMES = (
    b"-rf",
    b"line\nbreak\r.jpg",
    "turned \u202egpj.exe".encode(),
    b"=HYPERLINK(1).jpg",
    b"n" * 251 + b".jpg",
    b"not utf-8 \xff\xfe.jpg",
    b"%0A percent.jpg",
    b" leading and trailing ",
    b"\x1b[31m[red]x.jpg",
)
"""Names that break tables, terminals, manifests or file systems; none of them may get into a bag as a name."""


def picture(seed: int, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((32, 32)).rotate(seed * 7).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Pictures, two of one name, an empty file, text, hostile names, and what must not be opened."""
    folder = tmp_path / "evidence"
    (folder / "two").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(picture(1))
    (folder / "two" / "a.jpg").write_bytes(picture(2))
    (folder / "b.png").write_bytes(picture(3, "PNG"))
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("who sent it, and when")
    for number, name in enumerate(HOSTILE_NAMES):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(picture(10 + number))
    return folder


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Ed25519PrivateKey:
    path = tmp_path_factory.mktemp("key") / "signer"
    keys.make(path, None)
    return keys.load_private(path, None)


Pack = Callable[..., Packed]


@pytest.fixture
def packed(tmp_path: Path) -> Pack:
    """Packs a folder into ``tmp_path / "bag"``."""

    def call(folder: Path, **order: Any) -> Packed:
        values: dict[str, Any] = {"bag": tmp_path / "bag", "command": "nsfwforensics evidence pack"}
        return pack(Order(targets=list(discover([folder])), **(values | order)))

    return call


def report_source(folder: Path, place: Path, *, sensitive: tuple[str, ...] = (), **head: Any) -> Source:
    """A saved report about a folder, with a thumbnail, a map and a picture in a metadata field for each file."""
    head["sensitive"] = head.pop("sensitive_run", False)
    with ReportWriter(place) as writer:
        writer.begin(header(**head))
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
            writer.add(_report(path, sensitive=path.name in sensitive))
        writer.finish(header(**head))
    return report_copy.from_folder(place)


def _report(path: Path, *, sensitive: bool) -> FileReport:
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    lines = base64.encodebytes(picture(1)).decode()
    hidden = {
        "thumbnail": thumbnail(),
        "hex": picture(1).hex(),
        "fields": [
            {"source": "JPEG APP1", "name": "Thumbnails[1].image", "value": lines},
            *({"name": f"Part{number}", "value": line} for number, line in enumerate(lines.splitlines())),
        ],
    }
    shown = Artifact(name="map", media_type="image/png", data=picture(99, "PNG"))
    made = result(findings=(finding(data=hidden),), measurements=hidden, artifacts=(shown,))
    info = {"sha256": sha256, "size": len(data), "thumbnail": thumbnail(), "width": 32, "height": 32}
    return file(os.fsencode(path).decode("utf-8", "replace"), made, info=info, sensitive=sensitive)


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Path]:
    """A copy of a bag to be tampered with."""
    numbers = iter(range(1000))

    def call(bag: Path) -> Path:
        return Path(shutil.copytree(bag, tmp_path / f"copy{next(numbers)}", symlinks=True))

    return call

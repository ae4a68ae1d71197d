"""Folders to examine into a case, and what is in a case afterwards."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

from PIL import Image

from nsfwforensics.testing import contract_file
from tests.e2e.conftest import Runner

FAST = ("--only", "metadata", "--only", "phash", "--quiet")


def fill(folder: Path, number: int) -> Path:
    """Makes small pictures, all different but for two, with a broken one and one that is no picture among them."""
    folder.mkdir(parents=True)
    numbers = random.Random(5)
    for index in range(number):
        picture = Image.linear_gradient("L").resize((24, 24)).rotate(numbers.randrange(360))
        picture.save(folder / f"{index:03}.jpg", comment=f"picture {index}")
    shutil.copy(folder / "003.jpg", folder / "004.jpg")
    (folder / "005.jpg").write_bytes(contract_file("header-only.jpg"))
    (folder / "006.txt").write_text("no picture")
    (folder / "007.jpg").rename(folder / "007 [red]\x1b[31m\u202e=x.jpg")
    return folder


def listed(run: Runner, case: Path) -> list[tuple[str, str, str, str]]:
    ran = run("case", "list", case, "--json")
    assert ran.code == 0, ran.err
    return [(file["path"], file["sha256"], file["status"], file["priority"]) for file in json.loads(ran.out)]

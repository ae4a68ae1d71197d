"""Files that are filled or damaged so that a label in them may be missed, under the installed command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analyzers import provenance_files as files
from tests.e2e.conftest import Runner
from tests.formats import make

LABEL = make.xmp_segment(
    make.xmp(attributes=files.iptc_ext("DigitalSourceType", files.SOURCE_TYPE + "trainedAlgorithmicMedia"))
)
ONLY = ("--only", "metadata", "--only", "provenance", "--only", "jpeg", "--json")


def scanned(run: Runner, folder: Path, data: bytes) -> tuple[set[str], dict[str, str], str]:
    """The codes found, the support of each answer, and everything that was printed."""
    path = folder / "photo.jpg"
    path.write_bytes(data)
    done = run("scan", path, *ONLY)
    assert done.code == 0, done.err
    file = done.file("photo.jpg")
    found = {finding["code"] for result in file["results"] for finding in result["findings"]}
    assert all(result["status"] != "failed" for result in file["results"])
    return found, {answer["question"]: answer["support"] for answer in file["answers"]}, done.out


@pytest.mark.parametrize("number", [5_000, 20_000])
def test_empty_comments_hide_no_label_and_make_no_file_short(run: Runner, tmp_path: Path, number: int) -> None:
    found, answers, _ = scanned(run, tmp_path, make.with_segments(make.jpeg(), b"\xff\xfe\0\2" * number, LABEL))
    assert "PROV-005" in found
    assert found.isdisjoint({"META-014", "META-015", "META-016"})
    assert answers["origin"] == "supports"


@pytest.mark.slow
def test_more_parts_than_are_walked_over_are_inconclusive(run: Runner, tmp_path: Path) -> None:
    filling = b"".join(make.segment(0xEF, b"%d" % number) for number in range(501_000))
    found, answers, printed = scanned(run, tmp_path, make.with_segments(make.jpeg(), filling, LABEL))
    assert {"META-016", "PROV-014", "JPEG-004"} <= found
    assert "META-014" not in found
    assert (answers["origin"], answers["alteration"]) == ("inconclusive", "inconclusive")
    assert "quantisation table" not in printed

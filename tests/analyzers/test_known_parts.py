"""Crops, borders, tilts and screenshots of known pictures are found by signatures, from an index and from a case."""

from __future__ import annotations

import pickle
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

from nsfwforensics.analyzers.known.analyzer import KnownAnalyzer
from nsfwforensics.analyzers.phash import PerceptualHashAnalyzer
from nsfwforensics.api import scan
from nsfwforensics.core.analyzer import Enrolment, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, Severity, Support
from nsfwforensics.errors import HashListError, UsageError
from nsfwforensics.hashing.index.known import index_lists
from nsfwforensics.hashing.lists.items import Opinion
from nsfwforensics.hashing.lists.picture_list import PictureList
from nsfwforensics.signals.matching.parts import METHOD, picture_signature
from nsfwforensics.signals.matching.signature import LARGEST
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import Decision
from nsfwforensics.testing import AnalyzerContract
from tests.pictures import natural, saved

WIDTH, HEIGHT = 480, 360
KNOWN = 4


def _crop(picture: Image.Image) -> Image.Image:
    return picture.crop((50, 40, 50 + round(WIDTH * 0.837), 40 + round(HEIGHT * 0.837)))


def _border(picture: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", (WIDTH + 96, HEIGHT + 96), (90, 20, 30))
    canvas.paste(picture, (48, 48))
    return canvas


def _screenshot(picture: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", (540, 1100), "white")
    canvas.paste("black", (40, 30, 180, 60))
    canvas.paste(picture, (30, 400))
    return canvas


def _tilt(picture: Image.Image) -> Image.Image:
    return picture.rotate(3, Image.Resampling.BICUBIC)


def _mirrored_crop(picture: Image.Image) -> Image.Image:
    return _crop(picture).transpose(Image.Transpose.FLIP_LEFT_RIGHT)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "crop": _crop, "border": _border, "screenshot": _screenshot, "tilt": _tilt, "mirrored crop": _mirrored_crop
}  # fmt: skip


def photo(seed: int) -> Image.Image:
    return Image.fromarray(natural(HEIGHT, WIDTH, seed))


def jpeg(picture: Image.Image, quality: int = 75) -> bytes:
    return saved(picture, "JPEG", quality=quality)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures")
    for seed in range(KNOWN):
        (path / f"{seed}.jpg").write_bytes(jpeg(photo(seed), 90))
    return path


def indexed(path: Path, index: Path, opinion: Opinion | None = None) -> Path:
    index_lists([PictureList(path, opinion=opinion, sign=picture_signature, method=METHOD)], index)
    return index


@pytest.fixture(scope="module")
def index(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return indexed(folder, tmp_path_factory.mktemp("index") / "index")


@pytest.fixture(scope="module")
def case(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("case") / "old.db"
    options = {"phash": {"signatures": True}}
    for file in scan([folder], only=("phash",), case=path, options=options):
        assert file.info.sha256
        with CaseDatabase.open(path) as opened:
            opened.mark(file.info.sha256, decision=Decision.RELEVANT)
    return path


def enrolled(*paths: Path) -> KnownAnalyzer:
    options = KnownAnalyzer.Options.model_validate({"known": paths})
    enrolment: Enrolment = KnownAnalyzer.enrol(options, Resources())
    return KnownAnalyzer(options, Resources(), pickle.loads(pickle.dumps(enrolment)))


def looked_up(data: bytes, *paths: Path) -> Outcome:
    return enrolled(*paths).examine(Evidence.from_bytes(data))


@pytest.mark.parametrize("change", CHANGES)
def test_a_part_of_a_known_picture_is_found_in_an_index_of_pictures(change: str, index: Path) -> None:
    outcome = looked_up(jpeg(CHANGES[change](photo(2))), index)
    (found,) = outcome.findings
    assert (found.code, found.support, found.severity) == ("KNOWN-003", Support.SUPPORTS, Severity.HIGH)
    (match,) = found.data["matches"]
    assert (match["name"], match["hash_kind"], match["known"], found.data["total"]) == ("2.jpg", "part", "index", 1)
    assert f"{match['matching_points']} local features" in found.explanation
    assert match["mirrored"] == ("mirrored" in change) == ("mirrored" in found.explanation)
    assert outcome.measurements["searched"]["signatures"] == KNOWN


def test_it_is_said_how_much_is_shown_and_where(index: Path) -> None:
    (crop,) = looked_up(jpeg(_crop(photo(1))), index).findings
    assert crop.data["matches"][0]["share_of_known_shown"] == pytest.approx(0.70, abs=0.02)
    (shot,) = looked_up(jpeg(_screenshot(photo(1))), index).findings
    assert shot.region is not None
    assert (shot.region.x, shot.region.y) == pytest.approx((30, 400), abs=3)
    assert (shot.region.width, shot.region.height) == pytest.approx((WIDTH, HEIGHT), abs=4)
    (tilt,) = looked_up(jpeg(_tilt(photo(1))), index).findings
    assert abs(tilt.data["matches"][0]["rotation_degrees"]) == pytest.approx(3, abs=0.3)
    assert "turned by 3°" in tilt.explanation


@pytest.mark.parametrize("change", ["crop", "screenshot"])
def test_a_part_is_found_in_a_case_with_its_decision(change: str, case: Path) -> None:
    (found,) = looked_up(jpeg(CHANGES[change](photo(3))), case).findings
    assert (found.code, found.data["opinion"]) == ("KNOWN-003", "POSITIVE")
    assert found.data["matches"][0]["name"].endswith("3.jpg")


def test_unrelated_pictures_are_not_found(index: Path, case: Path) -> None:
    for seed in range(100, 104):
        outcome = looked_up(jpeg(_screenshot(photo(seed))), index, case)
        assert outcome.status is AnalyzerStatus.NOTHING_FOUND


@pytest.mark.parametrize(
    ("opinion", "support"),
    [
        (Opinion.NEGATIVE, Support.NO_INDICATION),
        (Opinion.DISPUTED, Support.INCONCLUSIVE),
        (Opinion.POSITIVE, Support.SUPPORTS),
    ],
)
def test_opinions_weigh_and_do_not_hide_each_other(
    opinion: Opinion, support: Support, folder: Path, index: Path, tmp_path: Path
) -> None:
    other = indexed(folder / "0.jpg", tmp_path / "other", opinion)
    found = looked_up(jpeg(_crop(photo(0))), other, index).findings
    assert [(f.code, f.data["opinion"], f.support) for f in found] == [
        ("KNOWN-003", opinion.value, support),
        ("KNOWN-003", None, Support.SUPPORTS),
    ]


def test_signatures_are_searched_only_where_nothing_else_settled_it(folder: Path, index: Path, tmp_path: Path) -> None:
    same = (folder / "0.jpg").read_bytes()
    assert [f.code for f in looked_up(same, index).findings] == ["KNOWN-001", "KNOWN-002"]
    negative = indexed(folder / "0.jpg", tmp_path / "negative", Opinion.NEGATIVE)
    codes = [f.code for f in looked_up(same, negative).findings]
    assert codes == ["KNOWN-001", "KNOWN-002", "KNOWN-003"]


def test_a_case_keeps_signatures_apart_from_its_reports(case: Path, folder: Path) -> None:
    with CaseDatabase.open(case) as opened:
        signatures = dict(opened.signatures(METHOD))
        for file in opened.files():
            assert file.sha256 in signatures
            assert all(not result.artifacts for result in opened.report(file).results)
    assert len(signatures) == KNOWN
    assert all(1_000 < len(signature) <= LARGEST for signature in signatures.values())
    evidence = Evidence.open(folder / "0.jpg")
    assert signatures[evidence.sha256] == picture_signature(evidence)
    connection = sqlite3.connect(case)
    assert connection.execute("SELECT count(*) FROM artifacts").fetchone() == (0,)
    connection.close()


def test_the_fingerprint_follows_the_signatures(folder: Path, index: Path, tmp_path: Path) -> None:
    index_lists([PictureList(folder)], tmp_path / "plain")
    again = indexed(folder, tmp_path / "index")
    plain = enrolled(tmp_path / "plain").enrolment
    assert enrolled(again).enrolment.digest == enrolled(index).enrolment.digest != plain.digest
    assert "signatures" not in plain.records[0]["hashes"]
    assert not looked_up(jpeg(_crop(photo(2))), tmp_path / "plain").findings


def test_a_damaged_signature_file_is_said_to_be_damaged(index: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(index, damaged)
    (path,) = damaged.glob("*.signatures")
    content = path.read_bytes()
    path.write_bytes(content[:-500] + b"?" + content[-499:])
    with pytest.raises(UsageError, match=r"signatures: damaged: the content does not match its checksum"):
        enrolled(damaged)
    path.write_bytes(content[:-64])
    with pytest.raises(UsageError, match=r"signatures: damaged"):
        enrolled(damaged)
    path.unlink()
    with pytest.raises(UsageError, match=r"signatures: cannot be read"):
        enrolled(damaged)


def test_a_signature_that_is_damaged_during_the_run_is_a_clear_error(index: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(index, copy)
    analyzer = enrolled(copy)
    (path,) = copy.glob("*.signatures")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"NKP", b"XXX"))
    with pytest.raises(HashListError, match="damaged: signature of"):
        analyzer.examine(Evidence.from_bytes(jpeg(_crop(photo(0)))))


def test_a_damaged_signature_in_a_case_is_a_clear_error(case: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(case, copy)
    with CaseDatabase.open(copy) as opened:
        sha256, signature = next(iter(opened.signatures(METHOD)))
        opened.add_signature(sha256, METHOD, signature[:-7])
    with pytest.raises(UsageError, match=f"signature of {sha256} cannot be used"):
        enrolled(copy)


def test_pictures_without_detail_do_no_harm(tmp_path: Path, index: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    Image.new("RGB", (300, 300), "grey").save(flat / "flat.png")
    Image.new("RGB", (1, 1)).save(flat / "dot.png")
    made = indexed(flat, tmp_path / "made")
    assert [f.code for f in looked_up(jpeg(_crop(photo(1))), made).findings] == ["KNOWN-004"]
    assert [f.code for f in looked_up(jpeg(_crop(photo(1))), made, index).findings] == ["KNOWN-003"]
    (finding,) = looked_up(jpeg(Image.new("RGB", (200, 200), "red")), index).findings
    assert finding.code == "KNOWN-004"


def test_large_pictures_are_signed_in_the_pixels_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    photo(9).resize((1920, 1440), Image.Resampling.BICUBIC).save(path, quality=90)
    made = indexed(path, tmp_path / "made")
    (found,) = looked_up(jpeg(_crop(photo(9))), made).findings
    assert found.data["matches"][0]["share_of_known_shown"] == pytest.approx(0.70, abs=0.02)


class TestWithSignatures(AnalyzerContract):
    analyzer = KnownAnalyzer

    @pytest.fixture(autouse=True)
    def lists(self, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "options", {"known": (index,)})


class TestMakingSignatures(AnalyzerContract):
    analyzer = PerceptualHashAnalyzer
    options: ClassVar[Mapping[str, Any]] = {"signatures": True}

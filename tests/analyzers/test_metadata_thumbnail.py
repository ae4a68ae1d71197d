from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from nsfwforensics.analyzers.metadata import thumbnail as thumbs
from nsfwforensics.analyzers.metadata.analyzer import MetadataAnalyzer
from nsfwforensics.core.analyzer import Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import Finding, Severity, Support
from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats.fields import Thumbnail
from nsfwforensics.formats.read import read_metadata
from tests.formats import make


def scene(seed: int, cells: tuple[int, int] = (12, 9)) -> Image.Image:
    """Soft random shapes, 640 × 480: like a photo, most of the energy is in large structures."""
    noise = random.Random(seed).randbytes(cells[0] * cells[1] * 3)
    return Image.frombytes("RGB", cells, noise).resize((640, 480), Image.Resampling.BICUBIC)


PICTURE = scene(1)
OTHER = scene(2).resize((160, 120), Image.Resampling.BOX)
SMALL = PICTURE.resize((160, 120), Image.Resampling.BOX)
BLOCK = make.exif({0x010F: "Maker", 0x0110: "Model"})


def photo(thumbnail: Image.Image, picture: Image.Image = PICTURE, orientation: int = 1) -> bytes:
    block = make.with_thumbnail(make.exif({0x0112: orientation}), make.jpeg(thumbnail, quality=75))
    return make.with_segments(make.jpeg(picture), make.exif_segment(block))


def findings(data: bytes) -> list[Finding]:
    outcome = MetadataAnalyzer(MetadataAnalyzer.Options(), Resources()).examine(Evidence.from_bytes(data, "x.jpg"))
    return [finding for finding in outcome.findings if finding.code == "META-009"]


def letterboxed() -> Image.Image:
    frame = Image.new("RGB", (160, 160))
    frame.paste(SMALL, (0, 20))
    return frame


@pytest.mark.parametrize(
    "thumbnail",
    [
        SMALL,
        letterboxed(),
        SMALL.resize((80, 80)),
        SMALL.crop((20, 0, 140, 120)),
        SMALL.filter(ImageFilter.GaussianBlur(1.5)),
        SMALL.filter(ImageFilter.SHARPEN),
        ImageEnhance.Brightness(SMALL).enhance(0.75),
        ImageEnhance.Color(SMALL).enhance(0.3),
        SMALL.rotate(90, expand=True),
        SMALL.crop((6, 4, 157, 117)),
    ],
    ids=["plain", "bars", "squeezed", "cropped", "soft", "sharp", "dark", "grey", "turned", "margins"],
)
def test_thumbnails_as_cameras_make_them_are_no_finding(thumbnail: Image.Image) -> None:
    assert findings(photo(thumbnail)) == []


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_no_difference(orientation: int) -> None:
    assert findings(photo(SMALL, orientation=orientation)) == []


def test_a_thumbnail_of_another_picture_is_a_finding() -> None:
    (finding,) = findings(photo(OTHER))
    assert finding.support is Support.SUPPORTS
    assert finding.severity is Severity.MEDIUM
    assert "consistent with" in finding.explanation
    assert finding.region is None


def test_a_local_change_is_found_where_it_is() -> None:
    changed = PICTURE.copy()
    changed.paste(scene(3, (4, 4)).resize((200, 200)), (400, 40))
    (finding,) = findings(photo(SMALL, changed))
    assert finding.support is Support.SUPPORTS
    assert finding.region is not None
    centre = (finding.region.x + finding.region.width / 2, finding.region.y + finding.region.height / 2)
    assert 380 <= centre[0] <= 620
    assert 20 <= centre[1] <= 260


def test_the_photoshop_thumbnail_is_compared_too() -> None:
    other = make.jpeg(OTHER)
    data = make.with_segments(make.jpeg(PICTURE), make.photoshop_segment(make.resource(0x040C, bytes(28) + other)))
    (finding,) = findings(data)
    assert "0x040C" in finding.explanation


def test_two_thumbnails_make_one_finding() -> None:
    other = make.jpeg(OTHER)
    block = make.with_thumbnail(BLOCK, other)
    data = make.with_segments(
        make.jpeg(PICTURE),
        make.exif_segment(block),
        make.photoshop_segment(make.resource(0x040C, bytes(28) + other)),
    )
    (finding,) = findings(data)
    assert len(finding.data["compared"]) == 2


def test_plain_and_broken_thumbnails_are_named_as_not_checked() -> None:
    for thumbnail, reason in ((make.jpeg(Image.new("RGB", (160, 120))), "plain"), (b"\xff\xd8broken", "decoded")):
        data = make.with_segments(make.jpeg(PICTURE), make.exif_segment(make.with_thumbnail(BLOCK, thumbnail)))
        outcome = MetadataAnalyzer(MetadataAnalyzer.Options(), Resources()).examine(Evidence.from_bytes(data, "x.jpg"))
        assert any(reason in text for text in outcome.measurements["not_checked"])
        assert not [f for f in outcome.findings if f.code == "META-009"]


def test_a_thumbnail_that_is_a_bomb_is_refused() -> None:
    header = bytearray(make.jpeg(Image.new("RGB", (16, 16))))
    place = header.index(b"\xff\xc0")
    header[place + 5 : place + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(EvidenceError):
        thumbs.decode_thumbnail(Thumbnail("x", bytes(header)))


@pytest.mark.slow
@pytest.mark.shared_data
def test_genuine_camera_thumbnails_are_all_the_same_picture(shared_data: Path) -> None:
    """No false positive on the thumbnails of camera files; swapped ones are nearly all found."""
    pairs = []
    for folder in ("exif/camera", "exif/samples", "real/camera"):
        for path in sorted((shared_data / folder).rglob("*")):
            if not path.is_file() or "ImageTestSuite" in path.name:
                continue
            evidence = Evidence.open(path)
            table = read_metadata(evidence.data, evidence.media_type)
            for thumbnail in table.thumbnails:
                compared = thumbs.compare_embedded(evidence, table, thumbnail)
                assert compared.differs is False, (path.name, compared)
                pairs.append((thumbs.small_picture(evidence), thumbs.decode_thumbnail(thumbnail)))
    assert len(pairs) > 90
    chooser = random.Random(4)
    swapped = [chooser.sample(pairs, 2) for _ in range(200)]
    results = [thumbs.compare(a[0], b[1], 1) for a, b in swapped if a is not b]
    told = [result.differs for result in results if result is not None]
    assert sum(answer is True for answer in told) >= 0.95 * len(told)

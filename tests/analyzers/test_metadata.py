"""What the metadata analyzer says about files built here, one mark at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nsfwforensics.analyzers.metadata.analyzer import MetadataAnalyzer, MetadataOptions
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.storable import storable
from nsfwforensics.core.types import AnalyzerStatus, Finding, Severity, Support
from tests.analyzers.make_c2pa import Authority, action, signed
from tests.analyzers.provenance_files import galaxy
from tests.formats import make

CAMERA = make.exif(
    {0x010F: "Canon", 0x0110: "Canon EOS 40D", 0x0131: "Firmware 1.0.3", 0x0132: "2020:05:30 15:56:01"},
    {0x9003: "2020:05:30 15:56:01", 0x9004: "2020:05:30 15:56:01", 0xA434: "EF 50mm"},
)


def examine(data: bytes, name: str = "photo.jpg", options: MetadataOptions | None = None) -> Outcome:
    return MetadataAnalyzer(options or MetadataOptions(), Resources()).examine(Evidence.from_bytes(data, name))


def exif_photo(block: bytes) -> bytes:
    return make.with_segments(make.jpeg(), make.exif_segment(block))


def found(outcome: Outcome, code: str) -> list[Finding]:
    return [finding for finding in outcome.findings if finding.code == code]


def only(outcome: Outcome, code: str) -> Finding:
    (finding,) = found(outcome, code)
    return finding


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


def test_a_camera_file_says_device_and_time_and_nothing_suspicious() -> None:
    outcome = examine(exif_photo(CAMERA))
    assert codes(outcome) == {"META-002", "META-003"}
    device = only(outcome, "META-002")
    assert "Canon EOS 40D" in device.explanation
    assert "EF 50mm" in device.explanation
    assert device.explanation.startswith("The file says")
    assert device.severity is Severity.LOW
    assert "2020-05-30 15:56:01" in only(outcome, "META-003").explanation


def test_every_value_in_the_table_names_where_it_came_from() -> None:
    outcome = examine(make.with_segments(make.jpeg(), make.exif_segment(CAMERA), make.segment(0xFE, b"hi")))
    rows = {row["name"]: row for row in outcome.measurements["fields"]}
    assert rows["Make"] == {
        "source": "JPEG APP1", "group": "EXIF IFD0", "tag": "0x010F", "name": "Make", "value": "Canon"
    }  # fmt: skip
    assert rows["Comment"]["group"] == "JPEG COM"
    assert all(row["source"] and row["group"] for row in rows.values())


@pytest.mark.parametrize(
    ("data", "name", "wrong"),
    [
        (make.png(), "photo.jpg", True),
        (make.jpeg(), "notes.txt", True),
        (make.jpeg(), "photo.JPG", False),
        (make.jpeg(), "photo", False),
        (make.webp(), "sticker.webp", False),
    ],
)
def test_the_extension_must_fit_the_content(data: bytes, name: str, wrong: bool) -> None:
    assert ("META-001" in codes(examine(data, name))) is wrong


def test_software_of_an_editor_is_a_finding_and_firmware_is_none() -> None:
    finding = only(examine(exif_photo(make.exif({0x0131: "Adobe Photoshop CS6 (Windows)"}))), "META-005")
    assert finding.severity is Severity.LOW
    assert finding.data["programs"][0]["name"] == "Adobe Photoshop"
    for firmware in ("Ver.1.00", "HDR+ 1.0.345", "15.4.1", "NIKON D70 Ver 1.02", "Android 7", "COOLPIX P1"):
        assert "META-005" not in codes(examine(exif_photo(make.exif({0x0131: firmware})))), firmware


def test_retouching_apps_weigh_most_and_raw_developers_least() -> None:
    for text in ("Adobe Photoshop Lightroom 6.0", "darktable 4.2", "ImageMagick 7"):
        assert only(examine(exif_photo(make.exif({0x0131: text}))), "META-005").severity is Severity.INFO
    assert only(examine(exif_photo(make.exif({0x0131: "Facetune"}))), "META-005").severity is Severity.MEDIUM


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (make.with_segments(make.jpeg(), make.xmp_segment(make.xmp(attributes='xmp:CreatorTool="GIMP 2.10"'))), "GIMP"),
        (
            make.with_segments(
                make.jpeg(),
                make.xmp_segment(
                    make.xmp(
                        '<xmpMM:History><rdf:Seq><rdf:li stEvt:softwareAgent="Facetune2"/></rdf:Seq></xmpMM:History>'
                    )
                ),
            ),
            "Facetune",
        ),
        (make.with_chunks(make.png(), make.chunk(b"tEXt", b"Software\0paint.net 5")), "Paint.NET"),
        (make.with_segments(make.jpeg(), make.segment(0xFE, b"CREATOR: gd-jpeg v1.0")), "the GD library"),
        (
            make.with_segments(
                make.jpeg(), make.photoshop_segment(make.resource(0x0404, make.iptc_record(2, 65, b"Pixelmator Pro")))
            ),
            "Pixelmator",
        ),
        (exif_photo(make.exif({0x0131: "Snapseed 2.0"})), "Snapseed"),
    ],
)
def test_editors_are_found_in_each_structural_home(data: bytes, name: str) -> None:
    assert only(examine(data, "x"), "META-005").data["programs"][0]["name"].startswith(name)


def test_an_editor_named_only_in_a_caption_or_trailer_is_no_finding() -> None:
    block = make.exif({0x010E: "Drawn without Photoshop"})
    assert "META-005" not in codes(examine(exif_photo(block) + b"Adobe Photoshop"))
    assert "META-005" not in codes(examine(make.with_segments(make.jpeg(), make.segment(0xFE, b"I love GIMP"))))


def test_gps_is_given_in_decimal_with_hemispheres_and_altitude() -> None:
    block = make.exif({}, gps={1: "S", 2: (33.0, 51.0, 30.0), 3: "W", 4: (70.0, 30.0, 0.0), 5: b"\1", 6: 12.5})
    finding = only(examine(exif_photo(block)), "META-006")
    assert finding.data["latitude"] == pytest.approx(-33.858333, abs=1e-6)
    assert finding.data["longitude"] == pytest.approx(-70.5)
    assert finding.data["altitude_metres"] == -12.5
    assert "personal data" in finding.explanation
    assert finding.severity is Severity.LOW


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
        {1: "N", 2: (95.0, 0.0, 0.0), 3: "E", 4: (10.0, 0.0, 0.0)},
        {1: "N", 2: (45.0, 0.0, 0.0)},
        {0: b"\2\2\0\0"},
    ],
)
def test_positions_that_are_unset_or_impossible_are_no_finding(gps: dict[int, object]) -> None:
    assert "META-006" not in codes(examine(exif_photo(make.exif({0x010F: "x"}, gps=gps))))


def test_a_position_in_xmp_is_found() -> None:
    packet = make.xmp(attributes='exif:GPSLatitude="48,30.6N" exif:GPSLongitude="2,15,30W"')
    finding = only(examine(make.with_segments(make.jpeg(), make.xmp_segment(packet))), "META-006")
    assert (finding.data["latitude"], finding.data["longitude"]) == (48.51, -2.258333)


def test_names_and_serial_numbers_are_personal_data() -> None:
    block = make.exif({0x013B: "Jane Doe"}, {0xA430: "John Roe", 0xA431: "12345", 0xA435: "L-9"})
    outcome = examine(exif_photo(block))
    names = only(outcome, "META-007")
    assert {(entry["what"], entry["text"]) for entry in names.data["names"]} == {
        ("camera owner", "John Roe"),
        ("artist", "Jane Doe"),
    }
    assert "personal data" in names.explanation
    serials = only(outcome, "META-008")
    assert {(entry["what"], entry["text"]) for entry in serials.data["serial_numbers"]} == {
        ("camera", "12345"),
        ("lens", "L-9"),
    }


def test_placeholders_are_nobody() -> None:
    block = make.exif({0x013B: "   ", 0x8298: "unknown"}, {0xA431: "0000000"})
    assert codes(examine(exif_photo(block))) & {"META-007", "META-008"} == set()


@pytest.mark.parametrize(
    ("data", "name", "support"),
    [
        (exif_photo(make.exif({}, {0x9286: b"ASCII\0\0\0Screenshot"})), "a.jpg", Support.SUPPORTS),
        (exif_photo(make.exif({0x0131: "Android RQ3A.210705.001"})), "a.jpg", Support.SUPPORTS),
        (make.with_chunks(make.png(), make.chunk(b"tEXt", b"Software\0gnome-screenshot")), "a.png", Support.SUPPORTS),
        (make.png(), "Screenshot_20240101-101010.png", Support.INCONCLUSIVE),
    ],
)
def test_screenshot_marks(data: bytes, name: str, support: Support) -> None:
    assert only(examine(data, name), "META-010").support is support


@pytest.mark.parametrize(
    ("data", "name", "service", "support"),
    [
        (make.jpeg(), "IMG-20240101-WA0007.jpg", "WhatsApp", Support.INCONCLUSIVE),
        (make.jpeg(), "WhatsApp Image 2024-01-01 at 10.11.12.jpeg", "WhatsApp", Support.INCONCLUSIVE),
        (make.jpeg(), "FB_IMG_1700000000.jpg", "Facebook", Support.INCONCLUSIVE),
        (make.jpeg(), "mmexport1700000000.jpg", "WeChat", Support.INCONCLUSIVE),
        (
            make.with_segments(
                make.jpeg(),
                make.photoshop_segment(make.resource(0x0404, make.iptc_record(2, 40, b"FBMD01000a9d0d00009e1b"))),
            ),
            "a.jpg",
            "Facebook or Instagram",
            Support.SUPPORTS,
        ),
        (make.jpeg(make.picture((64, 32)).resize((1280, 640)), quality=87), "a.jpg", "Telegram", Support.INCONCLUSIVE),
    ],
)
def test_messenger_marks(data: bytes, name: str, service: str, support: Support) -> None:
    finding = only(examine(data, name), "META-011")
    assert finding.data["marks"][0]["what"] == service
    assert finding.support is support


def test_a_photo_of_the_same_size_with_metadata_is_no_telegram_copy() -> None:
    data = make.jpeg(make.picture((64, 32)).resize((1280, 640)), quality=80)
    assert "META-011" not in codes(examine(make.with_segments(data, make.exif_segment(CAMERA))))


def test_comments_are_quoted_once() -> None:
    data = make.with_segments(exif_photo(make.exif({0x010E: "a day out"})), make.segment(0xFE, b"a day out"))
    finding = only(examine(data), "META-012")
    assert finding.severity is Severity.INFO
    assert [entry["text"] for entry in finding.data["comments"]] == ["a day out"]


def test_a_stripped_photo_says_that_this_proves_nothing() -> None:
    finding = only(examine(make.jpeg()), "META-013")
    assert finding.support is Support.NO_INDICATION
    assert "proves nothing" in finding.caveat
    assert "META-013" not in codes(examine(make.png(), "x.png"))


def test_what_stands_in_a_trailer_or_in_credentials_is_a_statement_of_origin(newsroom: Authority) -> None:
    assert "META-013" not in codes(examine(make.jpeg() + galaxy()))
    assert "META-013" not in codes(examine(signed(make.jpeg(), action("created", "digitalCapture"), by=newsroom)))


def test_a_truncated_file_is_called_partial_with_its_share() -> None:
    data = make.jpeg(make.picture((64, 64)).resize((640, 640)))
    finding = only(examine(data[: len(data) * 6 // 10]), "META-014")
    assert 0.2 < finding.data["decoded_share"] < 0.95
    assert "part" in finding.explanation


def test_a_file_without_a_picture_still_says_its_metadata() -> None:
    data = b"\xff\xd8" + make.exif_segment(make.with_thumbnail(CAMERA, make.jpeg()))
    outcome = examine(data)
    assert {"META-002", "META-014"} <= codes(outcome)
    assert any("thumbnail" in text for text in outcome.measurements["not_checked"])
    assert any("how much" in text for text in outcome.measurements["not_checked"])


def test_damaged_metadata_is_said_to_be_incomplete() -> None:
    finding = only(examine(make.with_segments(make.jpeg(), make.xmp_segment(b"<x:xmpmeta"))), "META-015")
    assert finding.support is Support.INCONCLUSIVE
    assert any("XMP" in note for note in finding.data["notes"])


HOSTILE = ("<script>alert(1)</script>", "[red]x[/red]", "\x1b[2J", "=cmd()", "{{7*7}}", "../../etc/passwd")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_passes_through_as_data_and_breaks_nothing(text: str) -> None:
    block = make.exif({0x010F: text, 0x0131: f"GIMP {text}", 0x013B: text}, {0xA431: text})
    outcome = examine(make.with_segments(make.jpeg(), make.exif_segment(block), make.segment(0xFE, text.encode())))
    rows = [row["value"] for row in outcome.measurements["fields"]]
    assert rows.count(text) == 4
    names = only(outcome, "META-007").data["names"]
    assert names[0]["text"] == text.strip()
    json.dumps(storable(outcome.measurements))


def test_generators_that_misuse_make_are_no_device() -> None:
    block = make.exif({0x010F: 'Prompt:{"1": {"class_type": "KSampler"}}', 0x0110: "x"})
    assert "META-002" not in codes(examine(exif_photo(block)))


def test_the_table_is_bounded_and_says_what_was_left_out() -> None:
    data = make.with_chunks(make.png(), make.chunk(b"tEXt", b"key\0" + b"v" * 5000) * 50)
    outcome = examine(data, "x.png", MetadataOptions(max_fields=10, max_value=100))
    rows = outcome.measurements["fields"]
    assert len(rows) == 10
    assert outcome.measurements["fields_left_out"] == 40
    assert rows[0]["value"] == "v" * 100 + "… (5000 characters in all)"


def test_a_hostile_file_cannot_make_a_huge_report() -> None:
    bombs = [make.chunk(b"tEXt", b"key%d\0" % number + b"v" * 900) for number in range(4900)]
    outcome = examine(make.with_chunks(make.png(), *bombs), "x.png", MetadataOptions(max_fields=5000))
    assert len(json.dumps(storable(outcome.measurements))) < 1_500_000
    assert outcome.measurements["fields_left_out"] > 3000


def test_binary_values_are_counted_not_copied() -> None:
    block = make.exif({}, {0x927C: bytes(range(256)) * 4})
    rows = {row["name"]: row["value"] for row in examine(exif_photo(block)).measurements["fields"]}
    assert rows["MakerNote"] == "(1024 bytes)"


def test_bytes_after_the_image_are_measured() -> None:
    assert examine(make.jpeg() + b"12345").measurements["bytes_after_image"] == 5


def test_formats_without_metadata_end_well() -> None:
    outcome = examine(b"BM" + b"\0" * 60, "x.bmp")
    assert outcome.status in (AnalyzerStatus.OK, AnalyzerStatus.NOTHING_FOUND)


def test_every_code_has_wording_and_no_verdict() -> None:
    for code, entry in MetadataAnalyzer.codes.items():
        assert code.startswith("META-")
        assert entry.caveat.endswith(".")
        assert not {"fake", "authentic", "proves that"} & set(entry.title.lower().split())


def test_metadata_needs_neither_torch_nor_opencv(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(exif_photo(make.with_thumbnail(CAMERA, make.jpeg())))
    script = (
        "import sys; from pathlib import Path; from nsfwforensics.core.evidence import Evidence\n"
        "from nsfwforensics.core.analyzer import Resources\n"
        "from nsfwforensics.analyzers.metadata.analyzer import MetadataAnalyzer as M\n"
        "assert not {'PIL', 'numpy', 'exifread'} & set(sys.modules), 'heavy import'\n"
        f"M(M.Options(), Resources()).examine(Evidence.open(Path({str(path)!r})))\n"
        "assert not {'torch', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.slow
@pytest.mark.shared_data
def test_fuzzed_files_go_through_the_analyzer(shared_data: Path) -> None:
    analyzer = MetadataAnalyzer(MetadataOptions(), Resources())
    for path in sorted((shared_data / "hostile" / "fuzzed").iterdir()):
        data = path.read_bytes()
        if data:
            analyzer.examine(Evidence.from_bytes(data, path.name))
            wrapped = make.with_segments(make.jpeg(), make.exif_segment(b"MM\0*\0\0\0\x08" + data[:60_000]))
            analyzer.examine(Evidence.from_bytes(wrapped, "x.jpg"))

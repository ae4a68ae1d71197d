"""Programs that are named, cameras that do not look as their maker writes them, and notes beside a picture."""

from __future__ import annotations

import hashlib
import json
import os
import plistlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL.TiffImagePlugin import IFDRational as Ratio

from nsfwforensics.analyzers.metadata import sidecars
from nsfwforensics.analyzers.metadata.analyzer import MetadataAnalyzer, MetadataOptions
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import Severity, Support
from tests.analyzers import provenance_files as files
from tests.analyzers.test_metadata import codes, examine, only
from tests.analyzers.test_provenance import origin
from tests.formats import make

EXPOSURE: dict[int, object] = {0x829A: Ratio(1, 120), 0x829D: Ratio(9, 5), 0x8827: 100}


@pytest.mark.parametrize("name", ["ChatGPT", "Grok", "Recraft V3", "Ideogram 3.0", "Seedream 4.0", "Example Studio 4"])
def test_the_program_that_a_file_names_is_in_the_answer(name: str, tmp_path: Path) -> None:
    xmp = files.xmp_photo(f'xmp:CreatorTool="{name}"')
    for data in (files.png(Software=name), files.png(Creator=name), files.photo({0x0131: name}), xmp):
        path = tmp_path / ("x.jpg" if data.startswith(b"\xff\xd8") else "x.png")
        path.write_bytes(data)
        for analyzers in (("provenance", "metadata"), ("metadata",), ("provenance",)):
            answer = origin(path, *analyzers)
            assert "No statement" not in answer.statement
            assert f"“{name}”" in answer.statement
        assert "PROV-001" not in origin(path, "provenance", "metadata").findings


def test_what_is_not_looked_for_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(make.png())
    told = " ".join(origin(path, "provenance").not_checked)
    assert "draw into the picture" in told and "SynthID" in told
    assert origin(path, "metadata").not_checked == ()


def test_a_cameras_firmware_is_no_program() -> None:
    found = codes(
        examine(files.photo({0x010F: "Example", 0x0110: "Phone 9", 0x0131: "Android UP1A.231005.007"}, EXPOSURE))
    )
    assert found & {"META-005", "META-010", "META-017"} == set()
    assert "META-010" in codes(examine(files.photo({0x0131: "Android UP1A.231005.007"})))
    assert "META-010" not in codes(examine(files.photo({0x0131: "Android UP1A.231005.007"}, EXPOSURE)))


def test_a_size_that_many_exporters_share_names_no_service() -> None:
    data = make.jpeg(make.picture((64, 32)).resize((1280, 640)), quality=80)
    assert "META-011" not in codes(examine(data))
    marks = only(examine(data, "photo_2026-05-07_22-26-54.jpg"), "META-011").data["marks"]
    assert [mark["place"] for mark in marks] == ["file name", "JPEG size and quantisation tables"]


NIKON = {0x010F: "NIKON CORPORATION", 0x0110: "NIKON D90", 0x0131: "Ver.1.01"}
CANON = {0x010F: "Canon", 0x0110: "Canon EOS R5"}
APPLE = {0x010F: "Apple", 0x0110: "iPhone 13 Pro"}


@pytest.mark.parametrize(
    ("entries", "sub", "words"),
    [
        (APPLE | {0x0131: "iOS 15.5"}, {}, "iOS 15.5"),
        (APPLE | {0x0131: "12.4"}, {}, "older than the first"),
        ({0x010F: "apple", 0x0110: "iPhone 13 Pro"}, {}, "spelled"),
        ({0x010F: "Nikon", 0x0110: "D90"}, {}, "spelled"),
        ({0x010F: "Samsung", 0x0110: "SM-S911B"}, {}, "spelled"),
        ({0x010F: "Canon", 0x0110: "iPhone 13 Pro"}, {}, "not one of"),
        ({0x010F: "Apple", 0x0110: "SM-S911B"}, {}, "not one of"),
        (APPLE, {0xA434: "iPhone 12 back dual wide camera 4.2mm f/1.6"}, "belongs to another device"),
        (APPLE, {0xA434: "EF50mm f/1.8 STM"}, "belongs to another device"),
        (CANON, {0xA434: "RF50mm F1.8 STM", 0x920A: Ratio(400, 1)}, "focal length"),
    ],
)  # fmt: skip
def test_a_camera_that_does_not_look_as_its_maker_writes_it_is_odd(
    entries: dict[int, object], sub: dict[int, object], words: str
) -> None:
    finding = only(examine(files.photo(entries, sub)), "META-018")
    assert finding.severity is Severity.LOW
    assert words in " ".join(finding.data["odd"])


@pytest.mark.parametrize(
    ("entries", "sub"),
    [
        (APPLE | {0x0131: "15.5"}, {0xA434: "iPhone 13 Pro back triple camera 5.7mm f/1.5", 0x920A: Ratio(57, 10)}),
        (APPLE | {0x0131: "Photos 1.0"}, {}),
        (APPLE | {0x0131: "GIMP 2.10"}, {}),
        (NIKON, {0xA434: "18-105mm", 0x920A: Ratio(50, 1)}),
        ({0x010F: "samsung", 0x0110: "SM-S911B"}, {}), (CANON, {0x920A: Ratio(0, 0)}),
        ({0x010F: "Example", 0x0110: "Cam"}, {0xA434: "100mm", 0x920A: Ratio(200, 1)}),
    ],
)  # fmt: skip
def test_what_makers_write_is_not_odd(entries: dict[int, object], sub: dict[int, object]) -> None:
    assert "META-018" not in codes(examine(files.photo(entries, sub)))


TAKEOUT = {
    "title": "IMG_1.jpg", "description": "at the lake", "imageViews": "3",
    "photoTakenTime": {"timestamp": "1600000000", "formatted": "13.09.2020"},
    "geoData": {"latitude": 48.1, "longitude": 11.5}, "googlePhotosOrigin": {"mobileUpload": {}},
}  # fmt: skip


def beside(folder: Path, picture: str, **notes: bytes) -> Outcome:
    path = folder / picture
    path.write_bytes(make.jpeg())
    for name, data in notes.items():
        (folder / name).write_bytes(data)
    return MetadataAnalyzer(MetadataOptions(), Resources()).examine(Evidence.open(path))


@pytest.mark.parametrize(
    ("picture", "notes"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-me.json"),
        ("IMG_1.jpg", "IMG_1.json"),
        ("IMG_1(2).jpg", "IMG_1.jpg(2).json"),
        ("IMG_1(2).jpg", "IMG_1.jpg.supplemental-metadata(2).json"),
        ("IMG_1-edited.jpg", "IMG_1.jpg.json"),
        (
            "a-very-long-name-of-a-picture-from-somewhere-else-001.jpg",
            "a-very-long-name-of-a-picture-from-somewhere-e.json",
        ),
    ],
)
def test_takeouts_notes_are_found_and_read_as_notes(picture: str, notes: str, tmp_path: Path) -> None:
    data = json.dumps(TAKEOUT).encode()
    outcome = beside(tmp_path, picture, **{notes: data})
    finding = only(outcome, "META-019")
    assert (finding.severity, finding.support) == (Severity.INFO, Support.SUPPORTS)
    (kept,) = finding.data["sidecars"]
    assert (kept["file"], kept["sha256"]) == (notes, hashlib.sha256(data).hexdigest())
    assert finding.data["picture"] == {"file": picture, "sha256": hashlib.sha256(make.jpeg()).hexdigest()}
    assert "photoTakenTime.timestamp: 2020-09-13 12:26:40 UTC" in kept["says"]
    assert "not part of the picture" in finding.explanation
    # Nothing of it becomes the picture's own statement.
    assert codes(outcome) & {"META-003", "META-006", "META-012"} == set()
    assert outcome.measurements["fields_read"] == len(examine(make.jpeg(), "x.jpg").measurements["fields"])


def test_xmp_and_apples_notes_are_read(tmp_path: Path) -> None:
    packet = make.xmp(attributes='xmp:CreatorTool="darktable 4.6"')
    aae = plistlib.dumps({"adjustmentEditorBundleID": "com.apple.mobileslideshow", "adjustmentData": b"\0" * 50})
    outcome = beside(tmp_path, "IMG_1.jpg", **{"IMG_1.jpg.xmp": packet, "IMG_1.AAE": aae})
    said = [line for each in only(outcome, "META-019").data["sidecars"] for line in each["says"]]
    assert "CreatorTool: darktable 4.6" in said
    assert "adjustmentEditorBundleID: com.apple.mobileslideshow" in said
    assert "META-005" not in codes(outcome)


def test_what_lies_beside_is_bounded_and_hostile_safe(tmp_path: Path) -> None:
    entities = (
        b'<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><plist><string>&b;</string></plist>'
    )
    outcome = beside(
        tmp_path, "IMG_1.jpg",
        **{"IMG_1.aae": entities, "IMG_1.xmp": b"\xff" * 1000, "IMG_1.json": b'{"hello": 1}',
           "IMG_1.jpg.json": b'{"title": "' + b"a" * sidecars.MAX_BYTES + b'"}'},
    )  # fmt: skip
    assert [each["says"] for each in only(outcome, "META-019").data["sidecars"]] == [[], []]
    assert any("--max-bytes" in reason for reason in outcome.measurements["not_checked"])
    os.mkfifo(tmp_path / "IMG_2.jpg.json")
    (tmp_path / "IMG_2.xmp").symlink_to("/etc/passwd")
    assert "META-019" not in codes(beside(tmp_path, "IMG_2.jpg"))


def test_bytes_in_memory_have_no_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "picture.xmp").write_bytes(make.xmp())
    monkeypatch.chdir(tmp_path)
    assert "META-019" not in codes(examine(make.jpeg(), "picture.jpg"))


@given(st.binary(max_size=300), st.sampled_from([".json", ".aae", ".xmp"]))
@settings(max_examples=150, deadline=None)
def test_no_notes_make_it_fail(data: bytes, ending: str) -> None:
    for whole in (data, b"bplist00" + data, b'{"photoTakenTime": ' + data + b"}", b"<plist>" + data + b"</plist>"):
        sidecars._read(Evidence.from_bytes(whole, f"x{ending}"))

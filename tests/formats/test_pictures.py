"""What stands in a file besides its main picture, and what is told of the examination of it."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pillow_heif import register_heif_opener

from nsfwforensics.core.discover import Target
from nsfwforensics.core.evidence import Evidence, Limits
from nsfwforensics.core.media import RAW, sniff
from nsfwforensics.core.pictures import Inside, Pictures, evenly
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.types import FileReport, FileStatus, PictureKind, PictureState, Priority, Support
from nsfwforensics.formats.behind import Piece, behind
from nsfwforensics.formats.pictures import look_inside
from tests.analyzers.provenance_files import SOURCE_TYPE, iptc_ext, samsung_trailer
from tests.formats import make
from tests.pictures import saved

MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42\0\0\0\x10mdat12345678\0\0\0\x08moov"


def scene(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """A picture with enough structure for a perceptual hash; each seed another."""
    cells = np.random.default_rng(seed).integers(0, 255, (36, 48, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def animation(kind: str, *frames: Image.Image) -> bytes:
    more = {"duration": 100} if kind in ("GIF", "PNG", "WEBP") else {"quality": 90} if kind in ("AVIF", "HEIF") else {}
    if kind == "HEIF":
        register_heif_opener()
    return saved(frames[0], kind, save_all=True, append_images=list(frames[1:]), **more)


def examined(data: bytes, limits: Limits | None = None) -> tuple[Pictures, list[str]]:
    evidence = Evidence.from_bytes(data, limits=limits)
    pictures = Pictures(evidence, look_inside(evidence))
    places = [str(further.place) for further in pictures.further()]
    return pictures, places


def report(path: Path, *analyzers: str, options: Mapping[str, Mapping[str, object]] | None = None) -> FileReport:
    plan = Plan.prepared(PlanSpec(analyzers, options or {}, inside=look_inside))
    return plan.infer([plan.examine_file(Target(path, named=True))])[0]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_a_known_frame_behind_a_harmless_one_counts_as_the_known_one_alone(kind: str, tmp_path: Path) -> None:
    known, harmless = scene(1), scene(2)
    alone, hidden = tmp_path / "alone.png", tmp_path / "hidden.bin"
    alone.write_bytes(saved(known, "PNG"))
    hidden.write_bytes(animation(kind, harmless, scene(3), known))
    (hash_result,) = report(alone, "phash").results
    listed = tmp_path / "known.csv"
    listed.write_text(f"pdq\n{hash_result.measurements['pdq']}\n")
    options = {"known": {"known": [str(listed)]}}
    first, second = (report(path, "known", options=options) for path in (alone, hidden))
    assert {f.code for f in first.findings} == {"KNOWN-002"} <= {f.code for f in second.findings}
    assert first.priority is second.priority is Priority.HIGH
    found = next(finding for finding in second.findings if finding.code == "KNOWN-002")
    assert " 3 of 3: " in found.explanation


def test_a_picture_that_is_alone_in_its_file_is_not_decoded_to_be_compared_with_others() -> None:
    evidence = Evidence.from_bytes(saved(scene(1), "JPEG"))
    assert not [*Pictures(evidence, look_inside(evidence)).further()]
    assert evidence.info().decoded_share is None


@pytest.mark.parametrize("analyzer", ["provenance", "metadata", "phash", "watermark"])
@pytest.mark.parametrize("size", [(160, 120), (1600, 1200)])  # the larger one is decoded at a fraction of its size
def test_how_much_of_a_picture_is_there_is_known_whoever_looks_at_it(
    analyzer: str, size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "cut.jpg"
    whole = saved(scene(1, size), "JPEG")
    path.write_bytes(whole[: len(whole) * 2 // 3])
    found = report(path, analyzer)
    assert found.status is FileStatus.PARTIAL
    assert 0.4 < (found.info.decoded_share or 0) < 0.9
    path.write_bytes(whole)
    assert report(path, analyzer).status is FileStatus.OK


def test_frames_that_show_the_same_are_passed_over_and_all_are_counted() -> None:
    frames = [scene(1), scene(1), scene(2), scene(1), scene(3), scene(4)]
    pictures, places = examined(animation("TIFF", *frames), Limits(max_frames=2))
    assert places == ["page 3 of 6", "page 6 of 6"]
    assert pictures.unexamined == 1
    (told,) = pictures.told()
    assert "differ: 2; not examined, because they show what another shows: 2; not examined at all: 1." in told


def test_what_was_not_looked_at_is_no_sign_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "many.tif"
    path.write_bytes(animation("TIFF", *map(scene, range(5))))
    listed = tmp_path / "known.csv"
    listed.write_text("pdq\n" + "0f" * 32 + "\n")
    spec = PlanSpec(("known",), {"known": {"known": [str(listed)]}}, limits=Limits(max_frames=1), inside=look_inside)
    plan = Plan.prepared(spec)
    (found,) = plan.infer([plan.examine_file(Target(path, named=True))])
    assert (found.status, found.priority, found.info.unexamined) == (FileStatus.PARTIAL, Priority.LOW, 3)
    answer = next(answer for answer in found.answers if answer.question == "known")
    assert answer.support is Support.INCONCLUSIVE
    assert "3 pictures or videos in the file were not examined" in answer.statement


def test_a_second_picture_a_thumbnail_and_a_video() -> None:
    exif = Image.Exif()
    main, other = saved(scene(1), "JPEG", exif=exif), saved(scene(2), "JPEG")
    pictures, places = examined(main + other + MP4)
    assert places == ["another picture of 160 × 120 pixels"]
    kinds = {(record.kind, record.state, record.offset) for record in pictures.listed}
    assert kinds == {
        (PictureKind.PICTURE, PictureState.EXAMINED, len(main)),
        (PictureKind.VIDEO, PictureState.LEFT, len(main + other)),
    }
    assert pictures.unexamined == 1
    assert any(f"A video (MP4, {len(MP4)} bytes)" in told for told in pictures.told())


def test_a_smaller_copy_is_not_examined_again() -> None:
    pictures, places = examined(saved(scene(1), "JPEG") + saved(scene(1).resize((120, 90)), "JPEG", quality=90))
    assert places == []
    assert [record.state for record in pictures.listed] == [PictureState.SAME]
    assert list(pictures.told()) == []


def test_a_picture_changed_in_one_place_is_no_copy() -> None:
    changed = scene(1)
    changed.paste((250, 10, 10), (60, 40, 90, 70))
    _, places = examined(saved(scene(1), "JPEG") + saved(changed, "JPEG"))
    assert len(places) == 1


def test_what_lies_behind_too_many_pictures_counts_as_not_examined() -> None:
    pictures, places = examined(saved(scene(1), "JPEG") * 100 + saved(scene(2), "JPEG"))
    assert (places, pictures.unexamined) == ([], 1)


def nef(preview: bytes) -> bytes:
    """A raw file as Nikon's cameras lay it out: a reduced picture first, the full one in a directory of its own."""
    make = b"NIKON CORPORATION\0"
    entries = [(0xFE, 4, 1, 1), (0x100, 4, 1, 160), (0x101, 4, 1, 120), (0x10F, 2, len(make), 200), (0x14A, 4, 1, 100)]
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = (head + bytes(4)).ljust(100, b"\0")
    inner = [(0x100, 4, 1, 6000), (0x101, 4, 1, 4000)]
    head += struct.pack("<H", len(inner)) + b"".join(struct.pack("<HHII", *entry) for entry in inner)
    return (head + bytes(4)).ljust(200, b"\0") + make + preview


def test_a_raw_file_is_named_and_its_preview_is_examined_as_a_preview(tmp_path: Path) -> None:
    path = tmp_path / "photo.nef"
    path.write_bytes(nef(saved(scene(1), "JPEG")))
    found = report(path, "metadata", "phash", "traces")
    assert found.info.media_type == "image/x-nikon-nef"
    assert (found.info.width, found.info.height) == (6000, 4000)
    assert (found.status, found.priority) == (FileStatus.PARTIAL, Priority.LOW)
    assert "cannot be decoded here. Its preview of 160 × 120 pixels was examined in its place" in found.notes[0]
    assert "META-001" not in {finding.code for finding in found.findings}


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\xff\x0a" + bytes(64), "image/jxl"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(64), "image/jxl"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom" + bytes(8), "image/x-canon-cr3"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(64), "image/jp2"),
        (b"8BPS\0\1" + bytes(64), "image/vnd.adobe.photoshop"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        (b"IIRO" + bytes(64), "image/x-olympus-orf"),
        (b"IIU\0" + bytes(64), "image/x-panasonic-rw2"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(100), "image/x-fuji-raf"),
        (b"\0\0\0\x18ftypavci\0\0\0\0mif1avci" + bytes(8), "image/avci"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(64), "image/x-canon-cr2"),
    ],
)
def test_a_picture_that_cannot_be_decoded_is_named_and_fails(head: bytes, media_type: str, tmp_path: Path) -> None:
    assert sniff(head) == media_type
    path = tmp_path / "file.bin"
    path.write_bytes(head)
    plan = Plan.prepared(PlanSpec(("phash", "traces"), inside=look_inside))
    (found,) = plan.infer([plan.examine_file(Target(path, named=False))])
    assert (found.status, found.priority) == (FileStatus.FAILED, Priority.LOW)
    assert "cannot be decoded here" in (found.error or "")
    assert found.results[0].measurements["sha256"]


def test_a_video_is_named_hashed_and_found_by_its_digest(tmp_path: Path) -> None:
    path, listed = tmp_path / "clip.mp4", tmp_path / "vid.md5"
    path.write_bytes(MP4)
    md5 = report(path, "phash").results[0].measurements["md5"]
    listed.write_text(f"{md5}\n")
    options = {"known": {"known": [str(listed)]}}
    found = report(path, "known", "phash", "traces", options=options)
    assert found.info.media_type == "video/mp4"
    assert (found.status, found.priority) == (FileStatus.PARTIAL, Priority.HIGH)
    assert "KNOWN-001" in {finding.code for finding in found.findings}
    assert "a video (MP4)" in found.notes[0]
    unlisted = report(path, "phash", "traces")
    assert (unlisted.status, unlisted.priority, unlisted.error) == (FileStatus.PARTIAL, Priority.LOW, None)


def test_the_pieces_behind_a_picture() -> None:
    main, other = saved(scene(1), "JPEG"), saved(scene(2), "JPEG")
    data = main + bytes(40) + other + MP4 + b"PK\3\4" + b"zip" * 40
    kinds = [piece.kind for piece in behind(data, len(main))]
    assert kinds == [Piece.PADDING, Piece.JPEG, Piece.VIDEO, Piece.ZIP]
    assert [p.kind for p in behind(main + b"a note of somebody\n", len(main))] == [Piece.TEXT]
    assert [p.kind for p in behind(main + saved(scene(2, (800, 600)), "JPEG")[-3000:], len(main))] == [Piece.REMAINS]
    png, larger = saved(scene(1), "PNG"), saved(scene(2, (400, 300)), "PNG")
    pieces = behind(png + larger[len(png) :], len(png), "image/png")
    assert [piece.kind for piece in pieces] == [Piece.REMAINS]
    assert sum(piece.size for piece in pieces) == len(larger) - len(png)


GALAXY = samsung_trailer((0x0A01, b"Image_UTC_Data", b"1700000000000"))


def test_a_phones_own_trailer_is_one_piece_and_hides_nothing_before_it() -> None:
    main, other = saved(scene(1), "JPEG"), saved(scene(2), "JPEG")
    trailer = samsung_trailer((0x0A01, b"Image_UTC_Data", b"1700000000000"), (0x0A30, b"MotionPhoto_Data", MP4 + other))
    pieces = behind(main + b"notes of somebody" + trailer + b"PK\3\4zip", len(main))
    assert [piece.kind for piece in pieces] == [Piece.TEXT, Piece.PHONE, Piece.ZIP]
    assert pieces[1].size == len(trailer)


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        (b"PK\3\4" + bytes(50), "META-020"),
        (MP4, None),
        (bytes(64), None),
        (GALAXY, None),
        (samsung_trailer((0x0A30, b"MotionPhoto_Data", MP4)), None),
        (bytes(range(64)) + GALAXY, "META-020"),
    ],
)
def test_only_what_is_no_phones_own_is_a_finding(tail: bytes, code: str | None, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(scene(1), "JPEG") + tail)
    codes = {finding.code for finding in report(path, "metadata").findings}
    assert codes & {"META-020", "META-021"} == ({code} if code else set())


def test_pictures_without_boxes_and_those_cut_short_have_nothing_behind_their_end(tmp_path: Path) -> None:
    whole = saved(scene(1), "JPEG2000")
    bare = whole[whole.index(b"\xff\x4f\xff\x51") :]
    for data, code in (
        (bare, None),
        (b"\xff\x0a" + bytes(range(200)), None),
        (whole[:-500], "META-014"),
        (whole, None),
    ):
        path = tmp_path / "picture.bin"
        path.write_bytes(data)
        codes = {finding.code for finding in report(path, "metadata").findings}
        assert codes & {"META-014", "META-020", "META-021"} == ({code} if code else set())


def test_pictures_that_are_spelled_in_xmp_are_pictures_in_the_file() -> None:
    def spelled(uri: str, name: str, picture: Image.Image) -> str:
        return f'xmlns:p="{uri}" p:{name}="{base64.b64encode(saved(picture, "JPEG")).decode()}"'

    unblurred = spelled("http://ns.google.com/photos/1.0/image/", "Data", scene(2))
    thumbnail = (
        '<xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType="Resource"><g:image xmlns:g="http://ns.adobe.com/xap/1.0/g/img/">'
        + base64.encodebytes(saved(scene(3), "JPEG")).decode()
        + "</g:image></rdf:li></rdf:Alt></xmp:Thumbnails>"
    )
    for packet, kind in (
        (make.xmp(attributes=unblurred), PictureKind.PICTURE),
        (make.xmp(thumbnail), PictureKind.THUMBNAIL),
    ):
        pictures, places = examined(saved(scene(1), "JPEG", xmp=packet))
        assert [record.kind for record in pictures.listed] == [kind]
        assert places == [f"{kind.wording} of 160 × 120 pixels"]


def test_a_cropped_picture_over_a_larger_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "shot.png"
    small, large = saved(scene(1), "PNG"), saved(scene(2, (500, 400)), "PNG")
    path.write_bytes(small + large[len(small) :])
    found = report(path, "metadata")
    assert (found.findings[-1].code, found.priority) == ("META-021", Priority.MEDIUM)


@given(st.binary(max_size=400), st.sampled_from([b"", MP4[:20], b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"PK\3\4"]))
def test_any_bytes_behind_a_picture_are_accounted_for(tail: bytes, lead: bytes) -> None:
    data = b"start" + lead + tail
    pieces = behind(data, 5)
    assert [piece.start for piece in pieces] == [5, *(piece.end for piece in pieces[:-1])][: len(pieces)]
    assert (pieces[-1].end if pieces else 5) == len(data)


@given(st.binary(max_size=300), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"8BPS"]))
def test_any_bytes_are_named_or_not_and_looked_into(tail: bytes, lead: bytes) -> None:
    evidence = Evidence.from_bytes(lead + tail or b"x")
    pictures = Pictures(evidence, look_inside(evidence))
    assert len(list(pictures.further())) <= 2 * evidence.limits.max_frames
    assert list(pictures.told()) is not None


def test_many_frames_cost_no_more_than_some() -> None:
    frame = Image.new("L", (8, 8))
    data = animation("TIFF", *(frame.point(lambda _, n=number: n % 251) for number in range(1500)))
    pictures, places = examined(data)
    assert len(places) <= 16
    assert pictures.unexamined >= 1500 - 512 - 1


def test_evenly() -> None:
    assert evenly(range(100), 4) == [24, 49, 74, 99]
    assert evenly([1, 2], 4) == [1, 2]
    assert Inside().frames == 1
    assert len(RAW) == 9


def test_what_a_second_picture_says_of_itself_counts(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "ExampleCam", "X1"
    main = saved(scene(1), "JPEG", exif=exif)
    exif.get_ifd(0x8825).update({1: "N", 2: (35.0, 40.0, 0.0), 3: "E", 4: (139.0, 45.0, 0.0)})
    label = make.xmp(attributes=iptc_ext("DigitalSourceType", SOURCE_TYPE + "trainedAlgorithmicMedia"))
    gain_map = saved(scene(1).resize((80, 60)), "JPEG", exif=exif, xmp=label, comment=b"hdrgm:")
    path = tmp_path / "photo.jpg"
    path.write_bytes(main + gain_map)
    found = report(path, "metadata", "provenance")
    said = {finding.code: finding.explanation for finding in found.findings}
    assert said["META-006"].startswith("In a brightness map (HDR gain map) of 80 × 60 pixels: ")
    assert "35.666667, 139.750000" in said["META-006"]
    assert said["PROV-005"].startswith("In a brightness map")
    assert [finding.code for finding in found.findings].count("META-002") == 1, "said once, of the file"
    alone = tmp_path / "alone.jpg"
    alone.write_bytes(main)
    assert {"META-006", "PROV-005"}.isdisjoint(finding.code for finding in report(alone, "metadata").findings)

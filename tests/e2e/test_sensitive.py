"""``--sensitive`` through the installed command: no pixel of a file comes out, whatever else is asked for."""

from __future__ import annotations

import base64
import json
import random
import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from nsfwforensics.testing import contract_file
from tests.e2e.conftest import Runner
from tests.pictures import saved

MAPS = ("--only", "metadata", "--only", "traces", "--maps", "--thumbnails")


@pytest.fixture
def pictures(tmp_path: Path, samples: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("camera-original.jpg", "edited-copy.jpg"):
        shutil.copy(samples / name, folder / name)
    return folder


def shows(folder: Path) -> list[str]:
    """What in a report's folder holds a picture: files that are one, and texts with one inside."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if data[:3] == b"\xff\xd8\xff" or data[:4] == b"\x89PNG" or b"/9j/" in data or b"data:image" in data:
            found.append(path.name)
    return found


def test_thumbnails_and_maps_are_not_made(pictures: Path, tmp_path: Path, run: Runner) -> None:
    plain = run("scan", pictures, *MAPS, "-o", tmp_path / "plain", "-q")
    assert plain.code == 0, plain.err
    assert shows(tmp_path / "plain"), "without the option there is something to leave out"
    careful = run("scan", pictures, *MAPS, "--sensitive", "-o", tmp_path / "careful", "-q")
    assert careful.code == 0, careful.err
    assert "--thumbnails is not followed" in careful.err
    assert shows(tmp_path / "careful") == []
    report: dict[str, Any] = json.loads((tmp_path / "careful" / "report.json").read_text("utf-8"))
    assert report["header"]["sensitive"] is True
    for file in report["files"]:
        assert file["sensitive"] and file["info"]["sha256"] and file["info"]["thumbnail"] is None
    again = run("report", tmp_path / "careful", "-q")
    assert again.code == 0 and shows(tmp_path / "careful") == []


@pytest.mark.parametrize(
    "words", [("metadata",), ("hash",), ("compare", "original")], ids=["metadata", "hash", "compare"]
)
def test_every_command_that_examines_has_it(
    words: tuple[str, ...], pictures: Path, tmp_path: Path, run: Runner
) -> None:
    named = [words[0], *((pictures / "camera-original.jpg",) if len(words) > 1 else ())]
    ran = run(*named, pictures / "edited-copy.jpg", "--thumbnails", "--sensitive", "-o", tmp_path / "out", "-q")
    assert ran.code == 0, ran.err
    assert shows(tmp_path / "out") == []


@pytest.mark.slow
def test_a_case_lets_nothing_out_that_an_earlier_scan_kept(pictures: Path, tmp_path: Path, run: Runner) -> None:
    case = tmp_path / "c.db"
    assert run("scan", pictures, *MAPS, "--case", case, "-q").code == 0
    assert run("case", "export", case, "-o", tmp_path / "before", "--thumbnails").code == 0
    assert shows(tmp_path / "before")
    second = run("scan", pictures, *MAPS, "--sensitive", "--case", case, "--json")
    assert "already done" not in second.err and all(file["sensitive"] for file in second.report["files"])
    for kind in ("report", "jsonl"):
        assert run("case", "export", case, "-o", tmp_path / kind, "--format", kind, "--thumbnails").code == 0
        assert shows(tmp_path / kind) == []
    exported = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert exported["header"]["sensitive"] is True


def test_the_settings_can_ask_for_it(pictures: Path, run: Runner) -> None:
    ran = run("metadata", pictures, "--json", NSFWFORENSICS_SENSITIVE="true")
    assert ran.report["header"]["sensitive"] is True


def test_the_extra_marks_nothing_in_the_samples(samples: Path, run: Runner) -> None:
    pytest.importorskip("nudenet")
    ran = run("scan", samples / "camera-original.jpg", samples / "reference.jpg", "--only", "intimate", "--json")
    assert ran.code == 0, ran.err
    for file in ran.report["files"]:
        (result,) = file["results"]
        assert result["status"] == "nothing_found" and file["sensitive"] is False
    assert ran.report["header"]["models"][0]["name"] == "nudenet"


def hidden(kind: str, small: bytes) -> tuple[str, bytes]:
    """A picture with another one written as text into what it says of itself, and its file name."""
    text = base64.b64encode(small).decode()
    lines = "\n".join(text[start : start + 76] for start in range(0, len(text), 76))
    packet = {
        "lines": f"<xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType='Resource'><xmpGImg:image>{lines}</xmpGImg:image>"
        "</rdf:li></rdf:Alt></xmp:Thumbnails>",
        "items": "<xmp:Parts><rdf:Seq>"
        + "".join(f"<rdf:li>{text[start : start + 50]}</rdf:li>" for start in range(0, len(text), 50))
        + "</rdf:Seq></xmp:Parts>",
        "numbered": "".join(
            f"<xmp:Part{number}>{text[start : start + 90]}</xmp:Part{number}>"
            for number, start in enumerate(range(0, len(text), 90))
        ),
        "hexadecimal": f"<xmp:Label>{small.hex(' ')}</xmp:Label>",
        "compressed": f"<xmp:Label>{base64.b64encode(zlib.compress(small)).decode()}</xmp:Label>",
    }
    if kind in packet:
        names = 'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/"'
        xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description {names}>{packet[kind]}'
        body = b"http://ns.adobe.com/xap/1.0/\0" + f"{xmp}</rdf:Description></rdf:RDF></x:xmpmeta>".encode()
        return f"{kind}.jpg", with_segment(0xE1, body)
    if kind == "comment":
        return f"{kind}.jpg", with_segment(0xFE, f"made by hand: {text}".encode())
    if kind == "bytes":
        return f"{kind}.jpg", with_segment(0xFE, small)
    info = PngImagePlugin.PngInfo()
    info.add_text(*(("Raw profile type exif", small.hex()) if kind == "profile" else ("Note", text)))
    return f"{kind}.png", saved(Image.new("RGB", (64, 48), "navy"), pnginfo=info)


RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
HIDDEN = ("lines", "items", "numbered", "hexadecimal", "compressed", "comment", "bytes", "profile", "text")


def with_segment(marker: int, body: bytes) -> bytes:
    data = contract_file("plain.jpg")
    return data[:2] + bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


def small_picture() -> bytes:
    return saved(Image.frombytes("RGB", (12, 12), random.Random(1).randbytes(432)), "JPEG", quality=30)


def pieces_of(small: bytes) -> list[str]:
    """What gives the picture away, in any of the codings that :func:`hidden` uses: any 40 letters in a row."""
    text, packed = base64.b64encode(small).decode(), base64.b64encode(zlib.compress(small)).decode()
    whole = [text, packed, small.hex(), small.hex(" "), small.decode("latin-1"), json.dumps(small.decode("latin-1"))]
    return [long[start : start + 40] for long in whole for start in range(0, len(long) - 40, 20)]


@pytest.mark.slow
def test_no_picture_that_is_written_as_text_comes_out(tmp_path: Path, run: Runner) -> None:
    small, folder = small_picture(), tmp_path / "pictures"
    folder.mkdir()
    for kind in HIDDEN:
        name, data = hidden(kind, small)
        (folder / name).write_bytes(data)
    only = ("--only", "metadata", "--only", "provenance")
    assert run("scan", folder, *only, "--sensitive", "-o", tmp_path / "careful", "-q").code == 0
    said = [run("scan", folder, *only, *more) for more in ((), ("--sensitive",), ("--json",))]
    said += [run("metadata", folder), run("scan", folder, *only, "--case", tmp_path / "c.db", "-q")]
    said += [run("case", "show", tmp_path / "c.db", f"{kind}.jpg", "--json") for kind in HIDDEN[:3]]
    for kind in ("report", "csv", "jsonl"):
        said.append(run("case", "export", tmp_path / "c.db", "-o", tmp_path / kind, "--format", kind))
    said.append(run("evidence", "pack", folder, "-o", tmp_path / "bag", "--hash-only"))
    said.append(run("evidence", "pack", tmp_path / "c.db", "-o", tmp_path / "bag2", "--hash-only"))
    assert {ran.code for ran in said} == {0}, [ran.err for ran in said]
    texts = {path.name: path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file()
             and folder not in path.parents and path.suffix != ".db"}  # fmt: skip
    texts |= {f"output {number}": ran.out + ran.err for number, ran in enumerate(said)}
    given_away = pieces_of(small)
    for name, text in texts.items():
        flat = "".join(text.split())
        found = [piece for piece in given_away if piece in text or piece in flat]
        assert not found, (name, found[0])
    report = json.loads((tmp_path / "careful" / "report.json").read_text("utf-8"))
    for file in report["files"]:
        assert "left out: a picture, or what may be one]" in json.dumps(file["results"]), file["info"]["name"]
        assert any("holds a picture, or what may be one, as text" in note for note in file["notes"])

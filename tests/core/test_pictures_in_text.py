"""A picture that is written as text is left out whatever its spelling, and other text stays as it is."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import html
import io
import json
import lzma
import quopri
import random
import urllib.parse
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from nsfwforensics.core.pictures_in_text import without_spelled_pictures
from nsfwforensics.core.sensitive import TEXT_LEFT_OUT, handled, header_without_pictures, without_text_pictures
from nsfwforensics.core.spelled_pictures import begins_picture, spells_picture
from nsfwforensics.core.types import Artifact, Question
from tests.report.factory import every_outcome, file, finding, header, result

KINDS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "ICO", "AVIF", "JPEG2000")
Spelling = Callable[[bytes], str]


@cache
def picture(kind: str = "JPEG", side: int = 16) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 60).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def ascii_of(encode: Callable[[bytes], bytes]) -> Spelling:
    return lambda data: encode(data).decode("latin-1")


def each(form: str, between: str = "") -> Spelling:
    return lambda data: between.join(form.format(byte) for byte in data)


def uuencoded(data: bytes) -> str:
    lines = [binascii.b2a_uu(data[start : start + 45]).decode() for start in range(0, len(data), 45)]
    return "begin 644 picture\n" + "".join(lines) + "`\nend\n"


SPELLINGS: dict[str, Spelling] = {
    "Base64": ascii_of(base64.b64encode),
    "Base64 without padding": lambda data: base64.b64encode(data).decode().rstrip("="),
    "Base64 for addresses": ascii_of(base64.urlsafe_b64encode),
    "Base64 of mail": ascii_of(base64.encodebytes),
    "Base64 in groups": lambda data: " ".join(_pieces(base64.b64encode(data).decode(), 4)),
    "Base64 with dashes": lambda data: "-".join(_pieces(base64.b64encode(data).decode(), 8)),
    "Base64 of each part": lambda data: "\n".join(base64.b64encode(part).decode() for part in _pieces(data, 10)),
    "a data address": lambda data: "data:image/jpeg;base64," + base64.b64encode(data).decode(),
    "a quoted data address": lambda data: urllib.parse.quote(
        "data:image/png;base64," + base64.b64encode(data).decode()
    ),
    "Base32": ascii_of(base64.b32encode),
    "Base32 in small letters": lambda data: base64.b32encode(data).decode().lower(),
    "Ascii85": ascii_of(base64.a85encode),
    "Ascii85 of Adobe": lambda data: base64.a85encode(data, adobe=True, wrapcol=72).decode(),
    "Base85": ascii_of(base64.b85encode),
    "uuencode": uuencoded,
    "hexadecimal": ascii_of(binascii.hexlify),
    "hexadecimal in lines": lambda data: "\n".join(_pieces(data.hex().upper(), 72)),
    "hexadecimal with colons": lambda data: data.hex(":"),
    "hexadecimal as in C": each("0x{:02x}", ", "),
    "a raw profile": lambda data: f"\nexif\n    {len(data)}\n" + "\n".join(_pieces(data.hex(), 72)),
    "escapes": each("\\x{:02X}"),
    "escapes of JSON": each("\\u{:04x}"),
    "octal escapes": each("\\{:03o}"),
    "decimal": each("{}", ", "),
    "decimal in brackets": lambda data: json.dumps(list(data)),
    "octal": each("{:03o}", " "),
    "binary": each("{:08b}", " "),
    "percent": each("%{:02X}"),
    "percent where needed": lambda data: urllib.parse.quote_from_bytes(data),
    "quoted-printable": ascii_of(quopri.encodestring),
    "entities": each("&#{};"),
    "letters of Latin-1": lambda data: data.decode("latin-1"),
    "letters of UTF-16": lambda data: (data + b"\0" * (len(data) % 2)).decode("utf-16-be", "ignore"),
    "full-width letters": lambda data: "".join(chr(ord(c) + 0xFEE0) for c in base64.b64encode(data).decode()),
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes, "zlib": zlib.compress, "bzip2": bz2.compress, "xz": lzma.compress,
    "gzip": lambda data: gzip.compress(data, mtime=0),
}  # fmt: skip
AROUND: dict[str, Callable[[str], str]] = {
    "nothing": str,
    "words before": lambda text: f"Preview of the picture: {text}",
    "JSON": lambda text: json.dumps({"size": 3, "picture": text}),
    "an element": lambda text: f"<image>{html.escape(text)}</image>",
    "the remark of a cut": lambda text: f"{text}… ({len(text) * 3} characters in all)",
}


def _pieces(whole: Any, size: int) -> list[Any]:
    return [whole[start : start + size] for start in range(0, len(whole), size)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_every_format_is_seen(spelling: str, kind: str) -> None:
    text = SPELLINGS[spelling](picture(kind))
    assert spells_picture(text), text[:200]


READABLE = tuple(name for name in SPELLINGS if "letters" not in name or "small" in name)


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(KINDS[:6]),
    st.integers(8, 40),
    st.sampled_from(sorted(PACKINGS)),
    st.sampled_from(READABLE),
    st.sampled_from(["once", "Base64", "hexadecimal", "percent"]),
    st.sampled_from(sorted(AROUND)),
    st.sampled_from(["value", "list", "rows", "rows of one name", "keys", "sentence"]),
    st.integers(2, 9),
    st.sampled_from([None, 4, 64, 76]),
)
def test_no_picture_comes_out(
    kind: str, side: int, packing: str, spelling: str, again: str, around: str, where: str, parts: int, wrap: int | None
) -> None:
    assume(
        spelling != "quoted-printable" or packing not in ("bzip2", "xz")
    )  # a blank lost at a line's end spoils these
    text = SPELLINGS[spelling](PACKINGS[packing](picture(kind, side)))
    if again != "once":
        text = SPELLINGS[again](text.encode("utf-8"))
    if wrap is not None and again in ("Base64", "hexadecimal"):
        text = "\n".join(_pieces(text, wrap))
    text = AROUND[around](text)
    pieces = _pieces(text, -(-len(text) // parts)) if where not in ("value", "sentence") else [text]
    made: Any = {
        "value": lambda: {"measurements": {"depth": {"value": text}}},
        "list": lambda: {"found": ["a picture of a cat"], "parts": pieces},
        "rows": lambda: {
            "fields": [{"name": f"Part{n}", "group": "PNG tEXt", "value": p} for n, p in enumerate(pieces)]
        },
        "rows of one name": lambda: [{"name": "Comment", "value": p} for p in pieces],
        "keys": lambda: {f"part_{n}": p for n, p in enumerate(pieces)},
        "sentence": lambda: {
            "explanation": f"It says “{text}”.",
            "wording": {"explanation": {"template": "It says “{text}”.", "values": {"text": text}}},
        },
    }[where]()
    kept = json.dumps(without_spelled_pictures(made), ensure_ascii=False)
    for piece in pieces:
        assert len(piece) < 8 or json.dumps(piece, ensure_ascii=False)[1:-1] not in kept
    assert "left out: a picture, or what may be one]" in kept


def test_a_piece_that_is_one_letter_again_and_again_is_no_word() -> None:
    pieces = _pieces(base64.b64encode(picture("GIF", 9)).decode(), 176)
    assert "A" * 176 in pieces
    kept = without_spelled_pictures(["a picture of a cat", *pieces])
    assert not set(pieces) & set(kept)
    assert kept[0] == "a picture of a cat"


def test_numbered_pieces_are_found_in_whatever_order_they_stand() -> None:
    pieces = list(enumerate(_pieces(base64.b64encode(picture()).decode(), 30), 1))
    random.Random(1).shuffle(pieces)
    rows = [{"name": f"image{number}", "value": piece} for number, piece in pieces]
    kept = json.dumps(without_spelled_pictures(rows))
    assert not [piece for _, piece in pieces if piece in kept]


@pytest.mark.parametrize("numbers", [list, lambda data: [byte - 256 if byte > 127 else byte for byte in data]])
def test_numbers_are_bytes_too(numbers: Callable[[bytes], list[int]]) -> None:
    data = picture()
    kept = without_spelled_pictures({"bytes": numbers(data), "rows": _pieces(list(picture("PNG")), 16)})
    assert kept["bytes"] == [f"[{len(data):,} numbers left out: a picture, or what may be one]"]
    assert len(kept["rows"]) == 1
    tables = {"quantisation": [[16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55]] * 4}
    assert without_spelled_pictures(tables) == tables


GIMG = "{http://ns.adobe.com/xap/1.0/}Thumbnails[1]/{http://ns.adobe.com/xap/1.0/g/img/}image"
DEPTH = "{http://ns.google.com/photos/1.0/depthmap/}Data"


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Thumbnails[1].image", GIMG), ("Data", DEPTH), ("PreviewImage", "0x2011"), ("ThumbnailImage", "0x0100"),
        ("JpgFromRaw", "0x002E"), ("MakerNote", "{http://ns.adobe.com/exif/1.0/}MakerNote"), ("DepthMap", "DepthMap"),
        ("Raw profile type unheard-of", "Raw profile type unheard-of"), ("embedded_image", "x"), ("x:ThumbData", "x"),
    ],
)  # fmt: skip
def test_what_is_called_a_picture_goes_whatever_it_says(name: str, tag: str) -> None:
    secret = "a coding that nobody has heard of, " * 3
    rows = [{"source": "JPEG APP1", "group": "XMP", "tag": tag, "name": name, "value": secret, "text": secret}]
    (kept,) = without_spelled_pictures(rows)
    assert kept["value"] == kept["text"] == f"[{len(secret)} characters left out: a picture, or what may be one]"
    assert (kept["name"], kept["tag"]) == (name, tag)
    if name != "Data":
        assert "left out" in json.dumps(without_spelled_pictures({name: {"data": secret}}))


KEPT: list[Any] = [
    {"name": "Thumb::URI", "value": "file:///home/anna/Pictures/holidays/2024/august/at-the-sea/IMG_0001.jpg"},
    {"name": "ThumbnailFormat", "value": "image/jpeg"},
    {"name": "PreviewImageLength", "value": "1048576"},
    {"name": "PreviewDateTime", "value": "2024-08-01T10:00:00.000+02:00, as the camera's clock had it"},
    {"thumbnail": {"format": "image/jpeg", "identifier": "self#jumbf=/c2pa/urn:uuid:5c0f/c2pa.thumbnail.claim.jpeg"}},
    {"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "pdq": "f8f8f0cee0f4a84f" * 4},
    {"hashes": [f"{number:064x}" for number in range(3, 3000, 97)]},
    "masterpiece, best quality, 1girl, (red dress:1.2), 8k, <lora:add_detail:0.7>, looking at viewer " * 8,
    "xmp.iid:7d1c0e2e-1f3b-4b5e-9a55-2b9c7f5f0a11 saved from application/vnd.adobe.photoshop to image/jpeg",
    "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 1234567890, Size: 512x768, Model hash: 6ce0161689",
    "日本語の説明と、長い文。これは写真ではありません。" * 20,
    "GIF89a and PNG and JFIF are formats; BM is a beginning; II*; MM",
    "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJRTESMBAGA1UEChMJQmFsdGltb3JlMRMwEQYDVQQLEwpDeWJl",
    {"curve": list(range(0, 256, 4)), "levels": [0, 128, 255] * 20},
]


@pytest.mark.parametrize("value", KEPT, ids=range(len(KEPT)))
def test_what_is_no_picture_stays(value: Any) -> None:
    assert without_spelled_pictures(value) == value


@settings(deadline=None, max_examples=200)
@given(st.binary(min_size=16, max_size=64), st.sampled_from(["Base64", "hexadecimal", "Base85", "Base32"]))
def test_digests_and_keys_stay(data: bytes, spelling: str) -> None:
    text = SPELLINGS[spelling](data)
    assert begins_picture(data) or spells_picture(text) is False


def test_where_care_is_asked_for_long_encoded_text_goes_whatever_it_is() -> None:
    rng = random.Random(7)
    encoded = base64.b64encode(rng.randbytes(300)).decode()
    for text in (
        encoded,
        "\n".join(_pieces(encoded, 76)),
        "\r\n ".join(_pieces(encoded, 64)),
        rng.randbytes(150).hex(),
    ):
        assert without_spelled_pictures(f"before {text} after") == f"before {text} after"
        kept = without_spelled_pictures(f"before {text} after", careful=True)
        assert kept.startswith("before [") and not [line for line in text.split() if line in kept]


def test_it_is_done_once_and_cannot_be_avoided_by_pretending_so() -> None:
    text = base64.b64encode(picture()).decode()
    once = without_spelled_pictures({"a": text})
    assert without_spelled_pictures(once) == once
    for pretended in (f"[{text} left out: a picture, or what may be one]", f"[1 characters left out: {text}]"):
        assert text not in json.dumps(without_spelled_pictures(pretended))


def test_the_length_is_the_one_before_it_was_cut() -> None:
    text = base64.b64encode(picture("PNG", 40)).decode()[:1000] + "… (52431 characters in all)"
    assert without_spelled_pictures(text) == "[52,431 characters left out: a picture, or what may be one]"


def test_an_empty_value_beside_the_pieces_of_a_picture_stays() -> None:
    pieces = [list(picture("PNG")[at : at + 30]) for at in range(0, 90, 30)]
    rows = [{"name": f"Tag {number}", "value": piece} for number, piece in enumerate([*pieces, [], ""])]
    kept = [row["value"] for row in without_spelled_pictures(rows)]
    assert kept[3:] == [[], ""]
    assert all("left out" in text for text in kept[:3])


@pytest.mark.slow
def test_hostile_nesting_and_size_end() -> None:
    deep: Any = base64.b64encode(picture()).decode()
    for _ in range(150):
        deep = [deep]
    assert "left out" in json.dumps(without_spelled_pictures(deep))
    layers = picture()
    for _ in range(12):
        layers = base64.b64encode(zlib.compress(layers, 0))
    without_spelled_pictures(layers.decode())
    bomb = base64.b64encode(gzip.compress(bytes(50_000_000))).decode()
    without_spelled_pictures([bomb] * 20)


def test_a_files_report_says_so_and_its_answers_stay_those_of_its_findings() -> None:
    text = base64.b64encode(picture()).decode()
    found = finding(explanation=f"The file says {text}.", data={"said": text, "cells": [text[:9], text[9:]]})
    shown = Artifact(name="map", media_type="image/png", data=b"pixels")
    made = file("a.jpg", result(findings=(found,), artifacts=(shown,)), result("x", Question.KNOWN, error=text))
    kept = without_text_pictures(made)
    assert text[:30] not in kept.model_dump_json()
    assert TEXT_LEFT_OUT in kept.notes
    assert kept.results[0].artifacts == (shown,)
    assert kept.answers[0].statement == kept.findings[0].explanation
    assert kept.info == made.info
    assert without_text_pictures(kept) == kept
    plain = every_outcome()
    assert without_text_pictures(plain) is plain


def test_a_file_is_named_whatever_its_name_looks_like() -> None:
    name = base64.urlsafe_b64encode(picture("GIF", 2)[:120]).decode() + ".jpg"
    made = file(f"folder/{name}", result(measurements={"x": base64.b64encode(picture()).decode()}))
    kept = handled(made, asked=True)
    assert (kept.info.path, kept.info.name) == (f"folder/{name}", name)
    assert kept.sensitive and TEXT_LEFT_OUT in kept.notes


def test_a_header_that_somebody_else_wrote_is_looked_through_too() -> None:
    text = base64.b64encode(picture()).decode()
    assert text not in header_without_pictures(header(operator=text, notes=(text,))).model_dump_json()
    assert header_without_pictures(header()) == header()

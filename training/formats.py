"""Measures how photographs that no fit saw fare in other formats, and writes it into the card.

    python -m training.formats --run OUT --domain DOMAIN

OUT is the folder of a run of ``python -m training`` and DOMAIN that of ``python -m training.domain``: of their lists
the photographs for counting only are shown, each in six forms, to the analyzer with the installed weights. Writes
``OUT/formats.csv`` too.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.analyzers.deepfake.analyzer import DeepfakeAnalyzer, DeepfakeOptions
from nsfwforensics.core.analyzer import Resources
from nsfwforensics.core.error_rates import upper_percent
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import FileInfo
from nsfwforensics.models.rates import Rate
from training import saving
from training.bring import Picture, hash_rank, read_catalogue
from training.card import fill, measured_by, table

if TYPE_CHECKING:
    from PIL.Image import Image

MOST: Mapping[str, int] = {
    "ML72": 30,
    "endless-sky-data": 30,
    "scratch": 15,
    "CelebA-HQ samples (StarGAN v2)": 10,
    "AFHQ samples (StarGAN v2)": 10,
}
"""Most photographs of a publisher or package, chosen by a hash."""

LONGEST = 2400
"""Longer side, in pixels, to which a photograph is reduced before it is saved in another format."""

_PHONE = (1080, 2340)
_AS_IT_IS = "as it is"
_VERDICTS: Mapping[str, str] = {"SYN-001": "called", "SYN-003": "no sign", "SYN-002": "inconclusive"}


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a picture in a form.

    Attributes:
        key: Of the picture.
        form: One of those that :func:`forms` gives.
        verdict: ``called``, ``no sign`` or ``inconclusive``.
        score: None where it was not judged.
    """

    key: str
    form: str
    verdict: str
    score: float | None


def chosen(pictures: Iterable[Picture]) -> list[Picture]:
    """The photographs for counting only, at most :data:`MOST` of each publisher."""
    counts: Counter[str] = Counter()
    found = []
    for picture in sorted(pictures, key=lambda each: hash_rank(each.key)):
        if (
            picture.use in ("test", "domain")
            and not picture.label
            and counts[picture.publisher] < MOST.get(picture.publisher, 0)
        ):
            counts[picture.publisher] += 1
            found.append(picture)
    return found


def forms(picture: Picture) -> Iterator[tuple[str, bytes]]:
    """A photograph's file in each form."""
    import pillow_heif
    from PIL import Image

    pillow_heif.register_heif_opener()
    yield _AS_IT_IS, Path(picture.file).read_bytes()
    image = Image.fromarray(saving.load(picture))
    image.thumbnail((LONGEST, LONGEST))
    yield "HEIC, quality 60", _saved(image, "HEIF", quality=60)
    yield "AVIF, quality 60", _saved(image, "AVIF", quality=60)
    yield "WebP, quality 80", _saved(image, "WEBP", quality=80)
    yield "PNG", _saved(image, "PNG", compress_level=1)
    yield "screenshot of a telephone, PNG", _saved(screenshot(image), "PNG", compress_level=1)


def _saved(image: Image, form: str, **options: int) -> bytes:
    stream = BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def screenshot(image: Image) -> Image:
    """A photograph on the screen of a telephone, as in a messenger: light or dark by a hash of its size."""
    from PIL import Image, ImageDraw

    width, height = _PHONE
    dark = hash_rank(str(image.size))[0] % 2
    ink = (230,) * 3 if dark else (20,) * 3
    screen = Image.new("RGB", _PHONE, "black" if dark else "white")
    scale = min(width / image.width, (height - 440) / image.height)
    shown = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    screen.paste(shown, ((width - shown.width) // 2, (height - shown.height) // 2))
    draw = ImageDraw.Draw(screen)
    for place, text, size in (((60, 40), "12:41", 44), ((880, 40), "81 %", 44), ((60, 150), "Anna", 52)):
        draw.text(place, text, fill=ink, font_size=size)
    draw.text((60, height - 110), "Message", fill=ink, font_size=44)
    return screen


def judged(picture: Picture, analyzer: DeepfakeAnalyzer) -> Iterator[Said]:
    """What the analyzer says of a photograph in each form."""
    for form, data in forms(picture):
        scores = analyzer.infer([analyzer.prepare(Evidence.from_bytes(data))])
        outcome = analyzer.conclude(FileInfo(path="x", name="x"), scores[0])
        score = outcome.measurements.get("score")
        yield Said(picture.key, form, _VERDICTS[outcome.findings[0].code], score if isinstance(score, float) else None)


def told(said: Sequence[Said]) -> str:
    """The table of the card."""
    first = {each.key: each.score for each in said if each.form == _AS_IT_IS}
    rows = []
    for form in dict.fromkeys(each.form for each in said):
        part = [each for each in said if each.form == form]
        count = Counter(each.verdict for each in part)
        called = Rate(count["called"], len(part))
        pairs = [(each.score, first.get(each.key)) for each in part]
        apart = [abs(score - own) for score, own in pairs if score is not None and own is not None]
        moved = f"{np.median(apart):.2f}, {max(apart):.1f}" if apart and form != _AS_IT_IS else ""
        share = f"{called.count} of {called.total} (at most {upper_percent(called.upper)})"
        rows.append((form, share, str(count["no sign"]), str(count["inconclusive"]), moved))
    head = ("form", "called", "no sign", "inconclusive", "score against the file as it is (median, most)")
    return table(head, rows)


def main() -> None:
    """Judges, and writes the table."""
    arguments, card = measured_by(__doc__, "domain")
    lists = [arguments.run / "catalogue.csv", *sorted((arguments.domain / "lists").glob("photograph.*.csv"))]
    analyzer = DeepfakeAnalyzer(DeepfakeOptions(), Resources())
    pictures = chosen(picture for path in lists for picture in read_catalogue(path))
    said = [each for picture in pictures for each in judged(picture, analyzer)]
    with (arguments.run / "formats.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([each.key, each.form, each.verdict, each.score] for each in said)
    fill(card, "formats", told(said))


if __name__ == "__main__":
    main()

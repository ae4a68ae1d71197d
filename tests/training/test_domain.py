"""The probe for what is no photograph: brought from packages, fitted with sources left out, written and read back."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from nsfwforensics.models.synthesis.calibration import TIERS
from nsfwforensics.models.synthesis.domain_probe import domain_probe
from training import domain, not_photographs
from training.bring import Picture, write_catalogue
from training.embed import Store
from training.not_photographs import KINDS, Source


def test_pictures_are_taken_from_folders_and_archives_once_and_large_enough(tmp_path: Path) -> None:
    package = tmp_path / "packages" / "game"
    package.mkdir(parents=True)
    for number, side in enumerate((300, 300, 90)):
        image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        ImageDraw.Draw(image).ellipse((20, 20, 70, 70), fill=(10 * (number // 2), 40, 90, 255))
        image.save(package / f"{number}.png")
    with zipfile.ZipFile(package / "data.pk3", "w") as archive:
        archive.writestr("shots/level.png", _striped(package / "striped.png"))
        archive.writestr("shots/readme.txt", "nothing")
    (package / "flat.png").write_bytes(b"no picture")
    source = Source("drawing", "game", ["[0-9f]*.png", "*.pk3!shots/*"], 10)
    found = list(not_photographs._pictures(source, package, tmp_path / "pictures", []))
    names = {picture.series.rpartition("!")[2] for picture in found}
    assert len(found) == 2, "the second is the first again, the third is an icon, the fourth is none"
    assert "shots/level.png" in names
    assert {(picture.publisher, picture.kind, picture.use) for picture in found} == {("game", "drawing", "domain")}
    (drawn,) = (picture for picture in found if "!" not in picture.series)
    with Image.open(drawn.file) as image:
        assert image.getpixel((0, 0)) == (255, 255, 255), "transparent parts become white"


def _striped(path: Path) -> bytes:
    image = Image.new("RGB", (400, 260))
    for column in range(0, 400, 8):
        ImageDraw.Draw(image).line((column, 0, column, 260), fill="yellow", width=3)
    image.save(path)
    return path.read_bytes()


def _catalogued(out: Path, run: Path) -> None:
    """Embeddings of photographs around one direction and of other pictures around another, by several sources each."""
    random = np.random.default_rng(0)
    places = {"photograph": random.normal(size=512), **dict.fromkeys(KINDS, random.normal(size=512))}
    photographs, others = [], []
    for kind, place in places.items():
        for source in range(6):
            for number in range(10):
                key = f"{kind}-{source}-{number}"
                use = "develop" if kind == "photograph" else "domain"
                name = f"{kind} {source}"
                picture = Picture(key, f"{key}.png", 0, name, key, use, kind, "", "PNG", 300, 300, 1)
                (photographs if kind == "photograph" else others).append((picture, place))
    for folder, group in ((run, photographs), (out, others)):
        store = Store(folder / "features")
        for tier in TIERS:
            keys = [picture.key for picture, _ in group]
            rows = np.stack([place + random.normal(0, 0.7, 512) for _, place in group]).astype(np.float32)
            store.add(tier, keys, np.zeros((len(keys), 12, 768), np.float32), rows, [False] * len(keys))
    write_catalogue([picture for picture, _ in photographs], run / "catalogue.csv")
    (out / "pixels.csv").write_text(
        "".join(
            f"{p.key},{tier},{number / 60:.3f},0.1\n" for tier in TIERS[1:] for number, (p, _) in enumerate(photographs)
        )
    )
    for source in not_photographs.sources():
        listed = out / "lists" / f"{source.kind}.{source.name}.csv"
        write_catalogue([], listed)
    write_catalogue([picture for picture, _ in others], listed)


def test_one_command_fits_measures_and_writes_what_the_classifier_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, out, weights = tmp_path / "run", tmp_path / "out", tmp_path / "weights"
    _catalogued(out, run)
    monkeypatch.setattr(sys, "argv", ["domain", "--run", str(run), "--out", str(out), "--weights", str(weights)])
    domain.main()
    probe = domain_probe(weights)
    for kind in KINDS:
        assert probe.told[kind]["as_is"].share == 1
    assert probe.told["photograph"]["as_is"].count == 0
    assert (probe.sure_from, probe.flat_from) == (1.0, 0.1)
    again = Store(out / "features").known("512_q40")
    rows = {key: seen.embedding for key, seen in again.items()}
    assert probe.outside(np.stack(list(rows.values()))).all()
    seen = Store(run / "features").known("768_q60")
    assert not probe.outside(np.stack([each.embedding for each in seen.values()])).any()
    assert "| drawing | drawing 3 | 10/10 | 10/10 | 10/10 |" in (out / "domain.md").read_text("utf-8")


@pytest.mark.parametrize(("count", "limit"), [(999, 1.0), (1001, 1.0), (3, 1.0)])
def test_hardly_any_photograph_passes_the_first_limit(count: int, limit: float) -> None:
    values = np.linspace(0, 0.99, count)
    assert domain.sure_from(values.tolist(), 0.5) == limit

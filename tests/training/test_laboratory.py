"""The laboratory on tiny made data: brought, judged without their publisher, calibrated by the others, told."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from nsfwforensics.models.synthesis import canonical, classifier
from nsfwforensics.models.synthesis.calibration import Verdict
from tests.training.synthetic import picture, save, smooth
from training import bring, calibrate, embed, export, leave_out, measure, saving
from training.__main__ import PLAN, capped, chosen, run
from training.fit import FULL, auc, balance, features_of, fit_kernel, linear, logistic

COLUMNS = (
    "repo", "commit", "path", "sha256", "width", "height", "format", "class", "generator", "publisher", "split",
    "bytes", "camera",
)  # fmt: skip
PAIR = (
    "repo", "commit", "original", "original_sha256", "edited", "edited_sha256", "editor", "publisher", "original_is",
)  # fmt: skip


def made(number: int = 0, **changes: object) -> bring.Picture:
    values = {
        "key": f"{number:04d}", "file": "", "label": number % 2, "publisher": "a", "series": f"s{number}",
        "use": "develop", "kind": "picture", "generator": "", "form": "PNG", "width": 600, "height": 500, "size": 9,
    }  # fmt: skip
    return bring.Picture(**{**values, **changes})  # type: ignore[arg-type]


def test_the_fit_is_the_minimum_and_is_the_same_every_time() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 120)
    features = (random.normal(size=(120, 40)) + 0.8 * labels[:, None] * (np.arange(40) < 4)).astype(np.float32)
    weights = balance(["p"] * 120, labels)
    found, bias = logistic(features, labels, weights, 1e-3)

    def loss(a: np.ndarray, b: float) -> float:
        logits = features @ a + b
        return float(weights @ np.logaddexp(0, np.where(labels == 1, -logits, logits)) + 1e-3 * a @ a)

    for _ in range(20):
        assert loss(found, bias) <= loss(found + random.normal(0, 0.05, 40), bias + random.normal(0, 0.05)) + 1e-6
    assert np.array_equal(found, logistic(features, labels, weights, 1e-3)[0])
    logits = linear(features, labels, weights, 1e-3).logits(features)
    assert auc(logits[labels == 1], logits[labels == 0]) > 0.9


def test_a_kernel_finds_what_no_plane_separates_and_is_stored_as_it_was_fitted() -> None:
    random = np.random.default_rng(0)
    whole = np.ones((240, 12, 768), np.float32)
    whole[:, 7, :2] += 20 * np.array([[np.cos(turn), np.sin(turn)] for turn in np.linspace(0, 2 * np.pi, 240)])
    labels = (np.arange(240) // 30 % 2).astype(np.int64)
    features, weights = features_of(whole), balance(["p"] * 240, labels)
    head = fit_kernel(features[::2], labels[::2], balance(["p"] * 120, labels[::2]), np.arange(0, 120, 2))
    differing = features[:, np.ptp(features, axis=0) > 0]  # all else is the same of all, which tells a plane nothing
    plane = linear(differing[::2], labels[::2], balance(["p"] * 120, labels[::2]), 1e-3)
    missed = [auc(logits[1::2][labels[1::2] == 1], logits[1::2][labels[1::2] == 0])
              for logits in (head.logits(features), plane.logits(differing))]  # fmt: skip
    assert missed[0] > 0.9 > missed[1]
    probe = linear(random.normal(size=(240, 512)).astype(np.float32), labels, weights, 1e-3)
    stored = classifier.Head(export.tensors(head, probe))
    assert np.allclose(stored.logits(whole), head.logits(features), atol=1e-3)


def test_publishers_and_classes_weigh_alike() -> None:
    labels = np.array([1] * 400 + [1] * 2 + [0] * 10)
    weights = balance(["large"] * 400 + ["few"] * 2 + ["real"] * 10, labels)
    assert weights[labels == 1].sum() == pytest.approx(0.5)
    assert weights[:400].sum() / weights[400:402].sum() == pytest.approx(FULL / 2)


def test_tokens_have_length_one() -> None:
    tokens = np.random.default_rng(0).normal(size=(3, 12, 768)) * np.arange(1, 13)[None, :, None]
    found = features_of(tokens, (3, 5)).reshape(3, 2, 768)
    assert np.allclose(np.linalg.norm(found, axis=2), 1, atol=1e-5)


def test_no_publisher_is_judged_by_a_fit_that_saw_it() -> None:
    pictures = [made(n, publisher=name) for n, name in enumerate([*bring.CONTENT_MATCHED, *"abcdefghi"])]
    found = leave_out.folds(pictures)
    matched = [found[name] for name in bring.CONTENT_MATCHED]
    assert len(set(matched)) == len(matched)
    assert not set(matched) & {found[name] for name in "abcdefghi"}
    assert leave_out._fold(made(use="test", publisher="a"), found) == leave_out.ALL
    assert leave_out._fold(made(use="pairs", publisher="forrealscan"), found) == found[bring.CONTENT_MATCHED[0]]


def test_pictures_that_show_the_same_are_one_series() -> None:
    pictures = [made(n, publisher="a", label=0, series=f"s{min(n, 3)}") for n in range(5)]
    scenes = np.eye(512, dtype=np.float32)[[0, 0, 1, 2, 3]]
    scenes[1, 5] = 0.1
    found = leave_out.series(pictures, {p.key: row for p, row in zip(pictures, scenes, strict=True)})
    assert found["0000"] == found["0001"]
    assert len(set(found.values())) == 3, "two alike, one alone, two stated"


def scores(shift: float, count: int = 840, publishers: int = 7) -> list[leave_out.Scored]:
    random = np.random.default_rng(1)
    return [
        leave_out.Scored(f"{label}{n}", view, label, f"p{n % publishers}", f"{label}{n}", "develop", n % publishers,
                         float(random.normal(shift * label)), int(n % 2), 1000 * (n % 3 == 0), int(n % 8 == 0))
        for label in (0, 1) for n in range(count) for view in calibrate.VIEWS
    ]  # fmt: skip


def test_thresholds_keep_their_promise_on_left_out_publishers() -> None:
    image, judged = calibrate.calibrated(scores(4.0))
    for state in calibrate.STATES:
        assert image.rate(state, "real_called").share <= calibrate.CALLED
        assert image.rate(state, "gallery_called").share > 0.5
    assert all(found["gallery_cleared"].share <= calibrate.CLEARED for found in calibrate.by_view(judged).values())


def test_nothing_is_said_in_a_state_of_too_few_pictures() -> None:
    rows = [row for row in scores(4.0) if calibrate.kind_of(row) != "plain_ground" or int(row.key[1:]) < 400]
    image, judged = calibrate.calibrated(rows)
    few, others = image.rates["plain_ground"], image.rates["as_is"]
    assert 0 < few["real_called"].total < calibrate.FEWEST
    assert (few["real_called"].count, few["gallery_called"].count) == (0, 0)
    assert "plain_ground" not in image.alphas
    assert few["gallery_called"].total > 0
    assert others["gallery_called"].share > 0.5
    assert {v for row, v in judged if calibrate.kind_of(row) == "plain_ground"} == {Verdict.INCONCLUSIVE}


def test_without_any_difference_hardly_anything_is_said() -> None:
    _, judged = calibrate.calibrated(scores(0.0))
    said = [verdict for _, verdict in judged if verdict is not Verdict.INCONCLUSIVE]
    assert len(said) < 0.12 * len(judged)


def test_a_publisher_whose_photographs_score_high_is_seen_in_the_rates() -> None:
    """Thresholds come from the others: what it does to them is counted, not hidden."""
    rows = [
        leave_out.Scored(**{**{f: getattr(r, f) for f in r.__slots__}, "score": r.score + 9 * (r.fold == 0)})
        for r in scores(4.0)
    ]
    loose = calibrate.verdicts(rows, dict.fromkeys(calibrate.STATES, 0.02), {})
    assert calibrate.by_state(loose)["as_is"]["real_called"].share > 0.1


def test_views_are_squares_and_depend_on_the_key_only(tmp_path: Path) -> None:
    save(picture(1, 700, 900), tmp_path / "a.jpg")
    item = made(1, file=str(tmp_path / "a.jpg"), width=900, height=700)
    for view in (*saving.TIERS, "grey", "small"):
        first = saving.shown(item, view, tmp_path / view)
        assert first.shape == (canonical.SIDE, canonical.SIDE, 3)
        assert np.array_equal(first, saving.shown(item, view, tmp_path / view))
    assert np.array_equal(saving.shown(item, "as_is", tmp_path), canonical.whole(saving.load(item)))
    assert np.ptp(saving.shown(item, "grey", tmp_path).astype(int), axis=2).max() < 30


def test_a_picture_is_the_same_to_the_network_whatever_its_format_and_size(tmp_path: Path) -> None:
    from PIL import Image

    large = smooth(2, 1344, 1344)
    small = canonical.reduced(large, 448)
    Image.fromarray(large).save(tmp_path / "a.png")
    Image.fromarray(small).save(tmp_path / "b.png")
    seen = [canonical.whole(saving.load(made(file=str(tmp_path / name)))) for name in ("a.png", "b.png")]
    assert np.array_equal(*seen)


def test_publishers_are_capped_and_tests_are_not() -> None:
    pictures = [made(n, label=0, publisher="a") for n in range(9)]
    tests = [made(n, label=0, publisher="t", use="test") for n in range(9)]
    found = capped([*pictures, *tests], 3, 5)
    assert [sum(p.publisher == name for p in found) for name in "at"] == [3, 9]
    assert capped(pictures[::-1], 3, 5) == capped(pictures, 3, 5) or len(capped(pictures, 3, 5)) == 3
    assert not [p for p in chosen([made(1, label=1)], "twin", "photographs", 9, 9) if p.label]


def test_pictures_under_a_non_commercial_licence_are_measured_only() -> None:
    name = bring.NON_COMMERCIAL[0]
    assert bring.measured_only(made(0, publisher=name, label=0)).use == "test"
    assert bring.measured_only(made(0, publisher=name, label=0, use="pairs")).use == "pairs"
    assert bring.measured_only(made(0, publisher="a", label=0)).use == "develop"


def test_the_size_leak_is_measured_before_and_after_the_chain() -> None:
    pictures = {f"{n:04d}": made(n, width=2000 if n % 2 else 900, height=1500 if n % 2 else 700) for n in range(20)}
    rows = [leave_out.Scored(key, "as_is", p.label, "a", key, "develop", 0, 0.0) for key, p in pictures.items()]
    assert measure.size_alone(rows, pictures) == {"before": 1.0, "after": 0.5}


@pytest.fixture
def snapshots(tmp_path: Path) -> tuple[Path, Path]:
    """A bare snapshot of a repository with pictures, and lists of them."""
    work, mirrors, galleries = tmp_path / "work", tmp_path / "mirrors", tmp_path / "galleries"
    names = {
        f"{kind}/{n}.jpg": (picture if kind == "real" else smooth)(seed + n, 480, 520)
        for seed, kind in ((0, "real"), (50, "ai"))
        for n in range(4)
    }
    for name, rgb in names.items():
        save(rgb, work / name)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(work)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True)
    target = mirrors / "someone+pictures" / "repo"
    target.parent.mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(target)], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    galleries.mkdir()
    publishers = ("ai-or-human.github.io", "bme3412 (travel photos)", "ML72", "kurlyto (AI or Not, daily game)")
    columns = list(COLUMNS)
    with (galleries / "files.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        for index, name in enumerate(sorted(names)):
            digest = hashlib.sha256((work / name).read_bytes()).hexdigest()
            label = name.split("/")[0]
            writer.writerow(dict(zip(columns, ("someone/pictures", commit, name, digest, 520, 480, "JPEG", label, "x",
                                               publishers[index % 4], "develop", 9, ""), strict=True)))  # fmt: skip
        writer.writerow(
            dict(
                zip(columns, ("no/where", commit, "a.jpg", "0", 9, 9, "JPEG", "real", "", "x", "", 9, ""), strict=True)
            )
        )
    pair = list(PAIR)
    digests = [hashlib.sha256((work / f"{kind}/0.jpg").read_bytes()).hexdigest() for kind in ("real", "ai")]
    with (galleries / "pairs.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, pair)
        writer.writeheader()
        writer.writerow(dict(zip(pair, ("someone/pictures", commit, "real/0.jpg", digests[0], "ai/0.jpg", digests[1],
                                        "smoother", "someone", "real"), strict=True)))  # fmt: skip
    return mirrors, galleries


def test_what_is_listed_is_brought_by_its_hash_and_the_rest_is_named(
    snapshots: tuple[Path, Path], tmp_path: Path
) -> None:
    mirrors, galleries = snapshots
    pictures = bring.bring(tmp_path / "data", galleries, mirrors, tmp_path / "out")
    assert len(pictures) == 10
    for item in pictures:
        assert hashlib.sha256(Path(item.file).read_bytes()).hexdigest().startswith(item.key[:16])
    assert bring.read_catalogue(tmp_path / "out" / "catalogue.csv") == pictures
    assert "no/where: a.jpg" in (tmp_path / "out" / "missing.txt").read_text()
    assert [p.kind for p in pictures if p.use == "pairs"] == ["original", "edited"]


@pytest.mark.slow
def test_one_command_makes_head_calibration_and_card_and_goes_on_where_it_stopped(
    snapshots: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrors, galleries = snapshots
    monkeypatch.setattr("training.__main__.PLAN", [row for row in PLAN if row[0] in ("as_is", "512_q40")])
    out = tmp_path / "out"
    settings = Namespace(
        data=tmp_path / "data", galleries=galleries, mirrors=mirrors, out=out, weights=None, processes=1, bring=False
    )
    run(settings)
    card = (out / "weights" / "synthesis.md").read_text()
    assert "{" not in card
    assert "kurlyto" in card
    figures = json.loads((out / "figures.json").read_text())
    assert figures["pairs"]["of_photographs"]["higher"][1] == 1
    digest = hashlib.sha256((out / "weights" / "synthesis.safetensors").read_bytes()).hexdigest()
    assert digest in (out / "weights" / "manifest.toml").read_text()

    def never(*_: object) -> None:
        raise AssertionError("embedded again")

    monkeypatch.setattr(embed, "_embedded", never)
    run(settings)
    assert (out / "weights" / "synthesis.md").read_text() == card

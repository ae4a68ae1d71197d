"""What is measured with the finished weights: other formats, swapped faces, changed places; on made pictures."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.training.synthetic import picture, save
from tests.training.test_laboratory import made
from training import formats, places, swaps
from training.card import fill


def test_a_measurement_takes_the_place_of_what_stood_there_and_of_nothing_else(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("a <!-- swaps -->not measured<!-- /swaps --> b <!-- places -->x<!-- /places -->", "utf-8")
    for text in ("first", "second \\1\n"):
        fill(card, "swaps", text)
    wanted = "a <!-- swaps -->\nsecond \\1\n<!-- /swaps --> b <!-- places -->x<!-- /places -->"
    assert card.read_text("utf-8") == wanted
    with pytest.raises(ValueError, match="0 places for formats"):
        fill(card, "formats", "x")


def test_the_card_has_a_place_for_each_measurement() -> None:
    text = (Path(places.__file__).with_name("card.md")).read_text("utf-8")
    for name in ("formats", "swaps", "places", "editors_places"):
        assert text.count(f"<!-- {name} -->") == text.count(f"<!-- /{name} -->") == 1


def test_photographs_for_counting_only_are_shown_in_six_forms(tmp_path: Path) -> None:
    save(picture(3, 300, 400), tmp_path / "a.jpg")
    shown = made(0, file=str(tmp_path / "a.jpg"), use="test", publisher="scratch", label=0)
    others = [made(1, publisher="scratch", use="test", label=1), made(2, publisher="scratch", label=0)]
    many = [made(10 + n, publisher="scratch", use="domain", label=0) for n in range(20)]
    assert formats.chosen([shown, *others]) == [shown]
    assert len(formats.chosen([shown, *many])) == formats.MOST["scratch"]
    files = dict(formats.forms(shown))
    with_format = {name: Image.open(BytesIO(data)).format for name, data in files.items()}
    assert list(with_format.values()) == ["JPEG", "HEIF", "AVIF", "WEBP", "PNG", "PNG"]
    screen = np.asarray(Image.open(BytesIO(files["screenshot of a telephone, PNG"])))
    assert screen.shape == (2340, 1080, 3)
    assert screen[1170].std() > 20 > screen[300].std()


def test_a_form_is_told_by_counts_and_by_how_far_scores_moved() -> None:
    said = [
        formats.Said("a", "as it is", "no sign", -2.0),
        formats.Said("b", "as it is", "inconclusive", 0.5),
        formats.Said("a", "PNG", "called", 1.0),
        formats.Said("b", "PNG", "inconclusive", None),
    ]
    rows = formats.told(said).splitlines()
    assert rows[2] == "| as it is | 0 of 2 (at most 78 %) | 1 | 1 |  |"
    assert rows[3].startswith("| PNG | 1 of 2 (at most 98 %) | 0 | 1 | 3.00, 3.0 |")


def portrait(person: str, seed: int, colour: int) -> swaps.Portrait:
    rgb = np.clip(picture(seed, 300, 280) // 4 + colour, 0, 255).astype(np.uint8)
    points = np.array([[115.0, 120], [165, 120], [140, 150], [120, 180], [160, 180]])
    return swaps.Portrait(person, rgb, points)


def test_a_face_is_laid_over_another_and_nothing_beside_it_changes() -> None:
    source, target = portrait("a", 1, 150), portrait("b", 2, 60)
    for poisson in (True, False):
        laid = swaps.blended(source.rgb, source.points, target, poisson=poisson)
        apart = np.abs(laid.astype(int) - target.rgb).max(2)
        assert apart[145:155, 135:145].mean() > 5
        assert apart[:20].max() == apart[-20:].max() == 0


def test_each_portrait_is_swapped_with_others_and_blended_with_itself() -> None:
    known = [portrait(name, number, 60 + 30 * number) for number, name in enumerate("abc")]
    found = list(swaps.changed(known, np.random.default_rng(0)))
    assert [each.kind for each in found[:5]] == ["real", "swap", "swap", "self", "self"]
    assert {len(each.people) for each in found if each.kind == "swap"} == {2}
    assert {each.people for each in found if each.kind != "swap"} == {frozenset(name) for name in "abc"}
    assert {each.whole.shape for each in found} == {each.face.shape for each in found} == {(224, 224, 3)}


def test_the_probe_for_faces_never_judges_people_that_it_was_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [portrait(name, number, 60 + 20 * number) for number, name in enumerate("abcde")]
    found = list(swaps.changed(known, np.random.default_rng(0)))
    embeddings = np.random.default_rng(1).normal(size=(len(found), 512)).astype(np.float32)
    trained: list[set[int]] = []
    straight = swaps.linear

    def watched(features: Any, *rest: Any) -> Any:
        rows = swaps.unit(embeddings)
        trained.append({int(np.abs(rows - row).sum(1).argmin()) for row in features})
        return straight(features, *rest)

    monkeypatch.setattr(swaps, "linear", watched)
    scores = swaps.left_out(found, embeddings)
    assert len(trained) == 5
    for fold, part in enumerate(trained):
        assert part == {i for i, each in enumerate(found) if each.kind != "swap" and each.shown != "abcde"[fold]}
    kinds = np.array([each.kind for each in found])
    probe = np.where(kinds == "real", 0.0, 1.0)
    told = swaps.told(found, scores, probe, np.zeros(len(found), bool))
    assert "10 simple ones between 5 public figures" in told
    assert "0 of 10 called and 0 of 5" in told
    assert "1.00, 10 of 10 above every photograph" in " ".join(told.split())


def test_where_a_picture_was_changed_is_where_it_differs_from_its_original() -> None:
    before = picture(5, 400, 400)
    after = before.copy()
    after[100:200, 200:300] = 255 - after[100:200, 200:300]
    found = places.change(before, after)
    assert found is not None
    assert found[110:190, 210:290].mean() > 0.9
    assert found[250:].mean() == 0
    assert places.change(before, before) is None, "nothing changed"
    assert places.change(before[:300], after) is None, "another shape"


def test_changed_places_are_compared_with_others() -> None:
    cover = np.array([1.0, 0.5, 0.0, 0.0])
    assert places.higher(np.array([3.0, 2, 1, 0]), cover) > 0.9
    assert places.higher(np.array([0.0, 1, 2, 3]), cover) < 0.1
    assert places.higher(np.zeros(4), cover) == pytest.approx(0.5)
    one = places.Places("x of real", cover, np.array([3.0, 2, 1, 0]), np.array([0.1, 0.0, 0.1, 0.0]))
    generated = places.Places("y of generated", cover, np.array([0.0, 1, 2, 3]), np.zeros(4))
    told = {name: " ".join(text.split()) for name, text in places.told([one, generated], 5).items()}
    assert "In 1 edited photographs with known places" in told["places"]
    assert "1 of them stand out more than every original does" in told["places"]
    assert "of the highest windows 1 of 1 lie on the change" in told["places"]
    assert "y of generated 0.00 and 0.50 (1)" in told["editors_places"]
    assert "3 of 5 pairs could not be compared" in told["editors_places"]


def test_pairs_that_changed_as_a_whole_are_left_out() -> None:
    def pair(number: int, editor: str) -> list[Any]:
        kinds = ((0, "original"), (1, "edited"))
        return [
            made(2 * number + label, use="pairs", kind=kind, series=f"pair {number}", generator=editor)
            for label, kind in kinds
        ]

    listed = [*pair(1, "LaMa of real"), *pair(2, "IC-Light (SD 1.5 relighting)"), *pair(3, "half")[:1]]
    assert [(a.kind, b.kind) for a, b in places.pairs(listed)] == [("original", "edited")]

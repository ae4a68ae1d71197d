"""The rules of joining, on hashes and signatures without files."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.clustering.fingerprint import Fingerprint, Unread
from nsfwforensics.clustering.grouping import Clusters, grouped
from nsfwforensics.clustering.model import Stage, Sureness
from nsfwforensics.clustering.verifying import Lying, Task, verified
from nsfwforensics.signals.matching.keypoints import keypoints
from nsfwforensics.signals.matching.signature import encode
from tests.pictures import natural

NOTHING = encode(keypoints(np.zeros((20, 20), np.uint8)))


def look(name: str, pixels: int, bits: bytes = b"", sha256: str | None = None) -> Fingerprint:
    hashes = bits + bytes(range(224)) if bits else b""
    return Fingerprint(Path(name), sha256 or f"{name:0>64}", 100, None, pixels, 1, hashes)


def flipped(bits: bytes, count: int) -> bytes:
    number = int.from_bytes(bits, "big") ^ ((1 << count) - 1)
    return number.to_bytes(32, "big")


def run(prints: Sequence[Fingerprint], made: dict[str, bytes | Unread] | None = None) -> Clusters:
    def signatures(numbers: Sequence[int]) -> Iterator[bytes | Unread]:
        for number in numbers:
            yield (made or {}).get(str(prints[number].path), NOTHING)

    return grouped(prints, signatures)


def test_the_same_bytes_join_whatever_they_show():
    groups = run([look("b", 4, sha256="s" * 64), look("a", 4, sha256="s" * 64), look("c", 9)])
    assert groups.parents == [1, 1, 2]  # of equals the first by name
    assert groups.links[0].stage is Stage.BYTES and groups.links[0].sureness is Sureness.CERTAIN


def test_looks_join_within_31_bits_of_the_representative_and_never_in_a_chain():
    base = bytes(31) + b"\x01"
    prints = [look("best", 9, base), look("near", 8, flipped(base, 31)), look("far", 7, flipped(base, 62))]
    groups = run(prints)
    assert groups.parents == [0, 0, 2]  # "far" is 31 bits from "near", which represents nothing
    assert groups.links[1].distance == 31 and groups.links[1].sureness is Sureness.LIKELY
    close = run([look("best", 9, base), look("near", 8, flipped(base, 10))])
    assert close.links[1].sureness is Sureness.VERY_LIKELY


def test_pictures_without_structure_are_not_joined_and_said_to_be_plain():
    groups = run([look("one", 9), look("two", 8)])
    assert groups.parents == [0, 1] and groups.plain == {0, 1}


def test_a_file_that_is_gone_at_the_second_look_is_accounted_for():
    gone = Unread(Path("two"), "gone", failed=True)
    groups = run([look("one", 9), look("two", 8)], {"two": gone})
    assert groups.lost == {1: gone} and groups.root(1) == 1


def signature(picture: Image.Image) -> bytes:
    return encode(keypoints(np.asarray(picture), 200, 320))


@pytest.fixture(scope="module")
def scenes() -> list[Image.Image]:
    return [Image.fromarray(natural(360, 480, seed)) for seed in (1, 2)]


def test_two_photos_in_a_collage_are_not_joined_through_it(scenes):
    collage = Image.new("RGB", (960, 360))
    for number, scene in enumerate(scenes):
        collage.paste(scene, (480 * number, 0))
    made = {"first": signature(scenes[0]), "second": signature(scenes[1]), "collage": signature(collage)}
    groups = run([look("first", 9), look("second", 8), look("collage", 7)], made)
    assert groups.root(0) != groups.root(1)
    assert groups.links[2].to == "first" and groups.links[2].stage is Stage.FEATURES


def test_a_crop_joins_through_a_member_where_both_lie_on_the_representative(scenes):
    left, middle, right = (scenes[0].crop((x, 0, x + 300, 360)) for x in (0, 90, 180))
    made = {"left": signature(left), "middle": signature(middle), "right": signature(right)}
    groups = run([look("left", 9), look("middle", 8), look("right", 7)], made)
    assert [groups.root(number) for number in range(3)] == [0, 0, 0]
    assert all(groups.links[number].stage is Stage.FEATURES for number in (1, 2))


def test_what_is_joined_is_the_same_however_many_comparisons_are_under_way(scenes: list[Image.Image]) -> None:
    # All of a scene are candidates of one another: each must wait for what is under way.
    made, prints = {}, []
    for number, scene in enumerate(scenes):
        pictures = {
            "0 left": scene.crop((0, 0, 300, 360)),
            "1 middle": scene.crop((90, 0, 390, 360)),
            "2 right": scene.crop((180, 0, 480, 360)),
            "3 mirrored": scene.crop((20, 20, 320, 340)).transpose(Image.Transpose.FLIP_LEFT_RIGHT),
            "4 small": scene.crop((150, 0, 480, 340)).resize((220, 227)),
        }
        for place, (name, picture) in enumerate(pictures.items()):
            made[f"{name} {number}"] = signature(picture)
            prints.append(look(f"{name} {number}", 9 - place))
    most = 0

    def ahead(tasks: Iterable[Task | None]) -> Iterator[list[Lying | None]]:
        nonlocal most
        flight: deque[Task] = deque()
        waiting = iter(tasks)
        while True:
            while len(flight) < 32 and (task := next(waiting, None)) is not None:
                flight.append(task)
            if not flight:
                return
            most = max(most, len(flight))
            yield verified(*flight.popleft())

    def signatures(numbers: Sequence[int]) -> Iterator[bytes | Unread]:
        return (made[str(prints[number].path)] for number in numbers)

    one, many = run(prints, made), grouped(prints, signatures, verify=ahead)
    assert most > 1
    assert (one.parents, one.links) == (many.parents, many.links)
    assert [one.root(number) for number in range(10)] == [0] * 5 + [5] * 5
    assert one.links[3].mirrored


def test_what_nothing_else_joined_is_joined_by_likeness_on_request_and_never_in_a_chain():
    from nsfwforensics.models.scene import LENGTH, encode, scene_figures

    figures = scene_figures()
    away = np.zeros((4, LENGTH), np.float32)
    for row, degrees in enumerate((0, 30, 60, 180)):  # the cosine of 30° is enough, that of 60° is not
        away[row, :2] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    kept = [encode(figures.centre + row) for row in away]
    prints = [look("best", 9), look("near", 8), look("far", 7), look("page", 6), look("copy", 5, sha256="s" * 64)]
    prints.append(look("its original", 10, sha256="s" * 64))
    asked: list[int] = []

    def signatures(numbers: Sequence[int]) -> Iterator[bytes | Unread]:
        yield from [NOTHING] * len(numbers)

    def embeddings(numbers: Sequence[int]) -> Iterator[bytes | Unread]:
        asked.extend(numbers)
        yield from ({0: kept[0], 1: kept[1], 2: kept[2], 3: b"", 5: kept[3]}[number] for number in numbers)

    groups = grouped(prints, signatures, embeddings, figures)
    assert sorted(asked) == [0, 1, 2, 3, 5]  # the copy was joined by its bytes
    assert groups.parents == [0, 0, 2, 3, 5, 5]
    link = groups.links[1]
    assert link.stage is Stage.SEMANTIC and link.sureness is Sureness.LIKELY and link.to == "best"
    assert link.similarity == pytest.approx(0.866, abs=0.01)
    assert grouped(prints, signatures).parents == [0, 1, 2, 3, 5, 5]

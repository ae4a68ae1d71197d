"""Joining vectors into groups: what comes together, what must not, and that many cost little."""

from __future__ import annotations

import time

import numpy as np
import pytest

from nsfwforensics.clustering.joining import Groups, Joining, attached, joined

RULES = Joining(join_within=0.6, attach_within=0.5, lead=0.1)


def crowd(people: int, each: int, spread: float = 0.2, seed: int = 3) -> tuple[np.ndarray, list[int]]:
    """Vectors of made people, as far apart as strangers are, and whose each is."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(people, 128)) / np.sqrt(128)
    who = [number % people for number in range(people * each)]
    noise = random.normal(size=(len(who), 128)) * spread / np.sqrt(128)
    return (centres[who] + noise).astype(np.float32), who


def same(labels: np.ndarray, who: list[int]) -> bool:
    pairs = set(zip(labels.tolist(), who, strict=True))
    return len(pairs) == len(set(labels.tolist())) == len(set(who))


def test_faces_of_a_person_come_together_and_strangers_do_not() -> None:
    vectors, who = crowd(20, 7)
    assert same(joined(vectors, list(range(len(who))), RULES), who)


def test_the_order_of_the_faces_changes_nothing() -> None:
    vectors, who = crowd(9, 5)
    order = np.random.default_rng(1).permutation(len(who))
    assert same(joined(vectors[order], order.tolist(), RULES), [who[place] for place in order])


def test_two_faces_in_one_picture_are_two_people_however_alike() -> None:
    vectors, _ = crowd(1, 4)
    labels = joined(vectors, [0, 0, 1, 2], RULES)
    assert labels[0] != labels[1]
    assert len(set(labels.tolist())) == 2


def test_a_chain_of_faces_that_resemble_their_neighbours_is_no_person() -> None:
    """Each is near to the next; the mean over all pairs is what counts, so that the ends do not meet."""
    vectors = np.zeros((12, 128), np.float32)
    vectors[:, 0] = np.arange(12) * 0.5
    labels = joined(vectors, list(range(12)), RULES)
    assert labels[0] != labels[11]
    assert all(np.ptp(vectors[labels == label, 0]) <= 1.0 for label in set(labels.tolist()))


@pytest.mark.parametrize("number", [0, 1])
def test_no_face_and_one_face(number: int) -> None:
    vectors = np.ones((number, 128), np.float32)
    labels = joined(vectors, list(range(number)), RULES)
    assert labels.tolist() == [0] * number
    assert attached(vectors, [9] * number, Groups.of(vectors, [0] * number, labels), RULES).tolist() == [-1] * number


class TestUnfitFaces:
    def groups(self) -> tuple[np.ndarray, Groups]:
        vectors, who = crowd(3, 4, spread=0.1)
        pictures = list(range(len(who)))
        return vectors, Groups.of(vectors, pictures, joined(vectors, pictures, RULES))

    def test_one_near_to_a_group_is_put_there_and_one_far_from_all_is_left(self) -> None:
        vectors, groups = self.groups()
        far = np.full((1, 128), 0.3, np.float32)
        near = vectors[:1] + 0.001
        assert attached(np.concatenate([near, far]), [100, 101], groups, RULES).tolist() == [
            groups.distances(near).argmin(),
            -1,
        ]

    def test_one_between_two_groups_is_left(self) -> None:
        _, groups = self.groups()
        between = groups.means[:2].mean(axis=0, keepdims=True)
        wide = Joining(RULES.join_within, 2.0, RULES.lead)
        assert attached(between, [100], groups, wide).tolist() == [-1]

    def test_not_into_a_group_that_has_a_face_in_the_same_picture(self) -> None:
        vectors, groups = self.groups()
        twice = np.concatenate([vectors[:1], vectors[:1]]) + 0.001
        assert attached(twice[:1], [0], groups, RULES).tolist() == [-1]
        assert sorted(attached(twice, [100, 100], groups, RULES).tolist())[0] == -1


@pytest.mark.slow
def test_ten_thousand_faces_take_seconds() -> None:
    vectors, who = crowd(800, 12)
    vectors, who = vectors[:9600], who[:9600]
    start = time.process_time()
    labels = joined(vectors, list(range(len(who))), RULES)
    assert same(labels, who)
    assert time.process_time() - start < 60

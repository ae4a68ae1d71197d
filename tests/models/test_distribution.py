from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from nsfwforensics.models.faces.rates import load_rates
from nsfwforensics.models.synthesis.calibration import Branch, Verdict
from nsfwforensics.models.synthesis.distribution import MOST_BINS, as_high, of_distances, of_scores
from nsfwforensics.models.synthesis.withheld import Because, Withheld

SCORES = st.lists(st.floats(-20, 20, allow_nan=False).map(lambda value: round(value, 5)), min_size=1, max_size=200).map(
    sorted
)


def branch(
    real: list[float], made: list[float], alpha: float = 0.1, beta: float = 0.1, *, claims: bool = True
) -> Branch:
    return Branch(
        real={"as_is": real},
        generated={"gallery": {"as_is": made}},
        alpha=alpha,
        beta=beta,
        claims=claims,
        rates={},
        facts={},
    )


@given(SCORES, SCORES)
def test_every_measured_score_is_counted_once(real: list[float], made: list[float]) -> None:
    found = of_scores(branch(real, made), "as_is")
    assert sum(found["groups"]["real"]) == len(real)
    assert sum(found["groups"]["gallery"]) == len(made)
    assert len(found["groups"]["real"]) == len(found["groups"]["gallery"]) <= MOST_BINS
    assert found["start"] <= min(real[0], made[0]) + 1e-5


@given(SCORES, SCORES, st.floats(-25, 25), st.floats(0, 0.5), st.floats(0, 0.5))
@example([0.0], [0.0], 1.0, 0.49999999999999994, 0.0)
@example([float(n) for n in range(9)], [0.0], 9.0, 0.1, 0.1)
@example([float(n) for n in range(48)], [0.0], 47.5, 1 / 49, 0.0)
def test_limits_are_those_of_the_verdicts(
    real: list[float], made: list[float], score: float, alpha: float, beta: float
) -> None:
    head = replace(branch(real, made, alpha), betas={"as_is": beta})
    found = of_scores(head, "as_is")
    above, below = found["generated_from"], found["clear_below"]
    looks_generated = above is not None and score > above
    assert looks_generated == (head.verdict(score) is Verdict.GENERATED)
    if not looks_generated:
        assert (below is not None and score < below) == (head.verdict(score) is Verdict.NO_INDICATION)


def test_a_head_that_claims_nothing_has_no_limits() -> None:
    found = of_scores(branch([0.0] * 50, [1.0] * 50, claims=False), "as_is")
    assert found["generated_from"] is None
    assert found["clear_below"] is None


def test_a_head_whose_calls_are_withheld_has_no_limits() -> None:
    head = branch([float(n) for n in range(50)], [1.0] * 50)
    assert of_scores(head, "as_is")["generated_from"] is not None
    found = of_scores(replace(head, withheld=Withheld(Because.ERROR_RATES_DO_NOT_HOLD, {})), "as_is")
    assert (found["generated_from"], found["clear_below"]) == (None, None)


def test_a_state_that_was_not_measured_has_no_distribution() -> None:
    assert of_scores(branch([0.0], [1.0]), "512_q40") == {}
    assert as_high(branch([0.0], [1.0]), "512_q40", 0.0) == {}


def test_as_high_counts_the_score_itself() -> None:
    assert as_high(branch([0.0, 1.0, 2.0], [1.5]), "as_is", 1.0) == {"real": [2, 3], "gallery": [1, 1]}


def test_all_pairs_of_faces_are_in_the_distribution() -> None:
    rates = load_rates("face-resnet29")
    assert rates is not None
    found = of_distances(rates)
    assert sum(found["groups"]["same_person"]) == rates.false_non_match.trials
    assert sum(found["groups"]["different_people"]) == rates.false_match.trials
    near = round((rates.match_below - found["start"]) / found["step"])
    assert sum(found["groups"]["different_people"][:near]) == rates.false_match.errors
    assert len(found["groups"]["same_person"]) <= MOST_BINS

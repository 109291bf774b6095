import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from classifiers.toxicity.evaluation_metrics import (
    Interval,
    average_precision,
    bootstrap,
    brier,
    calibration_bins,
    expected_calibration_error,
    rates,
)

scored = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.8, 1.0])), min_size=1, max_size=50)


@given(scored)
def test_average_precision_is_the_one_everyone_uses(lines: list[tuple[bool, float]]) -> None:
    """With equal scores too, it is scikit-learn's figure."""
    truth, score = np.array([one for one, _ in lines]), np.array([one for _, one in lines])
    ours = average_precision(truth, score, np.ones((1, len(truth)), dtype=np.float32))[0]
    if truth.any():
        assert ours == pytest.approx(average_precision_score(truth, score))
    else:
        assert math.isnan(ours)


def test_a_line_drawn_twice_counts_twice() -> None:
    """Bootstrap weights are the same as repeating lines."""
    truth, score = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.4, 0.1])
    drawn = np.array([[2, 1, 0, 3]], dtype=np.float32)
    repeated = average_precision_score(np.repeat(truth, [2, 1, 0, 3]), np.repeat(score, [2, 1, 0, 3]))
    assert average_precision(truth, score, drawn)[0] == pytest.approx(repeated)


def test_whole_conversations_are_drawn() -> None:
    """Lines of one conversation are always drawn equally often, and the draw repeats with its seed."""
    clusters = np.array([0, 0, 1, 1, 1, 2])
    drawn = bootstrap(clusters, 50, seed=3)
    assert drawn.shape == (50, 6)
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert (drawn[:, 2] == drawn[:, 4]).all()
    assert (drawn[:, [0, 2, 5]].sum(axis=1) == 3).all()
    assert np.array_equal(drawn, bootstrap(clusters, 50, seed=3))


def test_rates_count_and_a_share_of_nothing_does_not_exist() -> None:
    """Precision without flags is no number, not zero and not one."""
    found = rates(np.array([True, True, False, False, False]), np.array([True, False, True, False, False]))
    assert (found.true, found.harmless, found.hits, found.false_alarms) == (2, 3, 1, 1)
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert found.false_alarm_rate == pytest.approx(1 / 3)
    none = rates(np.array([False]), np.array([False]))
    assert math.isnan(none.precision)
    assert math.isnan(none.recall)


def test_calibration_of_a_score_that_keeps_its_word_is_perfect() -> None:
    """A score of 0.25 with one in four right has no error; a sure mistake has the largest."""
    truth = np.array([True, False, False, False] * 25)
    assert expected_calibration_error(calibration_bins(truth, np.full(100, 0.25), parts=1)) == pytest.approx(0)
    assert brier(np.array([False]), np.array([1.0])) == 1


def test_an_interval_ignores_draws_without_the_figure() -> None:
    """A draw without a single true line says nothing about precision."""
    drawn = np.append(np.full(95, 0.5), [np.nan] * 5)
    assert Interval.of(0.5, drawn) == Interval(0.5, 0.5, 0.5)

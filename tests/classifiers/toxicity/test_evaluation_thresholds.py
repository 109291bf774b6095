import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.labels import LABELS
from classifiers.protocol import load_policy
from classifiers.protocol.policy import THRESHOLDS
from classifiers.toxicity.evaluation_thresholds import (
    choose,
    cut_for_f,
    cut_for_precision,
    rarer,
    write_thresholds,
)


def test_the_cut_lies_as_low_as_the_precision_allows() -> None:
    """As much recall as possible at the precision that was asked."""
    truth = np.array([True] * 20 + [False] * 5 + [True] * 10 + [False] * 100)
    scores = np.linspace(1, 0.1, len(truth))
    cut = cut_for_precision(truth, scores, 0.8, np.ones(len(truth)))
    assert cut.precision >= 0.8
    assert cut.recall == 1.0
    flagged = scores >= cut.threshold
    assert truth[flagged].mean() == pytest.approx(cut.precision)


def test_a_precision_on_few_flags_is_not_believed() -> None:
    """Three lucky hits are no proof."""
    truth = np.array([True] * 3 + [False, True] * 50)
    scores = np.linspace(1, 0.1, len(truth))
    cut = cut_for_precision(truth, scores, 0.95, np.ones(len(truth)))
    assert (scores >= cut.threshold).sum() >= 15


def test_trouble_made_rarer_lowers_precision_and_not_recall() -> None:
    """Weights bring the share of troubled lines down to the natural rate."""
    truth = np.array([True] * 30 + [False] * 70)
    weights = rarer(truth, 0.05)
    assert (weights * truth).sum() / weights.sum() == pytest.approx(0.05)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9])), min_size=1, max_size=60))
def test_the_best_f_is_the_best_of_all_thresholds(lines: list[tuple[bool, float]]) -> None:
    """No other threshold would have given a better F-measure."""
    truth, scores = np.array([one for one, _ in lines]), np.array([score for _, score in lines])
    cut = cut_for_f(truth, scores)

    def f1(threshold: float) -> float:
        flagged = scores >= threshold
        return float(2 * (flagged & truth).sum() / max(1, flagged.sum() + truth.sum()))

    assert f1(cut.threshold) == pytest.approx(max(map(f1, scores)), abs=1e-9) or not truth.any()


def test_chosen_points_are_written_beside_those_of_other_models(tmp_path: Path) -> None:
    """One model's training never touches another's thresholds or the comments, and what is written can be read."""
    path = tmp_path / "thresholds.toml"
    shutil.copy(THRESHOLDS, path)
    before = load_policy("rustig", path).models
    chance = np.random.default_rng(1)
    truth = chance.random(400) < 0.3
    labels = [["pesten"] if one else [] for one in truth]
    scores = np.clip(truth * 0.4 + chance.random(400) * 0.6, 0.01, 1)
    points = choose(
        labels, scores, np.tile(scores[:, None], 10), np.ones(400, dtype=bool), date="2026-01-02", run="proef"
    )
    write_thresholds("nieuw", points, path)
    after = load_policy("rustig", path).models
    assert {name: after[name] for name in before} == dict(before)
    assert after["nieuw"].any == points["rustig"]["any"]
    assert set(after["nieuw"].labels) == set(LABELS)
    assert load_policy("waakzaam", path).models["nieuw"].any <= after["nieuw"].any
    assert path.read_text().startswith(THRESHOLDS.read_text().split("\n", 1)[0])
    write_thresholds("nieuw", points, path)
    assert load_policy("rustig", path).models == after

from __future__ import annotations

import numpy as np
import pytest
from onrecord.eval.confidence import (
    brier_scores,
    coverage_risk,
    expected_calibration_error,
    reliability,
    suggest_threshold,
)


def test_bins_and_ece_of_a_worked_example() -> None:
    confidence = np.array([0.55, 0.65, 0.9, 0.9, 1.0])
    right = np.array([True, False, True, True, False])
    bins = reliability(confidence, right, n_bins=2)
    assert bins == [
        {"low": 0.0, "high": 0.5, "n": 0, "confidence": None, "accuracy": None},
        {"low": 0.5, "high": 1.0, "n": 5, "confidence": 0.8, "accuracy": 0.6},
    ]
    assert expected_calibration_error(bins) == pytest.approx(0.2)
    ten = reliability(confidence, right, n_bins=10)
    assert [one["n"] for one in ten] == [0, 0, 0, 0, 0, 1, 1, 0, 2, 1]
    assert expected_calibration_error(ten) == pytest.approx((0.45 + 0.65 + 2 * 0.1 + 1) / 5)


def test_brier_of_a_worked_example() -> None:
    probabilities = np.array([[1, 0, 0, 0], [0.4, 0.3, 0.2, 0.1]])
    assert brier_scores(probabilities, np.array([0, 3])) == pytest.approx([0, 0.16 + 0.09 + 0.04 + 0.81])
    assert brier_scores(probabilities, np.array([2, 2]))[0] == 2


def test_brier_agrees_with_scikit_learn() -> None:
    reference = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(4), size=100)
    gold = random.integers(4, size=100)
    assert brier_scores(probabilities, gold).mean() == pytest.approx(
        reference.brier_score_loss(gold, probabilities, labels=range(4), scale_by_half=False)
    )


def test_coverage_and_risk_of_a_worked_example() -> None:
    curve = coverage_risk(np.array([0.9, 0.5, 0.8, 0.8]), np.array([True, False, True, False]))
    assert curve == [
        {"threshold": 0.9, "n_kept": 1, "coverage": 0.25, "risk": 0.0},
        {"threshold": 0.8, "n_kept": 3, "coverage": 0.75, "risk": 0.333333},
        {"threshold": 0.5, "n_kept": 4, "coverage": 1.0, "risk": 0.5},
    ]


def test_a_curve_has_at_most_100_points_and_ends_with_everything() -> None:
    random = np.random.default_rng(0)
    curve = coverage_risk(random.random(12_345), random.random(12_345) < 0.8)
    assert len(curve) == 100
    assert curve[-1]["n_kept"] == 12_345


def test_the_suggested_threshold_keeps_most_at_the_aimed_error() -> None:
    confidence = np.linspace(1, 0.5, 200)
    right = np.array([at < 100 or at % 2 == 0 for at in range(200)])
    suggested = suggest_threshold(coverage_risk(confidence, right), max_risk=0.1)
    # 100 right ones, then every second one wrong: 12 of 124 are under a tenth.
    assert suggested is not None
    assert suggested["n_kept"] == 124
    assert suggested["risk"] == pytest.approx(12 / 124, abs=1e-6)


def test_nothing_is_suggested_where_no_threshold_helps_or_too_few_are_kept() -> None:
    assert suggest_threshold(coverage_risk(np.full(100, 0.9), np.arange(100) % 2 == 0)) is None
    assert suggest_threshold(coverage_risk(np.linspace(1, 0.5, 29), np.full(29, True))) is None

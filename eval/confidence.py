"""Whether confidences mean what they say, and what is gained by abstaining where they are low.

Confidence is the probability of the label that was decided, right or wrong: what a reader sees beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .intervals import as_number
from .metrics import FloatArray, IntArray

N_BINS = 15
MAX_RISK = 0.05
"""The error among the sentences that are kept which the suggested threshold aims at."""
MIN_KEPT = 30
"""Fewer kept sentences than this say nothing about their error."""

BoolArray = npt.NDArray[np.bool_]


def reliability(confidence: FloatArray, right: BoolArray, *, n_bins: int = N_BINS) -> list[dict[str, Any]]:
    """Sort sentences into bins of equal width by confidence: each with its mean confidence and its accuracy."""
    places = np.clip(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0, n_bins - 1)  # bins are (low, high]
    bins: list[dict[str, Any]] = []
    for place in range(n_bins):
        inside = places == place
        n = int(inside.sum())
        bins.append(
            {
                "low": round(place / n_bins, 6),
                "high": round((place + 1) / n_bins, 6),
                "n": n,
                "confidence": as_number(confidence[inside].mean()) if n else None,
                "accuracy": as_number(right[inside].mean()) if n else None,
            }
        )
    return bins


def expected_calibration_error(bins: list[dict[str, Any]]) -> float:
    """Return the mean gap between confidence and accuracy over bins, by their size (ECE; Guo et al., 2017)."""
    filled = [one for one in bins if one["n"]]
    gap = sum(one["n"] * abs(one["accuracy"] - one["confidence"]) for one in filled)
    return float(gap / sum(one["n"] for one in filled))


def brier_scores(probabilities: FloatArray, gold: IntArray) -> FloatArray:
    """Return each sentence's squared distance from certainty in the gold label, 0 to 2 (Brier, 1950).

    Args:
        probabilities: `[row, label]`.
        gold: Label ids.
    """
    truth = np.eye(probabilities.shape[1])[gold]
    return np.asarray(((probabilities - truth) ** 2).sum(axis=1), dtype=np.float64)


def coverage_risk(confidence: FloatArray, right: BoolArray) -> list[dict[str, Any]]:
    """Return the error among the sentences kept at up to 100 thresholds, from the strictest down.

    A point keeps every sentence whose confidence is at least its threshold (El-Yaniv and Wiener, 2010).
    """
    order = np.argsort(-confidence, kind="stable")
    ranked, wrong = confidence[order], np.cumsum(~right[order])
    n = len(ranked)
    ranks = np.unique(np.ceil(np.arange(1, 101) / 100 * n).astype(np.int64))
    # Equal confidences are kept together: move each rank to the last of its equals.
    kept = np.unique(np.searchsorted(-ranked, -ranked[ranks - 1], side="right"))
    return [
        {
            "threshold": as_number(ranked[k - 1]),
            "n_kept": int(k),
            "coverage": as_number(k / n),
            "risk": as_number(wrong[k - 1] / k),
        }
        for k in kept
    ]


def suggest_threshold(curve: list[dict[str, Any]], *, max_risk: float = MAX_RISK) -> dict[str, Any] | None:
    """Return the point of `coverage_risk` that keeps most with an error of at most `max_risk`; None where none does."""
    good = [point for point in curve if point["risk"] <= max_risk and point["n_kept"] >= MIN_KEPT]
    return good[-1] if good else None

"""Figures of a classifier, each a function of its confusion matrix.

A confusion matrix is `[..., gold, predicted]` in the order of `LABELS`; leading axes (the bootstrap's resamples) are
kept. What a matrix cannot say is NaN, never zero: the recall of a label that is not there, MCC with one class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..data.labels import LABELS, Label

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ATTRIBUTED, ANONYMOUS = LABELS.index("attributed"), LABELS.index("anonymous")


def label_ids(labels: Sequence[Label]) -> IntArray:
    """Return the place of each label in `LABELS`."""
    places = {label: place for place, label in enumerate(LABELS)}
    return np.array([places[label] for label in labels], dtype=np.int64)


def divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide, with NaN where the denominator is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator == 0, np.nan, numerator / denominator)


def nanmean(values: FloatArray) -> FloatArray:
    """Return the mean over the last axis of what is defined, NaN where nothing is."""
    return divide(np.nansum(values, axis=-1), (~np.isnan(values)).sum(-1).astype(np.float64))


def accuracy(confusion: FloatArray) -> FloatArray:
    """Return the share of sentences whose label is right."""
    return divide(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum((-2, -1)))


def precision(confusion: FloatArray) -> FloatArray:
    """Return each label's precision `[..., label]`; NaN where it is never predicted."""
    return divide(_hits(confusion), confusion.sum(-2))


def recall(confusion: FloatArray) -> FloatArray:
    """Return each label's recall `[..., label]`; NaN where it is not in the gold."""
    return divide(_hits(confusion), confusion.sum(-1))


def f1(confusion: FloatArray) -> FloatArray:
    """Return each label's F1 `[..., label]`; NaN where it is not in the gold, 0 where it is and is never found."""
    support = confusion.sum(-1)
    return np.where(support == 0, np.nan, divide(2 * _hits(confusion), support + confusion.sum(-2)))


def macro_f1(confusion: FloatArray) -> FloatArray:
    """Return the mean F1 over the labels that are in the gold."""
    return nanmean(f1(confusion))


def mcc(confusion: FloatArray) -> FloatArray:
    """Return Matthews' correlation for several classes (R_K of Gorodkin, 2004); NaN where either side is constant."""
    gold, predicted = confusion.sum(-1), confusion.sum(-2)
    total, right = confusion.sum((-2, -1)), np.trace(confusion, axis1=-2, axis2=-1)
    spread = (total**2 - (gold**2).sum(-1)) * (total**2 - (predicted**2).sum(-1))
    return divide(right * total - (gold * predicted).sum(-1), np.sqrt(np.maximum(spread, 0)))


def harmful_rate(confusion: FloatArray) -> FloatArray:
    """Return the share of anonymous sentences that are called attributed."""
    return divide(confusion[..., ANONYMOUS, ATTRIBUTED], confusion[..., ANONYMOUS, :].sum(-1))


def harmful_share(confusion: FloatArray) -> FloatArray:
    """Return the share of anonymous sentences among those called attributed."""
    return divide(confusion[..., ANONYMOUS, ATTRIBUTED], confusion[..., :, ATTRIBUTED].sum(-1))


def precision_recall(positive: npt.NDArray[np.bool_], scores: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return precision, recall and threshold at every distinct score, from the highest score down.

    Args:
        positive: Which sentences carry the label; at least one does.
        scores: The label's probability.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))  # equal scores are kept or dropped together
    hits = np.cumsum(positive[order])[last].astype(np.float64)
    return hits / (last + 1), hits / hits[-1], ranked[last]


def average_precision(precisions: FloatArray, recalls: FloatArray) -> float:
    """Return the area under a precision-recall curve, by steps: the mean precision over the recall gained."""
    return float((np.diff(recalls, prepend=0.0) * precisions).sum())


def _hits(confusion: FloatArray) -> FloatArray:
    return np.diagonal(confusion, axis1=-2, axis2=-1)

"""The sections of a report: each a function from the judged rows to the plain dict that stands in `report.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.labels import LABELS, Label
from . import metrics
from .confidence import (
    MAX_RISK,
    BoolArray,
    brier_scores,
    coverage_risk,
    expected_calibration_error,
    reliability,
    suggest_threshold,
)
from .intervals import Bootstrap, Resampled, as_number
from .metrics import FloatArray, IntArray
from .predictions import Prediction, align
from .slices import TOO_FEW, n_docs_among, slice_rows, too_few

N = len(LABELS)
N_POINTS = 100
"""Of a precision-recall curve: what a plot can show."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows with what every section needs of them."""

    rows: Sequence[Prediction]
    bootstrap: Bootstrap
    gold: IntArray
    cells: IntArray
    """Each row's place in the flattened confusion matrix."""
    confusion: Resampled

    @classmethod
    def of(cls, rows: Sequence[Prediction], *, seed: int) -> Judged:
        """Draw the resamples over the rows' articles; a row without one stands for itself."""
        bootstrap = Bootstrap([f"\0{row.id}" if row.doc is None else row.doc for row in rows], seed=seed)
        gold = metrics.label_ids([row.label for row in rows])
        cells = gold * N + metrics.label_ids([row.predicted for row in rows])
        return cls(rows, bootstrap, gold, cells, bootstrap.count(cells, (N, N)))

    def confusion_of(self, labels: Sequence[Label]) -> Resampled:
        """Return the confusion matrix of other labels for the same rows, over the same draws."""
        return self.bootstrap.count(self.gold * N + metrics.label_ids(labels), (N, N))

    @property
    def right(self) -> BoolArray:
        """Return which rows are right."""
        return np.asarray(self.cells % (N + 1) == 0)  # the diagonal


def overall(confusion: Resampled) -> dict[str, Any]:
    """Return accuracy, macro F1 and the rate of the harmful error."""
    return {
        "macro_f1": confusion.figure(metrics.macro_f1),
        "accuracy": confusion.figure(metrics.accuracy),
        "harmful_rate": harmful_rate(confusion),
    }


def harmful_rate(confusion: Resampled) -> dict[str, Any]:
    """Return the share of anonymous sentences called attributed."""
    return confusion.figure(metrics.harmful_rate, n_docs=int(confusion.n_docs_of[metrics.ANONYMOUS]))


def per_label(confusion: Resampled) -> dict[Label, dict[str, Any] | None]:
    """Return each label's figures; None for a label that is not in the gold."""
    columns = {
        "precision": confusion.figures(metrics.precision, called=True),
        "recall": confusion.figures(metrics.recall),
        "f1": confusion.figures(metrics.f1),
    }
    entries: dict[Label, dict[str, Any] | None] = {}
    for at, (label, support) in enumerate(zip(LABELS, confusion.total.sum(axis=1), strict=True)):
        entry: dict[str, Any] = {"support": int(support), "too_few": bool(support < TOO_FEW)}
        for name, figures in columns.items():
            entry[name], entry[f"{name}_ci95"] = figures[at]["value"], figures[at]["ci95"]
        entries[label] = entry if support else None
    return entries


def confusion_table(confusion: Resampled) -> dict[str, Any]:
    """Return counts and shares of rows; null shares for a label that is not in the gold."""
    shares = metrics.divide(confusion.total, confusion.total.sum(axis=1, keepdims=True))
    return {
        "labels": list(LABELS),
        "counts": confusion.total.astype(int).tolist(),
        "row_shares": [[as_number(share) for share in row] for row in shares],
    }


def harmful(confusion: Resampled) -> dict[str, Any]:
    """Return the error that matters most: anonymous called attributed."""
    n_anonymous = int(confusion.total[metrics.ANONYMOUS].sum())
    return {
        "count": int(confusion.total[metrics.ANONYMOUS, metrics.ATTRIBUTED]),
        "n_anonymous": n_anonymous,
        "n_called_attributed": int(confusion.total[:, metrics.ATTRIBUTED].sum()),
        "too_few": n_anonymous < TOO_FEW,
        "rate": harmful_rate(confusion),
        "share_of_attributed": confusion.figure(
            metrics.harmful_share, n_docs=int(confusion.n_docs_called[metrics.ATTRIBUTED])
        ),
    }


def argmax(judged: Judged) -> dict[str, Any] | None:
    """Return the figures of the most probable labels; None where they are the decisions."""
    most = [row.argmax if row.argmax else max(LABELS, key=row.probabilities.__getitem__) for row in judged.rows]
    n_changed = sum(label != row.predicted for label, row in zip(most, judged.rows, strict=True))
    return {"n_changed": n_changed, **overall(judged.confusion_of(most))} if n_changed else None


def baselines(judged: Judged, others: Mapping[str, Sequence[Prediction]]) -> list[dict[str, Any]]:
    """Return each baseline's figures, and how far the model is ahead in macro F1."""
    entries = []
    for name, rows in others.items():
        aligned = align(judged.rows, rows, name=f"baseline '{name}'")
        confusion = judged.confusion_of([row.predicted for row in aligned])
        ahead = judged.confusion.difference(confusion, metrics.macro_f1)
        entries.append({"name": name, **overall(confusion), "ahead": ahead})
    return entries


def precision_recall(judged: Judged) -> dict[Label, dict[str, Any] | None]:
    """Return each label's curve against all others; None where one side is empty."""
    curves: dict[Label, dict[str, Any] | None] = {}
    for at, label in enumerate(LABELS):
        positive = judged.gold == at
        if positive.all() or not positive.any():
            curves[label] = None
            continue
        scores = np.array([row.probabilities[label] for row in judged.rows])
        precisions, recalls, thresholds = metrics.precision_recall(positive, scores)
        picked = np.unique(np.searchsorted(recalls, np.linspace(recalls[0], 1, N_POINTS)))
        curves[label] = {
            "average_precision": as_number(metrics.average_precision(precisions, recalls)),
            "points": [
                {
                    "recall": as_number(recalls[k]),
                    "precision": as_number(precisions[k]),
                    "threshold": as_number(thresholds[k]),
                }
                for k in picked
            ],
        }
    return curves


def calibration(judged: Judged) -> dict[str, Any]:
    """Return how far confidences can be believed, and the same before calibration where that is known."""
    after = _calibration(judged, [row.probabilities for row in judged.rows])
    raw = [row.uncalibrated for row in judged.rows if row.uncalibrated is not None]
    return after | {"before": _calibration(judged, raw) if len(raw) == len(judged.rows) else None}


def abstention(judged: Judged) -> dict[str, Any]:
    """Return the error among the sentences kept at each threshold, and the threshold to suggest."""
    confidence = np.array([row.confidence for row in judged.rows])
    curve = coverage_risk(confidence, judged.right)
    suggested = suggest_threshold(curve)
    if suggested is not None:
        least = suggested["threshold"] - 1e-6  # it is rounded
        kept = judged.bootstrap.count(judged.cells, (N, N), np.flatnonzero(confidence >= least))
        risk = kept.figure(lambda confusion: 1 - metrics.accuracy(confusion))
        suggested |= {"risk_ci95": risk["ci95"], "harmful_rate": harmful_rate(kept)}
    return {"max_risk": MAX_RISK, "curve": curve, "suggested": suggested}


def slices(judged: Judged) -> list[dict[str, Any]]:
    """Return each slice's groups with their figures; null where a group is too small.

    `below`: the interval of its accuracy ends under the whole file's accuracy.
    """
    entries = []
    docs = [row.doc for row in judged.rows]
    whole = float(metrics.accuracy(judged.confusion.total))
    for name, groups in slice_rows(judged.rows).items():
        entry: dict[str, Any] = {"name": name, "groups": []}
        for value, rows in groups.items():
            n_docs = n_docs_among(rows, docs)
            group: dict[str, Any] = {"value": value, "n": len(rows), "n_docs": n_docs}
            group["too_few"] = too_few(len(rows), n_docs)
            if group["too_few"]:
                group |= {"accuracy": None, "macro_f1": None, "n_labels": None, "n_few_labels": None, "below": None}
            else:
                confusion = judged.bootstrap.count(judged.cells, (N, N), np.array(rows))
                support, accuracy = confusion.total.sum(axis=1), confusion.figure(metrics.accuracy)
                group |= {
                    "accuracy": accuracy,
                    "macro_f1": confusion.figure(metrics.macro_f1),
                    "n_labels": n_labels(confusion),
                    "n_few_labels": int(((support > 0) & (support < TOO_FEW)).sum()),
                    "below": accuracy["ci95"][1] < whole,
                }
            entry["groups"].append(group)
        entry["n_unknown"] = len(judged.rows) - sum(group["n"] for group in entry["groups"])
        entries.append(entry)
    return entries


def n_labels(confusion: Resampled) -> int:
    """Return how many labels are in the gold: what macro F1 averages."""
    return int((confusion.total.sum(axis=1) > 0).sum())


def _calibration(judged: Judged, probabilities: Sequence[dict[Label, float]]) -> dict[str, Any]:
    matrix = np.array([[one[label] for label in LABELS] for one in probabilities])
    predicted = judged.cells % N
    bins = reliability(matrix[np.arange(len(matrix)), predicted], judged.right)
    scores = np.stack([brier_scores(matrix, judged.gold), np.ones(len(matrix))], axis=1)
    brier = judged.bootstrap.add(scores).figure(_mean)
    return {
        "ece": as_number(expected_calibration_error(bins)),
        "brier": brier["value"],
        "brier_ci95": brier["ci95"],
        "bins": bins,
    }


def _mean(sums: FloatArray) -> FloatArray:
    return metrics.divide(sums[..., 0], sums[..., 1])

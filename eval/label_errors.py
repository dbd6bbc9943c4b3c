"""Likely label errors: confident learning (Northcutt et al., 2021) in its simplest form.

A label's threshold is the mean probability that it gets on the rows that carry it. A row is suspect when a label that
it does not carry reaches its threshold, and none that reaches its own is likelier: the rows off the diagonal of their
"confident joint". The probabilities must come from models that have not learnt from the row's article.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..data.labels import LABELS, Label
from . import metrics
from .predictions import Prediction


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose label looks wrong."""

    row: Prediction
    likelier: Label
    """What the models say."""

    @property
    def margin(self) -> float:
        """Return how much less probable the row's label is than the likelier one."""
        return self.row.probabilities[self.likelier] - self.row.probabilities[self.row.label]


def likely_errors(rows: Sequence[Prediction]) -> list[Suspect]:
    """Return the rows whose labels look wrong, the worst first.

    Args:
        rows: Out-of-fold predictions.
    """
    thresholds = {
        label: sum(own) / len(own)
        for label in LABELS
        if (own := [row.probabilities[label] for row in rows if row.label == label])
    }
    suspects = []
    for row in rows:
        reached = [label for label, least in thresholds.items() if row.probabilities[label] >= least]
        likelier = max(reached, key=lambda label: row.probabilities[label], default=row.label)
        if likelier != row.label:
            suspects.append(Suspect(row, likelier))
    return sorted(suspects, key=lambda suspect: -suspect.margin)


def group_scores(rows: Sequence[Prediction], field: str) -> list[tuple[str, float, int]]:
    """Return name, macro F1 and number of sentences: of all rows, then of each value of `meta[field]`, the worst first.

    Args:
        rows: Out-of-fold predictions.
        field: Such as `desk`; rows without it count among all only.
    """
    groups: dict[str, list[Prediction]] = {}
    for row in rows:
        if field in row.meta:
            groups.setdefault(str(row.meta[field]), []).append(row)
    scores = [(name, macro_f1_of(held), len(held)) for name, held in groups.items()]
    return [("all", macro_f1_of(rows), len(rows)), *sorted(scores, key=lambda score: score[1])]


def macro_f1_of(rows: Sequence[Prediction]) -> float:
    """Return the macro F1 of predictions, over the labels that are in the gold."""
    confusion = np.zeros((len(LABELS), len(LABELS)))
    gold, predicted = ([row.label for row in rows], [row.predicted for row in rows])
    np.add.at(confusion, (metrics.label_ids(gold), metrics.label_ids(predicted)), 1)
    return float(metrics.macro_f1(confusion))

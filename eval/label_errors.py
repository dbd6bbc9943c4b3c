"""Likely label errors: confident learning (Northcutt et al., 2021) in its simplest form.

A label's threshold is the mean probability that it gets on the rows that carry it. A row is suspect when a label that
it does not carry reaches its threshold, and none that reaches its own is likelier: the rows off the diagonal of their
"confident joint". The probabilities must come from models that have not learnt from the row's article.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..data.labels import LABELS, Label
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

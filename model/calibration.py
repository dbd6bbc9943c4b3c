"""From log-probabilities to a decision: temperature, prior correction, expected cost.

Temperature scaling: Guo et al., "On Calibration of Modern Neural Networks", 2017. Prior correction: a shift of each
class's log-odds (Saerens et al., 2002), fitted together with the temperature by maximum likelihood. Decision: the label
of least expected cost (Elkan, "The Foundations of Cost-Sensitive Learning", 2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..data.labels import LABELS, Label
from .judge import Floats, log_softmax

COST: dict[Label, dict[Label, float]] = {
    "anonymous": {"attributed": 3.0},
}
"""What calling a row's label by a column's costs, where it is not 1 (0 on the diagonal)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A handful of numbers, fitted after training and saved in `calibration.json`."""

    temperature: float = 1.0
    """Log-probabilities are divided by it."""
    bias: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    """Added to the log-probabilities, in the order of `LABELS`."""
    cost: dict[Label, dict[Label, float]] = field(default_factory=lambda: COST)
    """Off-diagonal costs that are not 1: `cost[true][decided]`."""
    min_confidence: float = 0.0
    """Below this probability of the decided label a sentence is abstained on."""
    fitted_on: str = "nothing"
    """The data, with its SHA-256, and the command."""

    def probabilities(self, log_probabilities: Floats) -> Floats:
        """Return calibrated probabilities `[..., 4]`."""
        shift = np.asarray(self.bias, dtype=np.float32)
        return np.exp(log_softmax(log_probabilities / np.float32(self.temperature) + shift))

    def cost_matrix(self) -> NDArray[np.float64]:
        """Return the costs `[true, decided]`."""
        matrix = 1 - np.eye(len(LABELS))
        for true, row in self.cost.items():
            for decided, value in row.items():
                matrix[LABELS.index(true), LABELS.index(decided)] = value
        return matrix

    def decide(self, probabilities: Floats) -> NDArray[np.int64]:
        """Return the index of the label of least expected cost, for each row of `[n, 4]`."""
        return np.asarray((probabilities @ self.cost_matrix()).argmin(axis=-1), dtype=np.int64)


def fit(
    log_probabilities: Floats, gold: Sequence[int], *, priors: bool, fitted_on: str, strength: float = 1.0
) -> Calibration:
    """Fit the temperature, and with `priors` the biases, by maximum likelihood.

    Newton's method on the log-temperature and biases, with a weak quadratic pull (`strength`) of the biases to zero so
    that a label that the data lacks keeps its own.

    Args:
        log_probabilities: `[n, 4]`.
        gold: `n` indices into `LABELS`.
        priors: Whether to fit biases.
        fitted_on: What to record.
        strength: Weight of the pull.
    """
    logs = np.asarray(log_probabilities, dtype=np.float64)
    truth = np.eye(len(LABELS))[np.asarray(gold)]
    columns = len(LABELS) if priors else 0
    theta = np.zeros(1 + columns)  # [scale, biases]; logits = scale * logs + bias, convex in both
    theta[0] = 1.0
    for _ in range(100):
        scores = theta[0] * logs + (theta[1:] if priors else 0)
        scores -= scores.max(axis=1, keepdims=True)
        p = np.exp(scores)
        p /= p.sum(axis=1, keepdims=True)
        features = np.concatenate(
            [logs[:, :, None], np.broadcast_to(np.eye(4)[:, :columns], (*logs.shape, columns))], axis=2
        )
        residual = p - truth  # [n, 4]
        gradient = np.einsum("nk,nkf->f", residual, features)
        mean = np.einsum("nk,nkf->nf", p, features)
        hessian = np.einsum("nk,nkf,nkg->fg", p, features, features) - mean.T @ mean
        gradient[1:] += strength * theta[1:]
        hessian[1:, 1:] += strength * np.eye(columns)
        hessian[0, 0] += 1e-9
        step = np.linalg.solve(hessian, gradient)
        theta -= step * min(1.0, 1.0 / (np.abs(step).max() + 1e-12))
        theta[0] = max(theta[0], 0.02)
        if np.abs(step).max() < 1e-8:
            break
    bias = theta[1:] if priors else np.zeros(len(LABELS))
    return Calibration(float(1 / theta[0]), tuple(float(value) for value in bias), fitted_on=fitted_on)

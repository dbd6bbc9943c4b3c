"""95 % intervals from a bootstrap over articles (Efron, 1979; of clusters: Field and Welsh, 2007).

Sentences of one article are not independent, so articles are drawn, never sentences. Every figure of a report is a
function of counts that add up over articles; a resample is then a weighted sum of the articles' counts, and all
resamples of all figures are matrix products over one set of draws. Two models on one file share the draws, which makes
the interval of their difference a paired one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from .metrics import FloatArray, IntArray

N_RESAMPLES = 2000
_BLOCK = 100  # resamples weighted at a time: bounds the memory

Statistic = Callable[[FloatArray], FloatArray]
"""From counts `[..., *shape]` to figures `[...]`, or to `[..., k]` for one figure a label."""


@dataclass(frozen=True, slots=True)
class Resampled:
    """Counts of a whole file, and of its resamples."""

    total: FloatArray
    draws: FloatArray
    """`[resample, *shape of total]`."""
    n_docs: int
    """Articles that count: with one, there are no intervals."""
    n_docs_of: IntArray
    """The same for each place of the first axis: of a confusion matrix, articles with each gold label."""
    n_docs_called: IntArray
    """The same for each place of the last axis: of a confusion matrix, articles with each predicted label."""

    def figure(self, statistic: Statistic, *, n_docs: int | None = None) -> dict[str, Any]:
        """Return a figure with its interval: `{"value", "ci95"}`.

        Args:
            statistic: Of the counts.
            n_docs: Articles that the figure is about, if not all that count.
        """
        value, interval = statistic(self.total), self._interval(statistic(self.draws))
        return _figure(value, _widened(value, interval, self.n_docs if n_docs is None else n_docs))

    def figures(self, statistic: Statistic, *, called: bool = False) -> list[dict[str, Any]]:
        """Return the figures of a statistic with one for each label, as predicted if `called`, else in the gold."""
        n_docs_of = self.n_docs_called if called else self.n_docs_of
        values, intervals = statistic(self.total), self._interval(statistic(self.draws))
        return [
            _figure(value, _widened(value, interval, int(n_docs)))
            for value, interval, n_docs in zip(values, intervals.T, n_docs_of, strict=False)
        ]

    def difference(self, other: Resampled, statistic: Statistic) -> dict[str, Any]:
        """Return this file's figure less another's of the same rows, with a paired interval."""
        values = statistic(self.draws) - statistic(other.draws)
        return _figure(statistic(self.total) - statistic(other.total), self._interval(values))

    def differences(self, other: Resampled, statistic: Statistic) -> list[dict[str, Any]]:
        """Return the differences of a statistic with one figure for each label."""
        values = statistic(self.total) - statistic(other.total)
        intervals = self._interval(statistic(self.draws) - statistic(other.draws))
        return [_figure(value, interval) for value, interval in zip(values, intervals.T, strict=True)]

    def _interval(self, values: FloatArray) -> FloatArray:
        """Return the bounds `[2, …]` of resampled values `[resample, …]`; NaN with one article.

        The percentile interval, expanded for the number of articles (Hesterberg, 2015, section 5.3): with 60 of them
        the 2.2th to the 97.8th percentile, a little more than the plain 2.5th to 97.5th, which are too narrow.
        """
        if self.n_docs < 2:
            return np.full((2, *values.shape[1:]), np.nan)
        z, freedom = NormalDist().inv_cdf(0.975), self.n_docs - 1
        t = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)  # Cornish and Fisher
        tail = 100 * NormalDist().cdf(-t * math.sqrt(self.n_docs / freedom))
        undefined = np.isnan(values).all(axis=0)
        bounds = np.nanpercentile(np.where(undefined, 0.0, values), [tail, 100 - tail], axis=0)
        return np.where(undefined, np.nan, bounds)


class Bootstrap:
    """One set of draws of articles, with replacement."""

    def __init__(self, docs: Sequence[str], *, seed: int, n_resamples: int = N_RESAMPLES) -> None:
        """Draw.

        Args:
            docs: The article of each row.
            seed: Of the draws.
            n_resamples: How many times as many articles as there are are drawn.
        """
        places: dict[str, int] = {}
        self._rows: IntArray = np.array([places.setdefault(doc, len(places)) for doc in docs], dtype=np.int64)
        self.n_docs = len(places)
        random = np.random.default_rng(seed)
        # How often each article is drawn; a count past 255 has no chance worth a wider type.
        self._weights = np.empty((n_resamples, self.n_docs), dtype=np.uint8)
        for weights in self._weights:
            weights[:] = np.bincount(random.integers(self.n_docs, size=self.n_docs), minlength=self.n_docs)

    def count(
        self, cells: IntArray, shape: tuple[int, ...], keep: npt.NDArray[np.integer[Any]] | None = None
    ) -> Resampled:
        """Count how many rows fall into each cell.

        Args:
            cells: Each row's place in the flattened `shape`.
            shape: Of the counts.
            keep: Indices of the rows that count; all without it.
        """
        size = int(np.prod(shape))
        flat = self._rows * size + cells
        counts = np.bincount(flat if keep is None else flat[keep], minlength=self.n_docs * size)
        return self.resample(counts.reshape(self.n_docs, *shape).astype(np.float64))

    def add(self, values: FloatArray) -> Resampled:
        """Add up the rows' values `[row, *shape]`."""
        sums = np.zeros((self.n_docs, *values.shape[1:]))
        np.add.at(sums, self._rows, values)
        return self.resample(sums)

    def resample(self, counts: FloatArray) -> Resampled:
        """Add up the articles' counts `[article, *shape]`, in the order of their first rows."""
        flat = counts.reshape(self.n_docs, -1)
        used = np.flatnonzero(flat.any(axis=1))  # articles outside a slice add nothing
        weights = self._weights if len(used) == self.n_docs else self._weights[:, used]
        flat = flat[used]
        blocks = [weights[at : at + _BLOCK].astype(np.float64) @ flat for at in range(0, len(weights), _BLOCK)]
        draws = np.concatenate(blocks).reshape(-1, *counts.shape[1:])
        n_docs_of = counts.reshape(self.n_docs, counts.shape[1], -1).any(axis=2).sum(axis=0)
        n_docs_called = counts.reshape(self.n_docs, -1, counts.shape[-1]).any(axis=1).sum(axis=0)
        return Resampled(counts.sum(axis=0), draws, len(used), n_docs_of, n_docs_called)


def as_number(value: FloatArray | float) -> float | None:
    """Return six digits of a number, None for NaN."""
    return None if np.isnan(value) else round(float(value), 6)


def _widened(value: FloatArray, interval: FloatArray, n_docs: int) -> FloatArray:
    """Give a share of 0 or 1 on which all resamples agree the interval of an exact count.

    No resample shows an error that the file does not, so the bootstrap says that there are none anywhere. The exact
    bound (Clopper and Pearson, 1934) for none among `n_docs` articles is 1 - 0.025^(1/n): 9 % for 40 of them.
    """
    if n_docs < 1 or not (interval[0] == interval[1] == value and value in (0, 1)):
        return interval
    far = 0.025 ** (1 / n_docs)
    return np.array([0.0, 1 - far] if value == 0 else [far, 1.0])


def _figure(value: FloatArray, interval: FloatArray) -> dict[str, Any]:
    number, low, high = as_number(value), as_number(interval[0]), as_number(interval[1])
    return {"value": number, "ci95": None if number is None or low is None or high is None else [low, high]}

"""Label F1 by character: how right the labels of whole articles are, whoever cut the sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..data.labels import LABELS, Label
from .intervals import Bootstrap
from .metrics import FloatArray, f1, label_ids, nanmean

LabelledSpan = tuple[int, int, Label]
"""Start, end (exclusive) and label of a sentence, in its article's text."""

_OUTSIDE = len(LABELS)


def character_confusion(gold_spans: Sequence[LabelledSpan], predicted_spans: Sequence[LabelledSpan]) -> FloatArray:
    """Count characters `[gold, predicted]` in the order of `LABELS`, then those in no sentence."""
    length = max((end for _, end, _ in (*gold_spans, *predicted_spans)), default=0)
    painted = np.full((2, length), _OUTSIDE, dtype=np.int64)
    for characters, spans in zip(painted, (gold_spans, predicted_spans), strict=True):
        for (start, end, _), place in zip(spans, label_ids([label for _, _, label in spans]), strict=True):
            characters[start:end] = place
    size = _OUTSIDE + 1
    counts = np.bincount(painted[0] * size + painted[1], minlength=size * size)
    return counts.reshape(size, size).astype(np.float64)


def character_f1(
    gold_spans: Sequence[LabelledSpan], predicted_spans: Sequence[LabelledSpan]
) -> dict[Label, float | None]:
    """Return each label's F1 over the characters of one article; None for a label that is not in the gold."""
    scores = f1(character_confusion(gold_spans, predicted_spans))
    return {label: None if np.isnan(scores[at]) else float(scores[at]) for at, label in enumerate(LABELS)}


def character_figures(
    articles: Mapping[str, tuple[Sequence[LabelledSpan], Sequence[LabelledSpan]]], *, seed: int
) -> dict[str, Any]:
    """Return macro F1 and each label's F1 by character over articles, with intervals.

    Args:
        articles: Gold and predicted sentences of each article, by its id.
        seed: Of the bootstrap over them.
    """
    counts = np.stack([character_confusion(gold, predicted) for gold, predicted in articles.values()])
    resampled = Bootstrap(list(articles), seed=seed).resample(counts)
    return {
        "n_docs": len(articles),
        "n_characters": int(counts[:, :_OUTSIDE].sum()),
        "macro_f1": resampled.figure(_macro_f1),
        "per_label": dict(zip(LABELS, resampled.figures(_label_f1), strict=True)),
    }


def _label_f1(confusion: FloatArray) -> FloatArray:
    return f1(confusion)[..., :_OUTSIDE]


def _macro_f1(confusion: FloatArray) -> FloatArray:
    return nanmean(_label_f1(confusion))

"""How well the predicted evidence agrees with the gold spans: exactly, and by character."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data.labels import TAGS, Tag
from .intervals import Bootstrap
from .metrics import FloatArray, divide
from .predictions import Prediction

_Offsets = set[tuple[int, int]]


def evidence_figures(rows: Sequence[Prediction], bootstrap: Bootstrap) -> dict[Tag, dict[str, Any] | None]:
    """Return, for each tag, exact and overlap F1 with intervals; None for a tag without gold spans.

    Rows whose gold spans are unknown are left out. `…_right_label` counts a span as found only where the sentence's
    label is right too.
    """
    counts = np.zeros((len(rows), len(TAGS), 2, 2, 3))  # row, tag, any or right label, exact or overlap, counts
    support = np.zeros(len(TAGS), dtype=np.int64)
    kinds = np.zeros((len(rows), 2))
    for at, row in enumerate(rows):
        if row.spans is None:
            continue
        for place, tag in enumerate(TAGS):
            gold = {(span.start, span.end) for span in row.spans if span.tag == tag}
            found = {(span.start, span.end) for span in row.evidence if span.tag == tag}
            support[place] += len(gold)
            if gold or found:
                counts[at, place, :] = _exact(gold, found), _overlap(gold, found)
        if row.label != row.predicted:
            counts[at, :, 1, :, 0] = 0
        kinds[at] = _kinds(row)
    figures: dict[Tag, dict[str, Any] | None] = {}
    for place, tag in enumerate(TAGS):
        if not support[place]:
            figures[tag] = None
            continue
        entry: dict[str, Any] = {"support": int(support[place])}
        for label, suffix in enumerate(("", "_right_label")):
            for kind, name in enumerate(("exact_f1", "overlap_f1")):
                figure = bootstrap.add(counts[:, place, label, kind]).figure(_f1)
                entry[name + suffix] = figure["value"]
                entry[f"{name}{suffix}_ci95"] = figure["ci95"]
        figures[tag] = entry
    if kinds.any() and (source := figures["source"]) is not None:
        figure = bootstrap.add(kinds).figure(lambda sums: divide(sums[..., 0], sums[..., 1]))
        source["kind_accuracy"], source["kind_accuracy_ci95"] = figure["value"], figure["ci95"]
        source["kind_support"] = int(kinds[:, 1].sum())
    return figures


def _f1(counts: FloatArray) -> FloatArray:
    """F1 of counts `[…, (both, gold, found)]`."""
    return divide(2 * counts[..., 0], counts[..., 1] + counts[..., 2])


def _exact(gold: _Offsets, found: _Offsets) -> tuple[int, int, int]:
    return len(gold & found), len(gold), len(found)


def _overlap(gold: _Offsets, found: _Offsets) -> tuple[int, int, int]:
    gold_characters = {at for start, end in gold for at in range(start, end)}
    found_characters = {at for start, end in found for at in range(start, end)}
    return len(gold_characters & found_characters), len(gold_characters), len(found_characters)


def _kinds(row: Prediction) -> tuple[int, int]:
    """Count gold sources of known kind that a predicted source overlaps: those of the right kind, and all."""
    right = all_ = 0
    for gold in row.spans or ():
        if gold.kind is None:
            continue
        shared = [
            (min(gold.end, span.end) - max(gold.start, span.start), span.kind)
            for span in row.evidence
            if span.tag == "source" and span.kind is not None
        ]
        overlap, kind = max(shared, key=lambda one: one[0], default=(0, None))
        if overlap > 0:
            all_ += 1
            right += kind == gold.kind
    return right, all_

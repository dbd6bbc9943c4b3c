"""Builders of predictions for the tests of evaluation."""

from __future__ import annotations

import random
from typing import Any

from onrecord.data.labels import LABELS, Label
from onrecord.data.records import Span
from onrecord.eval.predictions import FoundSpan, Prediction

TEXT = "Two aides said the bridge may close."
SHORT: dict[str, Label] = {"a": "attributed", "o": "anonymous", "u": "unverified", "n": "none"}


def sure(label: Label, confidence: float = 0.7) -> dict[Label, float]:
    """Probabilities with one label's given, the rest shared out."""
    return {other: confidence if other == label else (1 - confidence) / 3 for other in LABELS}


def row(name: str, label: Label, predicted: Label, *, confidence: float = 0.7, **more: Any) -> Prediction:
    """A prediction with an example sentence."""
    fields: dict[str, Any] = {"text": TEXT, "probabilities": sure(predicted, confidence)} | more
    return Prediction(id=name, label=label, predicted=predicted, **fields)


def rows_of(pairs: str, **more: Any) -> list[Prediction]:
    """Rows from pairs of gold and predicted label, such as "aa oa nn", two to an article."""
    return [
        row(f"r{at}", SHORT[pair[0]], SHORT[pair[1]], **({"doc": f"d{at // 2}"} | more))
        for at, pair in enumerate(pairs.split())
    ]


def many_rows(n: int, *, per_doc: int = 20, seed: int = 0) -> list[Prediction]:
    """Rows with every field filled, right three times in four."""
    source = random.Random(seed)
    rows = []
    for at in range(n):
        label = LABELS[source.choices(range(4), (43, 9, 6, 42))[0]]
        predicted = label if source.random() < 0.75 else source.choice(LABELS)
        confidence = source.uniform(0.4, 0.99)
        start = source.randrange(4)
        rows.append(
            row(
                f"a{at // per_doc}.{at % per_doc}",
                label,
                predicted,
                confidence=confidence,
                doc=f"a{at // per_doc}",
                text=f"{TEXT} It is sentence {at} of this file. " + "More words stand here. " * source.randrange(9),
                evidence=(FoundSpan("source", start, 9, 0.9, "unidentified"), FoundSpan("cue", 10, 14, 0.8)),
                uncalibrated=sure(predicted, min(0.99, confidence * 1.1)),
                argmax=predicted,
                spans=() if label == "none" else (Span(0, 9, "source", "unidentified"), Span(10, 14, "cue")),
                before=("The bridge opened in spring.", "Nobody came.") if at % per_doc else (),
                after=("It rained.",),
                meta={
                    "genre": source.choice(["war", "sport", "courts"]),
                    "position": at % per_doc,
                    "n_sentences": per_doc,
                },
            )
        )
    return rows

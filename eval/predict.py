"""Score labelled articles with a model: from articles to predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..data.labels import LABELS, Label
from ..data.records import Article
from ..model.judge import Judgement, log_softmax
from ..model.scorer import Model, find_evidence, judge_labelled
from .predictions import Prediction


def predict(model: Model, articles: Sequence[Article], *, n_context: int = 6) -> list[Prediction]:
    """Score every judged and labelled sentence of the articles.

    Args:
        model: A loaded model.
        articles: Labelled articles or rows.
        n_context: How many sentences before each to show in the reports; the model reads what it needs.
    """
    return list(predictions_of(model, articles, judge_labelled(model, articles), n_context=n_context))


def predictions_of(
    model: Model, articles: Sequence[Article], judgements: Sequence[Judgement], *, n_context: int = 6
) -> Iterator[Prediction]:
    """Decide judgements that were made elsewhere, such as by the torch network."""
    stream = iter(judgements)
    for article in articles:
        texts = [sentence.text for sentence in article.sentences]
        for index in article.judged:
            found, sentence = next(stream), article.sentences[index]
            if sentence.label is None:
                continue
            predicted, probabilities = model.decide(found)
            raw = np.exp(log_softmax(found.log_probabilities))
            uncalibrated: dict[Label, float] = {label: float(p) for label, p in zip(LABELS, raw, strict=True)}
            place = {} if len(article.judged) == 1 else {"position": index, "n_sentences": len(texts)}
            yield Prediction(
                id=article.id if len(article.judged) == 1 else f"{article.id}.{index:03d}",
                doc=article.doc,
                text=sentence.text,
                label=sentence.label,
                predicted=predicted,
                probabilities=probabilities,
                evidence=find_evidence(found, sentence.text, predicted),
                uncalibrated=uncalibrated,
                argmax=LABELS[int(np.argmax(found.log_probabilities))],
                spans=sentence.spans,
                before=tuple(texts[max(0, index - n_context) : index]),
                after=tuple(texts[index + 1 : index + 2]),
                meta={**article.meta, **place},
            )

"""Score labelled articles with a model: from articles to predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..data.corpus import article_text
from ..data.labels import LABELS, Label
from ..data.records import Article, OnrecordError
from ..model.calibration import Calibration, fit
from ..model.judge import Judgement, log_softmax
from ..model.scorer import Model, decide, find_evidence, judge_labelled
from .characters import LabelledSpan
from .predictions import FoundSpan, Prediction

N_FOLDS = 10
N_CONTEXT = 6
"""Sentences before each that the reports show; the model reads what it needs."""


def predict(model: Model, articles: Sequence[Article]) -> list[Prediction]:
    """Score every judged and labelled sentence of the articles with the model's own calibration."""
    return list(decide_all(articles, judge_labelled(model, articles), lambda _: model.calibration))


def by_character(
    model: Model, articles: Sequence[Article], predictions: Sequence[Prediction]
) -> dict[str, dict[str, tuple[list[LabelledSpan], list[LabelledSpan]]]]:
    """Lay the labels of whole articles over their characters: with the gold sentence cuts, and with our own.

    Args:
        model: Scores the joined text of each article, cutting it itself.
        articles: Labelled articles; rows, and articles with unlabelled sentences, are left out.
        predictions: What `predict` said of the same articles.

    Returns:
        For "gold cuts" and "own cuts" each article's gold and predicted sentences, by its id.
    """
    said = {row.id: row.predicted for row in predictions}
    found: dict[str, dict[str, tuple[list[LabelledSpan], list[LabelledSpan]]]] = {"gold cuts": {}, "own cuts": {}}
    for article in articles:
        labels = [sentence.label for sentence in article.sentences]
        known = [label for label in labels if label is not None]
        if len(article.judged) != len(labels) or len(known) != len(labels) or len(labels) < 2:
            continue
        text, offsets = article_text(article)
        gold = [(start, end, label) for (start, end), label in zip(offsets, known, strict=True)]
        same = [(start, end, said[f"{article.id}.{index:03d}"]) for index, (start, end) in enumerate(offsets)]
        own = [(sentence.start, sentence.end, sentence.label) for sentence in model.score(text).sentences]
        found["gold cuts"][article.id] = (gold, same)
        found["own cuts"][article.id] = (gold, own)
    return {name: cut for name, cut in found.items() if cut}


def cross_fit(
    model: Model, articles: Sequence[Article], *, priors: bool, fitted_on: str
) -> tuple[list[Prediction], Calibration]:
    """Fit the temperature, and the priors if asked, on the articles, and predict each as if it had not been there.

    Ten folds, by `doc` in the order of their names: each is decided by what was fitted on the other nine. Costs and
    threshold stay the model's.

    Args:
        model: A loaded model.
        articles: Labelled articles or rows.
        priors: Whether to correct the priors too.
        fitted_on: What the calibration is to record of its data.

    Returns:
        The predictions, and the calibration fitted on all, for the model folder.

    Raises:
        OnrecordError: All labelled sentences are of one article.
    """
    judgements = judge_labelled(model, articles)
    rows = [(article.doc, article.sentences[index].label) for article in articles for index in article.judged]
    known = [place for place, (_, label) in enumerate(rows) if label is not None]
    logs = np.stack([judgements[place].log_probabilities for place in known])
    gold = np.array([LABELS.index(rows[place][1]) for place in known])
    if len({rows[place][0] for place in known}) < 2:
        raise OnrecordError("calibrating needs labelled sentences of two articles or more: 'doc' names the article")
    fold_of = {doc: number % N_FOLDS for number, doc in enumerate(sorted({rows[place][0] for place in known}))}
    folds = np.array([fold_of[rows[place][0]] for place in known])

    def fitted(chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Calibration:
        found = fit(logs[chosen], gold[chosen].tolist(), priors=priors, fitted_on=fitted_on)
        kept = model.calibration
        return Calibration(found.temperature, found.bias, kept.cost, kept.min_confidence, fitted_on)

    by_fold = [fitted(folds != number) for number in range(N_FOLDS)]
    predictions = list(decide_all(articles, judgements, lambda doc: by_fold[fold_of[doc]]))
    return predictions, fitted(np.ones(len(folds), dtype=np.bool_))


def decide_all(
    articles: Sequence[Article], judgements: Sequence[Judgement], calibration_of: Callable[[str], Calibration]
) -> Iterator[Prediction]:
    """Decide judgements, one for each judged sentence in order, by the calibration of their `doc`."""
    stream = iter(judgements)
    for article in articles:
        texts = [sentence.text for sentence in article.sentences]
        for index in article.judged:
            found, sentence = next(stream), article.sentences[index]
            if sentence.label is None:
                continue
            predicted, probabilities = decide(calibration_of(article.doc), found)
            raw = np.exp(log_softmax(found.log_probabilities))
            uncalibrated: dict[Label, float] = {label: float(p) for label, p in zip(LABELS, raw, strict=True)}
            whole = len(article.judged) > 1
            yield Prediction(
                id=f"{article.id}.{index:03d}" if whole else article.id,
                # A row that names no article was given its own id for one.
                doc=article.doc if whole or article.doc != article.id else None,
                text=sentence.text,
                label=sentence.label,
                predicted=predicted,
                probabilities=probabilities,
                evidence=tuple(
                    FoundSpan(item.tag, item.start, item.end, item.score, item.kind)
                    for item in find_evidence(found, sentence.text, predicted)
                ),
                uncalibrated=uncalibrated,
                argmax=LABELS[max(range(len(LABELS)), key=lambda place: probabilities[LABELS[place]])],
                spans=sentence.spans,
                before=tuple(texts[max(0, index - N_CONTEXT) : index]),
                after=tuple(texts[index + 1 : index + 2]),
                meta={**article.meta, **({"position": index, "n_sentences": len(texts)} if whole else {})},
            )

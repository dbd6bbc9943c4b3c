"""Predict every labelled sentence by a model that has not seen its article: k folds, a training run each."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from accelerate import PartialState
from tokenizers import Tokenizer

from ..data.records import Article, OnrecordError
from ..eval.predict import decide_all
from ..eval.predictions import Prediction
from ..model.calibration import Calibration
from ..model.folder import load_settings
from ..model.judge import Judgement
from .config import TrainConfig
from .restore import load_network
from .run import Progress, judge_articles, torch_backend, train

CHOOSE = 10
"""One in so many articles of those learnt from chooses the epoch."""


def fold_docs(articles: Sequence[Article], folds: int) -> dict[str, int]:
    """Return the fold of each `doc`: they are dealt out in the order of their hashes.

    Raises:
        OnrecordError: There are fewer articles than folds, or so few folds that nothing is left to learn from.
    """
    docs = sorted({article.doc for article in articles}, key=lambda doc: hashlib.sha256(doc.encode()).digest())
    if not 2 <= folds <= len(docs):
        raise OnrecordError(f"folds are {folds}, allowed are 2 to {len(docs)}, the number of articles")
    return {doc: place % folds for place, doc in enumerate(docs)}


def out_of_fold(
    articles: Sequence[Article],
    config: TrainConfig,
    work: Path,
    *,
    folds: int = 3,
    tell: Callable[[int, Progress], None] = lambda *_: None,
) -> list[Prediction]:
    """Return a prediction for every labelled sentence, in order, each by a model that was trained without its article.

    Args:
        articles: Labelled data.
        config: How each fold's model is trained; its data is not read.
        work: A folder for the folds' models, which are deleted again.
        folds: How many models; each learns from all folds but one.
        tell: Called with the fold, from 0, and the progress of its training.

    Raises:
        OnrecordError: There is too little data.
    """
    fold_of = fold_docs(articles, folds)
    judged: dict[str, list[Judgement]] = {}
    calibrations: list[Calibration] = []
    for fold in range(folds):
        rest = [doc for doc, number in fold_of.items() if number != fold]
        choosing = set(rest[::CHOOSE])
        learn = [item for item in articles if fold_of[item.doc] != fold and item.doc not in choosing]
        choose = [item for item in articles if item.doc in choosing]
        folder = work / f"fold-{fold}"
        train(learn, choose, config, folder, tell=lambda progress, fold=fold: tell(fold, progress))  # type: ignore[misc]
        settings, calibration = load_settings(folder)
        calibrations.append(calibration)
        held_out = [item for item in articles if fold_of[item.doc] == fold]
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        backend = torch_backend(load_network(folder).to(PartialState().device), settings.special.pad)
        found = iter(judge_articles(held_out, tokenizer, backend, settings.windows, settings.special))
        judged |= {item.id: [next(found) for _ in item.judged] for item in held_out}
        shutil.rmtree(folder)
    judgements = [judgement for item in articles for judgement in judged[item.id]]
    return list(decide_all(articles, judgements, lambda doc: calibrations[fold_of[doc]]))

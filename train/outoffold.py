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
from ..model.network import torch_backend
from ..model.restore import load_network
from .config import TrainConfig
from .run import Progress, judge_articles, train

CHOOSE = 10
"""One in so many articles of those learnt from chooses the epoch."""


def fold_docs(articles: Sequence[Article], folds: int, together: str = "doc") -> dict[str, int]:
    """Return the fold of each `doc`: groups are dealt out in the order of their hashes.

    Args:
        articles: Labelled data.
        folds: How many.
        together: What no fold divides: `doc`, or a field of the articles such as `desk`; then every desk is predicted
            by a model that has seen none of it.

    Raises:
        OnrecordError: An article lacks the field, or there are fewer groups than folds.
    """
    group_of = {item.doc: item.doc if together == "doc" else item.meta.get(together, "") for item in articles}
    lacking = next((doc for doc, group in group_of.items() if not group), None)
    if lacking is not None:
        raise OnrecordError(f"{lacking}: no field '{together}' to keep articles together by")
    groups = sorted(set(group_of.values()), key=lambda group: hashlib.sha256(group.encode()).digest())
    if not 2 <= folds <= len(groups):
        raise OnrecordError(f"folds are {folds}, allowed are 2 to {len(groups)}, the number of different '{together}'")
    fold_of = {group: place % folds for place, group in enumerate(groups)}
    return {doc: fold_of[group] for doc, group in group_of.items()}


def out_of_fold(
    articles: Sequence[Article],
    config: TrainConfig,
    work: Path,
    *,
    folds: int = 3,
    together: str = "doc",
    tell: Callable[[int, Progress], None] = lambda *_: None,
) -> list[Prediction]:
    """Return a prediction for every labelled sentence, in order, each by a model that was trained without its article.

    Args:
        articles: Labelled data.
        config: How each fold's model is trained; its data is not read.
        work: A folder for the folds' models, which are deleted again.
        folds: How many models; each learns from all folds but one.
        together: What no fold divides, as in `fold_docs`.
        tell: Called with the fold, from 0, and the progress of its training.

    Raises:
        OnrecordError: There is too little data, or an article lacks the field `together`.
    """
    fold_of = fold_docs(articles, folds, together)
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

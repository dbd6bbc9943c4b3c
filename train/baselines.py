"""What any model has to beat: the most frequent label, cue-word rules, TF-IDF and frozen embeddings with regression.

Each learns from the same training articles as the model, sees single sentences, and predicts for the report's table.
The fifth baseline, the same encoder fine-tuned on single sentences, is a training run of its own, on rows exported
without context; `onrecord eval --baseline` reads its predictions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..data.labels import LABELS, Label
from ..data.records import Article
from ..eval.predictions import Prediction

_SAID = (
    r"said|says|say|saying|told|tells|added|adds|wrote|writes|announced|announces|accused|accuses|denied|denies|warned|"
    r"warns|promised|called for|praised|critici[sz]ed|believes?|argues?|argued|claims?|claimed|insists?|insisted|"
    r"according to|in a statement|replied|asked|explained|reported|testified|found that|suggested|acknowledged|noted"
)
_UNNAMED = (
    r"on condition of anonymity|asked not to be (?:named|identified)|(?:people|sources?) (?:familiar|close)|"
    r"(?:officials?|sources?|analysts?|experts?|critics?|witnesses|residents|researchers|economists|observers|aides?|"
    r"advisers?|insiders|diplomats?|traders|campaigners|supporters|republicans|democrats|people|some|many)"
)
_HEDGE = (
    r"reportedly|allegedly|rumou?r(?:s|ed)?|(?:is|are|was|were) (?:said|believed|thought|expected|likely|accused)|"
    r"may|might|could|appears?|appeared|seems?|seemed|unclear|not (?:immediately )?(?:clear|known|confirmed)|"
    r"independently verif|cannot be ruled out|unconfirmed|no evidence"
)
_UNCLEAR = r"(?:un|not (?:immediately )?)clear|not (?:been )?(?:confirmed|known)|independently verif|unconfirmed"


def rules(text: str) -> Label:
    """Label a sentence by its cue words, in the order of the guide's steps."""
    lower = text.lower()

    def has(pattern: str) -> bool:
        return re.search(rf"\b(?:{pattern})\b", lower) is not None

    said = has(_SAID)
    if has(_UNCLEAR):
        return "unverified"
    if has(rf"(?:{_UNNAMED})(?:\W+\w+){{0,4}}?\W+(?:{_SAID})|(?:{_SAID})\W+(?:\w+\W+){{0,3}}?(?:{_UNNAMED})"):
        return "anonymous"
    if said or lower[:1] in {'"', "“", "‘"}:
        return "attributed"
    return "unverified" if has(_HEDGE) else "none"


def _judged(articles: Iterable[Article]) -> tuple[list[str], list[Label]]:
    pairs = [(article.sentences[i].text, article.sentences[i].label) for article in articles for i in article.judged]
    known = [(text, label) for text, label in pairs if label is not None]
    return [text for text, _ in known], [label for _, label in known]


def _logistic(train: object, labels: Sequence[Label], test: object) -> NDArray[np.float64]:
    """Fit a logistic regression; return probabilities `[n, 4]` in the order of `LABELS`."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=4.0, max_iter=2000)
    model.fit(train, labels)
    found = np.zeros((test.shape[0], len(LABELS)))  # type: ignore[attr-defined]
    found[:, [LABELS.index(label) for label in model.classes_]] = model.predict_proba(test)
    return found


def _tfidf(train: Sequence[str], labels: Sequence[Label], test: Sequence[str]) -> NDArray[np.float64]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|[\"“”‘’?]")  # noqa: S106
    return _logistic(words.fit_transform(train), labels, words.transform(test))


def _frozen(train: Sequence[str], labels: Sequence[Label], test: Sequence[str]) -> NDArray[np.float64]:
    """Mean-pooled states of the encoder as it comes."""
    import torch

    from ..model.judge import collate, in_batches, pack, tokenize
    from ..model.network import load_encoder
    from .base import find_encoder
    from .config import TrainConfig
    from .run import load_tokenizer

    folder = find_encoder(TrainConfig().encoder)
    tokenizer, special = load_tokenizer(folder)
    encoder = load_encoder(str(folder)).encoder.eval()

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        packs = [pack([tokens], [0], special) for tokens in tokenize(tokenizer, [text[:1000] for text in texts])]
        rows: dict[int, NDArray[np.float32]] = {}
        with torch.inference_mode():
            for batch in in_batches(packs, tokens=8192):
                ids, mask, pool = (torch.from_numpy(array) for array in collate([packs[i] for i in batch], special.pad))
                states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
                rows |= dict(zip(batch, torch.matmul(pool, states)[:, 0].numpy(), strict=True))
        return np.stack([rows[number] for number in range(len(packs))])

    return _logistic(embed(train), labels, embed(test))


def baselines(train: Sequence[Article], predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    """Return each baseline's predictions for the same rows as the model's.

    Args:
        train: What they learn from.
        predictions: The model's, for their texts and gold labels.
    """
    texts, labels = _judged(train)
    rows = [row.text for row in predictions]
    most = max(LABELS, key=labels.count)

    def hard(decide: Callable[[str], Label]) -> NDArray[np.float64]:
        return np.array([[float(decide(text) == label) for label in LABELS] for text in rows])

    found = {
        f"always '{most}'": hard(lambda _: most),
        "cue-word rules": hard(rules),
        "TF-IDF, logistic regression": _tfidf(texts, labels, rows),
        "frozen MiniLM, logistic regression": _frozen(texts, labels, rows),
    }
    return {
        name: [
            Prediction(
                id=row.id,
                text=row.text,
                label=row.label,
                predicted=LABELS[int(p.argmax())],
                probabilities=dict(zip(LABELS, (float(value) for value in p), strict=True)),
                doc=row.doc,
            )
            for row, p in zip(predictions, matrix, strict=True)
        ]
        for name, matrix in found.items()
    }

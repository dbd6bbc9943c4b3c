"""From articles to training windows with targets.

Each epoch cuts every article anew, at random places and into windows of random length, so that every sentence is
judged once an epoch, now at the start of a window, now at its end, now alone: rows and whole articles then behave
alike. All chance comes from one generator, so that a seed and an epoch give the same windows again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..data.labels import BIO, LABELS
from ..data.records import Article, Span
from ..model.judge import Pack, SpecialTokens, Tokens, collate, pack, tokenize
from ..model.windows import SPECIALS, plan

IGNORE = -100
"""The target of what is not to be learnt from, as in `torch.nn.CrossEntropyLoss`."""
MULTIPLE = 32
"""Widths of training batches are rounded up to it."""
_BIO_ID = {name: number for number, name in enumerate(BIO)}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A tokenised article with targets for each sentence."""

    tokens: tuple[Tokens, ...]
    labels: tuple[int, ...]
    bio: tuple[tuple[int, ...], ...]
    kinds: tuple[tuple[int, ...], ...]
    judged: tuple[int, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Example:
    """A window and its targets."""

    pack: Pack
    labels: tuple[int, ...]
    """One for each judged sentence."""
    bio: tuple[int, ...]
    """One for each token of the window, `IGNORE` on what is not judged."""
    kinds: tuple[int, ...]
    """For each token 1 in an unidentified source, 0 in an identified one, else `IGNORE`."""
    weight: float


def token_targets(tokens: Tokens, spans: tuple[Span, ...] | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return BIO ids and source kinds of a sentence's tokens; all `IGNORE` where the spans are unknown."""
    if spans is None:
        return (IGNORE,) * len(tokens.ids), (IGNORE,) * len(tokens.ids)
    bio, kinds = [0] * len(tokens.ids), [IGNORE] * len(tokens.ids)
    for span in spans:
        opened = False
        for place, (start, end) in enumerate(tokens.offsets):
            if start < span.end and end > span.start:
                bio[place] = _BIO_ID[f"{'I' if opened else 'B'}-{span.tag}"]
                if span.kind:
                    kinds[place] = int(span.kind == "unidentified")
                opened = True
    return tuple(bio), tuple(kinds)


def encode(articles: Sequence[Article], tokenizer: Tokenizer) -> list[Encoded]:
    """Tokenise articles and lay out their targets."""
    texts = [sentence.text for article in articles for sentence in article.sentences]
    stream = iter(tokenize(tokenizer, texts))
    encoded = []
    for article in articles:
        tokens = tuple(next(stream) for _ in article.sentences)
        judged = set(article.judged)
        labels, bio, kinds = [], [], []
        for index, (sentence, found) in enumerate(zip(article.sentences, tokens, strict=True)):
            known = index in judged
            labels.append(LABELS.index(sentence.label) if known and sentence.label else IGNORE)
            tags, sources = token_targets(found, sentence.spans if known else None)
            bio.append(tags)
            kinds.append(sources)
        encoded.append(Encoded(tokens, tuple(labels), tuple(bio), tuple(kinds), article.judged, article.weight))
    return encoded


def cut(article: Encoded, *, tokens: int, special: SpecialTokens, chance: random.Random) -> list[Example]:
    """Cut one article into windows, each of its sentences judged in one of them.

    Two windows in three are as full as they get, the others of a random length down to a single sentence. More than
    half of those inside the article open with one to three earlier sentences as context alone: what a sentence means
    by what went before it need not be guessed without it. A sentence longer than a window loses its end, here in
    training only.
    """
    lengths = [len(sentence.ids) for sentence in article.tokens]
    bounds: list[tuple[int, int, int]] = []  # first sentence of a window, first that it judges, last (exclusive)
    if len(article.judged) == 1:  # a row: how much of its context it shows is left to chance
        target = article.judged[0]
        first = chance.randint(0, target) if chance.random() < 0.4 else 0
        last = chance.randint(target + 1, len(lengths)) if chance.random() < 0.4 else len(lengths)
        found = plan(lengths[first:last], [target - first], tokens=tokens, before=1, after=1)
        shown = [(first + window.first, first + window.last) for window in found] or [(target, target + 1)]
        bounds = [(first, first, last) for first, last in shown]
    judged = 0 if not bounds else len(lengths)
    while judged < len(lengths):
        full = judged > 0 and chance.random() < 0.67
        budget = tokens if full else chance.randint(24, tokens)
        first, last, size = judged, judged + 1, 1 + lengths[judged] + 1
        wanted = chance.randint(1, 3) if judged > 0 and chance.random() < 0.6 else 0
        while wanted and first > 0 and size + lengths[first - 1] + 1 <= budget:
            first, wanted = first - 1, wanted - 1
            size += lengths[first] + 1
        while last < len(lengths) and size + lengths[last] + 1 <= budget:
            size += lengths[last] + 1
            last += 1
        bounds.append((first, judged, last))
        judged = last
    examples = [_example(article, *window, tokens, special) for window in bounds]
    return [example for example in examples if example.labels or any(tag != IGNORE for tag in example.bio)]


def _example(
    article: Encoded, first: int, first_judged: int, last: int, tokens: int, special: SpecialTokens
) -> Example:
    room = tokens - SPECIALS
    inside = [Tokens(item.ids[:room], item.offsets[:room]) for item in article.tokens[first:last]]
    bio, kinds = [IGNORE], [IGNORE]
    for index in range(first, last):
        size = len(inside[index - first].ids)
        learnt = index >= first_judged
        bio += [*(article.bio[index][:room] if learnt else (IGNORE,) * size), IGNORE]
        kinds += [*(article.kinds[index][:room] if learnt else (IGNORE,) * size), IGNORE]
    judged = [index - first for index in range(first_judged, last) if article.labels[index] != IGNORE]
    labels = tuple(article.labels[first + index] for index in judged)
    return Example(pack(inside, judged, special), labels, tuple(bio), tuple(kinds), article.weight)


def epoch_batches(
    articles: Sequence[Encoded], *, tokens: int, batch_tokens: int, special: SpecialTokens, seed: int, epoch: int
) -> list[list[Example]]:
    """Return an epoch's batches in random order: windows of similar length together, at most `batch_tokens` each."""
    chance = random.Random(f"{seed}-{epoch}")  # noqa: S311 - shuffling is no secret
    examples = [
        example for article in articles for example in cut(article, tokens=tokens, special=special, chance=chance)
    ]
    chance.shuffle(examples)
    # Sorted within large pools only: batches stay mixed, and padding small.
    batches: list[list[Example]] = []
    for start in range(0, len(examples), 512):
        pool = sorted(examples[start : start + 512], key=lambda example: len(example.pack.ids))
        batch: list[Example] = []
        for example in pool:
            width = len(example.pack.ids) + -len(example.pack.ids) % MULTIPLE
            if batch and (len(batch) + 1) * width > batch_tokens:
                batches.append(batch)
                batch = []
            batch.append(example)
        batches.append(batch)
    chance.shuffle(batches)
    return batches


def collate_examples(batch: Sequence[Example], pad: int) -> dict[str, NDArray[np.generic]]:
    """Pad a batch: the network's inputs, `labels [B, S]`, `bio [B, T]`, `kinds [B, T]`, `weights [B]`."""
    # A window without labels still has to pool something.
    packs = [item.pack if item.pack.bounds else Pack(item.pack.ids, ((0, 1),)) for item in batch]
    ids, mask, pool = collate(packs, pad, multiple=MULTIPLE)
    labels = np.full(pool.shape[:2], IGNORE, dtype=np.int64)
    bio = np.full(ids.shape, IGNORE, dtype=np.int64)
    kinds = np.full(ids.shape, IGNORE, dtype=np.int64)
    for row, item in enumerate(batch):
        labels[row, : len(item.labels)] = item.labels
        bio[row, : len(item.bio)] = item.bio
        kinds[row, : len(item.kinds)] = item.kinds
    weights = np.array([item.weight for item in batch], dtype=np.float32)
    return {
        "input_ids": ids, "attention_mask": mask, "pool": pool,
        "labels": labels, "bio": bio, "kinds": kinds, "weights": weights,
    }  # fmt: skip

"""From sentences to logits: pack windows, run a backend over them, and put the pieces of long sentences together.

The backend is torch in training and onnxruntime in scoring; everything else is the same code, so that both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from .windows import SPECIALS, WindowConfig, pieces, plan

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Ids of the tokens that frame a window."""

    cls: int
    sep: int
    pad: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """A tokenised sentence."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    """Code points of the sentence that each token covers."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A window as the network sees it."""

    ids: tuple[int, ...]
    bounds: tuple[tuple[int, int], ...]
    """Token ranges of the sentences that it judges."""


Backend = Callable[[Sequence[Pack]], Iterable[tuple[Floats, Floats]]]
"""Packs → for each, label logits `[S, 4]` of its judged sentences and evidence logits `[T, 8]` of its tokens."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the network says of one sentence, before calibration and decision."""

    log_probabilities: Floats
    """`[4]`, in the order of `LABELS`."""
    evidence: Floats
    """`[n_tokens, 8]` evidence logits; the last column is the log-odds of 'unidentified'."""
    tokens: Tokens


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Tokens]:
    """Tokenise sentences without special tokens; a text without any token gets the unknown one."""
    encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    unknown = tokenizer.token_to_id("[UNK]") or 0
    return [
        Tokens(tuple(found.ids), tuple(found.offsets)) if found.ids else Tokens((unknown,), ((0, len(text)),))
        for found, text in zip(encodings, texts, strict=True)
    ]


def pack(sentences: Sequence[Tokens], judged: Iterable[int], special: SpecialTokens) -> Pack:
    """Frame sentences as `[CLS] s1 [SEP] s2 [SEP] …`; `judged` are indices into them."""
    ids = [special.cls]
    bounds: list[tuple[int, int]] = []
    for sentence in sentences:
        bounds.append((len(ids), len(ids) + len(sentence.ids)))
        ids.extend(sentence.ids)
        ids.append(special.sep)
    return Pack(tuple(ids), tuple(bounds[index] for index in judged))


def collate(
    packs: Sequence[Pack], pad: int, *, multiple: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Pad packs to one batch: `input_ids [B, T]`, `attention_mask [B, T]`, `pool [B, S, T]`.

    T is rounded up to a `multiple`: kernels are made for each shape that turns up, so that few shapes are fast.
    """
    width = max(len(item.ids) for item in packs)
    width += -width % multiple
    height = max(len(item.bounds) for item in packs)
    ids = np.full((len(packs), width), pad, dtype=np.int64)
    mask = np.zeros((len(packs), width), dtype=np.int64)
    pool = np.zeros((len(packs), height, width), dtype=np.float32)
    for row, item in enumerate(packs):
        ids[row, : len(item.ids)] = item.ids
        mask[row, : len(item.ids)] = 1
        for column, (start, end) in enumerate(item.bounds):
            pool[row, column, start:end] = 1 / (end - start)
    return ids, mask, pool


def log_softmax(logits: Floats) -> Floats:
    """Return log-probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), dtype=np.float32)


def judge(
    articles: Sequence[tuple[Sequence[Tokens], Sequence[int]]],
    backend: Backend,
    *,
    windows: WindowConfig,
    special: SpecialTokens,
) -> list[list[Judgement]]:
    """Judge articles, each given as its tokenised sentences and the indices of those to judge.

    A sentence longer than a window is judged in overlapping pieces: its label by the mean of their log-probabilities,
    weighted by tokens, its evidence by the mean of the logits that each token got.

    Returns:
        For each article, a judgement for each of the given indices.
    """
    packs: list[Pack] = []
    homes: list[tuple[int, list[tuple[int, int]]]] = []  # article, and (sentence, first token) for each bound
    for number, (sentences, judged) in enumerate(articles):
        lengths = [len(sentence.ids) for sentence in sentences]
        for window in plan(lengths, judged, tokens=windows.tokens, before=windows.before, after=windows.after):
            inside = [index - window.first for index in window.judged]
            packs.append(pack(sentences[window.first : window.last], inside, special))
            homes.append((number, [(index, 0) for index in window.judged]))
        for index in judged:
            if lengths[index] + SPECIALS > windows.tokens:
                for start, end in pieces(lengths[index], tokens=windows.tokens):
                    part = Tokens(sentences[index].ids[start:end], sentences[index].offsets[start:end])
                    packs.append(pack([part], [0], special))
                    homes.append((number, [(index, start)]))
    sums: dict[tuple[int, int], _Sum] = {
        (number, index): _Sum(len(sentences[index].ids))
        for number, (sentences, judged) in enumerate(articles)
        for index in judged
    }
    for item, (number, places), (labels, evidence) in zip(packs, homes, backend(packs), strict=True):
        for (index, first), (start, end), logits in zip(places, item.bounds, labels, strict=False):
            sums[number, index].add(first, log_softmax(logits), evidence[start:end])
    return [
        [sums[number, index].mean(sentences[index]) for index in judged]
        for number, (sentences, judged) in enumerate(articles)
    ]


class _Sum:
    """What the windows said of one sentence: once, or piece by piece."""

    def __init__(self, n_tokens: int) -> None:
        self.labels = np.zeros(4, np.float32)
        self.evidence = np.zeros((n_tokens, 8), np.float32)
        self.seen = np.zeros((n_tokens, 1), np.float32)

    def add(self, first: int, log_probabilities: Floats, evidence: Floats) -> None:
        self.labels += log_probabilities * len(evidence)
        self.evidence[first : first + len(evidence)] += evidence
        self.seen[first : first + len(evidence)] += 1

    def mean(self, tokens: Tokens) -> Judgement:
        labels = self.labels / self.seen.sum()
        return Judgement(log_softmax(labels), self.evidence / self.seen, tokens)


def in_batches(packs: Sequence[Pack], *, tokens: int) -> Iterator[list[int]]:
    """Yield indices of packs of similar length, at most `tokens` a batch with its padding."""
    batch: list[int] = []
    for index in sorted(range(len(packs)), key=lambda index: len(packs[index].ids)):
        if batch and (len(batch) + 1) * len(packs[index].ids) > tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch

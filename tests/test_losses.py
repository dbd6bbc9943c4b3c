"""What a batch teaches: missing spans, missing labels, weights, batches accumulated."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from .conftest import toy_articles
from .test_train import small

pytest.importorskip("torch")
import torch
from onrecord.data.records import Article, Sentence
from onrecord.train.examples import Example, collate_examples, cut, encode
from onrecord.train.run import Start, count_targets, load_start, losses

Batch = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def start(tiny_encoder: Path) -> Start:
    torch.manual_seed(1)
    start = load_start(small(tiny_encoder))
    start.network.dropout.p = 0.0
    return start


def rows(*sentences: Sentence, weight: float = 1.0) -> list[Article]:
    """Make a row of each sentence."""
    return [Article(f"r{n}", f"r{n}", (item,), (0,), weight=weight) for n, item in enumerate(sentences)]


def examples(articles: Sequence[Article], start: Start) -> list[Example]:
    import random

    chance = random.Random(0)
    return [
        example
        for article in encode(articles, start.tokenizer)
        for example in cut(article, tokens=64, special=start.special, chance=chance)
    ]


def collated(found: Sequence[Example], start: Start) -> Batch:
    return {name: torch.from_numpy(array) for name, array in collate_examples(found, start.special.pad).items()}


def gradients(parts: Sequence[Batch], start: Start, **changes: object) -> dict[str, torch.Tensor]:
    """Return the gradients of a step over several batches."""
    config = small(Path("unread"), **changes)
    start.network.zero_grad()
    counts = sum((count_targets(part) for part in parts), torch.zeros(3))
    for part in parts:
        losses(start.network, part, config, counts).backward()
    return {name: value.grad.clone() for name, value in start.network.named_parameters() if value.grad is not None}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.allclose(one[n], other[n], atol=1e-6) for n in one)


SENTENCES = [sentence for article in toy_articles(3) for sentence in article.sentences]


def test_rows_without_spans_train_the_label_alone(start: Start) -> None:
    bare = rows(*(dataclasses.replace(sentence, spans=None) for sentence in SENTENCES))
    batch = collated(examples(bare, start), start)
    assert count_targets(batch).tolist() == [len(SENTENCES), 0, 0]
    assert same(gradients([batch], start), gradients([batch], start, evidence_loss=0.0))


def test_rows_without_labels_train_the_evidence_alone(start: Start) -> None:
    bare = rows(*(dataclasses.replace(sentence, label=None) for sentence in SENTENCES))
    batch = collated(examples(bare, start), start)
    n_labels, n_tags, n_kinds = count_targets(batch).tolist()
    assert (n_labels, n_tags > 0, n_kinds > 0) == (0, True, True)
    found = gradients([batch], start)
    assert not found["label_head.weight"].any()
    assert found["evidence_head.weight"].any()


def test_rows_without_either_teach_nothing(start: Start) -> None:
    assert not examples(rows(Sentence("It opened in 1969.")), start)


def test_context_teaches_nothing(start: Start) -> None:
    (article,) = rows(SENTENCES[0])
    whole = dataclasses.replace(article, sentences=(*SENTENCES[1:3], *article.sentences), judged=(2,))
    for example in examples([whole], start):
        assert len(example.labels) == 1
        n_taught = sum(tag >= 0 for tag in example.bio)
        assert n_taught == len(encode([article], start.tokenizer)[0].tokens[0].ids)


def test_half_labelled_rows_beside_whole_ones_change_only_what_they_know(start: Start) -> None:
    labelled = examples(rows(*SENTENCES), start)
    tagged = examples(rows(*(dataclasses.replace(item, label=None) for item in SENTENCES)), start)
    n_labels, n_tags, _ = count_targets(collated(labelled + tagged, start)).tolist()
    assert n_labels == len(SENTENCES)
    assert n_tags == 2 * count_targets(collated(labelled, start)).tolist()[1]


def test_a_row_of_weight_three_counts_as_three_rows(start: Start) -> None:
    one, other = rows(SENTENCES[0]), rows(*SENTENCES[1:])
    heavy = examples(rows(SENTENCES[0], weight=3.0), start) + examples(other, start)
    often = 3 * examples(one, start) + examples(other, start)
    assert same(gradients([collated(heavy, start)], start), gradients([collated(often, start)], start))


def test_accumulated_batches_of_uneven_size_teach_what_one_large_batch_does(start: Start) -> None:
    found = examples([*toy_articles(4), *rows(*(dataclasses.replace(s, spans=None) for s in SENTENCES))], start)
    whole = gradients([collated(found, start)], start)
    parts = [collated(part, start) for part in (found[:1], found[1:4], found[4:])]
    assert same(whole, gradients(parts, start))

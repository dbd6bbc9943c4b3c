"""Splitting by article."""

from __future__ import annotations

import hashlib

import pytest
from onrecord.data.corpus import bundled_corpus, read_corpus
from onrecord.data.duplicates import leaks
from onrecord.data.records import Article
from onrecord.data.splits import SPLITS, split_articles, split_of


@pytest.fixture(scope="module")
def corpus() -> list[Article]:
    return read_corpus(bundled_corpus())


def test_the_split_follows_from_the_hash_of_the_id() -> None:
    tenths = {doc: int(hashlib.sha256(doc.encode()).hexdigest()[:4], 16) / 65536 for doc in map(str, range(200))}
    assert all(
        split_of(doc) == ("train" if share < 0.8 else "validation" if share < 0.9 else "test")
        for doc, share in tenths.items()
    )


def test_known_ids_keep_their_split() -> None:
    assert {doc: split_of(doc) for doc in ("speech-023", "public-024", "world-001")} == {
        "speech-023": "test",
        "public-024": "test",
        "world-001": "train",
    }


def test_another_article_moves_none(corpus: list[Article]) -> None:
    assert {a.id for a in split_articles(corpus[:50])["test"]} <= {a.id for a in split_articles(corpus)["test"]}


def test_no_article_stands_in_two_splits(corpus: list[Article]) -> None:
    parts = [{article.doc for article in part} for part in split_articles(corpus).values()]
    assert sum(len(part) for part in parts) == len(set().union(*parts)) == len(corpus)


def test_each_split_has_its_share_of_the_corpus(corpus: list[Article]) -> None:
    parts = split_articles(corpus)
    shares = [len(parts[name]) / len(corpus) for name in SPLITS]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.03)


def test_no_near_duplicate_sentence_stands_in_two_splits(corpus: list[Article]) -> None:
    assert leaks(corpus) == []

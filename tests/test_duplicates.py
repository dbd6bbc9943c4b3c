"""Near-duplicate sentences."""

from __future__ import annotations

import random
import time

import pytest
from onrecord.data.duplicates import is_formula, leaks, near_duplicates, words_of
from onrecord.data.records import Article, Sentence
from onrecord.data.splits import split_of


def articles(*texts: str) -> list[Article]:
    """Make an article of each text."""
    return [Article(f"a{n}", f"a{n}", (Sentence(text),), (0,)) for n, text in enumerate(texts)]


def similarities(*texts: str, threshold: float = 0.5) -> list[float]:
    return [pair.similarity for pair in near_duplicates(articles(*texts), threshold=threshold)]


def test_words_are_compared_without_case_and_punctuation() -> None:
    assert words_of("“Why?” asked O’Hara, No. 2 at Orly.") == ["why", "asked", "o'hara", "no", "2", "at", "orly"]


def test_similarity_is_the_jaccard_index_of_word_3_grams() -> None:
    first = "The ferry to Hvar left the old harbour at nine"  # 10 words, 8 shingles
    second = "The ferry to Hvar left the old harbour at noon"  # 7 of them shared: 7 / (8 + 8 - 7)
    assert similarities(first, second) == [pytest.approx(7 / 9)]


@pytest.mark.parametrize(("threshold", "found"), [(0.7, 1), (7 / 9, 1), (0.8, 0)])
def test_the_threshold_is_included(threshold: float, found: int) -> None:
    first = "The ferry to Hvar left the old harbour at nine"
    assert len(similarities(first, first.replace("nine", "noon"), threshold=threshold)) == found


def test_a_pair_says_where_its_sentences_stand() -> None:
    text = "The ferry to Hvar left the old harbour at nine."
    held = [Article("x", "x", (Sentence("Rain."), Sentence(text)), (0, 1)), *articles(text.upper())]
    (pair,) = near_duplicates(held)
    assert (pair.first.article, pair.first.index, pair.second.article, pair.second.index) == ("x", 1, "a0", 0)
    assert (pair.first.text, pair.second.text, pair.similarity) == (text, text.upper(), 1)


def test_context_is_not_compared() -> None:
    text = "The ferry to Hvar left the old harbour at nine."
    context = Article("x", "x", (Sentence(text), Sentence("Rain fell all day long on the harbour of Split.")), (1,))
    assert near_duplicates([context, *articles(text)]) == []


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("Ana Ruiz ran home.", "“Ana Ruiz RAN home”", 1),
        ("Ana Ruiz ran home.", "Ana Ruiz ran off.", 0),
        ("It cost $40.", "It cost $40!", 1),
    ],
)
def test_short_sentences_count_only_where_their_words_are_equal(first: str, second: str, found: int) -> None:
    assert len(similarities(first, second)) == found


@pytest.mark.parametrize(
    "text",
    [
        "She declined to comment.",
        "What happens next?",
        "(LAUGHTER)",
        "LETTERS TO THE EDITOR",
        '"',
        "The ministry did not immediately respond to a request for comment.",
        "Ms Ruiz and her lawyer could not immediately be reached on Friday.",
        "A spokesman for Halden Mills declined to comment on the figures.",
    ],
)
def test_formulas_are_left_out(text: str) -> None:
    assert is_formula(text)
    assert similarities(text, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Ana Ruiz ran home.",
        "It cost $40.",
        "The ferry to Hvar left the old harbour at nine.",
        "The ministry, which closed two mills and a harbour last year, declined to comment on plans to sell the ferry.",
    ],
)
def test_what_tells_of_something_is_no_formula(text: str) -> None:
    assert not is_formula(text)
    assert similarities(text, text) == [1]


@pytest.mark.parametrize("threshold", [0, -1, 1.5])
def test_a_threshold_that_means_nothing_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        near_duplicates([], threshold=threshold)


def test_only_pairs_in_two_splits_leak() -> None:
    text = "The ferry to Hvar left the old harbour at nine."
    docs = [str(n) for n in range(40)]
    train, test = (next(doc for doc in docs if split_of(doc) == name) for name in ("train", "test"))
    other = next(doc for doc in docs if split_of(doc) == "train" and doc != train)
    held = {doc: Article(doc, doc, (Sentence(text),), (0,)) for doc in (train, test, other)}
    assert leaks([held[train], held[other]]) == []
    assert len(leaks([held[train], held[test]])) == 1


def random_sentences(n: int) -> list[str]:
    chance = random.Random(0)
    words = [f"w{rank}" for rank in range(8000)]
    weights = [1 / rank for rank in range(1, 8001)]  # Zipf's law
    return [" ".join(chance.choices(words, weights, k=chance.randint(8, 40))) for _ in range(n)]


def test_the_prefix_filter_misses_nothing() -> None:
    chance = random.Random(1)
    texts = random_sentences(150)
    for text in texts[:100]:
        words = text.split()
        for _ in range(chance.randint(0, 4)):
            words[chance.randrange(len(words))] = "new"
        texts.append(" ".join(words))
    sets = [set(zip(w, w[1:], w[2:], strict=False)) for w in map(str.split, texts)]
    expected = {
        (f"a{m}", f"a{n}")
        for n in range(len(sets))
        for m in range(n)
        if len(sets[m] & sets[n]) / len(sets[m] | sets[n]) >= 0.5
    }
    assert len(expected) > 50
    assert {(p.first.article, p.second.article) for p in near_duplicates(articles(*texts))} == expected


def test_thirty_thousand_sentences_take_seconds() -> None:
    held = articles(*random_sentences(30_000))
    start = time.perf_counter()
    near_duplicates(held)
    assert time.perf_counter() - start < 30  # 2 s on an idle core

"""Figures of labelled data."""

from __future__ import annotations

import pytest
from onrecord.data.corpus import parse_marked
from onrecord.data.labels import Label
from onrecord.data.records import Article, Sentence
from onrecord.data.rows import article_to_rows, row_to_article
from onrecord.data.stats import corpus_stats


def sentence(label: Label | None, marked: str) -> Sentence:
    text, spans = parse_marked(marked)
    return Sentence(text, label, spans)


def article(name: str, *sentences: Sentence, desk: str = "local") -> Article:
    return Article(name, name, sentences, tuple(range(len(sentences))), {"desk": desk})


HELD = [
    article(
        "a",
        sentence("attributed", "“It is safe,” {s:the mayor} {c:said}."),
        sentence("attributed", "{s:The Mayor} {c:said} the old mill at Halden would stay shut."),
        sentence("none", "It rained."),
    ),
    article(
        "b",
        sentence("anonymous", "{a:Two aides} {c:said} no, {s:the mayor} {c:said} yes."),
        sentence("unverified", "The pier {h:may} have moved."),
        desk="world",
    ),
]


def test_figures_are_counted() -> None:
    stats = corpus_stats(HELD)
    assert (stats["articles"], stats["sentences"]) == (2, 5)
    assert stats["labels"] == {
        "attributed": {"count": 2, "share": 0.4},
        "anonymous": {"count": 1, "share": 0.2},
        "unverified": {"count": 1, "share": 0.2},
        "none": {"count": 1, "share": 0.2},
    }
    assert stats["words_per_sentence"] == {"mean": 6.4, "median": 6, "p90": 11}  # 6, 11, 2, 8, 5
    assert stats["with_evidence"] == 0.8
    assert stats["quoted"] == 0.2
    assert stats["spans"] == {"source": 4, "cue": 4, "hedge": 1}
    assert stats["distinct"] == {"source": 2, "cue": 1, "hedge": 1}  # "The Mayor" is "the mayor"
    assert stats["sources_by_kind"] == {"identified": 3, "unidentified": 1, "unknown": 0}
    assert stats["near_duplicates"] == {"pairs": 0, "across_articles": 0}
    assert {desk: figures["sentences"] for desk, figures in stats["desks"].items()} == {"local": 3, "world": 2}


def test_rows_count_as_their_articles_do() -> None:
    rows = [row_to_article(row, fallback_id="x") for held in HELD for row in article_to_rows(held)]
    assert corpus_stats(rows) == corpus_stats(HELD)


def test_unlabelled_rows_have_no_shares() -> None:
    stats = corpus_stats([row_to_article({"text": "It rained."}, fallback_id="x")])
    assert stats["labels"]["none"] == {"count": 0, "share": None}
    assert stats["with_evidence"] is None
    assert stats["desks"] == {}


def test_nothing_has_no_figures() -> None:
    stats = corpus_stats([])
    assert stats["sentences"] == 0
    assert stats["words_per_sentence"] == {"mean": None, "median": None, "p90": None}


def test_near_duplicates_are_counted_within_and_across_articles() -> None:
    text = "The ferry to Hvar left the old harbour at nine."
    held = [article("a", Sentence(text), Sentence(text)), article("b", Sentence(text))]
    assert corpus_stats(held)["near_duplicates"] == {"pairs": 3, "across_articles": 2}


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('"No," she said.', 1),
        ("‘No,’ she said.", 1),
        ("'No,' she said.", 1),
        ("''No,'' she said.", 1),
        ("She called it 'a farce'.", 1),
        ("«No», she said.", 1),
        ("The firms' own mill isn't for sale.", 0),
        ("It’s the firms’ own.", 0),
        ("It rained.", 0),
    ],
)
def test_quotation_marks_are_told_from_apostrophes(text: str, quoted: float) -> None:
    assert corpus_stats([article("a", Sentence(text))])["quoted"] == quoted

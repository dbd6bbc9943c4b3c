"""Describe labelled data in figures, so that two sets can be laid side by side.

Only judged sentences count: the context of a row is there to be read. An article is a `doc`, so that the rows of one
article count as one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import mean, median
from typing import Any

from .duplicates import near_duplicates
from .labels import KINDS, LABELS, TAGS
from .records import Article, Sentence

# Double marks of any kind, or single ones that open before and close after a word ('No' he said, not the firms' own).
_QUOTED = re.compile(r"[\"“”„«»]|''|‘(?=\w)|(?<!\w)'(?=\w)[^']*(?<=[\w.,!?…])'(?!\w)")


def corpus_stats(articles: Iterable[Article]) -> dict[str, Any]:
    """Count what labelled data holds.

    Returns:
        `articles`, `sentences`, `labels` (count and share of each, of the labelled sentences), `words_per_sentence`
        (mean, median and 90th percentile), `with_evidence` (share of the sentences whose spans are known), `quoted`
        (share of sentences with a quotation mark), `spans` and `distinct` (by tag; texts that differ in more than
        case), `sources_by_kind`, `near_duplicates` (pairs; `across_articles` of them), and `desks`: for each desk its
        `articles`, `sentences`, `labels` and mean `words_per_sentence`. A share or mean of nothing is None.
    """
    held = list(articles)
    sentences = _judged(held)
    spans = [(span, sentence.text) for sentence in sentences for span in sentence.spans or ()]
    known = [sentence for sentence in sentences if sentence.spans is not None]
    pairs = near_duplicates(held)
    desks: dict[str, list[Article]] = {}
    for article in held:
        if "desk" in article.meta:
            desks.setdefault(article.meta["desk"], []).append(article)
    return {
        **_summary(held, sentences),
        "with_evidence": _share(sum(bool(sentence.spans) for sentence in known), len(known)),
        "quoted": _share(sum(_QUOTED.search(sentence.text) is not None for sentence in sentences), len(sentences)),
        "spans": {tag: sum(span.tag == tag for span, _ in spans) for tag in TAGS},
        "distinct": {
            tag: len({text[span.start : span.end].casefold() for span, text in spans if span.tag == tag})
            for tag in TAGS
        },
        "sources_by_kind": {
            kind or "unknown": sum(span.tag == "source" and span.kind == kind for span, _ in spans)
            for kind in (*KINDS, None)
        },
        "near_duplicates": {
            "pairs": len(pairs),
            "across_articles": sum(pair.first.doc != pair.second.doc for pair in pairs),
        },
        "desks": {desk: _summary(members, _judged(members)) for desk, members in sorted(desks.items())},
    }


def _judged(articles: Sequence[Article]) -> list[Sentence]:
    return [article.sentences[index] for article in articles for index in article.judged]


def _summary(articles: Sequence[Article], sentences: Sequence[Sentence]) -> dict[str, Any]:
    counts = Counter(sentence.label for sentence in sentences if sentence.label)
    lengths = sorted(len(sentence.text.split()) for sentence in sentences)
    return {
        "articles": len({article.doc for article in articles}),
        "sentences": len(sentences),
        "labels": {label: {"count": counts[label], "share": _share(counts[label], counts.total())} for label in LABELS},
        "words_per_sentence": {
            "mean": round(mean(lengths), 2) if lengths else None,
            "median": median(lengths) if lengths else None,
            "p90": lengths[(9 * len(lengths) - 1) // 10] if lengths else None,
        },
    }


def _share(count: int, total: int) -> float | None:
    return round(count / total, 4) if total else None

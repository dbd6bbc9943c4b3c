"""Find sentences that say nearly the same: what must not stand in two splits.

Two sentences are near-duplicates where the sets of their word 3-grams overlap by a Jaccard index of `NEAR` or more
(Broder, 1997). A prefix filter (Chaudhuri et al., 2006) makes the search exact and fast: with the shingles of each
sentence in order of rarity, two sentences that overlap enough share one of their few rarest.

Short sentences, of fewer than `MIN_WORDS` words, count only where their words are equal. Formulas are left out, for
they belong to no story: a short sentence without a name or a number (`What happens next?`, `(LAUGHTER)`), and one
that only says that somebody did not comment (`The ministry did not immediately respond to a request for comment.`).

Left out: paraphrase, and names exchanged in an otherwise equal frame beyond what the threshold catches.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from .records import Article
from .splits import split_of

NEAR = 0.5
"""Jaccard index from which two sentences are near-duplicates: two words of twenty changed still leave it."""
MIN_WORDS = 8
"""Words of the shortest sentence that is compared by shingles; in a shorter one a changed word changes too many."""
MAX_REFUSAL_WORDS = 15
"""Words of the longest sentence that can be a mere refusal to comment."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_REFUSAL = re.compile(
    r"\b(?:declined|refused|unavailable|available) (?:to|for) (?:comment|be interviewed|an interview)\b"
    r"|\b(?:respond|reply|responded|replied|returned|return|answer|answered)\b.*\b(?:comment|calls?|emails?|messages?)\b"
    r"|\bcould not\b.*\bbe reached\b"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A judged sentence, and where it stands."""

    article: str
    doc: str
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences that say nearly the same."""

    first: Place
    second: Place
    similarity: float
    """Jaccard index of their shingles; 1 for short sentences of equal words."""


def words_of(text: str) -> list[str]:
    """Return a sentence's words in lower case: `“Why?” asked O’Hara.` → why, asked, o'hara."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def is_formula(text: str) -> bool:
    """Say whether a sentence belongs to no story in particular: see the rule at the top of this file."""
    words = _WORD.findall(text)
    if len(words) < MIN_WORDS:
        rest = " ".join(words[1:])
        return text.isupper() or not any(letter.isupper() or letter.isdigit() for letter in rest)
    return len(words) <= MAX_REFUSAL_WORDS and _REFUSAL.search(" ".join(words).lower()) is not None


def near_duplicates(articles: Iterable[Article], *, threshold: float = NEAR) -> list[Pair]:
    """Return the pairs of judged sentences that say nearly the same, the most similar first.

    Args:
        articles: Whose judged sentences are compared, all with all.
        threshold: Jaccard index from which two sentences are near-duplicates, above 0 and up to 1.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold}, allowed is above 0 and up to 1")
    places = [
        Place(article.id, article.doc, index, article.sentences[index].text)
        for article in articles
        for index in article.judged
        if not is_formula(article.sentences[index].text)
    ]
    # A short sentence has one shingle, all its words: two such sets overlap fully or not at all.
    shingles = [_shingles(words_of(place.text)) for place in places]
    return sorted(
        (Pair(places[m], places[n], similarity) for m, n, similarity in _overlaps(shingles, threshold)),
        key=lambda pair: -pair.similarity,
    )


def leaks(articles: Iterable[Article], *, threshold: float = NEAR) -> list[Pair]:
    """Return the near-duplicates that stand in two splits."""
    pairs = near_duplicates(articles, threshold=threshold)
    return [pair for pair in pairs if split_of(pair.first.doc) != split_of(pair.second.doc)]


def _shingles(words: list[str]) -> frozenset[tuple[str, ...]]:
    if len(words) < MIN_WORDS:
        return frozenset([tuple(words)])
    return frozenset(zip(words, words[1:], words[2:], strict=False))


def _overlaps(sets: Sequence[frozenset[tuple[str, ...]]], threshold: float) -> list[tuple[int, int, float]]:
    """Return the pairs of sets, by index, whose Jaccard index is `threshold` or more."""
    share = Fraction(threshold).limit_denominator(1000)  # 0.7 * 10 would round up to 8
    frequency = Counter(shingle for shingles in sets for shingle in shingles)
    index: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    found = []
    for n, shingles in enumerate(sets):
        # Two sets of Jaccard t share at least t·|a| shingles of a, so one of its |a| − ⌈t·|a|⌉ + 1 rarest.
        rarest = sorted(shingles, key=lambda shingle: (frequency[shingle], shingle))
        candidates = set()
        for shingle in rarest[: len(rarest) - ceil(share * len(rarest)) + 1]:
            if frequency[shingle] > 1:
                candidates.update(index[shingle])
                index[shingle].append(n)
        for m in sorted(candidates):
            similarity = len(sets[m] & shingles) / len(sets[m] | shingles)
            if similarity >= threshold:
                found.append((m, n, similarity))
    return found

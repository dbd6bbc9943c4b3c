"""Scored articles without a trained model: by a few cue words, or from the corpus's own marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from onrecord.data.corpus import article_text
from onrecord.data.labels import LABELS, Label, Tag
from onrecord.data.language import looks_english
from onrecord.data.records import Article
from onrecord.data.segment import segment
from onrecord.model.scored import Evidence, ModelId, ScoredArticle, ScoredSentence
from onrecord.model.sources import group_sources

MODEL = ModelId("stand-in", "5" * 64)
_HEDGE = re.compile(r"reportedly|could not be verified|not clear|may take", re.IGNORECASE)
_HIDDEN = re.compile(r"(?:two aides|residents|a senior [\w ]*official|critics|officials)\b", re.IGNORECASE)
_NAMED = re.compile(r"(?:[A-Z]\w+ )*[A-Z]\w+|\b(?:[Ss]he|[Hh]e|its owner)\b")
_CUE = re.compile(r"\b(?:said|says|told|wrote|denied)\b")


def probabilities(label: Label, confidence: float) -> dict[Label, float]:
    """Give a label its probability, and the others equal shares of what is left."""
    return {name: confidence if name == label else (1 - confidence) / 3 for name in LABELS}


class CueScorer:
    """A scorer that knows a few cue words; it fails on `BOOM`, as a scorer should not."""

    id = MODEL
    min_confidence = 0.5

    def score(self, text: str, *, id: str = "", spans: Sequence[tuple[int, int]] | None = None) -> ScoredArticle:  # noqa: A002
        """Score one article."""
        if "BOOM" in text:
            raise RuntimeError("the session is gone")
        sentences = tuple(
            self._judge(text, index, start, end) for index, (start, end) in enumerate(spans or segment(text))
        )
        language = "en" if looks_english(text) else "other"
        return ScoredArticle(id, text, self.id, language, sentences, group_sources(text, sentences))

    def score_many(
        self, documents: Iterable[tuple[str, str, Sequence[tuple[int, int]] | None]]
    ) -> Iterator[ScoredArticle]:
        """Score several."""
        for name, text, spans in documents:
            yield self.score(text, id=name, spans=spans)

    def _judge(self, text: str, index: int, start: int, end: int) -> ScoredSentence:
        sentence = text[start:end]
        hedge, hidden, cue = _HEDGE.search(sentence), _HIDDEN.search(sentence), _CUE.search(sentence)
        label: Label = "unverified" if hedge else "none"
        if cue and not hedge:
            label = "anonymous" if hidden else "attributed"
        source = hidden or (_NAMED.search(sentence) if cue else None)
        found: list[tuple[Tag, re.Match[str] | None]] = [("hedge", hedge), ("source", source), ("cue", cue)]
        evidence = tuple(
            Evidence(
                tag,
                start + match.start(),
                start + match.end(),
                match.group(),
                0.9,
                None if tag != "source" else "unidentified" if hidden else "identified",
            )
            for tag, match in found
            if match and label != "none"
        )
        confidence = 0.45 if len(sentence) % 7 == 0 else 0.93
        return ScoredSentence(
            index,
            start,
            end,
            sentence,
            label,
            probabilities(label, confidence),
            evidence,
            confidence < self.min_confidence,
        )


def from_gold(article: Article) -> ScoredArticle:
    """Return a corpus article as if it had been scored without an error."""
    text, offsets = article_text(article)
    sentences = []
    for index, ((start, end), sentence) in enumerate(zip(offsets, article.sentences, strict=True)):
        evidence = tuple(
            Evidence(
                span.tag, start + span.start, start + span.end, sentence.text[span.start : span.end], 0.97, span.kind
            )
            for span in sentence.spans or ()
        )
        label = sentence.label or "none"
        sentences.append(ScoredSentence(index, start, end, sentence.text, label, probabilities(label, 0.97), evidence))
    return ScoredArticle(article.id, text, MODEL, "en", tuple(sentences), group_sources(text, sentences))

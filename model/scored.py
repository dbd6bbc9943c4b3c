"""What scoring returns: typed results, and their one JSON form (see the formats in `docs/formats.md`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ..data.labels import LABELS, Kind, Label, Tag

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class ModelId:
    """Which model said so."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that decide a label, `text[start:end]` of the article."""

    tag: Tag
    start: int
    end: int
    text: str
    score: float
    """Mean probability of the span's tag over its words."""
    kind: Kind | None = None
    """Of a source: whether the article identifies it."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; `kind` is there for sources only."""
        kind = {"kind": self.kind} if self.kind else {}
        return {
            "tag": self.tag,
            **kind,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "score": round(self.score, 4),
        }


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """The verdict on one sentence; all offsets are into the article's text."""

    index: int
    start: int
    end: int
    text: str
    label: Label
    """The decision of least expected cost; it stays when abstained."""
    probabilities: dict[Label, float]
    """Calibrated, in the order of `LABELS`, adding up to 1."""
    evidence: tuple[Evidence, ...] = ()
    abstained: bool = False

    @property
    def confidence(self) -> float:
        """Return the probability of the decided label."""
        return self.probabilities[self.label]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "index": self.index,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "label": self.label,
            "confidence": round(self.confidence, 4),
            "abstained": self.abstained,
            "probabilities": {label: round(self.probabilities[label], 4) for label in LABELS},
            "evidence": [span.to_dict() for span in self.evidence],
        }


@dataclass(frozen=True, slots=True)
class Source:
    """A source that the article cites, its mentions grouped."""

    name: str
    kind: Kind
    sentences: tuple[int, ...]
    """Indices of the sentences that rest on it."""


@dataclass(frozen=True, slots=True)
class ScoredArticle:
    """A scored article."""

    id: str
    text: str
    """What the offsets point into."""
    model: ModelId
    language: str
    """`en`, or `other` where the text does not look like English."""
    sentences: tuple[ScoredSentence, ...]
    sources: tuple[Source, ...] = ()

    @property
    def summary(self) -> dict[str, int]:
        """Return the number of sentences, of each label, and of those abstained."""
        counts = Counter(sentence.label for sentence in self.sentences)
        return {
            "sentences": len(self.sentences),
            **{label: counts[label] for label in LABELS},
            "abstained": sum(sentence.abstained for sentence in self.sentences),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema_version": SCHEMA_VERSION,
            "id": self.id,
            "text": self.text,
            "model": {"name": self.model.name, "sha256": self.model.sha256},
            "language": self.language,
            "sentences": [sentence.to_dict() for sentence in self.sentences],
            "sources": [
                {"name": source.name, "kind": source.kind, "sentences": list(source.sentences)}
                for source in self.sources
            ],
            "summary": self.summary,
        }

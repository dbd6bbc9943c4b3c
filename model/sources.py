"""Group the sources that an article cites. (A first, plain grouping by name; rules follow.)"""

from __future__ import annotations

from collections.abc import Sequence

from .scored import ScoredSentence, Source


def group_sources(text: str, sentences: Sequence[ScoredSentence]) -> tuple[Source, ...]:
    """Group source mentions of the same name and kind."""
    found: dict[tuple[str, str], list[int]] = {}
    for sentence in sentences:
        for span in sentence.evidence:
            if span.tag == "source" and span.kind is not None:
                found.setdefault((span.text, span.kind), []).append(sentence.index)
    return tuple(Source(name, kind, tuple(dict.fromkeys(at))) for (name, kind), at in found.items())  # type: ignore[arg-type]

"""The typed records that flow through the project: spans, sentences, articles, and the project's one error.

Offsets are Unicode code points, end exclusive, into the text as given; text is never cleaned.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .labels import Kind, Label, Tag


class OnrecordError(ValueError):
    """A mistake that the user can mend: the message says what, where, and the way out."""


def report(message: str, errors: list[str] | None) -> None:
    """Raise an `OnrecordError`, or append its message to `errors` where a reader is to go on behind it."""
    if errors is None:
        raise OnrecordError(message)
    errors.append(message)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of evidence: `text[start:end]` of its sentence."""

    start: int
    end: int
    tag: Tag
    kind: Kind | None = None
    """For a source: identified or not; None where unknown, and for cues and hedges."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with what is known about it."""

    text: str
    label: Label | None = None
    """None: not labelled."""
    spans: tuple[Span, ...] | None = None
    """None: unknown; empty: there is no evidence."""
    opens_paragraph: bool = False


@dataclass(frozen=True, slots=True)
class Article:
    """Sentences in reading order, with those that are to be judged.

    A corpus article judges all its sentences. A labelled row is an article too: its context and one judged sentence.
    """

    id: str
    doc: str
    """What belongs together: splits and bootstraps never divide it."""
    sentences: tuple[Sentence, ...]
    judged: tuple[int, ...]
    """Indices into `sentences`, ascending."""
    meta: dict[str, str] = field(default_factory=dict)
    """`genre`, `style`, `region`, `desk`, and whatever else a row brought along."""
    weight: float = 1.0
    """How much its sentences count in training."""

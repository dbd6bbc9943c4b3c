"""The wrong sentences, for people to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from .predictions import Prediction

MOST_CONFIDENT = 500
MOST_HARMFUL = 500
MAX_BYTES = 3_500_000
"""Of text on the page, which must stay under 5 MB: with markup, 1,000 ordinary errors take a third of it."""
MAX_SENTENCE = 1000
MAX_CONTEXT = 240
_MARKUP = 900  # bytes around one error's text


class Piece(NamedTuple):
    """A run of a sentence's characters that the same evidence covers."""

    text: str
    found: tuple[str, ...]
    """Tags that the model put here."""
    gold: tuple[str, ...]
    opens: tuple[str, ...]
    """Found tags that begin here."""


def is_harmful(row: Prediction) -> bool:
    """Tell whether an anonymous sentence is called attributed, which makes it look better sourced than it is."""
    return row.label == "anonymous" and row.predicted == "attributed"


def errors_by_confidence(rows: Sequence[Prediction]) -> list[Prediction]:
    """Return the wrong rows, the most confident first."""
    wrong = [row for row in rows if row.label != row.predicted]
    return sorted(wrong, key=lambda row: -row.confidence)


def confusions(errors: Sequence[Prediction]) -> dict[str, int]:
    """Count errors by what is called what, the most frequent first."""
    return dict(Counter(f"{row.label} → {row.predicted}" for row in errors).most_common())


def select_errors(errors: Sequence[Prediction]) -> list[Prediction]:
    """Return what a page shows: the 500 most confident errors and up to 500 more that are harmful, in their order.

    Fewer where their text is so long that the page would be too large.
    """
    most = errors[:MOST_CONFIDENT]
    harmful = [row for row in errors[MOST_CONFIDENT:] if is_harmful(row)][:MOST_HARMFUL]
    return [*most, *harmful][: n_fitting([*most, *harmful])]


def n_fitting(rows: Sequence[Prediction]) -> int:
    """Return how many of the rows, from the first, a page can show."""
    size = 0
    for n, row in enumerate(rows):
        size += _MARKUP + sum(len(text.encode("utf-8", "replace")) for text in _shown_text(row))
        if size > MAX_BYTES:
            return n
    return len(rows)


def error_record(row: Prediction, *, model: Mapping[str, Any], stamp: str | None) -> dict[str, Any]:
    """Return the line of `errors.jsonl`: the prediction, its confidence, and whose it is."""
    record = row.to_dict() | {"confidence": round(row.confidence, 6)}
    record["model"] = {"name": model["name"], "sha256": model["sha256"]}
    return record | ({"stamp": stamp} if stamp else {})


def pieces(row: Prediction) -> list[Piece]:
    """Cut the sentence where predicted or gold evidence begins or ends; at most `MAX_SENTENCE` characters of it."""
    text = row.text[:MAX_SENTENCE]
    offsets = {(span.start, span.end) for span in row.evidence} | {(span.start, span.end) for span in row.spans or ()}
    cuts = sorted({0, len(text), *(at for span in offsets for at in span if at < len(text))})
    cut: list[Piece] = []
    for start, end in pairwise(cuts):
        found = tuple(span.tag for span in row.evidence if span.start <= start and end <= span.end)
        opens = tuple(span.tag for span in row.evidence if span.start == start)
        gold = tuple(span.tag for span in row.spans or () if span.start <= start and end <= span.end)
        cut.append(Piece(text[start:end], found, gold, opens))
    return cut


def context(row: Prediction) -> tuple[str, str]:
    """Return the words right before and right after the sentence."""
    before, after = " ".join((row.before or ())[-2:]), " ".join((row.after or ())[:1])
    if len(before) > MAX_CONTEXT:
        before = "… " + before[-MAX_CONTEXT:].split(" ", 1)[-1]
    if len(after) > MAX_CONTEXT:
        after = after[:MAX_CONTEXT].rsplit(" ", 1)[0] + " …"
    return before, after


def _shown_text(row: Prediction) -> Iterator[str]:
    """Yield the texts of an error with the characters that HTML escapes at their escaped length."""
    for text in (row.text[:MAX_SENTENCE], *context(row), row.id, row.doc or ""):
        yield text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")

"""Predictions files: one judged sentence a line, what it is and what a model said; all that evaluation reads.

`{"id": "a1.3", "doc": "a1", "text": "…", "label": "anonymous", "predicted": "attributed", "probabilities": {…},
"evidence": [{"tag": "source", "start": 0, "end": 9, "score": 0.9}]}`; the other fields of `Prediction` are optional.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, cast

from ..data.labels import KINDS, LABELS, TAGS, Kind, Label, Tag
from ..data.records import OnrecordError, Span

REQUIRED = ("id", "text", "label", "predicted", "probabilities", "evidence")
OPTIONAL = ("doc", "uncalibrated", "argmax", "spans", "before", "after", "meta")


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """Predicted evidence: `text[start:end]` of the sentence."""

    tag: Tag
    start: int
    end: int
    score: float
    kind: Kind | None = None
    """For a source: identified or not; None where the model does not say, and for cues and hedges."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return _place(self) | {"score": round(self.score, 4)}


@dataclass(frozen=True, slots=True)
class Prediction:
    """A judged sentence: the gold label and the model's verdict."""

    id: str
    text: str
    label: Label
    """Gold."""
    predicted: Label
    """The decision, not always the most probable label."""
    probabilities: dict[Label, float]
    """Calibrated, one for each of `LABELS`, adding up to 1."""
    evidence: tuple[FoundSpan, ...] = ()
    """Predicted; offsets into `text`, the sentence."""
    doc: str | None = None
    """The article; None: unknown, and the row stands for itself."""
    uncalibrated: dict[Label, float] | None = None
    argmax: Label | None = None
    """The most probable label, where the decision weighs costs."""
    spans: tuple[Span, ...] | None = None
    """Gold evidence; None: unknown, empty: there is none."""
    before: tuple[str, ...] | None = None
    """The sentences before it, in reading order; None: unknown."""
    after: tuple[str, ...] | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    """`genre`, `style` …; `position` and `n_sentences` place it in its article (`position` counts from 0)."""

    @property
    def confidence(self) -> float:
        """Return the probability of the decision."""
        return self.probabilities[self.predicted]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without what is unknown."""
        row: dict[str, Any] = {
            "id": self.id,
            "doc": self.doc,
            "text": self.text,
            "label": self.label,
            "predicted": self.predicted,
            "probabilities": _rounded(self.probabilities),
            "evidence": [span.to_dict() for span in self.evidence],
        }
        if self.uncalibrated is not None:
            row["uncalibrated"] = _rounded(self.uncalibrated)
        if self.argmax is not None:
            row["argmax"] = self.argmax
        if self.spans is not None:
            row["spans"] = [_place(span) for span in self.spans]
        if self.before is not None:
            row["before"] = list(self.before)
        if self.after is not None:
            row["after"] = list(self.after)
        if self.meta:
            row["meta"] = self.meta
        return row


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Open a UTF-8 file that takes the place of `path` only once it is whole."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("w", encoding="utf-8", newline="\n") as file:
                yield file
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise OnrecordError(f"{path}: {error.strerror}") from error


def write_predictions(path: Path, rows: Iterable[Prediction]) -> None:
    """Write a predictions file.

    Raises:
        OnrecordError: The file cannot be written.
    """
    with replacing(path) as file:
        for row in rows:
            file.write(json.dumps(row.to_dict(), ensure_ascii=False, allow_nan=False) + "\n")


def read_predictions(path: Path) -> list[Prediction]:
    """Read a predictions file.

    Raises:
        OnrecordError: With file, line, what was found and what is allowed.
    """
    rows: list[Prediction] = []
    seen: dict[str, int] = {}
    try:
        # Split at "\n" alone: U+2028 and its like may stand inside a JSON string.
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise OnrecordError(f"{path}: not UTF-8 at byte {error.start}; expected a predictions file") from error
    except OSError as error:
        raise OnrecordError(f"{path}: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = _parse(json.loads(line))
            if row.id in seen:
                raise ValueError(f"id '{row.id}' stands in line {seen[row.id]} too")
        except json.JSONDecodeError as error:
            raise OnrecordError(f"{path}:{number}: not JSON ({error.msg}); expected one object a line") from error
        except ValueError as error:
            raise OnrecordError(f"{path}:{number}: {error}") from error
        seen[row.id] = number
        rows.append(row)
    if not rows:
        raise OnrecordError(f"{path}: no predictions; expected one JSON object a line")
    return rows


def align(rows: Sequence[Prediction], others: Sequence[Prediction], *, name: str) -> list[Prediction]:
    """Return `others` in the order of `rows`.

    Raises:
        OnrecordError: They are not predictions for the same rows; `name` says whose they are.
    """
    by_id = {other.id: other for other in others}
    missing = [row.id for row in rows if row.id not in by_id]
    if missing or len(others) != len(rows):
        where = f"row '{missing[0]}' is not there" if missing else "it has rows of its own"
        raise OnrecordError(f"{name}: {len(others)} rows against {len(rows)}, {where}; compare predictions of one file")
    for row in rows:
        other = by_id[row.id]
        for what, one, another in (("text", row.text, other.text), ("label", row.label, other.label)):
            if one != another:
                raise OnrecordError(
                    f"{name}: row '{row.id}' has another {what} ('{another[:40]}' against '{one[:40]}'); "
                    "compare predictions of one file"
                )
    return [by_id[row.id] for row in rows]


def _place(span: Span | FoundSpan) -> dict[str, Any]:
    kind = {"kind": span.kind} if span.kind else {}
    return {"tag": span.tag, **kind, "start": span.start, "end": span.end}


def _rounded(probabilities: dict[Label, float]) -> dict[str, float]:
    # Six digits: enough that a threshold read from a report means the same sentences again.
    return {label: round(probabilities[label], 6) for label in LABELS}


def _parse(row: object) -> Prediction:
    """Check one object; every complaint is a ValueError without its place."""
    if not isinstance(row, dict):
        raise ValueError(f"found {type(row).__name__}, expected an object")
    missing = [key for key in REQUIRED if key not in row]
    if missing:
        raise ValueError(f"without {', '.join(missing)}; a row needs {', '.join(REQUIRED)}")
    unknown = [key for key in row if key not in REQUIRED + OPTIONAL]
    if unknown:
        raise ValueError(f"unknown key '{unknown[0]}'; allowed are {', '.join(REQUIRED + OPTIONAL)}")
    text = _string(row["text"], "text")
    if not text.strip():
        raise ValueError("'text' is empty")
    uncalibrated, argmax, spans = row.get("uncalibrated"), row.get("argmax"), row.get("spans")
    doc, meta = row.get("doc"), row.get("meta", {})
    if not isinstance(meta, dict):
        raise ValueError(f"'meta' is {type(meta).__name__}, expected an object")
    return Prediction(
        id=_string(row["id"], "id"),
        text=text,
        label=_label(row["label"], "label"),
        predicted=_label(row["predicted"], "predicted"),
        probabilities=_probabilities(row["probabilities"], "probabilities"),
        evidence=tuple(_found_span(span, text) for span in _list(row["evidence"], "evidence")),
        doc=None if doc is None else _string(doc, "doc"),
        uncalibrated=None if uncalibrated is None else _probabilities(uncalibrated, "uncalibrated"),
        argmax=None if argmax is None else _label(argmax, "argmax"),
        spans=None if spans is None else tuple(_span(span, text) for span in _list(spans, "spans")),
        before=_strings(row.get("before"), "before"),
        after=_strings(row.get("after"), "after"),
        meta=meta,
    )


def _string(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"'{key}' is {json.dumps(value)[:40]}, expected a string")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"'{key}' holds half a surrogate pair at {error.start}, expected Unicode text") from error
    return value


def _list(value: object, key: str) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"'{key}' is {json.dumps(value)[:40]}, expected a list")
    return value


def _strings(value: object, key: str) -> tuple[str, ...] | None:
    return None if value is None else tuple(_string(item, key) for item in _list(value, key))


def _label(value: object, key: str) -> Label:
    if value not in LABELS:
        raise ValueError(f"'{key}' is {json.dumps(value)[:40]}, allowed are {', '.join(LABELS)}")
    return value


def _probabilities(value: object, key: str) -> dict[Label, float]:
    if not isinstance(value, dict) or set(value) != set(LABELS):
        raise ValueError(f"'{key}' is {json.dumps(value)[:60]}, expected a number for each of {', '.join(LABELS)}")
    for label, number in value.items():
        # `bool` is an int, and NaN fails the comparison.
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
            raise ValueError(f"'{key}' of {label} is {json.dumps(number)[:40]}, expected a number from 0 to 1")
    if not math.isclose(total := sum(value.values()), 1, abs_tol=0.005):
        raise ValueError(f"'{key}' adds up to {total:.4f}, expected 1")
    return {label: float(value[label]) for label in LABELS}


def _span(value: object, text: str) -> Span:
    if not isinstance(value, dict):
        raise ValueError(f"a span is {json.dumps(value)[:40]}, expected an object with tag, start and end")
    start, end, tag, kind = (value.get(key) for key in ("start", "end", "tag", "kind"))
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise ValueError(f"a span covers {start} to {end}, expected offsets within the text's 0 to {len(text)}")
    if tag not in TAGS:
        raise ValueError(f"a span's 'tag' is {json.dumps(tag)[:40]}, allowed are {', '.join(TAGS)}")
    if kind is not None and kind not in KINDS:
        raise ValueError(f"a span's 'kind' is {json.dumps(kind)[:40]}, allowed are {', '.join(KINDS)}")
    return Span(start, end, cast("Tag", tag), cast("Kind | None", kind))


def _found_span(value: object, text: str) -> FoundSpan:
    span = _span(value, text)
    score = cast("dict[str, object]", value).get("score")
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise ValueError(f"a span's 'score' is {json.dumps(score)[:40]}, expected a number from 0 to 1")
    return FoundSpan(span.tag, span.start, span.end, float(score), span.kind)

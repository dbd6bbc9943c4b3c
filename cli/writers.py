"""The forms that results are written in: each is a function from a stream of results to a stream of text."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..data.labels import KINDS, LABELS
from ..data.read import ReadFailure

if TYPE_CHECKING:  # the model loads onnxruntime, and --help must not wait for it
    from ..model.scored import ScoredArticle

    Result = ScoredArticle | ReadFailure

Format = Literal["table", "json", "jsonl", "csv", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)
COUNTS = ("sentences", *LABELS, "abstained")


@dataclass(slots=True)
class Tally:
    """What a run has come to so far."""

    articles: int = 0
    failed: int = 0
    foreign: int = 0
    """Articles that do not look like English."""
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, record: dict[str, Any]) -> None:
        """Count a record, as it is written."""
        if "error" in record:
            self.failed += 1
        else:
            self.articles += 1
            self.foreign += record["language"] != "en"
            self.counts.update(record["summary"])

    def to_dict(self) -> dict[str, int]:
        """Return the total of a summary."""
        return {"articles": self.articles, "failed": self.failed, **{name: self.counts[name] for name in COUNTS}}


def to_record(result: Result, *, summary: bool) -> dict[str, Any]:
    """Return the JSON form of a result: whole, or without text and sentences."""
    if isinstance(result, ReadFailure):
        error = {"code": result.code, "message": result.message}
        return {"schema_version": 1, "id": result.id, "error": error}
    record = result.to_dict()
    if summary:
        del record["text"], record["sentences"]
    return record


def _dump(record: dict[str, Any], indent: int | None = None) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False, indent=indent)


def write_jsonl(results: Iterable[Result], tally: Tally, *, summary: bool = False) -> Iterator[str]:
    """Write an object a line; a summary ends with a line `{"total": …}`."""
    for result in results:
        yield _dump(to_record(result, summary=summary)) + "\n"
    if summary:
        yield _dump({"schema_version": 1, "total": tally.to_dict()}) + "\n"


def write_json(results: Iterable[Result], tally: Tally, *, summary: bool = False) -> Iterator[str]:
    """Write one object for one article, an array for more; a summary is one object with `articles` and `total`."""
    records = (_dump(to_record(result, summary=summary), indent=1) for result in results)
    if summary:
        yield '{"schema_version": 1, "articles": [\n' + ",\n".join(records) + "\n],\n"
        yield f'"total": {_dump(tally.to_dict())}}}\n'
        return
    first = next(records, "[]")
    second = next(records, None)
    if second is None:
        yield first + "\n"
        return
    yield f"[\n{first},\n{second}"
    for record in records:
        yield f",\n{record}"
    yield "\n]\n"


def _csv_lines(rows: Iterable[Iterable[object]]) -> str:
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue()


def write_csv(results: Iterable[Result], tally: Tally, *, summary: bool = False) -> Iterator[str]:
    """Write a row a sentence, or for a summary a row an article and a last one for all; failures have no row."""
    if summary:
        yield from _summary_csv(results, tally)
        return
    place = ("id", "index", "start", "end", "label", "confidence", "abstained")
    yield _csv_lines([(*place, *LABELS, "sources", "cues", "hedges", "text", "model", "model_sha256")])
    for result in results:
        if isinstance(result, ReadFailure):
            continue
        rows = []
        for sentence in result.sentences:
            record = sentence.to_dict()
            marked = (
                " | ".join(span.text for span in sentence.evidence if span.tag == tag)
                for tag in ("source", "cue", "hedge")
            )
            rows.append(
                (
                    result.id,
                    *(record[name] for name in place[1:-1]),
                    str(sentence.abstained).lower(),
                    *record["probabilities"].values(),
                    *marked,
                    sentence.text,
                    result.model.name,
                    result.model.sha256,
                )
            )
        yield _csv_lines(rows)


def _summary_csv(results: Iterable[Result], tally: Tally) -> Iterator[str]:
    kinds = tuple(f"{kind}_sources" for kind in KINDS)
    yield _csv_lines([("id", *COUNTS, *kinds, "language", "model", "model_sha256")])
    n_sources: Counter[str] = Counter()
    for result in results:
        if not isinstance(result, ReadFailure):
            sources = Counter(f"{source.kind}_sources" for source in result.sources)
            n_sources.update(sources)
            counts = (*result.summary.values(), *(sources[kind] for kind in kinds))
            yield _csv_lines([(result.id, *counts, result.language, result.model.name, result.model.sha256)])
    total = tally.to_dict()
    yield _csv_lines([("total", *(total[name] for name in COUNTS), *(n_sources[kind] for kind in kinds), "", "", "")])


def write_html(results: Iterable[Result], tally: Tally, *, summary: bool = False) -> Iterator[str]:
    """Write one page for all articles."""
    from ..model.view import render_html

    found = list(results)
    failures = [(result.id, result.message) for result in found if isinstance(result, ReadFailure)]
    yield render_html([result for result in found if not isinstance(result, ReadFailure)], failures)


WRITERS: dict[Format, Callable[..., Iterator[str]]] = {
    "json": write_json,
    "jsonl": write_jsonl,
    "csv": write_csv,
    "html": write_html,
}
"""All but the table, which needs to know its terminal (`table.py`)."""

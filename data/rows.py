"""Read and write labelled rows: a sentence each, with what stands before and after it.

    {"id": "a.3", "doc": "a", "text": "…", "before": ["…"], "after": ["…"], "label": "none", "spans": []}

Only `text` is needed. JSON Lines, CSV and Parquet hold the same columns; a CSV has `text,label`, and `id`, `doc` and
whatever else as it likes. A row becomes an `Article` of its own that judges one sentence. Parquet is read through
`datasets` (extra `train`).
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .labels import KINDS, LABELS, TAGS, Label
from .records import Article, OnrecordError, Sentence, Span

ROW_SUFFIXES = (".jsonl", ".csv", ".parquet")


def _choice(value: object, allowed: tuple[Any, ...], what: str) -> Any:
    if value not in allowed:
        raise ValueError(f"{what} is {json.dumps(value, default=str)}, allowed are {', '.join(allowed)}")
    return value


def _strings(row: Mapping[str, Any], name: str) -> list[str]:
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"'{name}' must be a list of sentences, found {type(value).__name__}")
    return list(value)


def _span(item: object, text: str) -> Span:
    if not isinstance(item, Mapping) or not all(isinstance(item.get(name), int) for name in ("start", "end")):
        raise ValueError("each of 'spans' needs the integers 'start' and 'end' and a 'tag'")
    start, end = item["start"], item["end"]
    if not 0 <= start < end <= len(text):
        raise ValueError(f"span {start}–{end} does not lie in the text of {len(text)} characters")
    kind = item.get("kind")
    tag = _choice(item.get("tag"), TAGS, "a span's tag")
    return Span(start, end, tag, None if kind is None else _choice(kind, KINDS, "a span's kind"))


def row_to_article(row: Mapping[str, Any], *, fallback_id: str, labels: Mapping[str, str] | None = None) -> Article:
    """Turn a row into an article that judges one sentence.

    Args:
        row: The columns.
        fallback_id: The id of a row that has none; its `doc` too where that is missing.
        labels: A table from the file's own label names to ours.

    Raises:
        ValueError: A column is missing or has a value that is not allowed.
    """
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("'text' is missing or empty")
    label: Label | None = None
    raw = row.get("label")
    if raw is not None and raw != "":
        label = _choice((labels or {}).get(str(raw), raw), LABELS, "label")
    spans = row.get("spans")
    if spans is not None and not isinstance(spans, list | tuple):
        raise ValueError(f"'spans' must be a list, found {type(spans).__name__}")
    found = None if spans is None else tuple(_span(item, text) for item in spans)
    before, after = _strings(row, "before"), _strings(row, "after")
    sentences = (
        *(Sentence(item) for item in before if item.strip()),
        Sentence(text, label, found),
        *(Sentence(item) for item in after if item.strip()),
    )
    n_before = sum(bool(item.strip()) for item in before)
    known = {"id", "doc", "text", "before", "after", "label", "spans"}
    meta = {name: str(value) for name, value in row.items() if name not in known and value not in (None, "")}
    identity = str(row.get("id") or fallback_id)
    return Article(identity, str(row.get("doc") or identity), sentences, (n_before,), meta)


def _jsonl(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError as error:
                    raise OnrecordError(f"{path}:{number}: not JSON ({error.msg} at column {error.colno})") from error
                if not isinstance(row, dict):
                    raise OnrecordError(f"{path}:{number}: expected an object, found {type(row).__name__}")
                yield number, row


def _csv(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    csv.field_size_limit(2**30)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if "text" not in (reader.fieldnames or []):
            found = ", ".join(reader.fieldnames or []) or "nothing"
            raise OnrecordError(f"{path}:1: a CSV needs a column 'text'; its header has {found[:200]}")
        for row in reader:
            if None in row:
                raise OnrecordError(f"{path}:{reader.line_num}: more cells than the header has; quote texts with commas")
            yield reader.line_num, row


def _parquet(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise OnrecordError(f"{path}: reading Parquet rows needs the extra 'train': pip install 'onrecord[train]'") from error
    try:
        yield from enumerate(load_dataset("parquet", data_files=str(path), split="train", streaming=True), 1)
    except (OSError, ValueError) as error:
        raise OnrecordError(f"{path}: not a Parquet file that can be read ({error})") from error


def read_rows(path: Path, *, labels: Mapping[str, str] | None = None) -> list[Article]:
    """Read labelled rows from JSON Lines, CSV or Parquet, told apart by the file's suffix.

    Raises:
        OnrecordError: With file, row, what was found and what is allowed.
    """
    readers = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}
    if path.suffix not in readers:
        raise OnrecordError(f"{path}: labelled rows are read from {', '.join(ROW_SUFFIXES)}")
    articles: list[Article] = []
    try:
        for number, row in readers[path.suffix](path):
            try:
                articles.append(row_to_article(row, fallback_id=f"{path.stem}.{number}", labels=labels))
            except ValueError as error:
                raise OnrecordError(f"{path}:{number}: {error}") from error
    except UnicodeDecodeError as error:
        raise OnrecordError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except OSError as error:
        raise OnrecordError(f"{path}: {error.strerror}") from error
    if not articles:
        raise OnrecordError(f"{path}: no rows")
    return articles


def article_to_rows(article: Article, *, before: int = 6, after: int = 1) -> Iterator[dict[str, Any]]:
    """Yield a row for each judged sentence, with its neighbours."""
    texts = [sentence.text for sentence in article.sentences]
    for index in article.judged:
        sentence = article.sentences[index]
        row: dict[str, Any] = {
            "id": article.id if len(article.judged) == 1 else f"{article.id}.{index:03d}",
            "doc": article.doc,
            "text": sentence.text,
            "before": texts[max(0, index - before) : index],
            "after": texts[index + 1 : index + 1 + after],
        }
        if sentence.label is not None:
            row["label"] = sentence.label
        if sentence.spans is not None:
            row["spans"] = [
                {"start": span.start, "end": span.end, "tag": span.tag} | ({"kind": span.kind} if span.kind else {})
                for span in sentence.spans
            ]
        yield row


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as JSON Lines, whole or not at all; return how many."""
    partial = path.with_name(path.name + ".partial")
    count = 0
    with partial.open("w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    os.replace(partial, path)
    return count

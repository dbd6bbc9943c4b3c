"""Read and write labelled rows: a sentence each, with what stands before and after it.

    {"id": "a.3", "doc": "a", "text": "…", "before": ["…"], "after": ["…"], "label": "none", "spans": []}

Only `text` is needed. JSON Lines, CSV and Parquet hold the same columns; a CSV has `text,label`, and `id`, `doc` and
whatever else as it likes. A row becomes an `Article` of its own that judges one sentence. Parquet is read through
`datasets` (extra `train`).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from .corpus import check_evidence
from .labels import KINDS, LABELS, TAGS, Label
from .records import Article, OnrecordError, Sentence, Span, report

ROW_SUFFIXES = (".jsonl", ".csv", ".parquet")
_COLUMNS = ("id", "doc", "text", "before", "after", "label", "spans")
_SURROGATE = re.compile("[\ud800-\udfff]")
_Note = Callable[[int, str], None]


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
    if _SURROGATE.search(text):
        raise ValueError("'text' holds half a character (a lone surrogate); write it as UTF-8 or as a pair of escapes")
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
    meta = {name: str(value) for name, value in row.items() if name not in _COLUMNS and value not in (None, "")}
    identity = str(fallback_id if row.get("id") in (None, "") else row["id"])
    doc = str(identity if row.get("doc") in (None, "") else row["doc"])
    return Article(identity, doc, sentences, (n_before,), meta)


def _jsonl(path: Path, note: _Note) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.rstrip())
            except json.JSONDecodeError as error:
                note(number, f"not JSON ({error.msg} at column {error.colno})")
                continue
            if isinstance(row, dict):
                yield number, row
            else:
                note(number, f"expected an object, found {type(row).__name__}")


def _csv(path: Path, note: _Note) -> Iterator[tuple[int, Mapping[str, Any]]]:
    csv.field_size_limit(2**30)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        reader.fieldnames = [
            name.strip().lower() if name.strip().lower() in _COLUMNS else name for name in reader.fieldnames or ()
        ]
        if "text" not in (reader.fieldnames or []):
            found = ", ".join(reader.fieldnames or []) or "nothing"
            note(1, f"a CSV needs a column 'text'; its header has {found[:200]}")
            return
        for row in reader:
            if None in row:
                note(reader.line_num, "more cells than the header has; quote texts with commas")
            elif None in row.values():
                note(reader.line_num, "fewer cells than the header has")
            else:
                yield reader.line_num, row


def _parquet(path: Path, note: _Note) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise OnrecordError(
            f"{path}: reading Parquet rows needs the extra 'train': pip install 'onrecord[train]'"
        ) from error
    try:
        yield from enumerate(load_dataset("parquet", data_files=str(path), split="train", streaming=True), 1)
    except (OSError, ValueError) as error:
        raise OnrecordError(f"{path}: not a Parquet file that can be read ({error})") from error


_READERS = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}


def read_rows(path: Path, *, labels: Mapping[str, str] | None = None, errors: list[str] | None = None) -> list[Article]:
    """Read labelled rows from JSON Lines, CSV or Parquet, told apart by the file's suffix.

    Args:
        path: The file.
        labels: A table from the file's own label names to ours.
        errors: Where given, every error is appended to it, evidence that contradicts its label too, and what is sound
            is read on and returned.

    Raises:
        OnrecordError: With file, row, what was found and what is allowed.
    """

    def note(number: int, message: str) -> None:
        report(f"{path}:{number}: {message}", errors)

    articles: list[Article] = []
    n_before = len(errors or ())
    try:
        if path.suffix not in _READERS:
            raise OnrecordError(f"{path}: labelled rows are read from {', '.join(ROW_SUFFIXES)}")
        for number, row in _READERS[path.suffix](path, note):
            try:
                article = row_to_article(row, fallback_id=f"{path.stem}.{number}", labels=labels)
                if errors is not None:
                    _check_row(article)
            except ValueError as error:
                note(number, str(error))
            else:
                articles.append(article)
    except OnrecordError as error:
        report(str(error), errors)
    except UnicodeDecodeError as error:
        report(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8", errors)
    except csv.Error as error:
        report(f"{path}: a double quote is not closed or not doubled ({error})", errors)
    except OSError as error:
        report(f"{path}: {error.strerror or error}", errors)
    if not articles and len(errors or ()) == n_before:
        report(f"{path}: no rows", errors)
    return articles


def _check_row(article: Article) -> None:
    """Refuse evidence that contradicts its label, or that overlaps."""
    sentence = article.sentences[article.judged[0]]
    spans = sorted(sentence.spans or (), key=lambda span: span.start)
    for span, following in pairwise(spans):
        if following.start < span.end:
            raise ValueError(f"spans {span.start}–{span.end} and {following.start}–{following.end} overlap")
    if sentence.label is not None:
        check_evidence(sentence.label, tuple(spans))


def article_to_rows(article: Article, *, before: int = 6, after: int = 1) -> Iterator[dict[str, Any]]:
    """Yield a row for each judged sentence, with its neighbours and the article's further fields."""
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
        yield row | {name: value for name, value in article.meta.items() if name not in _COLUMNS}


def write_whole(path: Path, chunks: Iterable[str]) -> None:
    """Write a text file, whole or not at all.

    Raises:
        OnrecordError: There is a pipe, a device or a folder of that name.
    """
    if path.exists() and not path.is_file():
        raise OnrecordError(f"{path}: this is no regular file; leave out the option and redirect (>) to it")
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(chunks)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def to_jsonl(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield rows as JSON Lines."""
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as JSON Lines, whole or not at all."""
    write_whole(path, to_jsonl(rows))

"""`onrecord suggest`: which sentences to label next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.labels import LABELS
from ..data.read import ReadFailure, expand_inputs, read_documents
from ..data.records import Article, OnrecordError, Sentence
from ..data.rows import ROW_SUFFIXES, article_to_rows, read_rows, to_jsonl, write_whole
from ..data.segment import segment
from .inputs import read_labelled

if TYPE_CHECKING:
    from ..model import Model

HANDFUL = 100
"""Articles that are scored between two steps of the progress bar."""


def suggest_cli(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Articles as for 'score', or rows (JSONL, CSV, Parquet), of which those with a label are passed over.",
            show_default=False,
        ),
    ],
    model: Annotated[Path | None, typer.Option(help="A model folder; the bundled model if none.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many sentences.")] = 100,
    labelled: Annotated[
        list[Path] | None, typer.Option(help="Labelled data; its sentences are not suggested again. Repeat for more.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file to write; standard output if none.")] = None,
) -> None:
    """Rank unlabelled sentences by what labelling them would teach, and write them as rows to label.

    Examples:
        onrecord suggest archive/ -n 200 -o to-label.jsonl

        onrecord suggest pool.jsonl --labelled desk.jsonl --model runs/desk | head -50
    """
    from ..model import load

    failures: list[ReadFailure] = []
    pool = list(read_pool(inputs, failures))
    for failure in failures:
        typer.echo(f"onrecord: {failure.id}: {failure.message}", err=True)
    known = {
        article.sentences[index].text
        for article in (read_labelled(labelled) if labelled else ())
        for index in article.judged
        if article.sentences[index].label
    }
    rows = suggest(load(model), pool, count, known=known)
    if out is None:
        for chunk in to_jsonl(rows):
            typer.echo(chunk, nl=False)
    else:
        write_whole(out, to_jsonl(rows))
    n_sentences = sum(len(article.judged) for article in pool)
    told = "; the others would teach nothing new" if len(rows) < min(count, n_sentences) else ""
    typer.echo(f"{len(rows)} of {n_sentences} unlabelled sentences{told}", err=True)
    if failures:
        raise typer.Exit(3)


def read_pool(inputs: Iterable[str], failures: list[ReadFailure]) -> Iterator[Article]:
    """Read what could be labelled: the sentences of articles, and rows without a label.

    A row without context may hold a whole article, so it is cut into sentences.

    Args:
        inputs: Files, folders, globs, `-`.
        failures: Inputs that cannot be read are appended to it.

    Raises:
        OnrecordError: A file of rows is malformed.
    """
    for name in expand_inputs(inputs):
        if isinstance(name, ReadFailure):
            failures.append(name)
        elif Path(name).suffix in ROW_SUFFIXES:
            for row in read_rows(Path(name)):
                if row.sentences[row.judged[0]].label is None:
                    yield row if len(row.sentences) > 1 else _cut(row.id, row.doc, row.sentences[0].text)
        else:
            for document in read_documents([name]):
                if isinstance(document, ReadFailure):
                    failures.append(document)
                else:
                    yield _cut(document.id, document.id, document.text)


def _cut(id_: str, doc: str, text: str) -> Article:
    sentences = tuple(Sentence(text[start:end]) for start, end in segment(text))
    return Article(id_, doc, sentences, tuple(range(len(sentences))))


def suggest(model: Model, pool: Sequence[Article], count: int, *, known: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return rows to label, the most instructive first, each with the model's `guess` and its `confidence`.

    Args:
        model: A loaded model.
        pool: Unlabelled articles and rows.
        count: How many rows, at most.
        known: Sentences that are labelled already.

    Raises:
        OnrecordError: Nothing is left to label.
    """
    import numpy as np
    from rich.console import Console
    from rich.progress import track

    from ..model.scorer import judge_labelled
    from ..train.suggest import rank

    seen = set(known)
    rows, found = [], []
    starts = range(0, len(pool), HANDFUL)
    for start in track(starts, "scoring", console=Console(stderr=True), transient=True):
        handful = pool[start : start + HANDFUL]
        rows += [row for article in handful for row in article_to_rows(article)]
        found += judge_labelled(model, handful)
    left = [place for place, row in enumerate(rows) if row["text"] not in seen and row["text"].strip()]
    if not left:
        raise OnrecordError("no unlabelled sentence is left in the inputs")
    probabilities = model.calibration.probabilities(np.stack([found[place].log_probabilities for place in left]))
    suggested = []
    for place in rank([rows[place]["text"] for place in left], probabilities, count):
        best = int(probabilities[place].argmax())
        confidence = round(float(probabilities[place, best]), 4)
        suggested.append(rows[left[place]] | {"guess": LABELS[best], "confidence": confidence})
    return suggested

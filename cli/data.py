"""`onrecord data`: check, describe, import and export labelled data."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..data.checks import Findings, check_data
from ..data.convert import label_studio_tasks, read_brat, read_label_studio
from ..data.corpus import bundled_corpus
from ..data.labels import LABELS, TAGS
from ..data.records import Article, OnrecordError
from ..data.rows import article_to_rows, to_jsonl, write_whole
from ..data.stats import corpus_stats
from .inputs import label_table, read_labelled
from .train import progress_bar

if TYPE_CHECKING:
    from ..eval.predictions import Prediction

data_app = typer.Typer(help="Check, describe, import and export labelled data.", no_args_is_help=True)

Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Marked files or folders, or rows (JSONL, CSV, Parquet); the bundled corpus if none."),
]
Output = Annotated[Path | None, typer.Option("--out", "-o", help="A file to write; standard output if none.")]


class StatsFormat(StrEnum):
    """How statistics are written."""

    table = "table"
    json = "json"
    markdown = "markdown"


class Tool(StrEnum):
    """Whose files are imported."""

    brat = "brat"
    label_studio = "label-studio"


class ExportFormat(StrEnum):
    """What labelled data is exported as."""

    jsonl = "jsonl"
    label_studio = "label-studio"


@data_app.command("check")
def check_cli(
    paths: Paths = None,
    with_model: Annotated[
        bool,
        typer.Option("--with-model", help="List likely label errors too: train on folds, predict what was left out."),
    ] = False,
    folds: Annotated[int, typer.Option(min=2, help="Models to train, each without one fold of the articles.")] = 3,
    together: Annotated[
        str,
        typer.Option(help="What no fold divides: 'doc', or a field such as 'desk', to see how new ones fare."),
    ] = "doc",
    config: Annotated[Path | None, typer.Option(help="How they are trained: a TOML file as for 'train'.")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Out-of-fold predictions: read if the file is there, else written to it.")
    ] = None,
) -> None:
    """Report every error of labelled files as file:line: message; exit 1 if there is any.

    Examples:
        onrecord data check                             # the bundled corpus

        onrecord data check desk.csv test.jsonl         # also: does an article stand in both?

        onrecord data check desk.csv --with-model       # also: which labels may be wrong?
    """
    findings: Findings = check_data(paths or [bundled_corpus()])
    for error in findings.errors:
        typer.echo(error)
    n_sentences = sum(len(article.judged) for article in findings.articles)
    typer.echo(f"{findings.n_files} files, {n_sentences} sound sentences, errors: {len(findings.errors)}", err=True)
    if findings.errors:
        raise typer.Exit(1)
    if with_model:
        from ..eval.label_errors import group_scores, likely_errors

        rows = predict_out_of_fold(
            findings.articles, folds=folds, together=together, config=config, predictions=predictions
        )
        suspects = likely_errors(rows)
        for suspect in suspects:
            row = suspect.row
            p, q = row.probabilities[suspect.likelier], row.probabilities[row.label]
            typer.echo(f"{row.id}: {row.label}, rather {suspect.likelier} ({p:.2f} against {q:.2f}): {row.text}")
        typer.echo(f"{len(suspects)} labels to look at, the most doubtful first", err=True)
        for name, figure, n in group_scores(rows, together):
            typer.echo(f"out of fold, {name}: macro F1 {figure:.3f} ({n} sentences)", err=True)


@data_app.command("stats")
def stats_cli(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Labelled data to lay beside the bundled corpus, each in a column.")
    ] = None,
    format: Annotated[  # noqa: A002 # the option's name
        StatsFormat | None, typer.Option(help="A table on a terminal and JSON in a pipe, if not given.")
    ] = None,
) -> None:
    """Describe the bundled corpus, and beside it any other labelled data.

    Examples:
        onrecord data stats

        onrecord data stats desk.csv --format markdown
    """
    described = describe(paths or [])
    form = format or (StatsFormat.table if sys.stdout.isatty() else StatsFormat.json)
    if form is StatsFormat.json:
        typer.echo(json.dumps({"schema_version": 1, "data": described}, ensure_ascii=False, indent=1))
        return
    for table in _tables(described):
        if form is StatsFormat.markdown:
            typer.echo(_markdown(table))
        else:
            Console().print(_rich(table))


@data_app.command("import")
def import_cli(
    source: Annotated[Path, typer.Argument(help="A brat .ann file, a folder of them, or Label Studio's JSON.")],
    tool: Annotated[
        Tool | None, typer.Option("--from", help="Whose files; if not given, .json is Label Studio's, all else brat's.")
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="THEIRS=OURS", help="Another name of a label or of evidence; repeat for more."),
    ] = None,
    out: Output = None,
) -> None:
    """Turn brat stand-off (as in PolNeAR) or Label Studio's JSON into labelled rows.

    Examples:
        onrecord data import polnear/data/train/attributions -o polnear.jsonl

        onrecord data import project-7.json --map Named=attributed --map Unnamed=anonymous -o desk.jsonl
    """
    articles = import_data(source, tool=tool, rename=rename or ())
    _write(to_jsonl(row for article in articles for row in article_to_rows(article)), out)
    n_rows = sum(len(article.judged) for article in articles)
    n_labelled = sum(article.sentences[index].label is not None for article in articles for index in article.judged)
    typer.echo(f"{n_rows} rows, {n_labelled} with a label", err=True)


@data_app.command("export")
def export_cli(
    paths: Paths = None,
    to: Annotated[ExportFormat, typer.Option(help="Rows as JSON Lines, or tasks for Label Studio.")] = (
        ExportFormat.jsonl
    ),
    before: Annotated[int, typer.Option(min=0, help="Sentences of context before each.")] = 6,
    after: Annotated[int, typer.Option(min=0, help="Sentences of context after each.")] = 1,
    out: Output = None,
) -> None:
    """Write labelled data as rows, or as tasks for Label Studio.

    Examples:
        onrecord data export -o corpus.jsonl

        onrecord data export desk.csv --to label-studio -o tasks.json
    """
    articles = read_labelled(paths or [])
    if to is ExportFormat.label_studio:
        tasks = list(label_studio_tasks(articles, before=before, after=after))
        _write([json.dumps(tasks, ensure_ascii=False, indent=1), "\n"], out)
    else:
        rows = (row for article in articles for row in article_to_rows(article, before=before, after=after))
        _write(to_jsonl(rows), out)


def predict_out_of_fold(
    articles: Sequence[Article],
    *,
    folds: int,
    together: str = "doc",
    config: Path | None = None,
    predictions: Path | None = None,
) -> list[Prediction]:
    """Return each labelled sentence predicted by a model trained without its article, or without its desk.

    Args:
        articles: Labelled data.
        folds: How many models are trained.
        together: What no fold divides: `doc` or a field of the articles.
        config: How they are trained.
        predictions: A file to read the predictions from if it is there, else to write them to.

    Raises:
        OnrecordError: There is too little data, or the file's predictions are not for it.
    """
    from ..eval.predictions import read_predictions, write_predictions

    if predictions is not None and predictions.exists():
        rows = read_predictions(predictions)
        gold = {
            row["id"]: (row["text"], row["label"])
            for article in articles
            for row in article_to_rows(article)
            if "label" in row
        }
        if gold != {row.id: (row.text, row.label) for row in rows}:
            raise OnrecordError(f"{predictions}: not for these sentences and labels; delete it to predict them anew")
        return rows
    try:
        from ..train.config import read_config
        from ..train.outoffold import out_of_fold
    except ImportError as error:
        raise OnrecordError(f"--with-model needs the extra 'train': pip install 'onrecord[train]' ({error})") from error
    with TemporaryDirectory() as work, progress_bar() as tell:
        rows = out_of_fold(
            articles,
            read_config(config),
            Path(work),
            folds=folds,
            together=together,
            tell=lambda fold, progress: tell(progress, f"fold {fold + 1}/{folds}, "),
        )
    if predictions is not None:
        write_predictions(predictions, rows)
    return rows


def describe(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the statistics of the bundled corpus and of each path, with its `name`."""
    held = [("bundled corpus", read_labelled([])), *((path.name, read_labelled([path])) for path in paths)]
    return [{"name": name, **corpus_stats(articles)} for name, articles in held]


def import_data(source: Path, *, tool: Tool | None = None, rename: Iterable[str] = ()) -> list[Article]:
    """Read another tool's files.

    Raises:
        OnrecordError: They are malformed, or an item of `rename` is no `THEIRS=OURS`.
    """
    table = label_table(rename)
    if tool is Tool.label_studio or (tool is None and source.suffix == ".json"):
        return read_label_studio(source, labels=table)
    if table:
        raise OnrecordError("--map renames Label Studio's labels; brat's Source, Cue and Content keep their names")
    return read_brat(source)


def _write(chunks: Iterable[str], out: Path | None) -> None:
    if out is not None:
        write_whole(out, chunks)
        return
    for chunk in chunks:
        typer.echo(chunk, nl=False)


# A table: its heads, and its rows of cells.
_Cells = tuple[list[str], list[list[str]]]


def _tables(described: Sequence[Mapping[str, Any]]) -> Iterator[_Cells]:
    """Yield a table with a column for each set of data, then one of the desks of each that has some."""
    columns = [dict(_figures(stats)) for stats in described]
    yield ["", *(stats["name"] for stats in described)], [[name, *(c[name] for c in columns)] for name in columns[0]]
    for stats in described:
        if stats["desks"]:
            yield (
                ["desk", "articles", "sentences", *LABELS, "words"],
                [
                    [
                        desk,
                        str(held["articles"]),
                        f"{held['sentences']:,}",
                        *(_percent(held["labels"][label]["share"]) for label in LABELS),
                        f"{held['words_per_sentence']['mean']:.1f}",
                    ]
                    for desk, held in stats["desks"].items()
                ],
            )


def _figures(stats: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "articles", f"{stats['articles']:,}"
    yield "sentences", f"{stats['sentences']:,}"
    for label in LABELS:
        held = stats["labels"][label]
        yield label, f"{held['count']:,} ({_percent(held['share'])})"
    words = stats["words_per_sentence"]
    yield "words a sentence: mean", f"{words['mean']:.1f}"
    yield "words a sentence: median", f"{words['median']:g}"
    yield "words a sentence: 90th percentile", f"{words['p90']}"
    yield "sentences with evidence", _percent(stats["with_evidence"])
    yield "sentences with a quotation mark", _percent(stats["quoted"])
    for tag in TAGS:
        yield f"{tag}s (distinct)", f"{stats['spans'][tag]:,} ({stats['distinct'][tag]:,})"
    for kind, count in stats["sources_by_kind"].items():
        yield f"sources of kind {kind}", f"{count:,}"
    pairs = stats["near_duplicates"]
    yield "near-duplicate pairs (across articles)", f"{pairs['pairs']:,} ({pairs['across_articles']:,})"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _rich(cells: _Cells) -> Table:
    heads, rows = cells
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _markdown(cells: _Cells) -> str:
    heads, rows = cells
    marks = ["---", *("---:" for _ in heads[1:])]
    return "".join(f"| {' | '.join(row)} |\n" for row in (heads, marks, *rows))

"""`onrecord train`: fine-tune a model on labelled sentences."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.corpus import bundled_corpus
from ..data.labels import LABELS, Label
from ..data.records import Article, OnrecordError
from ..data.rows import ROW_SUFFIXES, read_rows
from ..data.splits import split_articles, split_of
from .inputs import data_hashes, read_labelled

if TYPE_CHECKING:
    from ..train.config import TrainConfig
    from ..train.run import Progress

BUNDLED = "bundled"
"""What stands for the bundled corpus among paths."""


def train_cli(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="Marked files or folders, rows (JSONL, CSV, Parquet), or 'bundled', the bundled corpus, also if none."
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The model folder to write.")] = Path("runs/model"),
    config: Annotated[Path | None, typer.Option(help="A TOML file; see docs/train-your-own.md.")] = None,
    validation: Annotated[
        str | None, typer.Option(help="Labelled data to choose the epoch on; without it a tenth of the articles.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The model's name.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Go on from a model folder, or 'bundled', the bundled model.")
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="A BERT-like encoder: a folder or a hub id.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    learning_rate: Annotated[float | None, typer.Option()] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoint that a stopped run left in --out.")] = False,
) -> None:
    """Train a model and write its folder, ready for 'onrecord score --model'.

    Examples:
        onrecord train -o runs/mine                     # the bundled corpus, 2 CPU cores: about an hour

        onrecord train bundled desk.csv --from bundled -o runs/desk --epochs 3 --learning-rate 5e-5

        torchrun --nproc-per-node 4 $(which onrecord) train -o runs/mine    # four GPUs, through accelerate
    """
    try:
        from ..train.config import read_config
    except ImportError as error:
        raise OnrecordError("training needs the extra 'train': pip install 'onrecord[train]'") from error
    settings = read_config(
        config,
        data=[{"path": path} for path in data] if data else None,
        validation=validation,
        name=name,
        start=start,
        encoder=encoder,
        epochs=epochs,
        learning_rate=learning_rate,
        seed=seed,
        device=device,
    )
    train_model(settings, out, resume=resume)


def train_model(config: TrainConfig, out: Path, *, resume: bool = False) -> Path:
    """Read a configuration's data, split it, train, and write the model folder."""
    try:
        from ..train.build import build
    except ImportError as error:
        raise OnrecordError(f"training needs the extra 'train': pip install 'onrecord[train]' ({error})") from error
    learn, choose, hashes = read_data(config)
    first = int(os.environ.get("RANK", "0")) == 0  # of several processes one talks
    with progress_bar(hidden=not first) as tell:
        build(learn, choose, config, out, data=hashes, resume=resume, tell=tell)
    if first:
        report_on(out, choose, hashes)
        typer.echo(f"model written to {out}", err=True)
    return out


def report_on(out: Path, articles: Sequence[Article], hashes: Mapping[str, str]) -> None:
    """Evaluate a new model on its validation articles: a report in its folder, and the model card."""
    from ..eval.card import write_card_of
    from ..eval.predict import predict
    from ..eval.report import evaluate
    from ..model.scorer import load

    model = load(out)
    evaluate(
        predict(model, articles),
        out=out / "report",
        data_sha256=hashlib.sha256("".join(hashes.values()).encode()).hexdigest(),
        data_name="validation split of the training data",
        model={"name": model.id.name, "sha256": model.id.sha256},
        notes=["The epoch and the temperature were chosen on these articles."],
    )
    write_card_of(out, [out / "report"])


def read_data(config: TrainConfig) -> tuple[list[Article], list[Article], dict[str, str]]:
    """Read the data of a configuration.

    Without validation data of its own, each source is split by article: eight tenths train, one validates, one is left
    for testing. With it, sources are used whole, but for the bundled corpus, whose test articles are never learnt from.

    Returns:
        What to learn from, what to choose the epoch on, and the SHA-256 of every file.
    """
    articles: list[Article] = []
    hashes: dict[str, str] = {}
    sources = [(source.path, source.weight, source.labels) for source in config.data] or [(BUNDLED, 1.0, {})]
    held_back: set[str] = set()
    for name, weight, labels in sources:
        held = [dataclasses.replace(article, weight=weight) for article in read_source(name, labels, hashes)]
        if name == BUNDLED:
            held_back |= {article.id for article in held if split_of(article.doc) != "train"}
        articles += held
    id_, times = Counter(article.id for article in articles).most_common(1)[0]
    if times > 1:
        raise OnrecordError(f"id '{id_}' stands twice in the data; ids tell sentences apart, so make them differ")
    if not config.validation:
        parts = split_articles(articles)
        return parts["train"], parts["validation"], hashes
    if Path(config.validation).resolve() in {Path(name).resolve() for name, _, _ in sources}:
        raise OnrecordError(
            f"{config.validation}: the validation data is training data too; give other data, or none for a tenth of it"
        )
    every = {theirs: ours for _, _, labels in sources for theirs, ours in labels.items()}
    choose = read_source(config.validation, every, hashes)
    return [article for article in articles if article.id not in held_back], choose, hashes


def read_source(name: str, labels: Mapping[str, Label], hashes: dict[str, str]) -> list[Article]:
    """Read labelled data with label names of its own, and note the SHA-256 of its files."""
    path = bundled_corpus() if name == BUNDLED else Path(name)
    rows = path.suffix in ROW_SUFFIXES and path.is_file()
    if rows:
        _check_columns(path, {*LABELS, *labels})
    articles = read_rows(path, labels=labels) if rows else read_labelled([path])
    for file, digest in data_hashes([path]).items():
        hashes[f"{name}/{file}" if path.is_dir() else name] = digest
    return articles


def _check_columns(path: Path, names: Collection[str]) -> None:
    """Refuse a CSV whose texts are names of labels: its columns are mixed up."""
    if path.suffix != ".csv":
        return
    csv.field_size_limit(2**30)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        texts = [row.get("text") or "" for row in islice(csv.DictReader(lines), 100)]
    if texts and all(text.strip() in names for text in texts):
        raise OnrecordError(
            f"{path}: the column 'text' holds labels, such as '{texts[0]}'; mend the names in its header"
        )


@contextmanager
def progress_bar(*, hidden: bool = False) -> Iterator[Callable[..., None]]:
    """Show training on stderr: a bar with loss, speed and time left, and a line an epoch.

    It yields a function of a `Progress` and, where there are several runs, of a word that says which.
    """
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar
    from transformers.utils import logging

    silence: Any = logging.disable_progress_bar  # theirs, of loading weights
    silence()
    console = Console(stderr=True)
    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}")]
    with Bar(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("training", total=None, told="")
        reached: list[str] = []

        def tell(progress: Progress, which: str = "") -> None:
            if progress.validation is not None:
                reached[:] = [f"macro F1 {progress.validation['macro_f1']:.3f}"]
            speed, left = (
                f"{progress.sentences_per_second:.0f} sentences/s",
                f"{progress.seconds_left / 60:.1f} min left",
            )
            told = " · ".join([f"loss {progress.loss:.3f}", *reached, speed, left])
            bar.update(
                task,
                description=f"{which}epoch {progress.epoch}/{progress.epochs}",
                completed=(progress.epoch - 1) * progress.steps + progress.step,
                total=progress.epochs * progress.steps,
                told=told,
            )
            if progress.validation is not None:
                figures = progress.validation
                console.print(
                    f"{which}epoch {progress.epoch}/{progress.epochs}: loss {progress.loss:.3f}, "
                    f"validation macro F1 {figures['macro_f1']:.4f}, accuracy {figures['accuracy']:.4f}, "
                    f"{progress.sentences_per_second:.0f} sentences/s",
                    highlight=False,
                    soft_wrap=True,
                )

        yield tell

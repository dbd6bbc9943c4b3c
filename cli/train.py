"""`onrecord train`: fine-tune a model on labelled sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.records import OnrecordError
from ..data.splits import split_articles
from .inputs import data_hashes, read_labelled

if TYPE_CHECKING:
    from ..train.config import TrainConfig
    from ..train.run import Progress


def train_cli(
    data: Annotated[
        list[Path] | None,
        typer.Argument(help="Marked files or folders, or rows (JSONL, CSV, Parquet); the bundled corpus if none."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The model folder to write.")] = Path("runs/model"),
    config: Annotated[Path | None, typer.Option(help="A TOML file; see docs/train-your-own.md.")] = None,
    validation: Annotated[
        Path | None, typer.Option(help="Labelled data to choose the epoch on; without it a tenth of the articles.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The model's name.")] = None,
    encoder: Annotated[str | None, typer.Option(help="A BERT-like encoder: a folder or a hub id.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    learning_rate: Annotated[float | None, typer.Option()] = None,
    seed: Annotated[int | None, typer.Option()] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoint that a stopped run left in --out.")] = False,
) -> None:
    """Train a model and write its folder, ready for 'onrecord score --model'.

    Examples:
        onrecord train -o runs/mine                     # the bundled corpus, 2 CPU cores: under 45 minutes

        onrecord train desk.csv -o runs/desk --epochs 4 --device cuda
    """
    try:
        from ..train.config import read_config
    except ImportError as error:
        raise OnrecordError("training needs the extra 'train': pip install 'onrecord[train]'") from error
    settings = read_config(
        config, name=name, encoder=encoder, epochs=epochs, learning_rate=learning_rate, seed=seed, device=device
    )
    train_model(data or [], out=out, config=settings, validation=validation, resume=resume)


def train_model(
    data: Sequence[Path], *, out: Path, config: TrainConfig, validation: Path | None = None, resume: bool = False
) -> Path:
    """Read the data, split it, train, and write the model folder."""
    try:
        from ..train.build import build
    except ImportError as error:
        raise OnrecordError(f"training needs the extra 'train': pip install 'onrecord[train]' ({error})") from error
    articles = read_labelled(data)
    if validation is None:
        parts = split_articles(articles)
        learn, choose = parts["train"], parts["validation"]
    else:
        learn, choose = articles, read_labelled([validation])
    labels = {item.sentences[index].label for item in learn for index in item.judged} - {None}
    if len(labels) < 2:
        found = ", ".join(sorted(str(label) for label in labels)) or "none at all"
        raise OnrecordError(f"training needs sentences of two labels or more, found: {found}")
    if not any(item.sentences[index].label for item in choose for index in item.judged):
        raise OnrecordError("no article falls into the validation split; give more data, or --validation FILE")
    with progress_bar() as tell:
        build(learn, choose, config, out, data=data_hashes(data), resume=resume, tell=tell)
    typer.echo(f"model written to {out}", err=True)
    return out


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None]]:
    """Show training on stderr: a bar with loss, speed and time left, and a line an epoch."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}")]
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("training", total=None, told="")

        def tell(progress: Progress) -> None:
            told = (
                f"loss {progress.loss:.3f} · {progress.sentences_per_second:.0f} sentences/s · "
                f"{progress.seconds_left / 60:.1f} min left"
            )
            bar.update(
                task,
                description=f"epoch {progress.epoch}/{progress.epochs}",
                completed=(progress.epoch - 1) * progress.steps + progress.step,
                total=progress.epochs * progress.steps,
                told=told,
            )
            if progress.validation is not None:
                figures = progress.validation
                console.print(
                    f"epoch {progress.epoch}/{progress.epochs}: loss {progress.loss:.3f}, "
                    f"validation macro F1 {figures['macro_f1']:.4f}, accuracy {figures['accuracy']:.4f}, "
                    f"{progress.sentences_per_second:.0f} sentences/s",
                    highlight=False,
                )

        yield tell

"""`onrecord bench`: how fast scoring is on this machine, beside the `transformers` pipeline."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..data.corpus import article_text
from ..data.records import Article, OnrecordError
from ..data.splits import split_articles
from .inputs import data_hash, read_labelled

if TYPE_CHECKING:
    from ..eval.speed import Runner, Speed

ONRECORD = (sys.executable, "-c", "from onrecord.cli import main; main()")
INT8, FP32, PIPELINE = "onrecord int8", "onrecord fp32", "transformers pipeline"


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What `onrecord bench` can be told."""

    data: tuple[Path, ...] = ()
    """Labelled files or folders; none: the test split of the bundled corpus."""
    model: Path | None = None
    """A model folder; None: the bundled model."""
    pipeline: Path | None = None
    """A `transformers` text classifier's folder; None: an untrained one on the model's encoder."""
    articles: int = 60
    threads: int | None = None
    """None: as many as this process may use."""
    windows: tuple[tuple[int, int, int], ...] = ()
    """Tokens, sentences before, sentences after: measured beside the model's own."""


def bench(options: BenchOptions, *, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Measure our scorer (int8, fp32 where there are weights), the pipeline where it is installed, and cold commands.

    Raises:
        OnrecordError: There is no article, the model cannot be loaded, or a run failed.
    """
    from ..eval.speed import agreement, measure, quality
    from ..model.folder import bundled_model, load_settings, model_hash
    from ..model.scorer import n_processors

    distinct = read_labelled(options.data)
    if not options.data:
        distinct = split_articles(distinct)["test"]
    distinct = [article for article in distinct if article.sentences][: options.articles]
    if not distinct:
        raise OnrecordError("nothing to measure: the data holds no article")
    articles = list(islice(cycle(distinct), options.articles))
    folder = options.model or bundled_model()
    config, _ = load_settings(folder)
    threads = options.threads or n_processors()
    runs: dict[str, Speed] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for runner in _runners(options, folder, Path(scratch), tell):
            tell(f"{runner.name} …")
            found = measure(runner, articles, threads=threads)
            if runner.name not in runs or _seconds(found) < _seconds(runs[runner.name]):
                runs[runner.name] = found
        commands = _cold_commands(options.model, articles[0], Path(scratch), tell)
    rows = []
    for name, found in runs.items():
        trained = found.runner.kind == "onrecord" or options.pipeline is not None
        row = found.figures() | {"macro_f1": None, "trained": trained}
        if trained and (value := quality(found.verdicts, distinct)) is not None:
            row["macro_f1"] = round(value, 4)
        if found.runner.kind == "pipeline":
            row["batch"] = found.runner.batch
        elif name == INT8 and FP32 in runs:
            row["against_fp32"] = agreement(found.verdicts, runs[FP32].verdicts)
        rows.append(row)
    return {
        "schema_version": 1,
        "data": {
            "name": ", ".join(path.name for path in options.data) or "bundled corpus, test split",
            "sha256": data_hash(options.data),
            "articles": len(articles),
            "sentences": sum(len(article.sentences) for article in articles),
        },
        "model": {"name": config.name, "sha256": model_hash(folder)},
        "machine": {"processor": _processor(), "system": platform.platform(), "threads": threads},
        "versions": {"python": platform.python_version()} | dict(_versions()),
        "runs": rows,
        "commands": commands,
        "times_pipeline": round(_seconds(runs[PIPELINE]) / _seconds(runs[INT8]), 2) if PIPELINE in runs else None,
    }


def _seconds(found: Speed) -> float:
    return found.startup + found.busy


def _runners(options: BenchOptions, folder: Path, scratch: Path, tell: Callable[[str], None]) -> Iterator[Runner]:
    """Yield what is to be measured; the pipeline once for each batch size."""
    from ..eval.speed import PIPELINE_BATCHES, Runner, write_untrained

    ours = Runner(INT8, "onrecord", str(folder.resolve()))
    yield ours
    for windows in options.windows:
        yield replace(ours, name=f"{INT8}, windows {','.join(map(str, windows))}", windows=windows)
    has_torch = find_spec("torch") is not None and find_spec("transformers") is not None
    graph = folder.resolve() / "model.fp32.onnx"
    if not graph.is_file() and has_torch and (folder / "model.safetensors").is_file():
        from ..model.restore import load_network
        from ..train.export import export_onnx

        graph = scratch / "model.fp32.onnx"
        export_onnx(load_network(folder), graph)
    if graph.is_file():
        yield replace(ours, name=FP32, file=str(graph))
    else:
        tell(f"{FP32} is left out: {folder} has neither model.fp32.onnx nor, with the extra 'train', model.safetensors")
    if not has_torch:
        tell(f"{PIPELINE} is left out: it needs the extra 'train'")
        return
    classifier = options.pipeline
    if classifier is None:
        classifier = scratch / "pipeline"
        write_untrained(folder, classifier)
    for batch in PIPELINE_BATCHES:
        yield Runner(PIPELINE, "pipeline", str(classifier.resolve()), batch=batch)


def _cold_commands(
    model: Path | None, article: Article, scratch: Path, tell: Callable[[str], None]
) -> dict[str, float | None]:
    from ..eval.speed import time_command

    tell("cold commands …")
    file = scratch / "article.txt"
    file.write_text(article_text(article)[0], encoding="utf-8")
    chosen = ("--model", str(model)) if model else ()
    both = find_spec("torch") is not None and find_spec("transformers") is not None
    return {
        "onrecord --help": round(time_command((*ONRECORD, "--help")), 3),
        "onrecord score article.txt": round(time_command((*ONRECORD, "score", str(file), *chosen)), 3),
        "python -c 'import torch, transformers'": (
            round(time_command((sys.executable, "-c", "import torch, transformers")), 3) if both else None
        ),
    }


def _processor() -> str:
    """Return the processor's name."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _versions() -> Iterator[tuple[str, str]]:
    for name in ("onrecord", "onnxruntime", "tokenizers", "torch", "transformers"):
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue


def _table(report: dict[str, Any]) -> str:
    """Return the report for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from ..eval.speed import N_LATENCIES

    table = Table(box=SIMPLE_HEAD)
    table.add_column("")
    for title in ("sent./s", "warm", "start-up", "cold start", "p50", "p95", "memory", "macro F1"):
        table.add_column(title, justify="right")
    for row in report["runs"]:
        quality = "not trained" if not row["trained"] else "–" if row["macro_f1"] is None else f"{row['macro_f1']:.3f}"
        table.add_row(
            row["name"] + (f", batch {row['batch']}" if "batch" in row else ""),
            f"{row['sentences_per_second']:.0f}",
            f"{row['sentences_per_second_warm']:.0f}",
            f"{row['startup_s']:.2f} s",
            f"{row['cold_start_s']:.2f} s",
            f"{row['latency_p50_ms']:.0f} ms",
            f"{row['latency_p95_ms']:.0f} ms",
            "–" if row["peak_memory_mb"] is None else f"{row['peak_memory_mb']} MB",
            quality,
        )
    data, machine, model = report["data"], report["machine"], report["model"]
    console = Console(width=120, highlight=False, markup=False, force_terminal=False)
    with console.capture() as captured:
        console.print(table)
    lines = [line.rstrip() for line in captured.get().rstrip().splitlines()]
    lines += [
        "",
        f"{data['articles']} articles, {data['sentences']} sentences ({data['name']}); {machine['threads']} threads, "
        f"{machine['processor']}; model {model['name']} {model['sha256'][:12]}",
        "sent./s counts start-up, 'warm' does not; start-up and cold start (to the first article scored) are from the "
        f"start of the process; p50 and p95 are of one article alone, over the first {N_LATENCIES}.",
    ]
    if report["times_pipeline"] is not None:
        lines.append(f"{INT8} has {report['times_pipeline']:.1f} times the pipeline's sentences a second.")
    lines += [
        f"{row['name']}: {row['against_fp32']['same_label']:.1%} of fp32's labels, mean change of a probability "
        f"{row['against_fp32']['mean_change']:.4f}"
        for row in report["runs"]
        if "against_fp32" in row
    ]
    lines += [f"{seconds:6.2f} s  {name}" for name, seconds in report["commands"].items() if seconds is not None]
    return "\n".join(lines) + "\n"


def _parse_windows(values: Sequence[str]) -> tuple[tuple[int, int, int], ...]:
    from ..model.windows import WindowConfig

    found = []
    for value in values:
        try:
            tokens, before, after = map(int, value.split(","))
            WindowConfig(tokens, before, after)
        except ValueError as error:
            raise typer.BadParameter(f"--windows is '{value}', expected TOKENS,BEFORE,AFTER such as 224,2,1") from error
        found.append((tokens, before, after))
    return tuple(found)


def bench_cli(
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Marked files or folders, or rows; the test split of the bundled corpus if none.", show_default=False
        ),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="A model folder; the bundled model if none.")] = None,
    pipeline: Annotated[
        Path | None,
        typer.Option(help="A transformers text classifier; an untrained one on the same encoder if none."),
    ] = None,
    articles: Annotated[int, typer.Option(min=1, help="How many, repeated where there are fewer.")] = 60,
    threads: Annotated[int | None, typer.Option(min=1, help="All that this process may use if none.")] = None,
    windows: Annotated[
        list[str] | None,
        typer.Option(metavar="TOKENS,BEFORE,AFTER", help="Measure other windows too; may be given again."),
    ] = None,
    format: Annotated[  # noqa: A002
        Literal["table", "json"] | None, typer.Option(help="A table on a terminal, else JSON.", show_default=False)
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file.")] = None,
) -> None:
    """Measure speed on this machine: our scorer, and the transformers pipeline with two sentences of context.

    Each runs in a process of its own over the same articles. Close what else is running; with the pipeline it takes
    some minutes.

    Examples:
        onrecord bench

        onrecord bench --articles 400 --windows 224,1,0 --windows 224,2,1 --format json -o speed.json
    """
    options = BenchOptions(tuple(data or ()), model, pipeline, articles, threads, _parse_windows(windows or ()))
    report = bench(options, tell=lambda line: typer.echo(line, err=True))
    if format is None:
        to_people = sys.stdout.isatty() if output is None else output.suffix.lower() == ".txt"
        format = "table" if to_people else "json"  # noqa: A001
    text = _table(report) if format == "table" else json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        partial = output.with_name(output.name + ".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(output)

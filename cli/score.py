"""`onrecord score`: say for every sentence of articles who stands behind it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..data.read import STDIN, Document, Form, ReadFailure, expand_inputs, read_documents
from ..data.records import OnrecordError
from .partial import Head, hash_files, hash_text, partial_file, partial_path
from .table import WIDTH, visible, write_table
from .writers import WRITERS, Format, Tally, to_record

if TYPE_CHECKING:
    from ..model import Model, ScoredArticle
    from .writers import Result

SUFFIXES: dict[str, Format] = {
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "table",
    "": "jsonl",
}
"""What a file for the results is taken to be."""
BATCH_CHARACTERS = 50_000
"""Text that is scored together: enough to keep all threads busy, little enough to be done soon."""
BATCH_DOCUMENTS = 256


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """What `onrecord score` can be told."""

    inputs: tuple[str, ...]
    """Files, folders, globs, `-`."""
    model: Path | None = None
    """A model folder; None: the bundled model."""
    format: Format = "jsonl"
    input_format: Form | None = None
    """None: told from content and name."""
    output: Path | None = None
    """None: standard output."""
    resume: bool = False
    summary: bool = False
    min_confidence: float | None = None
    """None: what the model folder says."""
    threads: int | None = None
    """None: as many as this process may use."""
    device: Literal["cpu", "cuda"] = "cpu"
    engine: Literal["local", "ray"] = "local"

    def __post_init__(self) -> None:
        if self.resume and (self.output is None or self.format != "jsonl"):
            raise OnrecordError("--resume needs --output and --format jsonl")
        if self.resume and STDIN in self.inputs:
            raise OnrecordError("--resume cannot read standard input a second time; save it to a file first")
        if self.summary and self.format == "html":
            raise OnrecordError("--summary has no HTML form: a page of several articles opens with their summary")
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            raise OnrecordError(f"--min-confidence is {self.min_confidence}, allowed is 0 to 1")


def score(options: ScoreOptions) -> Tally:
    """Score articles and write the results; inputs that fail are told on standard error too.

    Returns:
        How many articles were scored and how many inputs failed.

    Raises:
        OnrecordError: The model cannot be loaded, the output not written, or the run not resumed.
    """
    _check_output(options)
    from ..model import load  # loads onnxruntime

    more: dict[str, Any] = {} if options.device == "cpu" else {"device": options.device}
    model = load(options.model, threads=options.threads, **more)
    if options.min_confidence is not None:
        model.min_confidence = options.min_confidence
    talk = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    tally = Tally()
    with ExitStack() as stack:
        if options.output is None:
            out: BinaryIO = typer.get_binary_stream("stdout")
        else:
            head = _head(model, options)
            out = stack.enter_context(partial_file(options.output, head, resume=options.resume, tally=tally))
        bar = stack.enter_context(_progress(talk, options))
        found: Iterable[Result]
        if options.engine == "ray":
            from ..model.ray_engine import score_with_ray

            everything = score_with_ray(
                options.inputs,
                score=score_documents,
                model=options.model,
                form=options.input_format,
                min_confidence=options.min_confidence,
            )
            found = islice(everything, tally.articles + tally.failed, None)
        else:
            documents = read_documents(options.inputs, form=options.input_format, open_file=bar.open)
            found = score_documents(model, islice(documents, tally.articles + tally.failed, None))
        results = _told(found, tally, talk, bar)
        for chunk in _written(results, tally, options):
            out.write(chunk.encode())
            out.flush()
    if options.output is not None and not tally.articles:
        talk.print(f"onrecord: nothing was scored; {options.output} is not written")
    if tally.foreign:
        what = "1 article does" if tally.foreign == 1 else f"{tally.foreign} articles do"
        talk.print(f"onrecord: {what} not look like English, the only language the model knows")
    return tally


def _check_output(options: ScoreOptions) -> None:
    """Refuse an output that is no file, or that is one of the inputs: it would be gone once the run is done."""
    output = options.output
    if output is None:
        if sys.stdout is None:
            raise OnrecordError("standard output is closed; name a file with --output")
        return
    if output.is_dir():
        raise OnrecordError(f"{output}: this is a folder; name a file in it")
    if output.is_symlink() or (output.exists() and not output.is_file()):
        raise OnrecordError(f"{output}: this is a link, a pipe or a device; leave out --output and redirect (>) to it")
    written = [path for path in (output, partial_path(output)) if path.exists()]
    if not written and not options.resume:
        return
    for name in expand_inputs(options.inputs):
        if isinstance(name, str) and name != STDIN:
            if any(path.samefile(name) for path in written):
                raise OnrecordError(f"{name}: this is an input and the output; write to another file")
            if options.resume and not Path(name).is_file():
                raise OnrecordError(f"--resume cannot read {name} a second time; save it to a file first")


def score_documents(model: Model, items: Iterable[Document | ReadFailure]) -> Iterator[Result]:
    """Score documents in order, a batch at a time; one that cannot be scored becomes a failure in its place."""
    batch: list[Document | ReadFailure] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item.text) if isinstance(item, Document) else 0
        if size >= BATCH_CHARACTERS or len(batch) == BATCH_DOCUMENTS:
            yield from _score_batch(model, batch)
            batch, size = [], 0
    yield from _score_batch(model, batch)


def _score_batch(model: Model, batch: Sequence[Document | ReadFailure]) -> Iterator[Result]:
    documents = [item for item in batch if isinstance(item, Document)]
    scored: Iterator[Result]
    try:
        scored = iter(list(model.score_many((item.id, item.text, item.sentences) for item in documents)))
    except Exception:  # whichever article it was must not cost the others: each is tried alone
        scored = (_score_alone(model, item) for item in documents)
    for item in batch:
        if isinstance(item, ReadFailure):
            yield item
        else:
            result = next(scored)
            yield result if isinstance(result, ReadFailure) else _judged_only(result, item.judged)


def _score_alone(model: Model, document: Document) -> Result:
    try:
        return model.score(document.text, id=document.id, spans=document.sentences)
    except Exception as error:  # told to the user, on standard error and in the output
        return ReadFailure(document.id, "scoring", f"{type(error).__name__}: {error}")


def _judged_only(article: ScoredArticle, judged: tuple[int, ...] | None) -> ScoredArticle:
    """Leave out the sentences that were read as context."""
    if judged is None:
        return article
    sentences = tuple(sentence for sentence in article.sentences if sentence.index in judged)
    cited = (
        replace(source, sentences=tuple(index for index in source.sentences if index in judged))
        for source in article.sources
    )
    return replace(article, sentences=sentences, sources=tuple(source for source in cited if source.sentences))


def _told(results: Iterable[Result], tally: Tally, talk: Console, bar: _Bar) -> Iterator[Result]:
    """Pass results on, counting them and telling of the failures."""
    for result in results:
        tally.add(to_record(result, summary=True))
        if isinstance(result, ReadFailure):
            talk.print(f"onrecord: {visible(result.id)}: {visible(result.message)}")
        bar.show(tally)
        yield result


def _written(results: Iterable[Result], tally: Tally, options: ScoreOptions) -> Iterator[str]:
    if options.format != "table":
        return WRITERS[options.format](results, tally, summary=options.summary)
    terminal = options.output is None and _on_terminal()
    console = Console(highlight=False, markup=False) if terminal else Console(width=WIDTH, force_terminal=False)
    return write_table(results, tally, summary=options.summary, console=console)


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _head(model: Model, options: ScoreOptions) -> Head:
    settings = {
        "onrecord": version("onrecord"),
        "format": options.format,
        "input_format": options.input_format,
        "summary": options.summary,
        "min_confidence": model.min_confidence,
        "device": options.device,
    }
    names = [name for name in expand_inputs(options.inputs) if isinstance(name, str)]
    return {
        "model": model.id.sha256,
        "options": hash_text(json.dumps(settings)),
        "input": hash_files(names) if all(Path(name).is_file() for name in names) else None,
    }


class _CountedFile(io.FileIO):
    """A file that tells how many bytes are read from it."""

    def __init__(self, path: Path, count: Callable[[int], None]) -> None:
        super().__init__(path)
        self._count = count

    def readinto(self, buffer: Any) -> int:
        size = super().readinto(buffer) or 0
        self._count(size)
        return size

    def readall(self) -> bytes:
        data = super().readall()
        self._count(len(data))
        return data


@dataclass(frozen=True, slots=True)
class _Bar:
    """A progress bar that counts the bytes read and shows what has been scored."""

    progress: Progress
    task: TaskID

    def open(self, path: Path) -> BinaryIO:
        return cast("BinaryIO", _CountedFile(path, lambda size: self.progress.advance(self.task, size)))

    def show(self, tally: Tally) -> None:
        self.progress.update(self.task, articles=tally.articles, sentences=tally.counts["sentences"])


@contextmanager
def _progress(talk: Console, options: ScoreOptions) -> Iterator[_Bar]:
    paths = [Path(name) for name in expand_inputs(options.inputs) if isinstance(name, str)]
    total = sum(path.stat().st_size for path in paths if path.is_file())
    columns = (
        BarColumn(),
        TextColumn("{task.fields[articles]} articles, {task.fields[sentences]} sentences"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    mixed_up = options.output is None and _on_terminal()  # the bar and the results on one terminal
    hidden = mixed_up or not talk.is_terminal
    with Progress(*columns, console=talk, transient=True, redirect_stdout=False, disable=hidden) as progress:
        task = progress.add_task("", total=None if STDIN in options.inputs else total, articles=0, sentences=0)
        yield _Bar(progress, task)


def _format_for(output: Path | None) -> Format:
    """Return the format that a file's name, or what standard output is, asks for."""
    if output is None:
        return "table" if _on_terminal() else "jsonl"
    known = SUFFIXES.get(output.suffix.lower())
    if known is None:
        raise typer.BadParameter(f"no format is known for '{output.suffix}'; choose one with --format")
    return known


def score_cli(
    inputs: Annotated[
        list[str], typer.Argument(help="Files, folders, globs, or - for standard input.", show_default=False)
    ],
    model: Annotated[
        Path | None, typer.Option(help="A model folder; else the bundled model.", show_default=False)
    ] = None,
    format: Annotated[  # noqa: A002
        Format | None,
        typer.Option(
            help="A table on a terminal, JSON Lines in a pipe, else by the suffix of --output.", show_default=False
        ),
    ] = None,
    input_format: Annotated[
        Form | None, typer.Option(help="Else told from content and name.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write to a file, which appears when it is whole.", show_default=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted --output (JSON Lines).")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="One line an article, and a total.")] = False,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            help="Below this probability a sentence is marked as abstained; else the model's own.", show_default=False
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Else all that this process may use.", show_default=False)
    ] = None,
    device: Annotated[
        Literal["cpu", "cuda"], typer.Option(help="Where the model runs: `cuda` through torch (extra `train`).")
    ] = "cpu",
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="This process, or the Ray cluster that is found (extra `ray`).")
    ] = "local",
) -> None:
    """Say for every sentence who stands behind it: an identified source, an unidentified one, or nobody.

    onrecord score article.txt
    onrecord score saved-pages/ --format html -o report.html
    onrecord score archive.jsonl -o scored.jsonl --resume
    curl -sL https://example.org/news | onrecord score -

    Reads text, saved web pages (extra `web`), JSON Lines, JSON, CSV and Parquet (extra `parquet`). Exit codes: 0 all
    scored, 1 nothing scored, 2 wrong usage, 3 some inputs failed.
    """
    form = format or _format_for(output)
    try:
        options = ScoreOptions(
            tuple(inputs), model, form, input_format, output, resume, summary, min_confidence, threads, device, engine
        )
    except OnrecordError as error:
        raise typer.BadParameter(str(error)) from error
    tally = score(options)
    if tally.failed:
        raise typer.Exit(3 if tally.articles else 1)

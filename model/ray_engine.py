"""Score on a Ray cluster: our reader and our scorer, spread over the machines by Ray Data.

    files → a reading task each, in a stream → small blocks of documents → actors that hold the model → in order, here

So the results are those of the local engine, in its order. The cluster is the one that Ray finds (`RAY_ADDRESS`, one
started on this machine, else this machine alone); its machines must have this package, and see the input files and the
model folder under the same paths.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.read import STDIN, Document, Form, ReadFailure, expand_inputs, read_documents
from ..data.records import OnrecordError

if TYPE_CHECKING:
    from .scored import ScoredArticle
    from .scorer import Model

    Result = ScoredArticle | ReadFailure
    Score = Callable[[Model, Iterable[Document | ReadFailure]], Iterator[Result]]

BATCH_DOCUMENTS = 16
"""Documents that an actor gets at once."""
BLOCK_BYTES = 1 << 18
"""Documents of one file that go on together: few, so that a single large file keeps all actors busy."""
MOST_TASKS = 1000
"""Reading tasks; with more files than that, a task reads several."""


def score_with_ray(
    inputs: Sequence[str],
    *,
    score: Score,
    model: Path | None = None,
    form: Form | None = None,
    min_confidence: float | None = None,
) -> Iterator[Result]:
    """Score articles on a Ray cluster, and yield the results in the order of the inputs.

    Args:
        inputs: Files, folders and globs, as `read_documents` takes them.
        score: What scores documents with a loaded model, in order; a function of a module.
        model: The model folder; None: the bundled model.
        form: The inputs' form; None tells it from content and name.
        min_confidence: In place of the model folder's own.

    Raises:
        OnrecordError: Ray is not installed, or standard input is among the inputs.
    """
    if STDIN in inputs:
        raise OnrecordError("--engine ray cannot read standard input on other machines; save it to a file first")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise OnrecordError(f"--engine ray needs the extra 'ray': pip install 'onrecord[ray]' ({error})") from error

    # A file by its name; what is no file goes by the name it was given, and fails where it is read.
    names = [found if isinstance(found, str) else name for name in inputs for found in expand_inputs([name])]
    if not names:
        return
    logging.getLogger("ray").setLevel(logging.ERROR)
    is_ours = not ray.is_initialized()
    if is_ours:
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    try:
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.target_max_block_size = BLOCK_BYTES
        context.enable_progress_bars = False
        cluster: Any = ray  # partly typed
        processors = max(1, int(cluster.cluster_resources().get("CPU", 1)))
        results = (
            ray.data.from_items([{"name": name} for name in names], override_num_blocks=min(len(names), MOST_TASKS))
            # Reading asks for no processor of its own, or the actors could leave it none.
            .flat_map(
                partial(_read, folder=str(Path.cwd()), form=form),
                compute=ray.data.TaskPoolStrategy(size=min(processors, len(names))),
                num_cpus=0,
            )
            .map_batches(
                _Scorer,
                fn_constructor_args=(score, None if model is None else str(model.resolve()), min_confidence),
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=processors),
                batch_size=BATCH_DOCUMENTS,
                num_cpus=1,
            )
        )
        for row in results.iter_rows():
            yield row["item"]
    finally:
        if is_ours:
            ray.shutdown()


def _read(row: dict[str, str], *, folder: str, form: Form | None) -> Iterator[dict[str, Any]]:
    """Read one input, in the folder where the command was given: names are relative to it, and ids made of them."""
    os.chdir(folder)
    for item in read_documents([row["name"]], form=form):
        yield {"item": item}


class _Scorer:
    """An actor: a model, loaded once."""

    def __init__(self, score: Score, folder: str | None, min_confidence: float | None) -> None:
        from .scorer import load

        self._score = score
        self._model = load(folder, threads=1)
        if min_confidence is not None:
            self._model.min_confidence = min_confidence

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Result]]:
        return {"item": list(self._score(self._model, batch["item"]))}

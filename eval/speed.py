"""Measure speed: our scorer and the `transformers` pipeline over one set of articles, each in a process of its own.

The parent times a child from its start to the line `ready`; the child times its work. So start-up, the cold start and
the peak of memory belong to one runner alone. The pipeline is the usual way to label sentences in context: the two
sentences before as the first text, the sentence as the second, 256 tokens, sorted by length. Both get the articles
already cut into sentences.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..data.corpus import article_text
from ..data.labels import LABELS, Label
from ..data.records import Article, OnrecordError

PIPELINE_CONTEXT = 2
"""Sentences before each that the pipeline is given."""
PIPELINE_TOKENS = 256
PIPELINE_BATCHES = (1, 8, 32)
N_LATENCIES = 20
"""Articles that are scored alone too."""

Verdict = tuple[str, list[float]]
"""A sentence's label, and its probabilities in the order of `LABELS` (empty where the labels are others)."""
Score = Callable[[Sequence[Sequence[str]]], list[Verdict]]
"""Articles, each as its sentences → a verdict for each sentence, in order."""


@dataclass(frozen=True, slots=True)
class Runner:
    """One way to score articles."""

    name: str
    kind: Literal["onrecord", "pipeline"]
    folder: str
    """Our model folder, or one of a `transformers` text classifier."""
    file: str = "model.onnx"
    """Ours: the graph, in the folder or elsewhere."""
    windows: tuple[int, int, int] | None = None
    """Ours: tokens, sentences before, sentences after; None: as the model folder says."""
    batch: int = 1
    """The pipeline's batch size."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured of one runner."""

    runner: Runner
    startup: float
    """Seconds from the start of the process until the model is loaded."""
    cold: float
    """Seconds from the start of the process until the first article is scored."""
    busy: float
    """Seconds that all articles took, without start-up."""
    latencies: tuple[float, ...]
    """Seconds that each of the first articles took alone, once the process was warm."""
    peak: int | None
    """Bytes of memory at the peak; None where the system does not tell."""
    verdicts: tuple[Verdict, ...]

    def figures(self) -> dict[str, Any]:
        """Return the figures of the report, in the units of their names."""
        count = len(self.verdicts)
        cuts = statistics.quantiles(self.latencies, n=20, method="inclusive") if len(self.latencies) > 1 else []
        median, high = (cuts[9], cuts[18]) if cuts else (self.latencies[0], self.latencies[0])
        return {
            "name": self.runner.name,
            "sentences_per_second": round(count / (self.startup + self.busy), 1),
            "sentences_per_second_warm": round(count / self.busy, 1),
            "startup_s": round(self.startup, 3),
            "cold_start_s": round(self.cold, 3),
            "latency_p50_ms": round(median * 1000, 1),
            "latency_p95_ms": round(high * 1000, 1),
            "peak_memory_mb": None if self.peak is None else round(self.peak / 1e6),
        }


def measure(runner: Runner, articles: Sequence[Article], *, threads: int) -> Speed:
    """Run one runner over the articles in a fresh process.

    Raises:
        OnrecordError: The process failed; the message holds the last line that it wrote.
    """
    texts = [[sentence.text for sentence in article.sentences] for article in articles]
    job = json.dumps({"runner": asdict(runner), "articles": texts, "threads": threads})
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as talk:
        began = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-c", "from onrecord.eval.speed import work; work()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=talk,
            env={**os.environ, **dict.fromkeys(names, str(threads)), **quiet},
            text=True,
            encoding="utf-8",
        )
        with child:
            try:
                if child.stdin is None or child.stdout is None:
                    raise BrokenPipeError
                with child.stdin:
                    child.stdin.write(job)
                ready = child.stdout.readline()
                startup = time.perf_counter() - began
                found = json.loads(child.stdout.readline()) if ready else None
            except (OSError, ValueError):
                found = None
        if found is None or child.returncode:
            talk.seek(0)
            last = (talk.read().strip().splitlines() or [f"exit code {child.returncode}"])[-1]
            raise OnrecordError(f"{runner.name}: the run failed: {last}")
    return Speed(
        runner,
        startup,
        startup + found["first"],
        found["first"] + found["rest"],
        tuple(found["latencies"]),
        found["peak"],
        tuple((label, probabilities) for label, probabilities in found["verdicts"]),
    )


def work() -> None:
    """Be the child: read a job from standard input, tell when the model is loaded, then what was measured."""
    out, sys.stdout = sys.stdout, sys.stderr  # what libraries print is not ours
    job = json.load(sys.stdin)
    runner, articles = Runner(**job["runner"]), job["articles"]
    score = (_load_onrecord if runner.kind == "onrecord" else _load_pipeline)(runner, job["threads"])
    out.write("ready\n")
    out.flush()
    first, verdicts = _timed(score, articles[:1])
    rest, others = _timed(score, articles[1:])
    peak = _peak_memory()
    latencies = [_timed(score, [article])[0] for article in articles[:N_LATENCIES]]
    found = {"first": first, "rest": rest, "latencies": latencies, "peak": peak, "verdicts": verdicts + others}
    out.write(json.dumps(found) + "\n")


def _timed(score: Score, articles: Sequence[Sequence[str]]) -> tuple[float, list[Verdict]]:
    began = time.perf_counter()
    verdicts = score(articles) if articles else []
    return time.perf_counter() - began, verdicts


def _peak_memory() -> int | None:
    """Return the peak of resident memory in bytes; `getrusage` would count the parent's too, from before `exec`."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _load_onrecord(runner: Runner, threads: int) -> Score:
    from ..data.records import Sentence
    from ..model.scorer import Model
    from ..model.windows import WindowConfig

    model = Model(Path(runner.folder), threads=threads, file=runner.file)
    if runner.windows is not None:
        model.config = replace(model.config, windows=WindowConfig(*runner.windows))

    def score(articles: Sequence[Sequence[str]]) -> list[Verdict]:
        joined = [article_text(Article("", "", tuple(Sentence(text) for text in texts), ())) for texts in articles]
        return [
            (sentence.label, [sentence.probabilities[label] for label in LABELS])
            for article in model.score_many(("", text, spans) for text, spans in joined)
            for sentence in article.sentences
        ]

    return score


def _load_pipeline(runner: Runner, threads: int) -> Score:
    import torch
    from transformers import pipeline

    torch.set_num_threads(threads)
    classify: Any = pipeline("text-classification", model=runner.folder, device="cpu", top_k=None)
    classify.model.float()

    def score(articles: Sequence[Sequence[str]]) -> list[Verdict]:
        pairs = [
            {"text": " ".join(texts[max(0, index - PIPELINE_CONTEXT) : index]), "text_pair": texts[index]}
            for texts in articles
            for index in range(len(texts))
        ]
        order = sorted(range(len(pairs)), key=lambda place: len(pairs[place]["text"] + pairs[place]["text_pair"]))
        found = classify(
            [pairs[place] for place in order],
            batch_size=runner.batch,
            truncation=True,
            max_length=min(PIPELINE_TOKENS, classify.model.config.max_position_embeddings),
            padding=True,
        )
        verdicts: list[Verdict] = [("", [])] * len(pairs)
        for place, scores in zip(order, found, strict=True):
            values = {item["label"].lower(): float(item["score"]) for item in scores}
            known = values.keys() == set(LABELS)
            verdicts[place] = (max(values, key=values.__getitem__), [values[name] for name in LABELS] if known else [])
        return verdicts

    return score


def write_untrained(model: Path, folder: Path) -> None:
    """Write a text classifier on the encoder of one of our model folders, untrained: good enough to be timed."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedTokenizerFast
    from transformers.utils import logging

    from ..model.folder import load_settings

    silence: Any = logging.disable_progress_bar
    silence()
    config, _ = load_settings(model)
    settings: dict[str, Any] = {key: value for key, value in config.encoder.items() if key not in _NOT_ENCODER}
    names = dict(enumerate(LABELS))
    encoder = AutoConfig.for_model(
        config.encoder["model_type"],
        **settings,
        id2label=names,
        label2id={label: number for number, label in names.items()},
    )
    make: Any = AutoModelForSequenceClassification.from_config
    make(encoder).to(torch.float32).save_pretrained(folder)
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    cls, sep, pad = (tokenizer.id_to_token(number) for number in asdict(config.special).values())
    wrap: Any = PreTrainedTokenizerFast
    wrap(tokenizer_object=tokenizer, cls_token=cls, sep_token=sep, pad_token=pad).save_pretrained(folder)


_NOT_ENCODER = ("model_type", "architectures", "id2label", "label2id", "num_labels", "transformers_version")


def quality(verdicts: Sequence[Verdict], articles: Sequence[Article]) -> float | None:
    """Return macro F1 over the sentences whose label is known; None where none is, or where the labels are others."""
    import numpy as np

    from .metrics import label_ids, macro_f1

    gold: list[Label | None] = [
        sentence.label if index in article.judged else None
        for article in articles
        for index, sentence in enumerate(article.sentences)
    ]
    known = [(label, found) for label, (found, _) in zip(gold, verdicts, strict=False) if label is not None]
    predicted: list[Label] = [label for _, found in known for label in LABELS if label == found]
    if not known or len(predicted) < len(known):
        return None
    confusion = np.zeros((len(LABELS), len(LABELS)))
    np.add.at(confusion, (label_ids([label for label, _ in known]), label_ids(predicted)), 1)
    return float(macro_f1(confusion))


def agreement(verdicts: Sequence[Verdict], reference: Sequence[Verdict]) -> dict[str, float]:
    """Return the share of labels that two runs have in common, and the mean change of a probability."""
    pairs = list(zip(verdicts, reference, strict=True))
    changes = [abs(a - b) for (_, ours), (_, theirs) in pairs for a, b in zip(ours, theirs, strict=True)]
    return {
        "same_label": round(sum(ours[0] == theirs[0] for ours, theirs in pairs) / len(pairs), 4),
        "mean_change": round(statistics.fmean(changes), 5),
    }


def time_command(command: Sequence[str], *, repeats: int = 3) -> float:
    """Return the median of the seconds that a command takes from start to end.

    Raises:
        OnrecordError: The command failed.
    """
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        # The commands are our own.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
        seconds.append(time.perf_counter() - began)
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise OnrecordError(f"{' '.join(command)}: {last[0]}")
    return statistics.median(seconds)

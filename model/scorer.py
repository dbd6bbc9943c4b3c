"""Score articles: onnxruntime, tokenizers and numpy, nothing else; torch on a GPU.

    from onrecord.model import load
    article = load().score("Two aides said no. The minister denied it.")
    article.sentences[0].label        # 'anonymous'

On the CPU every window is a run of its own, without padding, so that a sentence's score depends on its article alone
and never on what else is scored beside it; windows run in parallel, a thread each.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from ..data.labels import BIO, LABELS, TAGS, Kind, Label
from ..data.language import looks_english
from ..data.records import Article, OnrecordError
from ..data.segment import SEGMENTER, segment
from .calibration import Calibration
from .folder import ModelConfig, bundled_model, load_settings, model_hash
from .judge import Backend, Floats, Judgement, Pack, collate, judge, log_softmax, tokenize
from .scored import Evidence, ModelId, ScoredArticle, ScoredSentence
from .sources import group_sources

_TAG_OF = np.array([0, *(1 + TAGS.index(name[2:]) for name in BIO[1:])])
_BRIDGED = (0, *(0 if tag == "cue" else 2 for tag in TAGS))
"""For each tag, how many words without one may lie within its span: measured in `docs/log.md`."""
_LEAST = np.array([1.0, *({"source": 0.4, "cue": 0.65, "hedge": 0.65}[tag] for tag in TAGS)])
"""For each tag, the probability from which a word carries it: measured in `docs/log.md`."""
_OF_TAG = np.array([[tag == number for number in range(len(TAGS) + 1)] for tag in _TAG_OF], dtype=np.float64)
_OPENS = np.array([name.startswith("B-") for name in BIO])


def _words(offsets: Sequence[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """Return the first token and the one after the last of each word: pieces of a word belong together."""
    starts = [
        place
        for place, (start, _) in enumerate(offsets)
        if place == 0 or offsets[place - 1][1] != start or not text[start - 1 : start + 1].isalnum()
    ]
    return list(zip(starts, [*starts[1:], len(offsets)], strict=True))


def find_evidence(found: Judgement, text: str, label: Label, *, offset: int = 0) -> tuple[Evidence, ...]:
    """Decode the evidence of a sentence word by word: the likeliest tag, if its mean probability suffices.

    What the label guide rules out is left out: a `none` sentence has no evidence, a hedge stands in `unverified` only,
    an `attributed` sentence has no unidentified source. Neighbouring words of one tag are one piece, and two pieces of
    a source or of a hedge with a word or two between them belong together unless the second opens anew.

    Args:
        found: The judgement.
        text: The sentence.
        label: The decided label.
        offset: Where the sentence starts in its article.
    """
    if label == "none" or not found.tokens.offsets:
        return ()
    offsets = found.tokens.offsets
    words = _words(offsets, text)
    starts = [first for first, _ in words]
    bio = np.exp(log_softmax(found.evidence[:, :-1]))  # [n, len(BIO)]
    sizes = np.diff([*starts, len(offsets)])[:, None]
    mass = np.add.reduceat(bio @ _OF_TAG, starts) / sizes  # [words, 1 + len(TAGS)]
    mass[:, 0] = 0
    best = mass.argmax(axis=1)
    opens = bio[starts][:, _OPENS].max(axis=1) > bio[starts][:, ~_OPENS & (_TAG_OF > 0)].max(axis=1)
    runs: list[tuple[int, int, int]] = []  # tag, first word, last word (exclusive)
    for place in np.flatnonzero(mass.max(axis=1) >= _LEAST[best]):
        tag = int(best[place])
        if (
            runs
            and runs[-1][0] == tag
            and (place == runs[-1][2] or (place - runs[-1][2] <= _BRIDGED[tag] and not opens[place]))
        ):
            runs[-1] = (tag, runs[-1][1], int(place) + 1)
        else:
            runs.append((tag, int(place), int(place) + 1))
    unidentified = 1 / (1 + np.exp(-found.evidence[:, -1]))
    evidence: list[Evidence] = []
    for tag, first, last in runs:
        name = TAGS[tag - 1]
        if name == "hedge" and label != "unverified":
            continue
        tokens = slice(words[first][0], words[last - 1][1])
        start, end = offsets[tokens.start][0], offsets[tokens.stop - 1][1]
        kind: Kind | None = None
        if name == "source":
            hidden = label != "attributed" and float(unidentified[tokens].mean()) > 0.5
            kind = "unidentified" if hidden else "identified"
        score = float(mass[first:last, tag].mean())
        evidence.append(Evidence(name, offset + start, offset + end, text[start:end], score, kind))
    return tuple(evidence)


def decide(calibration: Calibration, found: Judgement) -> tuple[Label, dict[Label, float]]:
    """Return the decision on a judgement and its calibrated probabilities."""
    probabilities = calibration.probabilities(found.log_probabilities)
    decided = int(calibration.decide(probabilities[None])[0])
    return LABELS[decided], {label: float(value) for label, value in zip(LABELS, probabilities, strict=True)}


def n_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_Handful = list[tuple[str, str, Sequence[tuple[int, int]]]]
"""Articles that run through the network together: id, text, sentences."""
_HANDFUL = 20_000
"""Characters from which a handful is full."""


def _handfuls(documents: Iterable[tuple[str, str, Sequence[tuple[int, int]] | None]]) -> Iterator[_Handful]:
    handful: _Handful = []
    size = 0
    for name, text, spans in documents:
        handful.append((name, text, segment(text) if spans is None else spans))
        size += len(text)
        if size > _HANDFUL:
            yield handful
            handful, size = [], 0
    if handful:
        yield handful


def onnx_backend(file: Path, pad: int, *, threads: int) -> Backend:
    """Return a backend that runs a graph on the CPU, each window alone.

    Raises:
        OnrecordError: The file is missing or damaged.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises bare exceptions of its own
        raise OnrecordError(f"{file} is missing or damaged ({str(error)[:200]})") from error

    def run(item: Pack) -> tuple[Floats, Floats]:
        ids, mask, pool = collate([item], pad)
        labels, evidence = session.run(None, {"input_ids": ids, "attention_mask": mask, "pool": pool})
        return labels[0], evidence[0]

    def run_all(packs: Sequence[Pack]) -> Iterable[tuple[Floats, Floats]]:
        if threads == 1 or len(packs) == 1:
            return [run(item) for item in packs]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(run, packs))

    return run_all


def gpu_backend(folder: Path, pad: int, *, device: str) -> Backend:
    """Return a backend that runs a model folder's weights through torch in fp32, windows padded to batches.

    Raises:
        OnrecordError: Torch is not installed or does not have the device.
    """
    try:
        import torch

        from .network import torch_backend
        from .restore import load_network
    except ImportError as error:
        raise OnrecordError(
            f"device '{device}' needs torch, and {error.name} is missing: pip install 'onrecord[train]', or use cpu"
        ) from error
    if device != "cuda" or not torch.cuda.is_available():
        raise OnrecordError(f"device '{device}' is not to be had here: torch has no such device; use cpu")
    return torch_backend(load_network(folder).to(device), pad)


class Model:
    """A loaded model folder."""

    def __init__(
        self, folder: Path, *, threads: int | None = None, device: str = "cpu", file: str = "model.onnx"
    ) -> None:
        self.config: ModelConfig
        self.calibration: Calibration
        self.config, self.calibration = load_settings(folder)
        if self.config.segmenter != SEGMENTER:
            raise OnrecordError(
                f"{folder}: trained on sentences of {self.config.segmenter}, this version cuts with {SEGMENTER}; "
                "install the version that trained it, or train again"
            )
        self.threads = threads or n_processors()
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises bare exceptions
            raise OnrecordError(f"{folder}: tokenizer.json is missing or damaged ({str(error)[:200]})") from error
        pad = self.config.special.pad
        self._backend = (
            onnx_backend(folder / file, pad, threads=self.threads)
            if device == "cpu"
            else gpu_backend(folder, pad, device=device)
        )
        self.id = ModelId(self.config.name, model_hash(folder))
        self.min_confidence = self.calibration.min_confidence

    def judge(self, articles: Sequence[tuple[Sequence[str], Sequence[int]]]) -> list[list[Judgement]]:
        """Judge articles, each given as its sentences and the indices of those to judge."""
        stream = iter(tokenize(self._tokenizer, [text for texts, _ in articles for text in texts]))
        cut = [([next(stream) for _ in texts], judged) for texts, judged in articles]
        return judge(cut, self._backend, windows=self.config.windows, special=self.config.special)

    def score(self, text: str, *, id: str = "", spans: Sequence[tuple[int, int]] | None = None) -> ScoredArticle:  # noqa: A002
        """Score one article.

        Args:
            text: The article.
            id: Its name in the output.
            spans: Offsets of its sentences, where they are known; else it is segmented.
        """
        return next(self.score_many([(id, text, spans)]))

    def score_many(
        self, documents: Iterable[tuple[str, str, Sequence[tuple[int, int]] | None]]
    ) -> Iterator[ScoredArticle]:
        """Score articles `(id, text, spans)` in order, a handful at a time, each as if it were alone.

        While one handful runs through the network, the one before it is written up.
        """
        with ThreadPoolExecutor(1) as ahead:
            running: tuple[_Handful, Future[list[list[Judgement]]]] | None = None
            for handful in _handfuls(documents):
                work = [([text[start:end] for start, end in spans], range(len(spans))) for _, text, spans in handful]
                found = ahead.submit(self.judge, work)
                if running is not None:
                    yield from self._write_up(running[0], running[1].result())
                running = handful, found
            if running is not None:
                yield from self._write_up(running[0], running[1].result())

    def _write_up(self, handful: _Handful, judged: Sequence[Sequence[Judgement]]) -> Iterator[ScoredArticle]:
        for (name, text, spans), found in zip(handful, judged, strict=True):
            sentences = []
            for index, ((start, end), judgement) in enumerate(zip(spans, found, strict=True)):
                label, probabilities = decide(self.calibration, judgement)
                evidence = find_evidence(judgement, text[start:end], label, offset=start)
                abstained = probabilities[label] < self.min_confidence
                sentences.append(
                    ScoredSentence(index, start, end, text[start:end], label, probabilities, evidence, abstained)
                )
            language = "en" if looks_english(text) else "other"
            sources = group_sources(text, sentences)
            yield ScoredArticle(name, text, self.id, language, tuple(sentences), sources)


def load(path: str | Path | None = None, *, threads: int | None = None, device: str = "cpu") -> Model:
    """Load a model folder; without one, the model that ships with the package.

    Args:
        path: The folder.
        threads: How many windows run at once; all the processors that this process may use, if None.
        device: `cpu`, or `cuda` where torch has it.

    Raises:
        OnrecordError: The folder is no model folder, or is damaged, or the device is not to be had.
    """
    return Model(bundled_model() if path is None else Path(path), threads=threads, device=device)


def judge_labelled(model: Model, articles: Sequence[Article]) -> list[Judgement]:
    """Judge labelled articles; one judgement for each judged sentence, in order."""
    work = [([sentence.text for sentence in article.sentences], article.judged) for article in articles]
    return [found for article in model.judge(work) for found in article]

"""A learning curve: does more text still pay? `make curve` draws it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl
from accelerate import PartialState
from matplotlib.figure import Figure
from tokenizers import Tokenizer

from ..data.records import Article
from ..eval.label_errors import macro_f1_of
from ..eval.predict import decide_all
from ..model.folder import load_settings, write_json
from ..model.network import torch_backend
from ..model.restore import load_network
from .config import TrainConfig
from .run import judge_articles, train

SHARES = (0.25, 0.5, 1.0)
SEEDS = (13, 14)
EPOCHS = 2


def part_of(articles: Sequence[Article], share: float, seed: int) -> list[Article]:
    """Return a share of the articles, by the hashes of their documents; larger shares of a seed hold the smaller."""
    docs = sorted(
        {article.doc for article in articles}, key=lambda doc: hashlib.sha256(f"{seed} {doc}".encode()).digest()
    )
    kept = set(docs[: max(1, round(share * len(docs)))])
    return [article for article in articles if article.doc in kept]


def measure(
    articles: Sequence[Article],
    choose: Sequence[Article],
    held_out: Mapping[str, Sequence[Article]],
    config: TrainConfig,
) -> dict[str, float]:
    """Train on `articles`, choose the epoch on `choose`, and return the macro F1 in fp32 on each of `held_out`."""
    with TemporaryDirectory() as work:
        folder = Path(work) / "model"
        train(articles, choose, config, folder)
        settings, calibration = load_settings(folder)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        backend = torch_backend(load_network(folder).to(PartialState().device), settings.special.pad)
        scores = {}
        for name, data in held_out.items():
            judged = judge_articles(data, tokenizer, backend, settings.windows, settings.special)
            scores[name] = macro_f1_of(list(decide_all(data, judged, lambda _: calibration)))
        return scores


def plot_curve(points: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the points and the mean of the seeds, over the sentences of training, as SVG."""
    with mpl.rc_context({"svg.hashsalt": "onrecord", "svg.fonttype": "none"}):
        figure = Figure(figsize=(6, 3.6), layout="constrained")
        axes = figure.subplots()
        for name, style in zip(points[0]["macro_f1"], ("o-", "s--", "^:", "v-."), strict=False):
            at: dict[float, list[tuple[int, float]]] = {}
            for point in points:
                at.setdefault(point["share"], []).append((point["sentences"], point["macro_f1"][name]))
            means = [
                tuple(sum(column) / len(held) for column in zip(*held, strict=True)) for _, held in sorted(at.items())
            ]
            (line,) = axes.plot(*zip(*means, strict=True), style, label=f"{name}, mean of the seeds")
            dots = [dot for held in at.values() for dot in held]
            axes.plot(*zip(*dots, strict=True), style[0], color=line.get_color(), alpha=0.4, markersize=4)
        axes.set(xlabel="sentences of training", ylabel="macro F1", xscale="log")
        sizes = sorted({round(sum(s) / len(s)) for s in _sizes(points)})
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes], minor=False)
        axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        partial = path.with_name(path.name + ".partial")
        figure.savefig(partial, format="svg", metadata={"Date": None})
    partial.replace(path)


def _sizes(points: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    shares = sorted({point["share"] for point in points})
    return [[point["sentences"] for point in points if point["share"] == share] for share in shares]


def draw_curve(
    out: Path,
    learn: Sequence[Article],
    choose: Sequence[Article],
    held_out: Mapping[str, Sequence[Article]],
    *,
    data: Mapping[str, str],
    config: TrainConfig | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Train on a quarter, a half and all of the articles, by two seeds; write `curve.json` and `curve.svg`.

    Points that `curve.json` already holds are not trained again.

    Args:
        out: The folder; where it is a model's, the model card shows the curve.
        learn: To learn from.
        choose: To choose the epoch on.
        held_out: To measure on, by name.
        data: SHA-256 of the files, by name, for the record.
        config: How each is trained; by default as ever, for few epochs.
        tell: Called with a line a point.
    """
    record = out / "curve.json"
    points = json.loads(record.read_text(encoding="utf-8"))["points"] if record.is_file() else []
    out.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS:
        for share in SHARES:
            if any((point["share"], point["seed"]) == (share, seed) for point in points):
                continue
            settings = config or TrainConfig(epochs=EPOCHS, seed=seed)
            part = part_of(learn, share, seed)
            scores = measure(part, choose, held_out, settings)
            sentences = sum(len(article.judged) for article in part)
            points.append({"share": share, "seed": seed, "sentences": sentences, "macro_f1": scores})
            write_json(record, {"epochs": settings.epochs, "data": dict(data), "points": points})
            plot_curve(points, out / "curve.svg")
            tell(f"{share:g} of the articles, seed {seed}, {sentences} sentences: {scores}")

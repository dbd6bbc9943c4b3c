"""From data to a model folder that scores: train, export, quantise, calibrate, record."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState
from sklearn.metrics import f1_score

from ..data.labels import LABELS
from ..data.records import Article
from ..model.calibration import fit
from ..model.folder import load_settings, save_settings, write_json
from ..model.restore import load_network, model_folder, weights_file
from ..model.scorer import Model, judge_labelled
from .base import find_encoder
from .config import TrainConfig
from .export import export_onnx, quantize
from .plot import plot_run
from .run import Progress, train


def export(folder: Path, validation: Sequence[Article], *, keep_fp32: bool = False) -> float:
    """Write `model.onnx` from `model.safetensors`, and fit the temperature through the int8 scorer.

    Args:
        folder: A model folder with fp32 weights.
        validation: Labelled articles to fit the temperature on.
        keep_fp32: Leave `model.fp32.onnx` there too, to measure against.

    Returns:
        The int8 scorer's macro F1 on `validation`, each sentence given its likeliest label.
    """
    config, _ = load_settings(folder)
    fp32 = folder / "model.fp32.onnx"
    export_onnx(load_network(folder), fp32)
    quantize(fp32, folder / "model.onnx")
    if not keep_fp32:
        fp32.unlink()
    found = judge_labelled(Model(folder), validation)
    gold = [article.sentences[index].label for article in validation for index in article.judged]
    pairs = [(judgement, LABELS.index(label)) for judgement, label in zip(found, gold, strict=True) if label]
    logs = np.stack([judgement.log_probabilities for judgement, _ in pairs])
    known = [label for _, label in pairs]
    save_settings(folder, config, fit(logs, known, priors=False, fitted_on="the validation split, int8"))
    return float(f1_score(known, logs.argmax(axis=1), average="macro"))


def build(
    articles: Sequence[Article],
    validation: Sequence[Article],
    config: TrainConfig,
    out: Path,
    *,
    data: Mapping[str, str],
    resume: bool = False,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Path:
    """Train, export and calibrate a model; draw the run and write its record.

    Args:
        articles: To learn from.
        validation: To choose the epoch and fit the temperature.
        config: The configuration.
        out: The model folder; of several processes the first alone writes it.
        data: The data files' names and SHA-256, for the training record.
        resume: Go on from a checkpoint in `out`.
        tell: Called with progress.
    """
    train(articles, validation, config, out, resume=resume, tell=tell)
    if not PartialState().is_main_process:
        return out
    metrics = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    record = json.loads((out / "training.json").read_text(encoding="utf-8"))
    plot_run(metrics, out / "training.svg", best_epoch=record["best_epoch"], title=config.name)
    export(out, validation)
    packages = ("onrecord", "torch", "transformers", "tokenizers", "onnx", "onnxruntime", "numpy")
    record |= {
        "data": dict(data),
        "start": _start(config),
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in packages},
        "hardware": f"{platform.machine()}, {torch.get_num_threads()} threads"
        + (f", {torch.cuda.get_device_name()}" if str(record["device"]).startswith("cuda") else ""),
    }
    write_json(out / "training.json", record)
    shutil.rmtree(out / "checkpoint")
    return out


def _start(config: TrainConfig) -> dict[str, str]:
    """Return what the run went out from, with the SHA-256 of the weights."""
    weights = (
        weights_file(model_folder(config.start)) if config.start else find_encoder(config.encoder) / "model.safetensors"
    )
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"from": config.start or config.encoder, "file": weights.name, "sha256": digest}

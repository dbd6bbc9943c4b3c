"""The mean of several runs' weights, as one model.

Runs that went out from one encoder end close enough together for the mean of their weights to be a model, mostly a
better one than each, at the cost of one (Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models
improves accuracy without increasing inference time", 2022).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch

from ..data.records import Article, OnrecordError
from ..model.folder import load_settings, save_settings, write_json
from ..model.restore import load_network
from .build import export
from .checkpoint import write_tensors


def average(runs: Sequence[Path], validation: Sequence[Article], out: Path) -> Path:
    """Write the model folder of the mean; its training record holds those of the runs.

    Args:
        runs: Model folders, two or more.
        validation: Labelled articles to fit the temperature on, which none of the runs learned from.
        out: The folder to write.

    Raises:
        OnrecordError: There is one run only, or they differ in encoder, windows or tokenizer.
    """
    if len(runs) < 2:
        raise OnrecordError("an average needs two runs or more")
    settings = [load_settings(run) for run in runs]
    config, calibration = settings[0]
    tokenizer = (runs[0] / "tokenizer.json").read_bytes()
    for run, (other, _) in zip(runs, settings, strict=True):
        one, two = ((item.encoder, item.special, item.windows, item.segmenter) for item in (config, other))
        if one != two or (run / "tokenizer.json").read_bytes() != tokenizer:
            raise OnrecordError(
                f"{run} differs from {runs[0]} in its encoder, windows or tokenizer; no mean is to be had"
            )
    out.mkdir(parents=True, exist_ok=True)
    states = [load_network(run).state_dict() for run in runs]
    mean = {name: torch.stack([state[name].float() for state in states]).mean(dim=0) for name in states[0]}
    write_tensors(mean, out / "model.safetensors")
    save_settings(out, config, calibration)
    (out / "tokenizer.json").write_bytes(tokenizer)
    macro_f1 = export(out, validation)
    records = [json.loads((run / "training.json").read_text(encoding="utf-8")) for run in runs]
    write_json(out / "training.json", {"validation_macro_f1": macro_f1, "averaged": records})
    return out

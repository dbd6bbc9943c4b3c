"""The training run, top to bottom: read on from `train`."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import load_file, save_file
from sklearn.metrics import f1_score
from tokenizers import Tokenizer
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from ..data.labels import LABELS
from ..data.records import Article, OnrecordError
from ..data.segment import SEGMENTER
from ..model.calibration import fit
from ..model.folder import ModelConfig, save_settings, write_json
from ..model.judge import Backend, Floats, Judgement, Pack, SpecialTokens, collate, in_batches, judge, tokenize
from ..model.network import Network, load_encoder
from ..model.windows import WindowConfig
from .base import find_encoder
from .config import TrainConfig
from .examples import IGNORE, Example, collate_examples, encode, epoch_batches


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run tells while it goes on."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    sentences_per_second: float
    seconds_left: float
    validation: dict[str, float] | None = None
    """At the end of an epoch."""


def torch_backend(network: Network, pad: int, *, batch_tokens: int = 8192) -> Backend:
    """Return a backend that runs the network in fp32 on its own device."""

    def run(packs: Sequence[Pack]) -> Iterable[tuple[Floats, Floats]]:
        device = next(network.parameters()).device
        results: dict[int, tuple[Floats, Floats]] = {}
        network.eval()
        with torch.inference_mode():
            for batch in in_batches(packs, tokens=batch_tokens):
                inputs = (torch.from_numpy(array).to(device) for array in collate([packs[i] for i in batch], pad))
                labels, evidence = network(*inputs)
                for row, index in enumerate(batch):
                    results[index] = (labels[row].float().cpu().numpy(), evidence[row].float().cpu().numpy())
        return [results[index] for index in range(len(packs))]

    return run


def judge_articles(
    articles: Sequence[Article], tokenizer: Tokenizer, backend: Backend, windows: WindowConfig, special: SpecialTokens
) -> list[Judgement]:
    """Judge labelled articles; one judgement for each judged sentence, in order."""
    stream = iter(tokenize(tokenizer, [sentence.text for article in articles for sentence in article.sentences]))
    cut = [([next(stream) for _ in article.sentences], article.judged) for article in articles]
    return [found for article in judge(cut, backend, windows=windows, special=special) for found in article]


def gold_labels(articles: Sequence[Article]) -> list[int]:
    """Return the label ids of all judged sentences, `IGNORE` where unknown."""
    sentences = [article.sentences[index] for article in articles for index in article.judged]
    return [LABELS.index(sentence.label) if sentence.label else IGNORE for sentence in sentences]


def losses(network: torch.nn.Module, batch: dict[str, torch.Tensor], config: TrainConfig) -> torch.Tensor:
    """Return the loss over both heads of a collated batch."""
    labels, evidence = network(batch["input_ids"], batch["attention_mask"], batch["pool"])
    labels, evidence = labels.float(), evidence.float()
    weights = batch["weights"]
    known = batch["labels"] != IGNORE
    sentence = cross_entropy(
        labels.transpose(1, 2),
        batch["labels"],
        ignore_index=IGNORE,
        reduction="none",
        label_smoothing=config.label_smoothing,
    )
    loss = (sentence * weights[:, None]).sum() / (known * weights[:, None]).sum().clamp(min=1e-6)
    tagged = batch["bio"] != IGNORE
    if config.evidence_loss and bool(tagged.any()):
        token = cross_entropy(evidence[..., :-1].transpose(1, 2), batch["bio"], ignore_index=IGNORE, reduction="none")
        loss = loss + config.evidence_loss * (token * weights[:, None]).sum() / (tagged * weights[:, None]).sum().clamp(
            min=1e-6
        )
        sources = batch["kinds"] != IGNORE
        if bool(sources.any()):
            kind = binary_cross_entropy_with_logits(evidence[..., -1][sources], batch["kinds"][sources].float())
            loss = loss + 0.5 * config.evidence_loss * kind
    return loss


def parameter_groups(network: Network, config: TrainConfig) -> list[dict[str, Any]]:
    """Group parameters by learning rate and decay: lower layers learn slower, biases and norms do not decay."""
    layers = [name for name, _ in network.encoder.named_modules() if name.split(".")[-1].isdigit()]
    depth = {name: place for place, name in enumerate(layers)}
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        inner = name.removeprefix("encoder.")
        place = next((depth[layer] + 1 for layer in layers if inner.startswith(f"{layer}.")), 0)
        below = len(layers) - place if name.startswith("encoder.") else 0
        rate = config.learning_rate * config.layer_decay**below
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": params, "lr": rate, "weight_decay": decay} for (rate, decay), params in groups.items()]


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Return the learning rate's factor: a linear climb, then a linear fall to nothing."""
    climb = max(1, round(warmup * steps))
    return (step + 1) / climb if step < climb else max(0.0, (steps - step) / max(1, steps - climb))


def _save_checkpoint(folder: Path, network: Network, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Write all that a resumed run needs, as tensors and JSON, in one rename."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(network.state_dict(), partial / "network.safetensors")
    moments = {
        f"{number}.{name}": torch.as_tensor(value)
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }
    moments["rng"] = torch.get_rng_state()
    if torch.cuda.is_available():
        moments["cuda_rng"] = torch.cuda.get_rng_state()
    save_file({name: value.contiguous() for name, value in moments.items()}, partial / "optimizer.safetensors")
    write_json(partial / "state.json", state)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _load_checkpoint(folder: Path, network: Network, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    network.load_state_dict(load_file(folder / "network.safetensors"))
    flat = load_file(folder / "optimizer.safetensors")
    torch.set_rng_state(flat.pop("rng"))
    cuda = flat.pop("cuda_rng", None)
    if cuda is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(cuda)
    saved = optimizer.state_dict()
    for name, value in flat.items():
        number, key = name.split(".", 1)
        saved["state"].setdefault(int(number), {})[key] = value
    optimizer.load_state_dict(saved)
    state: dict[str, Any] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    return state


def load_tokenizer(encoder: Path) -> tuple[Tokenizer, SpecialTokens]:
    """Return an encoder's fast tokenizer and the ids of its special tokens."""
    from transformers import AutoTokenizer

    wrapped = AutoTokenizer.from_pretrained(encoder)
    tokenizer: Tokenizer = wrapped.backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ids = (wrapped.cls_token_id, wrapped.sep_token_id, wrapped.pad_token_id)
    if any(number is None for number in ids):
        raise OnrecordError(f"{encoder}: its tokenizer lacks a [CLS], [SEP] or [PAD] token; use a BERT-like encoder")
    return tokenizer, SpecialTokens(*ids)


def train(
    articles: Sequence[Article],
    validation: Sequence[Article],
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    network: Network | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Path:
    """Train a network and write its model folder, without the exported scorer.

    Args:
        articles: To learn from.
        validation: To choose the best epoch by label macro F1, and to fit the temperature.
        config: The configuration.
        out: The folder to write; its checkpoint stands in it until the run is done.
        resume: Go on from the checkpoint in `out`, where there is one.
        network: Start from this instead of the configured encoder with new heads.
        tell: Called after each step and each epoch.

    Returns:
        `out`.
    """
    bf16 = config.bf16 and _has_bf16(config.device)
    accelerator = Accelerator(
        cpu=config.device == "cpu", mixed_precision="bf16" if bf16 else "no", step_scheduler_with_optimizer=False
    )
    set_seed(config.seed)
    encoder = find_encoder(config.encoder)
    tokenizer, special = load_tokenizer(encoder)
    network = network or load_encoder(str(encoder))
    network.dropout.p = config.dropout
    encoded = encode(articles, tokenizer)
    rank, world = accelerator.process_index, accelerator.num_processes

    def batches_of(epoch: int) -> list[list[Example]]:
        found = epoch_batches(
            encoded,
            tokens=config.windows.tokens,
            batch_tokens=config.batch_tokens,
            special=special,
            seed=config.seed,
            epoch=epoch,
        )
        return found[rank : len(found) - len(found) % world : world] if world > 1 else found

    per_epoch = max(1, len(batches_of(0)) // config.accumulate)
    steps = per_epoch * config.epochs
    optimizer = torch.optim.AdamW(parameter_groups(network, config), lr=config.learning_rate)
    base_rates = [group["lr"] for group in optimizer.param_groups]
    model, optimizer = accelerator.prepare(network, optimizer)
    checkpoint = out / "checkpoint"
    state: dict[str, Any] = {"epoch": 0, "best": -1.0, "best_epoch": -1, "seconds": 0.0, "history": []}
    if resume and checkpoint.is_dir():
        state = _load_checkpoint(checkpoint, network, optimizer)
        if state["config"] != json.loads(json.dumps(dataclasses.asdict(config))):
            raise OnrecordError(
                f"{checkpoint} was written with another configuration; give the same, or leave out --resume"
            )
    out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter() - state["seconds"]
    n_sentences = sum(label != IGNORE for article in encoded for label in article.labels)
    gold = gold_labels(validation)

    for epoch in range(state["epoch"], config.epochs):
        model.train()
        epoch_began, done, running = time.perf_counter(), 0, 0.0
        batches = batches_of(epoch)
        for number in range(per_epoch):
            factor = rate_at(epoch * per_epoch + number, steps, config.warmup)
            for group, rate in zip(optimizer.param_groups, base_rates, strict=True):
                group["lr"] = rate * factor
            optimizer.zero_grad()
            for part in batches[number * config.accumulate : (number + 1) * config.accumulate]:
                arrays = collate_examples(part, special.pad)
                batch = {name: torch.from_numpy(array).to(accelerator.device) for name, array in arrays.items()}
                with accelerator.autocast():
                    loss = losses(model, batch, config) / config.accumulate
                accelerator.backward(loss)
                done += sum(len(example.labels) for example in part) * world
                running = (
                    loss.item() * config.accumulate
                    if not running
                    else 0.95 * running + 0.05 * loss.item() * config.accumulate
                )
            accelerator.clip_grad_norm_(model.parameters(), config.clip_norm)
            optimizer.step()
            now = time.perf_counter()
            left = (now - epoch_began) / (number + 1) * (steps - epoch * per_epoch - number - 1)
            tell(Progress(epoch + 1, config.epochs, number + 1, per_epoch, running, done / (now - epoch_began), left))
        train_seconds = time.perf_counter() - epoch_began
        judged = judge_articles(validation, tokenizer, torch_backend(network, special.pad), config.windows, special)
        measured = _validate(judged, gold)
        measured |= {"epoch": epoch + 1, "train_loss": running, "sentences_per_second": done / train_seconds}
        state["history"].append(measured)
        tell(Progress(epoch + 1, config.epochs, per_epoch, per_epoch, running, done / train_seconds, 0.0, measured))
        better = measured["macro_f1"] > state["best"]
        if better:
            state |= {"best": measured["macro_f1"], "best_epoch": epoch + 1}
        state |= {"epoch": epoch + 1, "seconds": time.perf_counter() - began, "config": dataclasses.asdict(config)}
        if accelerator.is_main_process:
            if better:
                _replace_tensors(network.state_dict(), out / "model.safetensors")
            _save_checkpoint(checkpoint, network, optimizer, state)
        accelerator.wait_for_everyone()
        if epoch + 1 - state["best_epoch"] >= config.patience:
            break

    network.load_state_dict(load_file(out / "model.safetensors"))
    if accelerator.is_main_process:
        judged = judge_articles(validation, tokenizer, torch_backend(network, special.pad), config.windows, special)
        logs = np.stack([found.log_probabilities for found in judged])
        known = [place for place, label in enumerate(gold) if label != IGNORE]
        calibration = fit(logs[known], [gold[place] for place in known], priors=False, fitted_on="the validation split")
        settings = ModelConfig(config.name, network.encoder_config(), special, config.windows, SEGMENTER)
        save_settings(out, settings, calibration)
        tokenizer.save(str(out / "tokenizer.json"))
        write_json(
            out / "training.json",
            {
                "config": dataclasses.asdict(config),
                "sentences": n_sentences,
                "articles": len(articles),
                "validation_sentences": len(known),
                "best_epoch": state["best_epoch"],
                "validation_macro_f1": state["best"],
                "seconds": round(state["seconds"], 1),
                "device": str(accelerator.device),
                "bf16": bf16,
                "processes": world,
                "threads": torch.get_num_threads(),
                "history": state["history"],
            },
        )
        shutil.rmtree(checkpoint)
    return out


def _has_bf16(device: str) -> bool:
    """Whether bfloat16 is worth having here: on CPUs only with the instructions for it."""
    if device in {"auto", "cuda"} and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    if device == "mps" or (device == "auto" and torch.backends.mps.is_available()):
        return False
    check: Callable[[], bool] = torch.ops.mkldnn._is_mkldnn_bf16_supported
    return check()


def _replace_tensors(tensors: dict[str, torch.Tensor], path: Path) -> None:
    partial = path.with_name(path.name + ".partial")
    save_file({name: value.contiguous().cpu() for name, value in tensors.items()}, partial)
    partial.replace(path)


def _validate(judged: Sequence[Judgement], gold: Sequence[int]) -> dict[str, float]:
    """Return the validation figures: label macro F1 over the labels present, accuracy, mean log loss."""
    known = [place for place, label in enumerate(gold) if label != IGNORE]
    truth = np.array([gold[place] for place in known])
    logs = np.stack([judged[place].log_probabilities for place in known])
    guess = logs.argmax(axis=1)
    macro = f1_score(truth, guess, labels=sorted(set(truth.tolist())), average="macro", zero_division=0)
    return {
        "macro_f1": float(macro),
        "accuracy": float((truth == guess).mean()),
        "loss": float(-logs[np.arange(len(truth)), truth].mean()),
    }

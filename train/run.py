"""The training run, top to bottom: read on from `train`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, set_seed
from safetensors.torch import load_file
from sklearn.metrics import f1_score
from tokenizers import Tokenizer
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from ..data.labels import LABELS
from ..data.records import Article, OnrecordError
from ..data.rows import write_jsonl
from ..data.segment import SEGMENTER
from ..model.calibration import fit
from ..model.folder import ModelConfig, load_settings, save_settings, write_json
from ..model.judge import Backend, Judgement, SpecialTokens, judge, tokenize
from ..model.network import Network, load_encoder, torch_backend
from ..model.restore import load_network, model_folder
from ..model.windows import WindowConfig
from .base import find_encoder
from .checkpoint import load_checkpoint, read_state, save_checkpoint, write_tensors
from .config import TrainConfig
from .examples import IGNORE, MULTIPLE, Example, collate_examples, encode, epoch_batches

STEP_LINES = 50
"""How many lines of `metrics.jsonl` tell of an epoch's training loss."""


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


def count_targets(batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the summed weights of what a collated batch teaches: labels, evidence tags, source kinds `[3]`."""
    weights = batch["weights"][:, None]
    return torch.stack([((batch[name] != IGNORE) * weights).sum() for name in ("labels", "bio", "kinds")])


def losses(
    network: torch.nn.Module, batch: dict[str, torch.Tensor], config: TrainConfig, counts: torch.Tensor
) -> torch.Tensor:
    """Return the loss over both heads of a collated batch.

    Args:
        network: The network.
        batch: A collated batch.
        config: The configuration.
        counts: `count_targets` summed over all batches of the step, so that batches accumulated, or spread over
            processes, teach what one large batch would.
    """
    labels, evidence = network(batch["input_ids"], batch["attention_mask"], batch["pool"])
    labels, evidence = labels.float(), evidence.float()
    weights = batch["weights"][:, None]
    n_labels, n_tags, n_kinds = counts.clamp(min=1e-6).unbind()
    sentence = cross_entropy(
        labels.transpose(1, 2),
        batch["labels"],
        ignore_index=IGNORE,
        reduction="none",
        label_smoothing=config.label_smoothing,
    )
    loss: torch.Tensor = (sentence * weights).sum() / n_labels
    if config.evidence_loss and bool((batch["bio"] != IGNORE).any()):
        token = cross_entropy(evidence[..., :-1].transpose(1, 2), batch["bio"], ignore_index=IGNORE, reduction="none")
        loss = loss + config.evidence_loss * (token * weights).sum() / n_tags
        sources = batch["kinds"] != IGNORE
        if bool(sources.any()):
            kind = binary_cross_entropy_with_logits(
                evidence[..., -1][sources],
                batch["kinds"][sources].float(),
                weights.expand_as(sources)[sources],
                reduction="sum",
            )
            loss = loss + 0.5 * config.evidence_loss * (kind / n_kinds)
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


@dataclass(frozen=True, slots=True)
class Start:
    """What a run goes out from."""

    network: Network
    tokenizer: Tokenizer
    special: SpecialTokens
    windows: WindowConfig


def load_start(config: TrainConfig) -> Start:
    """Load the model that a configuration goes on from, or its encoder with new heads.

    Raises:
        OnrecordError: There is none, it is damaged, or its windows are not the configured ones.
    """
    if config.start:
        folder = model_folder(config.start)
        settings, _ = load_settings(folder)
        if config.windows not in (WindowConfig(), settings.windows):
            raise OnrecordError(
                f"windows are {config.windows.tokens}/{config.windows.before}/{config.windows.after} "
                f"(tokens/before/after), but {folder} brings its own; leave [windows] out, or 'start'"
            )
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        return Start(load_network(folder), tokenizer, settings.special, settings.windows)
    encoder = find_encoder(config.encoder)
    tokenizer, special = load_tokenizer(encoder)
    return Start(load_encoder(str(encoder)), tokenizer, special, config.windows)


def train(
    articles: Sequence[Article],
    validation: Sequence[Article],
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Path:
    """Train a network and write its model folder, without the exported scorer.

    Where `torchrun` or `accelerate launch` started several processes, each trains on its share of the batches, and the
    first one validates, tells and writes.

    Args:
        articles: To learn from.
        validation: To choose the best epoch by label macro F1, of equal ones by loss, and to fit the temperature.
        config: The configuration.
        out: The folder to write; a `checkpoint` stands in it, which `build.build` deletes when all is done.
        resume: Go on from the checkpoint in `out`, where there is one.
        tell: Called after each step and each epoch.

    Returns:
        `out`.

    Raises:
        OnrecordError: The data teaches nothing, or what the configuration asks for is not there.
    """
    _check_data(articles, validation)
    _check_device(config.device)
    bf16 = config.bf16 and _has_bf16(config.device)
    accelerator = Accelerator(
        cpu=config.device == "cpu", mixed_precision="bf16" if bf16 else "no", step_scheduler_with_optimizer=False
    )
    rank, world = accelerator.process_index, accelerator.num_processes
    set_seed(config.seed)
    start = load_start(config)
    network, tokenizer, special = start.network, start.tokenizer, start.special
    config = _with_windows(config, start)
    network.dropout.p = config.dropout
    if rank:  # the first process's weights go to all; its dropout does not
        torch.manual_seed(config.seed + rank)
    encoded = encode(articles, tokenizer)

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
    optimizer = torch.optim.AdamW(parameter_groups(network, config), lr=config.learning_rate, fused=True)
    base_rates = [group["lr"] for group in optimizer.param_groups]
    model, optimizer = accelerator.prepare(network, optimizer)
    checkpoint = out / "checkpoint"
    data = hashlib.sha256(repr((articles, validation)).encode("utf-8", "surrogatepass")).hexdigest()
    state: dict[str, Any] = {"epoch": 0, "seconds": 0.0, "metrics": []}
    if resume and checkpoint.is_dir():
        state = read_state(checkpoint)
        if state["config"] != json.loads(json.dumps(dataclasses.asdict(config))):
            raise OnrecordError(
                f"{checkpoint} was written with another configuration; give the same, or leave out --resume"
            )
        if state.get("data") != data:
            raise OnrecordError(f"{checkpoint} was written with other data; give the same, or leave out --resume")
        load_checkpoint(checkpoint, network, optimizer)
    elif resume and (out / "training.json").is_file():
        raise OnrecordError(f"{out} holds a finished model; leave out --resume to train it anew")
    out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter() - state["seconds"]
    gold = gold_labels(validation)
    backend = torch_backend(network, special.pad)

    for epoch in range(state["epoch"], config.epochs):
        if epoch - _risen(state["metrics"]) >= config.patience:
            break
        model.train()
        epoch_began, done, running = time.perf_counter(), 0, 0.0
        batches = batches_of(epoch)
        for number in range(per_epoch):
            factor = rate_at(epoch * per_epoch + number, steps, config.warmup)
            for group, rate in zip(optimizer.param_groups, base_rates, strict=True):
                group["lr"] = rate * factor
            optimizer.zero_grad()
            examples = batches[number * config.accumulate : (number + 1) * config.accumulate]
            parts = [_on_device(part, special.pad, accelerator.device) for part in examples]
            none = torch.zeros(3, device=accelerator.device)  # an epoch may be cut into fewer batches than the first
            counts = accelerator.reduce(sum((count_targets(part) for part in parts), none), "sum")
            step_loss = 0.0
            for part in parts:
                with accelerator.autocast():
                    loss = losses(model, part, config, counts) * world  # processes take the mean of their gradients
                accelerator.backward(loss)
                step_loss += loss.item()
            accelerator.clip_grad_norm_(model.parameters(), config.clip_norm)
            optimizer.step()
            done += sum(len(example.labels) for part in examples for example in part) * world
            running = step_loss if not running else 0.95 * running + 0.05 * step_loss
            if (number + 1) % max(1, per_epoch // STEP_LINES) == 0:
                state["metrics"].append(
                    {
                        "epoch": epoch + 1,
                        "step": epoch * per_epoch + number + 1,
                        "train_loss": running,
                        "learning_rate": config.learning_rate * factor,
                    }
                )
            if accelerator.is_main_process:
                now = time.perf_counter()
                left = (now - epoch_began) / (number + 1) * (steps - epoch * per_epoch - number - 1)
                speed = done / (now - epoch_began)
                tell(Progress(epoch + 1, config.epochs, number + 1, per_epoch, running, speed, left))
        speed = done / (time.perf_counter() - epoch_began)
        measured = dict.fromkeys(("macro_f1", "accuracy", "loss"), 0.0)
        if accelerator.is_main_process:
            measured = _validate(judge_articles(validation, tokenizer, backend, config.windows, special), gold)
        if world > 1:  # all processes must stop early together
            figures = broadcast(torch.tensor(list(measured.values()), device=accelerator.device)).tolist()
            measured = dict(zip(measured, figures, strict=True))
        measured |= {"epoch": epoch + 1, "train_loss": running, "sentences_per_second": speed}
        state["metrics"].append({"step": (epoch + 1) * per_epoch} | measured)
        if accelerator.is_main_process:
            tell(Progress(epoch + 1, config.epochs, per_epoch, per_epoch, running, speed, 0.0, measured))
        state |= {
            "epoch": epoch + 1,
            "seconds": time.perf_counter() - began,
            "config": dataclasses.asdict(config),
            "data": data,
        }
        if accelerator.is_main_process:
            if _kept(state["metrics"])["epoch"] == epoch + 1:
                write_tensors(network.state_dict(), out / "model.safetensors")
            write_jsonl(out / "metrics.jsonl", state["metrics"])
            save_checkpoint(checkpoint, network, optimizer, state)
        accelerator.wait_for_everyone()

    if accelerator.is_main_process:
        network.load_state_dict(load_file(out / "model.safetensors"))
        judged = judge_articles(validation, tokenizer, backend, config.windows, special)
        logs = np.stack([found.log_probabilities for found in judged])
        known = [place for place, label in enumerate(gold) if label != IGNORE]
        calibration = fit(logs[known], [gold[place] for place in known], priors=False, fitted_on="the validation split")
        settings = ModelConfig(config.name, network.encoder_config(), special, config.windows, SEGMENTER)
        save_settings(out, settings, calibration)
        (out / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
        write_json(
            out / "training.json",
            {
                "config": dataclasses.asdict(config),
                "sentences": sum(label != IGNORE for article in encoded for label in article.labels),
                "articles": len(articles),
                "validation_sentences": len(known),
                "best_epoch": _kept(state["metrics"])["epoch"],
                "validation_macro_f1": _kept(state["metrics"])["macro_f1"],
                "seconds": round(state["seconds"], 1),
                "device": str(accelerator.device),
                "bf16": bf16,
                "processes": world,
                "threads": torch.get_num_threads(),
                "history": [line for line in state["metrics"] if "macro_f1" in line],
            },
        )
    return out


def _kept(metrics: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the line of the best epoch; small validation splits give equal macro F1, and the loss decides."""
    return max((line for line in metrics if "macro_f1" in line), key=lambda line: (line["macro_f1"], -line["loss"]))


def _risen(metrics: Sequence[dict[str, Any]]) -> int:
    """Return the last epoch in which the macro F1 rose above all before it; 0 if there is none."""
    epochs = [line for line in metrics if "macro_f1" in line]
    return int(max(epochs, key=lambda line: line["macro_f1"])["epoch"]) if epochs else 0


def _check_data(articles: Sequence[Article], validation: Sequence[Article]) -> None:
    """Refuse data that teaches nothing, or that no epoch can be chosen on."""
    labels = {article.sentences[index].label for article in articles for index in article.judged} - {None}
    if len(labels) < 2:
        found = ", ".join(sorted(str(label) for label in labels)) or "none at all"
        raise OnrecordError(f"training needs sentences of two labels or more, found: {found}")
    if not any(article.sentences[index].label for article in validation for index in article.judged):
        raise OnrecordError("no labelled article falls into the validation split; give more data, or --validation FILE")


def _check_device(device: str) -> None:
    """Refuse a device that this machine, or this build of torch, does not have."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device, True):
        raise OnrecordError(
            f"device is {device}, but torch {torch.__version__} finds none here; "
            "take --device auto, or install the build of torch for your hardware"
        )


def _with_windows(config: TrainConfig, start: Start) -> TrainConfig:
    """Return the configuration with the windows that hold, if the encoder has positions enough for them."""
    encoder: Any = start.network.encoder.config
    positions = getattr(encoder, "max_position_embeddings", None)
    if positions and encoder.model_type in {"roberta", "xlm-roberta", "camembert"}:
        positions -= encoder.pad_token_id + 1  # theirs are counted from behind the padding's
    width = start.windows.tokens + -start.windows.tokens % MULTIPLE
    if positions and width > positions:
        raise OnrecordError(
            f"windows.tokens is {start.windows.tokens}, in training {width} with padding, but the encoder has only "
            f"{positions} positions; allowed are up to {positions - positions % MULTIPLE}"
        )
    try:
        return dataclasses.replace(config, windows=start.windows)
    except ValueError as error:
        raise OnrecordError(f"configuration: {error}") from error


def _on_device(part: Sequence[Example], pad: int, device: torch.device) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array).to(device) for name, array in collate_examples(part, pad).items()}


def _has_bf16(device: str) -> bool:
    """Whether bfloat16 is worth having here: on CPUs only with the instructions for it."""
    if device in {"auto", "cuda"} and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    if device == "mps" or (device == "auto" and torch.backends.mps.is_available()):
        return False
    check: Callable[[], bool] = torch.ops.mkldnn._is_mkldnn_bf16_supported
    return check()


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

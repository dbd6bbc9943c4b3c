"""The configuration of a training run: one frozen dataclass, read from TOML, overridden by the command line."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..data.labels import LABELS, Label
from ..data.records import OnrecordError
from ..model.windows import WindowConfig

Device = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda", "mps")
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """Labelled data to learn from: a `[[data]]` table."""

    path: str = "bundled"
    """A marked file, a folder of them, or rows; `bundled` is the bundled corpus."""
    weight: float = 1.0
    """How much each of its sentences counts."""
    labels: dict[str, Label] = field(default_factory=dict)
    """A table from the file's own label names to ours, for rows."""

    def __post_init__(self) -> None:
        """Reject what cannot be learnt from.

        Raises:
            ValueError: Names the field, its value and what is allowed.
        """
        if not self.weight > 0:
            raise ValueError(f"data.weight is {self.weight}, allowed are: above 0")
        for theirs, ours in self.labels.items():
            if ours not in LABELS:
                raise ValueError(f"data.labels.{theirs} is {ours!r}, allowed are: {', '.join(LABELS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Everything that decides a training run."""

    name: str = "onrecord"
    """The model's name, which every output carries."""
    data: tuple[DataSource, ...] = ()
    """What to learn from; the bundled corpus if none."""
    validation: str = ""
    """Labelled data to choose the epoch on; without it, a tenth of the articles."""
    start: str = ""
    """A model folder to go on from with its tokenizer and windows, or `bundled`; empty: `encoder` with new heads."""
    encoder: str = ENCODER
    """A BERT-like encoder: a hub id or a folder; not read with `start`."""
    epochs: int = 6
    """Passes over the training articles, cut into new windows each time."""
    learning_rate: float = 1.5e-4
    """The highest rate, of the last encoder layer and the heads; AdamW."""
    layer_decay: float = 1.0
    """The factor from each encoder layer to the one below it; 1 gives all layers the same rate."""
    warmup: float = 0.1
    """The part of the steps in which the rate climbs; it falls to nothing in the rest."""
    weight_decay: float = 0.01
    """AdamW's decay of weight matrices."""
    dropout: float = 0.1
    """Dropout before both heads."""
    batch_tokens: int = 2048
    """Tokens of a batch, padding included."""
    accumulate: int = 1
    """Batches for each step of the optimiser; several processes multiply them."""
    label_smoothing: float = 0.0
    """The share of a label's probability that is spread over the others."""
    evidence_loss: float = 0.5
    """Weight of the evidence loss beside the label loss."""
    clip_norm: float = 1.0
    """The gradient's largest norm."""
    patience: int = 2
    """Stop after so many epochs without a better validation macro F1."""
    seed: int = 13
    """Reaches initial heads, cuts, shuffling and dropout."""
    device: Device = "auto"
    """`auto` takes CUDA, then MPS, then the CPU."""
    bf16: bool = True
    """Compute in bfloat16 where the hardware has it."""
    windows: WindowConfig = field(default_factory=WindowConfig)
    """How articles are cut."""

    def __post_init__(self) -> None:
        """Reject values that cannot train.

        Raises:
            ValueError: Names the field, its value and what is allowed.
        """
        rules = {
            "encoder": (not self.start or self.encoder == ENCODER, "none beside 'start', whose model has its own"),
            "epochs": (self.epochs >= 1, "1 and up"),
            "learning_rate": (0 < self.learning_rate < 1, "between 0 and 1"),
            "layer_decay": (0 < self.layer_decay <= 1, "above 0, at most 1"),
            "warmup": (0 <= self.warmup < 1, "0 to below 1"),
            "weight_decay": (self.weight_decay >= 0, "0 and up"),
            "dropout": (0 <= self.dropout < 1, "0 to below 1"),
            "batch_tokens": (
                self.batch_tokens >= self.windows.tokens,
                f"windows.tokens ({self.windows.tokens}) and up",
            ),
            "accumulate": (self.accumulate >= 1, "1 and up"),
            "label_smoothing": (0 <= self.label_smoothing < 1, "0 to below 1"),
            "evidence_loss": (self.evidence_loss >= 0, "0 and up"),
            "clip_norm": (self.clip_norm > 0, "above 0"),
            "patience": (self.patience >= 1, "1 and up"),
            "device": (self.device in DEVICES, ", ".join(DEVICES)),
        }
        for name, (fine, allowed) in rules.items():
            if not fine:
                raise ValueError(f"{name} is {getattr(self, name)}, allowed are: {allowed}")


def _build(kind: type[Any], values: dict[str, Any], prefix: str = "") -> Any:
    """Build a dataclass from a table, its field types checked."""
    fields = [item.name for item in dataclasses.fields(kind)]
    defaults = kind()
    built: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1, cutoff=0)[0]
            raise ValueError(f"unknown key '{prefix}{name}'; the nearest known one is '{prefix}{near}'")
        default = getattr(defaults, name)
        if name == "data":
            if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
                raise ValueError(f"data must be tables [[data]], found {value!r}")
            built[name] = tuple(_build(DataSource, item, "data.") for item in value)
            continue
        if dataclasses.is_dataclass(default):
            if not isinstance(value, dict):
                raise ValueError(f"{prefix}{name} must be a table, found {value!r}")
            built[name] = _build(type(default), value, f"{prefix}{name}.")
            continue
        wanted = type(default)
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted:
            raise ValueError(f"{prefix}{name} is {value!r}, expected {wanted.__name__}, such as {default!r}")
        built[name] = value
    return kind(**built)


def read_config(path: Path | None = None, **overrides: Any) -> TrainConfig:
    """Read a configuration from TOML; `overrides` that are not None win.

    Raises:
        OnrecordError: The file cannot be read, a key is unknown, or a value is not allowed.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise OnrecordError(f"{path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise OnrecordError(f"{path}: not TOML ({error})") from error
    values |= {name: value for name, value in overrides.items() if value is not None}
    try:
        config: TrainConfig = _build(TrainConfig, values)
    except ValueError as error:
        raise OnrecordError(f"{path or 'configuration'}: {error}") from error
    return config

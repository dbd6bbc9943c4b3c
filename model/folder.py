"""The model folder: what it holds, and its named pair of functions for settings.

    config.json        name, label names, encoder architecture, windows, special tokens, segmenter
    calibration.json   temperature, biases, costs, threshold, and what they were fitted on
    tokenizer.json     the tokenizer, for `tokenizers`
    model.onnx         int8 weights, for scoring
    model.safetensors  fp32 weights, for training on (the bundled model leaves them out)
    training.json      the training record: configuration, data hashes, seed, versions, hardware, time
    metrics.jsonl      figures of each epoch and of every so many steps; training.svg shows them
    README.md          the model card, and report/ on the validation articles

Nothing is loaded by pickle, and no code comes with a folder.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ..data.labels import BIO, LABELS
from ..data.records import OnrecordError
from .calibration import Calibration
from .judge import SpecialTokens
from .windows import WindowConfig

FORMAT = 1
DECIDING = ("config.json", "calibration.json", "tokenizer.json", "model.onnx")
"""The files that decide a score; their hash is the model's."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What `config.json` holds."""

    name: str
    encoder: dict[str, Any]
    """The encoder's own configuration, as `transformers` writes it."""
    special: SpecialTokens
    windows: WindowConfig
    segmenter: str
    """The segmenter that cut the training articles and must cut the scored ones."""
    format: int = FORMAT
    labels: tuple[str, ...] = LABELS
    evidence: tuple[str, ...] = BIO


def bundled_model() -> Path:
    """Return the folder of the model that ships with the package."""
    return Path(str(resources.files(__package__) / "bundled"))


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OnrecordError(
            f"{folder} is no model folder: it has no {name}; give a folder that 'onrecord train' wrote"
        ) from error
    except NotADirectoryError as error:
        raise OnrecordError(f"{folder} is a file; a model is a folder that 'onrecord train' wrote") from error
    except (OSError, ValueError) as error:
        raise OnrecordError(f"{path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise OnrecordError(f"{path}: expected an object, found {type(value).__name__}")
    return value


def save_settings(folder: Path, config: ModelConfig, calibration: Calibration) -> None:
    """Write `config.json` and `calibration.json`."""
    write_json(folder / "config.json", dataclasses.asdict(config))
    write_json(folder / "calibration.json", dataclasses.asdict(calibration))


def load_settings(folder: Path) -> tuple[ModelConfig, Calibration]:
    """Read `config.json` and `calibration.json`.

    Raises:
        OnrecordError: The folder is no model folder, of another format or for other labels.
    """
    raw = _read_json(folder, "config.json")
    if raw.get("format") != FORMAT:
        raise OnrecordError(f"{folder}/config.json: format {raw.get('format')!r}, this version reads format {FORMAT}")
    if tuple(raw.get("labels", ())) != LABELS or tuple(raw.get("evidence", ())) != BIO:
        raise OnrecordError(f"{folder}/config.json: labels {raw.get('labels')}, this version knows {list(LABELS)}")
    try:
        config = ModelConfig(
            name=raw["name"],
            encoder=raw["encoder"],
            special=SpecialTokens(**raw["special"]),
            windows=WindowConfig(**raw["windows"]),
            segmenter=raw["segmenter"],
        )
        values = _read_json(folder, "calibration.json")
        calibration = Calibration(**{**values, "bias": tuple(values["bias"])})
    except (KeyError, TypeError, ValueError) as error:
        raise OnrecordError(f"{folder}: config.json or calibration.json is incomplete ({error})") from error
    return config, calibration


def model_hash(folder: Path) -> str:
    """Return the SHA-256 over the hashes of the files that decide a score."""
    total = hashlib.sha256()
    for name in DECIDING:
        with (folder / name).open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()

"""Write weights, and all that a stopped run needs to go on: tensors and JSON, no pickle, each whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ..data.records import OnrecordError
from ..model.folder import write_json
from ..model.network import Network


def write_tensors(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write a safetensors file.

    Raises:
        OnrecordError: There is no room for it, or the folder may not be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        save_file({name: value.contiguous().cpu() for name, value in tensors.items()}, partial)
        partial.replace(path)
    except SafetensorError as error:  # the library's word for an OSError
        partial.unlink(missing_ok=True)
        raise OnrecordError(f"{path} cannot be written: {error}") from error


def save_checkpoint(folder: Path, network: Network, optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Write weights, moments, random states and `state` (JSON), in one rename."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_tensors(network.state_dict(), partial / "network.safetensors")
    moments = {
        f"{number}.{name}": torch.as_tensor(value)
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }
    moments["rng"] = torch.get_rng_state()
    if torch.cuda.is_available():
        moments["cuda_rng"] = torch.cuda.get_rng_state()
    write_tensors(moments, partial / "optimizer.safetensors")
    write_json(partial / "state.json", state)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def read_state(folder: Path) -> dict[str, Any]:
    """Return the `state` of a checkpoint."""
    state: dict[str, Any] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    return state


def load_checkpoint(folder: Path, network: Network, optimizer: torch.optim.Optimizer) -> None:
    """Put a checkpoint's weights, moments and random states in place."""
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

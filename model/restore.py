"""Build the network of a model folder again, to train on: from its fp32 weights, or from the 8-bit ones of its scorer.

The 8-bit graph holds a matrix as `NAME.int8` and `NAME.scale` (see `train/export.py`). Tables keep the name of their
parameter; a linear layer's matrix has a name of the exporter's, so it is known by the bias that its product adds.
What 8 bits have rounded away stays away.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors import SafetensorError
from safetensors.torch import load_file

from ..data.records import OnrecordError
from .folder import bundled_model, load_settings
from .network import Network, build_network

BUNDLED = "bundled"
"""What the model that ships with the package is called where a folder is asked for."""


def model_folder(name: str) -> Path:
    """Return the folder that a name stands for."""
    return bundled_model() if name == BUNDLED else Path(name)


def weights_file(folder: Path) -> Path:
    """Return the file that a folder's weights are taken from: fp32 where there are such.

    Raises:
        OnrecordError: It has none.
    """
    for name in ("model.safetensors", "model.onnx"):
        if (folder / name).is_file():
            return folder / name
    raise OnrecordError(f"{folder}: no model.safetensors and no model.onnx; give a folder that 'onrecord train' wrote")


def load_network(folder: Path) -> Network:
    """Build the network of a model folder with its weights.

    Raises:
        OnrecordError: The folder is no model folder, or its weights are damaged or not those of its network.
    """
    config, _ = load_settings(folder)
    file = weights_file(folder)
    network = build_network(config.encoder)
    try:
        held = load_file(file) if file.suffix == ".safetensors" else dequantize(file)
    except (SafetensorError, OSError, ValueError, onnx.checker.ValidationError) as error:
        raise OnrecordError(f"{file} is damaged ({error}); fetch or train it again") from error
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in held or held[name].shape != wanted[name].shape]
    if missing:
        raise OnrecordError(
            f"{file} lacks {len(missing)} of the network's tensors, such as '{missing[0]}'; "
            "go on from a folder that still has its model.safetensors"
        )
    network.load_state_dict({name: held[name] for name in wanted})
    return network


def dequantize(file: Path) -> dict[str, torch.Tensor]:
    """Return the parameters in an 8-bit graph by the names that they have in the network."""
    try:
        graph = onnx.load(str(file)).graph
    except Exception as error:  # protobuf's DecodeError is no public name
        raise ValueError(str(error)) from error
    held = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    found: dict[str, NDArray[np.generic]] = {name: value for name, value in held.items() if "." in name}
    for name in [name.removesuffix(".int8") for name in held if name.endswith(".int8")]:
        values = held[f"{name}.int8"].astype(np.float32) * held[f"{name}.scale"]
        layer = _layer_of(f"{name}.int8", graph)
        # ONNX multiplies by [in, out], torch keeps [out, in].
        found |= {name: values} if layer is None else {f"{layer}.weight": values.T}
    return {name: torch.from_numpy(np.array(value)) for name, value in found.items()}


def _layer_of(matrix: str, graph: onnx.GraphProto) -> str | None:
    """Return the layer whose bias is added to the product with a matrix; None where there is none."""
    biases = {item.name for item in graph.initializer if item.name.endswith(".bias")}
    node = next((node for node in graph.node if matrix in node.input), None)
    return next((name.removesuffix(".bias") for name in (node.input if node else ()) if name in biases), None)

"""Export a trained network to ONNX and quantise it to 8 bits.

Weights are 8-bit integers with a scale for each column; activations are quantised as they come, with one scale for the
input of a product. So a score depends on what else stands in the run, and the scorer gives every window a run of its
own. The embedding table is kept in 8 bits too, a scale for each row.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ..model.network import Network

OPSET = 20


def export_onnx(network: Network, path: Path) -> None:
    """Write the network's fp32 graph; batch, sentences and tokens stay dynamic."""
    network = network.eval().cpu()
    tokens = torch.randint(1, 100, (2, 24))
    inputs = (tokens, torch.ones_like(tokens), torch.full((2, 3, 24), 1 / 24))
    batch, length, sentences = (torch.export.Dim(name, min=1, max=512) for name in ("batch", "length", "sentences"))
    shapes = ({0: batch, 1: length}, {0: batch, 1: length}, {0: batch, 1: sentences, 2: length})
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecations
        program: Any = torch.onnx.export(
            network,
            inputs,
            dynamo=True,
            opset_version=OPSET,
            input_names=["input_ids", "attention_mask", "pool"],
            output_names=["labels", "evidence"],
            dynamic_shapes=shapes,
            verbose=False,
        )
    partial = path.with_name(path.name + ".partial")
    program.save(str(partial))
    partial.replace(path)


def _int8(weights: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantise symmetrically, with a scale for each slice that is left when `axis` is reduced."""
    scale = np.abs(weights).max(axis=axis, keepdims=True) / 127
    scale[scale == 0] = 1
    return np.rint(weights / scale).astype(np.int8), scale.astype(np.float32)


def quantize(source: Path, path: Path) -> None:
    """Write the 8-bit graph of an fp32 one: every product with a constant matrix, and the large tables."""
    model = onnx.load(str(source))
    graph = model.graph
    weights = {item.name: item for item in graph.initializer}
    readers = {name: node for node in graph.node for name in node.input}
    nodes: list[onnx.NodeProto] = []
    fused: set[str] = set()

    def quantized(name: str, axis: int) -> tuple[str, str]:
        values, scale = _int8(numpy_helper.to_array(weights[name]), axis)
        graph.initializer.append(numpy_helper.from_array(values, f"{name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scale.squeeze(0) if axis == 0 else scale, f"{name}.scale"))
        return f"{name}.int8", f"{name}.scale"

    for node in graph.node:
        matrix = weights.get(node.input[1]) if node.op_type == "MatMul" else None
        table = weights.get(node.input[0]) if node.op_type == "Gather" else None
        out = node.output[0]
        if out in fused:
            continue
        if matrix is not None and len(matrix.dims) == 2:
            inputs = [node.input[0], *quantized(matrix.name, axis=0)]
            after = readers.get(out)
            bias = weights.get(after.input[1]) if after is not None and after.op_type == "Add" else None
            if after is not None and bias is not None and len(bias.dims) == 1:
                out = after.output[0]
                fused.add(out)
                inputs += ["", bias.name]  # no zero points, and the bias
            nodes.append(helper.make_node("DynamicQuantizeMatMul", inputs, [out], domain="com.microsoft"))
        elif table is not None and len(table.dims) == 2 and table.dims[0] * table.dims[1] > 100_000:
            int8, scales = quantized(table.name, axis=1)
            nodes += [
                helper.make_node("Gather", [int8, node.input[1]], [f"{out}.int8"], axis=0),
                helper.make_node("Gather", [scales, node.input[1]], [f"{out}.scale"], axis=0),
                helper.make_node("Cast", [f"{out}.int8"], [f"{out}.float"], to=onnx.TensorProto.FLOAT),
                helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out]),
            ]
        else:
            nodes.append(node)
    used = {name for node in nodes for name in node.input}
    kept = [item for item in graph.initializer if item.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    del graph.value_info[:], model.opset_import[:]
    model.opset_import.extend([helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)])
    for node in graph.node:  # what the exporter notes of its own source does not belong in a release
        del node.metadata_props[:]
        node.doc_string = ""
    partial = path.with_name(path.name + ".partial")
    onnx.save(model, str(partial))
    partial.replace(path)

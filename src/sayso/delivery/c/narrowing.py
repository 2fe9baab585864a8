"""Which layers of a network are int8: all but those that would move its logits too far."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.delivery.c.graph import Graph
from sayso.delivery.c.narrow import Narrow, round_layers

__all__ = ["narrow_layers"]

Array = NDArray[Any]
_MOST_MOVED = 0.015
"""Of a logit, on sound like speech. On ten minutes of digits no logit of two networks moved by more than 0.016 then."""


def narrow_layers(content: bytes, graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Narrow]:
    """Make the weights of convolutions and dense layers int8, where logits stay within 0.015 of what they were.

    Where they do not, the layers that move them farthest stay float.

    Args:
        content: of the ONNX file.
        graph: what was read of it.
        inputs: of the file, with sound that is like what it will hear.

    Returns:
        By the tensors that these layers make.
    """
    layers = [node for node in graph.nodes if node.operator in ("Conv", "Gemm") and node.inputs[1] in graph.constants]
    heard = _compute(content, inputs, [node.inputs[0] for node in layers])
    found = round_layers(graph, layers, heard)
    logits = graph.outputs[0]
    exact = _compute(content, inputs, [logits])[logits]

    def moved(some: Mapping[str, Narrow]) -> float:
        return float(np.abs(_compute(content, inputs, [logits], some)[logits] - exact).max())

    if moved(found) <= _MOST_MOVED:
        return found
    farthest = sorted(found, key=lambda each: moved({each: found[each]}))
    while farthest and moved({each: found[each] for each in farthest}) > _MOST_MOVED:
        farthest.pop()
    return {each: found[each] for each in farthest}


def _compute(
    content: bytes, inputs: Mapping[str, Array], wanted: list[str], narrow: Mapping[str, Narrow] | None = None
) -> dict[str, Array]:
    """Compute some tensors of a graph, with the weights of some layers as they are where they are int8."""
    import onnxruntime

    onnx = import_module("onnx")
    model = onnx.load_from_string(content)
    told = {each.name for each in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=each) for each in {*wanted} - told)
    for node in model.graph.node:
        if narrow and node.output and node.output[0] in narrow:
            _replace_weights(onnx, model.graph, node, narrow[node.output[0]])
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    made = session.run(wanted, dict(inputs))
    return {each: np.asarray(value) for each, value in zip(wanted, made, strict=True)}


def _replace_weights(onnx: Any, graph: Any, node: Any, narrow: Narrow) -> None:
    weights = narrow.weights
    if node.op_type == "Gemm" and not any(each.name == "transB" and each.i for each in node.attribute):
        weights = weights.T
    bias = narrow.shift
    if len(node.input) > 2:
        (own,) = (each for each in graph.initializer if each.name == node.input[2])
        bias = bias + onnx.numpy_helper.to_array(own)
    names = [f"{node.output[0]}.{each}" for each in ("weights", "bias")]
    for name, values in zip(names, (weights, bias), strict=True):
        graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
    del node.input[1:]
    node.input.extend(names)

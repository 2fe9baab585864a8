"""The networks of a model as int8: static quantisation by onnxruntime, in the QDQ form that every runtime reads.

What is quantised are the layers below the modules that the file's metadata name (`networks`); each node tells by its
scopes which module it came from. The front end stays in float. Activations are uint8, weights int8 of seven bits, one
scale a channel: with eight bits, processors without VNNI add two products in 16 bits, which saturate (measured on AVX2
alone, of ten digits 98.5 % were right on validation instead of 99.6; with seven bits the answers are the same on both).
int8 activations were half as fast. See https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html.
"""

import ast
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.delivery.model_bytes import read_metadata, with_metadata
from sayso.system.installed import needing_training_packages

__all__ = ["SCHEME", "Feed", "front_end", "network_alone", "quantise", "quantised_share", "weight_bytes"]

SCHEME = "activations uint8, weights int8 of seven bits with a scale for each channel, QDQ"
Feed = Mapping[str, NDArray[Any]]
"""What a graph's inputs get."""
_LAYERS = ("Conv", "Gemm", "MatMul")
# What stands between layers, and would cost a conversion there and back.
_BETWEEN = ("Add", "Relu", "LeakyRelu", "Clip")
_SCOPES = "pkg.torch.onnx.name_scopes"
# The default of files that an earlier Sayso made.
_NETWORKS = '["network"]'


def quantise(model: bytes, feeds: Iterable[Feed]) -> bytes:
    """Give the same model with its networks' layers in int8.

    Args:
        model: an ONNX file that Sayso exported, with layers that become int8.
        feeds: real inputs, by which the range of every activation is measured.

    Raises:
        MissingExtraError: the package `onnx` is not installed.
    """
    graph, kept = _load(model), read_metadata(model)
    quantisation = _quantisation()
    nodes = [node.name for node in _quantised(graph, kept)]
    # It regrets loudly that its own preparation was not run, which the exporter's work makes needless.
    _onnx().helper.set_model_props(graph, {"onnx.quant.pre_process": "onnxruntime.quant"})
    with tempfile.TemporaryDirectory(prefix="sayso-int8-") as folder:
        path = Path(folder) / "model.onnx"
        quantisation.quantize_static(
            graph,
            str(path),
            _reader(quantisation, feeds),
            quant_format=quantisation.QuantFormat.QDQ,
            activation_type=quantisation.QuantType.QUInt8,
            weight_type=quantisation.QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            nodes_to_quantize=nodes,
            op_types_to_quantize=[*_LAYERS, *_BETWEEN],
        )
        made: Any = _onnx().load(str(path))
    del made.metadata_props[:]
    return with_metadata(made.SerializeToString(), kept)


def quantised_share(model: bytes) -> float:
    """Say what share of its networks' numbers are in layers that become int8, in [0, 1]. Raises as `quantise`."""
    graph, metadata = _load(model), read_metadata(model)
    sizes = _sizes(graph)
    nodes = (node for node in _quantised(graph, metadata) if node.op_type in _LAYERS)
    held, all_of = (
        sum(sizes.get(name, 0) for name in {name for node in chosen for name in node.input})
        for chosen in (nodes, _of_networks(graph, metadata))
    )
    return held / all_of if all_of else 0.0


def front_end(model: bytes) -> tuple[bytes, list[str]]:
    """Cut a model where its networks begin; gives what is before, and the names of what goes from there to them."""
    whole = _load(model)
    names = _boundary(whole, read_metadata(model))
    inputs = list(whole.graph.input)
    return _part(whole, inputs, [_onnx().ValueInfoProto(name=name) for name in names]), names


def network_alone(model: bytes, given: Feed) -> bytes:
    """Cut a model, or its int8 form, where its networks begin; gives all that follows.

    Args:
        model: the model.
        given: what they get from the front end.
    """
    whole, helper = _load(model), _onnx().helper
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in given.items()
    ]
    return _part(whole, inputs, list(whole.graph.output))


def weight_bytes(model: bytes, *, of: bytes) -> int:
    """Count the bytes of the networks' numbers.

    Args:
        model: the model, or its int8 form, whose scales count as well.
        of: the model itself, whose nodes have scopes.
    """
    whole = _load(of)
    names = {name for node in _of_networks(whole, read_metadata(of)) for name in node.input}
    own, all_of = _sizes(whole), _sizes(_load(model))
    return sum(all_of.values()) - sum(size for name, size in own.items() if name not in names)


def _quantised(graph: Any, metadata: Mapping[str, str]) -> Iterator[Any]:
    """Yield the nodes that become int8.

    A convolution that reads one channel stays in float: it has few numbers, what enters it is all that the rest can
    know, and in int8 it is slower (measured: the pretrained network takes 0.64 ms with it in int8, 0.56 without).
    """
    channels = {entry.name: list(entry.dims)[1:2] for entry in graph.graph.initializer}
    for node in _of_networks(graph, metadata):
        reads_one = node.op_type == "Conv" and channels.get(node.input[1]) == [1] and _groups(node) == 1
        if node.op_type in (*_LAYERS, *_BETWEEN) and not reads_one:
            yield node


def _groups(node: Any) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)


def _of_networks(graph: Any, metadata: Mapping[str, str]) -> Iterator[Any]:
    names: list[str] = json.loads(metadata.get("networks", _NETWORKS))
    for node in graph.graph.node:
        if any(scope == name or scope.startswith(f"{name}.") for scope in _scopes(node) for name in names):
            yield node


def _scopes(node: Any) -> list[str]:
    """Names of the modules that a node came from, the outermost first, as torch's exporter notes them."""
    noted = next((entry.value for entry in node.metadata_props if entry.key == _SCOPES), "[]")
    return [str(scope) for scope in ast.literal_eval(noted)]


def _boundary(graph: Any, metadata: Mapping[str, str]) -> list[str]:
    """Names of what networks, and what follows them, get from elsewhere."""
    known = {entry.name for entry in graph.graph.initializer} | {""}
    first = {node.name for node in _of_networks(graph, metadata)}
    made: set[str] = set()
    heard: dict[str, None] = {}
    for node in graph.graph.node:  # in the order in which they are computed
        if node.name in first or made & set(node.input):
            made |= set(node.output)
            heard |= dict.fromkeys(name for name in node.input if name not in made and name not in known)
    return list(heard)


def _part(whole: Any, inputs: list[Any], outputs: list[Any]) -> bytes:
    """Keep what computes these outputs from these inputs."""
    needed, given = {each.name for each in outputs}, {each.name for each in inputs}
    kept: list[Any] = []
    for node in reversed(whole.graph.node):
        if (needed - given) & set(node.output):
            needed |= set(node.input)
            kept.insert(0, node)
    numbers = [entry for entry in whole.graph.initializer if entry.name in needed]
    for field, entries in (("node", kept), ("initializer", numbers), ("input", inputs), ("output", outputs)):
        copies = [type(entry).FromString(entry.SerializeToString()) for entry in entries]
        del getattr(whole.graph, field)[:]
        getattr(whole.graph, field).extend(copies)
    return whole.SerializeToString()


def _sizes(graph: Any) -> dict[str, int]:
    to_array = _onnx().numpy_helper.to_array
    return {entry.name: int(np.asarray(to_array(entry)).nbytes) for entry in graph.graph.initializer}


def _load(model: bytes) -> Any:
    graph: Any = _onnx().load_from_string(model)
    # Sizes in between that are written down may be those of another batch; whoever reads the file works them out.
    del graph.graph.value_info[:]
    return graph


def _reader(quantisation: Any, feeds: Iterable[Feed]) -> Any:
    class Reader(quantisation.CalibrationDataReader):
        """Gives one feed after the other, then None."""

        def __init__(self) -> None:
            self.left = iter(feeds)

        def get_next(self) -> Feed | None:
            return next(self.left, None)

    return Reader()


def _onnx() -> Any:
    with needing_training_packages("int8 models"):
        return import_module("onnx")


def _quantisation() -> Any:
    with needing_training_packages("int8 models"):
        return import_module("onnxruntime.quantization")

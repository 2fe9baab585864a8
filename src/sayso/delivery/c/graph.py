"""An ONNX graph for one hop or one window: what of it hangs on the sound, with every size and every constant known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.errors import MissingExtraError, ModelError

__all__ = ["Graph", "Node", "Shape", "read_graph", "slice_of"]

Shape = tuple[int, ...]
# What gives a tensor's size, which is known.
_SIZES = ("Shape", "Size")


@dataclass(frozen=True)
class Node:
    """One operation."""

    operator: str
    inputs: tuple[str, ...]
    """Names of tensors; empty where one that may be left out is."""
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def output(self) -> str:
        """Its first output."""
        return self.outputs[0]


@dataclass(frozen=True)
class Graph:
    """Operations in the order in which they are done."""

    nodes: tuple[Node, ...]
    shapes: Mapping[str, Shape]
    constants: Mapping[str, NDArray[Any]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def made_by(self, tensor: str) -> Node | None:
        """Give the node that makes a tensor; None for inputs and constants."""
        return next((node for node in self.nodes if tensor in node.outputs), None)

    def readers(self, tensor: str) -> list[Node]:
        """Give the nodes that read a tensor."""
        return [node for node in self.nodes if tensor in node.inputs]

    def only_reader(self, tensor: str, operator: str) -> Node | None:
        """Give the only node that reads a tensor, if it is of that operator."""
        readers = self.readers(tensor)
        return readers[0] if len(readers) == 1 and readers[0].operator == operator else None

    def constant(self, node: Node, place: int) -> NDArray[Any] | None:
        """Give an input of a node where it is a constant."""
        return self.constants.get(node.inputs[place]) if place < len(node.inputs) else None

    def replaced(self, old: set[str], new: Node) -> "Graph":
        """Give the graph with the nodes that make the tensors `old` left out, and `new` where the last of them was."""
        left_out = [place for place, node in enumerate(self.nodes) if node.output in old]
        nodes = [node for place, node in enumerate(self.nodes) if place not in left_out]
        place = left_out[-1] + 1 - len(left_out)
        return replace(self, nodes=(*nodes[:place], new, *nodes[place:]))

    def needed(self) -> "Graph":
        """Give the graph without what no output hangs on."""
        wanted, kept = set(self.outputs), list[Node]()
        for node in reversed(self.nodes):
            if wanted & {*node.outputs}:
                kept.append(node)
                wanted |= {*node.inputs}
        return replace(self, nodes=tuple(reversed(kept)))


def read_graph(content: bytes, *, name: str) -> Graph:
    """Read an ONNX file, axes without a size as of size 1: one clip, or one chunk of a stream.

    Sizes and constants are those that onnxruntime finds: it computes the graph once, every step of it an output.

    Args:
        content: of the file.
        name: of the file, for messages.

    Raises:
        MissingExtraError: the package `onnx` is not installed.
        ModelError: the graph cannot be computed.
    """
    onnx = _onnx()
    model = onnx.load_from_string(content)
    graph = model.graph
    initializers = {each.name: np.asarray(onnx.numpy_helper.to_array(each)) for each in graph.initializer}
    inputs = {each.name: _shape(each) for each in graph.input if each.name not in initializers}
    outputs = tuple(each.name for each in graph.output)
    nodes = tuple(_nodes(onnx, graph))
    values = _compute(onnx, model, inputs, name=name)
    fixed = {**initializers}
    for node in nodes:
        if node.operator in _SIZES or all(not each or each in fixed for each in node.inputs):
            fixed |= {each: values[each] for each in node.outputs if each}
    shapes = {each: value.shape for each, value in {**values, **fixed}.items()} | inputs
    live = tuple(node for node in nodes if node.outputs[0] not in fixed)
    return Graph(live, shapes, fixed, tuple(inputs), outputs).needed()


def slice_of(graph: Graph, node: Node) -> tuple[int, int, int] | None:
    """Give axis, begin and end of a slice of one axis, step by step; None for any other node."""
    if node.operator != "Slice" or not all(each in graph.constants for each in node.inputs[1:] if each):
        return None
    starts, ends, axes, steps = (graph.constant(node, place) for place in range(1, 5))
    shape = graph.shapes[node.inputs[0]]
    if starts is None or ends is None or starts.size != 1 or (steps is not None and steps[0] != 1):
        return None
    axis = int(axes[0]) % len(shape) if axes is not None else 0
    begin, end, _ = slice(int(starts[0]), int(ends[0])).indices(shape[axis])
    return axis, begin, end


def _onnx() -> Any:
    try:
        return import_module("onnx")
    except ImportError as error:
        raise MissingExtraError("models as C", extra="c") from error


def _shape(value: Any) -> Shape:
    return tuple(axis.dim_value or 1 for axis in value.type.tensor_type.shape.dim)


def _nodes(onnx: Any, graph: Any) -> Iterator[Node]:
    for node in graph.node:
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        yield Node(node.op_type, tuple(node.input), tuple(node.output), attributes)


def _compute(onnx: Any, model: Any, inputs: Mapping[str, Shape], *, name: str) -> dict[str, NDArray[Any]]:
    """Compute every tensor on silence."""
    import onnxruntime

    told = {each.name for each in model.graph.output}
    steps = [each for node in model.graph.node for each in node.output if each and each not in told]
    model.graph.output.extend(onnx.ValueInfoProto(name=each) for each in steps)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        names = [each.name for each in session.get_outputs()]
        made = session.run(names, {each: np.zeros(shape, np.float32) for each, shape in inputs.items()})
    except Exception as error:  # onnxruntime's own errors share no base
        raise ModelError(f"{name}: damaged, onnxruntime cannot compute it step by step; export it again") from error
    return {each: np.asarray(value) for each, value in zip(names, made, strict=True)}

"""From the operators of a graph to the steps of a program in C: `OPERATORS` are those that it knows."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from sayso.delivery.c import layers
from sayso.delivery.c.front_end import FRAMES, FrontEnd
from sayso.delivery.c.graph import Graph, Node, Shape
from sayso.delivery.c.layers import Layer, Move, steps_of
from sayso.delivery.c.narrow import Narrow
from sayso.delivery.c.rings import RING

__all__ = ["OPERATORS", "SCRATCH", "Step", "UnsupportedError", "lower"]

SCRATCH = "sayso.scratch"
"""A tensor that no step makes: room for the transform of one frame."""


class UnsupportedError(Exception):
    """An operator, or a form of one, that has no form in C; its text says which."""


@dataclass(frozen=True)
class Step:
    """One call of the program."""

    layer: Layer
    inputs: tuple[str, ...]
    """Tensors, or constants of the graph."""
    output: str
    turns: int = 1
    """How often it runs in a hop."""


@dataclass
class _Lowering:
    graph: Graph
    narrow: Mapping[str, Narrow]
    steps: list[Step] = field(default_factory=list[Step])
    views: dict[str, str] = field(default_factory=dict[str, str])
    """Tensors that hold the same numbers in the same order as another."""

    def shape(self, tensor: str) -> Shape:
        return self.graph.shapes[tensor]

    def add(self, node: Node, layer: Layer, *inputs: str) -> None:
        self.steps.append(Step(layer, tuple(self.views.get(each, each) for each in inputs), node.output))

    def view(self, node: Node, tensor: str) -> None:
        self.views[node.output] = self.views.get(tensor, tensor)

    def constant(self, node: Node, place: int, what: str) -> Any:
        """Give an input that must be a constant; None where it is left out."""
        if place >= len(node.inputs) or not node.inputs[place]:
            return None
        found = self.graph.constant(node, place)
        if found is None:
            raise UnsupportedError(f"{node.operator} whose {what} is computed")
        return found


def lower(graph: Graph, narrow: Mapping[str, Narrow]) -> tuple[list[Step], str]:
    """Write a graph as steps; gives them, and the tensor that holds the logits at the end.

    Args:
        graph: what is to be done.
        narrow: weights that are int8, by what their layers make.

    Raises:
        UnsupportedError: an operator, or what is asked of one, has no form in C.
    """
    lowering = _Lowering(graph, narrow)
    unknown = sorted({node.operator for node in graph.nodes} - {*OPERATORS})
    if unknown:
        raise UnsupportedError(", ".join(unknown))
    samples = graph.inputs[0]
    if any(samples in node.inputs and node.operator != FRAMES for node in graph.nodes):
        lowering.steps.append(Step(layers.Samples(math.prod(graph.shapes[samples])), (), samples))
    for node in graph.nodes:
        OPERATORS[node.operator](lowering, node)
    logits = graph.outputs[0]
    return lowering.steps, lowering.views.get(logits, logits)


def _frames(lowering: _Lowering, node: Node) -> None:
    front_end: FrontEnd = node.attributes["front_end"]
    lowering.add(node, layers.Frames(front_end), SCRATCH)


def _ring(lowering: _Lowering, node: Node) -> None:
    axis, shape = node.attributes["axis"], lowering.shape(node.output)
    fresh, inner = lowering.shape(node.inputs[0])[axis], math.prod(shape[axis + 1 :])
    rows = math.prod(shape[:axis])
    lowering.add(node, layers.Ring(rows, shape[axis] * inner, fresh * inner), node.inputs[0])


def _view(lowering: _Lowering, node: Node) -> None:
    lowering.view(node, node.inputs[0])


def _convolution(lowering: _Lowering, node: Node) -> None:
    weights, bias = lowering.constant(node, 1, "kernel"), lowering.constant(node, 2, "bias")
    inside, outside = lowering.shape(node.inputs[0]), lowering.shape(node.output)
    plain = node.attributes.get("auto_pad", b"NOTSET") == b"NOTSET"
    if weights is None or weights.ndim not in (3, 4) or inside[0] != 1 or not plain:
        raise UnsupportedError("Conv of three dimensions, or padded by itself")
    own, strides = weights.ndim - 2, node.attributes.get("strides")
    layer = layers.Convolution(
        weights if own == 2 else weights[:, :, None],
        bias,
        _planes(inside),
        _planes(outside),
        stride=_pair(strides, own, 1),
        dilation=_pair(node.attributes.get("dilations"), own, 1),
        before=_pair(node.attributes.get("pads"), own, 0),
        groups=node.attributes.get("group", 1),
        narrow=lowering.narrow.get(node.output),
    )
    lowering.add(node, layer, node.inputs[0])


def _planes(shape: Shape) -> Shape:
    return (shape[1], *((1,) * (4 - len(shape))), *shape[2:])


def _pair(values: Any, own: int, missing: int) -> tuple[int, int]:
    """For rows and columns; a layer over time has one row."""
    found = [int(each) for each in values][:own] if values else [missing] * own
    return (found[0], found[1]) if own == 2 else ((1 if missing else 0), found[0])


def _gemm(lowering: _Lowering, node: Node) -> None:
    weights, bias = lowering.constant(node, 1, "matrix"), lowering.constant(node, 2, "bias")
    attributes = node.attributes
    if attributes.get("transA") or attributes.get("alpha", 1.0) != 1 or attributes.get("beta", 1.0) != 1:
        raise UnsupportedError("Gemm with factors")
    matrix = weights if attributes.get("transB") else weights.T
    rows = math.prod(lowering.shape(node.inputs[0])[:-1])
    flat = None if bias is None else np.broadcast_to(bias, lowering.shape(node.output))[0]
    lowering.add(node, layers.Dense(matrix, flat, rows, lowering.narrow.get(node.output)), node.inputs[0])


def _product(lowering: _Lowering, node: Node) -> None:
    matrix = lowering.constant(node, 1, "matrix")
    if matrix is None or matrix.ndim != 2:
        raise UnsupportedError("MatMul of more than a matrix")
    rows = math.prod(lowering.shape(node.inputs[0])[:-1])
    lowering.add(node, layers.Dense(matrix.T, None, rows), node.inputs[0])


_SAME = {"SAYSO_ADD": 0.0, "SAYSO_SUBTRACT": 0.0, "SAYSO_MULTIPLY": 1.0, "SAYSO_DIVIDE": 1.0}


def _pairs(operation: str) -> Callable[[_Lowering, Node], None]:
    def write(lowering: _Lowering, node: Node) -> None:
        left, right = node.inputs
        known, shape = lowering.graph.constant(node, 1), lowering.shape(node.output)
        if known is not None and shape == lowering.shape(left) and (known == _SAME.get(operation)).all():
            lowering.view(node, left)
            return
        layer = layers.Pairs(operation, shape, lowering.shape(left), lowering.shape(right))
        lowering.add(node, layer, left, right)

    return write


def _apply(operation: str) -> Callable[[_Lowering, Node], None]:
    def write(lowering: _Lowering, node: Node) -> None:
        lowering.add(node, layers.Apply(operation, math.prod(lowering.shape(node.output))), node.inputs[0])

    return write


def _clip(lowering: _Lowering, node: Node) -> None:
    bounds = [lowering.constant(node, place, "bound") for place in (1, 2)]
    least, most = (
        other if bound is None else float(bound) for bound, other in zip(bounds, (-np.inf, np.inf), strict=True)
    )
    lowering.add(node, layers.Clip(least, most, math.prod(lowering.shape(node.output))), node.inputs[0])


def _relu(lowering: _Lowering, node: Node) -> None:
    lowering.add(node, layers.Clip(0.0, np.inf, math.prod(lowering.shape(node.output))), node.inputs[0])


def _leak(lowering: _Lowering, node: Node) -> None:
    slope = float(node.attributes.get("alpha", 0.01))
    lowering.add(node, layers.Leak(slope, math.prod(lowering.shape(node.output))), node.inputs[0])


def _transpose(lowering: _Lowering, node: Node) -> None:
    shape, order = lowering.shape(node.inputs[0]), tuple(node.attributes["perm"])
    if [axis for axis in order if shape[axis] > 1] == [axis for axis in range(len(shape)) if shape[axis] > 1]:
        lowering.view(node, node.inputs[0])
        return
    after = lowering.shape(node.output)
    steps = steps_of(shape)
    move = Move(after, tuple(steps[axis] for axis in order), steps_of(after))
    lowering.add(node, layers.Moves((move,)), node.inputs[0])


def _slice(lowering: _Lowering, node: Node) -> None:
    starts, ends, axes, steps = (lowering.constant(node, place, "range") for place in range(1, 5))
    shape, after = lowering.shape(node.inputs[0]), lowering.shape(node.output)
    if shape == after and (steps is None or (steps > 0).all()):
        lowering.view(node, node.inputs[0])
        return
    begin, own = 0, [*steps_of(shape)]
    places = range(len(starts)) if axes is None else axes
    for index, axis in enumerate(int(each) % len(shape) for each in places):
        step = 1 if steps is None else int(steps[index])
        first, _, _ = slice(int(starts[index]), int(ends[index]), step).indices(shape[axis])
        begin += first * steps_of(shape)[axis]
        own[axis] *= step
    lowering.add(node, layers.Moves((Move(after, tuple(own), steps_of(after), begin),)), node.inputs[0])


def _gather(lowering: _Lowering, node: Node) -> None:
    places = lowering.constant(node, 1, "places")
    shape, own = lowering.shape(node.inputs[0]), steps_of(lowering.shape(node.inputs[0]))
    axis = node.attributes.get("axis", 0) % len(shape)
    flat = [int(each) % shape[axis] for each in np.asarray(places).ravel()]
    if flat == [*range(shape[axis])]:
        lowering.view(node, node.inputs[0])
        return
    apart = flat[1] - flat[0] if len(flat) > 1 else 1
    if any(after - before != apart for before, after in pairwise(flat)):
        raise UnsupportedError("Gather of places that are not evenly apart")
    sizes = (*shape[:axis], len(flat), *shape[axis + 1 :])
    steps = (*own[:axis], own[axis] * apart, *own[axis + 1 :])
    move = Move(sizes, steps, steps_of(sizes), flat[0] * own[axis])
    lowering.add(node, layers.Moves((move,)), node.inputs[0])


def _concatenation(lowering: _Lowering, node: Node) -> None:
    after = lowering.shape(node.output)
    axis, to = node.attributes["axis"] % len(after), steps_of(after)
    moves, into = list[Move](), 0
    for each in node.inputs:
        shape = lowering.shape(each)
        moves.append(Move(shape, steps_of(shape), to, 0, into))
        into += shape[axis] * to[axis]
    lowering.add(node, layers.Moves(tuple(moves)), *node.inputs)


def _pad(lowering: _Lowering, node: Node) -> None:
    pads, value = lowering.constant(node, 1, "width"), lowering.constant(node, 2, "value")
    some = lowering.constant(node, 3, "axes") is not None
    if node.attributes.get("mode", b"constant") != b"constant" or some or (pads < 0).any():
        raise UnsupportedError("Pad by other than a constant")
    shape, after = lowering.shape(node.inputs[0]), lowering.shape(node.output)
    to = steps_of(after)
    into = sum(int(pads[axis]) * to[axis] for axis in range(len(shape)))
    fill = (0.0 if value is None else float(value), math.prod(after))
    move = Move(shape, steps_of(shape), to, 0, into)
    lowering.add(node, layers.Moves((move,), fill), node.inputs[0])


def _reduction(kind: str) -> Callable[[_Lowering, Node], None]:
    def write(lowering: _Lowering, node: Node) -> None:
        shape = lowering.shape(node.inputs[0])
        told = lowering.constant(node, 1, "axes") if len(node.inputs) > 1 else node.attributes.get("axes")
        axes = sorted(int(each) % len(shape) for each in (range(len(shape)) if told is None else told))
        _reduce(lowering, node, axes, kind)

    return write


def _reduce(lowering: _Lowering, node: Node, axes: list[int], kind: str) -> None:
    shape = lowering.shape(node.inputs[0])
    wide = [axis for axis in axes if shape[axis] > 1] or axes[:1]
    between = range(wide[0], wide[-1] + 1)
    if any(axis not in axes and shape[axis] > 1 for axis in between):
        raise UnsupportedError(f"{node.operator} over axes that do not stand beside each other")
    count = math.prod(shape[axis] for axis in between)
    outer, inner = math.prod(shape[: wide[0]]), math.prod(shape[wide[-1] + 1 :])
    factor = 1 / count if kind == "mean" else 1.0
    lowering.add(node, layers.Reduction(outer, count, inner, kind == "maximum", factor), node.inputs[0])


def _global_pool(kind: str) -> Callable[[_Lowering, Node], None]:
    def write(lowering: _Lowering, node: Node) -> None:
        _reduce(lowering, node, [*range(2, len(lowering.shape(node.inputs[0])))], kind)

    return write


def _pooling(kind: str) -> Callable[[_Lowering, Node], None]:
    def write(lowering: _Lowering, node: Node) -> None:
        inside, outside = lowering.shape(node.inputs[0]), lowering.shape(node.output)
        attributes, own = node.attributes, len(inside) - 2
        dilated = any(each != 1 for each in attributes.get("dilations", ()))
        if own not in (1, 2) or dilated or attributes.get("ceil_mode") or len(node.outputs) > 1:
            raise UnsupportedError(f"{node.operator} of three dimensions, dilated or with places")
        rows, columns = _planes(inside), _planes(outside)
        layer = layers.Pooling(
            rows[0],
            (rows[1], rows[2]),
            (columns[1], columns[2]),
            _pair(attributes["kernel_shape"], own, 1),
            stride=_pair(attributes.get("strides"), own, 1),
            before=_pair(attributes.get("pads"), own, 0),
            is_maximum=kind == "maximum",
            counts_padding=bool(attributes.get("count_include_pad")),
        )
        lowering.add(node, layer, node.inputs[0])

    return write


OPERATORS: dict[str, Callable[[_Lowering, Node], None]] = {
    FRAMES: _frames,
    RING: _ring,
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Dropout"), _view),
    "Conv": _convolution,
    "Gemm": _gemm,
    "MatMul": _product,
    "Add": _pairs("SAYSO_ADD"),
    "Sub": _pairs("SAYSO_SUBTRACT"),
    "Mul": _pairs("SAYSO_MULTIPLY"),
    "Div": _pairs("SAYSO_DIVIDE"),
    "Max": _pairs("SAYSO_MAXIMUM"),
    "Min": _pairs("SAYSO_MINIMUM"),
    "Pow": _pairs("SAYSO_POWER"),
    "Relu": _relu,
    "LeakyRelu": _leak,
    "Clip": _clip,
    "Log": _apply("SAYSO_LOG"),
    "Exp": _apply("SAYSO_EXP"),
    "Sqrt": _apply("SAYSO_SQRT"),
    "Abs": _apply("SAYSO_ABS"),
    "Neg": _apply("SAYSO_NEGATE"),
    "Sigmoid": _apply("SAYSO_SIGMOID"),
    "Tanh": _apply("SAYSO_TANH"),
    "Transpose": _transpose,
    "Slice": _slice,
    "Gather": _gather,
    "Concat": _concatenation,
    "Pad": _pad,
    "ReduceMean": _reduction("mean"),
    "ReduceSum": _reduction("sum"),
    "ReduceMax": _reduction("maximum"),
    "GlobalAveragePool": _global_pool("mean"),
    "GlobalMaxPool": _global_pool("maximum"),
    "AveragePool": _pooling("mean"),
    "MaxPool": _pooling("maximum"),
}

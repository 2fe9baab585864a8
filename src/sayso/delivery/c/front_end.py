"""What a graph hears of its samples: a short-time Fourier transform that is written as a convolution, found again.

Exported graphs hold the transform as a product with a matrix of cosines and sines. A small processor takes the fast
Fourier transform, of the same numbers, so the matrix is checked against what it should be before it is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.delivery.c.graph import Graph, Node

__all__ = ["FRAMES", "FrontEnd", "with_front_end"]

FRAMES = "sayso.Frames"
"""The operator that takes the place of transform and bands; its attribute `front_end` says which."""
_TOLERANCE = 1e-5
_VIEWS = ("Unsqueeze", "Squeeze", "Reshape", "Identity", "Flatten", "Transpose")


@dataclass(frozen=True, eq=False)
class FrontEnd:
    """From samples to energies, frame by frame."""

    frames: int
    hop: int
    length: int
    """Of the transform, a power of two."""
    before: int
    """Zeros before the window in a frame."""
    taper: NDArray[np.float32]
    """The window, (window,)."""
    samples: int
    """Of the sound that it hears."""
    begin: int
    """Where the first frame's window begins in that; below 0 where the sound is continued by reflection."""
    bank: NDArray[np.float32] | None = None
    """(frequencies, bands); None: every frequency is one."""

    @property
    def numbers(self) -> int:
        """Of a frame."""
        return self.length // 2 + 1 if self.bank is None else self.bank.shape[1]

    @property
    def multiply_adds(self) -> int:
        """About so many: four for each butterfly of the transform, of half the length, and for each frequency."""
        half = self.length // 2
        transform = 4 * half // 2 * (half.bit_length() - 1) + 4 * half
        bands = 0 if self.bank is None else int(np.count_nonzero(self.bank))
        return self.frames * (len(self.taper) + transform + 2 * half + bands)


@dataclass(frozen=True)
class _Sound:
    """What a tensor holds of the samples."""

    samples: int
    begin: int
    state: int | None
    """Which input carries samples of earlier chunks; None: a whole window is heard."""


def with_front_end(graph: Graph) -> tuple[Graph, FrontEnd | None]:
    """Put one operator in the place of transform and bands, where the graph begins with them.

    Samples that a stream carries are then no state any more: the transform is given them.

    Returns:
        The graph, and what it hears; the same graph and None where it does not begin so.
    """
    for node in graph.nodes:
        found = _transform(graph, node)
        if found is None:
            continue
        front_end, power, made = found
        sound = _sound(graph, node.inputs[0])
        if sound is None:
            continue
        front_end = replace(front_end, samples=sound.samples, begin=sound.begin)
        bank = _bank(graph, power)
        if bank:
            front_end, power = replace(front_end, bank=bank[0]), bank[1]
            made |= {power}
        frames = Node(FRAMES, (graph.inputs[0],), (power,), {"front_end": front_end})
        graph = graph.replaced(made, frames)
        return (graph if sound.state is None else without_state(graph, sound.state)).needed(), front_end
    return graph, None


def without_state(graph: Graph, place: int) -> Graph:
    """Give a graph without the input of that place, and the output of the same place, which carries it on."""
    inputs = tuple(each for index, each in enumerate(graph.inputs) if index != place)
    outputs = tuple(each for index, each in enumerate(graph.outputs) if index != place)
    return replace(graph, inputs=inputs, outputs=outputs)


def _transform(graph: Graph, node: Node) -> tuple[FrontEnd, str, set[str]] | None:
    """Read a convolution that is a transform whose energies are taken; gives it, these, and what lies between."""
    kernel = graph.constant(node, 1)
    if node.operator != "Conv" or kernel is None or kernel.ndim != 3 or len(node.inputs) > 2 or kernel.shape[1] > 1:
        return None
    bins, window = len(kernel) // 2, kernel.shape[2]
    length = 2 * (bins - 1)
    if length < 8 or length & (length - 1) or window > length or any(node.attributes.get("pads", ())):
        return None
    taper, before = kernel[0, 0].astype(np.float64), (length - window) // 2
    turns = np.outer(np.arange(bins), np.arange(before, before + window)) % length * (2 * np.pi / length)
    wanted = np.concatenate((np.cos(turns), -np.sin(turns))) * taper
    if not np.abs(kernel[:, 0] - wanted).max() <= _TOLERANCE * np.abs(taper).max():
        return None
    power = _power(graph, node.output, bins)
    if power is None:
        return None
    frames, hop = graph.shapes[node.output][2], int(node.attributes["strides"][0])
    return FrontEnd(frames, hop, length, before, kernel[0, 0].astype(np.float32), 0, 0), power[0], power[1]


def _power(graph: Graph, parts: str, bins: int) -> tuple[str, set[str]] | None:
    """Find the sum of the squares of real and imaginary parts: transposed, halved, squared, added."""
    turned = _only(graph.readers(parts), "Transpose")
    halves = graph.readers(turned.output) if turned else []
    if turned is None or len(halves) != 2 or [*turned.attributes["perm"]] != [0, 2, 1]:
        return None
    squares: list[Node] = []
    for half, (first, last) in zip(halves, ((0, bins), (bins, 2 * bins)), strict=True):
        square = _only(graph.readers(half.output), "Mul")
        if slice_of(graph, half) != (2, first, last) or square is None or {*square.inputs} != {half.output}:
            return None
        squares.append(square)
    total = _only(graph.readers(squares[0].output), "Add")
    if total is None or {*total.inputs} != {each.output for each in squares}:
        return None
    made = {parts, turned.output, total.output, *(each.output for each in (*halves, *squares))}
    return total.output, made


def _bank(graph: Graph, power: str) -> tuple[NDArray[np.float32], str] | None:
    product = _only(graph.readers(power), "MatMul")
    bank = graph.constant(product, 1) if product else None
    if product is None or bank is None or bank.ndim != 2:
        return None
    return bank.astype(np.float32), product.output


def _only(nodes: Sequence[Node], operator: str) -> Node | None:
    return nodes[0] if len(nodes) == 1 and nodes[0].operator == operator else None


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


def _sound(graph: Graph, tensor: str) -> _Sound | None:
    """Follow a tensor to the samples that it holds; None where anything else was done to them."""
    begin, carried, state = 0, 0, None
    while tensor != graph.inputs[0]:
        node = graph.made_by(tensor)
        shape = graph.shapes[tensor]
        if node is None or max(shape) != int(np.prod(shape)):
            return None
        moved = _moved(graph, node)
        if moved is None or (state is not None and node.operator not in _VIEWS):
            return None
        tensor, step = moved
        begin += step
        if node.operator == "Concat":
            state = graph.inputs.index(node.inputs[0])
            carried = int(np.prod(graph.shapes[node.inputs[0]]))
    return _Sound(carried + int(np.prod(graph.shapes[tensor])), begin, state)


def _moved(graph: Graph, node: Node) -> tuple[str, int] | None:
    """What a node reads samples from, and where its first number lies in that."""
    if node.operator in _VIEWS or (node.operator == "Gather" and _size(graph, node.inputs[1]) == 1):
        return node.inputs[0], 0
    if node.operator == "Slice":
        found = slice_of(graph, node)
        return (node.inputs[0], found[1]) if found else None
    if node.operator == "Pad" and node.attributes.get("mode") == b"reflect":
        pads: Any = graph.constant(node, 1)
        return (node.inputs[0], -int(max(pads[: len(pads) // 2]))) if pads is not None else None
    if node.operator == "Concat" and len(node.inputs) == 2 and node.inputs[0] in graph.inputs[1:]:
        return node.inputs[1], 0
    return None


def _size(graph: Graph, tensor: str) -> int:
    return int(np.prod(graph.shapes[tensor]))

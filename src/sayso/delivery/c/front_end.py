"""What a graph hears of its samples: a short-time Fourier transform that is written as products, found again.

Exported graphs hold the transform as `sayso.dsp.folded` writes it: products of folded frames with cosines and sines. A
small processor takes the fast Fourier transform, of the same numbers, so the matrices are checked against what they
should be before they are left out.
"""

from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True, eq=False)
class _Found:
    """A transform: its settings, of the samples not yet all; what it hears, and the energies that it gives."""

    front_end: FrontEnd
    heard: str
    power: str


def with_front_end(graph: Graph) -> tuple[Graph, FrontEnd | None]:
    """Put one operator in the place of transform and bands, where the graph begins with them.

    Samples that a stream carries are then no state any more: the transform is given them.

    Returns:
        The graph, and what it hears; the same graph and None where it does not begin so.
    """
    for node in graph.nodes:
        found = _transform(graph, node)
        sound = _sound(graph, found.heard) if found else None
        if found is None or sound is None:
            continue
        front_end = replace(found.front_end, samples=sound.samples, begin=found.front_end.begin + sound.begin)
        power, made = found.power, {found.power}
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


def _transform(graph: Graph, node: Node) -> _Found | None:
    """Read a multiplication by a window that is the beginning of a transform whose energies are taken."""
    taper = graph.constant(node, 1)
    if node.operator != "Mul" or taper is None or taper.ndim != 1 or len(taper) % 2 == 0:
        return None
    hops = _hops(graph, node.inputs[0])
    products = _products(graph, node.output)
    lower = graph.shapes[products[0].output][-1] if len(products) == 4 else 0
    length, reach = 4 * (lower - 1), (len(taper) + 1) // 2
    if hops is None or length < 8 or length & (length - 1) or reach > length // 2 + 1:
        return None
    for product, wanted in zip(products, _matrices(reach, length), strict=True):
        matrix = graph.constant(product, 1)
        if matrix is None or matrix.shape != wanted.shape or np.abs(matrix - wanted).max() > _TOLERANCE:
            return None
    power = _power(graph, products, length // 2 + 1)
    if power is None:
        return None
    heard, hop, begin = hops
    before, frames = length // 2 - reach + 1, graph.shapes[power][-2]
    return _Found(FrontEnd(frames, hop, length, before, taper.astype(np.float32), 0, begin), heard, power)


def _hops(graph: Graph, frames: str) -> tuple[str, int, int] | None:
    """Read how frames are cut: from what samples, how far apart, and where the first begins."""
    whole, begin = _cut(graph, frames)
    joined = graph.made_by(whole)
    parts = joined.inputs if joined and joined.operator == "Concat" else (whole,)
    cuts = [_cut(graph, part) for part in parts]
    hops = graph.made_by(cuts[0][0])
    if hops is None or hops.operator != "Reshape" or cuts != [(hops.output, place) for place in range(len(cuts))]:
        return None
    return hops.inputs[0], graph.shapes[hops.output][-1], begin


def _cut(graph: Graph, tensor: str) -> tuple[str, int]:
    """What a tensor is a slice of, and where it begins in that; itself, from its beginning, where it is none."""
    node = graph.made_by(tensor)
    found = slice_of(graph, node) if node else None
    return (node.inputs[0], found[1]) if node and found else (tensor, 0)


def _products(graph: Graph, heard: str) -> list[Node]:
    """Give the first products with matrices of what hangs on a tensor, in the order in which they are done."""
    hanging, products = {heard}, list[Node]()
    for node in graph.nodes:
        if hanging & {*node.inputs}:
            if node.operator == "MatMul":
                products.append(node)
            else:
                hanging |= {*node.outputs}
    return products


def _matrices(reach: int, length: int) -> Iterator[NDArray[np.float64]]:
    """Yield the matrices of even and odd samples: those of cosines, then those of sines."""
    lower = np.arange(length // 4 + 1)
    turns = np.outer(np.arange(reach), lower) % length * (2 * np.pi / length)
    signs = (-1.0) ** lower
    cosines, sines = np.cos(turns) * signs, -np.sin(turns) * signs
    cosines[0] /= 2
    for matrix in (cosines, sines):
        yield from (matrix[::2], matrix[1::2])


def _power(graph: Graph, products: Sequence[Node], bins: int) -> str | None:
    """Find the energies of all frequencies: what first hangs on all products, with so many numbers for each frame."""
    hangs = {node.output: {node.output} for node in products}
    for node in graph.nodes:
        on = set[str]().union(*(hangs.get(each, set()) for each in node.inputs))
        if on and node.output not in hangs:
            hangs[node.output] = on
            if len(on) == len(products) and graph.shapes[node.output][-1] == bins:
                return node.output if node.operator == "Concat" else None
    return None


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
    if node.operator == "Pad" and node.attributes.get("mode", b"constant") == b"constant":
        added: Any = graph.constant(node, 1)  # at the end alone, where no window reaches
        return (node.inputs[0], 0) if added is not None and not any(added[:-1]) else None
    if node.operator == "Concat" and len(node.inputs) == 2 and node.inputs[0] in graph.inputs[1:]:
        return node.inputs[1], 0
    return None


def _size(graph: Graph, tensor: str) -> int:
    return int(np.prod(graph.shapes[tensor]))

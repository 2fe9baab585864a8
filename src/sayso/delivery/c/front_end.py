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
    energies: str


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
        frames = Node(FRAMES, (graph.inputs[0],), (found.energies,), {"front_end": front_end})
        graph = graph.replaced({found.energies}, frames)
        return (graph if sound.state is None else without_state(graph, sound.state)).needed(), front_end
    return graph, None


def without_state(graph: Graph, place: int) -> Graph:
    """Give a graph without the input of that place, and the output of the same place, which carries it on."""
    inputs = tuple(each for index, each in enumerate(graph.inputs) if index != place)
    outputs = tuple(each for index, each in enumerate(graph.outputs) if index != place)
    return replace(graph, inputs=inputs, outputs=outputs)


def _transform(graph: Graph, node: Node) -> _Found | None:
    """Read a product that is the first of the four of a transform whose energies are taken."""
    products = [node, *(other for other in graph.nodes if other.operator == "MatMul" and other is not node)]
    matrices = [graph.constant(product, 1) for product in products[:4]]
    evens, odds = matrices[0], matrices[1] if len(matrices) == 4 else None
    if node.operator != "MatMul" or evens is None or odds is None or evens.ndim != 2 or odds.ndim != 2:
        return None
    reach, length = len(evens) + len(odds), 4 * (evens.shape[1] - 1)
    if length < 8 or length & (length - 1) or reach > length // 2 or len(evens) - len(odds) not in (0, 1):
        return None
    half = np.empty(reach)
    half[::2], half[1::2] = evens[:, 0], odds[:, 0]
    half[0] *= 2
    for matrix, wanted in zip(matrices, _matrices(half, length), strict=True):
        if matrix is None or matrix.shape != wanted.shape or np.abs(matrix - wanted).max() > _TOLERANCE * half.max():
            return None
    cut, energies = _hops(graph, node.inputs[0]), _energies(graph, products[:4], length // 2 + 1)
    if cut is None or energies is None:
        return None
    heard, hop, middle = cut
    taper = np.concatenate((half[:0:-1], half)).astype(np.float32)
    before, frames = length // 2 - reach + 1, graph.shapes[energies[0]][-2]
    front_end = FrontEnd(frames, hop, length, before, taper, 0, middle - reach + 1, energies[1])
    return _Found(front_end, heard, energies[0])


def _matrices(half: NDArray[np.float64], length: int) -> Iterator[NDArray[np.float64]]:
    """Yield the matrices of even and odd samples: those of cosines, then those of sines.

    Args:
        half: the window, from its middle on.
        length: of the transform.
    """
    lower = np.arange(length // 4 + 1)
    turns = np.outer(np.arange(len(half)), lower) % length * (2 * np.pi / length)
    weights = half[:, None] * (-1.0) ** lower
    cosines, sines = np.cos(turns) * weights, -np.sin(turns) * weights
    cosines[0] /= 2
    for matrix in (cosines, sines):
        yield from (matrix[::2], matrix[1::2])


def _hops(graph: Graph, folded: str) -> tuple[str, int, int] | None:
    """Read how frames were cut before they were folded: of what samples, how far apart, where the first's middle is."""
    added = graph.made_by(folded)
    later = graph.made_by(added.inputs[0]) if added and added.operator == "Add" else None
    if later is None:
        return None
    # The even samples from the middle on, in pieces of half a hop.
    pieces = graph.made_by(_cut(graph, later.inputs[0] if later.operator == "Concat" else later.output)[0])
    if pieces is None or pieces.operator != "Reshape":
        return None
    evens, first = _cut(graph, pieces.inputs[0])
    picked = graph.made_by(evens)
    pairs = graph.made_by(picked.inputs[0]) if picked and picked.operator == "Gather" else None
    if picked is None or pairs is None or pairs.operator != "Reshape" or graph.shapes[pairs.output][-1] != 2:
        return None
    which = graph.constant(picked, 1)
    if which is None or which.size != 1 or which.item() != 0:
        return None
    return pairs.inputs[0], 2 * graph.shapes[pieces.output][-1], 2 * first


def _cut(graph: Graph, tensor: str) -> tuple[str, int]:
    """What a tensor is a slice of, and where it begins in that; itself, from its beginning, where it is none."""
    node = graph.made_by(tensor)
    found = slice_of(graph, node) if node else None
    return (node.inputs[0], found[1]) if node and found else (tensor, 0)


def _energies(graph: Graph, products: Sequence[Node], bins: int) -> tuple[str, NDArray[np.float32] | None] | None:
    """Find the energies that come of all the products: of every frequency, or of bands, and then the bands too."""
    hangs = {node.output: {node.output} for node in products}
    for node in graph.nodes:
        on = set[str]().union(*(hangs.get(each, set()) for each in node.inputs))
        if not on or node.output in hangs:
            continue
        hangs[node.output] = on
        if len(on) < len(products):
            continue
        if node.operator == "Concat":
            return (node.output, None) if graph.shapes[node.output][-1] == bins else None
        halves = [made for each in node.inputs if (made := graph.made_by(each)) and made.operator == "MatMul"]
        banks = [bank for half in halves if (bank := graph.constant(half, 1)) is not None]
        if node.operator == "Add" and len(banks) == 2:
            # The upper half comes from the highest frequency down; that in the middle is in the lower one.
            return node.output, np.concatenate((banks[0], banks[1][-2::-1])).astype(np.float32)
    return None


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
    # Zeros stand where no window reaches.
    if node.operator == "Pad" and node.attributes.get("mode", b"constant") in (b"constant", b"reflect"):
        pads: Any = graph.constant(node, 1)
        return (node.inputs[0], -int(max(pads[: len(pads) // 2]))) if pads is not None else None
    if node.operator == "Concat" and len(node.inputs) == 2 and node.inputs[0] in graph.inputs[1:]:
        return node.inputs[1], 0
    return None


def _size(graph: Graph, tensor: str) -> int:
    return int(np.prod(graph.shapes[tensor]))

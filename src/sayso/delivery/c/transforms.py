"""A short-time Fourier transform in a graph, found again where it is written as products.

Exported graphs hold it as `sayso.dsp.folded` writes it: as products of folded frames with four matrices of cosines and
sines, or as one convolution. A small processor takes the fast Fourier transform, of the same numbers, so the matrices
are checked against what they should be before they are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.delivery.c.graph import Graph, Node, slice_of

__all__ = ["FoundTransform", "FrontEnd", "find_transform"]

_TOLERANCE = 1e-5


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


@dataclass(frozen=True, eq=False)
class FoundTransform:
    """A transform: its settings, of the samples not yet all; what it hears, and the energies that it gives."""

    front_end: FrontEnd
    heard: str
    energies: str


def find_transform(graph: Graph, node: Node) -> FoundTransform | None:
    """Read a node that is the first of a transform whose energies are taken; None where it is none."""
    return _folded(graph, node) or _convolved(graph, node)


def _folded(graph: Graph, node: Node) -> FoundTransform | None:
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
        if matrix is None or matrix.shape != wanted.shape:
            return None
        if not np.abs(matrix - wanted).max() <= _TOLERANCE * half.max():  # so that NaN does not pass
            return None
    cut, energies = _hops(graph, node.inputs[0]), _energies(graph, products[:4], length // 2 + 1)
    if cut is None or energies is None:
        return None
    heard, hop, middle = cut
    taper = np.concatenate((half[:0:-1], half)).astype(np.float32)
    before, frames = length // 2 - reach + 1, graph.shapes[energies[0]][-2]
    front_end = FrontEnd(frames, hop, length, before, taper, 0, middle - reach + 1, energies[1])
    return FoundTransform(front_end, heard, energies[0])


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
        if len(on) < len(products) or len(node.inputs) != 2:
            continue
        if node.operator == "Concat":
            turned = _unturned(graph, node.inputs[1])
            is_whole = len(graph.shapes[node.output]) == 3 and graph.shapes[node.output][-1] == bins
            return (node.output, None) if is_whole and _are_energies(graph, node.inputs[0], turned) else None
        halves = [made for each in node.inputs if (made := graph.made_by(each)) and made.operator == "MatMul"]
        banks = [bank for half in halves if (bank := graph.constant(half, 1)) is not None]
        if node.operator == "Add" and len(banks) == 2 and _are_energies(graph, *(half.inputs[0] for half in halves)):
            # The upper half comes from the highest frequency down; that in the middle is in the lower one.
            return node.output, np.concatenate((banks[0], banks[1][-2::-1])).astype(np.float32)
    return None


def _unturned(graph: Graph, tensor: str) -> str:
    """Go back over slices."""
    node = graph.made_by(tensor)
    while node is not None and node.operator == "Slice":
        tensor = node.inputs[0]
        node = graph.made_by(tensor)
    return tensor


def _are_energies(graph: Graph, *tensors: str) -> bool:
    """Whether each is the sum of two squares."""
    sums = [graph.made_by(tensor) for tensor in tensors]
    squares = [graph.made_by(part) for total in sums if total and total.operator == "Add" for part in total.inputs]
    return len(squares) == 2 * len(tensors) and all(
        square is not None and square.operator == "Mul" and square.inputs[0] == square.inputs[1] for square in squares
    )


def _convolved(graph: Graph, node: Node) -> FoundTransform | None:
    """Read a convolution that is a transform whose energies are taken; gives it, these, and what lies between."""
    kernel, heard = graph.constant(node, 1), node.inputs[0]
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
    frames, hop = graph.shapes[node.output][-1], int(node.attributes["strides"][0])
    bank = _bank(graph, power)
    front_end = FrontEnd(frames, hop, length, before, kernel[0, 0].astype(np.float32), 0, 0, bank[0] if bank else None)
    return FoundTransform(front_end, heard, bank[1] if bank else power)


def _power(graph: Graph, parts: str, bins: int) -> str | None:
    """Find the sum of the squares of real and imaginary parts: transposed, halved, squared, added."""
    turned = graph.only_reader(parts, "Transpose")
    halves = graph.readers(turned.output) if turned else []
    if turned is None or len(halves) != 2 or [*turned.attributes["perm"]] != [0, 2, 1]:
        return None
    squares: list[Node] = []
    for half, (first, last) in zip(halves, ((0, bins), (bins, 2 * bins)), strict=True):
        square = graph.only_reader(half.output, "Mul")
        if slice_of(graph, half) != (2, first, last) or square is None or {*square.inputs} != {half.output}:
            return None
        squares.append(square)
    total = graph.only_reader(squares[0].output, "Add")
    if total is None or {*total.inputs} != {each.output for each in squares}:
        return None
    return total.output


def _bank(graph: Graph, power: str) -> tuple[NDArray[np.float32], str] | None:
    product = graph.only_reader(power, "MatMul")
    bank = graph.constant(product, 1) if product else None
    if product is None or bank is None or bank.ndim != 2:
        return None
    return bank.astype(np.float32), product.output

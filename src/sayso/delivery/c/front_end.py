"""What a graph hears of its samples: transform and bands at its beginning become one operator."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sayso.delivery.c.graph import Graph, Node, slice_of
from sayso.delivery.c.transforms import FrontEnd, find_transform

__all__ = ["FRAMES", "FrontEnd", "with_front_end", "without_state"]

FRAMES = "sayso.Frames"
"""The operator that takes the place of transform and bands; its attribute `front_end` says which."""
_VIEWS = ("Unsqueeze", "Squeeze", "Reshape", "Identity", "Flatten", "Transpose")


@dataclass(frozen=True)
class _Sound:
    """What a tensor holds of the samples."""

    samples: int
    begin: int
    state: int | None
    """Which input carries samples of earlier chunks; None: a whole window is heard."""
    factor: float
    """What they were multiplied by."""


def with_front_end(graph: Graph) -> tuple[Graph, FrontEnd | None]:
    """Put one operator in the place of transform and bands, where the graph begins with them.

    Samples that a stream carries are then no state any more: the transform is given them.

    Returns:
        The graph, and what it hears; the same graph and None where it does not begin so.
    """
    for node in graph.nodes:
        found = find_transform(graph, node)
        sound = _sound(graph, found.heard) if found else None
        if found is None or sound is None:
            continue
        own = found.front_end
        taper = own.taper * np.float32(sound.factor)
        front_end = replace(own, samples=sound.samples, begin=own.begin + sound.begin, taper=taper)
        frames = Node(FRAMES, (graph.inputs[0],), (found.energies,), {"front_end": front_end})
        graph = graph.replaced({found.energies}, frames)
        return (graph if sound.state is None else without_state(graph, sound.state)).needed(), front_end
    return graph, None


def without_state(graph: Graph, place: int) -> Graph:
    """Give a graph without the input of that place, and the output of the same place, which carries it on."""
    inputs = tuple(each for index, each in enumerate(graph.inputs) if index != place)
    outputs = tuple(each for index, each in enumerate(graph.outputs) if index != place)
    return replace(graph, inputs=inputs, outputs=outputs)


def _sound(graph: Graph, tensor: str) -> _Sound | None:
    """Follow a tensor to the samples of which it is a multiple; None where anything else was done to them."""
    begin, carried, state, factor = 0, 0, None, 1.0
    while tensor != graph.inputs[0]:
        node = graph.made_by(tensor)
        shape = graph.shapes[tensor]
        if node is None or max(shape) != int(np.prod(shape)):
            return None
        if node.operator == "Mul" and (scaled := _scaled(graph, node)):
            tensor, factor = scaled[0], factor * scaled[1]
            continue
        moved = _moved(graph, node)
        if moved is None or (state is not None and node.operator not in _VIEWS):
            return None
        tensor, step = moved
        begin += step
        if node.operator == "Concat":
            state = graph.inputs.index(node.inputs[0])
            carried = int(np.prod(graph.shapes[node.inputs[0]]))
    return _Sound(carried + int(np.prod(graph.shapes[tensor])), begin, state, factor)


def _scaled(graph: Graph, node: Node) -> tuple[str, float] | None:
    """What a product multiplies by one constant, on either side, and by which."""
    for place, other in ((1, 0), (0, 1)):
        scale = graph.constant(node, place)
        if scale is not None and scale.size == 1:
            return node.inputs[other], float(scale.item())
    return None


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

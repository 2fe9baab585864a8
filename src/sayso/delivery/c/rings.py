"""What a graph for streams carries from chunk to chunk: rings, of which each chunk moves in at the end."""

from sayso.delivery.c.front_end import without_state
from sayso.delivery.c.graph import Graph, Node, slice_of
from sayso.errors import ModelError

__all__ = ["RING", "with_rings"]

RING = "sayso.Ring"
"""The operator that takes the place of a state, what is new behind it, and the part of both that is carried on."""


def with_rings(graph: Graph) -> Graph:
    """Put one operator in the place of each state that goes in and comes out.

    Raises:
        ModelError: a state is carried in another way.
    """
    while len(graph.inputs) > 1:
        state, after = graph.inputs[1], graph.outputs[1]
        readers, end = graph.readers(state), graph.made_by(after)
        joined = readers[0] if len(readers) == 1 else None
        if joined is None or end is None or not _is_ring(graph, state, joined, end):
            raise ModelError(f"the state '{state}' is carried in a way that has no form in C")
        axis = joined.attributes["axis"] % len(graph.shapes[state])
        ring = Node(RING, (joined.inputs[1],), (joined.output,), {"axis": axis})
        graph = without_state(graph.replaced({joined.output}, ring), 1)
    return graph.needed()


def _is_ring(graph: Graph, state: str, joined: Node, end: Node) -> bool:
    if joined.operator != "Concat" or len(joined.inputs) != 2 or joined.inputs[0] != state:
        return False
    axis = joined.attributes["axis"] % len(graph.shapes[state])
    length = graph.shapes[joined.output][axis]
    return end.inputs[0] == joined.output and slice_of(graph, end) == (
        axis,
        length - graph.shapes[state][axis],
        length,
    )

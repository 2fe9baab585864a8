"""Batch norm that no convolution took up, as where bands are normalised each for itself: a product and a sum."""

from dataclasses import replace

import numpy as np

from sayso.delivery.c.graph import Graph, Node

__all__ = ["with_products"]

_EPSILON = 1e-5
"""Where a node gives none."""


def with_products(graph: Graph) -> Graph:
    """Put a product and a sum in the place of each batch norm whose moments are known."""
    nodes, constants, shapes = list[Node](), dict(graph.constants), dict(graph.shapes)
    for node in graph.nodes:
        moments = [graph.constant(node, place) for place in range(1, 5)]
        if node.operator != "BatchNormalization" or any(each is None for each in moments):
            nodes.append(node)
            continue
        weight, bias, mean, variance = (np.asarray(each, np.float64) for each in moments)
        factor = weight / np.sqrt(variance + node.attributes.get("epsilon", _EPSILON))
        made, over = node.output, (-1, *(1,) * (len(graph.shapes[node.output]) - 2))
        product = f"{made}.product"
        for name, values in ((f"{made}.factor", factor), (f"{made}.shift", bias - mean * factor)):
            constants[name] = values.reshape(over).astype(np.float32)
            shapes[name] = constants[name].shape
        shapes[product] = graph.shapes[made]
        nodes.append(Node("Mul", (node.inputs[0], f"{made}.factor"), (product,)))
        nodes.append(Node("Add", (product, f"{made}.shift"), (made,)))
    return replace(graph, nodes=tuple(nodes), constants=constants, shapes=shapes)

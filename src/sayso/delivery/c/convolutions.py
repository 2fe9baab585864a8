"""Convolutions of a stream that its graph holds as products of rows of frames: for a small board they are convolutions.

`sayso.dsp.carried` lays what each output hears in a row, as runtimes multiply faster than they convolve few frames. A
board has no use for the rows, and convolutions' weights become int8.
"""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.delivery.c.graph import Graph, Node, read_graph, slice_of

__all__ = ["with_convolutions"]


def with_convolutions(content: bytes, *, name: str) -> bytes:
    """Put a convolution in the place of each product of rows that hold frames one after the other.

    Args:
        content: of an ONNX file.
        name: of the file, for messages.

    Raises:
        MissingExtraError, ModelError: as `read_graph`.
    """
    graph = read_graph(content, name=name)
    found = {layer[0]: layer for product in graph.nodes if (layer := _convolution(graph, product))}
    if not found:
        return content
    onnx = import_module("onnx")
    model = onnx.load_from_string(content)
    nodes: list[Any] = []
    for node in model.graph.node:
        if not node.output or node.output[0] not in found:
            nodes.append(node)
            continue
        made, heard, kernel, bias = found[node.output[0]]
        names = [f"{made}.{each}" for each in ("kernel", "bias")]
        for each, values in zip(names, (kernel, bias), strict=True):
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values), each))
        nodes.append(onnx.helper.make_node("Conv", [heard, *names], [made]))
    copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)
    return model.SerializeToString()


def _convolution(graph: Graph, product: Node) -> tuple[str, str, NDArray[Any], NDArray[Any]] | None:
    """Read a product of rows; gives what it comes to, what is heard, the kernel, (out, in, frames), and the bias."""
    rows = graph.made_by(product.inputs[0]) if product.operator == "MatMul" else None
    joined = graph.made_by(rows.inputs[0]) if rows and _turns(rows) else None
    heard = _heard(graph, joined) if joined else None
    added = graph.only_reader(product.output, "Add")
    turned = graph.only_reader(added.output, "Transpose") if added else None
    matrix, bias = graph.constant(product, 1), graph.constant(added, 1) if added else None
    if joined is None or heard is None or turned is None or not _turns(turned) or matrix is None or bias is None:
        return None
    return turned.output, heard, matrix.reshape(len(joined.inputs), -1, matrix.shape[1]).transpose(2, 1, 0), bias


def _heard(graph: Graph, joined: Node) -> str | None:
    """Give what is cut into frames one after the other that are joined, channel on channel."""
    if joined.operator != "Concat" or joined.attributes["axis"] % 3 != 1 or len(graph.shapes[joined.output]) != 3:
        return None
    cuts = [graph.made_by(part) for part in joined.inputs]
    sources = {cut.inputs[0] for cut in cuts if cut}
    places = [slice_of(graph, cut) if cut else None for cut in cuts]
    left = graph.shapes[joined.output][2]
    if len(sources) != 1 or places != [(2, place, place + left) for place in range(len(cuts))]:
        return None
    source = sources.pop()
    return source if graph.shapes[source][2] == left + len(cuts) - 1 else None


def _turns(node: Node) -> bool:
    return node.operator == "Transpose" and [*node.attributes["perm"]] == [0, 2, 1]

"""Networks with layers of which Sayso writes none, as C that emx-onnx-cgen writes: not for small boards.

It keeps whatever layers hand on apart from one another, on the stack, and computes whole windows anew at every hop.
https://github.com/emmtrix/emx-onnx-cgen
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from sayso.delivery.c.graph import Graph, read_graph
from sayso.delivery.c.lowering import UnsupportedError
from sayso.delivery.c.program import Program

__all__ = ["NOTE", "is_here", "write_other_program"]

NOTE = "written by emx-onnx-cgen, not for small boards: it needs room for all of a window at once, anew at every hop"


def is_here() -> bool:
    """Whether the package is installed."""
    return find_spec("emx_onnx_cgen") is not None


def write_other_program(content: bytes, samples: int) -> Program:
    """Write a graph for one window.

    Args:
        content: of `model.onnx`.
        samples: of the window.

    Raises:
        ModelError: the graph is damaged.
        UnsupportedError: emx-onnx-cgen does not know an operator, either.
    """
    onnx, compiler = import_module("onnx"), import_module("emx_onnx_cgen.compiler")
    model: Any = onnx.load_from_string(content)
    _read_forwards(onnx, model, read_graph(content, name="the model"))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    del model.graph.value_info[:]
    del model.metadata_props[:]  # it would become a comment, whatever is in it
    options = compiler.CompilerOptions(model_name="sayso_graph", large_temp_threshold_bytes=0, large_weight_threshold=0)
    try:
        text = compiler.Compiler(options).compile(model)
    except import_module("emx_onnx_cgen.errors").CompilerError as error:
        raise UnsupportedError(str(error).partition(" (")[0]) from error
    constants = sum(len(onnx.numpy_helper.to_array(each).tobytes()) for each in model.graph.initializer)
    return Program(
        text + _GLUE.format(samples=samples),
        samples,
        None,
        constant_bytes=constants,
        arena_bytes=4 * samples,
        ring_bytes=0,
        multiply_adds=None,
    )


def _read_forwards(onnx: Any, model: Any, graph: Graph) -> None:
    """Pick from given places what is read backwards, as folded frames are: emx-onnx-cgen cuts forwards alone."""
    for node in model.graph.node:
        found = [graph.constants.get(each) for each in node.input[1:]]
        if node.op_type != "Slice" or len(found) < 4 or any(each is None or each.size != 1 for each in found):
            continue
        start, end, axis, step = (int(each.item()) for each in found if each is not None)
        if step > 0:
            continue
        length = graph.shapes[node.input[0]][axis]
        places = np.arange(length)[slice(start, None if end < -length else end, step)]
        name = f"{node.output[0]}.places"
        model.graph.initializer.append(onnx.numpy_helper.from_array(places, name))
        picked = onnx.helper.make_node("Gather", [node.input[0], name], [node.output[0]], axis=axis)
        node.CopyFrom(picked)


_GLUE = """
/* Written by `sayso export --c`: how sayso.c calls it. */
#include "sayso_model.h"

static float window[1][{samples}];

void sayso_model_begin(void) {{
}}

void sayso_model_step(const int16_t *heard, float *logits) {{
    for (int32_t i = 0; i < {samples}; i++) window[0][i] = (float)heard[SAYSO_HEARD - {samples} + i] / 32768.0f;
    sayso_graph((const float (*)[{samples}])window, (float (*)[SAYSO_CLASSES])logits);
}}
"""

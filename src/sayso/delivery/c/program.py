"""A model as a program in C: what it hears, its steps, its constants and the room that it needs."""

from dataclasses import dataclass

from sayso.delivery.c.arena import make_plan, sizes_of
from sayso.delivery.c.front_end import FrontEnd, with_front_end
from sayso.delivery.c.graph import Graph, read_graph
from sayso.delivery.c.lowering import Step, lower
from sayso.delivery.c.rings import with_rings
from sayso.delivery.c.shorter import shorten
from sayso.delivery.c.tables import Tables

__all__ = ["Program", "write_program"]


@dataclass(frozen=True)
class Program:
    """What `sayso_model.c` is, and what it costs."""

    text: str
    heard: int
    """Samples that one step hears."""
    front_end: FrontEnd | None
    """None where the samples themselves go into the network."""
    constant_bytes: int
    arena_bytes: int
    ring_bytes: int
    multiply_adds: int
    """Of one hop."""


def write_program(content: bytes, *, name: str, narrow: bool) -> Program:
    """Write a graph, for one chunk of a stream or for one window.

    Args:
        content: of the ONNX file.
        name: of the file, for messages.
        narrow: keep the weights of layers as int8.

    Raises:
        MissingExtraError: the package `onnx` is not installed.
        ModelError: the graph is damaged.
        UnsupportedError: it has operators without a form in C.
    """
    graph, front_end = with_front_end(read_graph(content, name=name))
    graph = with_rings(graph)
    steps, logits = lower(graph)
    steps = shorten(steps, graph)
    return _written(graph, steps, logits, front_end, narrow=narrow)


def _written(graph: Graph, steps: list[Step], logits: str, front_end: FrontEnd | None, *, narrow: bool) -> Program:
    sizes = sizes_of(steps, graph)
    plan = make_plan(steps, sizes, logits=logits)
    tables = Tables(narrow=narrow)

    def place(tensor: str) -> str:
        if tensor in graph.constants:
            return tables.floats(graph.constants[tensor])
        if tensor in plan.rings:
            return f"rings + {plan.rings[tensor]}"
        return f"arena + {plan.arena[tensor]}"

    calls = [step.layer.call(tables, place(step.output), [place(each) for each in step.inputs]) for step in steps]
    heard = front_end.samples if front_end else sizes[graph.inputs[0]]
    text = _TEXT.format(
        tables=tables.text,
        arena=plan.arena_size,
        rings=max(1, plan.rings_size),
        calls="\n    ".join(calls),
        logits=place(logits),
    )
    return Program(
        text,
        heard,
        front_end,
        tables.constant_bytes,
        4 * plan.arena_size,
        4 * plan.rings_size,
        sum(step.layer.multiply_adds for step in steps),
    )


_TEXT = """\
/* Written by `sayso export --c`: the weights of a network, and its layers in their order. */
#include "sayso_model.h"

#include "sayso_front_end.h"
#include "sayso_layers.h"

{tables}
/* What layers hand on; what is needed at different times lies in the same place. */
static float arena[{arena}];
/* What is carried from hop to hop. */
static float rings[{rings}];

void sayso_model_begin(void) {{
    memset(rings, 0, sizeof rings);
}}

void sayso_model_step(const int16_t *heard, float *logits) {{
    {calls}
    memcpy(logits, {logits}, SAYSO_CLASSES * sizeof *logits);
}}
"""

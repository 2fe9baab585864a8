"""A model as a program in C: what it hears, its steps, its constants and the room that it needs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from numpy.typing import NDArray

from sayso.delivery.c.arena import make_smallest, sizes_of
from sayso.delivery.c.convolutions import with_convolutions
from sayso.delivery.c.front_end import FrontEnd, with_front_end
from sayso.delivery.c.graph import Graph, read_graph
from sayso.delivery.c.layers import turn_of
from sayso.delivery.c.lowering import Step, lower
from sayso.delivery.c.narrowing import narrow_layers
from sayso.delivery.c.norms import with_products
from sayso.delivery.c.rings import with_rings
from sayso.delivery.c.shorter import shorten
from sayso.delivery.c.tables import Tables
from sayso.delivery.c.turns import ways_in_turns

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
    multiply_adds: int | None
    """Of one hop; None where nobody counted them."""


def write_program(content: bytes, *, name: str, heard: Sequence[NDArray[Any]] | None = None) -> Program:
    """Write a graph, for one chunk of a stream or for one window.

    Args:
        content: of the ONNX file.
        name: of the file, for messages.
        heard: what goes into the file in the order of its inputs, for sound like that which it will hear, by which
            weights are made int8; None: they are float.

    Raises:
        MissingExtraError: the package `onnx` is not installed.
        ModelError: the graph is damaged.
        UnsupportedError: it has operators without a form in C.
    """
    content = with_convolutions(content, name=name)
    whole = read_graph(content, name=name)
    graph, front_end = with_front_end(whole)
    graph = with_products(with_rings(graph))
    inputs = None if heard is None else dict(zip(whole.inputs, heard, strict=True))
    steps, logits = lower(graph, {} if inputs is None else narrow_layers(content, graph, inputs))
    steps = shorten(steps, graph)
    return _written(graph, [steps, *ways_in_turns(steps, graph)], logits, front_end)


def _written(graph: Graph, ways: Iterable[list[Step]], logits: str, front_end: FrontEnd | None) -> Program:
    steps, plan = make_smallest(ways, graph, logits=logits)
    tables = Tables()

    def place(tensor: str) -> str:
        if tensor in graph.constants:
            return tables.floats(graph.constants[tensor])
        if tensor in plan.rings:
            return f"rings + {plan.rings[tensor]}"
        return f"arena + {plan.arena[tensor]}"

    def call(step: Step) -> str:
        return step.layer.call(tables, place(step.output), [place(each) for each in step.inputs])

    calls = _calls(steps, call)
    heard = front_end.samples if front_end else sizes_of(steps, graph)[graph.inputs[0]]
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
        sum(step.turns * step.layer.multiply_adds for step in steps),
    )


def _calls(steps: Sequence[Step], call: Callable[[Step], str]) -> list[str]:
    """Write the calls in their loops: what runs often within what runs less often."""
    groups = [(turns, [*members]) for turns, members in groupby(steps, key=lambda step: step.turns)]
    lines = list[str]()
    for (turns, members), (fewer, _) in zip(groups, [*groups[1:], (1, [])], strict=True):
        lines += [line for step in members for line in call(step).splitlines()]
        if turns > 1:
            turn, each = turn_of(turns), turns // fewer
            first = "" if fewer == 1 else f"{turn_of(fewer)} * {each}"
            end = f"{first} + {each}" if first else each
            head = f"for (int {turn} = {first or 0}; {turn} < {end}; {turn}++) {{"
            lines = [head, *(f"    {line}" for line in lines), "}"]
    return lines


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

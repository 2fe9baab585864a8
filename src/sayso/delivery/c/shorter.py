"""Steps that give the same numbers with less: ReLU within a layer, features made normal before they are kept."""

from dataclasses import replace

from sayso.delivery.c.graph import Graph
from sayso.delivery.c.layers import Apply, Clip, Convolution, Dense, Layer, Leak, Pairs, Ring
from sayso.delivery.c.lowering import Step

__all__ = ["shorten"]


def shorten(steps: list[Step], graph: Graph) -> list[Step]:
    """Give fewer and smaller steps; a ring then begins with other numbers, of which no whole window has any."""
    steps = _with_relu(steps)
    while (moved := _moved_ahead(steps, graph)) is not None:
        steps = moved
    return steps


def _with_relu(steps: list[Step]) -> list[Step]:
    kept = list[Step]()
    for step in steps:
        layer = step.layer
        is_relu = isinstance(layer, Clip) and layer.least == 0 and layer.most == float("inf")
        before = kept[-1] if kept else None
        alone = before is not None and sum(before.output in each.inputs for each in steps) == 1
        if is_relu and before is not None and alone and before.output == step.inputs[0]:
            own = before.layer
            if isinstance(own, Convolution | Dense | Pairs):
                kept[-1] = Step(replace(own, relu=True), before.inputs, step.output)
                continue
        kept.append(step)
    return kept


def _moved_ahead(steps: list[Step], graph: Graph) -> list[Step] | None:
    """Do what is done to every number of a ring to the new ones alone, before they come in; None: nothing is."""
    for place, ring in enumerate(steps):
        readers = [step for step in steps if ring.output in step.inputs]
        if not isinstance(ring.layer, Ring) or len(readers) != 1:
            continue
        (after,) = readers
        layer = _of_new(after, ring.layer, ring.output, graph)
        if layer is None:
            continue
        fresh = f"{after.output}.fresh"
        inputs = tuple(ring.inputs[0] if each == ring.output else each for each in after.inputs)
        both = [Step(layer, inputs, fresh), Step(ring.layer, (fresh,), after.output)]
        others = [step for step in steps[place + 1 :] if step is not after]
        return [*steps[:place], *both, *others]
    return None


def _of_new(step: Step, ring: Ring, tensor: str, graph: Graph) -> Layer | None:
    """The same layer for new numbers alone; None where it is no such layer, or they are not all treated alike."""
    layer = step.layer
    if isinstance(layer, Apply | Clip | Leak):
        return replace(layer, count=ring.rows * ring.fresh)
    if not isinstance(layer, Pairs) or layer.shape[-1] != ring.length or step.inputs[0] != tensor:
        return None
    if step.inputs[1] not in graph.constants or layer.left != layer.shape or (layer.right and layer.right[-1] != 1):
        return None
    shape = (*layer.shape[:-1], ring.fresh)
    return replace(layer, shape=shape, left=shape)

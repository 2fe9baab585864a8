"""Where the numbers of a program lie: one array, in which what is needed at different times lies in the same place."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sayso.delivery.c.graph import Graph
from sayso.delivery.c.layers import Apply, Clip, Frames, Leak, Pairs, Ring
from sayso.delivery.c.lowering import SCRATCH, Step

__all__ = ["Plan", "make_plan", "sizes_of"]


@dataclass(frozen=True)
class Plan:
    """Places, in numbers from the beginning of either array."""

    arena: Mapping[str, int]
    arena_size: int
    rings: Mapping[str, int]
    """Of what a stream carries, which lies in an array of its own."""
    rings_size: int


@dataclass
class _Room:
    """What some tensors lie in, one after another."""

    size: int
    first: int
    last: int
    place: int = 0

    def meets(self, other: "_Room") -> bool:
        return self.first <= other.last and other.first <= self.last


def make_plan(steps: Sequence[Step], sizes: Mapping[str, int], *, logits: str) -> Plan:
    """Plan where each tensor lies.

    Args:
        steps: in their order.
        sizes: how many numbers each tensor has.
        logits: what is read after the last step.
    """
    rings, rings_size = dict[str, int](), 0
    for step in steps:
        if isinstance(step.layer, Ring):
            rings[step.output] = rings_size
            rings_size += sizes[step.output]
    last = {each: place for place, step in enumerate(steps) for each in step.inputs} | {logits: len(steps)}
    rooms = dict[str, _Room]()
    for place, step in enumerate(steps):
        until = last.get(step.output, place)
        if isinstance(step.layer, Frames):
            rooms[SCRATCH] = _Room(sizes[SCRATCH], place, place)
        if step.output in rings:
            continue
        taken = _taken_over(step, place, sizes, last, rooms)
        if taken:
            taken.last = until
        rooms[step.output] = taken or _Room(sizes[step.output], place, until)
    unique = list({id(room): room for room in rooms.values()}.values())
    arena_size = _lay(unique)
    return Plan({name: room.place for name, room in rooms.items()}, arena_size, rings, rings_size)


def _taken_over(
    step: Step, place: int, sizes: Mapping[str, int], last: Mapping[str, int], rooms: Mapping[str, _Room]
) -> _Room | None:
    """The room of what a layer reads for the last time, where its output may lie there."""
    if not step.layer.is_elementwise:
        return None
    for each in step.inputs:
        if each in rooms and last[each] == place and sizes[each] == sizes[step.output]:
            return rooms[each]
    return None


def _lay(rooms: list[_Room]) -> int:
    """Lay the largest first, each as low as those allow that are needed at the same time; gives the size of all."""
    laid = list[_Room]()
    for room in sorted(rooms, key=lambda each: (-each.size, each.first)):
        place = 0
        for other in sorted((each for each in laid if each.meets(room)), key=lambda each: each.place):
            if place + room.size <= other.place:
                break
            place = max(place, other.place + other.size)
        room.place = place
        laid.append(room)
    return max((room.place + room.size for room in rooms), default=0)


def sizes_of(steps: Sequence[Step], graph: Graph) -> dict[str, int]:
    """How many numbers each tensor has that a step makes or reads."""
    sizes = {name: math.prod(shape) for name, shape in graph.shapes.items()}
    for step in steps:
        layer = step.layer
        if isinstance(layer, Frames):
            sizes[SCRATCH] = layer.front_end.length
        if isinstance(layer, Pairs):
            sizes[step.output] = math.prod(layer.shape)
        if isinstance(layer, Apply | Clip | Leak):
            sizes[step.output] = layer.count
        if isinstance(layer, Ring):
            sizes[step.output] = layer.rows * layer.length
    return sizes

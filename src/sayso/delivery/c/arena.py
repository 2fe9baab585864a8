"""Where the numbers of a program lie: one array, in which what is needed at different times lies in the same place."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sayso.delivery.c.graph import Graph
from sayso.delivery.c.layers import (
    Apply,
    Clip,
    Collect,
    Convolution,
    Frames,
    Layer,
    Leak,
    Moves,
    Pairs,
    Pooling,
    Reduction,
    Ring,
)
from sayso.delivery.c.lowering import SCRATCH, Step

__all__ = ["Plan", "make_plan", "make_smallest", "sizes_of"]

# Times the least room: for less than a twentieth no more calls are made.
_HARDLY_MORE = 1.05


@dataclass(frozen=True)
class Plan:
    """Places, in numbers from the beginning of either array."""

    arena: Mapping[str, int]
    arena_size: int
    rings: Mapping[str, int]
    """Of what a stream carries, which lies in an array of its own."""
    rings_size: int

    @property
    def size(self) -> int:
        """Of both."""
        return self.arena_size + self.rings_size


@dataclass
class _Room:
    """What some tensors lie in, one after another."""

    size: int
    first: int
    last: int

    def meets(self, other: "_Room") -> bool:
        return self.first <= other.last and other.first <= self.last


def make_smallest(ways: Iterable[Sequence[Step]], graph: Graph, *, logits: str) -> tuple[list[Step], Plan]:
    """Plan each of several ways to do the same, rings carried whole or apart, and choose by the room that they need.

    Args:
        ways: each gives the same numbers.
        graph: what they do.
        logits: what is read after the last step.

    Returns:
        Of those that need hardly more room than the smallest, that of the fewest calls, as calls take time.
    """
    starts = ((steps, is_apart) for steps in ways for is_apart in (False, True))
    plans = [_smallest(steps, graph, logits, is_apart=is_apart) for steps, is_apart in starts]
    enough = _HARDLY_MORE * min(plan.size for _, plan in plans)
    near = (way for way in plans if way[1].size <= enough)
    return min(near, key=lambda way: (sum(step.turns for step in way[0]), way[1].size))


def _smallest(steps: Sequence[Step], graph: Graph, logits: str, *, is_apart: bool) -> tuple[list[Step], Plan]:
    """Carry all rings whole or apart, and then each, the largest first, the other way where that needs less room."""
    sizes = sizes_of(steps, graph)  # whether a ring is apart changes none
    rings = {place: step for place, step in enumerate(steps) if isinstance(step.layer, Ring)}
    best = [_apart(step) if is_apart and place in rings else step for place, step in enumerate(steps)]
    plan = make_plan(best, sizes, logits=logits)
    for place, ring in sorted(rings.items(), key=lambda each: -sizes[each[1].output]):
        other = [*best]
        other[place] = ring if is_apart else _apart(ring)
        its_plan = make_plan(other, sizes, logits=logits)
        if its_plan.size < plan.size:
            best, plan = other, its_plan
    return best, plan


def _apart(step: Step) -> Step:
    assert isinstance(step.layer, Ring)
    layer, kept = replace(step.layer, is_apart=True), f"{step.output}/kept"
    return replace(step, layer=layer, inputs=(step.inputs[0], kept))


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
            rings[step.inputs[1] if step.layer.is_apart else step.output] = rings_size
            rings_size += step.layer.kept
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
        # What is laid together lasts from turn to turn, and all that runs more often is within those turns.
        first = 0 if isinstance(step.layer, Collect) else place
        rooms[step.output] = taken or _Room(sizes[step.output], first, until)
    unique = list({id(room): room for room in rooms.values()}.values())
    arena_size, places = _laid(unique, len(steps))
    return Plan({name: places[id(room)] for name, room in rooms.items()}, arena_size, rings, rings_size)


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


def _laid(rooms: Sequence[_Room], steps: int) -> tuple[int, dict[int, int]]:
    """Lay the largest first; then again and again that first which lay highest, as long as fewer numbers might do."""
    order = sorted(rooms, key=lambda room: (-room.size, room.first))
    least = max(sum(room.size for room in rooms if room.first <= place <= room.last) for place in range(steps + 1))
    best = size, places = _lay(order)
    for _ in rooms:
        if best[0] == least:
            break
        highest = max(order, key=lambda room: places[id(room)] + room.size)
        order = [highest, *(room for room in order if room is not highest)]
        size, places = _lay(order)
        best = min(best, (size, places), key=lambda way: way[0])
    return best


def _lay(rooms: Sequence[_Room]) -> tuple[int, dict[int, int]]:
    """Lay one after another, each as low as those allow that are needed at the same time; gives the size of all."""
    laid, places = list[_Room](), dict[int, int]()
    for room in rooms:
        place = 0
        for other in sorted((each for each in laid if each.meets(room)), key=lambda each: places[id(each)]):
            if place + room.size <= places[id(other)]:
                break
            place = max(place, places[id(other)] + other.size)
        places[id(room)] = place
        laid.append(room)
    return max((places[id(room)] + room.size for room in rooms), default=0), places


def sizes_of(steps: Sequence[Step], graph: Graph) -> dict[str, int]:
    """How many numbers each tensor has that a step makes or reads."""
    sizes = {name: math.prod(shape) for name, shape in graph.shapes.items()}
    for step in steps:
        if isinstance(step.layer, Frames):
            sizes[SCRATCH] = step.layer.front_end.length
        if type(step.layer) in _MADE:
            sizes[step.output] = _MADE[type(step.layer)](step.layer)
    return sizes


# How many numbers layers make that may be other ones than the graph tells, or in turns.
_MADE: dict[type[Layer], Callable[[Any], int]] = {
    Apply: lambda layer: layer.count,
    Clip: lambda layer: layer.count,
    Collect: lambda layer: layer.size,
    Convolution: lambda layer: math.prod(layer.outside),
    Frames: lambda layer: layer.front_end.frames * layer.front_end.numbers,
    Leak: lambda layer: layer.count,
    Moves: lambda layer: layer.fill[1] if layer.fill else sum(math.prod(move.shape) for move in layer.moves),
    Pairs: lambda layer: math.prod(layer.shape),
    Pooling: lambda layer: layer.channels * math.prod(layer.outside),
    Reduction: lambda layer: layer.outer * layer.inner,
    Ring: lambda layer: layer.rows * layer.length,
}

"""A hop in turns: the first layers hear few frames at a time, so that what they hand on needs little room.

The layers that hear each frame give the most numbers, and poolings behind them leave few. Where a hop brings eight
frames, layers up to a pooling that halves their number may run four times, on two frames each; what comes of a turn is
laid beside what came of the others, for layers that run less often. Every number is computed as it would be otherwise.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from sayso.delivery.c.graph import Graph
from sayso.delivery.c.layers import Collect, Move, Ring
from sayso.delivery.c.lowering import Step
from sayso.delivery.c.over_time import Time, of_one_turn, time_of

__all__ = ["ways_in_turns"]

_Times = dict[str, Time]
_Groups = list[tuple[int, list[Step]]]
"""Steps that follow one another and run equally often."""


def ways_in_turns(steps: Sequence[Step], graph: Graph) -> Iterator[list[Step]]:
    """Yield ways in which the first of the steps run in turns.

    Args:
        steps: in their order.
        graph: its constants are known.
    """
    times, reach = _Times(), list[Step]()
    for step in steps:
        time = time_of(step, times, graph)
        if time is None:
            break
        times[step.output] = time
        reach.append(step)
    while reach and isinstance(reach[-1].layer, Ring):
        reach.pop()
    ends = {place + 1 for place, step in enumerate(reach) if _leaves_fewer(step, times)} | {len(reach)}
    for end in sorted(ends - {0}):
        turns = _turns(reach[:end], times)
        # What is heard last, the logits, is of the whole hop.
        if max(turns) > 1 and (end < len(steps) or turns[-1] == 1):
            for most in (each for each in range(2, max(turns) + 1) if max(turns) % each == 0):
                way = _in_turns(_groups(steps, [math.gcd(often, most) for often in turns]), times)
                if way is not None:
                    yield way


def _leaves_fewer(step: Step, times: _Times) -> bool:
    """Whether a step makes fewer frames than it hears."""
    return any(times[each].fresh > times[step.output].fresh for each in step.inputs if each in times)


def _turns(reach: Sequence[Step], times: _Times) -> list[int]:
    """How often each step may run: once for each frame of the next layer that leaves fewer; all once: no oftener."""
    turns, often = list[int](), times[reach[-1].output].fresh
    for step in reversed(reach):
        if _leaves_fewer(step, times):
            often = times[step.output].fresh
        turns.append(often)
    turns.reverse()
    fits = all(times[step.output].fresh % often == 0 for step, often in zip(reach, turns, strict=True))
    return turns if fits and all(first % second == 0 for first, second in pairwise(turns)) else [1] * len(reach)


def _groups(steps: Sequence[Step], turns: Sequence[int]) -> _Groups:
    often = [*turns, *[1] * (len(steps) - len(turns))]
    both = groupby(zip(often, steps, strict=True), key=lambda each: each[0])
    return [(each, [step for _, step in members]) for each, members in both]


def _in_turns(groups: _Groups, times: _Times) -> list[Step] | None:
    """Write each group for one turn, and lay together what the next one reads; None where that would not do."""
    made, done = list[Step](), dict[str, int]()  # the group in which a tensor was made
    for place, (turns, members) in enumerate(groups):
        own = {step.output for step in members}
        for step in members:
            if any(done.get(each, place) < place - 1 for each in step.inputs):
                return None
            inputs = tuple(_named(each, turns) if each in done or each in own else each for each in step.inputs)
            layer = step.layer if turns == 1 else of_one_turn(step, turns, times)
            made.append(Step(layer, inputs, _named(step.output, turns), turns))
        done |= dict.fromkeys(own, place)
        if place + 1 < len(groups):
            fewer, after = groups[place + 1]
            wanted = {each for step in after for each in step.inputs} & own
            if any(times[each].before for each in wanted):
                return None
            made += [_laid_together(each, times[each], turns, fewer) for each in sorted(wanted)]
    return made


def _named(tensor: str, turns: int) -> str:
    return tensor if turns == 1 else f"{tensor}/{turns}"


def _laid_together(tensor: str, time: Time, turns: int, fewer: int) -> Step:
    part, whole = time.of(turns), time.of(fewer)
    width = part.fresh * part.numbers
    move = Move((part.rows, width), (width, 1), (whole.fresh * whole.numbers, 1))
    return Step(Collect(move, turns, turns // fewer, width), (_named(tensor, turns),), _named(tensor, fewer), turns)

"""A hop in turns: the first layers hear few frames at a time, so that what they hand on needs little room.

The layers that hear each frame give the most numbers, and poolings behind them leave few. Where a hop brings eight
frames, layers up to a pooling that halves their number may run four times, on two frames each; what comes of a turn is
laid beside what came of the others, for layers that run less often. Every number is computed as it would be otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from sayso.delivery.c.graph import Graph, Shape
from sayso.delivery.c.layers import (
    Apply,
    Clip,
    Collect,
    Convolution,
    Frames,
    Layer,
    Leak,
    Move,
    Pairs,
    Pooling,
    Ring,
    broadcast_steps,
    steps_of,
)
from sayso.delivery.c.lowering import Step

__all__ = ["ways_in_turns"]


@dataclass(frozen=True)
class _Time:
    """How a tensor lies: so many rows of frames, of which the first may be of earlier hops."""

    rows: int
    before: int
    fresh: int
    numbers: int
    """Of a frame, in a row."""

    @property
    def frames(self) -> int:
        return self.before + self.fresh

    @property
    def size(self) -> int:
        return self.rows * self.frames * self.numbers

    def of(self, turns: int) -> "_Time":
        """What one turn has of it."""
        return replace(self, fresh=self.fresh // turns)


_Times = dict[str, _Time]


def ways_in_turns(steps: Sequence[Step], graph: Graph) -> Iterator[list[Step]]:
    """Yield every way in which the first of the steps run in turns.

    Args:
        steps: in their order.
        graph: its constants are known.
    """
    times, reach = _Times(), list[Step]()
    for step in steps:
        time = _time(step, times, graph)
        if time is None:
            break
        times[step.output] = time
        reach.append(step)
    ends = {place + 1 for place, step in enumerate(reach) if _leaves_fewer(step, times)} | {len(reach)}
    for end in sorted(ends - {0}):
        groups = _groups(reach[:end], times)
        way = _in_turns([*groups, (1, steps[end:])], times) if groups else None
        if way is not None:
            yield way


_Groups = list[tuple[int, Sequence[Step]]]


def _leaves_fewer(step: Step, times: _Times) -> bool:
    """Whether a step makes fewer frames than it hears."""
    return any(times[each].fresh > times[step.output].fresh for each in step.inputs if each in times)


def _groups(reach: Sequence[Step], times: _Times) -> _Groups:
    """Part the steps by how often they run: once for each frame of the next layer that leaves fewer; empty: not so."""
    turns, often = list[int](), times[reach[-1].output].fresh
    for step in reversed(reach):
        if _leaves_fewer(step, times):
            often = times[step.output].fresh
        turns.append(often)
    turns.reverse()
    fits = all(times[step.output].fresh % often == 0 for step, often in zip(reach, turns, strict=True))
    if not fits or turns[0] == 1 or any(first % second for first, second in pairwise(turns)):
        return []
    both = groupby(zip(turns, reach, strict=True), key=lambda each: each[0])
    return [(often, [step for _, step in members]) for often, members in both]


def _in_turns(groups: _Groups, times: _Times) -> list[Step] | None:
    """Write each group for one turn, and lay together what the next one reads; None where that would not do."""
    made, done = list[Step](), dict[str, int]()  # the group in which a tensor was made
    for place, (turns, members) in enumerate(groups):
        own = {step.output for step in members}
        for step in members:
            if any(done.get(each, place) < place - 1 for each in step.inputs):
                return None
            inputs = tuple(_named(each, turns) if each in done or each in own else each for each in step.inputs)
            layer = step.layer if turns == 1 else _of_one_turn(step, turns, times)
            made.append(Step(layer, inputs, _named(step.output, turns), turns))
        done |= dict.fromkeys(own, place)
        after = groups[place + 1] if place + 1 < len(groups) else (1, ())
        wanted = {each for step in after[1] for each in step.inputs} & own
        if any(times[each].before for each in wanted if turns > 1):
            return None
        if turns > after[0]:
            made += [_laid_together(each, times[each], turns, after[0]) for each in sorted(wanted)]
    return made


def _named(tensor: str, turns: int) -> str:
    return tensor if turns == 1 else f"{tensor}/{turns}"


def _laid_together(tensor: str, time: _Time, turns: int, fewer: int) -> Step:
    part, whole = time.of(turns), time.of(fewer)
    width = part.fresh * part.numbers
    move = Move((part.rows, width), (width, 1), (whole.fresh * whole.numbers, 1))
    layer = Collect(move, turns, turns // fewer, width)
    return Step(layer, (_named(tensor, turns),), _named(tensor, fewer), turns)


def _time(step: Step, times: _Times, graph: Graph) -> _Time | None:
    """How the output of a step lies; None where it cannot run in turns."""
    layer, heard = step.layer, times.get(step.inputs[0]) if step.inputs else None
    if isinstance(layer, Frames):
        own = layer.front_end
        inside = own.begin >= 0 and own.begin + (own.frames - 1) * own.hop + len(own.taper) <= own.samples
        return _Time(1, 0, own.frames, own.numbers) if inside else None
    if heard is None:
        return None
    if isinstance(layer, Apply | Clip | Leak):
        return heard
    if isinstance(layer, Ring):
        before = layer.length // heard.numbers - heard.fresh
        ring = replace(heard, before=before)
        return ring if not heard.before and (layer.rows, layer.rows * layer.length) == (ring.rows, ring.size) else None
    if isinstance(layer, Pairs):
        other = step.inputs[1]
        alike = _repeated(layer, heard) if other in graph.constants else times.get(other) == heard
        return heard if alike and layer.left == layer.shape and _axis(layer.shape, heard) is not None else None
    return _under_kernel(layer, heard) if isinstance(layer, Convolution | Pooling) else None


def _under_kernel(layer: Convolution | Pooling, heard: _Time) -> _Time | None:
    """How what a kernel makes lies, where it hears exactly the frames that a hop brings and those before."""
    inside, outside = _sizes(layer)
    over = _kernel_axis(inside, heard)
    if over is None:
        return None
    if isinstance(layer, Convolution):
        span = (layer.weights.shape[2 + over] - 1) * layer.dilation[over] + 1
    else:
        span = layer.kernel[over]
    stride, fresh = layer.stride[over], outside[1 + over]
    if layer.before[over] or heard.fresh != stride * fresh or heard.before != span - stride:
        return None
    return _Time(outside[0], 0, fresh, outside[2] if over == 0 else 1)


def _kernel_axis(inside: Shape, heard: _Time) -> int | None:
    """Whether a kernel moves over frames by its rows, 0, or by its columns, 1; None where it hears something else."""
    if inside == (heard.rows, heard.frames, heard.numbers):
        return 0
    return 1 if inside == (heard.rows, 1, heard.frames) and heard.numbers == 1 else None


def _sizes(layer: Convolution | Pooling) -> tuple[Shape, Shape]:
    if isinstance(layer, Convolution):
        return layer.inside, layer.outside
    return (layer.channels, *layer.inside), (layer.channels, *layer.outside)


def _axis(shape: Shape, time: _Time) -> int | None:
    """Which axis of a shape is that of the frames."""
    steps = steps_of(shape)
    fitting = (axis for axis, size in enumerate(shape) if (size, steps[axis]) == (time.frames, time.numbers))
    return next(fitting, None)


def _repeated(layer: Pairs, time: _Time) -> bool:
    """Whether the second operand is the same for every frame."""
    axis = _axis(layer.shape, time)
    return axis is not None and broadcast_steps(layer.right, layer.shape)[axis] == 0


def _of_one_turn(step: Step, turns: int, times: _Times) -> Layer:
    """The layer for as many frames as one turn has."""
    layer, made = step.layer, times[step.output].of(turns)
    if isinstance(layer, Frames):
        own = layer.front_end
        return replace(layer, front_end=replace(own, frames=own.frames // turns), turns=turns)
    if isinstance(layer, Apply | Clip | Leak):
        return replace(layer, count=made.size)
    if isinstance(layer, Ring):
        return replace(layer, length=made.frames * made.numbers, fresh=made.fresh * made.numbers)
    if isinstance(layer, Pairs):
        axis = _axis(layer.shape, times[step.output])
        assert axis is not None
        shape, right = _with(layer.shape, axis, made.frames), layer.right
        return replace(layer, shape=shape, left=shape, right=shape if right == layer.shape else right)
    assert isinstance(layer, Convolution | Pooling)
    heard = times[step.inputs[0]]
    inside, outside = _sizes(layer)
    over = _kernel_axis(inside, heard)
    assert over is not None
    inside, outside = _with(inside, 1 + over, heard.of(turns).frames), _with(outside, 1 + over, made.fresh)
    if isinstance(layer, Convolution):
        return replace(layer, inside=inside, outside=outside)
    return replace(layer, inside=(inside[1], inside[2]), outside=(outside[1], outside[2]))


def _with(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])

"""How tensors lie over time, and what a layer is for some of a hop's frames."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sayso.delivery.c.graph import Graph, Shape
from sayso.delivery.c.layers import (
    Apply,
    Clip,
    Convolution,
    Frames,
    Layer,
    Leak,
    Move,
    Moves,
    Pairs,
    Pooling,
    Reduction,
    Ring,
    broadcast_steps,
    steps_of,
)
from sayso.delivery.c.lowering import Step

__all__ = ["Time", "of_one_turn", "time_of"]


@dataclass(frozen=True)
class Time:
    """How a tensor lies: so many rows of frames, of which the first may be of earlier hops."""

    rows: int
    before: int
    fresh: int
    numbers: int
    """Of a frame, in a row."""

    @property
    def frames(self) -> int:
        """All that a row has."""
        return self.before + self.fresh

    @property
    def size(self) -> int:
        """Of the whole tensor."""
        return self.rows * self.frames * self.numbers

    def of(self, turns: int) -> "Time":
        """What one turn has of it."""
        return replace(self, fresh=self.fresh // turns)


Times = Mapping[str, Time]


def time_of(step: Step, times: Times, graph: Graph) -> Time | None:
    """How the output of a step lies; None where it cannot be computed frames by frames.

    Args:
        step: it.
        times: how the tensors lie that were made before.
        graph: its constants are known.
    """
    layer, heard = step.layer, times.get(step.inputs[0]) if step.inputs else None
    if isinstance(layer, Frames):
        own = layer.front_end
        inside = own.begin >= 0 and own.begin + (own.frames - 1) * own.hop + len(own.taper) <= own.samples
        return Time(1, 0, own.frames, own.numbers) if inside else None
    if heard is None:
        return None
    if isinstance(layer, Apply | Clip | Leak):
        return heard
    if isinstance(layer, Ring):
        ring = replace(heard, before=layer.length // heard.numbers - heard.fresh)
        return ring if not heard.before and (layer.rows, layer.rows * layer.length) == (ring.rows, ring.size) else None
    if isinstance(layer, Reduction):
        over_rows = layer.outer * layer.count == heard.rows and layer.inner == heard.frames * heard.numbers
        return replace(heard, rows=layer.outer) if over_rows else None
    if isinstance(layer, Moves):
        return Time(heard.numbers, 0, heard.fresh, 1) if _turns_over(layer, heard) else None
    if isinstance(layer, Pairs):
        other = step.inputs[1]
        is_known = other in graph.constants or other in times
        return heard if is_known and _alike(layer, heard, times.get(other)) else None
    return _under_kernel(layer, heard) if isinstance(layer, Convolution | Pooling) else None


def of_one_turn(step: Step, turns: int, times: Times) -> Layer:
    """Give the layer of a step for as many frames as one turn has.

    Args:
        step: it has a time.
        turns: of a hop.
        times: how its tensors lie.
    """
    layer, made = step.layer, times[step.output].of(turns)
    if isinstance(layer, Frames):
        own = layer.front_end
        return replace(layer, front_end=replace(own, frames=own.frames // turns), turns=turns)
    if isinstance(layer, Apply | Clip | Leak):
        return replace(layer, count=made.size)
    if isinstance(layer, Ring):
        return replace(layer, length=made.frames * made.numbers, fresh=made.fresh * made.numbers)
    if isinstance(layer, Reduction):
        return replace(layer, inner=made.frames * made.numbers)
    if isinstance(layer, Moves):
        return Moves((_turning(made),))
    if isinstance(layer, Pairs):
        whole = times[step.output]
        shape = _with_frames(layer.shape, whole, made.frames)
        right = (
            _with_frames(layer.right, times[step.inputs[1]], made.frames) if step.inputs[1] in times else layer.right
        )
        return replace(layer, shape=shape, left=shape, right=right)
    assert isinstance(layer, Convolution | Pooling)
    heard = times[step.inputs[0]]
    inside, outside = _sizes(layer)
    over = _kernel_axis(inside, heard)
    assert over is not None
    inside, outside = _with(inside, 1 + over, heard.of(turns).frames), _with(outside, 1 + over, made.fresh)
    if isinstance(layer, Convolution):
        return replace(layer, inside=inside, outside=outside)
    return replace(layer, inside=(inside[1], inside[2]), outside=(outside[1], outside[2]))


def _turning(time: Time) -> Move:
    """From frame after frame to number after number, each with its frames in a row."""
    return Move((time.rows, time.fresh), (1, time.rows), (time.fresh, 1))


def _turns_over(layer: Moves, heard: Time) -> bool:
    if heard.rows != 1 or heard.before or layer.fill or len(layer.moves) != 1:
        return False
    (move,) = layer.moves
    wide = [axis for axis, size in enumerate(move.shape) if size > 1]
    shape, steps, to = (tuple(each[axis] for axis in wide) for each in (move.shape, move.steps, move.to))
    own = Move(shape, steps, to, move.begin, move.into)
    return own == _turning(Time(heard.numbers, 0, heard.fresh, 1))


def _alike(layer: Pairs, heard: Time, other: Time | None) -> bool:
    """Whether the first operand is all of it, and the second alike for every frame, or of the same frames."""
    axis = _axis(layer.shape, heard)
    if layer.left != layer.shape or axis is None:
        return False
    if other is None:
        return broadcast_steps(layer.right, layer.shape)[axis] == 0
    same = (heard.before, heard.fresh, heard.numbers) == (other.before, other.fresh, other.numbers)
    return same and _axis(layer.right, other) == axis - len(layer.shape) + len(layer.right)


def _axis(shape: Shape, time: Time) -> int | None:
    """Which axis of a shape is that of the frames."""
    steps = steps_of(shape)
    fitting = (axis for axis, size in enumerate(shape) if (size, steps[axis]) == (time.frames, time.numbers))
    return next(fitting, None)


def _with_frames(shape: Shape, time: Time, frames: int) -> Shape:
    axis = _axis(shape, time)
    assert axis is not None
    return _with(shape, axis, frames)


def _with(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def _under_kernel(layer: Convolution | Pooling, heard: Time) -> Time | None:
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
    return Time(outside[0], 0, fresh, outside[2]) if over == 0 else Time(outside[0] * outside[1], 0, fresh, 1)


def _kernel_axis(inside: Shape, heard: Time) -> int | None:
    """Whether a kernel moves over frames by its rows, 0, or by its columns, 1; None where it hears something else."""
    if inside == (heard.rows, heard.frames, heard.numbers):
        return 0
    by_columns = heard.numbers == 1 and inside[2] == heard.frames
    return 1 if by_columns and inside[0] * inside[1] == heard.rows else None


def _sizes(layer: Convolution | Pooling) -> tuple[Shape, Shape]:
    if isinstance(layer, Convolution):
        return layer.inside, layer.outside
    return (layer.channels, *layer.inside), (layer.channels, *layer.outside)

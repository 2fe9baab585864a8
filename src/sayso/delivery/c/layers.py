"""What a program in C does, step by step: each kind of layer knows its call and what that costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sayso.delivery.c.front_end import FrontEnd
from sayso.delivery.c.graph import Shape
from sayso.delivery.c.narrow import Narrow
from sayso.delivery.c.tables import Tables, number

__all__ = [
    "Apply", "Clip", "Collect", "Convolution", "Dense", "Frames", "Layer", "Leak", "Move", "Moves", "Pairs", "Pooling",
    "Reduction", "Ring", "Samples", "broadcast_steps", "steps_of", "turn_of",
]  # fmt: skip

Array = NDArray[np.generic]
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Layer:
    """Base of all: what a step does with what it reads."""

    is_elementwise: ClassVar[bool] = False
    """Whether each number hangs on the numbers of the same place alone, so that it may lie where they lay."""

    @property
    def multiply_adds(self) -> int:
        """How many an answer takes."""
        return 0

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """Write the call, as a statement or several."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Convolution(Layer):
    """Over rows and columns."""

    weights: Array
    """(out, in / groups, kernel rows, kernel columns)"""
    bias: Array | None
    inside: Shape
    """Channels, rows and columns that go in."""
    outside: Shape
    stride: Pair
    dilation: Pair
    before: Pair
    """Zeros above and on the left."""
    groups: int
    narrow: Narrow | None = None
    """The weights as int8; None: they are float."""
    relu: bool = False

    @property
    def multiply_adds(self) -> int:
        """As the base."""
        return math.prod(self.outside) * math.prod(self.weights.shape[1:])

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        name = tables.structure(
            "sayso_convolution", tables.weights(self.weights, self.narrow), _bias(tables, self), self.inside,
            self.outside, self.weights.shape[2:], self.stride, self.dilation, self.before, self.groups, self.relu,
        )  # fmt: skip
        return f"sayso_convolve({name}, {inputs[0]}, {output});"


@dataclass(frozen=True, eq=False)
class Dense(Layer):
    """A product with a matrix, of each row."""

    weights: Array
    """(out, in)"""
    bias: Array | None
    rows: int
    narrow: Narrow | None = None
    """The weights as int8; None: they are float."""
    relu: bool = False

    @property
    def multiply_adds(self) -> int:
        """As the base."""
        return self.rows * self.weights.size

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        weights = tables.weights(self.weights, self.narrow)
        inner, outer = self.weights.shape[1], self.weights.shape[0]
        bias = _bias(tables, self)
        name = tables.structure("sayso_dense", weights, bias, self.rows, inner, outer, self.relu)
        return f"sayso_multiply({name}, {inputs[0]}, {output});"


@dataclass(frozen=True, eq=False)
class Pairs(Layer):
    """Two operands, number by number."""

    is_elementwise: ClassVar[bool] = True

    operation: str
    shape: Shape
    left: Shape
    right: Shape
    relu: bool = False

    @property
    def multiply_adds(self) -> int:
        """As the base."""
        return math.prod(self.shape)

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        operands = (broadcast_steps(self.left, self.shape), broadcast_steps(self.right, self.shape))
        shape, (left, right) = _folded(self.shape, *operands)
        name = tables.structure("sayso_pairs", self.operation, self.relu, shape, left, right)
        return f"sayso_combine({name}, {inputs[0]}, {inputs[1]}, {output});"


@dataclass(frozen=True, eq=False)
class Apply(Layer):
    """A function of each number."""

    is_elementwise: ClassVar[bool] = True

    operation: str
    count: int

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        del tables
        return f"sayso_apply({self.operation}, {self.count}, {inputs[0]}, {output});"


@dataclass(frozen=True, eq=False)
class Clip(Layer):
    """Each number between two bounds; from 0 on, ReLU."""

    is_elementwise: ClassVar[bool] = True

    least: float
    most: float
    count: int

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        del tables
        return f"sayso_clip({number(self.least)}, {number(self.most)}, {self.count}, {inputs[0]}, {output});"


@dataclass(frozen=True, eq=False)
class Leak(Layer):
    """Numbers below 0 times a slope."""

    is_elementwise: ClassVar[bool] = True

    slope: float
    count: int

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        del tables
        return f"sayso_leak({number(self.slope)}, {self.count}, {inputs[0]}, {output});"


@dataclass(frozen=True)
class Move:
    """Numbers from one place to another."""

    shape: Shape
    steps: tuple[int, ...]
    """Of what is read, over each axis."""
    to: tuple[int, ...]
    """Of what is written."""
    begin: int = 0
    into: int = 0


@dataclass(frozen=True, eq=False)
class Moves(Layer):
    """Transposes, cuts and joins; one move for each input."""

    moves: tuple[Move, ...]
    fill: tuple[float, int] | None = None
    """A number that stands wherever none is moved to, and how many there are in all."""

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        lines = [f"sayso_fill({self.fill[1]}, {number(self.fill[0])}, {output});"] if self.fill else []
        for move, each in zip(self.moves, inputs, strict=True):
            shape, (steps, to) = _folded(move.shape, move.steps, move.to)
            name = tables.structure("sayso_move", shape, steps, to)
            lines.append(f"sayso_copy({name}, {each} + {move.begin}, {output} + {move.into});")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Reduction(Layer):
    """Mean, sum or maximum over axes that stand beside each other."""

    outer: int
    count: int
    inner: int
    is_maximum: bool
    factor: float

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        fields = (self.outer, self.count, self.inner, self.is_maximum, number(self.factor))
        return f"sayso_reduce({tables.structure('sayso_reduction', *fields)}, {inputs[0]}, {output});"


@dataclass(frozen=True, eq=False)
class Pooling(Layer):
    """Mean or maximum under a kernel that moves over rows and columns."""

    channels: int
    inside: Pair
    outside: Pair
    kernel: Pair
    stride: Pair
    before: Pair
    is_maximum: bool
    counts_padding: bool

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        name = tables.structure(
            "sayso_pooling", self.channels, self.inside, self.outside, self.kernel, self.stride, self.before,
            self.is_maximum, self.counts_padding,
        )  # fmt: skip
        return f"sayso_pool({name}, {inputs[0]}, {output});"


@dataclass(frozen=True, eq=False)
class Collect(Layer):
    """What comes of a turn, laid beside what came of the others."""

    move: Move
    turns: int
    """Of a hop."""
    laid: int
    """Turns that are laid together."""
    width: int
    """Numbers of a turn in a row."""

    @property
    def size(self) -> int:
        """Of what is laid together."""
        return self.move.shape[0] * self.laid * self.width

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        shape, (steps, to) = _folded(self.move.shape, self.move.steps, self.move.to)
        name = tables.structure("sayso_move", shape, steps, to)
        return f"sayso_copy({name}, {inputs[0]}, {output} + {turn_of(self.turns)} % {self.laid} * {self.width});"


@dataclass(frozen=True, eq=False)
class Ring(Layer):
    """Rows that a stream carries: what is new comes in at their end."""

    rows: int
    length: int
    fresh: int
    is_apart: bool = False
    """Only what a hop must know of earlier ones is carried, and read as a second input; the rows are made anew."""

    @property
    def kept(self) -> int:
        """How many numbers are carried."""
        return self.rows * (self.length - self.fresh if self.is_apart else self.length)

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        name = tables.structure("sayso_ring", self.rows, self.length, self.fresh)
        if self.is_apart:
            return f"sayso_join({name}, {inputs[0]}, {inputs[1]}, {output});"
        return f"sayso_carry({name}, {inputs[0]}, {output});"


@dataclass(frozen=True, eq=False)
class Frames(Layer):
    """Energies of frequencies or bands, of the samples; reads room for one transform."""

    front_end: FrontEnd
    turns: int = 1
    """Of a hop, each of which hears so many frames."""

    @property
    def multiply_adds(self) -> int:
        """As the base."""
        return self.front_end.multiply_adds

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        front_end = self.front_end
        quarter = np.cos(2 * np.pi * np.arange(front_end.length // 4 + 1) / front_end.length)
        bands: list[Any] = [0, 0, 0, 0]
        if front_end.bank is not None:
            firsts, counts, weights = _sparse(front_end.bank)
            places = (tables.integers(np.array(each), "int16_t") for each in (firsts, counts))
            bands = [len(firsts), *places, tables.floats(weights)]
        name = tables.structure(
            "sayso_front_end", front_end.frames, front_end.hop, front_end.length, front_end.before,
            len(front_end.taper), front_end.samples, front_end.begin, tables.floats(front_end.taper / 32768),
            tables.floats(quarter), *bands,
        )  # fmt: skip
        sound = f"heard + SAYSO_HEARD - {front_end.samples}"
        if self.turns > 1:
            sound += f" + {turn_of(self.turns)} * {front_end.frames * front_end.hop}"
        return f"sayso_frames({name}, {sound}, {inputs[0]}, {output});"


@dataclass(frozen=True, eq=False)
class Samples(Layer):
    """The samples as they are."""

    count: int

    def call(self, tables: Tables, output: str, inputs: Sequence[str]) -> str:
        """As the base."""
        del tables, inputs
        return f"sayso_samples({self.count}, heard + SAYSO_HEARD - {self.count}, {output});"


def turn_of(turns: int) -> str:
    """The name in C of the turn that runs, counted from the hop's beginning, where a hop has so many."""
    return f"turn_of_{turns}"


def steps_of(shape: Shape) -> tuple[int, ...]:
    """How far numbers of a tensor lie apart, over each axis."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def broadcast_steps(shape: Shape, whole: Shape) -> tuple[int, ...]:
    """The same where a tensor stands for a larger one: 0 over axes on which it is repeated."""
    own = tuple(step if size > 1 else 0 for size, step in zip(shape, steps_of(shape), strict=True))
    return (0,) * (len(whole) - len(shape)) + own


def _folded(shape: Shape, *steps: tuple[int, ...]) -> tuple[list[int], list[list[int]]]:
    """Bring axes together where all steps allow it, to four; more are refused by `lowering`, which asks before."""
    sizes, kept = list[int](), [list[int]() for _ in steps]
    for axis, size in enumerate(shape):
        own = [each[axis] for each in steps]
        if size == 1:
            continue
        if sizes and all(each[-1] == step * size for each, step in zip(kept, own, strict=True)):
            sizes[-1] *= size
            for each, step in zip(kept, own, strict=True):
                each[-1] = step
            continue
        sizes.append(size)
        for each, step in zip(kept, own, strict=True):
            each.append(step)
    missing = 4 - len(sizes)
    if missing < 0:
        raise ValueError(f"{len(sizes)} axes that cannot be brought together")
    return [1] * missing + sizes, [[0] * missing + each for each in kept]


def _bias(tables: Tables, layer: Convolution | Dense) -> str:
    shift = None if layer.narrow is None else layer.narrow.shift
    if layer.bias is None or shift is None:
        both = layer.bias if shift is None else shift
    else:
        both = layer.bias.astype(np.float32) + shift
    return "0" if both is None else tables.floats(both)


def _sparse(bank: NDArray[np.float32]) -> tuple[list[int], list[int], NDArray[np.float32]]:
    """First frequency and count of each band of (frequencies, bands), and the weights of all, one after another."""
    firsts, counts, weights = list[int](), list[int](), list[NDArray[np.float32]]()
    for band in bank.T:
        covered = np.flatnonzero(band)
        first, last = (int(covered[0]), int(covered[-1]) + 1) if len(covered) else (0, 0)
        firsts.append(first)
        counts.append(last - first)
        weights.append(band[first:last])
    return firsts, counts, np.concatenate(weights)

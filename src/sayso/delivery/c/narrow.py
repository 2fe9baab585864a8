"""Weights as int8, rounded so that what a layer gives changes least, on sound that is like speech.

Weights are rounded one after another, and what each loses is made up for by those that are still to come, as far as
their inputs go together (Frantar et al. 2022, "GPTQ: Accurate Post-Training Quantization", of Hassibi & Stork 1993).
What the outputs of a layer have shifted by in the mean goes into its bias. That leaves a tenth of the error that
rounding each weight by itself makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.delivery.c.graph import Graph, Node

__all__ = ["Narrow", "round_layers", "round_rows"]

_MOST = 127
_DAMPING = 0.01
# Above so many inputs of one output their products would take too long; each weight is rounded by itself then.
_MOST_INPUTS = 4096
# So many outputs of a layer are enough to know its inputs by.
_MOST_PLACES = 40_000

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Narrow:
    """Weights of a layer as int8."""

    numbers: NDArray[np.int8]
    """In the shape of the weights, (outputs, ...)."""
    scales: NDArray[np.float32]
    """What each output's are multiplied by, (outputs,)."""
    shift: NDArray[np.float32]
    """What is added to each output, (outputs,)."""

    @property
    def weights(self) -> NDArray[np.float32]:
        """What they stand for."""
        return self.numbers * self.scales.reshape(-1, *(1,) * (self.numbers.ndim - 1))


def round_layers(graph: Graph, layers: Sequence[Node], heard: Mapping[str, Array]) -> dict[str, Narrow]:
    """Round the weights of layers.

    Args:
        graph: that they are of.
        layers: convolutions and dense layers whose weights are constants.
        heard: what goes into each, by name, for sound that is like what it will hear.

    Returns:
        By the tensors that they make.
    """
    found: dict[str, Narrow] = {}
    for node in layers:
        weights = graph.constants[node.inputs[1]]
        if node.operator == "Gemm" and not node.attributes.get("transB"):
            weights = weights.T
        groups = int(node.attributes.get("group", 1))
        parts = [
            round_rows(rows.reshape(len(rows), -1), _rows_heard(node, weights, own))
            for rows, own in zip(np.split(weights, groups), np.split(heard[node.inputs[0]], groups, 1), strict=True)
        ]
        numbers = np.concatenate([part.numbers for part in parts]).reshape(weights.shape)
        scales, shift = (np.concatenate([getattr(part, each) for part in parts]) for each in ("scales", "shift"))
        found[node.output] = Narrow(numbers, scales, shift)
    return found


def round_rows(rows: NDArray[np.floating], heard: NDArray[np.floating]) -> Narrow:
    """Round weights, each row with a scale of its own.

    Args:
        rows: (outputs, inputs).
        heard: what comes in, (times, inputs).
    """
    largest = np.abs(rows).max(axis=1)
    scales = np.where(largest > 0, largest / _MOST, 1.0).astype(np.float32)
    wide = rows.astype(np.float64)
    numbers = _round_in_turn(wide, scales, heard) if rows.shape[1] <= _MOST_INPUTS else _rounded(wide.T, scales).T
    lost = wide - numbers * scales[:, None].astype(np.float64)
    shift = lost @ heard.mean(axis=0, dtype=np.float64)
    return Narrow(numbers.astype(np.int8), scales, shift.astype(np.float32))


def _round_in_turn(rows: NDArray[np.float64], scales: NDArray[np.float32], heard: NDArray[np.floating]) -> Array:
    inputs = heard.astype(np.float64)
    together = inputs.T @ inputs
    together += (_DAMPING * np.diag(together).mean() + 1e-9) * np.eye(len(together))
    spread = np.linalg.cholesky(np.linalg.inv(together)).T  # (inputs, inputs), upper
    left, numbers = rows.copy(), np.zeros_like(rows)
    for place in range(rows.shape[1]):
        numbers[:, place] = _rounded(left[:, place], scales)
        lost = left[:, place] - numbers[:, place] * scales
        left[:, place + 1 :] -= np.outer(lost / spread[place, place], spread[place, place + 1 :])
    return numbers


def _rounded(weights: NDArray[np.float64], scales: NDArray[np.float32]) -> Array:
    """Round weights of which the last axis has scales."""
    return np.clip(np.round(weights / scales), -_MOST, _MOST)


def _rows_heard(node: Node, weights: Array, heard: Array) -> Array:
    """What each output hears, (times, inputs), of what comes in, (batch, channels, ...)."""
    if node.operator == "Gemm":
        return heard.reshape(-1, weights.shape[1])[:_MOST_PLACES]
    axes = tuple(range(2, weights.ndim))
    pads = [int(each) for each in node.attributes.get("pads", ())] or [0] * 2 * len(axes)
    padded = np.pad(heard, ((0, 0), (0, 0), *zip(pads[: len(axes)], pads[len(axes) :], strict=True)))
    strides, dilations = (node.attributes.get(each) or [1] * len(axes) for each in ("strides", "dilations"))
    spans = [(size - 1) * apart + 1 for size, apart in zip(weights.shape[2:], dilations, strict=True)]
    views = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=axes)  # (batch, channels, *out, *kernel)
    whole = (slice(None), slice(None))
    views = views[(*whole, *(slice(None, None, step) for step in strides), *(slice(None, None, d) for d in dilations))]
    views = np.moveaxis(views, 1, 1 + len(axes))  # (batch, *out, channels, *kernel)
    inputs = int(np.prod(views.shape[1 + len(axes) :]))
    every = max(1, views[..., 0, *(0,) * len(axes)].size // _MOST_PLACES)
    return views[::every].reshape(-1, inputs)[:_MOST_PLACES]

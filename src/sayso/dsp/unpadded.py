"""Chains of image layers that are not padded over time: what an output hears, and what comes out of so many frames.

Convolutions keep the bands as they are, poolings begin at the first frame; other layers change no size.
"""

from collections.abc import Iterable

from torch import Tensor, nn

__all__ = ["apply_in_turn", "pair_of", "shape_after", "span_of"]


def span_of(layers: Iterable[nn.Module]) -> tuple[int, int]:
    """How many frames before the newest stride an output hears, and how many frames that stride is.

    >>> span_of([nn.Conv2d(1, 4, (3, 3)), nn.MaxPool2d(2), nn.Conv2d(4, 4, (3, 1))])
    (6, 2)
    """
    behind, stride = 0, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            behind += stride * (layer.kernel_size[0] - 1)
        elif isinstance(layer, nn.MaxPool2d):
            stride *= pair_of(layer.kernel_size)[0]
    return behind, stride


def shape_after(layers: Iterable[nn.Module], shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Give (channels, frames, bands) of what layers make of an image of this shape.

    >>> shape_after([nn.Conv2d(1, 4, (3, 1)), nn.MaxPool2d((2, 1))], (1, 13, 8))
    (4, 5, 8)
    """
    channels, frames, bands = shape
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            channels, frames = layer.out_channels, frames - layer.kernel_size[0] + 1
        elif isinstance(layer, nn.MaxPool2d):
            over_time, over_bands = pair_of(layer.kernel_size)
            frames, bands = frames // over_time, bands // over_bands
    return channels, frames, bands


def pair_of(size: int | tuple[int, ...]) -> tuple[int, ...]:
    """Give a pooling's size as (frames, bands), which one number may stand for."""
    return (size, size) if isinstance(size, int) else size


def apply_in_turn(layers: Iterable[nn.Module], values: Tensor) -> Tensor:
    """Give what layers make of values, one after the other."""
    for layer in layers:
        values = layer(values)
    return values

"""Changes to training clips that leave the word the same. One file each, on whole batches, on any device.

Randomness comes from an explicit CPU generator, so the same (seed, epoch, step) gives the same clips everywhere.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from sayso.config.registry import Part, Registry
from sayso.errors import Fault

__all__ = ["AUGMENTATIONS", "AugmentConfig", "Augmentation", "Surroundings", "find_reversed", "uniform"]

Augmentation = Callable[[Tensor, torch.Generator], Tensor]
"""Batch and random generator in, changed batch of the same shape out."""


@dataclass(frozen=True)
class Surroundings:
    """What an augmentation may need to know of the clips: their rate in hertz, and recordings of other sound."""

    sample_rate: int
    noise: Sequence[Tensor] = ()
    """Float samples in [-1, 1), one tensor a recording, each (samples,)."""
    speech: Sequence[Tensor] = ()
    """The same of long recordings in which no word is spoken that is to be learned."""


@dataclass(frozen=True, kw_only=True)
class AugmentConfig(Part):
    """Base of the settings of every augmentation."""

    registry: ClassVar["Registry[AugmentConfig]"]
    works_on: ClassVar[Literal["samples", "features"]] = "samples"

    @property
    def draws(self) -> bool:
        """Whether it may change one copy of a clip otherwise than another."""
        return True

    @property
    def background(self) -> tuple[str, ...]:
        """Files and folders of recordings that are heard as noise beside those of the data set."""
        return ()

    def anchor(self) -> Self:
        """The same with whole paths, which hold from any folder."""
        return self

    def build(self, surroundings: Surroundings) -> Augmentation:
        """Make the function for batches of samples (batch, samples) or features (batch, channels, bins, frames).

        In Sayso itself it is an object of the class that lies beside the settings: `Gain` beside `GainConfig`.
        """
        raise NotImplementedError


AUGMENTATIONS: Registry[AugmentConfig] = Registry("sayso.augment", noun="augmentation")
AugmentConfig.registry = AUGMENTATIONS


def find_reversed(config: AugmentConfig, lowest: str, highest: str) -> Iterator[Fault]:
    """Yield a fault where a range, given by the names of its limits, ends before it begins."""
    begin, end = getattr(config, lowest), getattr(config, highest)
    if begin > end:
        yield Fault(lowest, f"is {begin:g}, above {highest}, {end:g}")


def uniform(count: int, low: float, high: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """Draw `count` numbers from [low, high) on the CPU and bring them to `device`; (count,)."""
    return (low + (high - low) * torch.rand(count, generator=generator)).to(device)

"""Time shift: the word comes a little earlier or later."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings
from sayso.config.schema import NonNegative, Range

__all__ = ["TimeShift", "TimeShiftConfig"]


@AUGMENTATIONS.register("time_shift")
@dataclass(frozen=True, kw_only=True)
class TimeShiftConfig(AugmentConfig):
    """Shift each clip by up to so many seconds either way of a middle; silence fills the gap."""

    most_seconds: NonNegative = 0.1
    """Largest shift, from the middle of all shifts."""
    middle_seconds: Annotated[float, Range(least=-1.0, most=1.0)] = 0.0
    """The middle of all shifts: above 0 clips train later than they lie, below 0 earlier."""

    @property
    def draws(self) -> bool:
        """Not where all shifts are their middle."""
        return self.most_seconds > 0

    def build(self, surroundings: Surroundings) -> "TimeShift":
        """Make the function for batches of samples."""
        return TimeShift(self, surroundings.sample_rate)


class TimeShift:
    """Shift each clip of a batch by a time of its own.

    Args:
        config: its settings.
        sample_rate: of the clips, in hertz.
    """

    def __init__(self, config: TimeShiftConfig, sample_rate: int) -> None:
        self.most = round(config.most_seconds * sample_rate)
        self.middle = round(config.middle_seconds * sample_rate)

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips (batch, samples)."""
        batch, length = samples.shape
        most = min(self.most, length - 1)
        drawn = torch.randint(-most, most + 1, (batch, 1), generator=generator).to(samples.device)
        reach = min(self.most + abs(self.middle), length - 1)
        by = (drawn + self.middle).clamp(-reach, reach)
        padded = torch.nn.functional.pad(samples, (reach, reach))
        index = torch.arange(reach, reach + length, device=samples.device) - by  # (batch, samples)
        return padded.gather(1, index)

"""Time shift: the word comes a little earlier or later."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings
from sayso.config.schema import NonNegative

__all__ = ["TimeShift", "TimeShiftConfig"]


@AUGMENTATIONS.register("time_shift")
@dataclass(frozen=True, kw_only=True)
class TimeShiftConfig(AugmentConfig):
    """Shift each clip by up to so many seconds either way; silence fills the gap."""

    most_seconds: NonNegative = 0.1
    """Largest shift."""

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

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips (batch, samples)."""
        batch, length = samples.shape
        reach = min(self.most, length - 1)
        by = torch.randint(-reach, reach + 1, (batch, 1), generator=generator).to(samples.device)
        padded = torch.nn.functional.pad(samples, (reach, reach))
        index = torch.arange(reach, reach + length, device=samples.device) - by  # (batch, samples)
        return padded.gather(1, index)

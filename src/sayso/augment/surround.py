"""Surround: the word stands in longer sound, as it does on a stream, and ends shortly before the window does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, find_reversed, uniform
from sayso.config.schema import Decibels, NonNegative, Share
from sayso.errors import Fault

__all__ = ["Surround", "SurroundConfig"]

# A word lies where its power, in steps of 10 ms and over three of them, is within 20 dB of its highest.
_STEP_SECONDS, _SPAN = 0.01, 10**-2.0
_SHORTEST_GAP_SECONDS, _LONGEST_GAP_SECONDS = 0.03, 0.5
_NEIGHBOUR_DB = 6.0
# Beside speech, or another noise, there is always some noise more: nothing in a stream is zero.
_MORE_DB, _LESS_DB = -10.0, -30.0
_LEAST_POWER = 1e-12


@AUGMENTATIONS.register("surround")
@dataclass(frozen=True, kw_only=True)
class SurroundConfig(AugmentConfig):
    """Move each word so that it ends shortly before the window does, and put other sound around it.

    For models that listen to streams. The sound around is other speech (`rejection.recordings`) or background
    recordings, or white noise where there are none, and at times another clip of the batch before the word.
    """

    most_seconds: NonNegative = 0.4
    """Longest time from the word's end to the window's end."""
    lowest_snr_db: Decibels = 0.0
    """Loudest surroundings: power of the word over theirs in dB."""
    highest_snr_db: Decibels = 25.0
    """Softest surroundings."""
    speech: Share = 0.45
    """Share of the clips that stand in other speech, where there are recordings of it."""
    neighbour: Share = 0.4
    """Share of the clips with another clip of the batch shortly before them."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where the lowest ratio is above the highest."""
        yield from find_reversed(self, "lowest_snr_db", "highest_snr_db")

    def build(self, surroundings: Surroundings) -> "Surround":
        """Make the function for batches of samples."""
        return Surround(self, surroundings)


class Surround:
    """Place the words of a batch, each with surroundings of its own, and clip them to [-1, 1].

    Args:
        config: its settings.
        surroundings: sample rate, background recordings and recordings of other speech.
    """

    def __init__(self, config: SurroundConfig, surroundings: Surroundings) -> None:
        self.config, self.rate = config, surroundings.sample_rate
        self.noise, self.speech = surroundings.noise, surroundings.speech

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips (batch, samples)."""
        config, (batch, length), device = self.config, samples.shape, samples.device
        first, end = _find_words(samples, round(_STEP_SECONDS * self.rate))  # (batch,), in samples
        before_end = uniform(batch, 0, config.most_seconds * self.rate, generator, device).long()
        by = length - before_end - end
        word = _moved(samples, by)
        level = _level(samples, first, end)  # (batch,)

        other = torch.roll(torch.arange(batch), 1)
        gap = uniform(batch, _SHORTEST_GAP_SECONDS * self.rate, _LONGEST_GAP_SECONDS * self.rate, generator, device)
        neighbour = _moved(samples[other], first + by - gap.long() - end[other])
        louder_db = uniform(batch, -_NEIGHBOUR_DB, _NEIGHBOUR_DB, generator, device)
        has_neighbour = uniform(batch, 0, 1, generator, device) < config.neighbour
        share = has_neighbour * level / level[other] * 10 ** (louder_db / 20)

        around = self._around(batch, length, generator).to(device)
        snr_db = uniform(batch, config.lowest_snr_db, config.highest_snr_db, generator, device)
        loud = level * 10 ** (-snr_db / 20)
        return (word + share[:, None] * neighbour + loud[:, None] * around).clamp(-1, 1)

    def _around(self, batch: int, length: int, generator: torch.Generator) -> Tensor:
        """Sound of a mean power of about 1, (batch, length)."""
        is_speech = torch.rand(batch, generator=generator) < self.config.speech
        rows: list[Tensor] = []
        for speaks in is_speech.tolist():
            main = self._stretch(self.speech if speaks and len(self.speech) else self.noise, length, generator)
            more_db = _LESS_DB + (_MORE_DB - _LESS_DB) * float(torch.rand(1, generator=generator))
            rows.append(main + self._stretch(self.noise, length, generator) * 10 ** (more_db / 20))
        return torch.stack(rows)

    def _stretch(self, recordings: Sequence[Tensor], length: int, generator: torch.Generator) -> Tensor:
        """Draw a stretch of a recording, by the power of the whole recording; white noise where there is none."""
        if not recordings:
            return torch.randn(length, generator=generator)
        recording = recordings[int(torch.randint(len(recordings), (1,), generator=generator))]
        # It may begin or end inside the window.
        spare = length // 3 if len(recording) < length else 0
        lowest, highest = -spare, max(len(recording) - length + spare, 1 - spare)
        start = int(torch.randint(lowest, highest, (1,), generator=generator))
        stretch = torch.zeros(length)
        taken = recording[max(0, start) : start + length]
        place = max(0, -start)
        stretch[place : place + len(taken)] = taken[: length - place]
        return stretch / recording.square().mean().clamp(min=_LEAST_POWER).sqrt()


def _find_words(samples: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Where the loud part of each clip begins and ends, in samples; of silence the whole."""
    batch, length = samples.shape
    steps = max(1, length // step)
    power = samples[:, : steps * step].reshape(batch, steps, -1).square().mean(2)
    power = torch.nn.functional.avg_pool1d(power[:, None], 3, stride=1, padding=1, count_include_pad=False)[:, 0]
    is_loud = power >= _SPAN * power.amax(1, keepdim=True)
    first = is_loud.int().argmax(1)
    end = steps - is_loud.flip(1).int().argmax(1)
    return first * step, end * step


def _level(samples: Tensor, first: Tensor, end: Tensor) -> Tensor:
    """Root of the mean power between two places of each clip, (batch,)."""
    place = torch.arange(samples.shape[1], device=samples.device)
    inside = (place >= first[:, None]) & (place < end[:, None])
    power = (samples.square() * inside).sum(1) / inside.sum(1).clamp(min=1)
    return power.clamp(min=_LEAST_POWER).sqrt()


def _moved(samples: Tensor, by: Tensor) -> Tensor:
    """Each clip later by so many samples, (batch,), which may be negative; nothing where it has none."""
    length = samples.shape[1]
    index = torch.arange(length, device=samples.device) - by[:, None]
    inside = (index >= 0) & (index < length)
    return samples.gather(1, index.clamp(0, length - 1)) * inside

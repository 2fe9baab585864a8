"""How answers on an endless stream become detections; in the recipe, in the model file, and open to change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from sayso.config.schema import NonNegative, Positive, PositiveInt, Range, Settings, Share, dump, read
from sayso.errors import Fault

__all__ = ["StreamSettings", "WordThreshold"]


@dataclass(frozen=True, kw_only=True)
class WordThreshold(Settings):
    """What one word asks for."""

    word: str
    """One of the model's words."""
    threshold: Share
    """Its score from which on it is detected."""


@dataclass(frozen=True, kw_only=True)
class StreamSettings(Settings):
    """How a stream is listened to, and when a word in it counts as detected."""

    hop_seconds: Annotated[Positive, Range(least=0.01, most=10)] = 0.08
    """Time from one answer to the next; each is on the last `audio.clip_seconds` of sound."""
    smoothing: PositiveInt = 2
    """Answers whose mean is a word's score: the newest so many."""
    threshold: Share = 0.7
    """Score from which on a word is detected, where it has no threshold of its own."""
    thresholds: tuple[WordThreshold, ...] = ()
    """Words with a threshold of their own."""
    margin: Share = 0.0
    """How far a score must lie above that of the next best word."""
    least_seconds: NonNegative = 0.0
    """How long a score must stay that high."""
    refractory_seconds: NonNegative = 1.0
    """Time after a detection in which there is no other. A word must have fallen below its threshold, too, before it is
    detected again."""
    gate_db: Annotated[float, Range(least=-120, most=0)] | None = None
    """Sound of less power than this is not listened to, in dB below full scale, which saves work in silence: no answer
    is given until something in the window is louder. null: all is listened to."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where a word has two thresholds."""
        words = [each.word for each in self.thresholds]
        for word in sorted({word for word in words if words.count(word) > 1}):
            yield Fault("thresholds", f"has two thresholds of '{word}'")

    def hop_samples(self, sample_rate: int) -> int:
        """Samples from one answer to the next, at the model's rate in hertz."""
        return max(1, round(self.hop_seconds * sample_rate))

    def count_hops(self, seconds: float, sample_rate: int) -> int:
        """Count the hops that come in a time, at the model's rate in hertz."""
        return round(seconds / (self.hop_samples(sample_rate) / sample_rate))

    def threshold_of(self, word: str) -> float:
        """Give the score from which on this word is detected."""
        return next((each.threshold for each in self.thresholds if each.word == word), self.threshold)

    def overridden(self, values: object) -> "StreamSettings":
        """Give the same settings with some plain values instead, by the names of fields.

        Raises:
            SettingsError: a name is unknown, or a value does not fit; told as of the recipe's section `stream`.
        """
        merged = {**dump(self), **values} if isinstance(values, Mapping) else values
        return read(StreamSettings, merged, key="stream")
